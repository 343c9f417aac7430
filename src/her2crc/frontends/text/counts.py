"""The numbers of in situ hybridisation and of copy number: which quantity a number is, by the words around it.

A ratio against another control probe than CEP17 is not read, a bound is not a value, and copies, fold changes and
ratios never take each other's place.
"""

from __future__ import annotations

import re
from decimal import Decimal

from her2crc.frontends.text.context import CLAUSE, COMMA, NONE, SENTENCE
from her2crc.frontends.text.digits import Digits
from her2crc.frontends.text.drafts import SEQUENCING
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.numbers import (
    COMPARATORS,
    DEPTH,
    LENGTH,
    OF_DEPTH,
    has_unit,
    is_answer,
    is_only_named,
    read_numbers,
)
from her2crc.frontends.text.probes import ADJACENT, FAR

UNREAD = frozenset(("log2", "fraction", "mutation", "serum", "variant"))
QUANTITIES = frozenset(
    ("copies", "fold", "ratio", "mean", "per_cell", "snr", "signals", "total", "counted", "cep17", "other_probe")
)
"""Words before a number that can say what it is."""
OF_NUMBER = frozenset(("copies", "fold", "ratio", "per_cell", "snr", "mean"))
"""Those of them that name a number, and not only what is counted."""
NAMES_NUMBER = frozenset(("anchor", "cep17", "mean"))
OF_NUCLEI = frozenset(("ish", "ish_hint", "cep17", "per_cell", "mean"))
WORD = re.compile(r"[a-z]+")
UNITS = {
    kind: rank
    for rank, kind in enumerate(
        ("fold", "per_cell", "copies", "counted", "cells", "signals", "ratio", "fraction", "mutation", "log2")
    )
}
"""What the word after a number can make of it; of two meanings of a word, the first of these."""
PLAIN_GAP = frozenset(" :=~(|,-\n[<>≤≥.'\"/^")
BUILD = re.compile(r"\((?:grch|hg)\d\d\)")
ARROWS = frozenset(("->", "→", "=>", "⇒"))
EQUALS = re.compile(r"\)?\s{0,2}(?:=|->|→|⇒|=>|:|ratio)\s{0,2}")


class Counts(Digits):
    """Reads one number at a time, with the state of the walk."""

    def read(self, index: int) -> None:
        """Read a number, if the words around it say what it is of HER2."""
        walker, ctx = self.walker, self.ctx
        if ctx.void[index] or walker.replaced:
            walker.slots = []
            return
        if self.is_in_name(index):
            return
        slots = walker.slots
        if walker.next_kind(index) == "num" and ctx.gaps[index + 1].strip() in ARROWS:
            return  # the value that it changed to follows
        field = self.field(index, slots)
        if not field:
            if not UNREAD.isdisjoint(slots):
                walker.slots = []
            return
        if field != "cells" or "(" not in ctx.gaps[index]:  # 'ratio (60 nuclei): 2.6'
            walker.slots = []
        if self.after(index) not in ("", "ratio"):
            walker.passed = index + 1
        if walker.target(index, "ratio") not in ("her2", "hold"):
            return
        method = self.method(field, index)
        if field == "other_ratio":
            walker.doubt("other_probe", index, "ratio")
            walker.block.add(method)
            return
        if field == "ratio" and self.put_quotient(index):
            return
        self.mend(index)
        numbers = read_numbers(ctx.text(index))
        if self.is_broken(index) or self.begins_range(index) or len(numbers) != 1:
            walker.doubt("number_range", index, field)
            return
        self.put(index, method, field, numbers[0])
        if field == "her2_mean" and self.is_pair(index):
            self.put(index + 1, method, "cep17_mean", read_numbers(ctx.text(index + 1))[0])
            ctx.void[index + 1] = True

    def put_quotient(self, index: int) -> bool:
        """Read a quotient that is written out: 'HER2/CEP17: 2.7 / 2.1 = 1.29', or totals '192/40 = 4.8'."""
        ctx, over = self.ctx, index + 1
        if over >= self.walker.end or ctx.kinds[over] != "num" or ctx.gaps[over].strip() not in ("/", ":"):
            return False
        read = [read_numbers(ctx.text(at)) for at in (index, over)]
        if any(len(numbers) != 1 for numbers in read) or read[1][0] <= 1:
            return False
        whole = all(ctx.text(at).isdigit() for at in (index, over))
        names = ("her2_signals", "cep17_signals") if whole else ("her2_mean", "cep17_mean")
        for at, name, numbers in zip((index, over), names, read, strict=True):
            self.put(at, "ish", name, numbers[0])
            ctx.void[at] = True
        result = over + 1
        if result < self.walker.end and ctx.kinds[result] == "num":
            numbers = read_numbers(ctx.text(result))
            if EQUALS.fullmatch(ctx.gaps[result]) and len(numbers) == 1:
                self.put(result, "ish", "ratio", numbers[0])
                ctx.void[result] = True
        return True

    def names_share(self, index: int) -> bool:
        """Tell whether a threshold only says which cells are counted: 'cells with a ratio of at least 2.0: 85%'."""
        ctx, at = self.ctx, index + 1
        if at < self.walker.end and ctx.kinds[at] == "comparator":
            at += 1
        counted = at < self.walker.end and ctx.kinds[at] == "pct" and is_answer(ctx.gaps[at])
        return counted and "cells" in ctx.kinds[self.walker.start : index]

    def put(self, index: int, method: str, field: str, number: Decimal) -> None:
        """Give a number to the finding of its method; a bound is kept as such."""
        walker, ctx = self.walker, self.ctx
        op = self.comparator(index)
        if op in ("<", ">", "<=", ">="):
            defines = ctx.low.startswith(("=", " ="), ctx.ends[index])
            if str(number) in walker.languages.thresholds and field != "cells" and (op != "<" or defines):
                if defines or not self.names_share(index):
                    walker.void_rest(index, SENTENCE if defines else CLAUSE)
                return
            walker.doubt("bound_only", index, field)
            found = walker.values.draft(walker, method, f"{field}_bound", f"{op}{number}")
            found.put(f"{field}_bound", f"{op}{number}", ctx.place(index))
            return
        whole = field in ("cells", "her2_signals", "cep17_signals")
        if whole and number != number.to_integral_value():
            return
        value = int(number) if whole else number
        found = walker.values.draft(walker, method, field, value)
        found.put(field, value, self.digits(index))
        walker.spoke = True
        walker.values.attach_details(walker, found)
        if not walker.method:
            walker.method, walker.method_mention = method, walker.mention

    def digits(self, index: int) -> Span:
        """Return the place of the number itself, without its unit."""
        low, start, end = self.ctx.low, self.ctx.starts[index], self.ctx.ends[index]
        while end > start + 1 and not low[end - 1].isdigit():
            end -= 1
        return Span(start, end)

    def comparator(self, index: int) -> str:
        """Return the comparator just before a number."""
        ctx = self.ctx
        before = ctx.low[max(0, ctx.starts[index] - 3) : ctx.starts[index]].rstrip()
        if before.endswith("->"):
            return ""
        sign = COMPARATORS.get(before[-2:]) or COMPARATORS.get(before[-1:])
        if sign:
            return sign
        after = index + 1
        if self.walker.next_kind(index) == "comparator" and ctx.values[after] in (">=", "<="):
            return ctx.values[after] if len(ctx.gaps[after]) <= 1 else ""
        at = index - (2 if self.walker.previous_kind(index) in OF_NUMBER else 1)  # 'from a ratio of 2.0'
        if (
            at >= 0
            and ctx.kinds[at] == "comparator"
            and max(ctx.levels[at + 1 : index + 1]) == NONE
            and not self.is_over(index)
        ):
            return ctx.values[at]
        return ""

    def method(self, field: str, index: int) -> str:
        """Return the method whose number this is."""
        walker = self.walker
        if field in ("ratio", "her2_mean", "cep17_mean", "cells", "her2_signals", "cep17_signals", "other_ratio"):
            return "ish"
        if walker.method in ("tissue", "plasma"):
            return walker.method
        if self.is_of_plasma(index) or ("plasma" in walker.block and "tissue" not in walker.block):
            return "plasma"
        return "tissue"

    def is_of_plasma(self, index: int) -> bool:
        """Tell whether plasma is named before a number, or after it with no other number between."""
        kinds = self.ctx.kinds
        for kind in reversed(kinds[max(self.walker.start, index - FAR) : index]):
            if kind in ("plasma", "specimen"):
                return kind == "plasma"
        for at in range(index + 1, min(index + FAR, self.walker.end)):
            if kinds[at] in ("plasma", "num", "tissue"):
                return kinds[at] == "plasma" and not self.ctx.low.startswith(":", self.ctx.ends[at])
        return False

    # ---- which quantity

    def field(self, index: int, slots: list[str]) -> str:
        """Return the field of a number, empty where the words do not say it."""
        ctx, walker = self.ctx, self.walker
        recent, after = self.since_name(slots[-6:]), self.after(index)
        if "log2" in recent and ctx.text(index).endswith(("fold", "fach")):
            return "fold"
        if not after and not self.is_named(recent, index):
            return self.named_again(index)
        if after in UNREAD or not UNREAD.isdisjoint(recent) or self.is_of_other(index):
            return ""
        if ctx.kinds[index] == "times" and not ("copies" in recent and "fold" not in recent):
            return "fold" if self.is_multiple(index) else ""
        if after == "fold" or ("fold" in recent and self.close(index)):
            return "fold"
        if "other_probe" in recent and ("ratio" in recent or "signals" in recent or walker.method == "ish"):
            return "other_ratio"
        if after in ("cells", "counted") and (walker.method == "ish" or "cep17" in recent) and self.is_count(index):
            return "cells"
        probe = self.probe_after(index) or self.probe_of_unit(index, after)
        if probe:
            return probe
        if after == "per_cell" and "cep17" not in recent and "snr" not in recent:
            return self.copies({*recent, after}, index)
        if not self.close(index) or self.is_taken(index):
            return self.from_after(index, after, recent)
        field = self.from_before(recent, index) or self.from_after(index, after, recent)
        return "" if field == "ratio" and after == "cells" and ctx.text(index).isdigit() else field

    def is_named(self, recent: list[str], index: int) -> bool:
        """Tell whether any word before a number, or the probe after it, can say what it is: most numbers are others."""
        if not QUANTITIES.isdisjoint(recent) or self.ctx.kinds[index] == "times":
            return True
        return bool(recent and recent[-1] == "anchor") or self.walker.next_kind(index) in NAMES_NUMBER

    def is_of_other(self, index: int) -> bool:
        """Tell whether a number is a length, a weight, how many looked, or only a name: '5.4 kb', 'exon 20'."""
        return has_unit(self.ctx.low, self.ctx.ends[index]) or is_only_named(self.ctx.low, self.ctx.starts[index])

    def is_multiple(self, index: int) -> bool:
        """Tell whether '12x' is a fold change of what was named, and not the depth of something else."""
        low, start = self.ctx.low, self.ctx.starts[index]
        if LENGTH.match(low, self.ctx.ends[index]) or self.walker.previous_kind(index) == "counted":
            return False  # '5.1 x 4.4 cm', 'counted at 1000x'
        if DEPTH.match(low, self.ctx.ends[index]) or OF_DEPTH.search(low, max(0, start - 2 * ADJACENT), start):
            return False
        unknown = self.unknown_words(self.ctx.gaps[index])
        return not unknown and (self.close(index) or self.walker.noun == "amplification")

    def unknown_words(self, gap: str) -> set[str]:
        """Return the words of a gap that only belong to a statement where they are known."""
        languages = self.walker.languages
        return {word for word in WORD.findall(gap) if word not in languages.fillers and word not in languages.links}

    def since_name(self, recent: list[str]) -> list[str]:
        """Return the words since HER2 was named again, if they name the number or another value came before."""
        if UNREAD.isdisjoint(recent):
            return recent
        last = max((at for at, kind in enumerate(recent) if kind == "anchor"), default=0)
        own = recent[last:]
        is_own = not {"pct", "score"}.isdisjoint(recent[:last]) or not OF_NUMBER.isdisjoint(own)
        return own if is_own and UNREAD.isdisjoint(own) else recent

    def from_before(self, recent: list[str], index: int) -> str:
        """Return the field that the words before a number name."""
        if recent[-1:] == ["mean"] and (summed := self.mean_of_total(index)):
            return summed
        walker, kinds = self.walker, set(recent)
        sequenced = walker.method in ("tissue", "plasma") or (not walker.method and "digital" in walker.kinds)
        both = "cep17" in kinds and "anchor" in kinds
        if "snr" in kinds:
            return "cep17_mean" if "cep17" in kinds and self.last_is(recent, "cep17") else "her2_mean"
        if "ratio" in kinds and self.is_other_ratio(index):
            return ""
        if "ratio" in kinds and not self.is_of_copies(index):
            if sequenced and "cep17" not in kinds and "ish" not in walker.block:
                return "fold"
            return "ratio"
        if both and self.is_quotient(index):
            return "ratio"
        if self.counts_cells(recent) and ("cells" in kinds or (walker.method == "ish" and "signals" not in kinds)):
            return "cells"
        if both and not self.last_is(recent, "cep17"):
            self.walker.doubt("probes_unclear", index, "her2_mean")
            return ""
        if "total" in kinds and "signals" in kinds:
            return "cep17_signals" if "cep17" in kinds else "her2_signals"
        if "cep17" in kinds or self.is_of_row(kinds, index, "cep17"):
            return "cep17_mean" if self.is_mean(kinds, index) else ""
        if "copies" in kinds or "per_cell" in kinds or ("mean" in kinds and ("signals" in kinds or "anchor" in kinds)):
            return self.copies(kinds, index)
        if ("signals" in kinds and "anchor" in kinds) or self.is_of_row(kinds, index, "anchor"):
            return "her2_mean" if self.is_mean(kinds, index) else ""
        return ""

    def from_after(self, index: int, after: str, recent: list[str]) -> str:
        """Return the field that the word after a number names."""
        kinds = set(recent)
        if after == "copies" or after == "per_cell":
            return "cep17_mean" if "cep17" in kinds and "anchor" not in kinds else self.copies(kinds | {after}, index)
        if after == "signals" and "." in self.ctx.text(index).replace(",", "."):
            return "cep17_mean" if "cep17" in kinds else "her2_mean"
        if after == "counted" or (after == "cells" and self.walker.method == "ish"):
            return "cells"
        if after == "ratio" and self.walker.method == "ish" and len(self.ctx.gaps[index + 1]) <= 1:
            return "ratio"
        decimal = "." in self.ctx.text(index).replace(",", ".")
        if (
            self.walker.method == "ish"
            and decimal
            and recent
            and recent[-1] == "anchor"
            and "cep17" in self.walker.kinds
        ):
            return "her2_mean" if self.close(index) else ""
        return ""

    def copies(self, kinds: set[str], index: int) -> str:
        """Return the field of a number of copies: per nucleus, or as sequenced."""
        walker = self.walker
        own = walker.clause_kinds(index)
        if walker.method in ("tissue", "plasma") or ("tissue" in own and own.isdisjoint(OF_NUCLEI)):
            return "cn"
        if (
            walker.method == "ish"
            or "per_cell" in kinds
            or "ish_hint" in kinds
            or "mean" in kinds
            or "ish" in own
            or self.is_beside_control(index)
        ):
            return "her2_mean"
        return "cn"

    def is_beside_control(self, index: int) -> bool:
        """Tell whether copies of CEP17 are given too, in the same sentence or the next: a hybridisation's, then."""
        walker = self.walker
        if not SEQUENCING.isdisjoint(walker.kinds):
            return False
        _, following = walker.ctx.sentences.get(walker.end, (0, ()))
        return "cep17" in walker.kinds or ("cep17" in following and SEQUENCING.isdisjoint(following))

    def close(self, index: int) -> bool:
        """Tell whether the words before a number stand near it."""
        if index == 0 or (index == self.walker.start):
            return False
        gap = self.ctx.gaps[index]
        if gap == " ":
            return True
        if "(" in gap:
            gap = BUILD.sub("", gap)
        words = WORD.findall(gap)
        if words and self.walker.languages.fillers.issuperset(words):
            gap = WORD.sub("", gap)
        if self.ctx.levels[index] >= COMMA and not PLAIN_GAP.issuperset(gap):
            return False
        return len(gap) <= ADJACENT or len(" ".join(gap.split())) <= ADJACENT  # columns lie far apart

    def after(self, index: int) -> str:
        """Return the kind of the word right after a number."""
        ctx, at = self.ctx, index + 1
        if at >= self.walker.end or len(ctx.gaps[at]) > len(" of the total "):
            return ""
        if ctx.levels[at] > NONE and not (ctx.gaps[at] == " (" and ctx.low.startswith(")", ctx.ends[at])):
            return ""
        start, found = ctx.starts[at], ""
        for other in range(at, min(at + 3, len(ctx.kinds))):
            kind = ctx.kinds[other]
            if ctx.starts[other] == start and kind in UNITS and (not found or UNITS[kind] < UNITS[found]):
                found = kind
        return found
