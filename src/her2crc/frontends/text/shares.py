"""Percentages of nuclei: those with amplified HER2, which are no percentages of stained cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.frontends.text.context import NONE
from her2crc.frontends.text.counts import Counts
from her2crc.frontends.text.numbers import is_answer, read_percent

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding


class Shares(Counts):
    """Reads one percentage at a time, with the state of the walk."""

    def __init__(self, walker: Binding) -> None:
        super().__init__(walker)
        self.ahead = False

    def is_share_of_amplified(self, index: int) -> bool:
        """Tell whether a percentage is that of nuclei with amplification, or with a ratio above the cut."""
        walker, ctx = self.walker, self.ctx
        self.ahead = walker.next_kind(index) in ("cells", "counted")
        if walker.topic == "her2" and walker.method == "ish" and self.ahead:
            tests = [kind for kind in ctx.kinds[walker.start : index] if kind in ("ish", "score", "ihc")]
            return tests[-1:] in ([], ["ish"]) and not self.is_of_copies_only(index)
        if walker.next_kind(index) == "cells":
            for at in range(index + 1, min(index + 6, walker.end)):
                if ctx.levels[at] > NONE:
                    return False
                if is_amplified(ctx.kinds[at], ctx.values[at]):
                    return True
            return False
        begin = max(walker.start, index - 7)
        kinds = ctx.kinds[begin:index]
        named = "percent" in kinds or (kinds[:1] == ["cells"] and "ratio" in kinds and is_answer(ctx.gaps[index]))
        if not named or "cells" not in kinds or "score" in kinds or "pct" in kinds:
            return False
        return any(is_amplified(kind, ctx.values[begin + at]) for at, kind in enumerate(kinds))

    def is_of_copies_only(self, index: int) -> bool:
        """Tell whether nuclei are counted that have copies or polysomy, which is no amplification."""
        ctx, at = self.ctx, index + 1
        other = False
        while at < self.walker.end and ctx.levels[at] == NONE:
            if is_amplified(ctx.kinds[at], ctx.values[at]):
                return False
            other = other or ctx.kinds[at] in ("copies", "per_cell") or ctx.values[at] == "gain"
            at += 1
        return other

    def put_share(self, index: int) -> None:
        """Give the percentage of amplified nuclei to the finding, and pass over the words that describe it."""
        walker, ctx = self.walker, self.ctx
        read = read_percent(ctx.text(index))
        for at in range(index + 1, min(index + 6, walker.end) if self.ahead else 0):
            if ctx.levels[at] > NONE:
                break
            if ctx.kinds[at] in ("status", "noun", "ratio", "num"):
                ctx.void[at] = True
        if read is None or walker.target(index, "status") not in ("her2", "hold"):
            return
        if read[1] in ("<", ">", "<=", ">="):
            walker.doubt("bound_only", index, "pct_cells_amplified")
            return
        found = walker.values.draft(walker, "ish", "pct_cells_amplified", read[0])
        found.put("pct_cells_amplified", read[0], ctx.place(index))
        walker.spoke = True


def is_amplified(kind: str, value: str) -> bool:
    """Tell whether an item speaks of amplification."""
    return kind == "ratio" or (kind in ("status", "noun") and value in ("amplified", "amplification"))
