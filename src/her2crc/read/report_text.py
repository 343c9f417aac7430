"""Reports as prose: any document, or JSON Lines of ``{"id", "text"}``, to the rows of each patient.

Joins the text front end to ``read``. A report is read into findings with their places (``read_reports``); the findings
that are of the patient's tumour become rows (``read_report_records``), one specimen each. Several reports of a patient
stand together; of one specimen, what a later addendum or correction states takes the place of what it replaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path, PurePath

import msgspec

from her2crc.errors import InputError
from her2crc.frontends.text import extract, load_languages
from her2crc.frontends.text.documents import ReadReport, Report, document_text
from her2crc.frontends.text.review_corrections import apply_corrections, load_corrections
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.columns import fields
from her2crc.read.report_rows import report_rows
from her2crc.read.rows import as_written, identifier
from her2crc.read.sniff import REPORT_JSON, TEXT
from her2crc.read.source import STANDARD_INPUT, decode, read_source

UNNAMED = "report"
PACKED = (".gz", ".gzip")


def read_reports(data: bytes, name: str, kind: str) -> list[ReadReport]:
    """Return the reports of a file with what each says.

    Raises:
        InputError: the file is damaged or holds no text.
        MissingExtraError: the kind of document needs a library that is not installed.
    """
    languages = load_languages()
    return [ReadReport(report, extract(report.text, languages)) for report in _reports(data, name, kind)]


def read_report_records(data: bytes, name: str, kind: str, corrections: Path | None = None) -> list[PatientRecord]:
    """Return the patients of a file of reports, in the order first seen; ``corrections`` as in ``correct_reports``.

    A patient is who the line names, else the report itself. Raises as :func:`read_reports`.
    """
    read = read_reports(data, name, kind)
    if corrections is not None:
        read = correct_reports(read, corrections)
    patients: dict[str, list[ReadReport]] = {}
    for item in read:
        patients.setdefault(item.report.patient_id or item.report.report_id, []).append(item)
    return [_record(patient_id, items) for patient_id, items in patients.items()]


def _record(patient_id: str, items: list[ReadReport]) -> PatientRecord:
    rows, issues = report_rows(items, _sites())
    return PatientRecord(patient_id, tuple(rows), tuple(issues))


@cache
def _sites() -> dict[str, str]:
    """The words of sites to the codes of the specimen table: the spellings of the field, and parts of the bowel."""
    spellings = {word: code for code, words in fields()["site"].values.items() for word in (code, *words)}
    words = {name for language in load_languages().languages for name in language.named.get("site", {})}
    return {word: spellings.get(word) or _bowel(word) for word in words}


def _bowel(word: str) -> str:
    return "primary" if "colon" in word else "other"


def correct_reports(read: Sequence[ReadReport], corrections: Path) -> list[ReadReport]:
    """Return the reports with the findings as a person decided in a file of corrections.

    Raises:
        InputError: the file is not one, or is of other texts; nothing of it is applied.
    """
    data, name = read_source(str(corrections), None)
    return [*apply_corrections(read, load_corrections(data, name), name)]


def _reports(data: bytes, name: str, kind: str) -> Iterator[Report]:
    if kind == REPORT_JSON:
        yield from _in_json(data, name)
        return
    text, issues = document_text(data, kind, name)
    yield Report(_stem(name), text, name, issues=issues)


def _stem(name: str) -> str:
    """A document has no other name for its report and its patient than that of the file."""
    if name == STANDARD_INPUT:
        return UNNAMED
    path = PurePath(name)
    return PurePath(path.stem).stem if path.suffix.lower() in PACKED else path.stem


def _in_json(data: bytes, name: str) -> Iterator[Report]:
    text, notes = decode(data, name)
    entries = [*_entries(text)]
    reports = [_entry(entry, f"{name}:{number}", number) for number, entry in entries]
    if not any(report.text.strip() for report in reports):
        raise InputError("No line holds a report with a text.", where=name, fix='A line is {"id": ..., "text": ...}.')
    if notes:
        reports[0] = msgspec.structs.replace(reports[0], issues=(*notes, *reports[0].issues))
    yield from reports


def _entries(text: str) -> Iterator[tuple[int, object]]:
    """Yield each object with the number of its line (or its place in a list); a line that is not JSON as None."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, _parsed(line)
        return
    yield from enumerate(document if isinstance(document, list) else [document], 1)


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _entry(entry: object, place: str, number: int) -> Report:
    found = entry if isinstance(entry, dict) else {}
    name = _identifier(found.get("id")) or f"line {number}"
    text = found.get(TEXT)
    if not isinstance(text, str):
        what = f"line {number} is no report (a JSON object with a text), and was not used."
        return Report(name, "", place, issues=(Issue("error", "no_report", what, place=place),))
    return Report(
        name,
        text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text,
        place,
        patient_id=_identifier(found.get("patient_id")),
        specimen_id=_identifier(found.get("specimen_id")),
        date=_identifier(found.get("date")),
    )


def _identifier(value: object) -> str | None:
    written = as_written(value)
    return identifier(written) if isinstance(written, str | int | float) else None
