"""``screen``: verdicts under every rule for each specimen and patient of a cohort, from any input to tables.

    inputs -> staging -> blocks of whole patients -> block (plain ones at once, others one by one) -> parts

The knowledge, the verdicts and the answers are those of ``assess``; this module only joins the steps.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, overload

from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError, MissingExtraError, OutputError, UsageError
from her2crc.flow import load_knowledge

ENGINES = ("duckdb", "kernel", "spark")
FORMATS = ("parquet", "csv", "duckdb")
BLOCK_ROWS = 65_536
FORMAT = 1
"""Of the layout in docs/reference/screen-output.md."""

Progress = Callable[[str, int, int, int], None]
"""Told what is done, how many rows of how many, and how many patients so far."""


class Frames(NamedTuple):
    """The answer about a table in memory, as frames of the same library."""

    verdicts: Any
    patients: Any
    specimens: Any
    rejects: Any
    summary: dict[str, Any]


@overload
def screen(
    source: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    knowledge: Knowledge | None = None,
    engine: str = "duckdb",
    to: str = "parquet",
    overwrite: bool = False,
    master: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Screen files, folders or tables of databases into a folder, and return the summary."""


@overload
def screen(
    source: Any,
    output: None = None,
    *,
    knowledge: Knowledge | None = None,
    engine: str = "duckdb",
) -> Frames:
    """Screen a table in memory, and return the result as frames of the same library."""


@overload
def screen(
    source: str | Path | Sequence[str | Path],
    output: None = None,
    *,
    knowledge: Knowledge | None = None,
    count: Sequence[str],
) -> dict[str, Any]:
    """Count the verdicts on the rows of Parquet files under the sets named by ``count``, all of them if it is empty."""


def screen(
    source: Any,
    output: str | Path | None = None,
    *,
    knowledge: Knowledge | None = None,
    engine: str = "duckdb",
    to: str = "parquet",
    overwrite: bool = False,
    master: str | None = None,
    progress: Progress | None = None,
    count: Sequence[str] | None = None,
) -> dict[str, Any] | Frames:
    """Say what every rule says of each specimen and patient of a cohort.

    Args:
        source: a file, folder, glob or database address, or a list of these, screened into the folder ``output``;
            or a polars, pandas or Arrow table with the columns of the specimen table, answered in memory.
        output: the folder to write; one that a killed run left behind is gone on with.
        knowledge: what to judge by; today's if not named.
        engine: what evaluates the rules: ``duckdb``, ``kernel`` or ``spark``.
        to: ``parquet``, ``csv``, ``duckdb``, or the address of a PostgreSQL database.
        overwrite: replace what an earlier screening wrote into the folder.
        master: the Spark cluster, where the engine is ``spark``.
        progress: called now and then.
        count: names of sets, or none of them for all: nothing is written, and the verdicts on the rows of Parquet
            files (one row a specimen) are only counted.

    Returns:
        The summary of what was written; for a table in memory, the result as frames of the same library; with
        ``count``, for each set the number of specimens of each status.

    Raises:
        InputError: an input cannot be read as a whole. A bad value or row is a line of the reject file instead.
        OutputError: the folder cannot be written, or holds another run.
        UsageError: no such engine or format, or no output named.
        MissingExtraError: a library of the extra ``cohort`` is not installed.
    """
    _require()
    if engine not in ENGINES:
        raise UsageError(f"'{engine}' is not an engine", fix=f"Choose {', '.join(ENGINES)}.")
    knowledge = knowledge or load_knowledge()
    if count is not None:
        from her2crc.cohort.count import count_verdicts

        named = source if isinstance(source, list | tuple) else [source]
        return dict(count_verdicts([str(word) for word in named], knowledge, count))
    if not isinstance(source, str | Path | list | tuple):
        from her2crc.cohort.frames import screen_frame

        if engine == "spark":
            raise UsageError("Spark takes files, not a table in memory.", fix="Write it as Parquet, or name no engine.")
        return screen_frame(source, knowledge, engine)
    if output is None:
        raise UsageError("No output folder is named.", fix="Name the folder to write.")
    if to not in FORMATS and not to.startswith(("postgresql://", "postgres://")):
        raise UsageError(f"'{to}' is not an output", fix=f"Choose {', '.join(FORMATS)} or postgresql://...")
    if overwrite:
        from her2crc.cohort.parts import remove

        remove(Path(output))
    words = [str(word) for word in (source if isinstance(source, list | tuple) else [source])]
    if engine == "spark":
        from her2crc.cohort.spark import screen_on_spark

        summary = screen_on_spark(words, Path(output), knowledge, master or "local[*]", progress or _silent)
    else:
        summary = _screen_to_folder(words, Path(output), knowledge, engine, progress or _silent)
    if to != "parquet":
        from her2crc.cohort.export import export

        with _written_to(Path(output)):
            export(Path(output), to)
    return summary


@contextmanager
def _written_to(folder: Path) -> Iterator[None]:
    """Raise what the disk refuses (it is full, say) as an OutputError, and damage inside a file as an InputError."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # Arrow's own complaint of pages that it cannot unpack
            raise InputError("A Parquet file is damaged.", fix="Write it again.") from None
        raise OutputError(
            f"Writing stopped ({os.strerror(error.errno)}).",
            where=str(folder),
            fix="Make room or mend the folder, and run the same command again: it goes on from the last whole part.",
        ) from None


def _require() -> None:
    for name in ("numpy", "numba", "pyarrow", "duckdb"):
        try:
            import_module(name)
        except ImportError:
            raise MissingExtraError(
                f"Screening a cohort needs {name}, which is not installed.", fix="Run: pip install 'her2crc[cohort]'."
            ) from None


def _silent(_what: str, _done: int, _all: int, _patients: int) -> None:
    """Say nothing."""


def _screen_to_folder(
    words: Sequence[str], output: Path, knowledge: Knowledge, engine: str, progress: Progress
) -> dict[str, Any]:
    from her2crc.cohort.engines import make_screener
    from her2crc.cohort.inputs import find_inputs
    from her2crc.cohort.parts import Folder, run_mark, total
    from her2crc.cohort.staging import stage

    began = time.monotonic()
    sources = find_inputs(words)
    folder = Folder(output, run_mark(sources, knowledge_mark(knowledge), f"{FORMAT} {engine}"))
    with _written_to(output):
        staged = stage(sources, folder.work / "staged", progress)
        read = time.monotonic()
        screener = make_screener(knowledge, engine)
        _screen_blocks(staged, folder, screener, progress)
        seconds = {"read": read - began, "screen": time.monotonic() - read}
        summary = summary_of(total(folder.notes()), staged, sources, screener, engine, seconds)
        folder.finish(summary)
    return summary


def knowledge_mark(knowledge: Knowledge) -> str:
    """Return what tells one knowledge from another."""
    return f"{knowledge.sha256} {knowledge.as_of} {sorted(knowledge.criteria)}"


def summary_of(
    counts: Counter[str],
    staged: Any,
    sources: Sequence[Any],
    screener: Any,
    engine: str,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Return the content of summary.json."""
    from her2crc.cohort.summary import summarise

    knowledge = screener.knowledge
    counts["rejects"] += staged.rejects
    seconds = {**seconds, "total": sum(seconds.values())}
    return {
        "format": FORMAT,
        "synthetic": staged.synthetic,
        **summarise(counts, screener),
        "rejected_rows": staged.rejected_rows,
        "knowledge": {"version": knowledge.version, "sha256": knowledge.sha256, "as_of": str(knowledge.as_of)},
        "inputs": [
            {"path": item.shown, "kind": item.kind, "bytes": item.bytes, "table": item.table} for item in sources
        ],
        "rows": staged.rows,
        "notes": list(dict.fromkeys(staged.notes)),
        "engine": engine,
        "version": _version(),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "patients_per_second": round(counts["patients"] / max(seconds["screen"], 1e-9)),
    }


def _version() -> str:
    from importlib.metadata import version

    return version("her2crc")


def _screen_blocks(staged: Any, folder: Any, screener: Any, progress: Progress) -> None:
    """Screen block after block; one is written while the next is worked out."""
    from her2crc.cohort.parts import write_part
    from her2crc.cohort.staging import blocks

    notes = folder.notes()
    start, patients = (notes[-1].stop if notes else 0), sum(note.counts.get("patients", 0) for note in notes)
    progress("screening", start, staged.rows, patients)
    writing: Future[None] | None = None
    with ThreadPoolExecutor(1) as pool:
        for number, table in enumerate(blocks(staged, BLOCK_ROWS, start), len(notes)):
            part = make_part(table, start, screener)
            if writing:
                writing.result()
            writing = pool.submit(write_part, folder.path, f"{number:05}", *part)
            start, patients = start + table.num_rows, patients + part[2].counts.get("patients", 0)
            progress("screening", start, staged.rows, patients)
        if writing:
            writing.result()


def make_part(table: Any, start: int, screener: Any) -> tuple[Any, Any, Any]:
    """Screen a block, and return its tables, its rejects and the note of what it covers."""
    from her2crc.cohort.parts import PartNote
    from her2crc.cohort.reference import rejects_table
    from her2crc.cohort.summary import count
    from her2crc.cohort.tables import patients_table, specimens_table, verdicts_table

    screened = screener.screen(table)
    tables = {
        "verdicts": verdicts_table(screened, screener),
        "patients": patients_table(screened, screener),
        "specimens": specimens_table(screened, screener),
    }
    counts = count(screened, screener, len(screened.rejects))
    return tables, rejects_table(screened.rejects), PartNote(start, start + table.num_rows, counts)
