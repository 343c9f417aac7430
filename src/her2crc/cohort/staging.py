"""From inputs to blocks of whole patients, in bounded memory.

Parquet whose rows already stand by patient is read where it is. Everything else is written once, as Parquet, with the
place of every row, and sorted by patient outside of memory by DuckDB where it has to be.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from her2crc.cohort.inputs import CSV, DUCKDB, PARQUET, POSTGRESQL, Input
from her2crc.cohort.record_inputs import record_batches
from her2crc.cohort.reference import FILE, HELPERS, LINE, NOT_SINGLE, REJECTS, Reject, rejects_table
from her2crc.cohort.rows import identifiers, run_starts
from her2crc.cohort.table_inputs import BATCH, IDENTIFIERS, Batch, is_plain, open_parquet, table_batches
from her2crc.errors import InputError, OutputError
from her2crc.read.columns import PATIENT_ID, columns, unknown_names
from her2crc.read.rows import Unusable, as_written
from her2crc.read.table import read_header

SEQUENCE = "_sequence"
SYNTHETIC = "synthetic"
SYNTHETIC_ID = r"^SYN-\d{9}$"
"""An identifier that ``generate`` made."""
SORT_MEMORY = "800MB"
TABLES = (PARQUET, CSV, DUCKDB, POSTGRESQL)
STAGED_REJECTS = "rejects.parquet"
WHOLE_ROWS = ("no_patient_id", "total_row", "too_many_cells", "fhir_unreadable")
"""Issues by which nothing of a row was used."""


class Staged(NamedTuple):
    """Parquet files whose rows stand by patient, ready to be screened.

    ``as_given`` tells that they are the inputs themselves, whose rows get their place when they are read. ``rejects``
    counts what reading lost (it stands in ``STAGED_REJECTS`` beside the files), ``rejected_rows`` the whole rows of it.
    """

    files: tuple[str, ...]
    as_given: bool
    rows: int
    rejects: int
    rejected_rows: int
    notes: tuple[str, ...]
    synthetic: bool = False


def stage(sources: Sequence[Input], work: Path, tell: Callable[[str, int, int, int], None]) -> Staged:
    """Bring inputs into the order of patients, or find that a killed run already did. Raises as the readers do.

    ``tell`` hears what is done, and of how many rows, as far as that can be told.
    """
    kept = work / "staged.json"
    if kept.is_file():
        return msgspec.json.decode(kept.read_bytes(), type=Staged)
    synthetic = any(map(_is_synthetic, sources))
    unread = tuple(source.note for source in sources if source.note)
    if all(source.kind == PARQUET for source in sources):
        found = _as_given(sources)
        if found and found.rows:
            return found._replace(synthetic=synthetic or found.synthetic, notes=(*unread, *found.notes))
    tell("reading", 0, 0, 0)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    unsorted = work / "unsorted.parquet"
    staged, in_order = _write_all(sources, unsorted, work, tell)
    if not staged.rows and not staged.rejects:
        raise InputError("There is no patient in the input.", fix="Add one row for each specimen.")
    if not in_order:
        tell("sorting by patient", 0, 0, 0)
        unsorted = _sort(unsorted, work)
    synthetic = synthetic or staged.synthetic
    staged = staged._replace(files=(str(unsorted),), synthetic=synthetic, notes=(*unread, *staged.notes))
    half = kept.with_suffix(".half")
    half.write_bytes(msgspec.json.encode(staged))
    half.replace(kept)
    return staged


def _is_synthetic(source: Input) -> bool:
    """Tell whether an input says of itself that it is synthetic: a Parquet file in its metadata, others in the name."""
    if source.kind == PARQUET:
        return is_marked_synthetic(open_parquet(source).schema_arrow)
    return SYNTHETIC in source.name


def has_synthetic_ids(ids: pa.Array | pa.ChunkedArray) -> bool:
    """Tell whether all patients are named as ``generate`` names them; what nobody is in, is not called synthetic."""
    return bool(len(ids)) and pc.all(pc.match_substring_regex(ids, SYNTHETIC_ID)).as_py() is True


def is_marked_synthetic(schema: pa.Schema) -> bool:
    """Tell whether the metadata of a table say that it is synthetic, as ``generate`` writes them."""
    return SYNTHETIC.encode() in (schema.metadata or {})


def _as_given(sources: Sequence[Input]) -> Staged | None:
    """Return the files as they are, if they are alike, and every row's patient is named and stands in order."""
    kinds: set[tuple[tuple[str, pa.DataType], ...]] = set()
    rows, last, notes, made_up = 0, None, [], True
    for source in sources:
        file = open_parquet(source)
        header = read_header(file.schema_arrow.names, source.name)
        types = {name: kind for name, kind in zip(header.names, file.schema_arrow.types, strict=True) if name}
        if not all(is_plain(name, kind) for name, kind in types.items()):
            return None
        kinds.add(tuple(sorted(types.items(), key=lambda item: item[0])))
        notes += [issue.text for issue in unknown_names(header.unknown(), source.name)]
        written = header.written[header.names.index(PATIENT_ID)]
        for batch in file.iter_batches(BATCH, columns=[written]):
            given = batch.column(0)
            ids = identifiers(given)
            if ids.null_count or not _unchanged(given, ids) or not _in_order(ids, last):
                return None
            last = ids[-1].as_py() if len(ids) else last
            made_up = made_up and has_synthetic_ids(ids)
        rows += file.metadata.num_rows
    files = tuple(source.path for source in sources)
    return Staged(files, True, rows, 0, 0, tuple(notes), made_up) if len(kinds) == 1 else None


def _unchanged(given: pa.Array, ids: pa.Array) -> bool:
    """Numbers may stand in their own order, which as text is another: they are sorted again."""
    return _is_text(given.type) and bool(given.cast(pa.string()).equals(ids))


def _in_order(ids: pa.Array, last: str | None) -> bool:
    if not len(ids):
        return True
    follows: bool = last is None or last <= ids[0].as_py()
    rising = pc.all(pc.greater_equal(ids.slice(1), ids.slice(0, len(ids) - 1))).as_py() is not False
    return follows and rising


def _write_all(
    sources: Sequence[Input], path: Path, work: Path, tell: Callable[[str, int, int, int], None]
) -> tuple[Staged, bool]:
    """Write the rows of all inputs to one file, and what was lost to another; tell whether rows stand in order."""
    notes: dict[str, None] = {}
    rows, lost, lost_rows, last, in_order, made_up = 0, 0, 0, None, True, True
    with (
        pq.ParquetWriter(path, _schema(), compression="zstd") as writer,
        pq.ParquetWriter(work / STAGED_REJECTS, REJECTS, compression="zstd") as rejected,
    ):
        for batch, share in _all_batches(sources, work):
            notes |= dict.fromkeys(batch.notes)
            if batch.rejects:
                rejected.write_table(rejects_table(batch.rejects))
                lost += len(batch.rejects)
                lost_rows += whole_rows(batch.rejects)
            table = _as_texts(batch.rows)
            if table.num_rows:
                ids = table[PATIENT_ID].combine_chunks()
                in_order = in_order and _in_order(ids, last)
                last = ids[-1].as_py()
                made_up = made_up and has_synthetic_ids(ids)
                numbers = pa.array(np.arange(rows, rows + table.num_rows))
                writer.write_table(table.append_column(SEQUENCE, numbers).select(_schema().names))
                rows += table.num_rows
            tell("reading", rows, round(rows / share) if share else 0, 0)
    return Staged((str(path),), False, rows, lost, lost_rows, tuple(notes), bool(rows) and made_up), in_order


def _all_batches(sources: Sequence[Input], work: Path) -> Iterator[tuple[Batch, float]]:
    """Yield the batches of all inputs, each with the share of all bytes that is read then (0: not known)."""
    sizes = [source.bytes for source in sources]
    before = 0
    for source, size in zip(sources, sizes, strict=True):
        for batch in table_batches(source) if source.kind in TABLES else record_batches(source, work):
            yield batch, (before + batch.share * size) / sum(sizes) if batch.share and all(sizes) else 0.0
        before += size


def _schema() -> pa.Schema:
    texts = [(name, pa.string()) for name in dict.fromkeys((*columns(), *HELPERS))]
    return pa.schema([*texts, (SEQUENCE, pa.int64())]).set(
        len(columns()) + HELPERS.index(LINE), pa.field(LINE, pa.int64())
    )


def whole_rows(rejects: Sequence[Reject]) -> int:
    """Return how many rows are lost as a whole; one that is lost for two reasons counts once."""
    return len({item.place for item in rejects if item.id in WHOLE_ROWS})


def _as_texts(table: pa.Table) -> pa.Table:
    """Return every column as text, written as the reader of single tables would take it."""
    found = {}
    for field in _schema():
        if field.name in table.column_names:
            found[field.name] = table[field.name].combine_chunks()
            if field.name != LINE:
                found[field.name] = _texts(found[field.name])
        elif field.name != SEQUENCE:
            found[field.name] = pa.nulls(table.num_rows, field.type)
    return pa.table(found)


def _texts(array: pa.Array) -> pa.Array:
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_integer(array.type) or pa.types.is_float32(array.type) or pa.types.is_large_string(array.type):
        return array.cast(pa.string())
    if pa.types.is_nested(array.type):
        return pa.array([None if value is None else as_text(value) for value in array.to_pylist()], pa.string())
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    words = pa.array([as_text(value) for value in coded.dictionary.to_pylist()], pa.string())
    return words.take(coded.indices)


def as_text(value: object) -> str | None:
    """Return any value as the text that a reader of tables would find."""
    written = as_written(value)
    if isinstance(written, Unusable):
        return NOT_SINGLE
    return None if written is None else str(written)


def _sort(path: Path, work: Path) -> Path:
    import duckdb

    target, half = work / "sorted.parquet", work / "sorted.parquet.part"
    try:
        with duckdb.connect() as connection:
            connection.execute("SET memory_limit = ?", [SORT_MEMORY])
            connection.execute("SET temp_directory = ?", [str(work / "spill")])
            rows = connection.read_parquet(str(path)).order(f"{PATIENT_ID}, {SEQUENCE}")
            rows.write_parquet(str(half), compression="zstd", row_group_size=BATCH)
    except duckdb.IOException:
        raise OutputError(
            "Sorting by patient needs more room on the disk.", where=str(work), fix="Make room, and run it again."
        ) from None
    half.replace(target)
    path.unlink()
    return target


def blocks(staged: Staged, size: int, start: int = 0) -> Iterator[pa.Table]:
    """Yield blocks of whole patients of about ``size`` rows, from a row on at which a patient starts.

    Where every row was lost, the only block is empty.
    """
    kept: list[pa.Table] = []
    rows = 0
    for table in _stored(staged, start):
        kept.append(table)
        rows += table.num_rows
        if rows >= size:
            whole, rest = _cut(pa.concat_tables(kept).combine_chunks())
            if whole.num_rows:
                yield whole
            kept, rows = [rest], rest.num_rows
    if rows:
        yield pa.concat_tables(kept).combine_chunks()
    elif not staged.rows and not start:
        yield pa.table({PATIENT_ID: pa.array([], pa.string())})  # tables of no patient, so that there are tables


def _cut(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Part a table before its last patient, whose rows may go on."""
    last = int(run_starts(identifiers(table[PATIENT_ID].combine_chunks()))[-1])
    return table.slice(0, last), table.slice(last)


def _stored(staged: Staged, start: int) -> Iterator[pa.Table]:
    before = 0
    for path in staged.files:
        length = pq.read_metadata(path).num_rows
        if before + length > start:
            yield from _of_file(path, staged.as_given, max(0, start - before))
        before += length


def _of_file(path: str, as_given: bool, start: int) -> Iterator[pa.Table]:
    """Yield the known columns of a file from a row on; whole row groups before it are not read."""
    schema = pq.read_schema(path)
    names = dict(_known(schema, path, as_given))
    texts = [name for name, ours in names.items() if _is_text(schema.field(name).type) and ours not in IDENTIFIERS]
    file = pq.ParquetFile(path, read_dictionary=texts)
    groups, number = [*range(file.num_row_groups)], 0
    while groups and number + file.metadata.row_group(groups[0]).num_rows <= start:
        number += file.metadata.row_group(groups.pop(0)).num_rows
    for batch in file.iter_batches(BATCH, row_groups=groups, columns=[*names]):
        skipped = max(0, min(start - number, batch.num_rows))
        table = pa.Table.from_batches([batch]).slice(skipped).select([*names]).rename_columns([*names.values()])
        first = number + skipped + 1
        number += batch.num_rows
        if as_given and table.num_rows:
            name = pa.array([Path(path).name] * table.num_rows)
            table = table.append_column(FILE, name)
            table = table.append_column(LINE, pa.array(np.arange(first, first + table.num_rows)))
        if table.num_rows:
            yield table


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _known(schema: pa.Schema, path: str, as_given: bool) -> Iterator[tuple[str, str]]:
    if not as_given:
        yield from ((name, name) for name in schema.names if name != SEQUENCE)
        return
    header = read_header(schema.names, Path(path).name)
    yield from ((written, ours) for written, ours in zip(schema.names, header.names, strict=True) if ours)
