"""Boxes to tick: what stands at an empty one is no result.

Between :mod:`her2crc.frontends.text.breaks` and :mod:`her2crc.frontends.text.context`, which asks for it.
"""

from __future__ import annotations

from bisect import bisect

from her2crc.frontends.text.breaks import CLAUSE, Breaks
from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.scan import Items

TICKS = frozenset("x☒*•●◉")
BOXED = frozenset(("score", "status", "num"))
NAMES_VALUE = frozenset(("anchor", "ratio", "mean", "copies", "cells", "counted", "signals"))
FAR = 20
"""Items back from a value that may name it."""


class Boxes(Breaks):
    """The items of one window; ``void`` says of each whether it states nothing."""

    def __init__(self, folded: Folded, items: Items, joining: frozenset[str]) -> None:
        super().__init__(folded, items, joining)
        self.void = [False] * len(self.kinds)

    def void_unchecked(self, start: int, end: int) -> None:
        """Void what stands at an empty box; the box stands before its value, or after it."""
        values = [at for at in range(start, end) if self.kinds[at] in BOXED]
        boxes = [at for at in range(start, end) if self.kinds[at] == "box"]
        after = bool(values) and values[0] < boxes[0] and values[-1] < boxes[-1]
        answered = any(map(self.is_checked, boxes))
        for value in values:
            at = bisect(boxes, value) - (0 if after else 1)
            empty = 0 <= at < len(boxes) and not self.is_checked(boxes[at])
            if empty and not (answered and self._is_named_since(boxes[at], value)):
                self.void[value] = True

    def _is_named_since(self, box: int, value: int) -> bool:
        """Tell whether another value is named after that of a box: '( ) indeterminate   HER2/CEP17 ratio = 1.21'."""
        first = next((at for at in range(box + 1, value) if self.kinds[at] in BOXED), value)
        named = next((at for at in range(max(first, value - FAR), value) if self.kinds[at] in NAMES_VALUE), value)
        return named < value and ("  " in self.gaps[named] or self.levels[named] >= CLAUSE)

    def is_checked(self, index: int) -> bool:
        """Tell whether a box is ticked."""
        return not TICKS.isdisjoint(self.text(index))
