"""The findings in the making: which of them takes a value, and when another one begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.drafts import ANALYTE, About, Draft, Waiting, status_of
from her2crc.frontends.text.findings import IHC, ISH, PLASMA, STATUS, TISSUE, Span
from her2crc.frontends.text.fold import spaced
from her2crc.frontends.text.numbers import score_rank

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding

CALL_OF_SCORE = {"0": "negative", "1+": "negative", "0-1+": "negative", "2+": "equivocal", "3+": "positive"}
OPEN_STATES = frozenset(("pending", "not_done", "indeterminate"))

MONTH = (
    r"(?:(?:jan|feb|fev|mar|mai|may|mag|apr|abr|avr|jun|jul|jui|giu|lug|aug|ago|aou|sep|set|o[ckt]t|nov|de[cz]|dic|ene"
    r"|gen)[a-z]{0,6}\.? )"
)
LABEL = (
    rf"[ *•-]{{0,8}}{MONTH}?(?:\d{{1,2}}[./-]){{0,2}}(?P<year>(?:19|20)\d\d)(?:-\d\d){{0,2}}"
    r"(?:年(?:\d{1,2}月)?(?:\d{1,2}日)?)?(?: \([^()\n]{1,40}\))? ?:"
)
"""What an entry of a history begins with: '2019: ...', '- 03/2026: ...'."""
FIRST_ENTRY = re.compile(LABEL)
"""At the beginning of a text."""
ENTRY = re.compile(rf"\n{LABEL}")
"""Anywhere else: with a sign to begin with, so that searching is fast."""
NEAR = 4
"""Results that are looked back over for one that a dated one is the history of."""
LONGEST_ENTRY = 1_500
"""Characters of the entries of one paragraph that are looked back over."""

LINE = 300
"""Characters of a line on each side of a result in which its material is looked for."""
COMPARED = {STATUS: (IHC, ISH), IHC: (STATUS,), ISH: (STATUS,)}
"""Tests that a later result of this one can make an earlier result of."""


def year(item: Draft) -> str:
    """Return the year of a result with a date."""
    return (item.about.date or "").partition("-")[0]


def read_entries(low: str, first: int, last: int) -> list[tuple[int, str]]:
    """Return where the entries of a history begin that can hold places, the first and the last of which are given."""
    begin = max(0, first - LONGEST_ENTRY)
    if low.find("19", begin, last) < 0 and low.find("20", begin, last) < 0:
        return []
    opening = FIRST_ENTRY.match(low, 0, last) if begin == 0 else None
    entries = [(0, opening["year"])] if opening is not None else []
    entries.extend([(entry.start(), entry["year"]) for entry in ENTRY.finditer(low, begin, last)])
    return entries


def entry_year(low: str, entries: list[tuple[int, str]], at: int) -> str:
    """Return the year of the entry of a history that a place is in, in the same paragraph."""
    begin = max(low.rfind("\n\n", 0, at), at - LONGEST_ENTRY, 0) if entries else 0
    found = [own for start, own in entries if begin <= start < at]
    return found[-1] if found else ""


def other_date(one: About, other: About) -> bool:
    """Tell whether two results have dates that are not the same."""
    return one.date is not None and other.date is not None and one.date != other.date


def is_history(item: Draft, others: list[Draft]) -> bool:
    """Tell whether a result of a mere year is told after an undated one of its test: '3+; biopsy from 2022: 0'."""
    date = item.about.date
    if date is None or len(date) > len("2022-03"):
        return False
    return any(
        other.analyte == item.analyte
        and other.sentence == item.sentence
        and other.about.subject == item.about.subject
        and other.about.date is None
        and other.about.site not in (None, item.about.site)
        and other.begins() < item.begins()
        for other in others
    )


def agrees(stain: Draft, status: Draft) -> bool:
    """Tell whether a status in words is what a score without one means."""
    scores = {item.score for item in stain.populations}
    means = {CALL_OF_SCORE.get(max(scores, key=score_rank))} if scores else set()
    return "status" not in stain.values and status.values.get("status") in means


class Gathered:
    """Findings in the making; ``open`` is the one of each kind that takes more values."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.open: dict[str, Draft] = {}
        self.last: Draft | None = None
        self.anchor: Span | None = None
        self.waiting: Waiting | None = None

    def draft(self, walker: Binding, method: str, field: str, value: object) -> Draft:
        """Return the finding that takes a value: the open one of its method, or a new one."""
        analyte = "ERBB2_VARIANT" if method == "variant" else ANALYTE[method]
        found = self.open.get(analyte)
        same = found is not None and (
            (found.mention == walker.mention and found.sentence == walker.sentence and not walker.place_since)
            or (found.about.key() == walker.about.key() and not other_date(found.about, walker.about))
        )
        if found is None or not same or found.differs(field, value):  # type: ignore[arg-type]
            found = Draft(analyte, walker.about.copy(), self.anchor, walker.sentence, walker.mention)
            self.drafts.append(found)
            self.open[analyte] = found
        found.sentence, found.mention = walker.sentence, walker.mention
        self.last = found
        walker.block.add(method)
        return found

    def rename(self, anchor: Span, mention: int) -> None:
        """What was linked to a name before it was reached belongs to that mention."""
        for found in self.open.values():
            if found.anchor == anchor:
                found.mention, found.born = mention, (mention, found.born[1])

    def fresh(self, walker: Binding, method: str) -> Draft:
        """Return a new finding of a method."""
        self.open.pop(ANALYTE[method], None)
        return self.draft(walker, method, "", "")

    def resume(self, sentence: int) -> None:
        """Go on with the scored result before a parenthesis that told of an earlier one: '3+ (before: 2+), 60%'."""
        known = self.open.get(ANALYTE["ihc"])
        if known is None or known.about.temporality != "prior" or known is not self.drafts[-1]:
            return
        for item in self.drafts[-2:-1]:
            if item.analyte == known.analyte and item.sentence == sentence and item.about.temporality != "prior":
                self.open[item.analyte] = self.last = item

    def goes_on_about(self, walker: Binding, method: str) -> bool:
        """Tell whether the value before, of the same mention of HER2, is of a method: 'HER2 copies 5.2, negative'."""
        last = self.last
        return last is not None and last.mention == walker.mention and last.analyte == ANALYTE[method]

    def drop_last(self) -> None:
        """Take back the finding that was added to last."""
        if self.last is not None and self.drafts and self.drafts[-1] is self.last:
            self.drafts.pop()
            self.open.pop(self.last.analyte, None)
            self.last = None

    def settle(self) -> None:
        """Give a status without a method to the one method that is named after it in the same mention."""
        statuses = [item for item in self.drafts if item.analyte == STATUS]
        if not statuses or len(statuses) == len(self.drafts):
            return
        self.drop_reasons()
        beside: dict[tuple[int, int], list[Draft]] = {}
        for item in self.drafts:
            if item.analyte != STATUS and item.values.get("status") not in OPEN_STATES:
                beside.setdefault(item.born, []).append(item)
        given: set[int] = set()
        first = [item for item in statuses if any(agrees(stain, item) for stain in beside.get(item.born, []))]
        for status in (*first, *(item for item in statuses if item not in first)):
            others = beside.get(status.born, [])
            others = [item for item in others if agrees(item, status)] or others
            if len({item.analyte for item in others}) != 1 or status.values.get("status") in OPEN_STATES:
                continue
            method = next((name for name, analyte in ANALYTE.items() if analyte == others[0].analyte), "")
            if not method:
                continue
            means = status_of(method, str(status.values["status"]))
            if "status" not in others[0].values:
                others[0].put("status", means, status.spans["status"][0])
            if others[0].values["status"] == means:  # given now, or said a second time in other words
                given.add(id(status))
        self.drafts = [item for item in self.drafts if id(item) not in given]

    def drop_reasons(self) -> None:
        """Drop an open state without a method that is only the reason for another: 'no tissue, HER2 FISH not done'."""
        said = {
            (item.sentence, item.values.get("status"), item.about.key())
            for item in self.drafts
            if item.analyte != STATUS
        }
        self.drafts = [
            item for item in self.drafts
            if item.analyte != STATUS
            or item.values.get("status") not in OPEN_STATES
            or (item.sentence, item.values["status"], item.about.key()) not in said
        ]  # fmt: skip

    def settle_material(self, low: str, kept: re.Pattern[str] | None) -> None:
        """Give copies to plasma where the title of the report says that blood was sequenced, and nothing else.

        Where some are said to be of plasma, those stay whose line says that they are of tissue: ``kept`` finds it.
        """
        for item in self.drafts:
            begin = item.begins()
            first, last = low.rfind("\n", max(0, begin - LINE), begin), low.find("\n", begin, begin + LINE)
            line = max(first, begin - LINE, 0), last if last >= 0 else begin + LINE
            if item.analyte == TISSUE and (kept is None or kept.search(low, *line) is None):
                item.analyte = PLASMA

    def settle_tumours(self) -> None:
        """A result of another tumour, told before the present colorectal one ('now ...'), is an earlier one."""
        present = [
            item for item in self.drafts
            if item.about.tumour == "colorectal"
            and item.about.temporality == "current"
            and "temporality" in item.about.spans
        ]  # fmt: skip
        if not present:
            return
        first = present[0].about.spans["temporality"][0].start
        for item in self.drafts:
            others = item.about.tumour not in (None, "colorectal") and item.about.temporality == "current"
            if others and all(spans[0].start < first for spans in item.spans.values()):
                item.about.temporality = "prior"

    def settle_entries(self, low: str) -> None:
        """Date the results of an entry of a history ('2019: ...') by it, where they have no date of their own.

        A result of another tumour is an earlier one where a result of the patient has a later year.
        """
        stated = [item for item in self.drafts if not item.is_empty()]
        if len(stated) <= 1:
            return
        places = [item.begins() for item in stated]
        entries = read_entries(low, min(places), max(places))
        for item, at in zip(stated, places, strict=True):
            item.year = year(item) or entry_year(low, entries, at)
        own = [item for item in stated if item.about.subject == "patient"]
        latest = max([item.year for item in own], default="")
        for item in own:
            other = item.about.tumour not in (None, "colorectal") and item.about.temporality == "current"
            if other and "temporality" not in item.about.spans and "" < item.year < latest:
                item.about.temporality = "prior"

    def settle_times(self) -> None:
        """A dated result told before a present one of the same test, or of an earlier year, is an earlier one."""
        own = [item for item in self.drafts if item.about.temporality == "current" and not item.is_empty()]
        if len(own) <= 1 or not any(item.year for item in own):
            return
        present: dict[tuple[str, str], int] = {}
        latest: dict[tuple[str, str], str] = {}
        for item in own:
            test = item.analyte, item.about.subject
            if "temporality" in item.about.spans:
                present[test] = max(present.get(test, 0), item.begins())
            for name in (test[0], *COMPARED.get(test[0], ())):
                latest[name, test[1]] = max(latest.get((name, test[1]), ""), item.year)
        for number, item in enumerate(own):
            if not item.year or "temporality" in item.about.spans:
                continue
            test = item.analyte, item.about.subject
            before = item.about.date is not None and present.get(test, 0) > item.begins()
            if before or latest[test] > item.year or is_history(item, own[max(0, number - NEAR) : number]):
                item.about.temporality = "prior"
        earlier = {(item.sentence, item.about.date) for item in own if item.about.temporality == "prior"}
        newest = max(latest.values(), default="")
        for item in own:
            beside = (item.sentence, item.about.date) in earlier and item.about.date is not None
            if beside and "temporality" not in item.about.spans and item.year < newest:
                item.about.temporality = "prior"

    def attach_details(self, walker: Binding, found: Draft) -> None:
        """Give a finding the assay, antibody and pattern that were named for it."""
        if found.analyte == ANALYTE["ihc"]:
            if walker.pattern is not None and found.populations:
                found.put("pattern", *walker.pattern)
            if "antibody" in walker.details:
                found.put("antibody", *walker.details["antibody"])
        if "assay" in walker.details:
            name, span = walker.details["assay"]
            key = spaced(walker.ctx.low[span.start : span.end])
            method = walker.languages.assay_method.get(key, "")
            if ANALYTE.get(method) == found.analyte:
                found.put("assay", name, span)
