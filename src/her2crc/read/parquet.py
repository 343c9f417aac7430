"""The specimen table from Parquet: only known columns are unpacked, for :mod:`her2crc.read.table`.

Rows are numbered from 1; a Parquet file has no header line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from her2crc.errors import Her2crcError, InputError, MissingExtraError
from her2crc.model.record import PatientRecord
from her2crc.read.columns import canonical, columns
from her2crc.read.table import read_grid

MAX_ROWS = 10_000_000
"""Rows that one file may have here; cohorts of that size are read by the column engine, not row by row."""


def read_parquet(data: bytes, name: str) -> list[PatientRecord]:
    """Read the specimen table; see :func:`her2crc.read.table.read_grid`.

    Raises:
        MissingExtraError: pyarrow is not installed.
        InputError: the file is damaged or too long, or is not a specimen table.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(
            "Reading Parquet needs pyarrow, which is not installed.",
            where=name,
            fix="Run: pip install 'her2crc[tables]', or save the table as CSV.",
        ) from None
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
        if file.metadata.num_rows > MAX_ROWS:
            raise InputError(f"The table has more than {MAX_ROWS} rows.", where=name, fix="Split the file.")
        return read_grid(_grid(file), name)
    except Her2crcError:
        raise
    except Exception:  # noqa: BLE001 - pyarrow raises many kinds on a damaged file
        raise InputError("The Parquet file is damaged.", where=name, fix="Write it again.") from None


def _grid(file: Any) -> Iterator[tuple[int, Sequence[object]]]:
    header = list(file.schema_arrow.names)
    yield 0, header
    known = [position for position, column in enumerate(header) if canonical(column) in columns()]
    number = 0
    for batch in file.iter_batches(columns=[header[position] for position in known]):
        by_position = dict(zip(known, map(_values, batch.columns), strict=True))
        for index in range(batch.num_rows):
            number += 1
            yield number, [by_position[at][index] if at in by_position else None for at in range(len(header))]


def _values(column: Any) -> list[object]:
    """Single-precision numbers go through text: as doubles, 2.2 would read 2.200000047683716."""
    import pyarrow

    if pyarrow.types.is_float32(column.type) or pyarrow.types.is_float16(column.type):
        column = column.cast(pyarrow.string())
    values: list[object] = column.to_pylist()
    return values
