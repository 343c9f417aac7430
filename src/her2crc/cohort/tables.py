"""A screened block as the tables that ``screen`` writes (see docs/reference/screen-output.md).

The long table of verdicts is written from whole numbers: texts stand once, in dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2crc.cohort.advice import OPEN, YES, reason_text
from her2crc.cohort.block import Screened, Screener
from her2crc.cohort.values import UNIT, Column, nearest_double
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.kernel import end_lists, fill_lists
from her2crc.criteria.sets import STATUSES
from her2crc.model.patient import Patient, Specimen
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, given_fields

CODED = pa.dictionary(pa.int32(), pa.string())
LIST = pa.list_(pa.string())
VERDICTS = pa.schema(
    [
        (PATIENT_ID, CODED),
        (SPECIMEN_ID, CODED),
        ("criteria", CODED),
        ("status", CODED),
        ("row", CODED),
        ("missing", LIST),
        ("discordant", pa.bool_()),
    ]
)


def verdicts_table(screened: Screened, screener: Screener) -> pa.Table:
    """Return the long table: for each patient a line of each set, then for each specimen a line of each set."""
    group, outcomes = screened.group, screener.outcomes
    sets, patients, specimens = len(outcomes.sets), len(group.sizes), len(group.signature)
    owner = np.repeat(np.arange(patients), group.sizes)
    at_patient = group.starts + np.arange(patients)
    at_specimen = np.arange(specimens) + owner + 1
    lines = patients + specimens
    outcome = np.full((lines, sets), -1, np.int32)
    outcome[at_specimen] = outcomes.of_set[group.signature]
    known = outcomes.known
    status = np.empty((lines, sets), np.int8)
    status[at_specimen] = np.fromiter((item.status for item in known), np.int8)[outcomes.of_set][group.signature]
    status[at_patient] = screened.patients.statuses
    rows = list(dict.fromkeys(item.row for item in known if item.row is not None))
    row_of = np.fromiter((-1 if item.row is None else rows.index(item.row) for item in known), np.int32)
    row = np.full((lines, sets), -1, np.int32)
    row[at_specimen] = row_of[outcomes.of_set][group.signature]
    patient = np.zeros(lines, np.int32)
    patient[at_patient], patient[at_specimen] = np.arange(patients), owner
    specimen = np.full(lines, -1, np.int32)
    names = screened.names.dictionary_encode()
    specimen[at_specimen] = names.indices.to_numpy()
    discordant = np.zeros((lines, sets), np.bool_)
    discordant[at_patient] = screened.patients.discordant
    of_patient = np.zeros(lines, np.bool_)
    of_patient[at_patient] = True
    arrays = [
        _coded(np.repeat(patient, sets), screened.block.patients),
        _coded(np.repeat(specimen, sets), names.dictionary),
        _coded(np.tile(np.arange(sets, dtype=np.int32), lines), pa.array([item.id for item in outcomes.sets])),
        _coded(status.ravel().astype(np.int32), pa.array(STATUSES)),
        _coded(row.ravel(), pa.array(rows, pa.string())),
        _lists([item.missing for item in known], outcome.ravel()),
        pa.array(discordant.ravel(), pa.bool_(), mask=~np.repeat(of_patient, sets)),
    ]
    return pa.Table.from_arrays(arrays, schema=VERDICTS)


def _coded(indices: npt.NDArray[np.int32], texts: pa.Array) -> pa.Array:
    """Return texts by their numbers, none where a number is below 0."""
    there = np.packbits(indices >= 0, bitorder="little")
    buffers = [pa.py_buffer(there), pa.py_buffer(np.ascontiguousarray(indices, np.int32))]
    shown = pa.Array.from_buffers(pa.int32(), len(indices), buffers)
    return pa.DictionaryArray.from_arrays(shown, texts, safe=False)


def _lists(of_outcome: Sequence[Sequence[str]], outcome: npt.NDArray[np.int32]) -> pa.Array:
    """Return a list of texts for each outcome number, an empty one for -1."""
    lengths = np.array([*map(len, of_outcome), 0], np.int32)
    offsets = np.zeros(len(outcome) + 1, np.int32)
    end_lists(outcome, lengths, offsets)
    items = np.empty(offsets[-1], np.int32)
    fill_lists(outcome, np.cumsum(lengths, dtype=np.int32) - lengths, offsets, items)
    flat = pa.array([text for texts in of_outcome for text in texts], pa.string())
    return pa.ListArray.from_arrays(pa.array(offsets), flat.take(pa.array(items)))


def patients_table(screened: Screened, screener: Screener) -> pa.Table:
    """Return one line a patient: its facts, the judged ones, testing, next tests and actions."""
    answers, advice = screened.patients, screener.advice
    columns: dict[str, Any] = {PATIENT_ID: screened.block.patients, "specimens": pa.array(screened.group.sizes)}
    for name, column in screened.facts.items():
        columns[name] = shown(column, screener.fields[name], screener.readers[name].texts.all())
    columns["unsettled"] = _unsettled_of_patients(screened)
    highest = answers.highest.places
    columns["highest_ihc_score"] = pa.array(highest - 1, mask=highest == 0)
    for name, values in (
        ("primary_tested", answers.primary),
        ("metastasis_tested", answers.metastasis),
        ("any_positive", answers.any_positive),
    ):
        columns[name] = pa.array(values == YES, mask=values == OPEN)
    columns["any_discordant"] = pa.array(answers.any_discordant)
    testing = pa.array(answers.testing)
    columns["testing_recommended"] = pa.array([item.recommended for item in advice.testing], pa.bool_()).take(testing)
    reasons = [[reason_text(reason) for reason in item.reasons] for item in advice.testing]
    columns["testing_reasons"] = pa.array(reasons, LIST).take(testing)
    columns["testing_missing"] = pa.array([list(item.missing) for item in advice.testing], LIST).take(testing)
    columns |= _next_tests(screened, screener)
    actions = [action.id for action in screener.knowledge.actions]
    columns["actions_fit"] = _named(answers.fits == YES, actions)
    columns["actions_open"] = _named(answers.fits == OPEN, actions)
    return pa.table(columns)


def _next_tests(screened: Screened, screener: Screener) -> dict[str, pa.Array]:
    tests, numbers = screener.advice.tests, screened.patients.tests
    first = [item[0] if item else (None, None) for item in tests]
    at = np.array([-1 if place is None else place for _, place in first], np.int64)[numbers] if len(tests) else numbers
    place = pa.array(screened.group.starts + at, mask=at < 0)
    return {
        "next_test": pa.array([test for test, _ in first], pa.string()).take(pa.array(numbers)),
        "next_test_specimen": screened.names.take(place),
        "next_tests": pa.array([list(dict.fromkeys(test for test, _ in item)) for item in tests], LIST).take(
            pa.array(numbers)
        ),
    }


def _named(flags: npt.NDArray[np.bool_], names: Sequence[str]) -> pa.Array:
    """Return the names whose flag is set, as lists."""
    at, which = np.nonzero(flags)
    offsets = np.searchsorted(at, np.arange(len(flags) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(names, pa.string()).take(pa.array(which)))


def _unsettled_of_patients(screened: Screened) -> pa.Array:
    found = {at: unsettled_of_patient(patient) for at, patient in screened.odd.items()}
    return _few_lists(found, len(screened.group.sizes))


def _few_lists(found: Mapping[int, Sequence[str]], length: int) -> pa.Array:
    """Return lists of texts most of which are empty."""
    lengths = np.zeros(length + 1, np.int32)
    lengths[np.array([*found], np.int64) + 1] = [len(texts) for texts in found.values()]
    flat = pa.array([text for at in sorted(found) for text in found[at]], pa.string())
    return pa.ListArray.from_arrays(pa.array(np.cumsum(lengths, dtype=np.int32)), flat)


def unsettled_of_patient(patient: Patient) -> list[str]:
    """Return the patient-level facts that were stated but cannot be used."""
    level = {name for name, field in given_fields().items() if field.level == "patient"}
    lost = [issue.field for issue in patient.issues if issue.level in ("error", "conflict") and issue.field in level]
    known = {
        name
        for part in (patient.genes, patient.history)
        for name in part.__struct_fields__
        if getattr(part, name) is not None
    }
    return [name for name in dict.fromkeys(lost) if name not in known]


def specimens_table(screened: Screened, screener: Screener) -> pa.Table:
    """Return one line a specimen with its typed facts."""
    rows = len(screened.block.rows.patient)
    owner = np.repeat(np.arange(len(screened.group.sizes)), screened.group.sizes)
    order = pa.array(screened.source)
    columns = {PATIENT_ID: screened.block.patients.take(pa.array(owner)), SPECIMEN_ID: screened.names}
    for name, field in screener.fields.items():
        if field.level != "specimen":
            continue
        array = shown(screened.block.rows.columns[name], field, screener.readers[name].texts.all())
        if screened.odd_specimens:
            extra = pa.array([_shown_one(item, name, field) for item in screened.odd_specimens], array.type)
            array = pa.concat_arrays([array, extra])
        columns[name] = array.take(order)
    unsettled = {at: item.unsettled for at, item in enumerate(screened.odd_specimens, rows)}
    columns["unsettled"] = _few_lists(unsettled, rows + len(unsettled)).take(order)
    return pa.table(columns)


def shown(column: Column, field: Field, texts: Sequence[str]) -> pa.Array:
    """Return a column with values of its own type, for a person or a program to read."""
    missing = ~column.known
    if field.type == "integer":
        return pa.array(column.values // UNIT, pa.int64(), mask=missing)
    if field.type in NUMERIC:
        doubles = column.values / UNIT if column.doubles is None else column.doubles
        return pa.array(doubles, pa.float64(), mask=missing)
    if field.type == "boolean":
        return pa.array(column.values == 1, pa.bool_(), mask=missing)
    if field.type == "date":
        return pa.array(column.values.astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())
    words = [*field.values] if field.type == "code" else texts
    return pa.array([*words], pa.string()).take(pa.array(column.values, pa.int64(), mask=missing))


def _shown_one(specimen: Specimen, name: str, field: Field) -> Any:
    """Return a fact as it counts: what was stated and cannot be used is none here, and stands in the rejects."""
    if name in specimen.unsettled:
        return None
    part: Any = specimen
    for group in (specimen.ihc, specimen.ish, specimen.tissue, specimen.plasma):
        part = group if name in group.__struct_fields__ else part
    value = getattr(part, name)
    return nearest_double(value) if value is not None and field.type in ("decimal", "ratio") else value
