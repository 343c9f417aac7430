"""Copy numbers of ERBB2 in the elements of a vendor's XML that stand in a text."""

from __future__ import annotations

import re
from decimal import Decimal

from her2crc.frontends.text.findings import TISSUE, Finding, Span, Value
from her2crc.frontends.text.fold import Folded

OPENING = "<copy-number-alteration"
LONGEST = 2000
"""Characters of one element; a longer one is none."""
ATTRIBUTE = re.compile(r'([a-z][a-z-]{0,30})\s?=\s?"([^"<>]{0,200})"')
NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4})?")
GENES = frozenset(("erbb2", "her2"))


class Element:
    """The attributes of an element, each with its place."""

    def __init__(self, values: dict[str, tuple[str, int, int]]) -> None:
        self.values = values

    def get(self, name: str) -> str:
        """Return an attribute's value, empty where there is none."""
        return self.values.get(name, ("", 0, 0))[0]

    def span(self, name: str, folded: Folded) -> tuple[Span, ...]:
        """Return the place of an attribute's value."""
        _, start, end = self.values[name]
        return (Span(*folded.span(start, end)),)


def markup_places(low: str) -> list[tuple[int, int]]:
    """Return where copy-number elements stand."""
    found = []
    start = low.find(OPENING)
    while start >= 0:
        end = low.find(">", start, start + LONGEST)
        if end > 0:
            found.append((start, end + 1))
        start = low.find(OPENING, max(start, end) + 1)
    return found


def read_markup(folded: Folded) -> tuple[list[Finding], Folded]:
    """Return the findings of ERBB2 that copy-number elements state, and the text without these elements."""
    found: list[Finding] = []
    places = markup_places(folded.low)
    if not places:
        return found, folded
    rest, last = [], 0
    for start, end in places:
        rest += [folded.low[last:start], " " * (end - start)]
        last = end
        matches = ATTRIBUTE.finditer(folded.low, start, end)
        element = Element({match[1]: (match[2], match.start(2), match.end(2)) for match in matches})
        if element.get("gene") in GENES and element.get("type") == "amplification":
            found.append(_finding(element, folded))
    return found, Folded(folded.text, "".join([*rest, folded.low[last:]]), folded.starts, folded.shifts)


def _finding(element: Element, folded: Folded) -> Finding:
    values: dict[str, Value] = {}
    spans: dict[str, tuple[Span, ...]] = {}
    for name, field in (("copy-number", "cn"), ("ratio", "fold")):
        written = element.get(name)
        if NUMBER.fullmatch(written):
            values[field] = Decimal(written)
            spans[field] = element.span(name, folded)
    equivocal = element.get("equivocal") == "true"
    values["status"] = "equivocal" if equivocal else "amplified"
    spans["status"] = element.span("equivocal" if equivocal else "type", folded)
    spans["anchor"] = element.span("gene", folded)
    return Finding(TISSUE, values, spans)
