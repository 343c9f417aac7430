"""The finished tables in another form: one CSV a kind, tables of a DuckDB file, or tables of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from her2crc.cohort.inputs import POSTGRESQL
from her2crc.cohort.parts import KINDS
from her2crc.errors import MissingExtraError, OutputError

REJECTS = "rejects"
SEPARATOR = ";"
BATCH = 262_144


def export(output: Path, to: str) -> None:
    """Write the tables of a finished run in another form; the Parquet files stay.

    Raises:
        OutputError: the database refused.
        MissingExtraError: its driver is not installed.
    """
    if to == "csv":
        _to_csv(output)
    elif to == "duckdb":
        _to_duckdb(output)
    else:
        _to_postgresql(output, to)


def files_of(output: Path, kind: str) -> list[Path]:
    """Return the Parquet files of one kind of table."""
    return [output / f"{REJECTS}.parquet"] if kind == REJECTS else sorted((output / kind).glob("part-*.parquet"))


def _tables(output: Path, kind: str) -> Iterator[pa.Table]:
    """Yield a kind of table in pieces; of one without rows, an empty piece."""
    empty = True
    for path in files_of(output, kind):
        for batch in pq.ParquetFile(path).iter_batches(BATCH):
            empty = False
            yield pa.Table.from_batches([_flat(batch)])
    if empty:
        schema = pq.read_schema(files_of(output, kind)[0])
        nothing = pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
        yield pa.Table.from_batches([_flat(nothing)])


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return texts as texts, and a list as one text."""
    columns = {}
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_list(field.type):
            column = pc.binary_join(column, SEPARATOR)
        columns[field.name] = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    return pa.RecordBatch.from_pydict(columns)


def _to_csv(output: Path) -> None:
    for kind in (*KINDS, REJECTS):
        half, tables = output / f".{kind}.csv.half", _tables(output, kind)
        first = next(tables)
        with pcsv.CSVWriter(half, first.schema) as writer:
            for table in chain((first,), tables):
                writer.write_table(table)
        half.replace(output / f"{kind}.csv")


def _to_duckdb(output: Path) -> None:
    import duckdb

    half = output / ".screen.duckdb.half"
    half.unlink(missing_ok=True)
    with duckdb.connect(str(half)) as connection:
        for kind in (*KINDS, REJECTS):
            connection.read_parquet([str(path) for path in files_of(output, kind)]).create(kind)
    half.replace(output / "screen.duckdb")


def _to_postgresql(output: Path, address: str) -> None:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise MissingExtraError(
            "Writing to PostgreSQL needs adbc-driver-postgresql, which is not installed.",
            fix="Run: pip install 'her2crc[cohort]'.",
        ) from None
    try:
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            for kind in (*KINDS, REJECTS):
                mode = "replace"
                for table in _tables(output, kind):
                    cursor.adbc_ingest(f"her2crc_{kind}", table, mode=mode)
                    mode = "append"
            connection.commit()  # all tables or none
    except dbapi.Error as error:
        raise OutputError(f"The database refused: {str(error).splitlines()[0]}", where=POSTGRESQL) from None
