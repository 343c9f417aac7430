"""Findings while they are put together: one for each method, specimen and time; made final at the end."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from her2crc.frontends.text.findings import IHC, ISH, PLASMA, STATUS, TISSUE, Finding, Span, Value
from her2crc.frontends.text.fold import Folded
from her2crc.frontends.text.numbers import score_rank

ANALYTE = {"ihc": IHC, "ish": ISH, "tissue": TISSUE, "plasma": PLASMA, "": STATUS}
GENE_METHODS = ("ish", "tissue", "plasma")
SEQUENCING = frozenset(("tissue", "plasma", "digital"))
"""Methods that count copies in DNA, not in nuclei."""
DETAILS = frozenset(("antibody", "assay", "pattern"))
"""What states no result by itself."""
IS_STAINING = frozenset(("ihc", ""))
AMPLIFIED = {"positive": "amplified", "overexpressed": "amplified", "negative": "not_amplified",
             "not_overexpressed": "not_amplified"}  # fmt: skip
STAINED = {"overexpressed": "positive", "not_overexpressed": "negative"}


class Fact:
    """A value on its way to a finding: its field, the item that states it, the noun it speaks of, and its place."""

    def __init__(self, field: str, value: str, at: int, hint: str = "", span: Span | None = None) -> None:
        self.field, self.value, self.at, self.hint, self.span = field, value, at, hint, span


class Waiting:
    """A percentage that stands before its score."""

    def __init__(self, percent: Decimal, op: str, span: Span, sentence: int) -> None:
        self.percent, self.op, self.span, self.sentence = percent, op, span, sentence


class Population:
    """Cells of one score, and how many they are."""

    def __init__(self, score: str, span: Span) -> None:
        self.score, self.span = score, span
        self.percent: Decimal | None = None
        self.op = ""
        self.percent_span: Span | None = None


class Draft:
    """One finding in the making; ``sentence`` and ``mention`` say where it was last added to, ``year`` of when."""

    def __init__(self, analyte: str, about: About, anchor: Span | None, sentence: int, mention: int) -> None:
        self.analyte, self.about, self.anchor = analyte, about, anchor
        self.sentence, self.mention = sentence, mention
        self.born = (mention, sentence)
        self.year = ""
        self.values: dict[str, Value] = {}
        self.spans: dict[str, tuple[Span, ...]] = {}
        self.populations: list[Population] = []

    def put(self, field: str, value: Value, span: Span) -> None:
        """Add a value, the first that is given staying."""
        if field not in self.values:
            self.values[field] = value
            self.spans[field] = (span,)

    def differs(self, field: str, value: Value) -> bool:
        """Tell whether the field has another value already."""
        return field in self.values and self.values[field] != value

    def begins(self) -> int:
        """Return where the first of its values stands."""
        starts = [span.start for places in self.spans.values() for span in places]
        return min(starts + [item.span.start for item in self.populations])

    def ends(self) -> int:
        """Return where the last of its values ends."""
        spans = [span for places in self.spans.values() for span in places]
        return max((span.end for span in [*spans, *(item.span for item in self.populations)]), default=0)

    def is_empty(self) -> bool:
        """Tell whether nothing was stated."""
        return not self.populations and DETAILS.issuperset(self.values)

    def finish(self, folded: Folded) -> Finding:
        """Return the finding, its places those of the original text."""
        self._take_highest()
        about = self.about
        if self.analyte == PLASMA:  # blood: the site named before is that of the tissue
            about.set("specimen_site", None, None)
        if self.anchor is not None:
            self.spans["anchor"] = (self.anchor,)
        spans = about.spans | self.spans
        if folded.starts:
            spans = {name: tuple(Span(*folded.span(at.start, at.end)) for at in places) for name, places in
                     spans.items()}  # fmt: skip
        return Finding(
            self.analyte, self.values, spans, about.temporality, about.subject, about.tumour, about.site, about.part,
            about.date,
        )  # fmt: skip

    def _take_highest(self) -> None:
        """Take the population of the highest intensity of a mixed result."""
        if not self.populations:
            return
        best = self.populations[0] if len(self.populations) == 1 else self._highest()
        values: dict[str, Value] = {"ihc_score": best.score}
        spans: dict[str, tuple[Span, ...]] = {"ihc_score": (best.span,)}
        if best.percent is not None and best.percent_span is not None:
            self.values.setdefault("percent", best.percent)
            spans["percent"] = (best.percent_span,)
            if best.op:
                self.values.setdefault("percent_op", best.op)
        values.update(self.values)
        spans.update(self.spans)
        self.values, self.spans = values, spans

    def _highest(self) -> Population:
        found = [item for item in self.populations if item.op or item.percent != 0]
        return max(found or self.populations, key=lambda item: score_rank(item.score))


class About:
    """Of what a finding is: time, person, tumour, specimen. Copied for each draft, as it can change on the way."""

    def __init__(self) -> None:
        self.temporality, self.subject = "current", "patient"
        self.tumour: str | None = None
        self.site: str | None = None
        self.part: str | None = None
        self.date: str | None = None
        self.spans: dict[str, tuple[Span, ...]] = {}

    def copy(self) -> About:
        """Return a copy that changes on its own."""
        other = About()
        other.temporality, other.subject, other.tumour = self.temporality, self.subject, self.tumour
        other.site, other.part, other.date, other.spans = self.site, self.part, self.date, dict(self.spans)
        return other

    def key(self) -> tuple[str | None, ...]:
        """Return what keeps findings apart."""
        return self.temporality, self.subject, self.tumour, self.site, self.part

    def differs(self, other: About) -> bool:
        """Tell whether another result is of another time, person or tumour."""
        mine, its = ((item.temporality, item.subject, item.tumour) for item in (self, other))
        return mine != its

    def set(
        self, name: Literal["tumour", "specimen_site", "part", "date"], value: str | None, span: Span | None
    ) -> None:
        """Set what a specimen is, with its place."""
        if name == "date":
            self.date = value
        elif name == "tumour":
            self.tumour = value
        elif name == "specimen_site":
            self.site = value
        else:
            self.part = value
        self._place(name, span)

    def set_temporality(self, value: str, span: Span | None) -> None:
        """Set the time, with its place."""
        self.temporality = value
        self._place("temporality", span)

    def set_subject(self, value: str, span: Span | None) -> None:
        """Set the person, with the place."""
        self.subject = value
        self._place("subject", span)

    def _place(self, name: str, span: Span | None) -> None:
        if span is not None:
            self.spans[name] = (span,)
        elif name in self.spans:
            del self.spans[name]


def status_of(method: str, status: str) -> str:
    """Return a status in the words of its method: positive for stains, amplified for genes."""
    return STAINED.get(status, status) if method in IS_STAINING else AMPLIFIED.get(status, status)
