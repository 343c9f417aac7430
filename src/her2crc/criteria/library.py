"""The whole knowledge base as one frozen value: everything that is not code, loaded strictly.

``load_knowledge`` gives it as of a day, with a laboratory's own sets added where a folder is named. The compiled
form is cached by the hash of the files (see :mod:`her2crc.criteria.cache`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.nodes import Node
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.citation import Citation, Reference
from her2crc.model.verdict import Approval

KNOWLEDGE_DIR = Path(__file__).resolve().parent.parent / "knowledge"


class Dissent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Later or other evidence that disagrees with a statement."""

    text: str
    cite: tuple[Citation, ...]


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cited statement in our own words, what the software does with it, and its review state."""

    id: str
    kind: str
    text: str
    cite: tuple[Citation, ...]
    behaviour: str
    confidence: str
    effective: date
    reviewed_on: date
    review_state: str
    dissent: tuple[Dissent, ...] = ()


class Printed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the source itself prints, digit by digit."""

    percent: str = ""
    interval: tuple[str, str] | None = None


class Proportion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A published count; ``inferred`` marks counts that were derived from printed percentages."""

    id: str
    label: str
    events: int
    total: int
    group: str
    percent: str
    interval: tuple[str, str]
    cite: tuple[Citation, ...]
    inferred: bool = False
    printed: Printed | None = None
    printed_differs: bool = False
    note: str = ""


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A published figure without counts."""

    id: str
    label: str
    percent: str
    group: str
    cite: tuple[Citation, ...]
    interval: tuple[str, str] | None = None
    note: str = ""


class PairTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A published primary x metastasis table of patients; unusable ones carry no counts."""

    id: str
    label: str
    usable: bool
    cite: tuple[Citation, ...]
    method: str = ""
    site: str = ""
    how: str = ""
    both: int | None = None
    primary_only: int | None = None
    metastasis_only: int | None = None
    neither: int | None = None
    note: str = ""


class EligibilityRow(msgspec.Struct, frozen=True):
    """When this source says to test (``then`` true) or not to (false)."""

    id: str
    when: Node
    then: bool
    says: str


class Eligibility(msgspec.Struct, frozen=True):
    """Whom one source tells to test. The source with ``decides`` gives the overall recommendation."""

    id: str
    name: str
    decides: bool
    effective: date
    rows: tuple[EligibilityRow, ...]
    cite: tuple[Citation, ...]


class TestKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test that can be proposed: what it supplies, on what material, in which order.

    ``only_if``: proposed only where the specimen already has one of these facts, so that a rule on copies alone
    never asks for sequencing of every tumour. ``reflex``: proposed only where a rule is equivocal, which means that
    its source asks for it, or where the test was begun.
    """

    id: str
    name: str
    supplies: tuple[str, ...]
    level: Literal["patient", "specimen", "site"]
    material: Literal["tissue", "plasma", "any"]
    order: int
    why: str
    cite: tuple[Citation, ...]
    only_if: tuple[str, ...] = ()
    reflex: bool = False


class ActionCondition(msgspec.Struct, frozen=True):
    """One condition of a regimen."""

    text: str
    when: Node


class ActionRule(msgspec.Struct, frozen=True):
    """A regimen under the conditions of one trial or label, with its evidence and approvals."""

    id: str
    regimen: str
    setting: str
    conditions: tuple[ActionCondition, ...]
    evidence: tuple[str, ...]
    figures: tuple[Figure, ...]
    approvals: tuple[Approval, ...]
    confidence: str
    effective: date
    reviewed_on: date
    review_state: str
    cite: tuple[Citation, ...]


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of a trial that is not a proportion (months, hazard ratio), as published."""

    id: str
    label: str
    value: str
    cite: tuple[Citation, ...]


class CaveatRule(msgspec.Struct, frozen=True):
    """When a caveat is shown. ``text`` may name facts in braces; ``level`` is patient or specimen."""

    id: str
    level: str
    when: Node | None
    text: str
    cite: tuple[Citation, ...]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures that the reports need and that are nobody's published threshold (``knowledge/settings.yaml``)."""

    version: str
    disclaimer: str
    retest_certainty: Decimal
    retest_most_lesions: int
    interval_level: Decimal
    contradiction_level: Decimal
    metastatic_stage: int
    low_gain: Decimal
    amplified_everywhere: Decimal
    copies_cv: Decimal
    fraction_cv: Decimal
    cv_basis: str


class Knowledge(msgspec.Struct, frozen=True):
    """Everything that is known, as of one day."""

    version: str
    sha256: str
    as_of: date
    fields: dict[str, Field]
    criteria: dict[str, CriteriaSet]
    references: dict[str, Reference]
    statements: dict[str, Statement]
    proportions: dict[str, Proportion]
    rates: dict[str, Rate]
    pair_tables: tuple[PairTable, ...]
    eligibility: tuple[Eligibility, ...]
    tests: tuple[TestKind, ...]
    actions: tuple[ActionRule, ...]
    caveats: tuple[CaveatRule, ...]
    settings: Settings


class Editions(msgspec.Struct, frozen=True):
    """All that the files hold, every edition of every set; :meth:`on` picks what was in force on a day."""

    version: str
    sha256: str
    fields: dict[str, Field]
    sets: tuple[CriteriaSet, ...]
    references: tuple[Reference, ...]
    statements: tuple[Statement, ...]
    proportions: tuple[Proportion, ...]
    rates: tuple[Rate, ...]
    pair_tables: tuple[PairTable, ...]
    eligibility: tuple[Eligibility, ...]
    tests: tuple[TestKind, ...]
    actions: tuple[ActionRule, ...]
    caveats: tuple[CaveatRule, ...]
    settings: Settings

    def on(self, day: date) -> Knowledge:
        """Return the knowledge of a day: of each set the latest edition then in force, statements by then made."""
        in_force: dict[str, CriteriaSet] = {}
        for criteria in sorted(self.sets, key=lambda item: item.effective):
            if criteria.effective <= day:
                in_force[criteria.id] = criteria
        ordered = {item.id: in_force[item.id] for item in self.sets if item.id in in_force}
        own = [reference for item in ordered.values() for reference in item.references]
        years = {item.id: item.year for item in (*self.references, *own)}

        def published(cite: tuple[Citation, ...]) -> bool:
            """Whether every source was out in that year; one whose year is unknown is taken as out."""
            return all((years[citation.ref] or 0) <= day.year for citation in cite)

        return Knowledge(
            version=self.version,
            sha256=self.sha256,
            as_of=day,
            fields=self.fields,
            criteria=ordered,
            references={item.id: item for item in (*self.references, *own)},
            statements={item.id: item for item in self.statements if item.effective <= day},
            proportions={item.id: item for item in self.proportions if published(item.cite)},
            rates={item.id: item for item in self.rates if published(item.cite)},
            pair_tables=tuple(item for item in self.pair_tables if published(item.cite)),
            eligibility=tuple(item for item in self.eligibility if item.effective <= day),
            tests=self.tests,
            actions=tuple(_as_known(item, day, published) for item in self.actions if item.effective <= day),
            caveats=tuple(item for item in self.caveats if item.when is None or published(item.cite[:1])),
            settings=self.settings,
        )


def _as_known(action: ActionRule, day: date, published: Callable[[tuple[Citation, ...]], bool]) -> ActionRule:
    """Return a regimen without the figures and approvals that came after a day; undated approvals by their source."""
    figures = tuple(item for item in action.figures if published(item.cite))
    approvals = tuple(item for item in action.approvals if item.on <= day.isoformat() and published(item.cite))
    return msgspec.structs.replace(action, figures=figures, approvals=approvals)


def files_of(folder: Path) -> list[Path]:
    """Return the knowledge files of a folder in a fixed order."""
    return sorted(folder.rglob("*.yaml"))


def hash_files(paths: Mapping[str, Path]) -> str:
    """Return the SHA-256 over names and contents of files, so that any change is seen."""
    digest = hashlib.sha256()
    for name, path in sorted(paths.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
