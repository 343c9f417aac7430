"""``screen`` for a table in memory: polars, pandas or Arrow in, the same out."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from her2crc.cohort.engines import make_screener
from her2crc.cohort.inputs import PARQUET, Input
from her2crc.cohort.reference import Reject, rejects_table
from her2crc.cohort.screen import BLOCK_ROWS, Frames, summary_of
from her2crc.cohort.staging import Staged, as_text, has_synthetic_ids, is_marked_synthetic, whole_rows
from her2crc.cohort.summary import count
from her2crc.cohort.table_inputs import Batch, arrow_batches
from her2crc.cohort.tables import patients_table, specimens_table, verdicts_table
from her2crc.criteria.library import Knowledge
from her2crc.errors import UsageError
from her2crc.read.columns import PATIENT_ID, canonical, columns
from her2crc.read.table import read_header

THE_TABLE = Input(PARQUET, "", "the table")


def screen_frame(frame: Any, knowledge: Knowledge, engine: str) -> Frames:
    """Screen a table in memory; patients keep the order in which they are first seen.

    Raises:
        UsageError: it is no polars, pandas or Arrow table.
        InputError: it has no ``patient_id``, or a column twice.
    """
    began = time.monotonic()
    table, names, back = _to_arrow(frame)
    batches = list(arrow_batches(THE_TABLE, names, iter(table.to_batches())))
    rows = pa.concat_tables([batch.rows for batch in batches]) if batches else table
    rejects = [reject for batch in batches for reject in batch.rejects]
    staged = _as_staged(rows, rejects, batches, table)
    screener = make_screener(knowledge, engine)
    found: dict[str, list[pa.Table]] = {"verdicts": [], "patients": [], "specimens": []}
    counts: Counter[str] = Counter()
    read = time.monotonic()
    for block in _blocks(_by_patient(rows)):
        screened = screener.screen(block)
        found["verdicts"].append(verdicts_table(screened, screener))
        found["patients"].append(patients_table(screened, screener))
        found["specimens"].append(specimens_table(screened, screener))
        rejects += screened.rejects
        counts.update(count(screened, screener, len(screened.rejects)))
    seconds = {"read": read - began, "screen": time.monotonic() - read}
    return Frames(
        **{name: back(pa.concat_tables(parts).unify_dictionaries()) for name, parts in found.items()},
        rejects=back(rejects_table(rejects)),
        summary=summary_of(counts, staged, (), screener, engine, seconds),
    )


def _as_staged(rows: pa.Table, rejects: Sequence[Reject], batches: Sequence[Batch], table: pa.Table) -> Staged:
    notes = tuple(note for batch in batches for note in batch.notes)
    synthetic = is_marked_synthetic(table.schema) or (bool(batches) and has_synthetic_ids(rows[PATIENT_ID]))
    return Staged((), True, rows.num_rows, len(rejects), whole_rows(rejects), notes, synthetic)


def _to_arrow(frame: Any) -> tuple[pa.Table, list[str], Callable[[pa.Table], Any]]:
    """Return the columns whose names are known, the names of all, and the way back to the frame's own library."""
    polars, pandas = sys.modules.get("polars"), sys.modules.get("pandas")
    if polars and isinstance(frame, polars.DataFrame | polars.LazyFrame):
        frame = frame.lazy().collect()
        names, back = frame.columns, polars.from_arrow
        made = [_from_polars(frame[name]) for name in _known(names)]
    elif pandas and isinstance(frame, pandas.DataFrame):
        frame = _with_index(frame)
        names, back = [str(name) for name in frame.columns], _to_pandas
        made = [_from_pandas(frame.iloc[:, names.index(name)]) for name in _known(names)]
    elif isinstance(frame, pa.Table | pa.RecordBatch):
        frame = frame if isinstance(frame, pa.Table) else pa.Table.from_batches([frame])
        names, back = frame.column_names, _unchanged
        made = [frame[name] for name in _known(names)]
    else:
        raise UsageError("This is no polars, pandas or Arrow table, and no path.", fix="Give one of these.")
    metadata = frame.schema.metadata if isinstance(frame, pa.Table) else None
    return pa.table(made, names=_known(names), metadata=metadata), names, back


def _known(names: Sequence[str]) -> list[str]:
    header = read_header(list(names), THE_TABLE.name)
    return [written for written, ours in zip(names, header.names, strict=True) if ours]


def _to_pandas(table: pa.Table) -> Any:
    return table.to_pandas()


def _unchanged(table: pa.Table) -> pa.Table:
    return table


def _with_index(frame: Any) -> Any:
    """Return a pandas table in which a column that was made its index stands as a column again."""
    there = {canonical(name) for name in frame.columns}
    kept = [name for name in frame.index.names if canonical(name) in {*columns()} - there]
    return frame.reset_index(level=kept) if kept else frame


def _from_polars(column: Any) -> pa.Array:
    """Return a column of a polars table; one of a type that Arrow does not know, as texts."""
    if not column.dtype.is_object():
        try:
            stored: pa.Array = column.to_arrow()
            return stored
        except pa.ArrowException:
            pass  # whole numbers of 128 bits
    return pa.array(_texts(column), pa.string())


def _from_pandas(column: Any) -> pa.Array | pa.ChunkedArray:
    """Return a column of a pandas table; one of several types, which Arrow does not know, as texts."""
    try:
        return pa.Array.from_pandas(column)
    except (pa.ArrowException, TypeError):
        return pa.array(_texts(column.astype(object).where(column.notna(), None)), pa.string())


def _texts(values: Iterable[Any]) -> list[str | None]:
    return [as_text(value.item() if isinstance(value, np.generic) else value) for value in values]


def _by_patient(rows: pa.Table) -> pa.Table:
    """Bring the rows of each patient together, in the order in which patients are first seen."""
    seen = rows[PATIENT_ID].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(seen, kind="stable")
    return rows if (order == np.arange(len(order))).all() else rows.take(pa.array(order))


def _blocks(rows: pa.Table) -> list[pa.Table]:
    seen = rows[PATIENT_ID].combine_chunks().dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(seen, prepend=-1))
    cuts = [int(starts[np.searchsorted(starts, at)]) for at in range(0, rows.num_rows, BLOCK_ROWS) if at <= starts[-1]]
    edges = [*dict.fromkeys(cuts), rows.num_rows]
    return [rows.slice(start, stop - start) for start, stop in pairwise(edges)] or [rows]
