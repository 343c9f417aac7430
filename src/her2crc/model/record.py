"""What reading gives: the values of each specimen as they were written, with the place of each.

A record is not yet checked or typed; ``normalise`` turns the rows of one patient into a :class:`Patient`.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from her2crc.model.course import NO_COURSE, Course

RawValue = str | int | float | Decimal | bool | None


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something a person must know about the input.

    ``level`` is ``error`` (a value could not be used), ``conflict`` (values contradict each other, so the
    fact is unknown) or ``warning``. ``text`` never repeats free text of a report.
    """

    level: str
    id: str
    text: str
    specimen: str = ""
    field: str = ""
    place: str = ""


class SpecimenRow(msgspec.Struct, frozen=True):
    """One row of results: column name to value as written, and where it stood (file and line, or path)."""

    place: str
    values: dict[str, RawValue]


class PatientRecord(msgspec.Struct, frozen=True):
    """Everything that was read about one patient, in the order of reading."""

    patient_id: str
    rows: tuple[SpecimenRow, ...]
    issues: tuple[Issue, ...] = ()
    course: Course = NO_COURSE
