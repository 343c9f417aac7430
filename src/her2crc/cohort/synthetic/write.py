"""``generate``: a synthetic registry as files, in blocks, so that memory stays flat and no core changes a value.

Last step of a synthetic registry and its public function. Every file says that it is synthetic: Parquet in its
metadata, CSV in its name, ids in their first letters, FHIR in a tag, text in its first line.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from her2crc.cohort.synthetic.parameters import load_parameters
from her2crc.criteria.library import Knowledge
from her2crc.errors import MissingExtraError, OutputError, UsageError

BLOCK = 16_384
"""Patients drawn together. Part of what a seed means: another size would give other patients."""

MOST_PATIENTS = 10**9 - 1
FORMATS = ("parquet", "csv")
TABLES = ("specimens", "patients", "truth")


class Generated(msgspec.Struct, frozen=True):
    """What was written: the files by what they hold, and how much."""

    patients: int
    specimens: int
    files: dict[str, str]
    assumed: tuple[str, ...]


def generate(
    patients: int,
    output: str | Path,
    knowledge: Knowledge,
    *,
    seed: int = 0,
    output_format: str = "parquet",
    fhir: int = 0,
    text: int = 0,
) -> Generated:
    """Write a synthetic registry into a folder.

    Args:
        patients: how many.
        output: folder; ``specimens``, ``patients`` (dates and survival) and ``truth`` are written there.
        knowledge: for the published figures that the registry is drawn from.
        seed: the same seed, size and release give the same bytes; fewer patients of a seed are the first of more.
        output_format: of specimens and patients, ``parquet`` or ``csv``; the truth is Parquet always.
        fhir: so many of the patients also as FHIR NDJSON.
        text: so many of the patients also as text of a report.

    Raises:
        UsageError: a number or the format is out of range.
        MissingExtraError: pyarrow or numpy is not installed.
        OutputError: a file cannot be written.
    """
    _check(patients, seed, output_format, fhir, text)
    try:
        import numpy  # noqa: F401 - asked for here, so that the message names the extra
        import pyarrow  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "Drawing a synthetic registry needs numpy and pyarrow, which are not installed.",
            fix="Run: pip install 'her2crc[cohort]'.",
        ) from None
    from her2crc.cohort.synthetic.sample import write_sample

    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        specimens, files = _write_tables(patients, folder, knowledge, seed, output_format)
        head = _head(max(fhir, text), knowledge, seed)
        files |= write_sample(head, folder, knowledge, fhir=fhir, text=text) if head else {}
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror}).", where=str(output)) from None
    return Generated(patients, specimens, files, load_parameters(knowledge).assumed)


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote here: files of two seeds side by side would be taken for one registry."""
    for name in ("*.parquet", "*.synthetic.csv", "fhir.synthetic/*.ndjson", "text/SYN-*.txt"):
        for old in folder.glob(name):
            if old.stem.split(".")[0] in TABLES or old.parent != folder:
                old.unlink()


def _check(patients: int, seed: int, output_format: str, fhir: int, text: int) -> None:
    if not 0 < patients <= MOST_PATIENTS:
        raise UsageError(f"{patients} patients cannot be drawn.", fix=f"Ask for 1 to {MOST_PATIENTS}.")
    if seed < 0:
        raise UsageError("a seed cannot be negative.", fix="Give a whole number from 0.")
    if output_format not in FORMATS:
        raise UsageError(f"'{output_format}' is not a format.", fix=f"Choose one of {', '.join(FORMATS)}.")
    if not 0 <= max(fhir, text) <= patients or min(fhir, text) < 0:
        raise UsageError("a sample cannot be larger than the registry.", fix=f"Ask for 0 to {patients}.")


def _blocks(patients: int, knowledge: Knowledge, seed: int) -> Iterator[Any]:
    """Draw block after block. The last is drawn whole and cut, so that a smaller registry is the head of a larger."""
    from her2crc.cohort.synthetic.tables import draw_block

    parameters = load_parameters(knowledge)
    for number in range(-(-patients // BLOCK)):
        first = number * BLOCK + 1
        yield _cut(draw_block(parameters, seed, number, first, BLOCK), patients - first + 1)


def _cut(block: Any, patients: int) -> Any:
    if patients >= BLOCK:
        return block
    from her2crc.cohort.synthetic.tables import Block

    kept = block.patients.slice(0, patients)
    rows = block.specimens.column("patient_id").index(block.patients.column("patient_id")[patients]).as_py()
    return Block(block.specimens.slice(0, rows), kept, block.truth.slice(0, rows))


def _head(patients: int, knowledge: Knowledge, seed: int) -> list[Any]:
    return [block.specimens for block in _blocks(patients, knowledge, seed)]


def _write_tables(
    patients: int, folder: Path, knowledge: Knowledge, seed: int, output_format: str
) -> tuple[int, dict[str, str]]:
    mark = _mark(patients, knowledge, seed)
    formats = {name: "parquet" if name == "truth" else output_format for name in TABLES}
    endings = {"parquet": "parquet", "csv": "synthetic.csv"}
    paths = {name: folder / f"{name}.{endings[kind]}" for name, kind in formats.items()}
    writers: dict[str, Any] = {}
    rows = 0
    try:
        for block in _blocks(patients, knowledge, seed):
            rows += block.specimens.num_rows
            for name in TABLES:
                table = getattr(block, name).replace_schema_metadata(mark)
                if name not in writers:
                    writers[name] = _writer(paths[name], table.schema, formats[name])
                writers[name].write_table(table)
    finally:
        for writer in writers.values():
            writer.close()
    return rows, {name: str(path) for name, path in paths.items()}


def _writer(path: Path, schema: Any, kind: str) -> Any:
    if kind == "csv":
        from pyarrow.csv import CSVWriter, WriteOptions

        return CSVWriter(path, schema, write_options=WriteOptions(quoting_style="needed"))
    from pyarrow.parquet import ParquetWriter

    return ParquetWriter(path, schema, compression="snappy")


def _mark(patients: int, knowledge: Knowledge, seed: int) -> dict[str, str]:
    """What every Parquet file says of itself."""
    return {
        "synthetic": "true",
        "her2crc": f"Synthetic registry, no real patient. her2crc {version('her2crc')}, knowledge {knowledge.version}.",
        "seed": str(seed),
        "patients": str(patients),
        "assumed": ", ".join(load_parameters(knowledge).assumed),
    }
