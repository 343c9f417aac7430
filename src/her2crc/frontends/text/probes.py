"""Whose number it is: the probe, HER2 or CEP17, or another number, that the words before and after a number belong to.

The numbers themselves are read by :mod:`her2crc.frontends.text.counts`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from her2crc.frontends.text.context import COMMA, NONE
from her2crc.frontends.text.numbers import OTHER_UNIT, read_numbers

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding

PROBES = frozenset(("anchor", "cep17"))
MEANS = frozenset(("mean", "per_cell", "snr"))
COPIES = frozenset(("copies", "mean", "per_cell", "signals", "snr"))
UNITS_OF_MEAN = frozenset(("copies", "per_cell", "signals", "snr", "ish_hint"))
COUNTED = frozenset(("copies", "per_cell", "signals", "ish_hint", "cells", "mean"))
"""What goes on about a mean that is named after its number."""
OF_PROBE = re.compile(r" (?:[a-z]{3,10} \(|(?:of|de|di|von|du) )?")
"""What may stand between a number and its probe: nothing, 'of', or the colour of its signals ('12 red (HER2)')."""
RATIO_SIGNS = ("/", ":", " / ", " : ", "/ ", ": ", " to ")
FAR = 20
"""Items of a sentence that are looked over before or after a number."""
NEAR = 3
"""Items before a number in which a sum for it can stand: '520/200 signals = 2.6'."""
ADJACENT = 30
"""Characters that may stand between a number and the word that says what it is."""
OF_OTHERS = re.compile(
    r"(?<![a-z0-9/-])(?!(?:her-?2|erbb-?2|c-erbb-?2|neu|her-?2-?neu|gene|signals?|probe|red|green|orange|black|silver|target|mean|average)[/:\s])"
    r"[a-z][a-z0-9]{1,12}(?:\s?/\s?|:)(?!ce[pn]t?|chr|d17|c17|control|reference|centromer)[a-z][a-z0-9]{1,12}\s$"
)
REPEATED = frozenset(("cn", "fold", "ratio", "her2_mean", "cep17_mean"))
TIMES = frozenset(("date", "current", "prior", "site"))
ENDS = re.compile(r"\s{0,2}(?:$|[\n;,.)(])")
"""What follows a number that counts nothing."""
MARKS = re.compile(r"[,;:()=]")


class Probes:
    """Tells whose number it is, with the state of the walk."""

    def __init__(self, walker: Binding) -> None:
        self.walker, self.ctx = walker, walker.ctx

    def is_pair(self, index: int) -> bool:
        """Tell whether the number after a mean is that of the second probe: '(mean 9.6 and 2.0)'."""
        walker, ctx, after = self.walker, self.ctx, index + 1
        if after >= walker.end or ctx.kinds[after] != "num" or len(read_numbers(ctx.text(after))) != 1:
            return False
        words = ctx.gaps[after].replace("/", " ").split()
        probes = [kind for kind in ctx.kinds[max(walker.start, index - FAR) : index] if kind in PROBES]
        in_order = [*pairwise(probes)][-1:] == [("anchor", "cep17")]
        return in_order and set(words) <= walker.languages.separators

    def probe_after(self, index: int) -> str:
        """Return the mean of the probe named right after a number ('5.2 HER2 and 4.0 CEP17 signals per cell')."""
        walker, ctx = self.walker, self.ctx
        if walker.next_kind(index) == "mean":
            return self.mean_after(index)
        following, before = walker.next_kind(index), ctx.kinds[index - 1] if index > walker.start else ""
        before = "" if index - 1 <= walker.passed else before
        if following not in ("anchor", "cep17") or before in ("anchor", "cep17", "ratio"):
            return ""
        if OF_PROBE.fullmatch(ctx.gaps[index + 1]) is None:
            return ""
        if not MEANS & walker.kinds:
            return ""
        walker.passed = index + 1
        return "cep17_mean" if following == "cep17" else "her2_mean"

    def mean_after(self, index: int) -> str:
        """Return the mean that is named after its number: '6.8 mean HER2 signals/cell'."""
        walker, ctx, at = self.walker, self.ctx, index + 2
        if ctx.levels[index + 1] > NONE or len(ctx.gaps[index + 1]) > 1:
            return ""
        probe = ctx.kinds[at] if at < walker.end and ctx.kinds[at] in PROBES and ctx.levels[at] == NONE else ""
        at += bool(probe)
        if (
            at >= walker.end
            or ctx.levels[at] > NONE
            or ctx.kinds[at] not in UNITS_OF_MEAN
            or len(ctx.gaps[at]) > ADJACENT
        ):
            return ""
        while at < walker.end and ctx.kinds[at] in COUNTED and ctx.levels[at] == NONE:
            at += 1
        if at < walker.end and ctx.kinds[at] == "num" and ctx.levels[at] == NONE:
            return ""  # the words belong to the next number
        if not probe and walker.topic != "her2":
            return ""
        walker.passed = at - 1
        return "cep17_mean" if probe == "cep17" else "her2_mean"

    def probe_of_unit(self, index: int, after: str) -> str:
        """Return the mean of the probe named after a unit ('1.9 copies of CEN17')."""
        at, ctx = index + 1, self.ctx
        if after not in ("copies", "signals"):
            return ""
        while at < self.walker.end and ctx.starts[at] == ctx.starts[index + 1]:
            at += 1
        if at >= self.walker.end or ctx.levels[at] > NONE or ctx.kinds[at] not in ("anchor", "cep17"):
            return ""
        if (
            len(ctx.gaps[at]) > len(" of the ")
            or self.walker.method in ("tissue", "plasma")
            or not MEANS & self.walker.kinds
        ):
            return ""
        self.walker.passed = at
        return "cep17_mean" if ctx.kinds[at] == "cep17" else "her2_mean"

    def is_mean(self, kinds: set[str], index: int) -> bool:
        """Tell whether a number of signals is a mean per cell, not a total."""
        written = self.ctx.text(index).replace(",", ".")
        return bool(kinds & (MEANS | {"copies"})) or "." in written

    def last_is(self, recent: list[str], kind: str) -> bool:
        """Tell whether of the two probes this one was named last, and not in one breath with the other."""
        last = max(at for at, name in enumerate(recent) if name == kind)
        return "anchor" not in recent[last:] and "anchor" not in recent[max(0, last - 1) : last]

    def is_quotient(self, index: int) -> bool:
        """Tell whether HER2 and CEP17 are written as a quotient before a number."""
        ctx = self.ctx
        kinds = ctx.kinds
        for at in range(index - 1, max(index - 6, self.walker.start), -1):
            first = at - 1
            while first > self.walker.start and kinds[first] in COPIES:
                first -= 1
            if kinds[at] == "cep17" and kinds[first] == "anchor":
                return ctx.low[ctx.ends[at - 1] : ctx.starts[at]] in RATIO_SIGNS
        return False

    def is_other_ratio(self, index: int) -> bool:
        """Tell whether a ratio is written as one of two other things: 'CD4/CD8 ratio', 'kappa:lambda ratio'."""
        ctx, at = self.ctx, index - 1
        while at > self.walker.start and ctx.kinds[at] != "ratio":
            at -= 1
        return (
            ctx.kinds[at] == "ratio"
            and OF_OTHERS.search(ctx.low, max(0, ctx.starts[at] - ADJACENT), ctx.starts[at]) is not None
        )

    def is_of_copies(self, index: int) -> bool:
        """Tell whether copies are named for a number in its own part of the sentence, and a ratio only before that."""
        ctx, at = self.ctx, index
        named = False
        while at > self.walker.start and ctx.levels[at] < COMMA:
            at -= 1
            if ctx.kinds[at] in ("ratio", "num"):
                return named and ctx.kinds[at] == "num"
            named = named or ctx.kinds[at] == "copies"
        return named

    def named_again(self, index: int) -> str:
        """Return the field of the number before, where this one is of another time: 'CN 5.9 at baseline, now 2.3'."""
        walker, last = self.walker, self.walker.values.last
        if walker.previous_kind(index) not in TIMES or last is None:
            return ""
        if walker.next_kind(index) not in TIMES and ENDS.match(self.ctx.low, self.ctx.ends[index]) is None:
            return ""
        if OTHER_UNIT.match(self.ctx.low, self.ctx.ends[index]):
            return ""
        dated = self.ctx.kinds[index - 1] == "date"
        if not dated and self.ctx.text(index).isdigit():
            return ""  # an age, a count
        said = "" if dated else self.ctx.gaps[index - 1]
        if not walker.languages.fillers.issuperset(MARKS.sub(" ", said).split()):
            return ""
        words = MARKS.sub(" ", self.ctx.gaps[index]).split()
        if last.sentence != walker.sentence or not walker.languages.separators.issuperset(words):
            return ""
        fields = [name for name in last.values if name in REPEATED]
        if fields and dated and words:
            walker.about.set("date", None, None)
        return fields[-1] if fields else ""

    def is_count(self, index: int) -> bool:
        """Tell whether a number counts the nuclei that are named after it: not the number before, nor the next one."""
        ctx, at = self.ctx, index + 1
        if ctx.levels[index] >= COMMA:
            return True
        while at < self.walker.end and ctx.levels[at] == NONE:
            if ctx.kinds[at] == "num":
                return False
            at += 1
        return ctx.text(index).isdigit() and ":" in ctx.gaps[index] and "counted" in ctx.kinds[index + 1 : at]

    def is_taken(self, index: int) -> bool:
        """Tell whether the words before a number in parentheses are those of another one: '120 CEP17 signals (2.6)'."""
        ctx, at = self.ctx, index - 1
        before = ctx.kinds[max(self.walker.start, index - NEAR) : index]
        if "=" in ctx.gaps[index] and "num" in before:
            return ctx.kinds[index - 1] in ("signals", "ish_hint")
        if not ctx.gaps[index].endswith("(") or not ctx.low.startswith(")", ctx.ends[index]):
            return False
        while at > self.walker.start and ctx.kinds[at] not in ("anchor", "cep17", "ratio"):
            at -= 1
        return (
            ctx.kinds[at] != "ratio" and at > self.walker.start and ctx.kinds[at - 1] == "num" and ctx.gaps[at] == " "
        )
