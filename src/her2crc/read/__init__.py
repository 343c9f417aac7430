"""First stage: any file of results to the values of each patient as written, with the place of each.

``read_file`` and ``read_bytes`` look at the content, never at the name alone; each format has its reader.
Nothing is interpreted here; ``normalise`` types and checks the values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from her2crc.errors import InputError, UsageError
from her2crc.model.record import PatientRecord
from her2crc.read.excel import read_excel
from her2crc.read.folder import Folder, open_folder, open_zip
from her2crc.read.parquet import read_parquet
from her2crc.read.patient_json import read_json_lines, read_json_rows, read_patients
from her2crc.read.schema import patient_schema
from her2crc.read.sniff import READABLE, REPORT_KINDS, ZIP, sniff
from her2crc.read.source import read_source, unpack
from her2crc.read.table import read_csv

if TYPE_CHECKING:
    from her2crc.frontends.text.documents import ReadReport

__all__ = ["open_reports", "patient_schema", "read_bytes", "read_file", "sniff"]


def read_file(
    path_or_dash: str, *, stdin: bytes | None = None, mapping: Path | None = None, corrections: Path | None = None
) -> list[PatientRecord]:
    """Read the patients of a file or study folder, in its order; ``-`` reads ``stdin``.

    ``mapping`` is the mapping file of a laboratory's own table; see :mod:`her2crc.read.mapping`. ``corrections`` is
    what a person decided about the findings of reports as prose; see :mod:`her2crc.frontends.text.review_corrections`.

    Raises:
        MissingInputError: the file does not exist or may not be read.
        KnowledgeError: the mapping file is wrong.
        InputError: nothing in it can be read; a single bad value or row is an issue of its patient instead.
        MissingExtraError: the format needs a library that is not installed.
    """
    if path_or_dash != "-" and mapping is None and Path(path_or_dash).is_dir():
        return _read_folder(open_folder(Path(path_or_dash)))
    return read_bytes(*read_source(path_or_dash, stdin), mapping, corrections)


def read_bytes(
    data: bytes, name: str, mapping: Path | None = None, corrections: Path | None = None
) -> list[PatientRecord]:
    """Read the patients from a file's content; ``name`` is for messages. Raises as :func:`read_file`."""
    if mapping is not None:
        from her2crc.read.mapping import load_mapping, read_mapped

        return read_mapped(data, name, load_mapping(mapping))
    data, kind = _unpacked(data, name)
    if corrections is not None:
        return _read_corrected(data, name, kind, corrections)
    if kind not in READERS:
        raise InputError("The format of the file is not recognised.", where=name, fix=READABLE)
    return READERS[kind](data, name)


def open_reports(source: str | Path | bytes, name: str) -> list[ReadReport] | None:
    """Return the reports as prose of a file with the findings of each; None where it holds none. Raises as above."""
    if not isinstance(source, bytes) and Path(source).is_dir():
        return None
    data, name = (source, name) if isinstance(source, bytes) else read_source(str(source), None)
    data, kind = _unpacked(data, name)
    if kind not in REPORT_KINDS:
        return None
    from her2crc.read.report_text import read_reports

    return read_reports(data, name, kind)


def _unpacked(data: bytes, name: str) -> tuple[bytes, str]:
    """Return the content of a file, out of gzip where it is packed, and what it is."""
    kind = sniff(data, name)
    if kind != "gzip":
        return data, kind
    data = unpack(data, name)
    return data, sniff(data, name)


def _read_corrected(data: bytes, name: str, kind: str, corrections: Path) -> list[PatientRecord]:
    if kind not in REPORT_KINDS:
        raise UsageError(
            "Corrections are of the findings in report text; this file holds none.",
            where=name,
            fix="Leave --corrections out, and set the value right in the file.",
        )
    from her2crc.read.report_text import read_report_records

    return read_report_records(data, name, kind, corrections)


def _read_reports(kind: str, data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.report_text import read_report_records  # brings the words of all languages along

    return read_report_records(data, name, kind)


def _read_fhir(data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.fhir import read_fhir  # the largest reader, loaded only when it is needed

    return read_fhir(data, name)


def _read_fhir_xml(data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.fhir import read_fhir
    from her2crc.read.fhir_xml import fhir_xml_to_json

    return read_fhir(fhir_xml_to_json(data, name), name)


def _read_zip(data: bytes, name: str) -> list[PatientRecord]:
    return _read_folder(open_zip(data, name))


def _read_folder(folder: Folder) -> list[PatientRecord]:
    """Read a study folder, or the files that a folder holds."""
    from her2crc.read.cbioportal import is_study, read_study
    from her2crc.read.mcode_csv import is_mcode, read_mcode

    if is_study(folder):
        return read_study(folder)
    if is_mcode(folder):
        return read_mcode(folder)
    if len(folder.files) != 1:
        from her2crc.read.several import read_several

        return read_several(folder, _unpacked, READERS, REPORT_KINDS)
    path = next(iter(folder.files))
    data, name = folder.read(path), f"{folder.name}/{path}"
    if data.startswith(ZIP) and sniff(data, name) == "zip":
        raise InputError("An archive inside an archive is not read.", where=name, fix="Unpack the outer one.")
    return read_bytes(data, name)


def _read_hl7v2(data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.hl7v2 import read_hl7v2  # reads through the FHIR reader, as do the next ones

    return read_hl7v2(data, name)


def _read_foundation(data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.foundation import read_foundation

    return read_foundation(data, name)


def _read_caris(data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.caris import read_caris

    return read_caris(data, name)


def _read_dnpm(data: bytes, name: str) -> list[PatientRecord]:
    from her2crc.read.dnpm import read_dnpm

    return read_dnpm(data, name)


READERS: dict[str, Callable[[bytes, str], list[PatientRecord]]] = {
    "csv": read_csv,
    "xlsx": read_excel,
    "zip": _read_zip,
    "parquet": read_parquet,
    "patient_json": read_patients,
    "assessment_json": read_patients,
    "json_rows": read_json_rows,
    "json_lines": read_json_lines,
    "fhir_json": _read_fhir,
    "fhir_xml": _read_fhir_xml,
    "hl7v2": _read_hl7v2,
    "foundation_xml": _read_foundation,
    "caris_xml": _read_caris,
    "dnpm_json": _read_dnpm,
    **{kind: partial(_read_reports, kind) for kind in REPORT_KINDS},
}
