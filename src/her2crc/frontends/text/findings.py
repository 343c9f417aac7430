"""What reading a report gives: findings with their places, other markers, and what a person must look at.

Values carry the names of the gold standard's keys; every value has the places in the original text that state it.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

Value = str | int | float | Decimal | bool

IHC, ISH, TISSUE, PLASMA = "HER2_IHC", "HER2_ISH", "ERBB2_CN_TISSUE", "ERBB2_CN_PLASMA"
STATUS, VARIANT = "HER2_STATUS", "ERBB2_VARIANT"
ANALYTES = (IHC, ISH, TISSUE, PLASMA, STATUS, VARIANT)
CURRENT, PRIOR, ADDENDUM = "current", "prior", "addendum"
PATIENT, FAMILY = "patient", "family"


class Span(msgspec.Struct, frozen=True, gc=False):
    """Where something stands: ``text[start:end]`` of the original text."""

    start: int
    end: int


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One result of one method on one specimen.

    ``values`` holds what was measured or stated (``ihc_score``, ``percent``, ``percent_op``, ``pattern``, ``ratio``,
    ``her2_mean``, ``cep17_mean``, ``cells``, ``pct_cells_amplified``, ``her2_signals``, ``cep17_signals``, ``cn``,
    ``fold``, ``variant``, ``status``, ``antibody``, ``assay``). ``spans`` holds the places of each of them, and under
    ``tumour``, ``specimen_site``, ``part``, ``date``, ``temporality`` and ``subject`` those of the words that say so;
    ``anchor`` is the place of the name of HER2. None means that the text does not say.
    """

    analyte: str
    values: dict[str, Value]
    spans: dict[str, tuple[Span, ...]]
    temporality: str = CURRENT
    subject: str = PATIENT
    tumour: str | None = None
    specimen_site: str | None = None
    part: str | None = None
    date: str | None = None


class Marker(msgspec.Struct, frozen=True, gc=False):
    """Another marker of the tumour: ``name`` and ``value`` are a column of the specimen table and its code."""

    name: str
    value: str
    span: Span
    temporality: str = CURRENT
    subject: str = PATIENT
    tumour: str | None = None


class Review(msgspec.Struct, frozen=True, gc=False):
    """Something about HER2 that could not be bound to a finding: why (an id of ``messages``), where, which field."""

    reason: str
    span: Span
    field: str = ""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """Everything that one text says, in its order."""

    findings: tuple[Finding, ...] = ()
    review: tuple[Review, ...] = ()
    markers: tuple[Marker, ...] = ()


def as_json(finding: Finding) -> dict[str, object]:
    """Return a finding as the scorer and the stages exchange it; ``spans`` holds ``[start, end]`` of each value."""
    found: dict[str, object] = {"analyte": finding.analyte}
    for name, value in finding.values.items():
        found[name] = _plain(value) if isinstance(value, Decimal) else value
    for name, stated in (
        ("specimen_site", finding.specimen_site),
        ("tumour", finding.tumour),
        ("part", finding.part),
        ("date", finding.date),
    ):
        if stated is not None:
            found[name] = stated
    found["temporality"], found["subject"] = finding.temporality, finding.subject
    found["spans"] = {name: [places[0].start, places[0].end] for name, places in finding.spans.items()}
    return found


def _plain(value: Decimal) -> int | float:
    """Return a decimal as a number of JSON."""
    whole = int(value)
    return whole if whole == value else float(value)
