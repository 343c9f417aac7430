"""Whose a result is, and of what time: what the words for earlier, present, corrected and family change."""

from __future__ import annotations

import re

from her2crc.frontends.text.binding import LOOK, Binding
from her2crc.frontends.text.context import COMMA, NONE

VALUES = frozenset(("score", "status", "pct", "num"))
REPLACED = VALUES | {"specimen", "site"}
RESULTS = frozenset(("score", "status", "anchor", "sign"))
"""What may still follow that an earlier time is said of."""
UNCHANGED = re.compile(
    r"[ \w]{0,20}?[(,:] ?(?:is |remains )?(?:unchanged|unaltered|unverandert|inchange|sin cambios|sin modificaci"
    r"|invariat|degismemis|不变|无变化|未变|変更なし)"
)
"""What says that an earlier result still holds."""
TAKEN = re.compile(r"biops|resec|resek|活检|生検")
"""Words for a specimen that was taken now."""


class Circumstances(Binding):
    """Reads the words that set person and time."""

    def on_prior(self, index: int, value: str) -> None:
        """What follows, or the result just before, is an earlier one; of a value that was replaced it says nothing."""
        if self.replaced and self.ctx.kinds[index - 1] in REPLACED:
            return
        if UNCHANGED.match(self.ctx.low, self.ctx.ends[index]) is not None:  # 'original diagnosis (unchanged): ...'
            self.about.set_temporality("current", None)
            return
        ahead = self.ctx.kinds[index + 1 : self.part_end(index)]
        last = self.values.last
        if last is not None and self.is_of_denied(index, [item.span.end for item in last.populations]):
            return
        if (
            self.ctx.levels[index] < COMMA
            and last is not None
            and last.sentence == self.sentence
            and RESULTS.isdisjoint(ahead)
        ):
            last.about.set_temporality("prior", self.ctx.place(index))
            return
        if self.about.temporality != "prior":
            self.prior_depth = self.ctx.depths[index]
        self.about.set_temporality("prior", self.ctx.place(index))
        self.place_since = True

    def is_of_denied(self, index: int, ends: list[int]) -> bool:
        """Tell whether the score just before is none of a finding: '2+, and not 3+ as first reported'."""
        denied = self.previous_kind(index) == "score" and bool(ends) and self.ctx.ends[index - 1] not in ends
        return denied and self.values.is_denied(self, index - 1)

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
        kinds, values = self.ctx.kinds, self.ctx.values
        tumours = {values[at] for at in range(self.start, self.end) if kinds[at] == "tumour"} or {
            self.about.tumour or "colorectal"
        }
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
        self.about.set_temporality("current", self.ctx.place(index))
        self.about.set_subject("patient", None)
        self.replaced = False
        self.place_since = True

    def on_amended(self, index: int, value: str) -> None:
        """What follows was corrected or added later."""
        if index == self.start and self.about.temporality == "prior":
            self.end_prior("addendum")
        after_value = index > self.start and self.ctx.kinds[index - 1] in VALUES
        if self.replaced and after_value:
            self.replaced = False
        elif after_value and self.leads_on(index):
            self.drop_replaced(index)
        if self.about.temporality == "current" or (after_value and self.about.temporality == "prior"):
            self.place_since = self.place_since or self.about.temporality == "prior"
            self.about.set_temporality("addendum", self.ctx.place(index))

    def leads_on(self, index: int) -> bool:
        """Tell whether a word leads from a value to what it was corrected to: '1+ corrected to 2+'."""
        if VALUES.isdisjoint(self.ctx.kinds[index + 1 : self.end]):
            return False
        word, after = self.ctx.text(index), self.ctx.gaps[index + 1].split()
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
        self.about.set_temporality(self.base.temporality, None)

    def on_replaced(self, index: int, value: str) -> None:
        """The next value is the one that was replaced: no finding."""
        self.replaced = True
        if self.about.temporality == "current":
            self.about.set_temporality("addendum", self.ctx.place(index))

    def on_reported(self, index: int, value: str) -> None:
        """'previously reported as': a replaced value beside its correction, else an earlier result."""
        around = self.ctx.kinds[max(self.start, index - LOOK) : min(self.end, index + LOOK)]
        if "amended" in self.kinds or self.about.temporality == "addendum" or around.count("score") > 1:
            self.on_replaced(index, value)
        else:
            self.on_prior(index, value)

    def on_replaced_by(self, index: int, value: str) -> None:
        """The result just before was replaced by the one that follows, or is an earlier one, of another specimen."""
        last = self.values.last
        if last is not None and last.sentence == self.sentence and self.is_of_new_specimen(index):
            last.about.set_temporality("prior", self.ctx.place(index))
            self.about.set_temporality("current", None)
            self.about.set("specimen_site", None, None)
            self.about.set("date", None, None)
            self.replaced, self.place_since, self.values.last = False, True, None
            return
        self.drop_replaced(index)
        self.replaced = False
        self.on_amended(index, value)

    def is_of_new_specimen(self, index: int) -> bool:
        """Tell whether another specimen is named before the next value: 'superseded by that of the rebiopsy: 3+'."""
        kinds, at = self.ctx.kinds, index + 1
        while at < self.end and kinds[at] not in VALUES:
            if kinds[at] in ("specimen", "site") or (kinds[at] == "current" and TAKEN.search(self.ctx.text(at))):
                return True
            at += 1
        return False

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
                    item.about.set_subject("family", place)
        self.about.set_subject("family", place)
        self.place_since = True

    def is_owner(self, index: int) -> bool:
        """Tell whether a relative is said to be the one whose tumour was just spoken of."""
        if index == self.start or self.ctx.levels[index] > NONE:
            return False
        words = self.ctx.gaps[index].split()
        named = self.ctx.kinds[index - 1] in ("tumour", "status", "score", "sign", "site")
        return named and not self.languages.owners.isdisjoint(words[:1])

    def on_patient(self, index: int, value: str) -> None:
        """What follows is of the patient again, unless only the relative is said to be hers or his."""
        words = self.ctx.gaps[index].split()
        of_relative = self.previous_kind(index) == "family" and set(words[:1]) & self.languages.links
        if of_relative and set(words) <= self.languages.passable:
            return
        if self.about.subject == "family":
            self.leave_family()
        self.about.set_subject("patient", None)

    def leave_family(self) -> None:
        """The tumour of a relative is not that of the patient: what was known of the patient's holds again."""
        tumour, spans = self.own_tumour
        self.about.set("tumour", tumour, spans[0] if spans else None)
