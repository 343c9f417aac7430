"""Results in words: positive, not amplified, no overexpression, pending; and the method that each is of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.context import CLAUSE, COMMA, NONE
from her2crc.frontends.text.denials import LOOK, NEGATED_NOUN, Denials, denies_next
from her2crc.frontends.text.drafts import ANALYTE, GENE_METHODS, SEQUENCING, Fact, status_of
from her2crc.frontends.text.gather import OPEN_STATES
from her2crc.frontends.text.numbers import COMPARATORS, read_score

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding

OPPOSITE = {
    "positive": "negative", "amplified": "not_amplified", "overexpressed": "not_overexpressed",
}  # fmt: skip
OF_NOUN = {"amplification": "amplified", "overexpression": "overexpressed"}
GENE_STATES = frozenset(("amplified", "not_amplified"))
METHODS = frozenset((*GENE_METHODS, "ihc"))
STAIN_STATES = frozenset(("overexpressed", "not_overexpressed"))
PLACED = frozenset(("plasma", "specimen", "tissue", "site", "part", "date", "current"))
MATERIALS = frozenset(("plasma", "specimen"))
SIGN_GAP = re.compile(r"\s?[(:]{0,2}\s?")
LABEL_END = re.compile(r"\s{0,3}(?:$|[:.;\n|])")
SEQUENCED = frozenset(("tissue", "plasma", "digital", "copies", "fold", "log2", "blood"))
"""What speaks against a ratio of two probes."""


class Statuses(Denials):
    """Reads statuses, the nouns that stand for them, and signs."""

    def on_status(self, walker: Binding, index: int, value: str) -> None:
        """Read a status: with the negation before it, and the noun beside it."""
        ctx = walker.ctx
        if ctx.void[index] or not walker.is_near(index) or self.describes_share(walker, index):
            walker.closed = True
            return
        if walker.sign_after(index) == "=":
            walker.void_rest(index, CLAUSE)
            return
        if self.is_threshold(walker, index):
            return
        if self.is_of_site(walker, index):
            walker.doubt("several_markers", index, "status")
            walker.closed = True
            return
        if value in OPPOSITE and self.is_denied_by_verb(walker, index):
            walker.doubt("negation_unclear", index, "status")
            walker.closed = True
            return
        if value in OPPOSITE and (self.is_answered_no(walker, index) or self.is_denied_at_end(walker, index)):
            walker.emit(Fact("status", OPPOSITE[value], index, walker.noun))
            return
        if value == "amplified" and self.is_answered(walker, index):
            walker.noun, walker.noun_negated = "amplification", False
            return
        if value == "negative" and self.is_of_share(walker, index):
            walker.closed = True
            return
        if value == "negative" and self.begins_list(walker, index):
            walker.negated_from, walker.negated_list, walker.said = index, True, ""
            walker.negated_across = "list" if ":" in ctx.gaps[index + 1] else "unclear"
            return
        if self.is_denying(walker, index) and self.is_reached(walker, index):
            if value not in OPPOSITE:
                return
            value = OPPOSITE[value]
        noun = self.noun_ahead(walker, index) or walker.noun
        walker.said = value
        if noun in ("mutation", "gain") and value not in GENE_STATES | STAIN_STATES:
            return
        walker.emit(Fact("status", value, index, noun))

    def is_answered(self, walker: Binding, index: int) -> bool:
        """Tell whether 'amp' only names what is answered next: 'ERBB2-amp neg'."""
        at = index + 1
        if at >= walker.end or walker.ctx.gaps[at].strip() not in ("", ":", "="):
            return False
        return walker.ctx.kinds[at] == "absent" or walker.ctx.values[at] in ("positive", "negative")

    def is_threshold(self, walker: Binding, index: int) -> bool:
        """Tell whether a status is only said to begin at a threshold: '(amplified >= 2.0)'."""
        ctx, at = walker.ctx, index + 1
        if at < walker.end and ctx.kinds[at] == "comparator":
            at += 1
        if at >= walker.end or ctx.kinds[at] != "num" or max(ctx.levels[index + 1 : at + 1]) > NONE:
            return False
        bound = ctx.kinds[at - 1] == "comparator" or ctx.gaps[at].strip() in COMPARATORS
        return bound and ctx.text(at).replace(",", ".") in walker.languages.thresholds

    def noun_ahead(self, walker: Binding, index: int) -> str:
        """Return the noun that a status before it speaks of ('positive for HER2 amplification')."""
        kinds, values, levels = walker.ctx.kinds, walker.ctx.values, walker.ctx.levels
        for at in range(index + 1, min(index + LOOK, walker.end)):
            if levels[at] > NONE and not (kinds[at] in ("anchor", "marker") and walker.is_listed(at)):
                return ""
            if kinds[at] == "noun":
                answered = at + 1 < walker.end and kinds[at + 1] in ("absent", "present", "status")
                if values[at] in OF_NOUN and answered and levels[at + 1] == NONE:
                    return ""
                walker.noun, walker.noun_negated = values[at], True
                return values[at]
            if kinds[at] not in ("anchor", "marker"):
                return ""
        return ""

    def take_status(self, walker: Binding, fact: Fact) -> None:
        """Give a status to the finding of its method."""
        value = fact.value
        method = self.status_method(walker, fact)
        if method == "ihc" and value in GENE_STATES:
            method = self.gene_method(walker, fact.at)
        stated = status_of(method, value)
        if stated in OPEN_STATES and not method and self.is_said(walker, stated):
            return
        found = self.open.get(ANALYTE[method])
        if (
            stated in OPEN_STATES and found is not None and found.mention == walker.mention and not found.is_empty()
            and not walker.place_since
        ):  # fmt: skip
            return
        if stated in OPEN_STATES and found is not None and found.populations:
            self.open.pop(found.analyte)
        is_another = method == "ihc" and self.is_of_next_score(walker, fact.at)
        if is_another:
            self.open.pop(ANALYTE["ihc"], None)
        found = self.draft(walker, method, "status", stated)
        if is_another and walker.next_kind(fact.at) == "date":
            found.about.set("date", None, None)
        found.put("status", stated, fact.span or walker.ctx.place(fact.at))
        self.attach_details(walker, found)

    def is_of_next_score(self, walker: Binding, index: int) -> bool:
        """Tell whether a status belongs to another score, in parentheses after it: '1+; in the liver positive (3+)'."""
        ctx, known, at = walker.ctx, self.open.get(ANALYTE["ihc"]), index + 1
        while at < walker.end and ctx.levels[at] == NONE and ctx.kinds[at] in PLACED:
            at += 1
        if known is None or not known.populations or at >= walker.end or ctx.kinds[at] != "score":
            return False
        scores = {item.score for item in known.populations}
        return ctx.gaps[at].strip() == "(" and read_score(ctx.text(at)) not in scores

    def is_said(self, walker: Binding, state: str) -> bool:
        """Tell whether a test of the sentence is open already: 'FISH pending; supplementary report to follow'."""
        last = self.last
        return last is not None and last.sentence == walker.sentence and last.values.get("status") == state

    def status_method(self, walker: Binding, fact: Fact) -> str:
        """Return the method that a status is of; empty where none is said."""
        linked = self.linked_method(walker, fact.at) or self.scored(walker, fact)
        if linked and fact.value in OPEN_STATES:
            return linked
        if fact.hint in ("overexpression", "expression") or fact.value in STAIN_STATES:
            return "ihc"
        if linked:
            return linked
        if fact.hint == "amplification" or fact.value in GENE_STATES:
            return self.gene_method(walker, fact.at)
        implied = fact.value in OPEN_STATES and self.is_only_implied(walker)
        if not walker.method or implied or self.is_overall(walker):
            return ""
        known = self.open.get(ANALYTE[walker.method])
        if known is not None and walker.method_mention != walker.mention and known.about.differs(walker.about):
            return ""
        goes_on = walker.method == "ish" and self.goes_on_about(walker, "ish")
        if goes_on or walker.method_mention == walker.mention or self.named_before(walker, fact.at):
            return walker.method
        named = [name for name in walker.block if name in ANALYTE and name]
        return walker.method if len(named) <= 1 else ""

    def named_before(self, walker: Binding, at: int) -> bool:
        """Tell whether the method was named in this sentence, or this part of it, before HER2."""
        while at > walker.start and walker.ctx.levels[at] < CLAUSE:
            at -= 1
        first = walker.ctx.kinds[walker.start : walker.start + 2] + walker.ctx.kinds[at : at + 2]
        return walker.method in first

    def linked_method(self, walker: Binding, index: int) -> str:
        """Return the method that follows a value with 'by' or in parentheses of its own."""
        ctx = walker.ctx
        previous = ctx.kinds[index - 1] if index > walker.start else ""
        is_open = ctx.values[index] in OPEN_STATES and previous not in METHODS
        passed = ("test", "anchor", "cells", "tumour") if is_open else ("test",)
        at = index + 1
        while at < walker.end and (
            ctx.starts[at] < ctx.ends[index] or (ctx.kinds[at] in passed and ctx.levels[at] == NONE)
        ):
            at += 1
        if at >= walker.end or ctx.kinds[at] not in METHODS:
            return ""
        gap = ctx.gaps[at].strip()
        before = ctx.gaps[index].split()
        described = before[-1:] and before[-1] in walker.languages.links and ctx.levels[index] < CLAUSE
        if not gap and (is_open or described) and ctx.levels[at] == NONE:
            return ctx.kinds[at]
        closed = gap == "(" and ctx.low.startswith(")", ctx.ends[at])
        words = gap.split()
        return ctx.kinds[at] if closed or (words and set(words) <= walker.languages.links) else ""

    def gene_method(self, walker: Binding, index: int) -> str:
        """Return by which method an amplification was looked for."""
        if walker.method == "plasma" and walker.next_kind(index) == "specimen" and walker.ctx.levels[index + 1] == NONE:
            return "tissue"
        kinds, own = walker.kinds, walker.clause_kinds(index)
        sequenced = "tissue" in own and "ish" not in own and walker.method not in ("tissue", "plasma")
        if sequenced or walker.method in GENE_METHODS:
            return "tissue" if sequenced else walker.method
        if (
            {"ish", "other_probe"} & kinds
            or "ish" in walker.block
            or ("ish_hint" in kinds and "copies" not in kinds)
            or ("ratio" in kinds and SEQUENCED.isdisjoint(kinds))
            or "cep17" in kinds
        ):
            return "ish"
        if "plasma" in kinds or "plasma" in walker.block:
            return "tissue" if self.is_of_tissue(walker, index) else "plasma"
        _, following = walker.ctx.sentences.get(walker.end, (0, ()))
        if {"tissue", "copies"} & (kinds | walker.block) or "variant" in kinds:
            return "tissue"
        counted = "cep17" in following or {"cells", "ratio"} <= set(following)
        return "ish" if counted or self.is_of_hybridisation(walker) else "tissue"

    def is_of_hybridisation(self, walker: Binding) -> bool:
        """Tell whether in situ hybridisation is the only test of genes that the report has spoken of as done.

        Its conclusion ('Beurteilung: HER2-Gen amplifiziert') is then one of it, whatever stands between.
        """
        if not walker.tests.isdisjoint(SEQUENCING):
            return False
        states = [item.values.get("status") for item in self.drafts if item.analyte == ANALYTE["ish"]]
        return any(state not in OPEN_STATES for state in states) or (not states and "ish" in walker.tests)

    def is_of_tissue(self, walker: Binding, index: int) -> bool:
        """Tell whether not plasma but tissue was named last before a result, or, if neither was, next in its clause."""
        kinds = walker.ctx.kinds
        before = [kind for kind in kinds[walker.start : index] if kind in MATERIALS]
        if before:
            return before[-1] == "specimen"
        at = index + 1
        while at < walker.end and walker.ctx.levels[at] < CLAUSE and kinds[at] not in MATERIALS:
            at += 1
        return at < walker.end and walker.ctx.levels[at] < CLAUSE and kinds[at] == "specimen"

    def on_noun(self, walker: Binding, index: int, value: str) -> None:
        """Read 'amplification' or 'overexpression': a result of itself, or the name of one that follows."""
        if (
            walker.noun_negated
            and walker.noun == value
            and walker.negated_from < 0
            and index > walker.start
            and (walker.ctx.kinds[index - 1] in ("status", "anchor", "marker", "noun"))
        ):
            walker.noun_negated = False
            return
        walker.noun, walker.noun_negated = value, False
        if index <= walker.undone_at:
            return
        state = OF_NOUN.get(value)
        if value not in NEGATED_NOUN or walker.ctx.void[index] or self.describes_share(walker, index):
            return
        if self.is_denying(walker, index):
            if self.is_reached(walker, index):
                walker.noun_negated = True
                walker.emit(Fact("status", NEGATED_NOUN[value], index, value))
            else:
                walker.doubt("negation_unclear", index, "status")
            return
        after = walker.sign_after(index) == ":"
        if state and self.heads_list(walker, index, after):
            walker.label = Fact("status", state, index, value)
        elif state and self.answer_follows(walker, index):
            walker.asked = value if walker.topic == "her2" else walker.asked
        elif state and self.is_denied_after(walker, index):
            walker.doubt("negation_unclear", index, "status")
        elif state and not self.is_neutral(walker, index):
            walker.emit(Fact("status", state, index, value))

    def heads_list(self, walker: Binding, index: int, after: bool) -> bool:
        """Tell whether names are listed after a noun and a colon: 'Amplifications detected by NGS: MYC, ERBB2'."""
        kinds, levels, at = walker.ctx.kinds, walker.ctx.levels, index + 1
        if after or index > walker.start:
            return after and walker.next_kind(index) in ("anchor", "marker")
        while at < walker.end and levels[at] == NONE and (kinds[at] == "present" or kinds[at] in METHODS):
            at += 1
        named = index + 1 < at < walker.end and kinds[at] in ("anchor", "marker")
        return named and walker.ctx.gaps[at].strip() == ":"

    def share_follows(self, walker: Binding, index: int) -> bool:
        """Tell whether the clause goes on with the share of nuclei: '... in 54 % of 200 nuclei'."""
        kinds = walker.ctx.kinds[index + 1 : min(index + LOOK, walker.end)]
        if walker.ctx.values[index] != "amplification":
            return False
        return "pct" in kinds and "cells" in kinds[kinds.index("pct") :]

    def answer_follows(self, walker: Binding, index: int) -> bool:
        """Tell whether the clause goes on to say what came of it; other things of a list may stand between."""
        kinds, levels = walker.ctx.kinds, walker.ctx.levels
        others = False
        for at in range(index + 1, min(index + LOOK, walker.end)):
            others = others or kinds[at] == "marker"
            if levels[at] >= CLAUSE or (kinds[at] in ("num", "pct", "times", "score") and not others):
                return False
            if kinds[at] == "noun" and not self.in_list(walker, at):
                return False
            if kinds[at] in ("absent", "present", "status"):
                return not walker.ctx.void[at]
        return False

    def in_list(self, walker: Binding, index: int) -> bool:
        """Tell whether a noun is a further one of a list: 'ERBB2 amplification, MET amplification and ...'."""
        at = index
        while at > walker.start and walker.ctx.kinds[at - 1] in ("anchor", "marker", "variant", "assay", "num"):
            at -= 1
        words = set(walker.ctx.gaps[at].replace(",", " ").split())
        return "," in walker.ctx.gaps[at] or bool(words & walker.languages.separators)

    def is_neutral(self, walker: Binding, index: int) -> bool:
        """Tell whether only the test is named: 'tested for amplification', 'amplification status'."""
        ctx = walker.ctx
        before = index - 1
        if before > walker.start and ctx.kinds[before] == "anchor":
            before = before - 1 if ":" not in ctx.gaps[before] else -1
        if before >= walker.start and ctx.kinds[before] == "test" and ctx.levels[index] == NONE:
            words = ctx.low[ctx.ends[before] : ctx.starts[index]].split()
            return not set(words) - set(ctx.text(index - 1).split()) - walker.languages.links
        following = walker.next_kind(index)
        if following == "test" and ctx.levels[index + 1] == NONE:
            return True
        if self.share_follows(walker, index):
            return True
        if following in ("ihc", "ish") and not walker.has_state(index):
            return LABEL_END.match(ctx.low, ctx.ends[index + 1]) is not None
        after = ctx.low[ctx.ends[index] : ctx.ends[index] + 3].strip()
        return after[:1] in (":", "?")

    def on_polarity(self, walker: Binding, index: int) -> None:
        """Read 'detected' or 'not detected' of the noun before it."""
        ctx = walker.ctx
        absent = ctx.kinds[index] == "absent" or denies_next(ctx.low, ctx.ends[index])
        if not absent and self.begins_part(walker, index) and walker.next_kind(index) in ("anchor", "marker", "noun"):
            walker.negated_from = -1
            walker.noun, walker.noun_negated = "", False
        if absent and self.heads_denied(walker, index):
            walker.negated_from, walker.negated_list = index, True
            return
        if self.takes_object(walker, index):
            walker.noun = ""
            return
        label = walker.previous_kind(index) in ("tissue", "copies") and ":" in ctx.gaps[index]
        if absent and (walker.noun == "gain" or (label and not walker.noun)):
            walker.noun = "amplification"
        state = OF_NOUN.get(walker.noun)
        if absent and walker.noun == "expression":
            state = "overexpressed"
        absent = absent or self.is_denying(walker, index)
        if walker.asked and (walker.topic != "her2" or walker.noun != walker.asked) and not walker.ctx.void[index]:
            state, noun, walker.asked = OF_NOUN[walker.asked], walker.asked, ""
            walker.apply(Fact("status", OPPOSITE[state] if absent else state, index, noun))
            return
        if state is None or walker.noun_negated or walker.ctx.void[index] or not walker.is_near(index):
            return
        state, walker.asked = OPPOSITE[state] if absent else state, ""
        walker.emit(Fact("status", state, index, walker.noun))

    def begins_part(self, walker: Binding, index: int) -> bool:
        """Tell whether a verb begins a part of the sentence, but for the material that it speaks of."""
        levels, kinds = walker.ctx.levels, walker.ctx.kinds
        while index > walker.start and levels[index] == NONE and kinds[index - 1] in PLACED:
            index -= 1
        return levels[index] >= COMMA

    def takes_object(self, walker: Binding, index: int) -> bool:
        """Tell whether a verb that begins a clause speaks of what is named after it: '...; detected KRAS G12D'."""
        kinds, starts, levels, at = walker.ctx.kinds, walker.ctx.starts, walker.ctx.levels, index + 1
        while index > walker.start and starts[index - 1] == starts[index]:
            index -= 1
        while at < walker.end and starts[at] == starts[index]:
            at += 1
        named = at < walker.end and kinds[at] in ("anchor", "marker", "noun", "variant", "mutation")
        return named and levels[index] >= CLAUSE and levels[at] == NONE

    def on_sign(self, walker: Binding, index: int) -> None:
        """Read a single plus or minus that stands at a name or a method."""
        ctx = walker.ctx
        if index == 0 or (walker.next_kind(index) in ("score", "status") and len(ctx.gaps[index + 1]) <= len(" - ")):
            return
        previous = ctx.kinds[index - 1]
        if previous not in ("anchor", "marker", "ihc", "ish") or not SIGN_GAP.fullmatch(ctx.gaps[index]):
            return
        if previous == "marker":
            walker.closed = True
            return
        if self.is_suspended(walker, index):
            return
        value = "positive" if "+" in ctx.text(index) else "negative"
        walker.emit(Fact("status", value, index))
