"""``measure plasma``: what a copy number in plasma means at this tumour fraction, under every plasma rule.

Part of measuring, above the flow. The tumour fraction is given, or shown under both conventions of taking it from the
variants; it is never chosen for the user, so the specimen keeps only what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from her2crc.criteria.cuts import lowest_cut
from her2crc.criteria.library import Knowledge
from her2crc.follow.figures import Noise, assay_noise
from her2crc.measure.distributions import Distribution, Normal
from her2crc.measure.ish import read_given
from her2crc.measure.plasma_figures import Convention, PlasmaFigures, plasma_figures
from her2crc.measure.plasma_input import COPIES, FRACTION, PlasmaSample, read_plasma, with_given
from her2crc.measure.plasma_values import (
    PlasmaEstimate,
    PlasmaMeasurement,
    PlasmaVariant,
    PublishedAgreement,
)
from her2crc.measure.plasma_variants import highest
from her2crc.measure.rules import CANNOT_DECIDE, RuleChance, rule_probabilities
from her2crc.model.dilution import (
    adjusted_copies,
    adjusted_interval,
    detected_from,
    fraction_needed,
    is_impossible,
    reading_interval,
    visible_from,
)
from her2crc.model.quantity import DIPLOID

HEAD: dict[str, Any] = {"site": "plasma", "specimen_kind": "plasma"}
INDETERMINATE = "indeterminate"
IMPOSSIBLE = (
    "The reading is below what the loss of every copy would leave at this tumour fraction: one of them is wrong."
)
DIFFERING = "The conventions of taking the tumour fraction from the variants give different answers."


def measure_plasma(
    source: str | Path,
    knowledge: Knowledge,
    *,
    variants: str | Path | None = None,
    given: Mapping[str, str] | None = None,
    copies_cv: float | None = None,
    fraction_cv: float | None = None,
    counts: str | None = None,
) -> tuple[PlasmaMeasurement, ...]:
    """Measure every plasma sample of a file.

    Args:
        source: patients in any known format (plasma columns), or a table of variants (MAF and the like).
        knowledge: the rules.
        variants: a table of variants beside it, joined by specimen.
        given: facts that hold for every sample, e.g. ``{"plasma_copies": "3.1"}``.
        copies_cv: relative standard deviation of the observed copies; declared where not given.
        fraction_cv: that of a given tumour fraction.
        counts: ``as-written`` or ``swapped``: how reference and variant reads stand in the table.

    Raises:
        InputError: no plasma sample, or a value that cannot be used (with its place).
        UsageError: an argument that cannot be.
    """
    figures = plasma_figures()
    noise, level = assay_noise(copies_cv, fraction_cv, knowledge.settings), _level(knowledge)
    typed = read_given(given or {}, knowledge)
    samples = read_plasma(source, variants, knowledge, figures, level, counts)
    return tuple(_measure(with_given(item, typed), knowledge, figures, noise) for item in samples)


def _level(knowledge: Knowledge) -> float:
    return float(knowledge.settings.interval_level)


def _measure(sample: PlasmaSample, knowledge: Knowledge, figures: PlasmaFigures, noise: Noise) -> PlasmaMeasurement:
    level = _level(knowledge)
    variants, notes = _variants(sample, figures)
    top = highest(variants)
    estimates = tuple(_estimates(sample, top, knowledge, figures, noise))
    return PlasmaMeasurement(
        patient_id=sample.patient_id,
        specimen_id=sample.specimen_id,
        plasma_copies=sample.copies,
        copies_interval=reading_interval(sample.copies, noise.copies_cv, level),
        copies_cv=noise.copies_cv,
        fraction_cv=noise.fraction_cv,
        cv_basis=noise.basis,
        certainty=level,
        estimates=estimates,
        variants=variants,
        rules=_agreed(estimates),
        smallest_fraction={
            name: fraction_needed(cut, figures.reference_copies) for name, cut in _cuts(knowledge).items()
        },
        agreement=_agreement(knowledge, figures),
        notes=(*notes, *_notes(sample, estimates, figures)),
        issues=sample.issues,
        specimen=_specimen(sample, top),
    )


def _variants(sample: PlasmaSample, figures: PlasmaFigures) -> tuple[tuple[PlasmaVariant, ...], tuple[str, ...]]:
    """Return the variants; the highest one that a laboratory reports by itself is judged as any other."""
    if sample.variants or sample.max_vaf is None:
        return sample.variants, ()
    gene = sample.max_gene.upper()
    reason = next(((item.text, item.confidence) for item in figures.exclusions if gene in item.genes), ("", ""))
    reported = PlasmaVariant(sample.max_gene or "gene not stated", "", sample.max_vaf, None, None, *reason, "")
    notes = [] if sample.max_gene else ["The gene of the highest allele fraction is not stated, so it was not checked."]
    if figures.looks_inherited(sample.max_vaf):
        notes.append("The highest allele fraction is that of an inherited variant; whether it is one is not stated.")
    return (reported,), tuple(notes)


def _estimates(
    sample: PlasmaSample, top: PlasmaVariant | None, knowledge: Knowledge, figures: PlasmaFigures, noise: Noise
) -> list[PlasmaEstimate]:
    found = []
    if sample.fraction is not None:
        error = noise.fraction_cv * sample.fraction
        found.append(_estimate("given", "tumour fraction as given", sample, sample.fraction, error, knowledge, noise))
    for convention in figures.conventions if top else ():
        found.append(_by_convention(convention, sample, top, knowledge, noise))  # type: ignore[arg-type]
    if not found:
        found.append(_estimate("not_known", "tumour fraction not known", sample, None, 0.0, knowledge, noise))
    return found


def _by_convention(
    convention: Convention, sample: PlasmaSample, top: PlasmaVariant, knowledge: Knowledge, noise: Noise
) -> PlasmaEstimate:
    fraction = convention.factor * top.allele_fraction
    if fraction > 1:
        text = f"{convention.text}: not possible here, it would exceed 1"
        return _estimate(convention.id, text, sample, None, 0.0, knowledge, noise)
    error = noise.fraction_cv * fraction
    if top.reads:
        error = convention.factor * (top.allele_fraction * (1 - top.allele_fraction) / top.reads) ** 0.5
    return _estimate(convention.id, convention.text, sample, fraction, error, knowledge, noise)


def _estimate(
    basis: str,
    text: str,
    sample: PlasmaSample,
    fraction: float | None,
    error: float,
    knowledge: Knowledge,
    noise: Noise,
) -> PlasmaEstimate:
    copies, cuts, level = sample.copies, _cuts(knowledge), _level(knowledge)
    known = fraction is not None and fraction > 0
    adjusted = interval = None
    if known and copies is not None and fraction is not None:
        adjusted = adjusted_copies(copies, fraction)
        interval = adjusted_interval(copies, noise.copies_cv * copies, fraction, error, level)
    impossible = (
        copies is not None
        and fraction is not None
        and is_impossible(copies, noise.copies_cv * copies, fraction, error, level)
    )
    rules = _rules(sample, fraction, error, knowledge, noise)
    return PlasmaEstimate(
        basis=basis,
        text=text,
        tumour_fraction=fraction,
        fraction_interval=_fraction_interval(fraction, error, level),
        adjusted_copies=adjusted,
        adjusted_interval=interval,
        invisible_below={name: visible_from(cut, fraction) for name, cut in cuts.items()} if known and fraction else {},
        limit_of_detection_copies=(
            detected_from(min(cuts.values()), fraction, noise.copies_cv, level) if known and fraction and cuts else None
        ),
        impossible=impossible,
        rules=tuple(_undecided(rule, IMPOSSIBLE) for rule in rules) if impossible else rules,
    )


def _rules(
    sample: PlasmaSample, fraction: float | None, error: float, knowledge: Knowledge, noise: Noise
) -> tuple[RuleChance, ...]:
    if sample.copies is None:
        return ()
    facts = {**HEAD, **{name: value for name, value in sample.facts.items() if name not in (COPIES, FRACTION)}}
    uncertain: dict[str, Distribution] = {COPIES: Normal(sample.copies, noise.copies_cv * sample.copies)}
    if fraction is not None and 0 < fraction < 1:
        uncertain[FRACTION] = Normal(fraction, error / (fraction * (1 - fraction)), "logit")
    elif fraction is not None:
        facts[FRACTION] = Decimal(repr(fraction))
    return rule_probabilities(facts, uncertain, knowledge)


def _fraction_interval(fraction: float | None, error: float, level: float) -> tuple[float, float] | None:
    if fraction is None or not 0 < fraction < 1:
        return None
    spread = Normal(fraction, error / (fraction * (1 - fraction)), "logit")
    return spread.quantile((1 - level) / 2), spread.quantile((1 + level) / 2)


def _agreed(estimates: Sequence[PlasmaEstimate]) -> tuple[RuleChance, ...]:
    """Return the rules under the given fraction; else what every convention says alike, the rest undecided."""
    if not estimates or estimates[0].basis in ("given", "not_known"):
        return estimates[0].rules if estimates else ()
    agreed = []
    for rule in estimates[0].rules:
        others = [item for estimate in estimates[1:] for item in estimate.rules if item.set == rule.set]
        alike = all(item.outcome == rule.outcome for item in others)
        agreed.append(rule if alike else _undecided(rule, DIFFERING, FRACTION))
    return tuple(agreed)


def _undecided(rule: RuleChance, why: str, *missing: str) -> RuleChance:
    """Return a rule that says nothing, because what it was asked about is not known."""
    return msgspec.structs.replace(
        rule,
        outcome=CANNOT_DECIDE,
        probability=0.0,
        status=INDETERMINATE,
        chances={INDETERMINATE: 1.0},
        why=why,
        missing=missing,
    )


def _cuts(knowledge: Knowledge) -> dict[str, float]:
    """Return the lowest cut of each plasma rule on observed copies."""
    found = {item.id: lowest_cut(item, COPIES) for item in knowledge.criteria.values() if item.role == "rule"}
    return {name: float(cut) for name, cut in found.items() if cut is not None}


def _agreement(knowledge: Knowledge, figures: PlasmaFigures) -> tuple[PublishedAgreement, ...]:
    known = [knowledge.proportions[id] for id in figures.agreement if id in knowledge.proportions]
    return tuple(
        PublishedAgreement(item.id, item.label, item.events, item.total, item.interval, item.note, item.cite)
        for item in known
    )


def _notes(sample: PlasmaSample, estimates: Sequence[PlasmaEstimate], figures: PlasmaFigures) -> list[str]:
    notes = ["Plasma is its own evidence and never overrides tissue."]
    if sample.copies is None:
        notes.append("No copies were given, so there is a tumour fraction but no HER2 result.")
    if len(estimates) > 1:
        references = ", ".join(item.ref for item in figures.convention_cite)
        notes.append(f"{figures.convention_text} [{references}]")
    if estimates[0].basis == "not_known":
        notes.append("The tumour fraction is not known: a low reading says nothing, and no copies can be adjusted.")
    if any(item.impossible for item in estimates):
        notes.append(IMPOSSIBLE)
    if sample.fraction == 0 and sample.copies is not None and sample.copies > DIPLOID:
        notes.append("More than two copies were read although no tumour DNA is stated: one of them is wrong.")
    unbounded = [
        item for item in estimates if item.adjusted_copies is not None and item.adjusted_interval == (None, None)
    ]
    if unbounded:
        notes.append("The tumour fraction cannot be told from none, so the adjusted copies have no bound.")
    return notes


def _specimen(sample: PlasmaSample, top: PlasmaVariant | None) -> dict[str, str]:
    """Return the row of the specimen table: only what was measured, never a fraction taken from variants."""
    row = {"patient_id": sample.patient_id, "specimen_id": sample.specimen_id}
    row |= {name: str(value) for name, value in {**HEAD, **sample.facts}.items()}
    for name, value in ((COPIES, sample.copies), (FRACTION, sample.fraction)):
        if value is not None:
            row[name] = str(sample.facts.get(name, value))
    if top is not None and sample.variants:
        row |= {"plasma_max_vaf": f"{top.allele_fraction:.6g}", "plasma_max_vaf_gene": top.gene}
    return row
