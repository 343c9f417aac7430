"""The answer about one patient: the result contract of `assess --format json`.

Field names are the keys of the JSON that others rely on; ``msgspec.to_builtins`` of an :class:`Assessment` is it.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from her2crc.model.citation import Citation
from her2crc.model.patient import Patient
from her2crc.model.record import Issue

Status = Literal["positive", "negative", "equivocal", "indeterminate", "not_covered"]

DECIDED = ("positive", "negative")
"""The statuses that say yes or no."""


class SpecimenVerdict(msgspec.Struct, frozen=True):
    """What one set says of one specimen.

    ``row`` is the row that decided, ``missing`` the facts that would decide, ``why`` one sentence for a person.
    """

    status: Status
    row: str | None
    missing: tuple[str, ...]
    cite: tuple[Citation, ...]
    why: str


class SetVerdict(msgspec.Struct, frozen=True):
    """What one set says of the patient, and of each specimen.

    ``discordant`` is true where decided specimens differ; ``role`` is ``rule``, ``contrast`` or ``unseen``.
    """

    status: Status
    discordant: bool
    specimens: dict[str, SpecimenVerdict]
    name: str
    role: str
    confidence: str
    review_state: str
    effective: date
    effective_precision: str
    origin: str


class Agreement(msgspec.Struct, frozen=True):
    """Which sets say what of the patient; contrast sets are left out."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    equivocal: tuple[str, ...]
    indeterminate: tuple[str, ...]
    not_covered: tuple[str, ...]


class Reason(msgspec.Struct, frozen=True):
    """What one source says on whether to test; ``recommended`` is None where a fact is missing."""

    source: str
    recommended: bool | None
    text: str
    missing: tuple[str, ...]
    cite: tuple[Citation, ...]


class Testing(msgspec.Struct, frozen=True):
    """Whether HER2 should be tested, by the source article (S01); every source has its own line in ``reasons``."""

    recommended: bool | None
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]


class NextTest(msgspec.Struct, frozen=True):
    """A test that can change an answer: on which specimen (None: new material), why, and what it would decide."""

    test: str
    name: str
    specimen: str | None
    site: str | None
    why: str
    would_decide: tuple[str, ...]
    cite: tuple[Citation, ...]


class Comparison(msgspec.Struct, frozen=True):
    """Two specimens, or two methods, under one set: ``concordant`` is None where one of them is not decided."""

    kind: str
    criteria: str
    first: str
    second: str
    first_status: Status
    second_status: Status
    concordant: bool | None


class Retest(msgspec.Struct, frozen=True):
    """How likely an untested lesion is positive, given what was found so far, and from which counts.

    Probabilities run 0..1. ``prior_events`` of ``prior_total`` is the published 2x2 table (patients whose tested
    lesion had this result, and of them those whose other lesion was positive); ``data_events`` of ``data_total``
    are this patient's own lesions of that kind. ``lesions_needed`` is how many further lesions, all negative,
    bring the probability below 1 - ``certainty`` (None: more than the stated maximum).
    """

    site: str
    given: str
    table: str
    method: str
    prior_events: int
    prior_total: int
    data_events: int
    data_total: int
    probability: float
    interval: tuple[float, float]
    certainty: float
    lesions_needed: int | None
    note: str
    cite: tuple[Citation, ...]


class Concordance(msgspec.Struct, frozen=True):
    """How specimens, sites and methods agree, and what that says of lesions not yet tested."""

    comparisons: tuple[Comparison, ...]
    discordant_sets: tuple[str, ...]
    untested_sites: tuple[str, ...]
    retest: tuple[Retest, ...]


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """A figure of a trial; counts carry an exact 95 % interval, ``inferred`` marks counts not printed as such."""

    id: str
    label: str
    value: str
    cite: tuple[Citation, ...]
    events: int | None = None
    total: int | None = None
    interval: tuple[str, str] | None = None
    inferred: bool = False
    note: str = ""


class Condition(msgspec.Struct, frozen=True):
    """One condition of a regimen, whether the patient meets it (None: unknown), and the facts that are missing."""

    text: str
    met: bool | None
    missing: tuple[str, ...]


class Approval(msgspec.Struct, frozen=True):
    """What an authority had decided on a regimen by a date; ``confidence`` says how sure that is."""

    authority: str
    state: str
    on: str
    confidence: str
    cite: tuple[Citation, ...]


class Action(msgspec.Struct, frozen=True):
    """A regimen under one trial's or label's own conditions; ``fits`` is None where a condition is unknown."""

    id: str
    regimen: str
    setting: str
    fits: bool | None
    why: str
    conditions: tuple[Condition, ...]
    evidence: tuple[Evidence, ...]
    approvals: tuple[Approval, ...]
    confidence: str
    review_state: str
    cite: tuple[Citation, ...]


class Caveat(msgspec.Struct, frozen=True):
    """Something a reader must keep in mind with this answer; ``specimen`` is empty where it is the patient's."""

    id: str
    text: str
    cite: tuple[Citation, ...]
    specimen: str = ""


class KnowledgeStamp(msgspec.Struct, frozen=True):
    """Which knowledge gave the answer."""

    version: str
    sha256: str


class Assessment(msgspec.Struct, frozen=True):
    """The whole answer about one patient. ``follow_up`` is a :class:`FollowUp` as plain values, or empty."""

    patient_id: str
    knowledge: KnowledgeStamp
    as_of: date
    criteria: dict[str, SetVerdict]
    agreement: Agreement
    testing: Testing
    next_tests: tuple[NextTest, ...]
    concordance: Concordance
    actions: tuple[Action, ...]
    follow_up: dict[str, Any]
    caveats: tuple[Caveat, ...]
    errors: tuple[Issue, ...]
    warnings: tuple[Issue, ...]
    disclaimer: str
    patient: Patient
