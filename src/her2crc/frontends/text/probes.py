"""Whose number it is: the probe, HER2 or CEP17, or another number, that the words before and after a number belong to.

The numbers themselves are read by :mod:`her2crc.frontends.text.counts`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from her2crc.frontends.text.context import COMMA, NONE
from her2crc.frontends.text.drafts import SEQUENCING
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.numbers import has_unit, read_numbers

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
THEN = re.compile(
    r"(?:[,;]\s?|\s?->\s?)(?:and |und |et |y |e )?(?:then|later|subsequently|dann|danach|spater|puis|ensuite|luego"
    r"|despues|posteriormente|poi|successivamente|sonra|ardindan|随后|之后|其后|その後)[, ]{0,2}"
)
"""What leads to the next number of a series."""
AT_TIME = re.compile(
    r" (?:before|after|at|on|by|pre|post|vor|nach|bei|in|avant|apres|antes|despues|tras|en|prima|dopo|al?|alla)"
    r" ?[a-z\d]"
)
OF_NUCLEI = frozenset(("ish", "ish_hint", "cep17", "per_cell", "mean", "ratio"))
"""What copies counted in nuclei are named beside."""
OF_COPIES = frozenset(("num", "comparator", "per_cell"))
"""What goes on about copies that were named before it: 'HER2 copies 4.6'."""
PLURAL = re.compile(r"(?:gene )?copies|(?:gen)?kopien|kopyasi?")
FROM = frozenset(("from", "von", "de", "da", "desde"))
"""What the first of two numbers in time begins with."""
OF_TOTAL = {"her2_signals": "her2_mean", "cep17_signals": "cep17_mean"}
NOWHERE = (Span(-1, -1),)
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
        following = walker.next_kind(index)
        if following == "mean":
            return self.mean_after(index)
        before = ctx.kinds[index - 1] if index > walker.start else ""
        before = "" if index - 1 <= walker.passed or self.follows_pair(index) else before
        if following not in ("anchor", "cep17"):
            return ""
        if self.is_of_copies_after(index):
            return self.copies_after(index)
        if before in ("anchor", "cep17", "ratio") and not self.is_of_next(index):
            return ""
        if MEANS.isdisjoint(walker.kinds) or OF_PROBE.fullmatch(ctx.gaps[index + 1]) is None:
            return ""
        walker.passed = index + 1
        return "cep17_mean" if following == "cep17" else "her2_mean"

    def is_of_copies_after(self, index: int) -> bool:
        """Tell whether a number counts the copies of what is named right after it: '29 ERBB2 copies'."""
        walker, ctx, unit = self.walker, self.ctx, index + 2
        if unit >= walker.end or ctx.kinds[unit] != "copies" or not PLURAL.fullmatch(ctx.text(unit)):
            return False
        if ctx.gaps[index + 1] != " " or ctx.gaps[unit] not in (" ", "-"):
            return False
        if walker.next_kind(unit) not in OF_COPIES or ctx.levels[unit + 1] > NONE:
            return True
        return not walker.languages.separators.isdisjoint(ctx.gaps[unit + 1].split())

    def copies_after(self, index: int) -> str:
        """Return the mean of the probe after a number, or the copies of the gene where no nuclei are spoken of."""
        walker, is_cep17 = self.walker, self.walker.next_kind(index) == "cep17"
        hybridised = not OF_NUCLEI.isdisjoint(walker.kinds)
        if (hybridised or is_cep17) and not SEQUENCING.isdisjoint(walker.kinds):
            return ""
        walker.passed = index + 2
        return "cep17_mean" if is_cep17 else "her2_mean" if hybridised else "cn"

    def is_of_next(self, index: int) -> bool:
        """Tell whether a number is of the probe after it, the one before being a ratio's: '2.6 to CEP17 with 5.6 HER2
        signals per nucleus'.
        """
        walker, ctx, at, ratio = self.walker, self.ctx, index + 2, index - 2
        if ratio < walker.start or ctx.kinds[ratio] != "num" or ctx.levels[index - 1] > NONE:
            return False
        if at >= walker.end or ctx.kinds[at] not in UNITS_OF_MEAN or not self.ctx.gaps[index].strip().isalpha():
            return False
        while at < walker.end and ctx.kinds[at] in COUNTED and ctx.levels[at] == NONE:
            at += 1
        if at >= walker.end or ctx.kinds[at] != "num" or ctx.levels[at] > NONE:
            return True
        return not walker.languages.separators.isdisjoint(ctx.gaps[at].split())

    def counts_cells(self, recent: list[str]) -> bool:
        """Tell whether words before a number say how many cells were counted, and go on to no mean since."""
        if "counted" not in recent:
            return False
        return "mean" not in recent[len(recent) - recent[::-1].index("counted") :]

    def is_of_row(self, kinds: set[str], index: int, probe: str) -> bool:
        """Tell whether a mean goes on about one probe: 'CEP17 signals, total 118; mean per nucleus 2.36'."""
        said = self.ctx.kinds[max(self.walker.start, index - FAR) : index]
        return "mean" in kinds and "signals" in said and [*PROBES.intersection(said)] == [probe]

    def follows_pair(self, index: int) -> bool:
        """Tell whether the probe before a number was that of the number before: '2.1 of CEP17 and 9.9 of HER2'."""
        walker, ctx = self.walker, self.ctx
        parted = walker.is_listed(index) and ctx.kinds[index - 1] in PROBES and ctx.gaps[index].strip() != ""
        said = ctx.kinds[max(walker.start, index - 2 * NEAR) : index - 1]
        return parted and "num" in said

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

    def mean_of_total(self, index: int) -> str:
        """Return the mean of the signals that were just summed: 'HER2 signals, total 212 (mean 5.3)'."""
        last, ctx, total = self.walker.values.last, self.ctx, index - 2
        if last is None or total < self.walker.start or ctx.kinds[total] != "num":
            return ""
        summed = [name for name in OF_TOTAL if last.spans.get(name, NOWHERE)[0].start == ctx.starts[total]]
        return OF_TOTAL[summed[0]] if summed else ""

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
            or MEANS.isdisjoint(self.walker.kinds)
        ):
            return ""
        self.walker.passed = at
        return "cep17_mean" if ctx.kinds[at] == "cep17" else "her2_mean"

    def is_mean(self, kinds: set[str], index: int) -> bool:
        """Tell whether a number of signals is a mean per cell, not a total."""
        written = self.ctx.text(index)
        return "copies" in kinds or not MEANS.isdisjoint(kinds) or "." in written or "," in written

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
        if ctx.kinds[at] != "ratio":
            return False
        begin, end = max(0, ctx.starts[at] - ADJACENT), ctx.starts[at]
        before = ctx.low[begin:end]
        return ("/" in before or ":" in before) and OF_OTHERS.search(ctx.low, begin, end) is not None

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
        if self.is_next_of_series(index) and last.about.temporality == "prior":
            return self.put_series(index, [name for name in last.values if name in REPEATED])
        if walker.next_kind(index) not in TIMES and ENDS.match(self.ctx.low, self.ctx.ends[index]) is None:
            return ""
        if has_unit(self.ctx.low, self.ctx.ends[index]):
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

    def goes_to(self, index: int) -> bool:
        """Tell whether a number goes to the next one: '2.2 to 2.4', 'from 22.4 at the start to 2.1'."""
        ctx, languages = self.ctx, self.walker.languages
        words = ctx.gaps[index + 1].split()
        if " ".join(words) in languages.ranges:
            return True
        if not words or words[-1] not in languages.turns or FROM.isdisjoint(ctx.gaps[index].split()[-1:]):
            return False
        return ctx.text(index).isdigit() == ctx.text(index + 1).isdigit()  # not 'de 2,1 en 60 noyaux'

    def is_next_of_series(self, index: int) -> bool:
        """Tell whether a number follows in time on that of an earlier date: '14.2 at baseline, then 4.6 before C3'."""
        walker, ctx = self.walker, self.ctx
        last = walker.values.last
        turns = ctx.gaps[index].strip() in walker.languages.turns  # 'from 22.4 at baseline to 2.1 at week 8'
        if last is None or last.sentence != walker.sentence or (ctx.text(index).isdigit() and not turns):
            return False
        follows = ENDS.match(ctx.low, ctx.ends[index]) or AT_TIME.match(ctx.low, ctx.ends[index])
        return follows is not None and (turns or THEN.fullmatch(ctx.gaps[index]) is not None)

    def put_series(self, index: int, fields: list[str]) -> str:
        """Return the field of the next number of a series; it is an earlier one where a present one follows."""
        walker, after = self.walker, index + 1
        own = after < walker.end and self.ctx.levels[after] == NONE  # 'to 18.4 at progression'
        if fields and "current" in self.ctx.kinds[after + own : walker.end]:
            walker.about.set_temporality("prior", self.ctx.place(index - 1))
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
        if not ctx.text(index).isdigit() or ":" not in ctx.gaps[index]:
            return False
        beside = len(ctx.gaps[index + 1]) <= 1 and len(ctx.text(index)) > 1  # 'HER2/CEP17: 20 nuclei, ratio 1.3'
        return "counted" in ctx.kinds[index + 1 : at] or (beside and self.walker.next_kind(index) == "cells")

    def is_over(self, index: int) -> bool:
        """Tell whether signals are only said to be counted in that many nuclei: 'counted over 60 nuclei'."""
        ctx, before = self.ctx, index - 2
        counted = before >= self.walker.start and ctx.kinds[before] in ("counted", "mean", "signals", "total")
        return counted and ctx.values[index - 1] == ">" and self.walker.next_kind(index) == "cells"

    def is_taken(self, index: int) -> bool:
        """Tell whether the words before a number in parentheses are those of another one: '120 CEP17 signals (2.6)'."""
        ctx, at = self.ctx, index - 1
        if "=" in ctx.gaps[index] and "num" in ctx.kinds[max(self.walker.start, index - NEAR) : index]:
            return ctx.kinds[index - 1] in ("signals", "ish_hint")
        if not ctx.gaps[index].endswith("(") or not ctx.low.startswith(")", ctx.ends[index]):
            return False
        while at > self.walker.start and ctx.kinds[at] not in ("anchor", "cep17", "ratio"):
            at -= 1
        return (
            ctx.kinds[at] != "ratio" and at > self.walker.start and ctx.kinds[at - 1] == "num" and ctx.gaps[at] == " "
        )
