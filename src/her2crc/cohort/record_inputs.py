"""Every other input, patient by patient: FHIR exports, cBioPortal studies, and any file that ``read`` reads.

A bulk export is first dealt into buckets by patient, each small enough to be read at once, so that memory stays bounded
and several processes can read. What the readers found wrong travels with the rows of its patient.
"""

from __future__ import annotations

import codecs
import os
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from her2crc.cohort.inputs import BULK, LINES, Input, open_packed
from her2crc.cohort.reference import FILE, ISSUES, LINE, PLACE, Reject, rejects_of
from her2crc.cohort.table_inputs import Batch
from her2crc.errors import InputError
from her2crc.model.record import Issue, PatientRecord
from her2crc.read import read_bytes, read_file
from her2crc.read.columns import PATIENT_ID, columns

BUCKET_BYTES = 32_000_000
"""Unpacked bytes of FHIR that one process reads at a time."""
PACKED_TIMES = 12
"""How much a packed export is taken to unpack to, for the number of buckets."""
PATIENTS_AT_ONCE = 2_000
OF_PATIENT = ("Observation", "Condition", "Specimen", "DiagnosticReport", "MedicationStatement", "MedicationRequest")


class _Reference(msgspec.Struct):
    reference: str | None = None

    def id(self) -> str:
        """Return the id alone, of ``Patient/p1`` or an address or ``urn:uuid:``."""
        return (self.reference or "").rpartition("/")[2].rpartition(":")[2]


class _Entry(msgspec.Struct):
    resource: _Resource | None = None


class _Resource(msgspec.Struct):
    """As much of a resource as tells whose it is."""

    resourceType: str = ""  # noqa: N815 - FHIR's own name
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None
    specimen: _Reference | list[_Reference] | None = None
    entry: list[_Entry] = []

    def specimens(self) -> list[str]:
        """Return the ids of the specimens that a result or report names."""
        named = self.specimen if isinstance(self.specimen, list) else [self.specimen]
        return [item.id() for item in named if item and item.reference]

    def owner(self) -> str | None:
        """Return the id of the patient; of a bundle, of its first."""
        if self.resourceType == "Patient":
            return self.id
        for reference in (self.subject, self.patient):
            if reference and reference.reference:
                return reference.id()
        inner = (entry.resource.owner() for entry in self.entry if entry.resource)
        return next((owner for owner in inner if owner), None)


def record_batches(source: Input, work: Path) -> Iterator[Batch]:
    """Yield the patients of an input as rows. ``work`` is a folder for the buckets of an export.

    Raises:
        InputError: the input as a whole cannot be read.
    """
    if source.kind != BULK:
        yield from _batches(read_file(source.path), source.name)
        return
    jobs, rejects = _deal(source, work)
    if rejects:
        yield Batch(_rows((), source.name), tuple(rejects))
    for at, records in enumerate(_read_buckets(jobs), 1):
        for batch in _batches(records, source.name):
            yield batch._replace(share=at / len(jobs))
    for job in jobs:
        job.bucket.unlink()


class _Job(NamedTuple):
    """A bucket to read, what is everybody's, the name of the input, and whose patients are not to be told from here."""

    bucket: Path
    shared: bytes
    name: str
    foreign: set[str]


def _read_buckets(jobs: list[_Job]) -> Iterator[list[PatientRecord]]:
    """Read buckets in as many processes as there are processors; a single one here."""
    if len(jobs) <= 1:
        yield from map(_read_bucket, jobs)
        return
    processes = os.cpu_count() or 1
    with ProcessPoolExecutor(min(len(jobs), processes)) as pool:
        for start in range(0, len(jobs), processes):  # no more at once than are read, so that memory stays bounded
            yield from pool.map(_read_bucket, jobs[start : start + processes])


def _read_bucket(job: _Job) -> list[PatientRecord]:
    records = read_bytes(job.shared + job.bucket.read_bytes(), job.name)
    return [record for record in records if record.patient_id not in job.foreign]


class _Buckets:
    """Files to which the resources of an export are dealt, all of a patient to one.

    A result may name the specimen of a patient in another bucket. The reader refuses that, as of one file, if it is
    told whose the specimen is: so a line that says no more is put in, and its patient is ``foreign`` to the bucket.
    """

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.files = [path.open("wb") for path in paths]
        self.foreign: dict[Path, set[str]] = {path: set() for path in paths}
        self._owner_of: dict[str, str] = {}
        self._waiting: set[tuple[str, str]] = set()

    def of(self, owner: str) -> int:
        """Return the number of a patient's bucket."""
        return zlib.crc32(owner.encode()) % len(self.paths)

    def put(self, owner: str, resource: _Resource, line: bytes) -> None:
        """Deal a resource."""
        self.files[self.of(owner)].write(line.rstrip() + b"\n")
        if resource.resourceType == "Specimen" and resource.id:
            self._owner_of[resource.id] = owner
        for name in resource.specimens():
            if self._owner_of.get(name) != owner:
                self._waiting.add((name, owner))

    def close(self) -> None:
        """Tell the buckets of specimens that belong to others, and finish the files."""
        for name, owner in sorted(self._waiting):
            theirs = self._owner_of.get(name, owner)
            if self.of(theirs) != self.of(owner):
                specimen = {"resourceType": "Specimen", "id": name, "subject": {"reference": f"Patient/{theirs}"}}
                self.files[self.of(owner)].write(msgspec.json.encode(specimen) + b"\n")
                self.foreign[self.paths[self.of(owner)]].add(theirs)
        for file in self.files:
            file.close()


def _deal(source: Input, work: Path) -> tuple[list[_Job], list[Reject]]:
    """Deal the lines of an export into buckets by patient; resources of nobody go to all of them."""
    files = _files(Path(source.path))
    size = sum(file.stat().st_size * (PACKED_TIMES if file.suffix == ".gz" else 1) for file in files)
    work.mkdir(parents=True, exist_ok=True)
    buckets = _Buckets([work / f"bucket-{at:04}.ndjson" for at in range(size // BUCKET_BYTES + 1)])
    shared, rejects, decoder = [], [], msgspec.json.Decoder(_Resource)
    for file in files:
        for number, line in _lines(file):
            try:
                resource = decoder.decode(line)
            except msgspec.DecodeError:
                rejects.append(_unreadable(file.name, number, "This line is not a FHIR resource, so it was not used."))
                continue
            owner = resource.owner()
            if owner is not None:
                buckets.put(owner, resource, line)
            elif resource.resourceType in OF_PATIENT:
                rejects.append(
                    _unreadable(
                        file.name, number, f"This {resource.resourceType} names no patient, so it was not used."
                    )
                )
            else:
                shared.append(line.rstrip() + b"\n")
    buckets.close()
    everybody = b"".join(shared)
    filled = [path for path in buckets.paths if path.stat().st_size]
    return [_Job(path, everybody, source.name, buckets.foreign[path]) for path in filled], rejects


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.name.endswith(LINES)) if path.is_dir() else [path]


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with open_packed(file) as content:
            for number, line in enumerate(content, 1):
                if line.strip():
                    yield number, line.removeprefix(codecs.BOM_UTF8)
    except (OSError, EOFError, zlib.error):
        raise InputError("The file is damaged or cut short.", where=file.name, fix="Copy it again.") from None


def _unreadable(name: str, number: int, text: str) -> Reject:
    return Reject(name, number, f"{name}:{number}", None, None, None, "error", "fhir_unreadable", text)


def _batches(records: list[PatientRecord], name: str) -> Iterator[Batch]:
    warnings = (issue for record in records for issue in record.issues if issue.level == "warning")
    notes = tuple({issue.id: issue.text for issue in warnings}.values())  # of each kind one, however many patients
    for start in range(0, len(records), PATIENTS_AT_ONCE):
        some = records[start : start + PATIENTS_AT_ONCE]
        lost = [record for record in some if _is_nobody(record)]
        rejects = tuple(reject for record in lost for reject in rejects_of(record.issues, None, name))
        yield Batch(_rows((record for record in some if not _is_nobody(record)), name), rejects, notes)
        notes = ()


def _is_nobody(record: PatientRecord) -> bool:
    return not record.rows and any(issue.id == "no_patient_id" for issue in record.issues)


def _rows(records: Iterable[PatientRecord], name: str) -> pa.Table:
    cells: dict[str, list[Any]] = {column: [] for column in (*columns(), PLACE, ISSUES)}
    for record in records:
        lost = [issue for issue in record.issues if issue.level in ("error", "conflict")]
        issues = _packed(lost) if lost else None
        for row in record.rows or (None,):
            written = row.values if row else {}
            for column in columns():
                value = written.get(column)
                cells[column].append(None if value is None else str(value))
            cells[PATIENT_ID][-1] = record.patient_id
            cells[PLACE].append(row.place if row else name)
            cells[ISSUES].append(issues)
            issues = None
    length = len(cells[PLACE])
    arrays = {column: pa.array(values, pa.string()) for column, values in cells.items()}
    return pa.table({**arrays, FILE: pa.array([name] * length, pa.string()), LINE: pa.nulls(length, pa.int64())})


def _packed(issues: list[Issue]) -> str:
    return msgspec.json.encode(issues).decode()
