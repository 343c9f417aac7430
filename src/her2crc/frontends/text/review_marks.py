"""The text of a report cut at every place that states something, so that a page or a terminal can mark it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from her2crc.frontends.text.findings import Reading, Span

FINDING, MARKER, REVIEW = "finding", "marker", "review"
ABOUT = ("anchor", "temporality", "subject", "tumour", "specimen_site", "part", "date")
"""Places that say what a value is of; they are marked too, but are no value."""
UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, which a terminal obeys, and those that turn the direction of writing."""


class Place(NamedTuple):
    """A stretch of text that states something: what kind, of which finding (from 1), which fields."""

    start: int
    end: int
    kind: str
    number: int
    field: str


class Piece(NamedTuple):
    """A piece of text that is marked throughout, or not at all (no places)."""

    text: str
    places: tuple[Place, ...]


def places_of(reading: Reading) -> list[Place]:
    """Return every place that a reading names: of findings, of other markers, of what needs review."""
    found = [
        Place(span.start, span.end, FINDING, number, field)
        for number, finding in enumerate(reading.findings, 1)
        for field, spans in finding.spans.items()
        for span in spans
    ]
    found += [_place(item.span, MARKER, number, item.name) for number, item in enumerate(reading.markers, 1)]
    found += [_place(item.span, REVIEW, number, item.field) for number, item in enumerate(reading.review, 1)]
    return found


def pieces_of(text: str, reading: Reading) -> Iterator[Piece]:
    """Yield the text piece by piece; together they are the whole text, with control characters made visible."""
    places = [place for place in places_of(reading) if 0 <= place.start < place.end <= len(text)]
    cuts = sorted({0, len(text), *(place.start for place in places), *(place.end for place in places)})
    starting = deque(sorted(places))
    active: list[Place] = []
    for start, end in pairwise(cuts):
        active = [place for place in active if place.end > start]
        while starting and starting[0].start <= start:
            active.append(starting.popleft())
        yield Piece(printable(text[start:end]), tuple(active))


def printable(text: str) -> str:
    """Return text with control characters replaced, so that it can do nothing to a screen."""
    return UNPRINTABLE.sub("\ufffd", text)


def _place(span: Span, kind: str, number: int, field: str) -> Place:
    return Place(span.start, span.end, kind, number, field)
