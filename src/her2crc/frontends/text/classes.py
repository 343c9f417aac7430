"""What tumours or patients of one kind are called: 'HER2-low (IHC 1+) tumours', 'tumeurs HER2 positives (IHC 3+)'.

It names a class and is no result of this patient. Used by :mod:`her2crc.frontends.text.context`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.frontends.text.breaks import NONE

if TYPE_CHECKING:
    from her2crc.frontends.text.context import Context

OF_ONE = frozenset(("date", "prior", "current", "patient"))
"""What is said of one patient, not of a class of them."""
DISEASE = frozenset(("disease", "erkrankung", "maladie", "enfermedad", "malattia", "hastalik"))
"""Classes that one patient has, too: 'she has HER2-positive (IHC 3+) disease'."""
CALLED = frozenset(("status", "noun", "absent", "present", "sign", "score"))


def void_brackets(ctx: Context, index: int, start: int) -> int:
    """Void the parenthesis just before a class, and the status before that; return from where on to look further."""
    at = index
    while at > start + 1 and ctx.depths[at - 1] > ctx.depths[index]:
        at -= 1
    is_next = "(" in ctx.gaps[at] and len(ctx.gaps[index]) <= len(") ")
    if at == index or not is_next or ctx.kinds[at - 1] != "status":
        return index
    if OF_ONE.isdisjoint(ctx.kinds[start:index]) and ctx.text(index) not in DISEASE:
        _mark(ctx, at - 1, index)
    return at - 1


def void_called(ctx: Context, index: int, start: int, end: int) -> None:
    """Void what a class is called right after it: the status, and the parenthesis after that."""
    first = last = index + 1
    if first == end or ctx.kinds[first] != "anchor" or len(ctx.gaps[first]) > 1 or ctx.text(index) in DISEASE:
        return
    while last < end and (last == first or ctx.levels[last] == NONE or ctx.depths[last] > ctx.depths[index]):
        last += 1
    if OF_ONE.isdisjoint(ctx.kinds[start:first]):
        _mark(ctx, first, last)


def _mark(ctx: Context, start: int, end: int) -> None:
    for at in range(start, end):
        ctx.void[at] = ctx.void[at] or ctx.kinds[at] in CALLED
