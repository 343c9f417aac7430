"""First stage: any file of results to the values of each patient as written, with the place of each.

``read_file`` and ``read_bytes`` look at the content, never at the name alone; each format has its reader.
Nothing is interpreted here; ``normalise`` types and checks the values.
"""

from __future__ import annotations

from collections.abc import Callable

from her2crc.errors import InputError
from her2crc.model.record import PatientRecord
from her2crc.read.excel import read_excel
from her2crc.read.parquet import read_parquet
from her2crc.read.patient_json import read_json_lines, read_json_rows, read_patients
from her2crc.read.schema import patient_schema
from her2crc.read.sniff import READABLE, sniff
from her2crc.read.source import read_source, unpack
from her2crc.read.table import read_csv

__all__ = ["patient_schema", "read_bytes", "read_file", "sniff"]


def read_file(path_or_dash: str, *, stdin: bytes | None = None) -> list[PatientRecord]:
    """Read the patients of a file, in the order of the file; ``-`` reads ``stdin``.

    Raises:
        MissingInputError: the file does not exist or may not be read.
        InputError: nothing in it can be read; a single bad value or row is an issue of its patient instead.
        MissingExtraError: the format needs a library that is not installed.
    """
    return read_bytes(*read_source(path_or_dash, stdin))


def read_bytes(data: bytes, name: str) -> list[PatientRecord]:
    """Read the patients from a file's content; ``name`` is for messages. Raises as :func:`read_file`."""
    kind = sniff(data, name)
    if kind == "gzip":
        data = unpack(data, name)
        kind = sniff(data, name)
    if kind not in READERS:
        raise InputError("The format of the file is not recognised.", where=name, fix=READABLE)
    return READERS[kind](data, name)


def _read_fhir(data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.fhir import read_fhir  # the largest reader, loaded only when it is needed

    return read_fhir(data, name)


READERS: dict[str, Callable[[bytes, str], list[PatientRecord]]] = {
    "csv": read_csv,
    "xlsx": read_excel,
    "parquet": read_parquet,
    "patient_json": read_patients,
    "assessment_json": read_patients,
    "json_rows": read_json_rows,
    "json_lines": read_json_lines,
    "fhir_json": _read_fhir,
}
