"""The folder that ``screen`` writes: parts are there whole or not at all, and a killed run can be gone on with.

A part is written under a name that no reader takes for one, then renamed; its note in ``.work/parts`` comes last. A
run that finds notes of the same input, knowledge and engine goes on behind them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from her2crc.cohort.inputs import Input
from her2crc.cohort.reference import REJECTS
from her2crc.cohort.staging import STAGED_REJECTS
from her2crc.errors import OutputError

KINDS = ("verdicts", "patients", "specimens")
WORK = ".work"
SUMMARY = "summary.json"
MOST_DICTIONARY = 64_000_000
"""Bytes of a dictionary page: enough for the ids of all patients of a part."""


class PartNote(msgspec.Struct):
    """What a finished part covers: rows of the staged input, and what was counted in them."""

    start: int
    stop: int
    counts: dict[str, int]


class Folder:
    """The output folder of one run.

    Raises:
        OutputError: it holds something else, or cannot be written.
    """

    def __init__(self, path: Path, run: str) -> None:
        self.path, self.work = path, path / WORK
        self.parts_path = self.work / "parts"
        try:
            self._claim(run)
            for kind in KINDS:
                (path / kind).mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder cannot be written ({error.strerror}).", where=str(path)) from None

    def _claim(self, run: str) -> None:
        mark = self.work / "run.txt"
        if self._holds_other(mark, run):
            raise OutputError(
                "The folder already holds something else, or the screening of another input or knowledge.",
                where=str(self.path),
                why="Results of two runs must not stand side by side.",
                fix="Name a new folder, or remove this one.",
            )
        self.parts_path.mkdir(parents=True, exist_ok=True)
        if not mark.is_file() or mark.read_text() != run:
            shutil.rmtree(self.work / "staged", ignore_errors=True)
        write_text(mark, run)

    def _holds_other(self, mark: Path, run: str) -> bool:
        """Tell whether something stands here that is not of this run; a run that wrote no part left nothing."""
        if mark.is_file():
            return mark.read_text() != run and any(self.parts_path.glob("*"))
        return self.path.is_dir() and any(self.path.iterdir())

    def notes(self) -> list[PartNote]:
        """Return the notes of the finished parts, in order; a gap ends them."""
        found: list[PartNote] = []
        for path in sorted(self.parts_path.glob("*.json")):
            note = read_note(path)
            if note.start != (found[-1].stop if found else 0):
                break
            found.append(note)
        return found

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Join the rejects, write the summary, and remove what was only needed to go on."""
        half = self.path / ".rejects.parquet.half"
        staged = (self.work / "staged").glob(STAGED_REJECTS)
        with pq.ParquetWriter(half, REJECTS, compression="zstd") as writer:
            for path in (*staged, *sorted(self.parts_path.glob("*.rejects.parquet"))):
                writer.write_table(pq.read_table(path).cast(REJECTS))
        half.replace(self.path / "rejects.parquet")
        write_text(self.path / SUMMARY, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
        for name in ("staged", "spill"):
            shutil.rmtree(self.work / name, ignore_errors=True)


def write_part(path: Path, name: str, tables: Mapping[str, pa.Table], rejects: pa.Table, note: PartNote) -> None:
    """Write a part whole: its tables, its rejects, and last of all the note that it is there."""
    for kind, table in tables.items():
        write_parquet(table, path / kind / f"part-{name}.parquet")
    write_parquet(rejects, path / WORK / "parts" / f"{name}.rejects.parquet")
    write_note(path, f"{name}.json", note)


def write_note(path: Path, name: str, note: PartNote) -> None:
    """Write a note of what is finished into an output folder."""
    write_text(path / WORK / "parts" / name, msgspec.json.encode(note).decode())


def read_note(path: Path) -> PartNote:
    """Return a note."""
    return msgspec.json.decode(path.read_bytes(), type=PartNote)


def remove(path: Path) -> None:
    """Remove what an earlier screening wrote; a folder that holds anything else is left, and refused later."""
    if (path / WORK / "run.txt").is_file():
        shutil.rmtree(path)


def run_mark(sources: Sequence[Input], knowledge: str, settings: str) -> str:
    """Return what tells one run from another: its inputs (by name, size and time of change), knowledge and settings."""
    digest = hashlib.sha256(f"{knowledge}\0{settings}".encode())
    for source in sources:
        path = Path(source.path)
        changed = [file.stat().st_mtime_ns for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
        digest.update(f"\0{source.kind}\0{source.shown}\0{source.table}\0{source.bytes}\0{changed}".encode())
    return digest.hexdigest()


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a Parquet file that is there whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    pq.write_table(
        table,
        half,
        compression="zstd",
        row_group_size=max(table.num_rows, 1),
        dictionary_pagesize_limit=MOST_DICTIONARY,
        write_statistics=[name for name in table.column_names if name == "patient_id"],
        store_schema=True,
    )
    half.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file that is there whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def total(notes: Sequence[PartNote]) -> Counter[str]:
    """Return the sum of what was counted in the parts."""
    counts: Counter[str] = Counter()
    for note in notes:
        counts.update(note.counts)
    return counts
