"""All knowledge files into one frozen value, every condition parsed and every citation resolved.

This is the slow path (it imports PyYAML and sqlglot); :mod:`her2crc.criteria.cache` runs it only when a file changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.library import (
    ActionCondition,
    ActionRule,
    CaveatRule,
    Editions,
    Eligibility,
    EligibilityRow,
    Figure,
    PairTable,
    Proportion,
    Rate,
    Settings,
    Statement,
    TestKind,
    files_of,
    hash_files,
)
from her2crc.criteria.load import Assembly, Confidence, ReviewState, load_fields, load_set
from her2crc.criteria.sets import STATUSES, CriteriaSet
from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import KnowledgeError
from her2crc.model.citation import Citation, Reference
from her2crc.model.verdict import Approval


class _ReferenceFile(msgspec.Struct, forbid_unknown_fields=True):
    references: list[Reference]


class _StatementFile(msgspec.Struct, forbid_unknown_fields=True):
    statements: list[Statement]


class _PriorFile(msgspec.Struct, forbid_unknown_fields=True):
    proportions: list[Proportion]
    rates: list[Rate]
    tables: list[PairTable]


class _EligibilityRow(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    when: str
    then: bool
    says: str


class _Eligibility(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str
    rows: list[_EligibilityRow]
    effective: date
    cite: list[Citation]
    decides: bool = False


class _EligibilityFile(msgspec.Struct, forbid_unknown_fields=True):
    sources: list[_Eligibility]


class _TestFile(msgspec.Struct, forbid_unknown_fields=True):
    tests: list[TestKind]


class _ActionCondition(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    when: str


class _Action(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    regimen: str
    setting: str
    conditions: list[_ActionCondition]
    evidence: list[str]
    confidence: Confidence
    effective: date
    reviewed_on: date
    review_state: ReviewState
    cite: list[Citation]
    figures: list[Figure] = []
    approvals: list[Approval] = []


class _ActionFile(msgspec.Struct, forbid_unknown_fields=True):
    actions: list[_Action]


class _Caveat(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    level: Literal["patient", "specimen"]
    text: str
    cite: list[Citation]
    when: str = ""


class _CaveatFile(msgspec.Struct, forbid_unknown_fields=True):
    caveats: list[_Caveat]


def compile_editions(folder: Path, local: Sequence[Path] = ()) -> Editions:
    """Read a knowledge folder, and a laboratory's own criteria files beside it.

    Raises:
        KnowledgeError: any file is not as it must be.
    """
    references = load_strict(folder / "references.yaml", _ReferenceFile).references
    known = [reference.id for reference in references]
    fields = load_fields(folder / "fields.yaml")
    sets = [load_set(path, fields, known) for path in files_of(folder / "criteria")]
    shipped = {item.id for item in sets}
    for path in local:
        own = load_set(path, fields, known, origin=f"local: {path.name}")
        if own.id in shipped:
            raise KnowledgeError(
                f"'{own.id}' is the id of a published set",
                where=path.name,
                why="A set of your own stands beside the published ones and replaces none.",
                fix="Give it an id of its own.",
            )
        sets.append(own)
    _check_editions(sets)
    sets.sort(key=_reading_order)
    priors = load_strict(folder / "priors.yaml", _PriorFile)
    statements = load_strict(folder / "statements.yaml", _StatementFile).statements
    with_sets = {**fields, **_status_fields(sets)}
    settings = load_strict(folder / "settings.yaml", Settings)
    figures = [item.id for item in priors.proportions] + [item.id for item in priors.rates]
    return Editions(
        version=settings.version,
        sha256=hash_files(knowledge_files(folder, local)),
        fields=fields,
        sets=tuple(sets),
        references=tuple(references),
        statements=tuple(statements),
        proportions=tuple(priors.proportions),
        rates=tuple(priors.rates),
        pair_tables=tuple(priors.tables),
        eligibility=_eligibility(folder / "eligibility.yaml", with_sets, known),
        tests=tuple(load_strict(folder / "next_tests.yaml", _TestFile).tests),
        actions=_actions(folder / "actions.yaml", with_sets, known, figures),
        caveats=_caveats(folder / "caveats.yaml", with_sets, known),
        settings=settings,
    )


def knowledge_files(folder: Path, local: Sequence[Path] = ()) -> dict[str, Path]:
    """Return every file that the compiled knowledge depends on, by a name that does not depend on the machine."""
    shipped = {path.relative_to(folder).as_posix(): path for path in files_of(folder)}
    return shipped | {f"local/{path.name}": path for path in local}


def local_files(folder: Path) -> list[Path]:
    """Return the criteria files of a laboratory's own folder.

    Raises:
        KnowledgeError: the folder does not exist or holds no YAML file.
    """
    paths = files_of(folder) if folder.is_dir() else []
    if not paths:
        raise KnowledgeError("no criteria file (*.yaml) found", where=str(folder), fix="Name the folder of your sets.")
    return paths


def _reading_order(criteria: CriteriaSet) -> tuple[int, bool, int, str]:
    """Rules first, then contrast, then unseen; tissue before plasma; staining, any method, hybridisation, copies."""
    methods = ("ihc_ish", "any", "ish", "copies")
    roles = ("rule", "contrast", "unseen")
    return (
        roles.index(criteria.role),
        criteria.judges == "plasma",
        methods.index(criteria.method),
        criteria.id,
    )


def _check_editions(sets: Sequence[CriteriaSet]) -> None:
    seen: set[tuple[str, date]] = set()
    for criteria in sets:
        if (criteria.id, criteria.effective) in seen:
            raise KnowledgeError(
                f"the set '{criteria.id}' has two editions effective {criteria.effective}",
                fix="Give a local set an id of its own.",
            )
        seen.add((criteria.id, criteria.effective))


def _status_fields(sets: Sequence[CriteriaSet]) -> dict[str, Field]:
    statuses: dict[str, tuple[str, ...]] = dict.fromkeys(STATUSES, ())
    return {
        item.id: Field(
            item.id, "patient", "judged", "code", f"Status of the patient under {item.name}", values=statuses
        )
        for item in sets
    }


def _eligibility(path: Path, fields: dict[str, Field], known: list[str]) -> tuple[Eligibility, ...]:
    build = Assembly(path, fields, known)
    return tuple(
        Eligibility(
            id=source.id,
            name=source.name,
            decides=source.decides,
            effective=source.effective,
            rows=tuple(EligibilityRow(r.id, build.condition(r.when, {}), r.then, r.says) for r in source.rows),
            cite=build.citations(source.cite, source.id),
        )
        for source in load_strict(path, _EligibilityFile).sources
    )


def _actions(path: Path, fields: dict[str, Field], known: list[str], figures: list[str]) -> tuple[ActionRule, ...]:
    build = Assembly(path, fields, known)
    actions = []
    for raw in load_strict(path, _ActionFile).actions:
        unknown = [name for name in raw.evidence if name not in figures]
        if unknown:
            raise build.error(f"'{unknown[0]}' is not a figure of priors.yaml", unknown[0])
        actions.append(
            ActionRule(
                id=raw.id,
                regimen=raw.regimen,
                setting=raw.setting,
                conditions=tuple(ActionCondition(c.text, build.condition(c.when, {})) for c in raw.conditions),
                evidence=tuple(raw.evidence),
                figures=tuple(raw.figures),
                approvals=tuple(raw.approvals),
                confidence=raw.confidence,
                effective=raw.effective,
                reviewed_on=raw.reviewed_on,
                review_state=raw.review_state,
                cite=build.citations(raw.cite, raw.id),
            )
        )
    return tuple(actions)


def _caveats(path: Path, fields: dict[str, Field], known: list[str]) -> tuple[CaveatRule, ...]:
    build = Assembly(path, fields, known)
    return tuple(
        CaveatRule(
            id=raw.id,
            level=raw.level,
            when=build.condition(raw.when, {}) if raw.when else None,
            text=raw.text,
            cite=build.citations(raw.cite, raw.id),
        )
        for raw in load_strict(path, _CaveatFile).caveats
    )
