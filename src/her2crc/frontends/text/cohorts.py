"""Sentences that count cases: how many of a series have a result is no result of the patient.

'In 96 cases HER2 was 3+ in 4 (4.2 %)': a sentence that begins with the number of a group, or that goes on from a
score to how many have it. What is said of this patient in a clause of its own stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.frontends.text.breaks import CLAUSE, NONE
from her2crc.frontends.text.context import IS_OWN
from her2crc.frontends.text.numbers import ALL, read_percent

if TYPE_CHECKING:
    from her2crc.frontends.text.context import Context
    from her2crc.frontends.text.languages import Languages

STATED = frozenset(("score", "status", "noun"))
OF_SPECIMEN = frozenset(("cells", "counted", "specimen", "part", "site", "ish_hint"))
"""What is counted in one patient, too."""
LEAST, MOST = 2, 5
"""Digits of the number of a group."""
LONGEST = 20
"""Characters that the word before it can have."""


def void_cohorts(ctx: Context, languages: Languages) -> None:
    """Make the sentences of a window void that count cases."""
    if "num" not in ctx.kinds or STATED.isdisjoint(ctx.kinds):
        return
    for start, (end, kinds) in ctx.sentences.items():
        if "num" not in kinds or STATED.isdisjoint(kinds):
            continue
        for index in range(start, end):
            if ctx.kinds[index] == "num" and (_is_group(ctx, index, languages) or _is_share(ctx, index, languages)):
                _void_sentence(ctx, start, index, end)
                break


def _void_sentence(ctx: Context, start: int, index: int, end: int) -> None:
    """Void a sentence that counts with an item, but for a later clause that turns to the present tumour."""
    own = index + 1
    while own < end and ctx.kinds[own] not in IS_OWN:
        own += 1
    while index < own < end and ctx.levels[own] < CLAUSE:
        own -= 1
    for at in range(start, own if own > index else end):
        ctx.void[at] = True


def _is_group(ctx: Context, index: int, languages: Languages) -> bool:
    """Tell whether a number is that of a group of cases: '96 cases', 'of 96 examined tumours'."""
    written = ctx.text(index)
    if not written.isdigit() or not LEAST <= len(written) <= MOST:
        return False
    found = languages.counted_cases.match(ctx.low, ctx.ends[index])
    if found is None or not found[1]:
        return found is not None
    start = ctx.starts[index]
    words = ctx.low[max(0, start - LONGEST) : start].split()
    return bool(words) and words[-1] in languages.of_group


def _is_share(ctx: Context, index: int, languages: Languages) -> bool:
    """Tell whether a number says how many have the score before it: '3+ in 4 (4.2%)', '2+ in 12 of 300'."""
    if index == 0 or ctx.kinds[index - 1] != "score" or ctx.levels[index] > NONE or not ctx.text(index).isdigit():
        return False
    linked, after = ctx.gaps[index].strip(), index + 1
    if after == len(ctx.kinds):
        return False
    if ctx.kinds[after] == "num" and ctx.gaps[after].strip() == "/":
        return _is_enclosed_share(ctx, after + 1) and _is_quotient(ctx, index)
    if linked.partition(" ")[0] not in languages.links:
        return False
    if ctx.kinds[after] == "num":
        total, of = ctx.text(after), ctx.gaps[after].split()
        many = total.isdigit() and len(total) > LEAST and bool(of) and of[0] in languages.of_group
        return many and not _counts_own(ctx, after + 1)
    if not _is_enclosed_share(ctx, after):
        return False
    following = ctx.low[ctx.ends[after] + 1 : ctx.ends[after] + LONGEST].split()
    return not following or following[0] not in languages.of_group


def _is_quotient(ctx: Context, index: int) -> bool:
    """Tell whether two numbers are written with their quotient in percent: '4/96 (4.2%)'."""
    share = read_percent(ctx.text(index + 2))
    total = ctx.text(index + 1)
    if share is None or not total.isdigit() or not int(total):
        return False
    return abs(ALL * int(ctx.text(index)) / int(total) - share[0]) < 1


def _is_enclosed_share(ctx: Context, index: int) -> bool:
    """Tell whether an item is a percentage in parentheses of its own."""
    if index == len(ctx.kinds) or ctx.kinds[index] != "pct" or ctx.gaps[index].strip() != "(":
        return False
    return ctx.low.startswith(")", ctx.ends[index]) and not _counts_own(ctx, index + 1)


def _counts_own(ctx: Context, index: int) -> bool:
    """Tell whether what is counted belongs to one patient: cells, cores, lesions of a site."""
    return index < len(ctx.kinds) and ctx.levels[index] == NONE and ctx.kinds[index] in OF_SPECIMEN
