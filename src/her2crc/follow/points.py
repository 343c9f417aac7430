"""Every dated result of one patient as a point in time, with the noise of the assay as its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from her2crc.criteria.cuts import lowest_cut
from her2crc.criteria.library import Knowledge
from her2crc.follow.figures import FollowFigures, Noise
from her2crc.model.dilution import adjusted_copies, adjusted_interval, reading_interval
from her2crc.model.follow import Point
from her2crc.model.patient import Patient, Specimen
from her2crc.model.verdict import DECIDED, SetVerdict

PERCENT = 100


def is_plasma(specimen: Specimen) -> bool:
    """Tell whether a specimen is plasma, or has a plasma result."""
    return "plasma" in (specimen.specimen_kind, specimen.site) or specimen.plasma.plasma_copies is not None


def lowest_plasma_cut(knowledge: Knowledge) -> float | None:
    """Return the lowest cut of any plasma rule on observed copies."""
    rules = (item for item in knowledge.criteria.values() if item.role == "rule")
    cuts = [cut for item in rules if (cut := lowest_cut(item, "plasma_copies")) is not None]
    return float(min(cuts)) if cuts else None


def lowest_plasma_fraction(knowledge: Knowledge) -> float | None:
    """Return the tumour fraction below which no plasma rule on copies decides."""
    rules = (item for item in knowledge.criteria.values() if item.role == "rule" and item.judges == "plasma")
    cuts = [cut for item in rules if (cut := lowest_cut(item, "tumour_fraction")) is not None]
    return float(min(cuts)) if cuts else None


def points_of(
    patient: Patient,
    criteria: Mapping[str, SetVerdict],
    cut: float | None,
    noise: Noise,
    figures: FollowFigures,
) -> tuple[Point, ...]:
    """Return the dated results in the order of time; the rest has no place in it."""
    found = [
        _point(item, item.collected_on, patient, criteria, cut, noise, figures)
        for item in patient.specimens
        if item.collected_on is not None and (is_plasma(item) or _tissue(item))
    ]
    return tuple(sorted(found, key=lambda point: point.on))


def _point(
    specimen: Specimen,
    on: date,
    patient: Patient,
    criteria: Mapping[str, SetVerdict],
    cut: float | None,
    noise: Noise,
    figures: FollowFigures,
) -> Point:
    copies, fraction = _float(specimen.plasma.plasma_copies), _float(specimen.plasma.tumour_fraction)
    known = copies is not None and bool(fraction)
    adjusted = interval = None
    if copies is not None and fraction:
        adjusted = adjusted_copies(copies, fraction)
        errors = noise.copies_cv * copies, noise.fraction_cv * fraction
        interval = adjusted_interval(copies, errors[0], fraction, errors[1], figures.level)
    visible = "not_read" if copies is None or cut is None else "above_cut" if copies >= cut else "below_cut"
    return Point(
        specimen_id=specimen.specimen_id,
        on=on,
        kind="plasma" if is_plasma(specimen) else "tissue",
        shown=_shown(specimen, copies, fraction),
        copies=copies,
        copies_interval=reading_interval(copies, noise.copies_cv, figures.level),
        tumour_fraction=fraction,
        fraction_interval=reading_interval(fraction, noise.fraction_cv, figures.level),
        adjusted_copies=adjusted if known else None,
        adjusted_interval=interval,
        visible=visible,
        treatment=tuple(
            item.regimen for item in patient.treatments if item.start <= on and (item.stop is None or on <= item.stop)
        ),
        statuses={
            name: verdict.specimens[specimen.specimen_id].status
            for name, verdict in criteria.items()
            if verdict.role == "rule" and verdict.specimens[specimen.specimen_id].status in DECIDED
        },
    )


def _shown(specimen: Specimen, copies: float | None, fraction: float | None) -> str:
    if not is_plasma(specimen):
        return "; ".join(_tissue(specimen))
    read = "copies not read" if copies is None else f"{copies:g} copies"
    share = "tumour fraction not known" if fraction is None else f"tumour fraction {PERCENT * fraction:.3g} %"
    return f"{read}, {share}"


def _tissue(specimen: Specimen) -> list[str]:
    """Return the tissue results in words, none where there are none."""
    return list(_tissue_words(specimen))


def _tissue_words(specimen: Specimen) -> Iterator[str]:
    ihc, ish, tissue = specimen.ihc, specimen.ish, specimen.tissue
    if ihc.ihc_score is not None:
        percent = "" if ihc.ihc_percent is None else f" in {ihc.ihc_percent} %"
        yield f"IHC {ihc.ihc_score}{'+' if ihc.ihc_score else ''}{percent}"
    if ish.ish_her2_signals is not None and ish.ish_cep17_signals:
        yield f"ISH ratio {ish.ish_her2_signals / ish.ish_cep17_signals:.2f}"
    elif ish.ish_ratio is not None:
        yield f"ISH ratio {ish.ish_ratio}"
    if tissue.ngs_copies is not None:
        yield f"{tissue.ngs_copies} copies by sequencing"
    elif tissue.ngs_call is not None:
        yield f"sequencing: {tissue.ngs_call.replace('_', ' ')}"


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
