"""A folder or archive of several files that are no study: an export with one message, bundle or table a file.

Each file is read by itself, HL7 v2 messages as one feed, so that a correction in a later file replaces the first
result. Then the files of one patient are put together; what cannot be read is said and left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

import msgspec

from her2crc.errors import Her2crcError, InputError
from her2crc.model.course import NO_COURSE
from her2crc.model.record import Issue, PatientRecord, RawValue, SpecimenRow
from her2crc.read.columns import SPECIMEN_ID
from her2crc.read.folder import Folder
from her2crc.read.source import refuse_too_large

Unpacked = Callable[[bytes, str], tuple[bytes, str]]
"""Gives the content of a file out of gzip, and what it is."""
Reader = Callable[[bytes, str], list[PatientRecord]]
HL7V2, ARCHIVE = "hl7v2", "zip"
TABLES = ("csv", "xlsx", "parquet")
NUMBERED = re.compile(r"S\d+")
"""Names that are given to specimens without one (``rows``): the same in two files, they are still two specimens."""


class File(msgspec.Struct, frozen=True):
    """One file out of its packing: its place, content, and what it is."""

    place: str
    data: bytes
    kind: str


def read_several(
    folder: Folder, unpacked: Unpacked, readers: dict[str, Reader], prose: Collection[str]
) -> list[PatientRecord]:
    """Return the patients of all files, in the order of the files; ``prose`` are the kinds of reports in words.

    Reports in words are read only where all files are such: beside results they are letters and read-me files.

    Raises:
        InputError: none of the files can be read.
    """
    if not folder.files:
        raise InputError("It holds no files.", where=folder.name, fix="Pack the files again, without folders above.")
    notes: list[Issue] = []
    files = [*_open(folder, unpacked, readers, notes)]
    structured = [file for file in files if file.kind not in prose]
    notes += [_left_out(file.place) for file in files if structured and file not in structured]
    found = [*_read(structured or files, readers, notes)]
    if not found:
        raise InputError(
            "This is neither a cBioPortal study nor a set of mCODE tables, and none of its files could be read.",
            where=folder.name,
            fix="Name the files one by one to see why.",
        )
    joined = _joined(found)
    return [msgspec.structs.replace(joined[0], issues=(*notes, *joined[0].issues)), *joined[1:]]


def _open(folder: Folder, unpacked: Unpacked, readers: dict[str, Reader], notes: list[Issue]) -> Iterator[File]:
    size = 0
    for path in folder.files:
        place = f"{folder.name}/{path}"
        try:
            data, kind = unpacked(folder.read(path), place)
        except Her2crcError as error:
            notes.append(_failed(error, place))
            continue
        size += len(data)
        refuse_too_large(size, folder.name)
        if kind in readers and kind != ARCHIVE:
            yield File(place, data, kind)
        else:
            notes.append(_left_out(place))


def _read(
    files: list[File], readers: dict[str, Reader], notes: list[Issue]
) -> Iterator[tuple[File, list[PatientRecord]]]:
    """Yield the patients of each file; those of all HL7 v2 files come with the first of them."""
    from her2crc.read.hl7v2 import read_hl7v2_files  # reads through the FHIR reader

    feed = [(file.data, file.place) for file in files if file.kind == HL7V2]
    for file in files:
        if file.kind == HL7V2 and file.place != feed[0][1]:
            continue
        try:
            yield file, read_hl7v2_files(feed) if file.kind == HL7V2 else readers[file.kind](file.data, file.place)
        except Her2crcError as error:
            notes.append(_failed(error, file.place))


def _joined(found: list[tuple[File, list[PatientRecord]]]) -> list[PatientRecord]:
    patients: dict[str, PatientRecord] = {}
    homes: dict[tuple[str, str], File] = {}
    for file, records in found:
        for record in records:
            apart = _kept_apart(record, file, homes)
            before = patients.get(record.patient_id)
            patients[record.patient_id] = apart if before is None else _together(before, apart)
    return [*patients.values()]


def _kept_apart(record: PatientRecord, file: File, homes: dict[tuple[str, str], File]) -> PatientRecord:
    """Return a record whose specimens are not those of other files by mere chance of their names.

    Only tables name specimens as the laboratory does; elsewhere a name may count within its own file.
    """
    names: dict[object, str] = {}
    for row in record.rows:
        name = str(row.values.get(SPECIMEN_ID) or "")
        home = homes.setdefault((record.patient_id, name), file)
        same = home is file or (home.kind in TABLES and file.kind in TABLES and not NUMBERED.fullmatch(name))
        if name and not same:
            names[row.values[SPECIMEN_ID]] = f"{name} ({file.place})"
    if not names:
        return record
    rows = tuple(SpecimenRow(row.place, _renamed(row.values, names)) for row in record.rows)
    issues = tuple(
        msgspec.structs.replace(item, specimen=names.get(item.specimen, item.specimen)) for item in record.issues
    )
    text = "A specimen of this name is in another file too; whether it is the same is not known, so they stand apart."
    told = (Issue("warning", "specimen_in_files", text, specimen=name, place=file.place) for name in names.values())
    return msgspec.structs.replace(record, rows=rows, issues=(*issues, *told))


def _renamed(values: dict[str, RawValue], names: dict[object, str]) -> dict[str, RawValue]:
    return values | {SPECIMEN_ID: names[values[SPECIMEN_ID]]} if values.get(SPECIMEN_ID) in names else values


def _together(first: PatientRecord, second: PatientRecord) -> PatientRecord:
    courses = [record.course for record in (first, second) if record.course is not NO_COURSE]
    course = sum(courses, NO_COURSE)
    return PatientRecord(first.patient_id, (*first.rows, *second.rows), (*first.issues, *second.issues), course)


def _left_out(place: str) -> Issue:
    return Issue("warning", "file_left_out", "This file holds no results that are read, and was left out.", place=place)


def _failed(error: Her2crcError, place: str) -> Issue:
    return Issue("error", "file_not_read", f"This file could not be read: {error.what}", place=error.where or place)
