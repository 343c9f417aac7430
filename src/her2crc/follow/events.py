"""What happened: copies lost or tumour DNA lost, resistance, acquired amplification, and the lead over imaging."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from math import sqrt
from statistics import NormalDist
from typing import Any

import msgspec

from her2crc.follow.changes import ADJUSTED, FRACTION, OBSERVED, compare, is_unexplained, value_of
from her2crc.follow.figures import FollowFigures, Noise, Yardstick
from her2crc.follow.points import is_plasma
from her2crc.model.course import Treatment, Variant
from her2crc.model.follow import Change, Event, LeadTime, Point
from her2crc.model.patient import Patient, Specimen
from her2crc.model.quantity import DIPLOID

SIGNS = {"real_rise": "progression", "real_fall": "response"}
WORDS = {OBSERVED: "Observed copies", FRACTION: "The tumour fraction"}
RAS = "ras"


def events_of(patient: Patient, points: Sequence[Point], held: Yardstick) -> tuple[Event, ...]:
    """Return the events in the order of time."""
    plasma = [point for point in points if point.kind == "plasma" and point.copies is not None]
    found = [
        *_losses(plasma, held),
        *_resistance(patient, held.figures),
        *_status_changes(patient, points, held),
    ]
    return tuple(sorted(found, key=lambda event: (event.on, event.id)))


def _event(id: str, on: date, specimen: str, figures: FollowFigures, **filled: Any) -> Event:
    note = figures.note(id)
    return Event(id, on, specimen, note.text.format(**filled), "exploratory", note.cite)


# ---- loss and return


def _losses(plasma: Sequence[Point], held: Yardstick) -> Iterator[Event]:
    """Two readings of one day are no course; copies come back only where they had been seen before."""
    seen = False
    for first, second in pairwise(plasma):
        seen = seen or first.visible == "above_cut"
        id = _loss(first, second, held) if first.visible == "above_cut" and first.on < second.on else None
        if second.visible == "above_cut" and first.visible == "below_cut" and seen:
            id = "return"
        if id is not None:
            yield _event(id, second.on, second.specimen_id, held.figures, **_shown(first, second, held))


def _loss(first: Point, second: Point, held: Yardstick) -> str | None:
    """Say what became of copies that were seen; the reading is compared with what unchanged tumour cells would give.

    Copies are lost only where they would have been seen: at a fraction from which rules decide, above the cut.
    """
    below = second.visible == "below_cut"
    observed = compare(first, second, OBSERVED, held.assays, held.noise, held.figures)
    if is_unexplained(second, held.noise, held.figures):
        return None
    if observed is not None and observed.verdict == "not_comparable":
        return "loss_other_assay" if below else None
    quiet = observed is not None and observed.verdict == "within_noise"
    kept = _expected(first, second, held.noise, held.figures)
    if kept is None:
        return None if not below else "below_within_noise" if quiet else "loss_not_told_apart"
    expected, error = kept
    limit = expected - NormalDist().inv_cdf((1 + held.figures.level) / 2) * error
    lost = (second.copies or 0) < limit
    if lost and expected >= (held.cut or 0) and (second.tumour_fraction or 0) >= (held.noise.floor or 0):
        return "loss_of_copies"
    if not below:
        return None
    if quiet:
        return "below_within_noise"
    fraction = compare(first, second, FRACTION, held.assays, held.noise, held.figures)
    fell = fraction is not None and fraction.verdict == "real_fall"
    return "loss_of_tumour_dna" if fell and not lost else "loss_not_assessable"


def _shown(first: Point, second: Point, held: Yardstick) -> dict[str, Any]:
    """Return what the sentences on a loss name."""
    kept = _expected(first, second, held.noise, held.figures)
    return {
        "cut": f"{held.cut:g}",
        "before": first.on,
        "fraction": f"{100 * (second.tumour_fraction or 0):.3g} %",
        "expected": "" if kept is None else f"{kept[0]:.2f}",
        "observed": f"{second.copies:g}",
    }


def _expected(first: Point, second: Point, noise: Noise, figures: FollowFigures) -> tuple[float, float] | None:
    """Return what unchanged tumour cells would read at the second fraction, and the deviation of the comparison."""
    before = value_of(first, ADJUSTED, noise, figures)
    fraction, copies = second.tumour_fraction, second.copies
    if before is None or fraction is None or copies is None:
        return None
    expected = DIPLOID * (1 - fraction) + before[0] * fraction
    parts = (
        before[1] * fraction,
        (before[0] - DIPLOID) * noise.fraction_cv * fraction,
        noise.copies_cv * copies,
    )
    return expected, sqrt(sum(part**2 for part in parts))


# ---- resistance


def _resistance(patient: Patient, figures: FollowFigures) -> Iterator[Event]:
    """A variant first reported later than another specimen of which variants are stated; absence is never assumed."""
    dated = [item for item in patient.specimens if item.collected_on is not None]
    stated = sorted((item for item in dated if item.variants is not None), key=_day)
    seen: set[tuple[str, str]] = set()
    for number, specimen in enumerate(stated):
        for variant in specimen.variants or ():
            key = (variant.gene.upper(), variant.change)
            if number and key not in seen:
                yield from _first_report(variant, specimen, figures)
            seen.add(key)
    if patient.genes.ras == "wild_type":
        yield from _against_wild_type(sorted(dated, key=_day), stated[:1], figures)


def _against_wild_type(dated: Sequence[Specimen], first: Sequence[Specimen], figures: FollowFigures) -> Iterator[Event]:
    """RAS in the first specimen whose variants are stated, or as the highest allele fraction: it was not first seen."""
    ras = next(item.genes for item in figures.resistance if item.id == RAS)
    told: set[str] = set()
    for specimen in filter(is_plasma, dated):
        named = {(specimen.plasma.plasma_max_vaf_gene or "").upper()}
        named |= {variant.gene.upper() for variant in specimen.variants or () if specimen in first}
        for gene in sorted((named & ras) - told):
            yield _event("resistance_wild_type", _day(specimen), specimen.specimen_id, figures, gene=gene)
        told |= named


def _first_report(variant: Variant, specimen: Specimen, figures: FollowFigures) -> Iterator[Event]:
    for group in figures.resistance:
        if variant.gene.upper() in group.genes:
            share = "" if variant.allele_fraction is None else f" at {100 * variant.allele_fraction:.3g} %"
            text = f"{variant.gene} {variant.change}".strip() + f"{share}. {group.text}"
            id = f"resistance_{group.id}"
            yield Event(id, _day(specimen), specimen.specimen_id, text, group.confidence, group.cite)


def _day(specimen: Specimen) -> date:
    return specimen.collected_on or date.min


# ---- change of status


def _status_changes(patient: Patient, points: Sequence[Point], held: Yardstick) -> Iterator[Event]:
    """Under each set alone: its last decided result before, and the next one; sets that say the same are one event."""
    changes: dict[tuple[str, str, str], list[tuple[str, Point, Point]]] = {}
    for name in dict.fromkeys(name for point in points for name in point.statuses):
        decided = [point for point in points if name in point.statuses]
        for first, second in pairwise(decided):
            if first.statuses[name] != second.statuses[name] and first.on < second.on:
                key = (first.specimen_id, second.specimen_id, second.statuses[name])
                changes.setdefault(key, []).append((name, first, second))
    for (_, _, status), members in changes.items():
        _, first, second = members[0]
        sets = ", ".join(name for name, _, _ in members)
        yield _status_event(patient, first, second, status, sets, held)
    if not any(status == "positive" for _, _, status in changes):
        yield from _first_positive(patient, points, held)


def _first_positive(patient: Patient, points: Sequence[Point], held: Yardstick) -> Iterator[Event]:
    """Negative tissue before and positive plasma after have no set in common: then the first positive of any counts."""
    positive = next((point for point in points if "positive" in point.statuses.values()), None)
    before = [
        point for point in points if positive and point.on < positive.on and "negative" in point.statuses.values()
    ]
    if positive is None or not before:
        return
    ruled_out = ", ".join(_saying(before[-1], "negative"))
    sets = f"{ruled_out} (before) and {', '.join(_saying(positive, 'positive'))} (after)"
    yield _status_event(patient, before[-1], positive, "positive", sets, held)


def _saying(point: Point, status: str) -> list[str]:
    return [name for name, said in point.statuses.items() if said == status]


def _status_event(patient: Patient, first: Point, second: Point, status: str, sets: str, held: Yardstick) -> Event:
    between = _anti_egfr(patient.treatments, first.on, second.on)
    shown: dict[str, Any] = {"before": first.on, "after": second.on, "sets": sets}
    place = second.on, second.specimen_id, held.figures
    dated = any(item.kind == "anti_egfr" for item in patient.treatments)
    if status == "positive" and between is not None:
        event = _event("acquired", *place, **shown, start=between.start)
    elif status == "positive" and patient.history.prior_anti_egfr and not dated:
        event = _event("acquired_undated", *place, **shown)
    else:
        opposite = "negative" if status == "positive" else "positive"
        event = _event("status_change", *place, **shown, first=opposite, second=status)
    read = compare(first, second, OBSERVED, held.assays, held.noise, held.figures)
    if read is None or read.verdict in SIGNS:
        return event
    doubt = "change_within_noise" if read.verdict == "within_noise" else "change_other_assay"
    return msgspec.structs.replace(event, text=f"{event.text} {held.figures.note(doubt).text}")


def _anti_egfr(treatments: Sequence[Treatment], before: date, after: date) -> Treatment | None:
    """Return an anti-EGFR treatment that began after the first result, or went on after it, before the second."""
    for item in treatments:
        ended_before = item.stop is not None and item.stop < before
        if item.kind == "anti_egfr" and item.start < after and not ended_before:
            return item
    return None


# ---- lead time


def lead_times_of(patient: Patient, changes: Sequence[Change], figures: FollowFigures) -> tuple[LeadTime, ...]:
    """Return, for each change beyond noise, the days to the nearest imaging that says the same."""
    return tuple(_lead_times(patient, changes, figures))


def _lead_times(patient: Patient, changes: Sequence[Change], figures: FollowFigures) -> Iterator[LeadTime]:
    taken: set[tuple[str, date]] = set()
    for change in changes:
        finding = SIGNS.get(change.verdict)
        same = [item for item in patient.imaging if item.finding == finding and item.on >= change.start]
        if change.what not in WORDS or not same:
            continue
        image = min(same, key=lambda item: item.on)
        if (change.what, image.on) in taken:
            continue
        taken.add((change.what, image.on))
        days = (image.on - change.end).days
        note = figures.note("lead" if days >= 0 else "lag")
        direction = "rise" if change.verdict == "real_rise" else "fall"
        text = note.text.format(
            what=f"{WORDS[change.what]}: a {direction}",
            sign=change.end,
            days=abs(days),
            finding=image.finding,
            imaging=image.on,
        )
        yield LeadTime(change.what, change.end, image.on, image.finding, days, text, note.cite)
