"""From folded text to items: the few words, numbers and signs that can matter, each with its place.

Only windows around the names of HER2 and of the patient's other markers are looked at; one compiled pattern finds
all items, and every repetition in it is bounded or followed by nothing that could fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.languages import Languages, words_pattern
from her2crc.frontends.text.sections import Origin, Section

BEFORE = 240
"""Characters before a name that are looked at: the units of text before its own."""
UNITS_BEFORE, UNITS_AFTER = 3, 16
"""Lines or sentences before a name, and at most after it, that can belong to it."""
SHORT = 500
"""Characters of a text that is looked at as a whole."""
LONGEST_UNIT, LONGEST_WINDOW = 1_500, 50_000
"""Characters of a sentence, and of a window: bounds for text without an end."""

ANCHOR = (
    r"(?<![a-z])(?:anti[\s-]{0,2})?(?:c[\s-]?erb[\s-]?b[\s-]?2|erb[\s-]?b[\s-]?2|her[\s_-]{0,3}(?:2|ii(?![a-z])|z(?=[\s/]{1,2}(?:neu|[il1]hc|f[il1]sh|[il1]m|score|status))))(?!\d)(?![.]\d)"
    r"(?:[\s/_-]{0,3}\(?neu(?![a-z])\)?)?(?:\s?[/(]\s?(?:erbb2|her-?2|c-erb-?b-?2|her2/neu)(?![\d/])\s?\)?)?"
)
HER2 = re.compile(r"er(?:[\s_-]{0,3}(?:2(?!\d)|ii(?![a-z])|z(?=[\s/]{1,2}[nifsl1]))|b[\s-]?b[\s-]?2|cept)")
"""The part that all names of HER2 share; it begins with letters, so that searching is fast."""
OTHER_NAMES = (
    "pathvysion", "path vysion", "nuc ish", "kras", "nras", "k-ras", "n-ras", " ras", "braf", "mss", "msi", "mmr",
    "pik3ca", "microsat", "mikrosat", "微卫星",
)  # fmt: skip
"""Other names that can state something of the patient: tests of HER2, and the markers that rules ask for."""
HER2_TESTS = frozenset(OTHER_NAMES[:3])
LEAD = r"[\s\-*•·>|\"'(]{0,12}"
NUMBER = r"\d{1,3}(?:[.,]\d{1,3})?"
SCORE = (
    r"(?:(?<![\da-z+])(?<!\d[.,])|(?<=ihc)|(?<=score)|(?<=her2,)|(?<=neu,)|(?<=ihk)|(?<=ihq))"
    r"(?:[0-3]\+\s?(?:-|/|~|to|bis|a|or)\s?[0-3]\s?\+|[0-3](?:-|/|~)[1-3]\s?\+(?!\d)"
    r"|[0-3]\s?(?:to|bis|or|ou|oder|o|a|veya)\s?[1-3]\s?\+|[0-3]\s?\+(?![\d+])|[0-3]\s?\(\s?\+\s?\))"
    r"|(?<=[\s:(])[liz|]\s?\+(?![\d+])|(?<!\+)\+(?:\s?\+){1,2}(?!\+)(?!\d)|(?<![\d+])(?<![a-z][0-9])\+\s?[0-3](?![\d.,/]?\d)(?!\s?%)"
)
DATE = (
    r"(?<!\d)(?:(?:19|20)\d\d-[01]\d-[0-3]\d|20\d\d[01]\d[0-3]\d|[0-3]?\d[./][0-3]?\d[./](?:19|20)?\d\d"
    r"|[01]?\d/(?:19|20)\d\d|[0-3]?\d[\s.-]{1,2}(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?[\s-](?:19|20)\d\d"
    r"|(?:19|20)\d\d年(?:[01]?\d月)?(?:[0-3]?\d日)?|(?:19|20)\d\d)(?![\d%]|[.,]\d)"
)
LOCUS = r"chr(?:omosome)?\s?(?:\d{1,2}|x|y):\s?(?:\d{5,}|\d{1,3}(?:,\d{3}){1,2})(?:\s?-\s?[\d,]{5,})?"
AMINO = "acdefghiklmnpqrstvwy"
VARIANT = (
    rf"(?<![a-z0-9])(?:p\.\s?\(?)?(?:[{AMINO}]\d{{2,4}}_[{AMINO}]\d{{2,4}}(?:delins|ins|dup|del)[a-z]{{0,12}}"
    rf"|[{AMINO}]\d{{2,4}}(?:[{AMINO}]fs(?:\*\d{{1,3}})?|delins[a-z]{{1,6}}|dup|del|[{AMINO}*])"
    r"|[a-z]{3}\d{2,4}(?:_[a-z]{3}\d{2,4})?(?:delins|ins|dup|del|[a-z]{3})(?:[a-z]{3}){0,4})(?![a-z0-9])"
)
BOX = r"\[[ x*☒]{0,3}\]|[☐☒]|_{1,20}\s?x\s?_{1,20}|_{2,40}|\([ x]{1,3}\)"
SIGN = (
    r"(?<![+\s.])\+(?![\d+])|\(\s?[+-]\s?\)|(?<=[\s:(])\+(?=\s{0,2}(?:[,;:)./|\]\n]|$))"
    r"|-(?=\s{0,2}(?:[,;)./|\]\n]|$))|(?<=[a-z0-9])-(?= )"
)
PART = r"(?<![a-z])(?:part|specimen|teil|parte|sample)\s(?:[a-h]|[1-9])(?![a-z0-9+])"
ISCN = r"nuc\s?ish\s?(?:[^\n\[;]{0,80}\[\d{1,4}(?:/\d{1,4})?\]|\([^()\n]{0,60}\)(?:x\d{1,2})?)"
GENE = r"(?<![a-z0-9])[a-z]{2,6}-?\d{1,3}[a-z]{0,2}(?![a-z0-9])"


class Item(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the folded text and what it can be."""

    kind: str
    value: str
    start: int
    end: int


class Patterns(NamedTuple):
    """What is compiled of the words.

    ``items`` finds the next item, or the end: what is none is passed over inside of the pattern, a word at a time.
    ``kinds`` gives the kind of item of each of its groups; ``goes_on`` tells what can go on about a name.
    """

    items: re.Pattern[str]
    kinds: tuple[str, ...]
    goes_on: re.Pattern[str]


def compile_patterns(languages: Languages) -> Patterns:
    """Return the patterns of the items. Their alternatives are grouped by first character, for speed."""
    percent, between = languages.alternatives("percent_sign"), languages.alternatives("range")
    sign = rf"(?:%|{percent})"
    amount = r"(?:\d|(?<![a-z])[il](?=[\do]))[\dols]{0,2}(?:[.,]\d{1,3})?"
    range_ = rf"(?:\s?{sign})?\s?(?:-|~|{between})\s?\d{{1,3}}(?:[.,]\d{{1,3}})?"
    compare = r"(?:(?:[<>]=?|[≤≥~])\s?)?"
    percents = (
        rf"{compare}(?<!\d)(?<!\d[.,])(?:{amount}(?:{range_})?\s?{sign}|%\s?{NUMBER}(?:\s?-\s?{NUMBER})?(?!\s?%))"
    )
    latin, digits, others = languages.word_patterns
    times = r"(?<!\d)(?<!\d[.,])\d{1,6}(?:[.,]\d{1,3})?\s?(?:x(?![a-z0-9])|-?\s?fold|-?\s?fach)"
    decimals = r"(?:[.,](?:\d{1,6}|[ols]{1,2}\d{0,3}(?![a-z0-9])))?"
    number = (
        rf"(?<!\d)(?<!\d[.,])(?:\d+(?:[ol]{{1,2}}(?=[.,]\d))?{decimals}|(?<![a-z.,])[ol][.,]\d{{1,3}}(?!\d))"
        r"(?:\s?(?:-|~)\s?\d{1,6}(?:[.,]\d{1,6})?)?"
    )
    groups = _Groups()
    pct, score, num, sign_ = ("pct", percents), ("score", SCORE), ("num", number), ("sign", SIGN)
    letter = "|".join((
        "(?=[aceh])" + groups.add(("anchor", ANCHOR)), "(?=ch)" + groups.add(("locus", LOCUS)),
        "(?=n)" + groups.add(("iscn", ISCN)),
        "(?=[pst])" + groups.add(("part", PART)), groups.add(("word", latin)),
        r"(?=[a-z]{1,6}+-?\d|p\.)" + groups.add(("variant", VARIANT), ("gene", GENE)),
        r"(?=[lioz][\s.,+\d])" + groups.add(pct, score, num),
    ))  # fmt: skip
    digit = "|".join((
        groups.add(pct), r"(?=[0-3][\s\da-z(/~-]{0,8}\+)" + groups.add(score),
        r"(?=\d{4}|\d{1,2}(?:[./]\d|[\s.-]{1,2}[jfmasond]))" + groups.add(("date", DATE)),
        groups.add(("word", digits), ("times", times), num),
    ))  # fmt: skip
    compared, plus = groups.add(pct), groups.add(score, sign_)
    mark = groups.add(("box", BOX), sign_, ("word", others))
    item = (
        rf"(?:(?<![a-z])(?=[a-z])(?:{letter})|(?=[0-9])(?:{digit})|(?=[<>≤≥~%]){compared}|(?=[+|]){plus}"
        rf"|(?=[^a-z0-9\s.,:]){mark})"
    )
    items = rf"(?:[a-z]++[\s.,:]*+|[^a-z][\s.,:]*+)*?(?:{item}|\Z)"
    heads = words_pattern(languages.sections)
    start = "|".join((latin, digits, others, heads, r"[\d+%<>\[☐☒_]", r"[^\n:.;]{1,40}:"))
    return Patterns(re.compile(items), tuple(groups.kinds), re.compile(LEAD + f"(?:{start})"))


class _Groups:
    """Numbers the groups of a pattern; ``kinds`` gives the kind of item of each, from 1 on."""

    def __init__(self) -> None:
        self.kinds = [""]

    def add(self, *kinds: tuple[str, str]) -> str:
        """Return the alternatives, a group each."""
        self.kinds.extend(kind for kind, _ in kinds)
        return "(?:" + "|".join(f"({pattern})" for _, pattern in kinds) + ")"


def windows(low: str, patterns: Patterns, is_start: Callable[[int], bool]) -> list[tuple[int, int]]:
    """Return the stretches that can hold a statement of a name, merged and in order.

    ``is_start`` tells whether a line that begins at a place begins something new.
    """
    if len(low) <= SHORT:
        return [(0, len(low))]
    places = [(match.start(), True) for match in HER2.finditer(low)]
    for name in OTHER_NAMES:
        at = low.find(name)
        while at >= 0:
            places.append((at, name in HER2_TESTS))
            at = low.find(name, at + 1)
    places.sort()
    found: list[tuple[int, int]] = []
    last, is_closed = 0, True
    for at, is_her2 in places:
        if at < last and (is_closed or not is_her2):
            continue
        if is_her2:
            first = max(last, _first(low, at, last))
            end, is_closed = _last(low, max(at, last), patterns, is_start)
        else:
            first, end, is_closed = max(_unit_start(low, at), last), _unit_end(low, at), False
        if end <= last:
            continue
        if found and first <= last and end - found[-1][0] < LONGEST_WINDOW:
            found[-1] = (found[-1][0], end)
        else:
            found.append((first, end))
        last = end
    return found


def _unit_start(low: str, at: int) -> int:
    """Return where the line or sentence of a place begins."""
    least = max(0, at - BEFORE)
    return max(
        low.rfind("\n", least, at) + 1, low.rfind(". ", least, at) + 1, low.rfind("。", least, at) + 1, least
    )  # fmt: skip


def _first(low: str, at: int, last: int) -> int:
    """Return where a window begins: some units before the name."""
    first, least = at, max(last, at - BEFORE)
    for _ in range(UNITS_BEFORE):
        if first <= least:
            break
        first = _unit_start(low, max(first - 1, 0))
    return max(first, least)


def _unit_end(low: str, at: int) -> int:
    """Return where the line or sentence of a place ends."""
    last = end = min(at + LONGEST_UNIT, len(low))
    line = low.find("\n", at, last)
    if line >= 0:
        end = line if line > at and low[line - 1] == "." else line + 1
    for mark in (". ", "。"):
        stop = low.find(mark, at, end)
        end = stop + 1 if stop >= 0 else end
    return end


def _last(low: str, at: int, patterns: Patterns, is_start: Callable[[int], bool]) -> tuple[int, bool]:
    """Return where a window ends, after the name's own sentence and what goes on about it; and whether nothing does."""
    end = _unit_end(low, at)
    for _ in range(UNITS_AFTER):
        if end >= len(low):
            break
        wrapped = low.startswith("\n", end - 1) and not low.startswith("\n", end) and not is_start(end)
        if not wrapped and patterns.goes_on.match(low, end) is None:
            return end, True
        end = _unit_end(low, end)
    return end, False


def scan(folded: Folded, text: str, languages: Languages, patterns: Patterns) -> Iterator[list[Item]]:
    """Give the items of each window."""

    def is_start(at: int) -> bool:
        letter = _original(folded, text, at, at + 1)
        return letter.isupper() or not letter.isalnum()

    for first, last in windows(folded.low, patterns, is_start):
        yield items_in(folded, text, languages, patterns, first, last)


def items_in(folded: Folded, text: str, languages: Languages, patterns: Patterns, first: int, last: int) -> list[Item]:
    """Return the items of a stretch."""
    items: list[Item] = []
    kinds = patterns.kinds
    for match in patterns.items.finditer(folded.low, first, last):
        group = match.lastindex
        if group is None:
            break
        kind = kinds[group]
        start, end = match.span(group)
        if kind == "word":
            _words(items, languages, match[group], start, end, folded, text)
        elif kind != "gene":
            items.append(Item(kind, "", start, end))
        elif _original(folded, text, start, end).isupper():
            items.append(Item("marker", "gene", start, end))
    return items


def items_of(written: str, at: int, folded: Folded, text: str, languages: Languages, patterns: Patterns) -> list[Item]:
    """Return the items of what is written for a stretch of the folded text that begins at a place."""
    places = [folded.span(start, start + 1)[0] for start in range(at, at + len(written))]
    return items_in(Folded(written, places), text, languages, patterns, 0, len(written))


def read_origins(
    folded: Folded, text: str, languages: Languages, patterns: Patterns, sections: list[Section]
) -> dict[str, Origin]:
    """Return what the headings of parts ('A. Sigmoid colon, resection') say of tumour and site, the first each."""
    origins: dict[str, Origin] = {}
    for section in sections:
        known = origins.get(section.part, Origin())
        if not section.part or (known.tumour and known.site):
            continue
        line_end = folded.low.find("\n", section.start)
        end = min(line_end if line_end > 0 else len(folded.low), section.start + BEFORE)
        items: list[Item] = []
        for match in patterns.items.finditer(folded.low, section.start, end):
            group = match.lastindex
            if group is not None and patterns.kinds[group] == "word":
                _words(items, languages, match[group], *match.span(group), folded, text)
        named = {item.kind: (item.value, Span(item.start, item.end)) for item in reversed(items)}
        origins[section.part] = Origin(known.tumour or named.get("tumour"), known.site or named.get("site"))
    return origins


def _words(items: list[Item], languages: Languages, word: str, start: int, end: int, folded: Folded, text: str) -> None:
    """Add what a word can mean; a short name that is also a word counts only in capitals."""
    if word in languages.capitals and not _original(folded, text, start, end).isupper():
        return
    for kind, value in languages.meaning(word):
        items.append(Item(kind, value, start, end))
        if kind == "assay":
            method = languages.assay_method.get(" ".join(word.replace("-", " ").split()))
            if method:
                items.append(Item(method, "", start, end))
                if method in ("ihc", "ish"):
                    items.append(Item("anchor", "assay", start, end))


def _original(folded: Folded, text: str, start: int, end: int) -> str:
    first, last = folded.span(start, end)
    return text[first:last]
