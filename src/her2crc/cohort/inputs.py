"""Which inputs ``screen`` was given: files, folders, globs and database tables, each with its kind.

A table is read in batches, whatever its size; every other kind goes through the readers of single patients.
"""

from __future__ import annotations

import glob
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import parse_qs, urlsplit, urlunsplit

from her2crc.errors import InputError, MissingInputError, UsageError
from her2crc.read.sniff import sniff

PARQUET, CSV, DUCKDB, POSTGRESQL, BULK, FILE = "parquet", "csv", "duckdb", "postgresql", "fhir_bulk", "file"
START = 65_536
"""Bytes in which the kind of a file shows."""
MAGIC = b"PAR1"
PACKED = b"\x1f\x8b"
FHIR = b'"resourceType"'
LINES = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
STUDY = "meta_study.txt"
MOST_NAMES = 5
"""Files that a note names; a folder may hold thousands."""
DATABASES = {"duckdb": DUCKDB, "postgresql": POSTGRESQL, "postgres": POSTGRESQL}


class Input(NamedTuple):
    """One file, folder or table. ``name`` stands in places and messages, ``table`` is that of a database.

    ``note`` says what of a folder is not read.
    """

    kind: str
    path: str
    name: str
    table: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        """The path or address without user, password and options."""
        return self.path.rpartition("@")[2].partition("?")[0] if self.kind == POSTGRESQL else self.path

    @property
    def bytes(self) -> int:
        """The size of the file, or of the files of the folder; 0 for a database server."""
        path = Path(self.path)
        if path.is_dir():
            return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return path.stat().st_size if path.is_file() else 0


def find_inputs(written: Sequence[str]) -> list[Input]:
    """Return every input that the words on the command line name, in their order.

    Raises:
        MissingInputError: there is nothing of that name.
        UsageError: a database's address does not name a table.
    """
    return [found for word in written for found in _inputs_of(str(word))]


def _inputs_of(word: str) -> Iterator[Input]:
    scheme = urlsplit(word).scheme
    if scheme in DATABASES:
        yield _database(word, DATABASES[scheme])
    elif Path(word).is_dir():
        yield from _in_folder(Path(word))
    elif Path(word).is_file():
        yield _file(Path(word))
    else:
        paths = sorted(glob.glob(word, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not paths:
            raise MissingInputError("The file does not exist.", where=word, fix="Check its name and who may read it.")
        for path in paths:
            yield from _inputs_of(path)


def _database(word: str, kind: str) -> Input:
    parts = urlsplit(word)
    query = parse_qs(parts.query)
    table = query.pop("table", [""])[0]
    if not table:
        raise UsageError("The address of a database must name a table.", fix="End it with ?table=NAME.")
    if kind == DUCKDB:
        path = parts.netloc + parts.path
        path = path[1:] if path.startswith("/") and not Path(path).exists() else path
        if not Path(path).is_file():
            raise MissingInputError("The database file does not exist.", where=path, fix="Check its name.")
        return Input(kind, path, table, table)
    rest = "&".join(f"{name}={value}" for name, values in query.items() for value in values)
    return Input(kind, urlunsplit((*parts[:3], rest, "")), table, table)


def _in_folder(folder: Path) -> Iterator[Input]:
    files = _files_of(folder)
    tables = [path for path in files if path.suffix == ".parquet"]
    lines = [path for path in files if path.name.endswith(LINES)]
    studies = [] if (folder / STUDY).is_file() else sorted(path.parent for path in folder.glob(f"*/{STUDY}"))
    if tables:
        note = _unread(folder, set(files) - set(tables))
        yield from (Input(PARQUET, str(path), path.name, note="" if at else note) for at, path in enumerate(tables))
    elif any(path.name.endswith(LINES[:2]) for path in lines):
        yield Input(BULK, str(folder), folder.name, note=_unread(folder, set(files) - set(lines)))
    elif studies:
        yield from (Input(FILE, str(path), path.name) for path in studies)
    else:
        yield Input(FILE, str(folder), folder.name)


def _files_of(folder: Path) -> list[Path]:
    """Return the files in a folder that are not hidden, nor what an earlier screening wrote into it.

    Raises:
        UsageError: the folder itself is what ``screen`` wrote.
    """
    from her2crc.cohort.parts import WORK  # it imports this module

    if (folder / WORK).is_dir():
        raise UsageError(f"{folder.name} is what `her2crc screen` wrote.", fix="Name the input that it was made from.")
    written = {path.parent for path in folder.rglob(WORK) if path.is_dir()}
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and written.isdisjoint(path.parents))
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _unread(folder: Path, others: set[Path]) -> str:
    """Return a note on the files of a folder that are of another kind, or nothing."""
    names = sorted(str(path.relative_to(folder)) for path in others if not path.name.startswith("_"))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"Not read, of the folder {folder.name}: {', '.join(names[:MOST_NAMES])}{more}." if names else ""


def open_packed(path: Path) -> IO[bytes]:
    """Open a file, unpacked if it is gzip by its content, whatever its name."""
    with path.open("rb") as file:
        packed = file.read(len(PACKED)) == PACKED
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]  # reads bytes


def _unpacked_start(path: Path) -> bytes:
    try:
        with gzip.open(path) as unpacked:
            return unpacked.read(START)
    except (OSError, EOFError, zlib.error):
        raise InputError(
            "The gzip file is damaged or cut short.", where=path.name, fix="Copy it again from where it was made."
        ) from None


def _file(path: Path) -> Input:
    with path.open("rb") as file:
        start = file.read(START)
    if start.startswith(MAGIC):
        return Input(PARQUET, str(path), path.name)
    if start.startswith(PACKED):
        start = _unpacked_start(path)
    if path.name.endswith(LINES) and FHIR in start:
        return Input(BULK, str(path), path.name)
    return Input(CSV if sniff(start, path.name) == "csv" else FILE, str(path), path.name)
