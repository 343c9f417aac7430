"""Specimen tables in batches: Parquet, CSV, DuckDB and PostgreSQL, with our column names and the place of each row.

Values stay as they were written; the header's rules are those of the reader of single tables.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from her2crc.cohort.inputs import CSV, DUCKDB, PARQUET, Input, open_packed
from her2crc.cohort.reference import FILE, LINE, Reject
from her2crc.cohort.rows import identifiers
from her2crc.errors import Her2crcError, InputError, MissingExtraError
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, unknown_names
from her2crc.read.rows import TOTALS
from her2crc.read.source import UTF16, first_line
from her2crc.read.table import Header, delimiter_of, is_empty, read_header

BATCH = 65_536
IDENTIFIERS = (PATIENT_ID, SPECIMEN_ID)
AS_LATIN_1 = "The file is not UTF-8 and was read as Latin-1: check letters with accents, or save it as UTF-8."
_TOTAL_IDS = pa.array(sorted({form for word in TOTALS for form in (word, word.capitalize(), word.upper())}))
FIRST_LINE = 1_000_000
"""Characters in which the header of a CSV file stands."""


class Batch(NamedTuple):
    """Rows of one input with our column names; rows without a patient are left out and stand in ``rejects``."""

    rows: pa.Table
    rejects: tuple[Reject, ...] = ()
    notes: tuple[str, ...] = ()
    share: float = 0.0
    """How much of the input is read with this batch; 0 where that cannot be told."""


def table_batches(source: Input) -> Iterator[Batch]:
    """Yield a table in batches.

    Raises:
        InputError: the table cannot be read, or has no ``patient_id``.
        MissingExtraError: a library that this kind needs is not installed.
    """
    read: dict[str, Callable[[Input], Iterator[Batch]]] = {PARQUET: _parquet, CSV: _csv, DUCKDB: _duckdb}
    yield from read.get(source.kind, _postgresql)(source)


def open_parquet(source: Input) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises:
        InputError: it is damaged.
    """
    try:
        return pq.ParquetFile(source.path)
    except (pa.ArrowException, OSError):
        raise InputError("The Parquet file is damaged.", where=source.name, fix="Write it again.") from None


def _parquet(source: Input) -> Iterator[Batch]:
    file = open_parquet(source)
    try:
        names, rows = file.schema_arrow.names, 0
        known = [name for name, ours in zip(names, read_header(names, source.name).names, strict=True) if ours]
        for batch in arrow_batches(source, names, file.iter_batches(BATCH, columns=known)):
            rows += batch.rows.num_rows + len(batch.rejects)
            yield batch._replace(share=rows / file.metadata.num_rows)
    except Her2crcError:
        raise
    except (pa.ArrowException, OSError):
        raise InputError("The Parquet file is damaged.", where=source.name, fix="Write it again.") from None


def arrow_batches(source: Input, names: Sequence[str], batches: Iterator[pa.RecordBatch]) -> Iterator[Batch]:
    """Yield Arrow batches of a table with these columns under our names. Raises as :func:`table_batches`."""
    header = read_header(names, source.name)
    ours = {name: known for name, known in zip(names, header.names, strict=True) if known}
    notes = tuple(issue.text for issue in unknown_names(header.unknown(), source.name))
    number = 0
    for batch in batches:
        columns = {known: plain(known, batch[name]) for name, known in ours.items()}
        yield _placed(columns, np.arange(number + 1, number + batch.num_rows + 1), source.name, notes)
        notes = ()
        number += batch.num_rows


def is_plain(name: str, kind: pa.DataType) -> bool:
    """Tell whether a column of this name and type is read as it stands; see :func:`plain`."""
    return bool(_plain_type(name, kind) == kind)


def plain(name: str, array: pa.Array) -> pa.Array:
    """Return a column in a type that everything behind this can read, with the same values.

    UUIDs stand as text, other extension types (a database's own number, say) as what they are stored as; run ends,
    views and short decimals, which Arrow can hardly compute with, as plain ones; identifiers in single precision as
    text, since as doubles 1.1 would read 1.100000023841858.
    """
    if isinstance(array.type, pa.UuidType):
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())
    if isinstance(array, pa.ExtensionArray):
        return plain(name, array.storage)
    if pa.types.is_run_end_encoded(array.type):
        return plain(name, pc.run_end_decode(array))
    wanted = _plain_type(name, array.type)
    return array if wanted == array.type else array.cast(wanted)


def _plain_type(name: str, kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_dictionary(kind):
        inner = _plain_type(name, kind.value_type)
        return kind if inner == kind.value_type else inner
    if isinstance(kind, pa.UuidType):
        return pa.string()
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_type(name, kind.storage_type)
    if types.is_run_end_encoded(kind):
        return _plain_type(name, kind.value_type)
    if types.is_string_view(kind) or (name in IDENTIFIERS and (types.is_float32(kind) or types.is_float16(kind))):
        return pa.string()
    if types.is_binary_view(kind):
        return pa.binary()
    short = types.is_decimal32(kind) or types.is_decimal64(kind)
    return pa.decimal128(kind.precision, kind.scale) if short else kind


def _placed(columns: dict[str, pa.Array], lines: Any, name: str, notes: tuple[str, ...]) -> Batch:
    given = columns[PATIENT_ID]
    ids = identifiers(given)
    table = pa.table(
        {
            **columns,
            PATIENT_ID: ids,
            FILE: pa.array([name]).take(pa.array(np.zeros(len(ids), np.int64))),
            LINE: pa.array(lines),
        }
    )
    lost = pc.is_null(ids)
    totals = pc.is_in(ids, _TOTAL_IDS)
    if not ids.null_count and not pc.any(totals).as_py():
        return Batch(table, (), notes)
    what = f"is a column of {given.type}, which can be no identifier" if _is_no_word(given) else "is missing or blank"
    rejects = [_nameless(name, line, what) for line in table.filter(lost)[LINE].to_pylist()]
    rejects += [_of_totals(name, line) for line in table.filter(totals)[LINE].to_pylist()]
    return Batch(table.filter(pc.invert(pc.or_(lost, totals))), tuple(rejects), notes)


def _is_no_word(array: pa.Array) -> bool:
    binary = pa.types.is_binary(array.type) or pa.types.is_fixed_size_binary(array.type)
    return bool(binary or pa.types.is_large_binary(array.type) or pa.types.is_nested(array.type))


def _nameless(name: str, line: int, what: str) -> Reject:
    text = f"patient_id {what}, so nothing of row {line} was used: fill it in."
    return Reject(name, line, f"{name}:{line}", None, None, PATIENT_ID, "error", "no_patient_id", text)


def _of_totals(name: str, line: int) -> Reject:
    text = f"Row {line} adds up the others ('total' stands for the patient), so nothing of it was used."
    return Reject(name, line, f"{name}:{line}", None, None, PATIENT_ID, "warning", "total_row", text)


def _csv(source: Input) -> Iterator[Batch]:
    with _text(source) as text:
        notes = (AS_LATIN_1,) if text.encoding == "latin-1" else ()
        start = text.read(FIRST_LINE)
        text.seek(0)
        reader = csv.reader(text, delimiter=delimiter_of(first_line(start)), strict=True)
        for batch in _csv_batches(source, reader):
            yield batch._replace(notes=(*notes, *batch.notes), share=_position(text) / source.bytes)
            notes = ()


def _position(text: Any) -> int:
    """Return how far a file is read, in its own bytes."""
    inner = text.buffer
    position: int = (inner.fileobj if isinstance(inner, gzip.GzipFile) else inner).tell()  # type: ignore[union-attr]  # gzip's own file can tell
    return position


def _text(source: Input) -> io.TextIOWrapper:
    """Open a text, packed or not, in its encoding: UTF-16 with its mark, UTF-8, else Latin-1."""
    with open_packed(Path(source.path)) as file:
        start = file.read(len(codecs.BOM_UTF8))
        if start.startswith(UTF16):
            return io.TextIOWrapper(open_packed(Path(source.path)), "utf-16", newline="")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(start)
            for chunk in iter(lambda: file.read(FIRST_LINE), b""):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return io.TextIOWrapper(open_packed(Path(source.path)), "latin-1", newline="")
    return io.TextIOWrapper(open_packed(Path(source.path)), "utf-8-sig", newline="")


def _csv_batches(source: Input, reader: Any) -> Iterator[Batch]:
    rows = _csv_rows(source, reader)
    _, first = next(rows, (0, []))
    header = read_header(first, source.name)
    notes = tuple(issue.text for issue in unknown_names(header.unknown(), source.name))
    kept: list[Sequence[str | None]] = []
    lines: list[int] = []
    rejects: list[Reject] = []
    for number, cells in rows:
        fitted, reject = _fitted(header, cells, number, source.name)
        kept.append(fitted)
        lines.append(number)
        rejects += reject
        if len(kept) == BATCH:
            yield _csv_batch(source, header, kept, lines, rejects, notes)
            kept, lines, rejects, notes = [], [], [], ()
    if kept:
        yield _csv_batch(source, header, kept, lines, rejects, notes)


def _csv_rows(source: Input, reader: Any) -> Iterator[tuple[int, list[str]]]:
    number = 1
    try:
        for cells in reader:
            if any(cells) and not all(map(is_empty, cells)):
                yield number, cells
            number = reader.line_num + 1
    except (csv.Error, UnicodeDecodeError, OSError, EOFError):
        raise InputError(
            "The table cannot be split into cells from here on.",
            where=f"{source.name}:{number}",
            fix="Look for a quotation mark that is not closed, or stands inside a cell.",
        ) from None


def _fitted(header: Header, cells: list[str], number: int, name: str) -> tuple[Sequence[str | None], list[Reject]]:
    """Return a row of as many cells as the header has; of one that does not fit, only whose it is."""
    width, place = len(header.names), f"{name}:{number}"
    if len(cells) == width:
        return cells, []
    if len(cells) < width:
        return cells + [""] * (width - len(cells)), []
    if all(map(is_empty, cells[width:])):
        return cells[:width], []
    if all(map(is_empty, cells[header.width :])):
        text = "A cell stands under no column name; it was not used."
        return cells[:width], [Reject(name, number, place, None, None, None, "error", "cell_without_column", text)]
    text = (
        f"The row has {len(cells)} cells, the header {header.width}: they may stand in the wrong column, so nothing"
        " of the row was used. Look for decimal commas without quotes."
    )
    owner = [cell if known == PATIENT_ID else None for cell, known in zip(cells, header.names, strict=False)]
    return owner, [Reject(name, number, place, None, None, None, "error", "too_many_cells", text)]


def _csv_batch(
    source: Input, header: Header, rows: list[Sequence[str | None]], lines: list[int], rejects: list[Reject], notes: Any
) -> Batch:
    by_column = zip(header.names, zip(*rows, strict=True), strict=True)
    columns = {name: pa.array(cells, pa.string()) for name, cells in by_column if name}
    batch = _placed(columns, np.array(lines), source.name, notes)
    return batch._replace(rejects=(*rejects, *batch.rejects))


def _duckdb(source: Input) -> Iterator[Batch]:
    import duckdb

    try:
        with duckdb.connect(source.path, read_only=True) as connection:
            reader: Any = connection.sql(_select(source, "duckdb")).to_arrow_reader(BATCH)
            yield from arrow_batches(source, reader.schema.names, reader)
    except duckdb.Error as error:
        raise _refused(source, error) from None


def _postgresql(source: Input) -> Iterator[Batch]:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise MissingExtraError(
            "Reading PostgreSQL needs adbc-driver-postgresql, which is not installed.",
            fix="Run: pip install 'her2crc[cohort]'.",
        ) from None
    try:
        with dbapi.connect(source.path) as connection, connection.cursor() as cursor:
            cursor.execute(_select(source, "postgres"))
            reader: Any = cursor.fetch_record_batch()
            yield from arrow_batches(source, reader.schema.names, reader)
    except dbapi.Error as error:
        raise _refused(source, error) from None


def _select(source: Input, dialect: str) -> str:
    from sqlglot import exp

    table = exp.to_table(source.table, dialect=dialect)
    for part in table.parts:
        part.set("quoted", True)
    return exp.select("*").from_(table).sql(dialect=dialect)


def _refused(source: Input, error: Exception) -> InputError:
    reason = str(error).splitlines()[0] if str(error) else "no reason given"
    return InputError(f"The database refused: {reason}", where=source.name, fix="Check the address and the table.")
