"""Headed sections of a report: addenda, earlier results, family history, methods, legends, parts A, B, C."""

from __future__ import annotations

import re

from her2crc.frontends.text.drafts import About
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.fold import Folded, fold_phrase, spaced
from her2crc.frontends.text.language_files import Plain
from her2crc.frontends.text.languages import Languages, words_pattern
from her2crc.frontends.text.scan import Scanner
from her2crc.frontends.text.windows import BEFORE

VOID = frozenset(("method", "legend", "eligibility"))
INLINE = frozenset(("prior", "family"))
ADDED = "addendum"
LETTER = re.compile(r"\n[ ]{0,8}(?:dear|sehr geehrte|liebe|estimad|querid|cher|gentil|egregi|sayin|拝啓|尊敬的)")
"""How a letter addresses its reader: what it calls the background is the history of its patient."""
BLANK = re.compile(r"\n[ ]{0,20}\n")
PART_WORDS = ("part", "specimen", "teil", "parte", "tumor", "tumour", "probe", "material", "sample")
PART_LINE = rf"(?=[a-hmpst ])(?:{'|'.join(PART_WORDS)})?[ ]{{0,2}}(?P<part>[a-h])[.):][ ]"
DATED = re.compile(r"(?:\d{2}|[年月日])\)?$")
MOST = 40
"""Characters that may stand between a heading's word and its colon."""
TITLE = re.compile(
    r"\n[ >*#•\[-]{0,8}+(?P<number>[0-9]{1,2}[.)、][ ]?|[一二三四五六七八九十]{1,3}、)?"
    r"(?P<title>[^\n:;\t|】\]。]{2,70}+)(?:;[^\n:;()]{1,80}\)(?=[ ]{0,8}\n))?+(?P<mark>[:】\]]|(?=[ ]{0,8}\n))"
)
"""A line, or its beginning up to a colon, that can be a title."""
LONGEST_TITLE = len("\n") + 8 + len("12. ") + 70 + len(";") + 80 + len(")") + 8
"""Characters from a line break to the end of a title that has its line alone."""
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
BULLETS = re.compile(r"[ ]{0,8}\n[ ]{0,8}[-*•] ")
BESIDE = frozenset(("with", "to", "mit", "zu", "avec", "con", "ile", "and", "und", "et", "y", "e", "ve", "vs", "from"))
"""What a title that compares with earlier results has before them."""
BEGINNING = 4
"""Characters of a line that tell of most lines that no heading begins there."""
PLAIN = re.compile(r"[a-z][a-z0-9]*(?:[ -][a-z0-9]+)*[ -]?|\n(?s:.*)")
"""Such characters if they are plain words, or those of an empty line: a heading must begin with just them."""
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
        self.beginnings = tuple({words.rstrip("*")[:BEGINNING] for words in (*self.kinds, *PART_WORDS)})
        self.known_beginnings: dict[str, bool] = {}
        self.result = languages.result_heading
        self.void_heading, self.void_line = _stems(languages, "void_heading"), _stems(languages, "void_line")
        self.not_heading = _stems(languages, "not_heading")
        self.prior_heading = _stems(languages, "prior_heading")
        self.links = languages.links
        self.plain_titles: dict[str, bool] = {}

    def sections(self, folded: Folded) -> list[Section]:
        """Return the sections of a text, in order; a later heading ends an earlier one of its rank."""
        low = folded.low
        lines = ("\n" + low).replace("【", "\n")
        found = self._found(lines)
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

    def _found(self, lines: str) -> list[re.Match[str]]:
        """Return what can be the headings of lines, each with the line break before it."""
        found = []
        at = 0
        while at >= 0:
            match = self.pattern.match(lines, at) if self._may_begin(lines, at + 1) else None
            if match is not None and (not match["stop"] or self._kind(match) == ADDED):
                found.append(match)
            at = lines.find("\n", at + 1 if match is None else match.end())
        return found

    def _may_begin(self, lines: str, at: int) -> bool:
        """Tell whether a heading can begin at a place; remembered, since most lines begin with the same words."""
        first = lines[at : at + BEGINNING]
        known = self.known_beginnings.get(first)
        if known is None:
            known = PLAIN.fullmatch(first) is None or first.replace("-", " ").startswith(self.beginnings)
            if len(self.known_beginnings) < MOST_KEPT:
                self.known_beginnings[first] = known
        return known

    def _with_titles(self, folded: Folded, lines: str, sections: list[Section]) -> list[Section]:
        """Add the sections whose title speaks of criteria, methods, therapies or trials, in whatever words."""
        low = folded.low
        titles = [(found, kind) for found in _titles(lines) if (kind := self._title_kind(folded, found))]
        if not titles:
            return sections
        known = [section.start for section in sections]
        headed = {section.start for section in sections if section.kind != "part"}
        added = []
        for found, kind in titles:
            first, last = found.start("title") - 1, found.end("title") - 1
            if any(first <= at <= last for at in headed):
                continue
            start = found.end() - 1
            following = min([at for at in known if at > last], default=len(low))
            end = _end(low, start, following, kind)
            if kind == "prior":
                added.append(Section(first, end, kind))
                continue
            if _rest_of_line(low, start):
                label = LABEL_LINE.search(low, start, end)
                end = label.start() + 1 if label is not None else end
            result = self.result.search(low, start, end)
            added.append(Section(first, result.start() + 1 if result else end, "legend"))
        return sorted([*sections, *added], key=_start) if added else sections

    def _title_kind(self, folded: Folded, found: re.Match[str]) -> str:
        """Return what a title heads: earlier results, nothing of this patient, or the results themselves."""
        title = found["title"]
        if self._is_plain(title):
            return ""
        words = self.prior_heading.search(title)
        if words is None:
            return "legend" if self._is_void_title(folded, found) else ""
        before = title[: words.start()].split()
        alone = not _rest_of_line(folded.low, found.end() - 1)
        named = alone or (not before and found["mark"])
        stated = STATED.search(title, words.start()) is not None
        return "prior" if named and not stated and BESIDE.isdisjoint(before) else ""

    def _is_plain(self, title: str) -> bool:
        """Tell whether none of these words stands in a title; remembered, since reports have the same titles."""
        known = self.plain_titles.get(title)
        if known is None:
            stems = self.void_heading, self.void_line, self.prior_heading
            known = all(stem.search(title) is None for stem in stems)
            if len(self.plain_titles) < MOST_KEPT:
                self.plain_titles[title] = known
        return known

    def _is_void_title(self, folded: Folded, found: re.Match[str]) -> bool:
        """Tell whether a title is one of criteria and the like: not of results by them, nor with a value in it."""
        title, low = found["title"], folded.low
        end = found.end() - 1
        words = self.void_heading.search(title)
        if words is None and not (end < len(low) and _rest_of_line(low, end)):
            words = self.void_line.search(title)
        if words is None or self._is_of_results(title, words) or STATED.search(title) is not None:
            return False
        bracket = title.find("(")
        if 0 <= bracket < words.start() and "information" not in words[0]:
            return False
        if _rest_of_line(low, end):
            return HER2.search(title) is None
        first = found.start("title") - 1
        last = first + (bracket if bracket > 0 else len(title))
        if found["number"] or found["mark"] == "】" or folded.original(first, last).isupper():
            return True
        parted = first <= 0 or not low[max(0, first - MOST) : first - 1].rpartition("\n")[2].strip()
        parted = parted or BULLETS.match(low, end) is not None
        few = len(low[first:last].split()) <= WORDS
        return parted and few and folded.original(first, last).strip()[:1].isupper()

    def _is_of_results(self, title: str, words: re.Match[str]) -> bool:
        """Tell whether a title is one of results by criteria, not of 'trials by alteration'."""
        found = self.not_heading.search(title)
        return found is not None and not (words.start() == 0 and found[0].strip() in self.links)

    def _kind(self, match: re.Match[str]) -> str:
        """Return the kind of section that a heading begins."""
        return self.kinds.get(spaced(match["head"]), "")


def _titles(lines: str) -> list[re.Match[str]]:
    """Return what can be the titles of lines; a line without a mark is none if it is a sentence, or too long."""
    found = []
    at = 0
    while at >= 0:
        end = lines.find("\n", at + 1)
        is_none = end < 0 or lines[end - 1] == "." or end - at > LONGEST_TITLE
        match = TITLE.match(lines, at) if not is_none or _has_mark(lines[at : end if end >= 0 else None]) else None
        if match is not None:
            found.append(match)
        at = end
    return found


def _has_mark(line: str) -> bool:
    """Tell whether a line has a mark that ends a title."""
    return ":" in line or "]" in line or "】" in line


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
