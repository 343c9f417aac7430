"""``screen`` for a table in memory: polars, pandas or Arrow in, the same out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from her2crc.cohort.engines import make_screener
from her2crc.cohort.inputs import PARQUET, Input
from her2crc.cohort.reference import rejects_table
from her2crc.cohort.screen import BLOCK_ROWS, Frames
from her2crc.cohort.staging import as_text
from her2crc.cohort.summary import count, summarise
from her2crc.cohort.table_inputs import arrow_batches
from her2crc.cohort.tables import patients_table, specimens_table, verdicts_table
from her2crc.criteria.library import Knowledge
from her2crc.errors import UsageError
from her2crc.read.columns import PATIENT_ID


def screen_frame(frame: Any, knowledge: Knowledge, engine: str) -> Frames:
    """Screen a table in memory; patients keep the order in which they are first seen.

    Raises:
        UsageError: it is no polars, pandas or Arrow table.
        InputError: it has no ``patient_id``, or a column twice.
    """
    table, back = _to_arrow(frame)
    batches = list(arrow_batches(Input(PARQUET, "", "the table"), table.schema.names, iter(table.to_batches())))
    rows = pa.concat_tables([batch.rows for batch in batches]) if batches else table
    rejects = [reject for batch in batches for reject in batch.rejects]
    screener = make_screener(knowledge, engine)
    found: dict[str, list[pa.Table]] = {"verdicts": [], "patients": [], "specimens": []}
    counts: dict[str, int] = {}
    for block in _blocks(_by_patient(rows)):
        screened = screener.screen(block)
        found["verdicts"].append(verdicts_table(screened, screener))
        found["patients"].append(patients_table(screened, screener))
        found["specimens"].append(specimens_table(screened, screener))
        rejects += screened.rejects
        for name, number in count(screened, screener, len(screened.rejects)).items():
            counts[name] = counts.get(name, 0) + number
    tables = {name: pa.concat_tables(parts).unify_dictionaries() for name, parts in found.items()}
    summary = {**summarise(counts, screener), "rejects": len(rejects), "engine": engine}
    return Frames(
        **{name: back(part) for name, part in tables.items()}, rejects=back(rejects_table(rejects)), summary=summary
    )


def _to_arrow(frame: Any) -> tuple[pa.Table, Callable[[pa.Table], Any]]:
    kind = type(frame).__module__.partition(".")[0]
    if kind == "polars":
        import polars

        frame = frame.collect() if isinstance(frame, polars.LazyFrame) else frame
        mixed = [name for name, kind in frame.schema.items() if kind == polars.Object]
        words = [polars.Series(name, _texts(frame[name]), polars.String) for name in mixed]
        return frame.with_columns(words).to_arrow(), polars.from_arrow
    if kind == "pandas":
        columns = [_from_pandas(frame.iloc[:, at]) for at in range(frame.shape[1])]
        return pa.Table.from_arrays(columns, [str(name) for name in frame.columns]), lambda table: table.to_pandas()
    if isinstance(frame, pa.Table | pa.RecordBatch):
        return (frame if isinstance(frame, pa.Table) else pa.Table.from_batches([frame])), lambda table: table
    raise UsageError("This is no polars, pandas or Arrow table, and no path.", fix="Give one of these.")


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
