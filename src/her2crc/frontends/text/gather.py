"""The findings in the making: which of them takes a value, and when another one begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from her2crc.frontends.text.drafts import ANALYTE, About, Draft, Waiting, status_of
from her2crc.frontends.text.findings import IHC, ISH, PLASMA, STATUS, TISSUE, Span
from her2crc.frontends.text.numbers import score_rank

if TYPE_CHECKING:
    from her2crc.frontends.text.binding import Binding

CALL_OF_SCORE = {"0": "negative", "1+": "negative", "0-1+": "negative", "2+": "equivocal", "3+": "positive"}
OPEN_STATES = frozenset(("pending", "not_done", "indeterminate"))

MONTH = (
    r"(?:(?:jan|feb|fev|mar|mai|may|mag|apr|abr|avr|jun|jul|jui|giu|lug|aug|ago|aou|sep|set|o[ckt]t|nov|de[cz]|dic|ene"
    r"|gen)[a-z]{0,6}\.? )"
)
ENTRY = re.compile(
    rf"(?:^|\n)[ *•-]{{0,8}}{MONTH}?(?:\d{{1,2}}[./-]){{0,2}}(?P<year>(?:19|20)\d\d)(?:-\d\d){{0,2}}"
    r"(?:年(?:\d{1,2}月)?(?:\d{1,2}日)?)?(?: \([^()\n]{1,40}\))? ?:"
)
"""What an entry of a history begins with."""
YEAR_LABEL = re.compile(r"(?:19|20)\d\d[^\n:]{0,50}:")
"""What holds one: the cheap test."""
LONGEST_ENTRY = 1_500
"""Characters of the entries of one paragraph that are looked back over."""

COMPARED = {STATUS: (IHC, ISH), IHC: (STATUS,), ISH: (STATUS,)}
"""Tests that a later result of this one can make an earlier result of."""


def year(item: Draft) -> str:
    """Return the year of a result with a date."""
    return (item.about.date or "").partition("-")[0]


def read_entries(low: str, first: int, last: int) -> list[tuple[int, str]]:
    """Return where the entries of a history begin that can hold a place: '2019: ...', '- 03/2026: ...'; their years."""
    begin = max(0, first - LONGEST_ENTRY)
    if YEAR_LABEL.search(low, begin, last) is None:
        return []
    return [(entry.start(), entry["year"]) for entry in ENTRY.finditer(low, begin, last)]


def entry_year(low: str, entries: list[tuple[int, str]], at: int) -> str:
    """Return the year of the entry of a history that a place is in, in the same paragraph."""
    begin = max(low.rfind("\n\n", 0, at), at - LONGEST_ENTRY, 0) if entries else 0
    found = [own for start, own in entries if begin <= start < at]
    return found[-1] if found else ""


def other_date(one: About, other: About) -> bool:
    """Tell whether two results have dates that are not the same."""
    return one.date is not None and other.date is not None and one.date != other.date


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
        self.years: dict[int, str] = {}

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

    def drop_last(self) -> None:
        """Take back the finding that was added to last."""
        if self.last is not None and self.drafts and self.drafts[-1] is self.last:
            self.drafts.pop()
            self.open.pop(self.last.analyte, None)
            self.last = None

    def settle(self) -> None:
        """Give a status without a method to the one method that is named after it in the same mention."""
        if not [item for item in self.drafts if item.analyte == STATUS]:
            return
        beside: dict[tuple[int, int], list[Draft]] = {}
        for item in self.drafts:
            if item.analyte != ANALYTE[""] and item.values.get("status") not in OPEN_STATES:
                beside.setdefault(item.born, []).append(item)
        given: set[int] = set()
        first = [item for item in self.drafts if any(agrees(stain, item) for stain in beside.get(item.born, []))]
        for status in (*first, *(item for item in self.drafts if item not in first)):
            if status.analyte != ANALYTE[""]:
                continue
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

    def settle_material(self) -> None:
        """Give copies to plasma where the title of the report says that blood was sequenced, and nothing else."""
        for item in self.drafts:
            if item.analyte == TISSUE:
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
        places = [item.begins() for item in stated]
        entries = read_entries(low, min(places), max(places)) if len(places) > 1 else []
        for item, at in zip(stated, places, strict=True):
            self.years[id(item)] = year(item) or entry_year(low, entries, at)
        own = [item for item in stated if item.about.subject == "patient"]
        latest = max([self.years[id(item)] for item in own], default="")
        for item in own:
            other = item.about.tumour not in (None, "colorectal") and item.about.temporality == "current"
            if other and "temporality" not in item.about.spans and "" < self.years[id(item)] < latest:
                item.about.temporality = "prior"

    def settle_times(self) -> None:
        """A dated result told before a present one of the same test, or of an earlier year, is an earlier one."""
        own = [item for item in self.drafts if item.about.temporality == "current" and not item.is_empty()]
        if len(own) <= 1:
            return
        present: dict[tuple[str, str], int] = {}
        latest: dict[tuple[str, str], str] = {}
        for item in own:
            test = item.analyte, item.about.subject
            if "temporality" in item.about.spans:
                present[test] = max(present.get(test, 0), item.begins())
            for name in (test[0], *COMPARED.get(test[0], ())):
                latest[name, test[1]] = max(latest.get((name, test[1]), ""), self.years.get(id(item), ""))
        for item in own:
            test = item.analyte, item.about.subject
            own_year = self.years.get(id(item), "")
            if not own_year or "temporality" in item.about.spans:
                continue
            dated = item.about.date is not None and present.get(test, 0) > item.begins()
            if dated or latest[test] > own_year:
                item.about.temporality = "prior"
        earlier = {(item.sentence, item.about.date) for item in own if item.about.temporality == "prior"}
        newest = max(latest.values(), default="")
        for item in own:
            beside = (item.sentence, item.about.date) in earlier and item.about.date is not None
            if beside and "temporality" not in item.about.spans and self.years.get(id(item), "") < newest:
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
            key = " ".join(walker.ctx.low[span.start : span.end].replace("-", " ").split())
            method = walker.languages.assay_method.get(key, "")
            if ANALYTE.get(method) == found.analyte:
                found.put("assay", name, span)
