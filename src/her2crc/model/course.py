"""The course of a patient beside results: treatments, imaging and reported variants, each with its day or specimen."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

Kind = Literal["anti_her2", "anti_egfr", "chemotherapy", "other"]
Finding = Literal["progression", "stable", "response"]


class Treatment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A treatment; ``stop`` None: still given, or not stated."""

    regimen: str
    kind: Kind
    start: date
    stop: date | None = None


class Imaging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What imaging showed on a day."""

    on: date
    finding: Finding


class Variant(msgspec.Struct, frozen=True):
    """A variant reported in a specimen; ``allele_fraction`` 0..1."""

    gene: str
    change: str = ""
    allele_fraction: float | None = None


class Course(msgspec.Struct, frozen=True):
    """What was read about one patient beside results: ``variants`` by specimen."""

    treatments: tuple[Treatment, ...] = ()
    imaging: tuple[Imaging, ...] = ()
    variants: tuple[tuple[str, tuple[Variant, ...]], ...] = ()

    def __add__(self, other: Course) -> Course:
        """Join two courses of one patient, each entry once."""
        return Course(
            tuple(dict.fromkeys((*self.treatments, *other.treatments))),
            tuple(dict.fromkeys((*self.imaging, *other.imaging))),
            (*self.variants, *other.variants),
        )


NO_COURSE = Course()
