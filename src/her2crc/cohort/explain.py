"""A patient of a screened cohort as a single case again, so that its verdicts can be explained step by step."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError, UsageError
from her2crc.model.patient import Patient
from her2crc.model.record import Issue, PatientRecord, SpecimenRow
from her2crc.normalise import normalise
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, given_fields

UNSETTLED = "unsettled"


def screened_patient(output: str | Path, patient_id: str, knowledge: Knowledge) -> Patient:
    """Return one patient of a folder that ``screen`` wrote, as it was judged.

    Raises:
        InputError: the folder is none of ``screen``.
        UsageError: no patient of that id in it.
    """
    folder = Path(output)
    patients = _rows_of(folder, "patients", patient_id)
    if not patients:
        raise UsageError(f"no patient '{patient_id}' in {folder.name}")
    rows = [_row(row, folder.name) for row in (*patients, *_rows_of(folder, "specimens", patient_id))]
    record = PatientRecord(
        patient_id, tuple(row for row, _ in rows), tuple(issue for _, lost in rows for issue in lost)
    )
    return normalise(record, knowledge.fields, knowledge.settings)


def _rows_of(folder: Path, kind: str, patient_id: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    paths = sorted((folder / kind).glob("part-*.parquet"))
    if not paths:
        raise InputError("This is not a folder that `her2crc screen` wrote.", where=str(folder), fix="Name its -o.")
    found: list[dict[str, Any]] = []
    for path in paths:
        found += pq.read_table(path, filters=[(PATIENT_ID, "=", patient_id)]).to_pylist()
    return found


def _row(row: dict[str, Any], place: str) -> tuple[SpecimenRow, list[Issue]]:
    """Return a line of a table as a row that was read, and what was lost of it as issues."""
    given = given_fields()
    values = {name: _written(value) for name, value in row.items() if name in given and value is not None}
    specimen = row.get(SPECIMEN_ID)
    if specimen is not None:
        values = {SPECIMEN_ID: specimen, **values}
    text = "This was stated but could not be used; see the rejects."
    lost = [Issue("error", "unusable_value", text, specimen or "", name, place) for name in row[UNSETTLED]]
    return SpecimenRow(place, values), lost


def _written(value: Any) -> Any:
    """Return a value as if written; a whole number without decimals, so that rounding contradicts nothing anew."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else Decimal(repr(value))
    return value.isoformat() if hasattr(value, "isoformat") else value
