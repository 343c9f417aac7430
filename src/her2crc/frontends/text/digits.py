"""Which digits are one number: those that belong to a name are none, what a space parts is joined or not read.

Between :mod:`her2crc.frontends.text.probes` and :mod:`her2crc.frontends.text.counts`, which says what a number is.
"""

from __future__ import annotations

import re

from her2crc.frontends.text.context import NONE
from her2crc.frontends.text.probes import Probes

BAND = re.compile(r"\d{1,2}[pq](?:\d|ter|cen)")
"""A band of a chromosome."""
PARTED = re.compile(r"\s[.,]\d{1,2}(?!\d|[.,]\d)")
BROKEN = re.compile(r"\.\s\d{1,2}(?!\d|[.,]\d|\s?[a-z%+/])")


class Digits(Probes):
    """Sees how a number is written, with the state of the walk."""

    def is_broken(self, index: int) -> bool:
        """Tell whether a space follows the decimal point of a number."""
        low, end = self.ctx.low, self.ctx.ends[index]
        return low[end : end + 1] == "." and BROKEN.match(low, end) is not None

    def begins_range(self, index: int) -> bool:
        """Tell whether a number begins a range in words ('2.2 to 2.4'), whose end is no value either."""
        ctx, at = self.ctx, index + 1
        if at >= self.walker.end or ctx.kinds[at] != "num" or ctx.levels[at] > NONE:
            return False
        if not self.goes_to(index):
            return False
        ctx.void[at] = True
        return ctx.text(at) != "1"  # '5.4 to 1' is a ratio

    def is_in_name(self, index: int) -> bool:
        """Tell whether digits belong to a name: 'her2Cep17Ratio', 'GRCh37', '17q12', 'S26-118'."""
        start, end, low = self.ctx.starts[index], self.ctx.ends[index], self.ctx.low
        if low[end : end + 1] in ("p", "q") and BAND.match(low, start):
            return True
        named = low[start - 1 : start] if start else ""
        if named == "_":  # 'NM_004448.4'
            return True
        return "a" <= named <= "z" and (index == 0 or self.ctx.ends[index - 1] != start)

    def mend(self, index: int) -> None:
        """Join a number that a space parts before its decimal point ('7 .4', as OCR writes it)."""
        ctx, after = self.ctx, self.ctx.ends[index] + 1
        if ctx.low[after : after + 1] not in (".", ","):
            return
        found = PARTED.match(ctx.low, after - 1)
        if found is None or not ctx.text(index).isdigit():
            return
        ctx.lengthen(index, found.end())
        if index + 1 < len(ctx.kinds) and ctx.starts[index + 1] < found.end():
            ctx.void[index + 1] = True
