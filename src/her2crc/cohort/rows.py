"""A block of rows of whole patients: which row is which patient's and which specimen's, and what each cell says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from her2crc.cohort.plain import Rows
from her2crc.cohort.reference import ISSUES, NOT_SINGLE
from her2crc.cohort.values import Column, ColumnReader, Flags, Ints, absent
from her2crc.criteria.fields import Field
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, given_fields
from her2crc.read.rows import BLANK, Unusable, as_written, identifier

SPACE = r"[\s\x{0b}\x{1c}-\x{1f}\x{85}\p{Z}]"
"""Every sign that Python strips; the engine's own class knows those of ASCII alone."""
ODD_IDENTIFIER = rf"^{SPACE}|{SPACE}$|\.0$|(?i)^(" + "|".join(map(re.escape, sorted(BLANK))) + ")$"
GIVEN_NAME = "S"
"""Specimens without an id are named S1, S2 ... by the reader."""


class Block(NamedTuple):
    """Rows with their cells read; ``names`` are the specimen ids, null in a row that tells of no specimen."""

    table: pa.Table
    rows: Rows
    names: pa.Array
    patients: pa.Array
    odd_patients: Flags


def identifiers(array: pa.Array) -> pa.Array:
    """Return identifiers as text, as the reader of tables takes them: blanks null, 101.0 as 101."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_integer(array.type):
        return array.cast(pa.string())
    if not pa.types.is_string(array.type) and not pa.types.is_large_string(array.type):
        return pa.array([_identifier(value) for value in array.to_pylist()], pa.string())
    array = array.cast(pa.string())
    odd = pc.fill_null(pc.match_substring_regex(array, ODD_IDENTIFIER), False)
    if not pc.any(odd).as_py():
        return array
    replaced = [_identifier(value) for value in array.filter(odd).to_pylist()]
    return pc.replace_with_mask(array, odd, pa.array(replaced, pa.string()))


def _identifier(value: object) -> str | None:
    written = None if value == NOT_SINGLE else as_written(value)
    return None if isinstance(written, Unusable) else identifier(written)


def run_starts(ids: pa.Array) -> Ints:
    """Return where the rows of each patient start (rows of one patient stand together)."""
    if not len(ids):
        return np.zeros(0, np.int64)
    changes = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    return np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changes) + 1])


def make_block(table: pa.Table, readers: Mapping[str, ColumnReader]) -> Block:
    """Read the cells of a table whose columns have our names and whose ``patient_id`` is as text, never null."""
    table = table.combine_chunks()
    ids = _whole(table[PATIENT_ID]).cast(pa.string())
    starts = run_starts(ids)
    patient = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(ids))))
    columns = {
        name: reader.read(_whole(table[name])) if name in table.column_names else absent(len(ids))
        for name, reader in readers.items()
    }
    rows = Rows(columns, patient, starts)
    names, clashing = _specimen_names(table, rows)
    odd = rows.first_of(_issues(table)) | clashing
    return Block(table, rows, names, ids.take(pa.array(starts)), odd)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _issues(table: pa.Table) -> Flags:
    if ISSUES not in table.column_names:
        return np.zeros(table.num_rows, np.bool_)
    return np.asarray(table[ISSUES].combine_chunks().is_valid())


def _specimen_names(table: pa.Table, rows: Rows) -> tuple[pa.Array, Flags]:
    """Name the specimens of rows without an id; patients whose ids clash are told apart."""
    length = len(rows.patient)
    given, unusable = pa.nulls(length, pa.string()), np.zeros(length, np.bool_)
    if SPECIMEN_ID in table.column_names:
        given = identifiers(_whole(table[SPECIMEN_ID]))
        unusable = _unusable(_whole(table[SPECIMEN_ID]))
    named = np.asarray(given.is_valid())
    unnamed = ~named & tells_of_specimen(rows.columns, given_fields())
    clashing = _repeats(given, named, rows) | rows.first_of(unusable)
    if unnamed.any():
        clashing |= rows.first_of(named) & rows.first_of(unnamed)
        before: Ints = np.cumsum(unnamed) - unnamed
        number = before - before[rows.starts][rows.patient] + 1
        fresh = pc.binary_join_element_wise(GIVEN_NAME, pa.array(number).cast(pa.string()), "")
        given = pc.if_else(pa.array(unnamed), fresh, given)
    return given, clashing


def _unusable(array: pa.Array) -> Flags:
    """Return where something stands as an identifier that can be none, such as a list."""
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return np.asarray(pc.fill_null(pc.equal(array, NOT_SINGLE), False))
    if pa.types.is_primitive(array.type) and not pa.types.is_duration(array.type):
        return np.zeros(len(array), np.bool_)
    return np.array([isinstance(as_written(value), Unusable) for value in array.to_pylist()], np.bool_)


def tells_of_specimen(columns: Mapping[str, Column], fields: Mapping[str, Field]) -> Flags:
    """Return the rows in which anything stands of a specimen, be it unusable."""
    return _any(
        columns[name].known | columns[name].odd
        for name, field in fields.items()
        if field.level == "specimen" and name in columns
    )


def _any(flags: Iterable[Flags]) -> Flags:
    either: Flags = np.logical_or.reduce(list(flags))
    return either


def _repeats(names: pa.Array, named: npt.NDArray[np.bool_], rows: Rows) -> Flags:
    """Return the patients of whom two rows name one specimen."""
    found = np.zeros(len(rows.starts), np.bool_)
    sizes = np.diff(np.append(rows.starts, len(rows.patient)))
    at = np.flatnonzero((sizes > 1)[rows.patient] & named)
    if len(at):
        codes = names.take(pa.array(at)).dictionary_encode().indices.to_numpy()
        order = np.lexsort((codes, rows.patient[at]))
        codes, patients = codes[order], rows.patient[at][order]
        same = (codes[1:] == codes[:-1]) & (patients[1:] == patients[:-1])
        found[patients[1:][same]] = True
    return found
