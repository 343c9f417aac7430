"""Headed sections of a report: addenda, earlier results, family history, methods, legends, parts A, B, C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from her2crc.frontends.text.drafts import About
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.languages import Languages, words_pattern

VOID = frozenset(("method", "legend", "eligibility"))
INLINE = frozenset(("prior", "family"))
ADDED = "addendum"
BLANK = re.compile(r"\n[ ]{0,20}\n")
PART_LINE = r"(?:part|specimen|teil|parte|tumou?r|probe|material|sample)?[ ]{0,2}(?P<part>[a-h])[.):][ ]"
DATED = re.compile(r"(?:\d{2}|[年月日])\)?$")
MOST = 40
"""Characters that may stand between a heading's word and its colon."""


class Section(NamedTuple):
    """A stretch of the text with one heading; ``part`` is the letter of a part of the specimen."""

    start: int
    end: int
    kind: str
    part: str = ""


def heading_pattern(languages: Languages) -> re.Pattern[str]:
    """Return the pattern of all headings, at the start of a line."""
    heads = words_pattern(languages.sections)
    return re.compile(
        r"\n[ >*#|•\[-]{0,8}(?:[0-9]{1,2}[.)][ ]?)?(?:(?P<head>" + heads + ")"
        rf"(?P<rest>[^\n:.;】\]]{{0,{MOST}}}(?:\.\d[^\n:.;】\]]{{0,{MOST}}}){{0,2}})(?:[:】\]]|(?=\n)|(?P<stop>\.)(?=\s|$))"
        r"|" + PART_LINE + ")"
    )


def read_sections(low: str, languages: Languages, pattern: re.Pattern[str]) -> list[Section]:
    """Return the sections of a text, in order; a later heading ends an earlier one of its rank."""
    lines = ("\n" + low).replace("【", "\n")
    found = [match for match in pattern.finditer(lines) if not match["stop"] or _kind(languages, match) == ADDED]
    sections = []
    for number, match in enumerate(found):
        following = found[number + 1].start() - 1 if number + 1 < len(found) else len(low)
        if match["part"]:
            sections.append(Section(match.start("part") - 1, len(low), "part", match["part"].upper()))
            continue
        kind, rest = _kind(languages, match), match["rest"].strip()
        dated = kind == ADDED and (not rest or DATED.search(rest) is not None)
        if not dated and (match["stop"] or (rest and not match[0].endswith((":", "】", "]")))):
            continue
        if rest and kind not in (ADDED, "prior") and not rest.startswith("("):
            continue
        start = match.end() - 1
        end = _end(low, start, following, kind)
        result = languages.result_heading.search(low, start, end) if kind in VOID else None
        sections.append(Section(match.start("head") - 1, result.start() + 1 if result else end, kind))
    return sections


def _kind(languages: Languages, match: re.Match[str]) -> str:
    """Return the kind of section that a heading begins."""
    return languages.sections.get(" ".join(match["head"].replace("-", " ").split()), "")


def _end(low: str, start: int, following: int, kind: str) -> int:
    """Return where a section ends: with its line, its paragraph, at the next heading, or with the text."""
    if kind == ADDED:
        return len(low)
    line = low.find("\n", start)
    line = len(low) if line < 0 else line
    if low[start:line].strip():
        if kind in INLINE:
            return line
        blank = BLANK.search(low, line)
        return min(following, blank.start() if blank else len(low))
    blank = BLANK.search(low, line + 1)
    return min(following, blank.start() if blank else len(low))


class Origin(NamedTuple):
    """What a part is, as its heading says: names and places of tumour and site, as far as they are there."""

    tumour: tuple[str, Span] | None = None
    site: tuple[str, Span] | None = None


class Sections:
    """Follows the sections as the text is read from its start to its end."""

    def __init__(self, sections: list[Section], origins: dict[str, Origin]) -> None:
        self.origins = origins
        self.coming: Iterator[Section] = iter(sections)
        self.next = next(self.coming, None)
        self.ends: dict[str, int] = {}
        self.part = ""
        self.is_void = False

    def advance(self, at: int, about: About, base: About) -> None:
        """Move on to a place, and set person, time and part of what is read from there."""
        while self.next is not None and self.next.start <= at:
            self.enter(self.next, about)
            self.next = next(self.coming, None)
        inside = {kind for kind, end in self.ends.items() if end > at}
        self.is_void = not VOID.isdisjoint(inside)
        base.temporality = "prior" if "prior" in inside else "addendum" if "addendum" in inside else "current"
        base.subject = "family" if "family" in inside else "patient"
        about.temporality, about.subject = base.temporality, base.subject
        about.spans.pop("temporality", None)
        about.spans.pop("subject", None)

    def name_part(self, part: str, span: Span, about: About) -> None:
        """Go over to a part of the specimen: its tumour and site are those of its heading."""
        origin = self.origins.get(part, Origin())
        about.set("part", part, span)
        about.set("tumour", *(origin.tumour or (None, None)))
        about.set("specimen_site", *(origin.site or (None, None)))

    def enter(self, section: Section, about: About) -> None:
        """Begin a section; a new one ends what went before, but not an addendum."""
        if section.kind == "part":
            self.part = section.part
            self.name_part(section.part, Span(section.start, section.start + 1), about)
        else:
            for kind in (*VOID, *INLINE):
                self.ends.pop(kind, None)
            if section.kind == "addendum":
                about.set("part", None, None)
        self.ends[section.kind] = section.end
