"""Ways of saying a value, rewritten as the plain one: dictated words and numbers, ranges, scales.

'three plus' of 'her two' becomes 3+ of her2, 'between 30 and 40 percent' 30-40 percent. Each character keeps its place;
a text without these words costs a few searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from her2crc.frontends.text.fold import Folded, Piece, replaced

SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
VALUE = {word: number for number, word in enumerate(SMALL)} | {
    word: 10 * number for number, word in enumerate(TENS, 2)
}  # fmt: skip
UNITS = "|".join(SMALL[1:10])
WORDS = rf"(?:one hundred|(?:{'|'.join(TENS)})(?:[ -](?:{UNITS}))?|{'|'.join(reversed(SMALL))})"
SPOKEN = rf"(?<![a-z])(?P<whole>{WORDS})(?P<point> point(?: (?:{'|'.join(SMALL[:10])}))+)?"
PERCENT_WORDS = re.compile(rf"{SPOKEN} ?$")
LOWER_WORDS = re.compile(rf"{SPOKEN}(?= (?:to|through|or) $)")
PERCENT = re.compile("per ?cent")
SPELT = re.compile("p(?:er ?cent|rozent|(?<= p)oint )")
"""What a text with dictated decimals or percentages in words holds: the cheap test, one for all."""
WRITTEN = re.compile(r" ?\(\d")
"""The same in digits."""
COUNTED_WORDS = re.compile(
    rf"{SPOKEN}(?= (?:%|percent|per cent|plus|copies|copy|signals|nuclei|cells|tumou?r (?:cells|nuclei)|her|cep|cen))"
)
LABELLED_WORDS = re.compile(
    rf"(?:ratio|number|score|average|mean|stain|immunostain)(?: of| is| was| equals)? {SPOKEN}(?![a-z])"
)
NAME = re.compile(
    r"her[ -]two(?=[ /-]+(?:neu|immuno|stain|ihc|fish|ish|dish|gene|protein|receptor|status|score|signal|test"
    r"|negative|positive|equivocal|non|not|ampl|over|expression|copy|copies|mean|ratio|cep|cen|to (?:cep|cen|chromo)"
    r"|by (?:ihc|fish|imm|ish)|low|(?:is|was|shows) (?:neg|pos|equiv|ampl|not|over|non|zero|one|two|three|[0-3])"
    r"|(?:zero|one|two|three) plus|[0-3] ?\+)|[:=])"
)
PROBE = re.compile(r"(?<![a-z])(?P<probe>cep|cen|chromosome|centromere) (?P<number>seventeen)(?![a-z])")
STOP = re.compile(r" (?<!the )(?<!this )(?<!time )(?<! a )(?:period|full stop|end of dictation)(?= (?!of |between )|$)")
BREAK = re.compile(r" (?:new|next) (?:paragraph|line)(?![a-z])")
SCALE = re.compile(
    r"(?<=[0-3+]) ?[,(]? ?(?:on|using) (?:a|the) (?:scoring )?scale (?:of|from|with) 0\+? ?(?:to|-|through) ?3\+?\)?"
)
AND = {
    "between ": "and",
    "zwischen ": "und",
    "entre ": "(?:el )?(?:y|et|e|a)(?: el)?",
    "tra ": "(?:e|ed)(?: il)?",
    "fra ": "(?:e|ed)(?: il)?",
}
JOINED = (" and", " und", " y", " et", " e", " a", " el", " ed", " il")
"""How what stands between the numbers of a range ends."""
UNIT = r"(?= ?(?:%|per ?cent|prozent))"
BETWEEN = tuple(
    (word, re.compile(rf"(?P<lead>{word}(?:il |el |le )?)\d{{1,3}}(?: ?%)?(?P<and> {joined} )\d{{1,3}}{UNIT}"))
    for word, joined in AND.items()
)
"""Ranges with a word before them and one between: the word, which is looked for first, and the range."""
BETWEEN_SCORES = re.compile(r"(?P<lead>between )[0-3]\+(?P<and> and )[0-3]\+")
RANGES = (*BETWEEN, (BETWEEN[0][0], BETWEEN_SCORES))
PAIRS = re.compile(r"\([^()\n]{0,20}(?:score|intensity)[^()\n]{0,20}[,/;&+] ?(?:%|percent)[^()\n]{0,30}\)")
PAIR = re.compile(r"(?<![\d.])[0-3]\+?(?P<gap> ?[,/] ?)\d{1,3}(?= ?(?:[;.)\n]|$))")
LONGEST_NUMBER = 40
"""Characters of a number in words."""
REACH = 10
"""Characters before a sign that hold its number and the word before this."""


def read_wording(folded: Folded) -> Folded:
    """Return the text with these ways of saying values as the plain ones."""
    low = folded.low
    in_words = SPELT.search(low) is not None
    if _says_two(low) and NAME.search(low):
        folded = _counted(_dictated(folded))
        low = folded.low
    elif in_words and " point " in low:
        folded = _counted(folded)
        low = folded.low
    elif in_words and ("percent" in low or "per cent" in low):
        folded = replaced(folded, [*_percents(low)])
        low = folded.low
    if "scale" in low:
        folded = replaced(folded, [Piece(*found.span(), " ") for found in SCALE.finditer(low)])
        low = folded.low
    if in_words or _joins_numbers(low, "%") or _joins_numbers(low, "+"):
        for word, pattern in RANGES:
            if word in low and pattern.search(low) is not None:
                folded = replaced(folded, [piece for found in pattern.finditer(low) for piece in _range(found)])
                low = folded.low
    if "%" in low and "(" in low and (header := PAIRS.search(low)) is not None:
        folded = replaced(folded, [*_paired(low, header.end())])
        low = folded.low
    return folded


def _says_two(low: str) -> bool:
    """Tell whether HER2 is named in words: one search for both ways."""
    at = low.find("two")
    while at >= 0:
        if low[max(0, at - len("her ")) : at] in ("her ", "her-"):
            return True
        at = low.find("two", at + 1)
    return False


def _joins_numbers(low: str, sign: str) -> bool:
    """Tell whether before a sign stands a number after a word that joins two: what every range has."""
    at = low.find(sign)
    while at >= 0:
        if low[max(0, at - REACH) : at].rstrip("0123456789 ").endswith(JOINED):
            return True
        at = low.find(sign, at + 1)
    return False


# ---- dictated words


def _dictated(folded: Folded) -> Folded:
    """Return a dictated text with names and stops as they are written."""
    folded = replaced(folded, [Piece(*found.span(), "her2") for found in NAME.finditer(folded.low)])
    folded = replaced(folded, [Piece(*found.span("number"), "17") for found in PROBE.finditer(folded.low)])
    folded = replaced(folded, [Piece(*found.span(), ".") for found in STOP.finditer(folded.low)])
    return replaced(folded, [Piece(*found.span(), ".\n") for found in BREAK.finditer(folded.low)])


def _counted(folded: Folded) -> Folded:
    """Return a dictated text with numbers as digits where they count or measure something."""
    for pattern in (COUNTED_WORDS, LABELLED_WORDS):
        folded = replaced(folded, [_number(found) for found in pattern.finditer(folded.low)])
    return folded


def _number(found: re.Match[str]) -> Piece:
    """Return a number in words as digits."""
    words = found["whole"].replace("-", " ").split()
    written = "100" if "hundred" in words else str(sum(VALUE[word] for word in words))
    if found["point"]:
        written += "." + "".join(str(VALUE[word]) for word in found["point"].split()[1:])
    return Piece(found.start("whole"), found.end("point") if found["point"] else found.end("whole"), written)


def _percents(low: str) -> Iterator[Piece]:
    """Give the numbers in words that stand before 'percent'."""
    for sign in PERCENT.finditer(low):
        found = PERCENT_WORDS.search(low, max(0, sign.start() - LONGEST_NUMBER), sign.start())
        if found is None or WRITTEN.match(low, sign.end()) is not None:
            continue
        lower = LOWER_WORDS.search(low, max(0, found.start() - LONGEST_NUMBER), found.start())
        yield from (_number(number) for number in (lower, found) if number is not None)


# ---- ranges and pairs


def _range(found: re.Match[str]) -> tuple[Piece, Piece]:
    return Piece(*found.span("lead"), ""), Piece(*found.span("and"), "-")


def _paired(low: str, start: int) -> Iterator[Piece]:
    """Give the percent signs of pairs whose header says what they are: '(score, %): HER2 3+, 90'."""
    end = low.find("\n", start)
    for found in PAIR.finditer(low, start, end if end >= 0 else len(low)):
        yield Piece(*found.span("gap"), " ")
        yield Piece(found.end(), found.end(), "%")
