"""The stage: dated results, treatments and imaging of one patient to what changed, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.follow.changes import FRACTION, changes_of, is_unexplained, trends_of
from her2crc.follow.events import events_of, lead_times_of
from her2crc.follow.figures import Yardstick, assay_noise, follow_figures
from her2crc.follow.points import lowest_plasma_cut, lowest_plasma_fraction, points_of
from her2crc.model.follow import FollowUp, Point
from her2crc.model.patient import Patient
from her2crc.model.verdict import SetVerdict


def follow_course(patient: Patient, criteria: Mapping[str, SetVerdict], knowledge: Knowledge) -> dict[str, Any]:
    """Return the follow-up of a patient who can be followed, as plain values; empty for everybody else."""
    if not has_course(patient):
        return {}
    found: dict[str, Any] = msgspec.to_builtins(follow_results(patient, criteria, knowledge))
    return found


def has_course(patient: Patient) -> bool:
    """Tell whether a patient has results of more than one day, one of them plasma: only these can be followed."""
    days = {item.collected_on for item in patient.specimens if item.collected_on is not None}
    return len(days) > 1 and any(item.plasma.plasma_copies is not None for item in patient.specimens)


def follow_results(
    patient: Patient,
    criteria: Mapping[str, SetVerdict],
    knowledge: Knowledge,
    copies_cv: float | None = None,
    fraction_cv: float | None = None,
) -> FollowUp:
    """Return what changed in a patient over time.

    Args:
        patient: dated specimens, treatments and imaging.
        criteria: every set's verdict, for changes of status.
        knowledge: the sets, for the cut on copies in plasma.
        copies_cv: relative standard deviation of the assay's copies; declared where not given.
        fraction_cv: that of the tumour fraction.

    Raises:
        UsageError: a coefficient of variation that cannot be.
    """
    figures = follow_figures()
    noise = assay_noise(copies_cv, fraction_cv, knowledge.settings, lowest_plasma_fraction(knowledge))
    cut = lowest_plasma_cut(knowledge)
    points = points_of(patient, criteria, cut, noise, figures)
    assays = {item.specimen_id: item.plasma.plasma_assay for item in patient.specimens}
    held = Yardstick(cut, assays, noise, figures)
    changes = changes_of(points, assays, noise, figures)
    return FollowUp(
        patient_id=patient.patient_id,
        label=figures.label,
        label_cite=figures.label_cite,
        copies_cv=noise.copies_cv,
        fraction_cv=noise.fraction_cv,
        cv_basis=noise.basis,
        level=figures.level,
        cut=cut,
        points=points,
        changes=changes,
        trends=trends_of(points, patient.treatments, assays, noise, figures),
        events=events_of(patient, points, held),
        lead_times=lead_times_of(patient, changes, figures),
        notes=tuple(_notes(patient, points, held)),
        treatments=patient.treatments,
        imaging=patient.imaging,
        issues=patient.issues,
    )


def _notes(patient: Patient, points: Sequence[Point], held: Yardstick) -> Iterator[str]:
    figures = held.figures
    used = sorted({name for name in held.assays.values() if name})
    if len(used) > 1:
        yield figures.note("different_assays").text.format(assays="; ".join(used))
    wrong = [point.specimen_id for point in points if is_unexplained(point, held.noise, figures)]
    if wrong:
        yield figures.note("impossible").text.format(specimens=", ".join(wrong))
    whole = [point.specimen_id for point in points if point.tumour_fraction == 1]
    if whole and any(issue.field == FRACTION and issue.level == "error" for issue in patient.issues):
        yield figures.note("percent_fraction").text.format(specimens=", ".join(whole))
    if sum(point.copies is not None for point in points) == 1:
        yield figures.note("one_result").text
    undated = [item.specimen_id for item in patient.specimens if item.collected_on is None]
    if undated:
        yield figures.note("undated").text.format(specimens=", ".join(undated))
