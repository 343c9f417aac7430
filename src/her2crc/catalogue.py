"""Looking things up: the criteria sets, their fields, what they say, where they differ, and the evidence.

The library twins of ``criteria list|show|check|diff|export|fields``, ``cite`` and ``explain``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.criteria.sets import CriteriaSet
from her2crc.errors import UsageError
from her2crc.model.citation import Citation
from her2crc.model.patient import Patient
from her2crc.normalise import derive_facts, specimen_facts


def list_criteria(knowledge: Knowledge) -> list[dict[str, Any]]:
    """Return id, name, role, method, confidence, review state, effective date and origin of each set."""
    keys = (
        "id",
        "name",
        "role",
        "method",
        "judges",
        "tumour",
        "confidence",
        "review_state",
        "effective",
        "origin",
    )
    return [
        {key: getattr(item, key) for key in keys} | {"rows": len(item.rows)} for item in knowledge.criteria.values()
    ]


def list_fields(knowledge: Knowledge) -> list[dict[str, Any]]:
    """Return every field: name, level, type, unit, range, allowed values, LOINC code and meaning."""
    return [msgspec.to_builtins(field) for field in knowledge.fields.values()]


def show_criteria(set_id: str, knowledge: Knowledge) -> dict[str, Any]:
    """Return one set with every row, its condition, its sources in full, open questions, and levels (L1 to L4)."""
    from her2crc.criteria.levels import knowledge_levels

    criteria = _set(set_id, knowledge)
    shown: dict[str, Any] = msgspec.to_builtins(criteria)
    shown.pop("applies")
    for row in shown.get("rows", ()):
        row["when"] = " ".join(row.pop("when_text").split())
    shown["references"] = _references([criteria.cite, *(row.cite for row in criteria.rows)], knowledge)
    shown["levels"] = msgspec.to_builtins(knowledge_levels(criteria, knowledge))
    return shown


def check_criteria(knowledge: Knowledge, only: Iterable[str] = ()) -> dict[str, Any]:
    """Check every set (or those named): overlaps, silences, the empty case, monotonicity, citations, boundary cases.

    Returns:
        ``sets``, ``cases`` (boundary cases on which interpreter and compiled closure were compared) and ``failures``
        as numbers, and ``findings``: each failure with a counter-example in words.
    """
    from her2crc.criteria.check import check_all

    wanted = _sets(only, knowledge)
    report = check_all(wanted, knowledge.fields, derive_facts)
    findings = [msgspec.to_builtins(item) for item in report.failures]
    return {"sets": report.sets, "cases": report.cases, "failures": len(findings), "findings": findings}


def diff_criteria(first: str, second: str, knowledge: Knowledge) -> list[dict[str, Any]]:
    """Return where two sets say different things, each region with an example patient in words."""
    from her2crc.criteria.diff import diff_sets

    differences = diff_sets(_set(first, knowledge), _set(second, knowledge), knowledge.fields, derive_facts)
    return [msgspec.to_builtins(item) for item in differences]


def export_criteria(to: str, knowledge: Knowledge, only: Iterable[str] = ()) -> dict[str, str]:
    """Return the sets as documents by file name.

    ``to`` is ``json``, or, one document for each set with rows, ``cql`` (a library) or ``fhir`` (a bundle of Library
    and PlanDefinition). A set without rows says nothing that could run.
    """
    wanted = _sets(only, knowledge)
    if to == "json":
        from her2crc.criteria.export import export_json

        return {"criteria.json": export_json(wanted)}
    if to == "cql":
        from her2crc.criteria.export_cql import export_cql

        return {f"{item.id}.cql": export_cql(item, knowledge.fields) for item in wanted if item.rows}
    if to == "fhir":
        from her2crc.report.fhir_plan import export_plan

        return {f"{item.id}.fhir.json": export_plan(item, knowledge) for item in wanted if item.rows}
    raise UsageError(f"'{to}' is not an export", fix="Choose json, cql or fhir.")


def cite(knowledge: Knowledge, only: str | None = None) -> dict[str, Any]:
    """Return the statements and references (all, or the one of that id), and for a statement what it cites.

    Raises:
        UsageError: no statement or reference of that id.
    """
    if only is None:
        return {
            "statements": [msgspec.to_builtins(item) for item in knowledge.statements.values()],
            "references": [msgspec.to_builtins(item) for item in knowledge.references.values()],
        }
    if only in knowledge.references:
        return {"statements": [], "references": [msgspec.to_builtins(knowledge.references[only])]}
    statement = knowledge.statements.get(only)
    if statement is None:
        raise UsageError(f"no statement or reference '{only}'", fix=_nearest(only, _citable(knowledge)))
    cited = [statement.cite, *(dissent.cite for dissent in statement.dissent)]
    return {"statements": [msgspec.to_builtins(statement)], "references": _references(cited, knowledge)}


def explain_verdict(patient: Patient, set_id: str, knowledge: Knowledge, specimen: str | None = None) -> str:
    """Return in sentences how one set came to its verdict, for one specimen or each of the patient's.

    Raises:
        UsageError: no such set, or no such specimen.
    """
    from her2crc.criteria.explain import explain

    criteria = _set(set_id, knowledge)
    chosen = [item for item in patient.specimens if specimen in (None, item.specimen_id)]
    if specimen is not None and not chosen:
        known = ", ".join(item.specimen_id for item in patient.specimens)
        raise UsageError(f"patient {patient.patient_id} has no specimen '{specimen}'", fix=f"Known: {known}.")
    parts = [
        f"Patient {patient.patient_id}, specimen {item.specimen_id}\n"
        + explain(criteria, specimen_facts(item), knowledge.fields)
        for item in chosen
    ]
    return "\n\n".join(parts) or explain(criteria, {}, knowledge.fields)


def _sets(only: Iterable[str], knowledge: Knowledge) -> list[CriteriaSet]:
    return [_set(name, knowledge) for name in only] or list(knowledge.criteria.values())


def _set(set_id: str, knowledge: Knowledge) -> CriteriaSet:
    criteria = knowledge.criteria.get(set_id)
    if criteria is None:
        fix = f"{_nearest(set_id, list(knowledge.criteria))} See `her2crc criteria list`.".strip()
        raise UsageError(f"no criteria set '{set_id}' on {knowledge.as_of}", fix=fix)
    return criteria


def _references(cited: Iterable[tuple[Citation, ...]], knowledge: Knowledge) -> list[dict[str, Any]]:
    refs = sorted({citation.ref for citations in cited for citation in citations})
    return [msgspec.to_builtins(knowledge.references[ref]) for ref in refs]


def _citable(knowledge: Knowledge) -> list[str]:
    return [*knowledge.statements, *knowledge.references]


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean '{near[0]}'?" if near else ""
