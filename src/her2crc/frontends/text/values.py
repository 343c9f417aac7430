"""The values of HER2 as they are met: besides scores and statuses, numbers, details, variants and karyotypes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.context import CLAUSE, COMMA, NONE, SENTENCE
from her2crc.frontends.text.counts import ARROWS, Counts
from her2crc.frontends.text.denials import FAR
from her2crc.frontends.text.drafts import GENE_METHODS, Fact
from her2crc.frontends.text.findings import Span
from her2crc.frontends.text.numbers import one_score, read_change, read_date
from her2crc.frontends.text.statuses import Statuses

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding

NOT_SCORE = re.compile(
    r"(?!/\s?3(?!\d))(?:[.,]?\d|\s?[%x+/]\s?[\da-z]|\s?-(?:[a-z]|\s?\d)|\s?[%+]|[a-z]|\s?fold|\s?(?:of|/|x)\s?\d)"
)
AFTER_DETAIL = re.compile(r"\)?:?\s{1,2}")
SCORE_GAP = re.compile(r"(?:\s?-\s?)?[\s:=()\"'|]{0,5}(?:of|was|is)?\s?")
AFTER_STATUS = re.compile(r"\s?[,;|-]\s{1,2}|\s{1,40}")
ENDS_SCORE = re.compile(r"\s{0,3}(?:$|[\n;).|]|,\s|\([a-z])")
"""What may follow the 0 of 'negative, 0': nothing that it could count."""
CODE_OF = re.compile(
    r"(?<![a-z])(?:block|case|slide|accession|sample|specimen|id|fall|bloc|lame|caso|muestra|blocco|vetrino|praparat|blok)"
    r"(?:\s(?:no|nr|number|id))?[\s.:#]{1,3}$|(?:蜡块|病理号|编号|标本|ブロック|検体)[\s:]{0,2}$"
)
"""What is written before the code of a block, slide or case, which can look like a change of a protein."""
CODE_REACH = 30
DIGITS = frozenset("0123")
QUANTITIES = frozenset(("copies", "fold", "ratio", "mean", "signals", "per_cell", "total", "counted", "log2"))
"""What a number of HER2 is where it is named beside it, so that it is no score."""
SEQUENCED = frozenset(("tissue", "plasma", "digital", "copies", "fold", "variant", "mutation"))
CORRECTS = frozenset(("score", "amended", "replaced_by"))
"""What the score that something was corrected to can stand after."""
SOON = 4
"""Items within which the word for it follows."""
SCORED = frozenset(("ihc", "score_word", "score"))
OTHER_COMPLETE = re.compile(
    r"[\s-]{1,2}(?:response|remission|resection|resected|metabolic|excision|obstruction|mesorectal)"
)
NAMES_CHANGE = frozenset(("noun", "mutation", "marker_status"))
"""What a negation speaks of instead of the change after it: 'KRAS not mutated, ERBB2 V842I'."""
PLACED = frozenset(("site", "specimen", "part", "tumour"))
ISCN_COUNT = re.compile(r"\[(?:\d+/)?(\d+)\]")
ISCN_NORMAL = re.compile(r"(?:d17z1|cep17),\s?(?:erbb2|her2)\)x2(?!\d)|(?:erbb2|her2)\s?x\s?2(?!\d|~)")
ISCN_AMPLIFIED = re.compile(r"(?:erbb2|her2)[^,;()]{0,6}amp")


class Values(Statuses):
    """Reads every kind of value."""

    def take(self, walker: Binding, fact: Fact) -> None:
        """Give a value that was bound to HER2 to its finding."""
        if fact.field == "ihc_score":
            self.take_score(walker, fact)
        elif fact.field == "percent":
            self.take_percent(walker, fact)
        else:
            self.take_status(walker, fact)

    def on_number(self, walker: Binding, index: int) -> None:
        """Read a bare score, or a number of in situ hybridisation or of copies."""
        ctx = walker.ctx
        written = walker.previous_kind(index) == "percent" and len(ctx.gaps[index]) <= 1
        if written and ctx.text(index - 1) in walker.languages.percent_signs:
            self.on_percent(walker, index)
            return
        if self.is_labelled(walker, index) and "ratio" not in walker.slots[-len(("ratio", "percent")) :]:
            self.on_percent(walker, index)
            return
        if ctx.text(index) in DIGITS and self.is_bare_score(walker, index):
            digit = ctx.text(index)
            if self.is_explained(walker, index):
                walker.void_rest(index, SENTENCE)
                return
            if walker.is_near(index):
                self.drop_corrected(walker, index)
                walker.emit(Fact("ihc_score", one_score(digit), index))
            return
        Counts(walker).read(index)

    def is_bare_score(self, walker: Binding, index: int) -> bool:
        """Tell whether a single digit is a score: after its name, or after that of HER2 ('HER2: 1', 'HER2 was 0')."""
        ctx = walker.ctx
        previous = walker.previous_kind(index)
        if not previous or (walker.method in GENE_METHODS and walker.method_mention == walker.mention):
            return False
        if self.is_quantity(walker, index) or NOT_SCORE.match(ctx.low, ctx.ends[index]):
            return False
        gap = ": " if ctx.gaps[index].rstrip() == ":" else ctx.gaps[index]
        if previous in CORRECTS and self.is_corrected(walker, index):
            return True
        if previous == "box":
            return "score" in walker.kinds
        if SCORE_GAP.fullmatch(gap):
            if previous == "score_word":
                return True
            if previous in ("anchor", "ihc") and ctx.values[index - 1] != "assay":
                return ctx.text(index) == "0" or ":" in gap or "=" in gap
            enclosed = "(" in gap and ctx.low.startswith(")", ctx.ends[index])
            if previous == "status" and ("|" in gap or enclosed):
                return True
            if previous == "absent" and enclosed and ctx.text(index) == "0" and walker.topic == "her2":
                return walker.noun in ("", "expression", "overexpression")
        if previous == "status" and ctx.text(index) == "0" and ctx.values[index - 1] == "negative":
            listed = AFTER_STATUS.fullmatch(gap) is not None and ENDS_SCORE.match(ctx.low, ctx.ends[index]) is not None
            return listed and walker.topic == "her2" and walker.group_last
        if walker.topic == "her2" and ctx.text(index) == "0" and AFTER_DETAIL.fullmatch(gap):
            return previous == "antibody" or (
                previous in ("site", "part", "tumour", "date", "specimen", "cells")
                and ("score" in walker.kinds or ":" in gap)
            )
        if walker.topic == "her2" and ctx.text(index) == "0" and ctx.low.startswith("(0)", ctx.starts[index] - 1):
            return bool(walker.kinds & {"ihc", "score_word", "noun"})
        words = gap.split()
        said = bool(words) and words[-1] in walker.languages.says and ctx.levels[index] == NONE
        return said and ctx.text(index) == "0" and walker.topic == "her2"

    def is_corrected(self, walker: Binding, index: int) -> bool:
        """Tell whether a digit is what a score was corrected to: 'revised from 2+ to 0', 'von 3+ auf 0 korrigiert'."""
        kinds, before = walker.ctx.kinds, index - 2
        if kinds[index - 1] != "score":
            return before >= walker.start and kinds[before] == "score" and len(walker.ctx.gaps[index]) <= 1
        if walker.ctx.gaps[index].strip() in ARROWS:
            return "amended" in walker.kinds
        if walker.ctx.levels[index] > NONE or not walker.turns(index):
            return False
        is_replaced = before >= walker.start and kinds[before] == "replaced"
        return is_replaced or "amended" in kinds[index + 1 : min(index + SOON, walker.end)]

    def is_quantity(self, walker: Binding, index: int) -> bool:
        """Tell whether a digit at a name is a number of copies or signals ('copy number of ERBB2: 2'), not a score."""
        ctx, before = walker.ctx, index - 1
        if ctx.kinds[before] != "anchor":
            return False
        if index + 1 < walker.end and ctx.levels[index + 1] == NONE and ctx.kinds[index + 1] in QUANTITIES:
            return True
        if before > walker.start and ctx.levels[before] == NONE and ctx.kinds[before - 1] in QUANTITIES:
            return True
        is_gene = ctx.text(before).startswith("erb")
        return is_gene and not SEQUENCED.isdisjoint(walker.kinds) and SCORED.isdisjoint(walker.kinds)

    def on_detail(self, walker: Binding, index: int, value: str) -> None:
        """Keep an assay, an antibody or a pattern for the findings of the sentence."""
        kind = walker.ctx.kinds[index]
        span = walker.ctx.place(index)
        if kind == "pattern":
            if OTHER_COMPLETE.match(walker.ctx.low, span.end):
                return
            walker.pattern = walker.pattern or (value, span)
        else:
            walker.details[kind] = (value, span)
        last = self.last
        if last is not None and last.sentence == walker.sentence and walker.topic == "her2":
            self.attach_details(walker, last)

    def on_date(self, walker: Binding, index: int) -> None:
        """Read a date for the findings of the sentence."""
        span = walker.ctx.place(index)
        written = walker.ctx.text(index)
        date = read_date(written)
        if date is None:
            return
        walker.about.set("date", date, span)
        last = self.last
        if last is None or last.sentence != walker.sentence:
            return
        known = last.about.spans.get("date")
        if (last.about.date is None and not self.is_of_next_part(walker, index)) or (
            known and known[0].end < last.begins() and walker.ctx.low[span.start - 1] == "("
        ):
            last.about.set("date", date, span)
        walker.place_since = walker.place_since or bool(last.populations)

    def is_of_next_part(self, walker: Binding, index: int) -> bool:
        """Tell whether a date stands behind a semicolon and another place: '3+ on lung; rectal biopsy from 2022: 0'."""
        last = self.last
        if last is None or not walker.place_since:
            return False
        ctx, at, end = walker.ctx, index, last.ends()
        while at > walker.start and ctx.starts[at] >= end:
            if ctx.levels[at] >= CLAUSE:
                return not PLACED.isdisjoint(ctx.kinds[at:index])
            at -= 1
        return False

    def on_variant(self, walker: Binding, index: int) -> None:
        """Read a protein change of ERBB2."""
        own = walker.topic == "her2" and walker.group_last
        if walker.topic == "other" and walker.ctx.levels[index] == NONE:
            return
        if CODE_OF.search(walker.ctx.low, max(0, walker.ctx.starts[index] - CODE_REACH), walker.ctx.starts[index]):
            return
        if walker.ctx.void[index] or not (own or self.names_gene_after(walker, index)):
            return
        if self.is_denied_variant(walker, index):
            return
        change = read_change(walker.ctx.text(index))
        if change:
            found = self.draft(walker, "variant", "variant", change)
            found.put("variant", change, walker.ctx.place(index))
            walker.noun = "mutation"
            walker.spoke = True

    def is_denied_variant(self, walker: Binding, index: int) -> bool:
        """Tell whether a change is only named as one that was not found: 'ERBB2 S310F and V842I: not detected'."""
        ctx, at = walker.ctx, index + 1
        first, last = walker.negated_from + 1, min(walker.end, index + FAR)
        known = ctx.kinds[first:index] if first > 0 and index - first < FAR else ["noun"]
        if NAMES_CHANGE.isdisjoint(known) and self.is_denying(walker, index) and self.is_reached(walker, index):
            return True
        while at < last and ctx.kinds[at] in ("variant", "mutation", "noun") and self.goes_on(walker, at):
            at += 1
        if at >= last or not self.goes_on(walker, at):
            return False
        return ctx.kinds[at] == "absent" or ctx.values[at] == "wild_type"

    def goes_on(self, walker: Binding, index: int) -> bool:
        """Tell whether nothing but separators and words of a statement stand before an item of a list of changes."""
        ctx, languages = walker.ctx, walker.languages
        if ctx.kinds[index] == "noun" and ctx.values[index] != "mutation":
            return False
        words = ctx.gaps[index].replace(",", " ").replace("/", " ").replace(":", " ").strip(" ()").split()
        return ctx.levels[index] < CLAUSE and (languages.passable | languages.separators).issuperset(words)

    def names_gene_after(self, walker: Binding, index: int) -> bool:
        """Tell whether a change stands before its gene: 'S310Y in ERBB2', with no other gene before it."""
        nearest = NONE if walker.topic == "other" else COMMA
        if walker.next_kind(index) != "anchor" or walker.ctx.levels[index + 1] > nearest:
            return False
        words = walker.ctx.gaps[index + 1].replace("(", " ").split()
        return set(words) <= walker.languages.links

    def on_iscn(self, walker: Binding, index: int) -> None:
        """Read a karyotype of in situ hybridisation."""
        written = walker.ctx.text(index)
        if walker.ctx.void[index] or not ("erbb2" in written or "her2" in written):
            return
        span = walker.ctx.place(index)
        walker.topic, walker.group_has, walker.group_last, walker.spoke = "her2", True, True, True
        walker.method, walker.method_mention = "ish", walker.mention
        walker.block.add("ish")
        amplified = ISCN_AMPLIFIED.search(written)
        formula = amplified or ISCN_NORMAL.search(written)
        if formula is None:
            walker.doubt("iscn_unclear", index, "status")
            return
        state = "amplified" if amplified else "not_amplified"
        found = self.draft(walker, "ish", "status", state)
        found.put("status", state, Span(span.start + formula.start(), span.start + formula.end()))
        count = ISCN_COUNT.search(written)
        if count:
            found.put("cells", int(count[1]), Span(span.start + count.start(1), span.start + count.end(1)))
