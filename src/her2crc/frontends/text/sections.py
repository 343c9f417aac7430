"""Headed sections of a report: addenda, earlier results, family history, methods, legends, parts A, B, C."""

from __future__ import annotations

import re

from her2crc.frontends.text.drafts import About
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.fold import Folded, fold_phrase
from her2crc.frontends.text.languages import Languages, Plain, words_pattern
from her2crc.frontends.text.scan import Scanner
from her2crc.frontends.text.windows import BEFORE

VOID = frozenset(("method", "legend", "eligibility"))
INLINE = frozenset(("prior", "family"))
ADDED = "addendum"
LETTER = re.compile(r"\n[ ]{0,8}(?:dear|sehr geehrte|liebe|estimad|querid|cher|gentil|egregi|sayin|拝啓|尊敬的)")
"""How a letter addresses its reader: what it calls the background is the history of its patient."""
BLANK = re.compile(r"\n[ ]{0,20}\n")
PART_LINE = r"(?=[a-hmpst ])(?:part|specimen|teil|parte|tumou?r|probe|material|sample)?[ ]{0,2}(?P<part>[a-h])[.):][ ]"
DATED = re.compile(r"(?:\d{2}|[年月日])\)?$")
MOST = 40
"""Characters that may stand between a heading's word and its colon."""
TITLE = re.compile(
    r"\n[ >*#•\[-]{0,8}+(?P<number>[0-9]{1,2}[.)、][ ]?|[一二三四五六七八九十]{1,3}、)?"
    r"(?P<title>[^\n:;\t|】\]。]{2,70}+)(?P<mark>[:】\]]|(?=\n))"
)
"""A line, or its beginning up to a colon, that can be a title."""
STATED = re.compile(r"[0-3] ?\+|[%<>≤≥]|  \w|\. |\.$")
"""What stands in no title: values, columns, the end of a sentence."""
HER2 = re.compile(r"her-?2|erbb-?2")
HER2_LABEL = re.compile(
    r"\n[ ]{0,8}(?:her-?2|erbb-?2|c-?erb-?b-?2)(?:/neu)?(?:[ ]?\([^()\n]{0,25}\))?"
    r"(?:[ -](?:ihc|fish|ish|dish|score|status|result|protein|gene|immuno[a-z]{0,16})){0,3}[ ]?"
    r"(?::|(?P<value>[0-3] ?\+))"
)
"""A line that gives a result of HER2: it ends a legend that began on a line with its text."""
LABEL_LINE = re.compile(r"\n[^\n:]{1,40}:[ ]")
WORDS = 5
"""Most words of a title that is not written in capitals."""
MOST_KEPT = 10_000
"""Titles that are remembered."""


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
        self.void_heading, self.void_line = _stems(languages, "void_heading"), _stems(languages, "void_line")
        self.not_heading = _stems(languages, "not_heading")
        self.plain_titles: dict[str, bool] = {}

    def sections(self, folded: Folded) -> list[Section]:
        """Return the sections of a text, in order; a later heading ends an earlier one of its rank."""
        low = folded.low
        lines = ("\n" + low).replace("【", "\n")
        found = [match for match in self.pattern.finditer(lines) if not match["stop"] or self._kind(match) == ADDED]
        sections = []
        for number, match in enumerate(found):
            following = found[number + 1].start() - 1 if number + 1 < len(found) else len(low)
            if match["part"]:
                sections.append(Section(match.start("part") - 1, len(low), "part", match["part"].upper()))
                continue
            kind, rest = self._kind(match), match["rest"].strip()
            if kind == "background":
                kind = "prior" if LETTER.search(lines) else "eligibility"
            dated = kind == ADDED and (not rest or DATED.search(rest) is not None)
            named = dated or (kind == "prior" and _stands_alone(low, match.start() - 1, rest))
            if not named and (match["stop"] or (rest and not match[0].endswith((":", "】", "]")))):
                continue
            if rest and kind not in (ADDED, "prior") and not rest.startswith("("):
                continue
            start = match.end() - 1
            end = _end(low, start, following, kind)
            result = self.result.search(low, start, end) if kind in VOID else None
            sections.append(Section(match.start("head") - 1, result.start() + 1 if result else end, kind))
        return self._with_titles(folded, lines, sections) if "\n" in low else sections

    def _with_titles(self, folded: Folded, lines: str, sections: list[Section]) -> list[Section]:
        """Add the sections whose title speaks of criteria, methods, therapies or trials, in whatever words."""
        low = folded.low
        titles = [found for found in TITLE.finditer(lines) if self._is_void_title(folded, found)]
        if not titles:
            return sections
        known = [section.start for section in sections]
        added = []
        for found in titles:
            first, last = found.start("title") - 1, found.end("title") - 1
            if any(first <= at <= last for at in known):
                continue
            start = found.end() - 1
            following = min([at for at in known if at > last], default=len(low))
            end = _end(low, start, following, "legend")
            if _rest_of_line(low, start):
                label = LABEL_LINE.search(low, start, end)
                end = label.start() + 1 if label is not None else end
            result = self.result.search(low, start, end)
            added.append(Section(first, result.start() + 1 if result else end, "legend"))
        return sorted([*sections, *added], key=_start) if added else sections

    def _is_plain(self, title: str) -> bool:
        """Tell whether none of these words stands in a title; remembered, since reports have the same titles."""
        known = self.plain_titles.get(title)
        if known is None:
            known = self.void_heading.search(title) is None and self.void_line.search(title) is None
            if len(self.plain_titles) < MOST_KEPT:
                self.plain_titles[title] = known
        return known

    def _is_void_title(self, folded: Folded, found: re.Match[str]) -> bool:
        """Tell whether a title is one of criteria and the like: not of results by them, nor with a value in it."""
        title, low = found["title"], folded.low
        if self._is_plain(title):
            return False
        end = found.end() - 1
        words = self.void_heading.search(title)
        if words is None and not (end < len(low) and _rest_of_line(low, end)):
            words = self.void_line.search(title)
        if words is None or self.not_heading.search(title) is not None or STATED.search(title) is not None:
            return False
        bracket = title.find("(")
        if 0 <= bracket < words.start() and "information" not in words[0]:
            return False
        if _rest_of_line(low, end):
            return HER2.search(title) is None
        first, last = found.start("title") - 1, found.end("title") - 1
        if found["number"] or found["mark"] == "】" or folded.original(first, last).isupper():
            return True
        parted = first <= 0 or not low[max(0, first - MOST) : first - 1].rpartition("\n")[2].strip()
        return parted and len(title.split()) <= WORDS and folded.original(first, last).strip()[:1].isupper()

    def _kind(self, match: re.Match[str]) -> str:
        """Return the kind of section that a heading begins."""
        return self.kinds.get(" ".join(match["head"].replace("-", " ").split()), "")


def _stands_alone(low: str, at: int, rest: str) -> bool:
    """Tell whether a heading without a colon is a line of few words after an empty one: 'Previous result elsewhere'."""
    return (at <= 0 or low.startswith("\n\n", at - 1)) and len(rest.partition("(")[0].split()) < WORDS - 1


def _rest_of_line(low: str, start: int) -> str:
    """Return what the line of a place goes on with."""
    end = low.find("\n", start)
    return low[start : end if end >= 0 else len(low)].strip()


def _start(section: Section) -> int:
    return section.start


def _stems(languages: Languages, kind: Plain) -> re.Pattern[str]:
    """Return what finds the words of a kind; those of letters at the beginning of a word."""
    phrases = sorted({fold_phrase(phrase) for phrase in languages.plain(kind)}, key=len, reverse=True)
    latin = "|".join(re.escape(phrase) for phrase in phrases if phrase.isascii())
    others = "|".join(re.escape(phrase) for phrase in phrases if not phrase.isascii())
    return re.compile(rf"(?<![a-z])(?:{latin or '(?!)'})|(?:{others or '(?!)'})")


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
        end = min(following, blank.start() if blank else len(low))
        label = HER2_LABEL.search(low, line, end) if kind in VOID else None
        return end if label is None or (label["value"] and kind != "method") else label.start() + 1
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
