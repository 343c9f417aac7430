"""Walk over the items of a window, sentence by sentence: what each item changes, and which values it gives.

:mod:`her2crc.frontends.text.binding` keeps what is spoken of and decides where values go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from her2crc.frontends.text.binding import METHODS
from her2crc.frontends.text.circumstances import RESULTS, Circumstances
from her2crc.frontends.text.context import CLAUSE, COMMA, NONE, PARAGRAPH, SENTENCE, Context
from her2crc.frontends.text.drafts import Fact
from her2crc.frontends.text.findings import PLASMA

NOT_TUMOUR = re.compile(
    r"[\s-]{0,2}(?:\w{1,12}\s)?(?:criteri|scoring|guideline|protocol|algorithm|panel|score|rules?\b|kriteri)"
)

OF_TISSUE = re.compile(r"; ?(?:(?:in|im|le|il|el|the|but) )?(?:tissue|gewebe|tissu|tejido|tessuto|doku|组织|組織)")
"""What begins a part of a sentence that turns from plasma to tissue."""
OF_SLIDE = frozenset(("ihc", "ish", "score", "score_word"))
STAINED_FOR = frozenset(("ER", "PR", "AR", "Ki-67", "PD-L1", "MMR", "MSI", "protein"))
"""Markers that no in situ hybridisation is made for."""
LABELS = frozenset(("anchor", "ratio", "cep17", "test"))
"""What a method in parentheses can be added to: 'HER2 (FISH)', 'HER2/CEP17 ratio (FISH)'."""
FEW = 2
"""Sentences after that of HER2 that may speak of such markers before its hybridisation."""
OF_HYBRIDISED = frozenset(("ratio", "status", "num", "cep17", "copies", "mean", "noun"))
LABELLED = -1
"""In the place of a depth: an earlier time is that of the label of a name, until the next name."""
SPREAD_TO = frozenset(("liver", "lung", "lymph node", "peritoneum", "brain", "bone", "ovary"))
"""Sites that say more than that the tissue is a metastasis."""


class Walker(Circumstances):
    """Reads windows one after another."""

    # ---- blocks and sentences

    def read(self, ctx: Context) -> None:
        """Read the items of one window."""
        self.ctx = ctx
        self.reset_block()
        self.end, self.passed = 0, -1
        levels, depths, values = ctx.levels, ctx.depths, ctx.values
        for index, kind in enumerate(ctx.kinds):
            level = levels[index]
            if index >= self.end or level >= SENTENCE:
                self.begin_sentence(index, level)
            elif level >= CLAUSE:
                self.begin_clause()
                if self.method == "plasma" and OF_TISSUE.search(ctx.gaps[index]) is not None:
                    self.turn_to_tissue(index)
            if depths[index] != len(self.stack):
                self.follow_parentheses(index)
            if self.replaced and index and self.turns(index):
                self.replaced = False
            handler = HANDLERS.get(kind)
            if handler is not None:
                handler(self, index, values[index])
            if index == self.undone_at:
                self.emit(self.undone)
            if index > self.passed:
                self.slots.append(kind)

    def begin_sentence(self, index: int, level: int) -> None:
        """Start a sentence: its end, its methods, its person and time."""
        ctx = self.ctx
        if (level >= PARAGRAPH and self.spoke) or (index and ctx.void[index - 1] and self.topic_void):
            self.reset_block()
        self.sentence += 1
        self.start = index
        self.end, self.kinds = ctx.sentences[index]
        self.has_anchor = "anchor" in self.kinds
        self.topic_void = False
        if self.topic == "other":
            self.topic = ""
        self.reset_sentence()
        self.about.set("date", None, None)
        if self.about.subject == "family":
            self.leave_family()
        self.own_tumour = (self.about.tumour, self.about.spans.get("tumour"))
        self.sections.advance(ctx.starts[index], self.about, self.base)
        if self.of_past and self.about.temporality != "prior":
            self.about.set("tumour", None, None)
            self.of_past = False
        if self.sections.is_void:
            for at in range(index, self.end):
                ctx.void[at] = True

    def turn_to_tissue(self, index: int) -> None:
        """Speak of tissue, no longer of plasma: of its copies where no stain or hybridisation is named."""
        self.on_specimen(index, "")
        self.noun = ""
        if OF_SLIDE.isdisjoint(self.clause_kinds(index)):
            self.method, self.method_mention = "tissue", self.mention

    def begin_clause(self) -> None:
        """Forget what a semicolon ends; a list that is denied as a whole ('Negative for: ...') may go on over it."""
        self.negated_list = self.negated_across == "list"
        if not self.negated_across:
            self.negated_from = -1
        self.slots = []
        self.replaced = self.noun_negated = False
        self.closed = True

    def follow_parentheses(self, index: int) -> None:
        """A method or a time named in parentheses, beside another, ends with them."""
        depth, stack = self.ctx.depths[index], self.stack
        while len(stack) > depth:
            method = stack.pop()
            if method and not (method == "tissue" and self.method == "plasma"):
                self.method = method
            if self.about.temporality == "prior" and self.prior_depth > depth:
                if self.is_label(index, depth):
                    self.prior_depth = LABELLED
                else:
                    self.about.temporality = self.base.temporality
                    self.values.resume(self.sentence)
            self.replaced = False
        while len(stack) < depth:
            stack.append("" if self.is_method_of_name(index) else self.method)

    def is_label(self, index: int, depth: int) -> bool:
        """Tell whether a parenthesis that ends is a label without a value: 'HER2 (outside laboratory): 2+'."""
        if not self.ctx.gaps[index].startswith(("):", ") :")):
            return False
        at = index - 1
        while at > self.start and self.ctx.depths[at] > depth and self.ctx.kinds[at] not in RESULTS:
            at -= 1
        return self.ctx.depths[at] <= depth

    def is_method_of_name(self, index: int) -> bool:
        """Tell whether a parenthesis only adds the method to a name, of all that follows: 'HER2 (by FISH): ...'."""
        closes = self.ctx.low.startswith(")", self.ctx.ends[index])
        return closes and self.ctx.kinds[index] in METHODS and self.previous_kind(index) in LABELS

    # ---- names

    def on_anchor(self, index: int, value: str) -> None:
        """HER2 is named: it becomes the topic, unless the words are not its name, or name a drug."""
        if value == "assay" and self.topic == "her2":
            return
        if not value and (self.is_pronoun(index) or self.is_therapy(index)):
            self.topic, self.group_has, self.group_last, self.closed = "", False, False, True
            return
        if self.ctx.low.startswith("?", self.ctx.starts[index] - 1):
            self.void_rest(index + 1, COMMA)
        joined = self.joins_group(index)
        if self.prior_depth == LABELLED and not joined and self.about.temporality == "prior":
            self.about.temporality = self.base.temporality
        self.group_has, self.group_last, self.closed = True, True, False
        self.topic = "her2"
        self.topic_void = self.ctx.void[index]
        self.spoke = False
        self.mention += 1
        if not joined:
            self.noun = "" if self.ctx.levels[index] >= COMMA and self.negated_from < 0 else self.noun
        self.values.anchor = self.ctx.place(index)
        self.values.rename(self.values.anchor, self.mention)
        waiting, self.held = self.held, []
        for fact in waiting:
            self.apply(fact)
        if self.label is not None:
            self.apply(self.label)
        self.values.read_letter(self, index)
        if self.said == "positive" and self.negated_from == index - 1 and not self.ctx.void[index]:
            self.apply(Fact("status", "negative", index - 1))

    def on_marker(self, index: int, value: str) -> None:
        """Another marker is named; as the denominator of a ratio it is none."""
        if self.is_reference(index):
            if not {"tissue", "plasma", "digital"} & (self.kinds | {self.method}):
                self.slots.append("other_probe")
                self.block.add("ish")
            return
        if self.joins_group(index):
            self.group_last = False
        else:
            self.group_has = self.group_last = False
            self.noun = ""
        self.topic, self.closed = "other", False
        self.held = []

    def on_other_probe(self, index: int, value: str) -> None:
        """Another gene of chromosome 17 is counted: what is said of amplification is of in situ hybridisation."""
        if "ratio" in self.kinds and not {"tissue", "plasma", "digital"} & (self.kinds | {self.method}):
            self.block.add("ish")

    # ---- methods and context words

    def on_method(self, index: int, value: str) -> None:
        """A method is named."""
        kind = self.ctx.kinds[index]
        if self.ctx.void[index] and self.sections.is_void:
            if "method" in self.sections.ends:
                self.block.add(kind)
            return
        if kind == "digital":
            kind = "plasma" if "plasma" in self.kinds or "plasma" in self.block else "tissue"
        own = self.method_mention != self.mention and not self.is_also(index, "copies")
        own = own or self.ctx.text(index).endswith(":")
        if kind == "tissue" and self.method == "plasma" and not own:
            return
        before = self.previous_kind(index)
        if before != kind and before in METHODS and self.ctx.gaps[index].strip() in ("/", "&"):
            self.method = ""
            self.block.add(kind)
            return
        if kind == "ish" and self.topic != "her2" and self.is_of_earlier(index):
            self.topic, self.group_has, self.group_last, self.closed = "her2", True, True, False
        if not self.ctx.void[index]:
            self.tests.add(kind)
        if kind != self.method:
            self.noun = self.noun if self.noun == "amplification" and kind != "ihc" else ""
        self.method, self.method_mention = kind, self.mention
        self.block.add(kind)

    def is_of_earlier(self, index: int) -> bool:
        """Tell whether a hybridisation is of HER2, though a marker that is only stained for was named since.

        'HER2 2+, Ki-67 30%, FISH ratio 1.3': nobody hybridises for Ki-67.
        """
        ctx, at = self.ctx, index - 1
        last = self.values.last
        if last is None or ctx.levels[index] < COMMA or last.sentence < self.sentence - FEW:
            return False
        while at > 0 and ctx.levels[at + 1] < PARAGRAPH and ctx.kinds[at] not in ("marker", "anchor"):
            at -= 1
        return ctx.kinds[at] == "marker" and ctx.values[at] in STAINED_FOR and self.next_kind(index) in OF_HYBRIDISED

    def on_blood(self, index: int, value: str) -> None:
        """Blood is the material of a molecular test of the same clause; else it may be that of any test."""
        if self.clause_kinds(index) & {"tissue", "digital", "assay", "copies"}:
            self.method, self.method_mention = "plasma", self.mention
            self.block.add("plasma")

    def is_also(self, index: int, kind: str) -> bool:
        """Tell whether the word of an item has another meaning: 'CNV' is also a number of copies."""
        kinds, starts = self.ctx.kinds, self.ctx.starts
        for at in range(max(self.start, index - 1), min(index + 2, len(kinds))):
            if kinds[at] == kind and starts[at] == starts[index]:
                return True
        return False

    def on_no(self, index: int, value: str) -> None:
        """A negation begins."""
        self.negated_from = index
        undone = self.values.read_undone(self, index)
        if undone is not None:
            self.undone, self.undone_at = undone, undone.at

    def on_contrast(self, index: int, value: str) -> None:
        """'but' ends a negation and allows another value."""
        self.negated_from = -1
        self.noun_negated = False
        self.place_since = True

    def on_tumour(self, index: int, value: str) -> None:
        """A tumour is named: of what follows, and of the result before it in the sentence where it has none."""
        if NOT_TUMOUR.match(self.ctx.low, self.ctx.ends[index]) or (self.ctx.void[index] and value != "colorectal"):
            return
        self.about.set("tumour", value, self.ctx.place(index))
        self.of_past = self.about.temporality == "prior" and value != "colorectal"
        last = self.values.last
        if last is not None and last.sentence == self.sentence and last.about.tumour is None:
            last.about.set("tumour", value, self.ctx.place(index))

    def on_site(self, index: int, value: str) -> None:
        """A site is named."""
        before = self.previous_kind(index)
        if value == "metastasis" and before in ("site", "tumour") and self.ctx.levels[index] == NONE:
            return
        self.place_since = True
        last = self.values.last
        if value == "metastasis" and self.about.site in SPREAD_TO and self.ctx.levels[index] < CLAUSE:
            return
        if self.values.is_contrast(self, index):
            known = self.about.site, self.about.spans.get("specimen_site")
            self.about.set("specimen_site", value, self.ctx.place(index))
            self.values.put_contrast(self, index)
            self.about.set("specimen_site", known[0], known[1][0] if known[1] else None)
            return
        if (
            last is not None
            and last.sentence == self.sentence
            and (last.about.site is None or (last.about.site == "metastasis" and value in SPREAD_TO))
            and last.analyte != PLASMA
            and self.ctx.levels[index] < CLAUSE
        ):
            last.about.set("specimen_site", value, self.ctx.place(index))
        self.about.set("specimen_site", value, self.ctx.place(index))

    def on_specimen(self, index: int, value: str) -> None:
        """A kind of material is named: the next score may be that of another one, and no longer one of plasma."""
        self.place_since = True
        if self.method == "plasma":
            self.method = ""
            self.block.add("tissue")

    def on_part(self, index: int, value: str) -> None:
        """A part of the specimen is named."""
        part = self.ctx.text(index)[-1:].upper()
        self.sections.name_part(part, self.ctx.place(index), self.about)
        self.place_since = True

    def on_date(self, index: int, value: str) -> None:
        """A date is named: of the sentence's results."""
        self.values.on_date(self, index)

    def on_score(self, index: int, value: str) -> None:
        """A score is written."""
        self.values.on_score(self, index, value)

    def on_score_word(self, index: int, value: str) -> None:
        """A score may be written as a word."""
        self.values.on_score_word(self, index)

    def on_pct(self, index: int, value: str) -> None:
        """A percentage is written."""
        self.values.on_percent(self, index)

    def on_status(self, index: int, value: str) -> None:
        """A status is written."""
        self.values.on_status(self, index, value)

    def on_noun(self, index: int, value: str) -> None:
        """Amplification or overexpression is spoken of."""
        self.values.on_noun(self, index, value)

    def on_polarity(self, index: int, value: str) -> None:
        """'detected' or 'not detected'."""
        self.values.on_polarity(self, index)

    def on_sign(self, index: int, value: str) -> None:
        """A single plus or minus."""
        self.values.on_sign(self, index)

    def on_number(self, index: int, value: str) -> None:
        """A number is written."""
        self.values.on_number(self, index)

    def on_detail(self, index: int, value: str) -> None:
        """An assay, antibody or pattern is named."""
        self.values.on_detail(self, index, value)

    def on_variant(self, index: int, value: str) -> None:
        """A protein change is written."""
        self.values.on_variant(self, index)

    def on_iscn(self, index: int, value: str) -> None:
        """A karyotype of in situ hybridisation is written."""
        self.values.on_iscn(self, index)


HANDLERS: dict[str, Callable[[Walker, int, str], None]] = {
    "anchor": Walker.on_anchor,
    "marker": Walker.on_marker,
    "other_probe": Walker.on_other_probe,
    **dict.fromkeys(METHODS, Walker.on_method),
    "blood": Walker.on_blood,
    "no": Walker.on_no,
    "contrast": Walker.on_contrast,
    "prior": Walker.on_prior,
    "past": Walker.on_past,
    "current": Walker.on_current,
    "amended": Walker.on_amended,
    "reported": Walker.on_reported,
    "replaces": Walker.on_replaces,
    "replaced_by": Walker.on_replaced_by,
    "replaced": Walker.on_replaced,
    "family": Walker.on_family,
    "patient": Walker.on_patient,
    "tumour": Walker.on_tumour,
    "site": Walker.on_site,
    "part": Walker.on_part,
    "specimen": Walker.on_specimen,
    "date": Walker.on_date,
    "score": Walker.on_score,
    "score_word": Walker.on_score_word,
    "pct": Walker.on_pct,
    "status": Walker.on_status,
    "noun": Walker.on_noun,
    "absent": Walker.on_polarity,
    "present": Walker.on_polarity,
    "sign": Walker.on_sign,
    "num": Walker.on_number,
    "times": Walker.on_number,
    "assay": Walker.on_detail,
    "antibody": Walker.on_detail,
    "pattern": Walker.on_detail,
    "variant": Walker.on_variant,
    "iscn": Walker.on_iscn,
}
