"""The way of the single case: for the few patients whose rows are unusual, and for one example of each kind.

Rows go through the same functions as in ``her2crc assess``: cells to a record, record to a patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from her2crc.criteria.library import Knowledge
from her2crc.model.patient import Patient, Specimen
from her2crc.model.record import Issue, PatientRecord
from her2crc.normalise import normalise
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, given_fields
from her2crc.read.rows import Unusable, collect, found_row

FILE, LINE, PLACE, ISSUES = "_file", "_line", "_place", "_issues"
"""Columns that reading adds to a row: where it stood, and what was wrong with it already."""
HELPERS = (FILE, LINE, PLACE, ISSUES)
HELPER = "_"
NOT_SINGLE = "\x1f(not a single value)"
"""Stands in a staged column of texts for a list or another thing that no cell can be; no reader leaves such a text."""
SEVERAL = Unusable("it is not a single value")
EXAMPLE = "S1"
"""Names the specimen of a row that is read for what it says alone."""
NUMBERED = re.compile(r"(.*):(\d+)")


REJECTS = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("place", pa.string()),
        ("patient_id", pa.string()),
        ("specimen_id", pa.string()),
        ("field", pa.string()),
        ("kind", pa.string()),
        ("id", pa.string()),
        ("reason", pa.string()),
    ]
)


class Reject(NamedTuple):
    """One line of the reject file."""

    file: str
    line: int | None
    place: str
    patient_id: str | None
    specimen_id: str | None
    field: str | None
    kind: str
    id: str
    reason: str


def read_patient(rows: pa.Table, knowledge: Knowledge) -> Patient:
    """Return the patient whose rows these are, typed and checked as a single case is."""
    cells = [_as_text(rows[name]) for name in rows.column_names]
    found, issues = [], []
    for at in range(rows.num_rows):
        row = {name: column[at] for name, column in zip(rows.column_names, cells, strict=True)}
        place = row.get(PLACE) or f"{row[FILE]}:{row[LINE]}"
        values = [(name, value) for name, value in row.items() if not name.startswith(HELPER)]
        found.append(found_row(values, place, f"row {row.get(LINE)}"))
        issues += msgspec.json.decode(row.get(ISSUES) or "[]", type=list[Issue])
    record = collect(found)[0]
    return normalise(_with_issues(record, issues), knowledge.fields, knowledge.settings)


def read_specimens(rows: pa.Table, knowledge: Knowledge) -> Iterator[Specimen]:
    """Yield the specimen of each row as a single case has it; for rows that tell of one each, with nothing unusual."""
    given = {name: _as_text(rows[name]) for name in rows.column_names if name in specimen_fields()}
    for at in range(rows.num_rows):
        cells = [(name, column[at]) for name, column in given.items() if column[at] is not None]
        record = collect([found_row([(PATIENT_ID, EXAMPLE), (SPECIMEN_ID, EXAMPLE), *cells], "", "")])[0]
        yield normalise(record, knowledge.fields, knowledge.settings).specimens[0]


@cache
def specimen_fields() -> frozenset[str]:
    """Return the columns that tell of a specimen."""
    return frozenset(name for name, field in given_fields().items() if field.level == "specimen")


def _with_issues(record: PatientRecord, issues: list[Issue]) -> PatientRecord:
    return msgspec.structs.replace(record, issues=(*issues, *record.issues))


def _as_text(column: pa.ChunkedArray) -> list[Any]:
    """Single-precision numbers go through text: as doubles, 2.2 would read 2.200000047683716."""
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        column = column.cast(pa.string())
    values: list[Any] = column.to_pylist()
    return [SEVERAL if value == NOT_SINGLE else value for value in values]


def rejects_of(issues: tuple[Issue, ...] | list[Issue], patient_id: str | None, file: str) -> Iterator[Reject]:
    """Yield a line of the reject file for each value that was lost; warnings are none."""
    for issue in issues:
        if issue.level not in ("error", "conflict"):
            continue
        at = NUMBERED.fullmatch(issue.place)
        name, line = (at[1], int(at[2])) if at else (file, None)
        specimen = issue.specimen or None
        field = issue.field or None
        yield Reject(name, line, issue.place, patient_id, specimen, field, issue.level, issue.id, issue.text)


def rejects_table(rejects: Sequence[Reject]) -> pa.Table:
    """Return the reject file's lines."""
    return pa.Table.from_pylist([item._asdict() for item in rejects], REJECTS)
