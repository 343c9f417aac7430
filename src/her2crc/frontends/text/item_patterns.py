"""The patterns of the items of report text: names, scores, percentages, counts, dates, variants, boxes, signs, words.

Every repetition in them is bounded or followed by nothing that could fail.
"""

from __future__ import annotations

import re

from her2crc.frontends.text.languages import Languages, words_pattern
from her2crc.frontends.text.numbers import MONTHS

ANCHOR = (
    r"(?<![a-z])(?:anti[\s-]{0,2})?(?:c[\s-]?erb[\s-]?b[\s-]?2|erb[\s-]?b[\s-]?2|her[\s_-]{0,3}(?:2|ii(?![a-z])|z(?=[\s/]{1,2}(?:neu|[il1]hc|f[il1]sh|[il1]m|score|status))))(?!\d)(?![.]\d)"
    r"(?:[\s/_-]{0,3}\(?neu(?![a-z])\)?)?(?:\s?[/(]\s?(?:erbb2|her-?2|c-erb-?b-?2|her2/neu)(?![\d/])\s?\)?)?"
)
BEGINS_NAME = ("anti", "cerb", "erb", "nucish")
BEGINS = frozenset(
    (*"cilopz", "chr", "chromosome", "her", "herii", "herz", "nuc", "part", "specimen", "teil", "parte", "sample")
)
"""Letters that begin, and whole runs of letters that can be the first of, what is not in the word lists: names,
karyotypes, parts, changes of a protein, and numbers with letters that OCR takes for digits.
"""
LEAD = r"[\s\-*•·>|\"'(]{0,12}"
NUMBER = r"\d{1,3}(?:[.,]\d{1,3})?"
FOLD = ("x", "fold", "fach")
SCORE_RANGE = "to|bis|or|ou|oder|o|a|veya"
SCORE = (
    r"(?:(?<![\da-z+])(?<!\d[.,])|(?<=ihc)|(?<=score)|(?<=her2,)|(?<=neu,)|(?<=ihk)|(?<=ihq))"
    r"(?:[0-3]\+\s?(?:-|/|~|to|bis|a|or)\s?[0-3]\s?\+|[0-3](?:-|/|~)[1-3]\s?\+(?!\d)"
    rf"|[0-3]\s?(?:{SCORE_RANGE})\s?[1-3]\s?\+|[0-3]\s?\+(?![\d+])|[0-3]\s?\(\s?\+\s?\))"
    r"|(?<=[\s:(])[liz|]\s?\+(?![\d+])|(?<!\+)\+(?:\s?\+){1,2}(?!\+)(?!\d)|(?<![\d+])(?<![a-z][0-9])\+\s?[0-3](?![\d.,/]?\d)(?!\s?%)"
)
DATE = (
    r"(?<!\d)(?:(?:19|20)\d\d-[01]\d-[0-3]\d|20\d\d[01]\d[0-3]\d|[0-3]?\d[./][0-3]?\d[./](?:19|20)?\d\d"
    rf"|[01]?\d/(?:19|20)\d\d|[0-3]?\d[\s.-]{{1,2}}(?:{'|'.join(MONTHS)})[a-z]{{0,6}}\.?[\s-](?:19|20)\d\d"
    r"|(?:19|20)\d\d年(?:[01]?\d月)?(?:[0-3]?\d日)?|(?:19|20)\d\d)(?![\d%]|[.,]\d)"
)
BEGINS_DATE = (
    r"(?=(?:19|20)\d\d|\d{1,2}(?:[./]\d{1,2}[./]|/(?:19|20)"
    rf"|[\s.-]{{1,2}}(?:{'|'.join(sorted({month[:2] for month in MONTHS}))})))"
)
AMINO = "acdefghiklmnpqrstvwy"
VARIANT = (
    rf"(?<![a-z0-9])(?:p\.\s?\(?)?(?:[{AMINO}]\d{{2,4}}_[{AMINO}]\d{{2,4}}(?:delins|ins|dup|del)[a-z]{{0,12}}"
    rf"|[{AMINO}]\d{{2,4}}(?:[{AMINO}]fs(?:\*\d{{1,3}})?|delins[a-z]{{1,6}}|dup|del|[{AMINO}*])"
    r"|[a-z]{3}\d{2,4}(?:_[a-z]{3}\d{2,4})?(?:delins|ins|dup|del|[a-z]{3})(?:[a-z]{3}){0,4})(?![a-z0-9])"
)
BOX = r"\[[ x*•●☒]{0,3}\]|[☐☒]|_{1,20}\s?x\s?_{1,20}|_{2,40}|\([ x*•●◉☒]{1,3}\)"
SIGN = (
    r"(?<![+\s.])\+(?![\d+])|\(\s?[+-]\s?\)|(?<=[\s:(])\+(?=\s{0,2}(?:[,;:)./|\]\n]|$))"
    r"|-(?=\s{0,2}(?:[,;)./|\]\n]|$))|(?<=[a-z0-9])-(?= )"
)
PART = r"(?<![a-z])(?:part|specimen|teil|parte|sample)\s(?:[a-h]|[1-9])(?![a-z0-9+])"
ISCN = r"nuc\s?ish\s?(?:[^\n\[;]{0,80}\[\d{1,4}(?:/\d{1,4})?\]|\([^()\n]{0,60}\)(?:x\d{1,2})?)"
LOCUS = r"chr(?:omosome)?\s?(?:\d{1,2}|x|y):\s?(?:\d{5,}|\d{1,3}(?:,\d{3}){1,2})(?:\s?-\s?[\d,]{5,})?"
GENE = r"(?<![a-z0-9])[a-z]{2,6}-?\d{1,3}[a-z]{0,2}(?![a-z0-9])"


class Patterns:
    """What is compiled of the words.

    ``item`` finds the next item of a stretch without white space, or its end: what is none is passed over inside of
    the pattern. ``kinds`` gives the kind of item of each of its groups; ``goes_on`` tells what can go on about a name.
    """

    def __init__(self, item: re.Pattern[str], kinds: tuple[str, ...], goes_on: re.Pattern[str]) -> None:
        self.item, self.kinds, self.goes_on = item, kinds, goes_on


def compile_patterns(languages: Languages) -> Patterns:
    """Return the patterns of the items. Their alternatives are grouped by first character, for speed."""
    latin, digits, others = languages.word_patterns
    times = r"(?<!\d)(?<!\d[.,])\d{1,6}+(?:[.,]\d{1,3}+)?+\s?(?=[xf\s-])(?:x(?![a-z0-9])|-?\s?fold|-?\s?fach)"
    decimals = r"(?:[.,](?:\d{1,6}|[ols]{1,2}\d{0,3}(?![a-z0-9])))?"
    number = (
        rf"(?<!\d)(?<!\d[.,])(?:\d+(?:[ol]{{1,2}}(?=[.,]\d))?{decimals}|(?<![a-z.,])[ol][.,]\d{{1,3}}(?!\d))"
        r"(?:\s?(?:-|~)\s?\d{1,6}(?:[.,]\d{1,6})?)?"
    )
    groups = _Groups()
    pct, score, num, sign_ = ("pct", _percents(languages)), ("score", SCORE), ("num", number), ("sign", SIGN)
    letter = "|".join((
        "(?=[aceh])" + groups.add(("anchor", ANCHOR)), "(?=ch)" + groups.add(("locus", LOCUS)),
        "(?=n)" + groups.add(("iscn", ISCN)),
        "(?=[pst])" + groups.add(("part", PART)), groups.add(("word", latin)),
        r"(?=[a-z]{1,6}+-?\d|p\.)" + groups.add(("variant", VARIANT), ("gene", GENE)),
        r"(?=[lioz][\s.,+\d])" + groups.add(pct, score, num),
    ))  # fmt: skip
    digit = "|".join((
        groups.add(pct), r"(?=[0-3][\s\da-z(/~-]{0,8}\+)" + groups.add(score),
        BEGINS_DATE + groups.add(("date", DATE)),
        groups.add(("word", digits), ("times", times), num),
    ))  # fmt: skip
    compared, plus = groups.add(pct), groups.add(score, sign_)
    mark = r"(?:(?=[\[(☐☒_])" + groups.add(("box", BOX)) + "|(?=[+(-])" + groups.add(sign_)
    mark += "|" + groups.add(("word", others)) + ")"
    item = (
        rf"(?:(?<![a-z])(?=[a-z])(?:{letter})|(?=[0-9])(?:{digit})|(?=[<>≤≥~%]){compared}|(?=[+|]){plus}"
        rf"|(?=[^a-z0-9\s.,:]){mark})"
    )
    next_item = rf"(?:[a-z]++[.,:]*+|[^a-z \n])*?(?:{item}|(?=[ \n])|\Z)"
    heads = words_pattern(languages.sections)
    stained = "|".join(map(re.escape, sorted(languages.antibody_columns)))
    start = "|".join((*languages.item_patterns, heads, stained, r"[\d+%<\[☐☒_]"))
    goes_on = rf"{LEAD}+(?:{start})|{LEAD}(?:>|[^\n:.;]{{1,40}}+:)"
    return Patterns(re.compile(next_item), tuple(groups.kinds), re.compile(goes_on))


def _percents(languages: Languages) -> str:
    """Return the pattern of a percentage; before its parts that can be tried in many ways stands what they need."""
    percent, between = languages.alternatives("percent_sign"), languages.alternatives("range")
    sign_first, range_first = f"%{_first_letters(percent)}", rf"\-~{_first_letters(between)}"
    sign = rf"(?=[{sign_first}])(?:%|{percent})"
    amount = r"(?:\d|(?<![a-z])[il](?=[\do]))[\dols]{0,2}(?:[.,]\d{1,3})?"
    amount = rf"(?=[\dil][\dols]{{0,2}}(?:[.,]\d{{1,3}})?\s?[{sign_first}{range_first}]){amount}"
    range_ = rf"(?:\s?{sign})?\s?(?=[{range_first}])(?:-|~|{between})\s?\d{{1,3}}(?:[.,]\d{{1,3}})?"
    compare = r"(?:(?:[<>]=?|[≤≥~])\s?)?"
    ended = rf"(?:[^\S\n]?{sign}|\n{sign}(?![a-z]))"  # a line that begins with 'percentage' is a label
    return rf"{compare}(?<!\d)(?<!\d[.,])(?:{amount}(?:{range_})?{ended}|%\s?{NUMBER}(?:\s?-\s?{NUMBER})?(?!\s?%))"


def _first_letters(alternatives: str) -> str:
    """Return the letters that escaped alternatives begin with, for a set of characters."""
    return "".join(sorted({re.escape(found.removeprefix("\\")[0]) for found in alternatives.split("|")}))


class _Groups:
    """Numbers the groups of a pattern; ``kinds`` gives the kind of item of each, from 1 on."""

    def __init__(self) -> None:
        self.kinds = [""]

    def add(self, *kinds: tuple[str, str]) -> str:
        """Return the alternatives, a group each."""
        self.kinds.extend(kind for kind, _ in kinds)
        return "(?:" + "|".join(f"({pattern})" for _, pattern in kinds) + ")"
