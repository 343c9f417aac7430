"""Legends in brackets, left out of the text: 'HER2 [0, 1+ negative; 2+ equivocal; 3+ positive]: 1+' reads 'HER2: 1+'.

A bracket that gives several statuses their scores or bounds explains a scale, whatever it hangs on. Names of files and
addresses are left out, too: 'her2_3plus_control.tif' states nothing. Each character of the rest keeps its place; a text
without any of them costs one search.
"""

from __future__ import annotations

import re

from her2crc.frontends.text.fold import Folded, Piece, replaced
from her2crc.frontends.text.languages import Languages

BRACKET = re.compile(r"[\[({【](?P<inside>(?:[^\[\](){}【】\n]|\n(?!\n)|\([^()\n]{0,40}\)){8,260})[\])}】]")
ENDING = r"\.(?:tiff?|png|jpe?g|svs|ndpi|pdf|html?|docx?|xlsx?|csv|json)(?!\w)"
ADDRESS = re.compile(rf"(?:https?://|www\.)[^\s)\]}}>,;\"']+|(?<![\w.-])[\w-]{{1,80}}+{ENDING}")
PATH, NAME_SIGN = "//", "_"
"""What a text with files or addresses holds: the cheap test."""
SITES, FILE = ("://", "www."), re.compile(ENDING)
"""What an address, and the name of a file, has."""
SHORTEST, LONGEST_PLAIN = 8, 260
"""Characters in a bracket without another one in it."""
CLOSED_BY = {"(": ")", "[": "]", "{": "}", "【": "】"}
SCORE = re.compile(r"(?<![\d.%])(?<!\d\d,)[0-3](?: ?\+)?(?![\d%]|\.\d|,\d(?! ?\+)| ?%)")
BOUND = re.compile(r"[<>≤≥]=? ?\d")
MEASURED = re.compile(r"(?<![<>≤≥=\d.,-])(?<![<>≤≥=-] )\d+[.,]\d(?! ?\+)")
"""A plain number with decimals: a measured value."""
BREAK = re.compile(r"[;,、/|:=()\d+<>≤≥\n]+| - |->")
SHARE = re.compile(r"(?<![<>≤≥\d])(?<![<>≤≥] )\d{1,3} ?%")
"""A plain percentage: how many cells were seen, not how many are asked for."""
CALLS = {
    "positive": "positive", "amplified": "positive", "overexpressed": "positive", "negative": "negative",
    "not_amplified": "negative", "not_overexpressed": "negative", "equivocal": "equivocal",
}  # fmt: skip
OF_RESULT = frozenset(("site", "specimen", "part", "prior", "current", "date", "marker", "patient", "family"))
"""What only results speak of: places, times, other markers."""
NAME = re.compile(r"(?<![a-z\d])(?!her2|her-2|erbb|ihc|asco)[a-z]{1,6}-?\d{1,3}(?![\d+a-z])")
VERBS = "为是は"
PAIR, SCALE = 2, 3
"""Scores or statuses that make a list of meanings: two where nothing else is said, three in any words."""


def read_legends(folded: Folded, languages: Languages) -> Folded:
    """Return the text without the legends in its brackets."""
    pieces = [Piece(*found.span(), " ") for found in _brackets(folded.low) if is_legend(found["inside"], languages)]
    folded = replaced(folded, pieces)
    if _may_name_files(folded.low):
        folded = replaced(folded, [Piece(*found.span(), " ") for found in ADDRESS.finditer(folded.low)])
    return folded


def _may_name_files(low: str) -> bool:
    """Tell whether a text can hold names of files or addresses to leave out."""
    if NAME_SIGN not in low and ("/" not in low or PATH not in low):
        return False
    return SITES[0] in low or SITES[1] in low or FILE.search(low) is not None


def _brackets(low: str) -> list[re.Match[str]]:
    """Return the brackets that can hold a legend; most are seen to be none by their length or their few digits."""
    places = []
    for opening, closing in CLOSED_BY.items():
        at = low.find(opening)
        while at >= 0:
            if _may_explain(low, at, low.find(closing, at, at + LONGEST_PLAIN + len("()"))):
                places.append(at)
            at = low.find(opening, at + 1)
    brackets: list[re.Match[str]] = []
    for at in sorted(places):
        found = BRACKET.match(low, at) if not brackets or at >= brackets[-1].end() else None
        if found is not None:
            brackets.append(found)
    return brackets


def _may_explain(low: str, at: int, end: int) -> bool:
    """Tell whether what stands between two places can hold several scores or bounds, or another bracket."""
    if end < 0 or low.find("(", at + 1, end) >= 0:
        return True
    if end - at <= SHORTEST:
        return False
    inside = low[at:end]
    scores = ("0" in inside) + ("1" in inside) + ("2" in inside) + ("3" in inside)
    return scores >= PAIR or inside.count("<") + inside.count(">") + inside.count("≤") + inside.count("≥") >= PAIR


def is_legend(inside: str, languages: Languages) -> bool:
    """Tell whether what stands in a bracket says which scores, or which bounds, mean which status."""
    scores = {found[:1] for found in SCORE.findall(inside)}
    bounds = len(BOUND.findall(inside))
    if len(scores) < PAIR and bounds < PAIR:
        return False
    calls, others = _meanings(inside, languages)
    if len(calls) < PAIR or MEASURED.search(inside) or SHARE.search(inside) or NAME.search(inside):
        return False
    return len(scores) >= SCALE or bounds >= PAIR or not others


def _meanings(inside: str, languages: Languages) -> tuple[set[str], int]:
    """Return the calls that are named, and how many parts say something else."""
    calls: set[str] = set()
    others = 0
    for part in BREAK.split(inside):
        words = part.strip(VERBS + " ").split()
        if not words:
            continue
        if not OF_RESULT.isdisjoint([kind for word in words for kind, _ in languages.meaning(word)]):
            return set(), 0
        found = _call(" ".join(words), languages) or next(filter(None, (_call(word, languages) for word in words)), "")
        if found:
            calls.add(found)
        elif not languages.passable.issuperset(words):
            others += 1
    return calls, others


def _call(phrase: str, languages: Languages) -> str:
    """Return the call that a phrase names."""
    return next((CALLS.get(value, "") for kind, value in languages.meaning(phrase) if kind == "status"), "")
