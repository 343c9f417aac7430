"""Plasma samples from patients in any known format, from a table of variants, or from both joined by specimen."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError, UsageError
from her2crc.flow import read_patients
from her2crc.measure.ish import read_given
from her2crc.measure.ish_input import grids_of
from her2crc.measure.plasma_figures import PlasmaFigures
from her2crc.measure.plasma_values import PlasmaVariant
from her2crc.measure.plasma_variants import Sample, is_variant_table, read_samples
from her2crc.model.patient import Patient, Specimen
from her2crc.model.record import Issue
from her2crc.read.source import read_source

COPIES, FRACTION = "plasma_copies", "tumour_fraction"
Source = str | Path
Content = tuple[bytes, str] | None


class PlasmaSample(msgspec.Struct, frozen=True):
    """One plasma sample as it came in; ``facts`` are those of the specimen table, as typed."""

    patient_id: str
    specimen_id: str
    copies: float | None
    fraction: float | None
    max_vaf: float | None
    max_gene: str
    variants: tuple[PlasmaVariant, ...]
    facts: dict[str, Any]
    issues: tuple[Issue, ...]


def read_plasma(
    source: Source,
    variants: Source | None,
    knowledge: Knowledge,
    figures: PlasmaFigures,
    level: float,
    counts: str | None,
) -> list[PlasmaSample]:
    """Return the plasma samples of a file, with the variants of a table beside it where one is named.

    Raises:
        InputError: no plasma sample, a value that cannot be used, or variants that belong to no sample.
    """
    content = _content(source)
    if variants is None:
        own = _variant_samples(content, figures, level, counts)
        return [_of_variants(item, str(source), knowledge) for item in own] or _of_patients(
            source, content, knowledge, ()
        )
    beside = _variant_samples(_content(variants), figures, level, counts)
    if not beside:
        raise InputError("This is not a table of variants.", where=str(variants), fix="Send gene and allele fraction.")
    return _of_patients(source, content, knowledge, beside)


def _content(source: Source) -> Content:
    """Return the bytes of a file or of standard input (which can be read once), with its name; None for a folder."""
    if str(source) == "-":
        return b"" if sys.stdin.isatty() else sys.stdin.buffer.read(), "standard input"
    return None if Path(source).is_dir() else read_source(str(source), None)


def _variant_samples(content: Content, figures: PlasmaFigures, level: float, counts: str | None) -> list[Sample]:
    """Return the samples of a table of variants; none where the file is something else."""
    try:
        grids = grids_of(*content) if content else {}
    except InputError:  # what it is, its own reader says
        return []
    grid = next((grid for grid in grids.values() if is_variant_table(grid, figures)), None)
    if content is None or grid is None:
        return []
    return read_samples(grid, Path(content[1]).name, figures, level, counts)


def _of_variants(item: Sample, source: str, knowledge: Knowledge) -> PlasmaSample:
    """A sample of which only variants are known, and what else their table states, typed as everywhere."""
    try:
        stated = read_given(item.given, knowledge)
    except UsageError as error:
        where = f"{Path(source).name}, sample {item.specimen_id}"
        raise InputError(error.what, where=where, why="The copies would be wrong.", fix="Correct it.") from None
    copies, fraction = _float(stated.get(COPIES)), _float(stated.get(FRACTION))
    return PlasmaSample(
        item.patient_id, item.specimen_id, copies, fraction, None, "", item.variants, dict(stated), item.issues
    )


def _of_patients(
    source: Source, content: Content, knowledge: Knowledge, beside: Sequence[Sample]
) -> list[PlasmaSample]:
    patients = read_patients(content[0], knowledge, content[1]) if content else read_patients(source, knowledge)
    find = _Finder(beside, patients)
    samples = [
        _sample(patient, specimen, extra)
        for patient in patients
        for specimen in patient.specimens
        for extra in [find(patient, specimen)]
        if extra or "plasma" in (specimen.specimen_kind, specimen.site)
    ]
    if not samples:
        fix = "Give plasma_copies, or site plasma."
        raise InputError("No plasma sample was found.", where=Path(source).name, fix=fix)
    find.refuse_lost()
    return samples


class _Finder:
    """Finds the variants of a specimen: by patient and specimen, or by specimen alone where that is clear."""

    def __init__(self, beside: Sequence[Sample], patients: Sequence[Patient]) -> None:
        self.waiting = {(item.patient_id, item.specimen_id): item for item in beside}
        self.ids = [specimen.specimen_id for patient in patients for specimen in patient.specimens]

    def __call__(self, patient: Patient, specimen: Specimen) -> Sample | None:
        name = specimen.specimen_id
        found = self.waiting.pop((patient.patient_id, name), None)
        if found is None and self.ids.count(name) == 1:  # without a patient, a table's sample stands for it
            found = self.waiting.pop((name, name), None)
        return found

    def refuse_lost(self) -> None:
        """Variants that belong to no specimen, or to one of several, are an error: a fraction would be missing."""
        if self.waiting:
            raise InputError(
                f"{len(self.waiting)} sample(s) of the variants belong to no specimen, or to one of several patients.",
                fix="Use the same specimen_id in both, and a column patient_id where patients share it.",
            )


def _sample(patient: Patient, specimen: Specimen, extra: Sample | None) -> PlasmaSample:
    plasma = specimen.plasma
    facts: dict[str, Any] = {"tumour": specimen.tumour} if specimen.tumour else {}
    facts |= {"collected_on": specimen.collected_on.isoformat()} if specimen.collected_on else {}
    facts |= {name: value for name, value in msgspec.structs.asdict(plasma).items() if value is not None}
    own = tuple(item for item in patient.issues if item.specimen == specimen.specimen_id)
    return PlasmaSample(
        patient_id=patient.patient_id,
        specimen_id=specimen.specimen_id,
        copies=_float(plasma.plasma_copies),
        fraction=_float(plasma.tumour_fraction),
        max_vaf=_float(plasma.plasma_max_vaf),
        max_gene=plasma.plasma_max_vaf_gene or "",
        variants=extra.variants if extra else (),
        facts=facts,
        issues=own + (extra.issues if extra else ()),
    )


def with_given(sample: PlasmaSample, given: Mapping[str, Any]) -> PlasmaSample:
    """Return a sample with facts that the user gives for all of them."""
    facts = {**sample.facts, **given}
    return msgspec.structs.replace(
        sample, copies=_float(facts.get(COPIES)), fraction=_float(facts.get(FRACTION)), facts=facts
    )


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
