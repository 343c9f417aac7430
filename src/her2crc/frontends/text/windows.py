"""Where a text can say something of HER2 or of the patient's other markers: windows around their names."""

from __future__ import annotations

import re

from her2crc.frontends.text.fold import Folded

BEFORE = 240
"""Characters before a name that are looked at: the units of text before its own."""
UNITS_BEFORE, UNITS_AFTER = 3, 16
"""Lines or sentences before a name, and at most after it, that can belong to it."""
SHORT = 500
"""Characters of a text that is looked at as a whole."""
AHEAD = 400
"""Characters of a paragraph that are looked over for what was seen, after the sentence that names HER2."""
REST = 200
"""Characters of the rest of a paragraph that is read in any case."""
MARKS = ("\n", ". ", "。")
"""What ends a line or sentence."""
LONGEST_UNIT, LONGEST_WINDOW = 1_500, 50_000
"""Characters of a sentence, and of a window: bounds for text without an end."""
HER2 = re.compile(r"er(?:[\s_-]{0,3}(?:2(?!\d)|ii(?![a-z])|z(?=[\s/]{1,2}[nifsl1]))|b[\s-]?b[\s-]?2|cept)")
"""The part that all names of HER2 share; it begins with letters, so that searching is fast."""
STATED = re.compile(r"[0-3] ?\+|\d ?%")
"""What a sentence about a stain holds."""
ISCN = re.compile("nuc ish")
KIT_OR_GENE = re.compile("p(?:ath ?vysion|ik3ca)")
GENES = re.compile("ra(?:s(?:(?<=[kn ]ras)|(?<=[kn]-ras))|f(?<=braf))")
MARKERS = re.compile("m(?:mr|s[is]|icrosat|ikrosat)"), re.compile("微[卫衛]星")
"""Other names that can state something of the patient: tests of HER2, and the markers that rules ask for. What begins
with the same letters is looked for at once.
"""


def names_any(low: str) -> bool:
    """Tell whether a text names anything of interest."""
    if HER2.search(low) is not None or GENES.search(low) is not None:
        return True
    return any(pattern.search(low) is not None for pattern in (*MARKERS, KIT_OR_GENE, ISCN))


def _names(low: str) -> list[tuple[int, bool]]:
    """Return where names begin, in order, and whether each is one of HER2."""
    places = [(match.start(), True) for match in HER2.finditer(low)]
    places += [(match.start(), True) for match in ISCN.finditer(low)]
    places += [(match.start(), match[0] != "pik3ca") for match in KIT_OR_GENE.finditer(low)]
    for pattern in MARKERS:
        places += [(match.start(), False) for match in pattern.finditer(low)]
    for match in GENES.finditer(low):
        at = match.start() - 1
        places.append((at - 1 if low[at] == "-" else at, False))
    return sorted(places)


def windows(folded: Folded, goes_on: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return the stretches that can hold a statement of a name, merged and in order.

    ``goes_on`` matches the beginning of a line or sentence that can go on about a name.
    """
    low = folded.low
    if len(low) <= SHORT:
        return [(0, len(low))]
    found: list[tuple[int, int]] = []
    last, is_closed = 0, True
    for at, is_her2 in _names(low):
        if at < last and (is_closed or not is_her2):
            continue
        if is_her2:
            first = max(last, _first(low, at, last))
            end, is_closed = _last(folded, max(at, last), goes_on)
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
    start = max(0, at - BEFORE)
    for mark in MARKS:
        start = max(start, low.rfind(mark, start, at) + 1)
    return start


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


def _last(folded: Folded, at: int, goes_on: re.Pattern[str]) -> tuple[int, bool]:
    """Return where a window ends, after the name's own sentence and what goes on about it; and whether nothing does."""
    low = folded.low
    end = _unit_end(low, at)
    for _ in range(UNITS_AFTER):
        if end >= len(low):
            break
        if not (_is_wrapped(folded, end) or _states(low, end) or goes_on.match(low, end) is not None):
            return end, True
        end = _unit_end(low, end)
    return end, False


def _is_wrapped(folded: Folded, at: int) -> bool:
    """Tell whether the line before a place goes on there: one with words that does not begin something new."""
    low = folded.low
    if low[at - 1] != "\n" or low[at] == "\n":
        return False
    letter = folded.original(at, at + 1)
    return letter.isalnum() and not letter.isupper()


def _states(low: str, at: int) -> bool:
    """Tell whether the line of a name goes on with a little, or leads to a sentence with a score or a percentage."""
    if low[at - 1] == "\n":
        return False
    line = low.find("\n", at, at + AHEAD)
    end = line if line >= 0 else at + AHEAD
    return 0 < line <= at + REST or STATED.search(low, at, end) is not None
