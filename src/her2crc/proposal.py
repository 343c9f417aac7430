"""What a laboratory's own table would be read as, before it is read: the library twin of ``map``.

Joins the proposal of :mod:`her2crc.read.propose` with ``normalise``, as :mod:`her2crc.flow` joins the stages.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.library import Knowledge
from her2crc.model.patient import Patient, Specimen
from her2crc.model.record import Issue
from her2crc.normalise import normalise
from her2crc.normalise.values import read_value
from her2crc.read.columns import PATIENT_ID
from her2crc.read.mapping import ColumnMapping, apply_mapping
from her2crc.read.propose import ColumnProposal, propose_mapping
from her2crc.read.source import piped_input, read_source
from her2crc.read.table import Grid, read_grid


class MappingProposal(msgspec.Struct, frozen=True):
    """A proposed mapping as YAML, its columns with how sure each is, and what it reads from the first rows.

    ``preview`` holds one dict a specimen, field to value as it would be used (None: unknown); ``issues`` what was
    wrong in those rows. Both are empty where no column is plainly the patient's id.
    """

    yaml: str
    columns: tuple[ColumnProposal, ...]
    preview: tuple[dict[str, Any], ...]
    issues: tuple[Issue, ...]


def map_columns(source: str | Path, knowledge: Knowledge) -> MappingProposal:
    """Propose a mapping for a table of CSV or Excel (``-``: piped in), and show what it would read from its first rows.

    Raises:
        MissingInputError: there is no such file.
        InputError: it is no table.
    """
    data, name = read_source(str(source), piped_input() if str(source) == "-" else None)
    proposal, rows = propose_mapping(data, name, partial(_fits, knowledge.fields))
    patients = _preview(rows, proposal.mapping, name, knowledge)
    shown = tuple(
        _row(patient, item, proposal.mapping) for patient in patients for item in patient.specimens or (None,)
    )
    issues = tuple(issue for patient in patients for issue in patient.issues)
    return MappingProposal(proposal.yaml, proposal.columns, shown, issues)


def _fits(fields: dict[str, Field], name: str, value: Any) -> bool:
    if name not in fields:
        return True
    try:
        read_value(fields[name], value)
    except ValueError:
        return False
    return True


def _preview(rows: Grid, mapping: ColumnMapping, name: str, knowledge: Knowledge) -> list[Patient]:
    if not any(PATIENT_ID in column.fields for column in mapping.columns):
        return []
    grid, notes = apply_mapping(rows, mapping, name)
    records = read_grid(grid, name, notes)
    return [normalise(record, knowledge.fields, knowledge.settings) for record in records]


def _row(patient: Patient, specimen: Specimen | None, mapping: ColumnMapping) -> dict[str, Any]:
    facts: dict[str, Any] = {PATIENT_ID: patient.patient_id}
    parts: tuple[msgspec.Struct, ...] = (patient.genes, patient.history)
    if specimen is not None:
        parts = (*parts, specimen, specimen.ihc, specimen.ish, specimen.tissue, specimen.plasma)
    for part in parts:
        facts |= msgspec.structs.asdict(part)
    return {name: facts.get(name) for column in mapping.columns for name in column.fields}
