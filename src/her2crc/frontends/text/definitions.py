"""Definitions in the items of a window: bounds that say what a status means, not what was found, are made void.

'HER2 3+ in >= 50 %: positive; 2+ in >= 50 %: equivocal' pairs statuses with bounds, again and again; 'HER2 negative:
ratio below 1.8, or 4 copies or less' gives a status several. What was measured beside them stays.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from her2crc.frontends.text.breaks import CLAUSE, COMMA, NONE, SENTENCE

if TYPE_CHECKING:
    from her2crc.frontends.text.context import Context
    from her2crc.frontends.text.languages import Languages

CALLS = {
    "positive": "positive", "amplified": "positive", "overexpressed": "positive", "negative": "negative",
    "not_amplified": "negative", "not_overexpressed": "negative", "equivocal": "equivocal",
}  # fmt: skip
NUMBERS = frozenset(("num", "pct"))
OF_RESULT = frozenset(("site", "part", "prior", "current", "date", "specimen", "family", "contrast", "iscn", "times"))
"""What only a result speaks of."""
SIGNS = frozenset("<>≤≥")
PLURAL = frozenset(("are", "sind", "sont", "son", "sono"))
"""What is said of several scores."""
SEVERAL = 2
SHARES = frozenset(("10", "50"))
"""Percentages of cells that scores ask for."""
FAR = 30
"""Characters after the last item that still say what it is considered."""


class Unit:
    """A clause: its items, the calls that it names, how many bounds of each kind, and whether it states a value."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.calls: set[str] = set()
        self.percents = self.numbers = 0
        self.bounds: list[int] = []
        self.is_stated = False


def void_definitions(ctx: Context, languages: Languages) -> None:
    """Make the definitions of a window void."""
    if "score" in ctx.held:
        if ctx.kinds.count("score") >= SEVERAL:
            _void_alternatives(ctx, languages)
        _void_meanings(ctx, languages)
        _void_classes(ctx)
    if "status" not in ctx.held or not _has_bounds(ctx):
        return
    run: list[Unit] = []
    last = 0
    while last < len(ctx.levels):
        first = last
        last = _clause_end(ctx, first)
        if not run and "status" not in ctx.kinds[first:last]:
            continue
        unit = _unit(ctx, first, last, languages.thresholds)
        if unit.bounds and unit.calls and not unit.is_stated:
            run.append(unit)
        elif run and (unit.bounds or unit.is_stated or not _lists_scores(ctx, unit)):
            _void_run(ctx, run, languages)
            run = []
    if run:
        _void_run(ctx, run, languages)


def _void_alternatives(ctx: Context, languages: Languages) -> None:
    """Void clauses that leave open which of two scores there is: 'positive: IHC 3+, or IHC 2+ with amplification'."""
    before = -1
    for index, kind in enumerate(ctx.kinds):
        if kind in ("site", "specimen", "part") or ctx.levels[index] >= SENTENCE:
            before = -1
        if kind != "score":
            continue
        if languages.alternative.search(ctx.text(index)) and "ish" in ctx.kinds[index + 1 : index + SEVERAL]:
            _void_around(ctx, index, index)
        if before >= 0 and ctx.text(before) != ctx.text(index):
            joined = [at for at in range(before + 1, index + 1) if languages.alternative.search(ctx.gaps[at])]
            if joined:
                _void_around(ctx, before, index)
        before = index


def _void_classes(ctx: Context) -> None:
    """Void what scores of a kind are said to be: '0 and 1+ are negative'."""
    for at, kind in enumerate(ctx.kinds[:-1]):
        if kind != "score" or ctx.kinds[at + 1] != "status" or PLURAL.isdisjoint(ctx.gaps[at + 1].split()[:1]):
            continue
        if at and ctx.kinds[at - 1] in ("score", "num") and ctx.levels[at] == NONE and ctx.text(at - 1) != ctx.text(at):
            ctx.void[at - 1] = ctx.void[at] = ctx.void[at + 1] = True


def _void_meanings(ctx: Context, languages: Languages) -> None:
    """Void what several scores are said to mean: '3+ is positive, 2+ reflexes to FISH'."""
    opening = [
        at for at, kind in enumerate(ctx.kinds)
        if kind == "score" and (at == 0 or ctx.levels[at] >= COMMA) and ctx.low.startswith(" ", ctx.ends[at])
    ]  # fmt: skip
    for at, other in pairwise(opening):
        status = at + 1
        words = ctx.gaps[status].split()
        if ctx.kinds[status] != "status" or not words or words[0] not in languages.beings:
            continue  # what one score is
        if ctx.text(at) != ctx.text(other) and max(ctx.levels[at + 1 : other + 1]) < SENTENCE:
            _void_around(ctx, at, other)


def _void_around(ctx: Context, first: int, last: int) -> None:
    """Void the clause of some items and the rest of its sentence, or the parenthesis that they are in."""
    depth = min(ctx.depths[first : last + 1])
    while first > 0 and ctx.levels[first] < CLAUSE and ctx.depths[first - 1] >= depth:
        first -= 1
    while last < len(ctx.kinds) and (ctx.levels[last] < SENTENCE or last == first) and ctx.depths[last] >= depth:
        ctx.void[last] = True
        last += 1
    while first > 0 and _is_label(ctx, first) and ctx.levels[first] == SENTENCE:
        start = _sentence_before(ctx, first)
        if not _is_label(ctx, start):
            break
        first = start
    while last < len(ctx.kinds) and ctx.levels[last] == SENTENCE and _is_label(ctx, first) and _is_label(ctx, last):
        last = ctx.sentences[last][0]
    for index in range(first, last):
        ctx.void[index] = True


def _is_label(ctx: Context, index: int) -> bool:
    """Tell whether a status and a colon begin a sentence: what follows says when it is given."""
    return index in ctx.sentences and ctx.kinds[index] == "status" and ctx.low.startswith(":", ctx.ends[index])


def _sentence_before(ctx: Context, index: int) -> int:
    """Return where the sentence begins that ends before an item."""
    return max(start for start in ctx.sentences if start < index)


def _has_bounds(ctx: Context) -> bool:
    """Tell whether anything in a window can be a bound: the cheap test."""
    if "comparator" in ctx.held:
        return True
    first, last = max(0, ctx.starts[0] - len("< ")), ctx.ends[-1]
    for sign in SIGNS:
        if ctx.low.find(sign, first, last) >= 0:
            return True
    if "ratio" in ctx.held:
        for index, kind in enumerate(ctx.kinds):
            if kind == "num" and "-" in ctx.text(index):
                return True
    return False


def _clause_end(ctx: Context, first: int) -> int:
    """Return where the clause ends that begins with an item."""
    last = first + 1
    while last < len(ctx.levels) and ctx.levels[last] < CLAUSE:
        last += 1
    return last


def _unit(ctx: Context, first: int, last: int, thresholds: frozenset[str]) -> Unit:
    unit = Unit(first, last)
    for index in range(first, last):
        kind = ctx.kinds[index]
        if kind == "status" and ctx.values[index] in CALLS:
            unit.calls.add(CALLS[ctx.values[index]])
        elif kind in OF_RESULT:
            unit.is_stated = True
        elif kind in NUMBERS and (index == first or ctx.starts[index - 1] < ctx.starts[index]):
            if not _is_bound(ctx, index, thresholds):
                unit.is_stated = unit.is_stated or ctx.text(index) not in ("0", "1", "2", "3")
            elif kind == "pct":
                unit.percents += 1
                unit.bounds.append(index)
            else:
                unit.numbers += 1
                unit.bounds.append(index)
    return unit


def _is_bound(ctx: Context, index: int, thresholds: frozenset[str]) -> bool:
    """Tell whether a number is only said to be reached or not, or is a range from one threshold to the next."""
    kinds, levels = ctx.kinds, ctx.levels
    if ctx.low[ctx.starts[index]] in SIGNS or ctx.gaps[index].rstrip(" =")[-1:] in SIGNS:
        return True
    if index and kinds[index - 1] == "comparator" and ctx.values[index - 1] != "~" and levels[index] < COMMA:
        return True
    if index + 1 < len(kinds) and kinds[index + 1] == "comparator" and len(ctx.gaps[index + 1]) <= 1:
        return ctx.values[index + 1] != "~"
    low, _, high = ctx.text(index).replace(",", ".").replace("~", "-").partition("-")
    return bool(high) and low.strip() in thresholds and high.strip() in thresholds


def _lists_scores(ctx: Context, unit: Unit) -> bool:
    """Tell whether a clause between definitions gives a status its scores, or nothing of its own."""
    kinds = ctx.kinds[unit.first : unit.last]
    return bool(unit.calls) or "anchor" not in kinds


def _void_run(ctx: Context, run: list[Unit], languages: Languages) -> None:
    """Void clauses that define: several with different calls, or one that gives a status several bounds."""
    calls = {call for unit in run for call in unit.calls}
    alike = max(sum(unit.percents for unit in run), sum(unit.numbers for unit in run)) >= SEVERAL
    defined = alike and (len(calls) >= SEVERAL or _defines(ctx, run[0]))
    if not defined and not any(_considers(ctx, unit, languages) for unit in run):
        return
    first, last = run[0].first, run[-1].last
    while last < len(ctx.kinds) and ctx.levels[last] < SENTENCE:
        last += 1
    for index in range(first, last):
        ctx.void[index] = True


def _defines(ctx: Context, unit: Unit) -> bool:
    """Tell whether a clause is a status, a colon, and bounds: or the bounds first."""
    status = next((at for at in range(unit.first, unit.last) if ctx.kinds[at] == "status"), -1)
    if status < 0:
        return False
    after = ctx.low[ctx.ends[status] : ctx.ends[status] + 3].strip()[:1]
    before = ctx.gaps[status].rstrip()[-1:]
    return after in (":", "=") if status < unit.bounds[0] else before in (":", "=")


def _considers(ctx: Context, unit: Unit, languages: Languages) -> bool:
    """Tell whether a clause says from which threshold on something is considered what: no value is a threshold."""
    scores = {ctx.text(at) for at in range(unit.first, unit.last) if ctx.kinds[at] == "score"}
    bound = ctx.text(unit.bounds[0]).replace(",", ".").rstrip(" %")
    if bound not in languages.thresholds | SHARES and len(scores) < SEVERAL:
        return False
    if any(_is_called(ctx, at, languages) for at in unit.bounds):
        return True
    first = ctx.ends[unit.first - 1] if unit.first else 0
    return languages.considers.search(ctx.low, first, ctx.ends[unit.last - 1] + FAR) is not None


def _is_called(ctx: Context, index: int, languages: Languages) -> bool:
    """Tell whether a bound is the subject of a status: '2.0 or above is amplified', '4 or fewer: negative'."""
    status = index + 2
    if status >= len(ctx.kinds) or ctx.kinds[index + 1] != "comparator" or ctx.kinds[status] != "status":
        return False
    said = ctx.low[ctx.ends[index + 1] : ctx.ends[status]].lstrip()
    return said[:1] in (":", "=") or said.split()[0].rstrip(",") in languages.beings
