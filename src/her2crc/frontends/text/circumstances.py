"""Whose a result is, and of what time: what the words for earlier, present, corrected and family change."""

from __future__ import annotations

from her2crc.frontends.text.binding import LOOK, Binding
from her2crc.frontends.text.context import COMMA, NONE

VALUES = frozenset(("score", "status", "pct", "num"))


class Circumstances(Binding):
    """Reads the words that set person and time."""

    def on_prior(self, index: int, value: str) -> None:
        """What follows, or the result just before, is an earlier one; of a value that was replaced it says nothing."""
        if self.replaced and self.ctx.items[index - 1].kind in (*VALUES, "specimen", "site"):
            return
        ahead = {item.kind for item in self.ctx.items[index + 1 : self.part_end(index)]}
        last = self.values.last
        if (
            self.ctx.levels[index] < COMMA
            and last is not None
            and last.sentence == self.sentence
            and not (ahead & {"score", "status", "anchor", "sign"})
        ):
            last.about.set("temporality", "prior", self.ctx.place(index))
            return
        self.about.set("temporality", "prior", self.ctx.place(index))
        self.prior_depth = self.ctx.depths[index]
        self.place_since = True

    def part_end(self, index: int) -> int:
        """Return where the part of the sentence between commas ends."""
        last, at = min(self.end, index + LOOK), index + 1
        while at < last and self.ctx.levels[at] < COMMA:
            at += 1
        return at

    def on_past(self, index: int, value: str) -> None:
        """An operation or treatment in a year: of another tumour it is history, and so is its result."""
        if "date" not in self.kinds:
            return
        items = self.ctx.items[self.start : self.end]
        tumours = {item.value for item in items if item.kind == "tumour"} or {self.about.tumour or "colorectal"}
        if "colorectal" not in tumours:
            self.on_prior(index, value)

    def on_current(self, index: int, value: str) -> None:
        """What follows is the present result; within an addendum it stays that of the addendum."""
        if self.about.temporality == "addendum":
            self.replaced, self.place_since = False, True
            return
        if index == self.start or self.has_anchor:
            self.end_prior("current")
        last = self.values.last
        if last is not None and last.sentence == self.sentence and last.about.date == self.about.date:
            self.about.set("date", None, None)
        self.about.set("temporality", "current", self.ctx.place(index))
        self.about.set("subject", "patient", None)
        self.replaced = False
        self.place_since = True

    def on_amended(self, index: int, value: str) -> None:
        """What follows was corrected or added later."""
        if index == self.start and self.about.temporality == "prior":
            self.end_prior("addendum")
        after_value = index > self.start and self.ctx.items[index - 1].kind in VALUES
        if self.replaced and after_value:
            self.replaced = False
        elif after_value and self.leads_on(index):
            self.drop_replaced(index)
        if self.about.temporality == "current" or (after_value and self.about.temporality == "prior"):
            self.place_since = self.place_since or self.about.temporality == "prior"
            self.about.set("temporality", "addendum", self.ctx.place(index))

    def leads_on(self, index: int) -> bool:
        """Tell whether a word leads from a value to what it was corrected to: '1+ corrected to 2+'."""
        if not VALUES & {item.kind for item in self.ctx.items[index + 1 : self.end]}:
            return False
        word, after = self.ctx.text(index), self.ctx.gap(index + 1).split()
        return not self.languages.turns.isdisjoint((word.split()[-1], word[-1], *after[:1]))

    def drop_replaced(self, index: int) -> None:
        """Take back the result just before, in the same sentence: it was replaced."""
        if not self.ctx.void[index] and self.values.last is not None and self.values.last.sentence == self.sentence:
            self.values.drop_last()

    def end_prior(self, temporality: str) -> None:
        """A sentence that begins with 'present' or 'addendum' ends what was told of earlier results."""
        if self.base.temporality == "prior":
            self.sections.ends.pop("prior", None)
            self.base.temporality = temporality
        self.about.set("temporality", self.base.temporality, None)

    def on_replaced(self, index: int, value: str) -> None:
        """The next value is the one that was replaced: no finding."""
        self.replaced = True
        if self.about.temporality == "current":
            self.about.set("temporality", "addendum", self.ctx.place(index))

    def on_reported(self, index: int, value: str) -> None:
        """'previously reported as': a replaced value beside its correction, else an earlier result."""
        scores = sum(
            item.kind == "score" for item in self.ctx.items[max(self.start, index - LOOK) : min(self.end, index + LOOK)]
        )
        if "amended" in self.kinds or self.about.temporality == "addendum" or scores > 1:
            self.on_replaced(index, value)
        else:
            self.on_prior(index, value)

    def on_replaced_by(self, index: int, value: str) -> None:
        """The result just before was replaced by the one that follows."""
        self.drop_replaced(index)
        self.replaced = False
        self.on_amended(index, value)

    def on_replaces(self, index: int, value: str) -> None:
        """This report, or this value, stands in the place of another: what follows a value is the old one."""
        last = self.values.last
        if last is not None and last.sentence == self.sentence:
            self.on_replaced(index, value)
        else:
            self.on_amended(index, value)

    def on_family(self, index: int, value: str) -> None:
        """What follows is of a relative, and what was just said where it is linked: 'cancer of her sister'."""
        place = self.ctx.place(index)
        if self.is_owner(index):
            for item in self.values.drafts:
                if item.sentence == self.sentence and item.about.subject == "patient":
                    item.about.set("subject", "family", place)
        self.about.set("subject", "family", place)
        self.place_since = True

    def is_owner(self, index: int) -> bool:
        """Tell whether a relative is said to be the one whose tumour was just spoken of."""
        if index == self.start or self.ctx.levels[index] > NONE:
            return False
        words = self.ctx.gap(index).split()
        named = self.ctx.items[index - 1].kind in ("tumour", "status", "score", "sign", "site")
        return named and not self.languages.owners.isdisjoint(words[:1])

    def on_patient(self, index: int, value: str) -> None:
        """What follows is of the patient again, unless only the relative is said to be hers or his."""
        before = self.ctx.items[index - 1] if index > self.start else None
        words = self.ctx.gap(index).split()
        of_relative = before is not None and before.kind == "family" and set(words[:1]) & self.languages.links
        if of_relative and set(words) <= self.languages.passable:
            return
        if self.about.subject == "family":
            self.leave_family()
        self.about.set("subject", "patient", None)

    def leave_family(self) -> None:
        """The tumour of a relative is not that of the patient: what was known of the patient's holds again."""
        tumour, spans = self.own_tumour
        self.about.set("tumour", tumour, spans[0] if spans else None)
