"""``screen`` on a Spark cluster, for a cohort that outgrows one machine.

Rows are brought together by patient across the cluster; every worker reads the cells (as :mod:`her2crc.cohort.rows`
does), Spark's own SQL evaluates the rules on exact decimals, and the worker makes the tables of whole patients and
writes them. A part has the name of its partition and is renamed into place, so a task that is run again, because its
worker was lost, writes the same. A partition that is written whole leaves a note, and a run that goes on behind a
killed one passes it by. Input and output must be reachable from every worker.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pyarrow as pa
from sqlglot import exp

from her2crc.cohort.block import Screener
from her2crc.cohort.engines import codes_query, facts_table
from her2crc.cohort.inputs import find_inputs
from her2crc.cohort.parts import (
    KINDS,
    WORK,
    Folder,
    PartNote,
    read_note,
    run_mark,
    total,
    write_note,
    write_part,
    write_text,
)
from her2crc.cohort.plain import settle_material
from her2crc.cohort.reference import LINE
from her2crc.cohort.rows import run_starts
from her2crc.cohort.screen import BLOCK_ROWS, FORMAT, knowledge_mark, make_part, summary_of
from her2crc.cohort.staging import SEQUENCE, Staged, stage
from her2crc.cohort.values import Column, absent
from her2crc.criteria.library import Knowledge
from her2crc.errors import Her2crcError, InputError, MissingExtraError
from her2crc.read.columns import PATIENT_ID

CODES = "_codes"
WHOLE = ".whole"
"""Ending of the note of a partition that is written whole."""
ROW = "row__"
"""Start of the names under which the row as given travels beside its facts."""
ROWS_OF_PARTITION = 500_000
"""Rows that one task takes; a task is what is done again when a worker is lost."""
SETTINGS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": BLOCK_ROWS,
    "spark.task.maxFailures": 8,
    "spark.ui.enabled": "false",
    # All sets make one very large projection: derived facts are worked out once, and no Java is compiled for it.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.CollapseProject",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.subexpressionElimination.enabled": "false",
}
Progress = Callable[[str, int, int, int], None]
Batches = Iterator[pa.RecordBatch]


class SparkScreener(Screener):
    """A screener on a worker: what Spark's SQL says of each row stands in the row."""

    def codes(self, _columns: Any, table: pa.Table) -> npt.NDArray[Any]:
        """Return for each row what each set says."""
        flat = table[CODES].combine_chunks().flatten()
        codes: npt.NDArray[Any] = flat.to_numpy(zero_copy_only=False)
        return codes.reshape(table.num_rows, len(self.outcomes.sets))


def screen_on_spark(
    words: Sequence[str], output: Path, knowledge: Knowledge, master: str, progress: Progress
) -> dict[str, Any]:
    """Screen a cohort on a cluster into a folder that all workers can write. Raises as :func:`screen`.

    Args:
        words: the inputs.
        output: the folder.
        knowledge: what to judge by.
        master: the address of the cluster (``spark://host:7077``, ``yarn``, ``local[*]``).
        progress: told the steps.
    """
    began = time.monotonic()
    sources = find_inputs(words)
    folder = Folder(output.resolve(), run_mark(sources, knowledge_mark(knowledge), f"{FORMAT} spark"))
    staged = stage(sources, folder.work / "staged", progress)
    read = time.monotonic()
    session = _session(master)
    try:
        progress("screening on Spark", 0, 0, 0)
        _run(session, staged, folder.path, knowledge)
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j"):
            raise
        raise InputError("Spark gave up.", where=master, why=str(error).splitlines()[0], fix="See its log.") from None
    finally:
        session.stop()
    notes = [read_note(path) for path in folder.parts_path.glob(f"*{WHOLE}")]
    if sum(note.stop for note in notes) != staged.rows:
        raise Her2crcError("Spark did not hand on every row.", fix="Please report this with the version of Spark.")
    counts = total(notes)
    seconds = {"read": read - began, "screen": time.monotonic() - read}
    summary = summary_of(counts, staged, sources, Screener(knowledge), "spark", seconds)
    folder.finish(summary)
    return summary


def _session(master: str) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError(
            "The engine spark needs pyspark, which is not installed.", fix="Run: pip install 'her2crc[spark]'."
        ) from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder
    builder = builder.master(master).appName("her2crc screen")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _run(session: Any, staged: Staged, output: Path, knowledge: Knowledge) -> None:
    """Run the steps on the cluster."""
    given = session.read.parquet(*(str(Path(path).resolve()) for path in staged.files))
    if SEQUENCE not in given.columns:
        given = given.selectExpr("*", f"_metadata.row_index + 1 AS {LINE}", "_metadata.file_name AS _file")
    ordered = [name for name in ("_file", LINE, SEQUENCE) if name in given.columns]
    ordered = [SEQUENCE] if SEQUENCE in ordered else ordered
    partitions = _partitions(output, staged.rows, session.sparkContext.defaultParallelism)
    by_patient = given.repartition(partitions, PATIENT_ID).sortWithinPartitions(PATIENT_ID, *ordered)
    example = _cells_reader(knowledge)(pa.Table.from_batches([], _arrow_schema(by_patient.schema)))
    facts = by_patient.mapInArrow(_each(_cells_reader(knowledge)), _spark_schema(example.schema))
    facts.createOrReplaceTempView("facts")
    rows = [name for name in example.column_names if name.startswith(ROW)]
    judged = session.sql(_query(knowledge, rows))
    judged.mapInArrow(_writer(output, knowledge), "nothing binary").collect()


def _partitions(output: Path, rows: int, least: int) -> int:
    """Return into how many partitions the patients go: as many as in the killed run, whose whole ones are kept.

    What it wrote of the others is removed.
    """
    mark = output / WORK / "partitions.txt"
    if not mark.is_file():
        write_text(mark, str(max(1, -(-rows // ROWS_OF_PARTITION), least)))
    whole = {path.name.removesuffix(WHOLE) for path in (output / WORK / "parts").glob(f"*{WHOLE}")}
    for folder in (output / WORK / "parts", *(output / kind for kind in KINDS)):
        for path in folder.glob("*-*"):
            if path.name.removeprefix("part-").partition("-")[0] not in whole:
                path.unlink()
    return int(mark.read_text())


def _cells_reader(knowledge: Knowledge) -> Callable[[pa.Table], pa.Table]:
    """Return what a worker does first: rows to their base facts as exact decimals, the row itself beside them."""
    screener: list[Screener] = []

    def read(table: pa.Table) -> pa.Table:
        if not screener:
            screener.append(Screener(knowledge))
        readers = screener[0].readers
        columns: dict[str, Column] = {
            name: reader.read(table[name].combine_chunks()) if name in table.column_names else absent(table.num_rows)
            for name, reader in readers.items()
        }
        settle_material(columns, screener[0].fields)
        facts = facts_table(columns, screener[0].fields)
        plain = [
            column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in facts.columns
        ]
        beside = {f"{ROW}{name}": table[name] for name in table.column_names}
        return pa.table({**dict(zip(facts.column_names, plain, strict=True)), **beside})

    return read


def _each(read: Callable[[pa.Table], pa.Table]) -> Callable[[Batches], Batches]:
    def run(batches: Batches) -> Batches:
        for batch in batches:
            yield from read(pa.Table.from_batches([batch])).combine_chunks().to_batches()

    return run


def _query(knowledge: Knowledge, rows: Sequence[str]) -> str:
    """Return the query of all sets in Spark's dialect, with their answers in one list and the row beside it."""
    query = codes_query(knowledge, "facts", rows)
    answers = [item.this for item in query.expressions]
    beside = [exp.column(name, quoted=True) for name in rows]
    listed = exp.alias_(exp.Array(expressions=answers), CODES, quoted=True)
    return query.select(*beside, listed, append=False).sql(dialect="spark")


def _writer(output: Path, knowledge: Knowledge) -> Callable[[Batches], Batches]:
    """Return what a worker does last: whole patients to tables, written as parts of the output; it hands on nothing."""

    def run(batches: Batches) -> Batches:
        from pyspark import TaskContext

        context: Any = TaskContext.get()
        name = f"{context.partitionId():05}"
        if (output / WORK / "parts" / f"{name}{WHOLE}").is_file():
            return
        screener, notes = SparkScreener(knowledge), [PartNote(0, 0, {})]
        for at, table in enumerate(_whole_patients(batches)):
            part = make_part(table, notes[-1].stop, screener)
            write_part(output, f"{name}-{at:03}", *part)
            notes.append(part[2])
        write_note(output, f"{name}{WHOLE}", PartNote(0, notes[-1].stop, dict(total(notes))))
        yield from ()

    return run


def _whole_patients(batches: Batches) -> Iterator[pa.Table]:
    """Yield blocks that end with a patient; the rows of a partition stand by patient."""
    kept: pa.Table | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch])
        table = table.rename_columns([name.removeprefix(ROW) for name in table.column_names])
        kept = table if kept is None else pa.concat_tables([kept, table])
        if kept.num_rows >= BLOCK_ROWS:
            last = int(run_starts(kept[PATIENT_ID].combine_chunks())[-1])
            if last:
                yield kept.slice(0, last)
                kept = kept.slice(last)
    if kept is not None and kept.num_rows:
        yield kept


def _arrow_schema(schema: Any) -> pa.Schema:
    from pyspark.sql.pandas.types import to_arrow_schema

    return to_arrow_schema(schema)


def _spark_schema(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)
