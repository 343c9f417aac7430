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
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from her2crc.cohort.inputs import CSV, DUCKDB, PACKED, PARQUET, Input
from her2crc.cohort.reference import FILE, LINE, Reject
from her2crc.cohort.rows import identifiers
from her2crc.errors import Her2crcError, InputError, MissingExtraError
from her2crc.read.columns import PATIENT_ID, unknown_names
from her2crc.read.source import UTF16, first_line
from her2crc.read.table import Header, delimiter_of, is_empty, read_header

BATCH = 65_536
AS_LATIN_1 = "The file is not UTF-8 and was read as Latin-1: check letters with accents, or save it as UTF-8."
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
        columns = {known: _stored(batch[name]) for name, known in ours.items()}
        yield _placed(columns, np.arange(number + 1, number + batch.num_rows + 1), source.name, notes)
        notes = ()
        number += batch.num_rows


def _stored(array: pa.Array) -> pa.Array:
    """An extension type (a database's own number, say) stands as what it is stored as."""
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def _placed(columns: dict[str, pa.Array], lines: Any, name: str, notes: tuple[str, ...]) -> Batch:
    ids = identifiers(columns[PATIENT_ID])
    table = pa.table(
        {
            **columns,
            PATIENT_ID: ids,
            FILE: pa.array([name]).take(pa.array(np.zeros(len(ids), np.int64))),
            LINE: pa.array(lines),
        }
    )
    if not ids.null_count:
        return Batch(table, (), notes)
    lost = table.filter(pc.is_null(ids))[LINE].to_pylist()
    return Batch(table.filter(pc.is_valid(ids)), tuple(_nameless(name, line) for line in lost), notes)


def _nameless(name: str, line: int) -> Reject:
    text = f"patient_id is missing or blank, so nothing of row {line} was used: fill it in."
    return Reject(name, line, f"{name}:{line}", None, None, PATIENT_ID, "error", "no_patient_id", text)


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
    with _open(source) as file:
        start = file.read(len(codecs.BOM_UTF8))
        if start.startswith(UTF16):
            return io.TextIOWrapper(_open(source), "utf-16", newline="")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(start)
            for chunk in iter(lambda: file.read(FIRST_LINE), b""):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return io.TextIOWrapper(_open(source), "latin-1", newline="")
    return io.TextIOWrapper(_open(source), "utf-8-sig", newline="")


def _open(source: Input) -> IO[bytes]:
    with Path(source.path).open("rb") as file:
        packed = file.read(len(PACKED)) == PACKED
    return gzip.open(source.path) if packed else Path(source.path).open("rb")  # type: ignore[return-value]  # reads bytes


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
