"""Headed sections of a report: addenda, earlier results, family history, methods, legends, parts A, B, C."""

from __future__ import annotations

import re

from her2crc.frontends.text.drafts import About
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.languages import Languages, words_pattern
from her2crc.frontends.text.scan import Scanner
from her2crc.frontends.text.windows import BEFORE

VOID = frozenset(("method", "legend", "eligibility"))
INLINE = frozenset(("prior", "family"))
ADDED = "addendum"
BLANK = re.compile(r"\n[ ]{0,20}\n")
PART_LINE = r"(?=[a-hmpst ])(?:part|specimen|teil|parte|tumou?r|probe|material|sample)?[ ]{0,2}(?P<part>[a-h])[.):][ ]"
DATED = re.compile(r"(?:\d{2}|[年月日])\)?$")
MOST = 40
"""Characters that may stand between a heading's word and its colon."""


class Section:
    """A stretch of the text with one heading; ``part`` is the letter of a part of the specimen."""

    def __init__(self, start: int, end: int, kind: str, part: str = "") -> None:
        self.start, self.end, self.kind, self.part = start, end, kind, part


class Headings:
    """The headings that some languages know, at the start of a line."""

    def __init__(self, languages: Languages) -> None:
        self.kinds = languages.sections
        heads = words_pattern(self.kinds)
        self.pattern = re.compile(
            r"\n[ >*#|•\[-]{0,8}(?:[0-9]{1,2}[.)][ ]?)?(?:(?P<head>" + heads + ")"
            rf"(?P<rest>[^\n:.;】\]]{{0,{MOST}}}+(?:\.\d[^\n:.;】\]]{{0,{MOST}}}+){{0,2}}+)"
            rf"(?:[:】\]]|(?=\n)|(?P<stop>\.)(?=\s|$))|{PART_LINE})"
        )
        self.result = languages.result_heading

    def sections(self, low: str) -> list[Section]:
        """Return the sections of a text, in order; a later heading ends an earlier one of its rank."""
        lines = ("\n" + low).replace("【", "\n")
        found = [match for match in self.pattern.finditer(lines) if not match["stop"] or self._kind(match) == ADDED]
        sections = []
        for number, match in enumerate(found):
            following = found[number + 1].start() - 1 if number + 1 < len(found) else len(low)
            if match["part"]:
                sections.append(Section(match.start("part") - 1, len(low), "part", match["part"].upper()))
                continue
            kind, rest = self._kind(match), match["rest"].strip()
            dated = kind == ADDED and (not rest or DATED.search(rest) is not None)
            if not dated and (match["stop"] or (rest and not match[0].endswith((":", "】", "]")))):
                continue
            if rest and kind not in (ADDED, "prior") and not rest.startswith("("):
                continue
            start = match.end() - 1
            end = _end(low, start, following, kind)
            result = self.result.search(low, start, end) if kind in VOID else None
            sections.append(Section(match.start("head") - 1, result.start() + 1 if result else end, kind))
        return sections

    def _kind(self, match: re.Match[str]) -> str:
        """Return the kind of section that a heading begins."""
        return self.kinds.get(" ".join(match["head"].replace("-", " ").split()), "")


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


class Origin:
    """What a part is, as its heading says: names and places of tumour and site, as far as they are there."""

    def __init__(self) -> None:
        self.tumour: tuple[str, Span] | None = None
        self.site: tuple[str, Span] | None = None


def read_origins(folded: Folded, scanner: Scanner, sections: list[Section]) -> dict[str, Origin]:
    """Return what the headings of parts ('A. Sigmoid colon, resection') say of tumour and site, the first each."""
    origins: dict[str, Origin] = {}
    for section in sections:
        if not section.part:
            continue
        origin = origins.setdefault(section.part, Origin())
        if origin.tumour and origin.site:
            continue
        line_end = folded.low.find("\n", section.start)
        end = min(line_end if line_end > 0 else len(folded.low), section.start + BEFORE)
        items = scanner.items(folded, section.start, end)
        for kind, value, start, stop in zip(items.kinds, items.values, items.starts, items.ends, strict=True):
            if kind == "tumour":
                origin.tumour = origin.tumour or (value, Span(start, stop))
            elif kind == "site":
                origin.site = origin.site or (value, Span(start, stop))
    return origins


class Sections:
    """Follows the sections as the text is read from its start to its end."""

    def __init__(self, sections: list[Section], origins: dict[str, Origin]) -> None:
        self.sections, self.origins = sections, origins
        self.entered = 0
        self.ends: dict[str, int] = {}
        self.part = ""
        self.is_void = False

    def advance(self, at: int, about: About, base: About) -> None:
        """Move on to a place, and set person, time and part of what is read from there."""
        while self.entered < len(self.sections) and self.sections[self.entered].start <= at:
            self.enter(self.sections[self.entered], about)
            self.entered += 1
        self.is_void, base.temporality, base.subject = False, "current", "patient"
        for kind, end in self.ends.items():
            if end <= at:
                continue
            if kind in VOID:
                self.is_void = True
            elif kind == "family":
                base.subject = "family"
            elif kind == "prior" or (kind == "addendum" and base.temporality == "current"):
                base.temporality = kind
        about.set_temporality(base.temporality, None)
        about.set_subject(base.subject, None)

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
