"""``measure tissue``: a file of copy numbers to ERBB2 copies per tumour cell with intervals, and every rule's chance.

Reads (front ends), finds ERBB2 (:mod:`tissue_reading`), adds the spread between samples (:mod:`tissue_panel`),
corrects for purity and ploidy (:mod:`tissue_copies`) and asks the rules (:mod:`rules`). Below the limit of detection
the answer is "not excluded", never negative.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError
from her2crc.frontends.seq.profile import Profile
from her2crc.frontends.seq.terms import terms
from her2crc.measure.distributions import Distribution, Normal, interval_of, student_factor
from her2crc.measure.rules import CANNOT_DECIDE, NOT_MET, RuleChance, joint_probabilities, rule_probabilities
from her2crc.measure.tissue_copies import (
    Tumour,
    copies_interval,
    copies_of,
    detectable_fold,
    fold_of,
    gain_threshold,
    limit_of_detection,
)
from her2crc.measure.tissue_defaults import defaults, message
from her2crc.measure.tissue_input import Stated, load_panel_of, read_samples, tumour_of
from her2crc.measure.tissue_panel import Panel, Spread, spread_without_panel, write_panel
from her2crc.measure.tissue_reading import Neighbour, Reading, Stretch, read_her2
from her2crc.model.quantity import DIPLOID
from her2crc.normalise import derive_facts

Interval = tuple[float, float]
DIGITS = 6
FOCAL, BROAD, ARM, CHROMOSOME = "focal", "broad", "arm", "chromosome"


class TissueMeasurement(msgspec.Struct, frozen=True):
    """One sample. Intervals are at the level of the settings; None is unknown, never none.

    Attributes:
        fold: fold change against a diploid normal, with ``fold_interval``; ``log2`` with its standard error
            ``log2_error``, made of ``log2_error_within`` (bins) and ``log2_error_between`` (samples; from where:
            ``between_source``), widened for the number of normals.
        tumour_copies: per tumour cell. ``tumour_copies_interval``: with purity and ploidy as stated (their own
            intervals where given). ``tumour_copies_interval_wide``: with the declared uncertainty of what was given
            without an interval; this one enters the rules.
        limit_of_detection_copies: copies from which a gain is seen at this purity; ``limit_of_detection_fold`` alike.
        gain_seen: whether the reading stands out from the noise; ``conclusion`` says what that means.
        chromosome_17_relative: fold against the rest of chromosome 17; it is not HER2/CEP17.
        extent: focal, broad, arm or chromosome, where a gain is seen and its ends are shown.
        caller_tumour_copies, caller_call: what the source itself said.
        refused: why the sample was not judged, where it was not.
    """

    specimen_id: str
    patient_id: str
    file: str
    format: str
    conclusion: str
    build: str | None = None
    basis: str | None = None
    bins: int | None = None
    fold: float | None = None
    fold_interval: Interval | None = None
    log2: float | None = None
    log2_error: float | None = None
    log2_error_within: float | None = None
    log2_error_between: float | None = None
    between_source: str = ""
    bin_noise_log2: float | None = None
    tumour_purity: float | None = None
    tumour_purity_interval: Interval | None = None
    ploidy: float | None = None
    assumed: tuple[str, ...] = ()
    tumour_copies: float | None = None
    tumour_copies_interval: Interval | None = None
    tumour_copies_interval_wide: Interval | None = None
    limit_of_detection_copies: float | None = None
    limit_of_detection_fold: float | None = None
    gain_seen: bool | None = None
    chromosome_17_relative: float | None = None
    extent: str | None = None
    stretch: Stretch | None = None
    neighbours: tuple[Neighbour, ...] = ()
    caller_tumour_copies: float | None = None
    caller_call: str | None = None
    rules: tuple[RuleChance, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str = ""

    def text(self) -> str:
        """Return the measurement as lines for a person."""
        from her2crc.measure.formats import tissue_text

        return tissue_text(self)

    @property
    def specimen(self) -> dict[str, str]:
        """Return the row of the specimen table that ``assess`` reads: what was measured, for the rules to judge.

        The copies are those of the mixture (fold times its average ploidy); the rules correct for purity themselves.
        """
        share, ploidy = self.tumour_purity or 0.0, self.ploidy or DIPLOID
        mixture = None if self.fold is None else self.fold * (share * ploidy + DIPLOID * (1 - share))
        values = {
            "patient_id": self.patient_id or self.specimen_id,
            "specimen_id": self.specimen_id,
            "ngs_fold": None if self.fold is None else f"{self.fold:.3f}",
            "ngs_copies": None if mixture is None else f"{mixture:.2f}",
            "ngs_call": self.caller_call,
            "ngs_assay": f"measured from {self.format}",
            "tumour_purity": None if self.tumour_purity is None else f"{self.tumour_purity:.4g}",
        }
        return {name: value for name, value in values.items() if value is not None}


def measure_tissue(
    source: str | Path | bytes,
    knowledge: Knowledge,
    *,
    name: str = "",
    purity: float | str | None = None,
    purity_interval: tuple[float, float] | str | None = None,
    ploidy: float | str | None = None,
    ploidy_interval: tuple[float, float] | str | None = None,
    purities: str | Path | None = None,
    panel: Panel | str | Path | None = None,
    save_panel: str | Path | None = None,
    build: str | None = None,
    targets: str | Path | None = None,
    reference: str | Path | None = None,
) -> tuple[TissueMeasurement, ...]:
    """Measure ERBB2 in every sample of a file.

    Args:
        source: a file of copy numbers in any format that is read (a path, ``-``, or bytes with ``name``).
        knowledge: the rules and the level of the intervals.
        name: the name of bytes, for messages.
        purity: share of tumour cells, 0..1 or "30%", for every sample that the file gives none for; goes before the
            file's own. ``purity_interval``: its ends at the level of the settings, as a pair or "0.2-0.4".
        ploidy: average copies per tumour cell; 2 is assumed where it is not given.
        purities: a table of sample and purity.
        panel: a panel of normals (learned, a file that was saved, a folder or a matrix of normals); without one the
            declared spread is used and said.
        save_panel: a file to write the panel to, for the next time.
        build: hg19, hg38 or hs1, where the file does not show it.
        targets, reference: for BAM, CNVkit's targets (BED) and reference (.cnn).

    Raises:
        InputError: the file cannot be read or, where it holds one sample, not judged: why, where, and what to do.
        MissingExtraError: a library that the format needs is not installed.
        UsageError: a build, purity or ploidy is not possible.
    """
    learned = panel if isinstance(panel, Panel) or panel is None else load_panel_of(panel, build)
    if save_panel is not None:
        write_panel(learned, save_panel)
    samples = read_samples(source, name, build, learned, (targets, reference))
    stated = Stated.of(purity, purity_interval, ploidy, ploidy_interval, purities)
    level = float(knowledge.settings.interval_level)
    found = []
    for profile, digest in samples:
        spread = None if learned is None else learned.spread(but=digest)
        try:
            found.append(_rounded(_measure(profile, build, spread, stated, level, knowledge)))
        except InputError as error:
            if len(samples) == 1:
                raise
            found.append(_refused(profile, str(error)))
    return tuple(found)


def _refused(profile: Profile, why: str) -> TissueMeasurement:
    return TissueMeasurement(profile.specimen_id, profile.patient_id, profile.file, profile.format, why, refused=why)


def _measure(
    profile: Profile, build: str | None, of_panel: Spread | None, stated: Stated, level: float, knowledge: Knowledge
) -> TissueMeasurement:
    if profile.problem is not None:
        raise profile.problem
    reading = read_her2(profile, build)
    spread = of_panel or spread_without_panel(reading)
    tumour, assumed, notes = tumour_of(profile, stated)
    log2 = _log2(reading, tumour)
    known = _known(profile, reading, tumour, assumed, (*profile.notes, *reading.notes, *notes))
    if log2 is None:
        return _without_number(known, reading, knowledge)
    error = math.hypot(reading.within, spread.between) * student_factor(spread.freedom, level)
    fold = Normal(2.0 ** (log2 - spread.shift), error, "log2")
    measured = msgspec.structs.replace(
        known,
        fold=fold.middle,
        fold_interval=interval_of(fold, level),
        log2=log2 - spread.shift,
        log2_error=error,
        log2_error_within=reading.within,
        log2_error_between=spread.between,
        between_source=spread.source,
        limit_of_detection_fold=detectable_fold(error),
        gain_seen=log2 - spread.shift > gain_threshold(error),
        rules=rule_probabilities(_facts(reading), _uncertain(fold, tumour, assumed), knowledge),
    )
    if not measured.gain_seen:
        _refuse_noise(profile, error)
        measured = _guarded(measured, reading, tumour, knowledge)
    return _surrounded(_concluded(_corrected(measured, fold, tumour, assumed, level)), reading, error)


def _log2(reading: Reading, tumour: Tumour | None) -> float | None:
    """Return the log2 fold; from a caller's corrected copies where there is no other number and the purity is known."""
    if reading.log2 is not None or reading.tumour_copies is None or tumour is None:
        return reading.log2
    fold = fold_of(max(reading.tumour_copies, 0.0), tumour.purity.middle, tumour.ploidy.middle)
    return math.log2(fold) if fold > 0 else None


def _known(
    profile: Profile, reading: Reading, tumour: Tumour | None, assumed: tuple[str, ...], notes: tuple[str, ...]
) -> TissueMeasurement:
    return TissueMeasurement(
        specimen_id=profile.specimen_id,
        patient_id=profile.patient_id,
        file=profile.file,
        format=profile.format,
        conclusion="",
        build=reading.build,
        basis=reading.basis,
        bins=reading.bins,
        bin_noise_log2=reading.noise,
        tumour_purity=tumour.purity.middle if tumour else None,
        ploidy=tumour.ploidy.middle if tumour else None,
        assumed=assumed,
        caller_tumour_copies=reading.tumour_copies,
        caller_call=reading.call,
        notes=notes,
    )


def _without_number(known: TissueMeasurement, reading: Reading, knowledge: Knowledge) -> TissueMeasurement:
    """Return what can be said without a fold change: the rules on the call alone, and what they still need."""
    facts = derive_facts(_facts(reading))
    known = msgspec.structs.replace(
        known, rules=joint_probabilities([(1.0, facts)], ("ngs_copies", "ngs_call"), facts, knowledge)
    )
    if reading.tumour_copies is not None:
        return msgspec.structs.replace(
            known, tumour_copies=max(reading.tumour_copies, 0.0), conclusion=message("copies_only")
        )
    return msgspec.structs.replace(known, conclusion=message("no_value" if reading.call is None else "call_only"))


def _refuse_noise(profile: Profile, error: float) -> None:
    most = defaults().largest_detectable_fold
    if detectable_fold(error) > most:
        raise InputError(
            f"The sample is too noisy: a {detectable_fold(error):.1f}-fold gain would be missed (limit {most:g}).",
            where=profile.file,
            why="Its number would be noise, and no gain would be excluded.",
            fix="Sequence again, or test by IHC/ISH.",
        )


def _guarded(
    found: TissueMeasurement, reading: Reading, tumour: Tumour | None, knowledge: Knowledge
) -> TissueMeasurement:
    """Take back "not met" where the set would not be negative at the limit of detection: its cut could be missed."""
    limit = Normal(found.limit_of_detection_fold or 0.0, 0.0, "log2")
    exact = tumour.exact() if tumour else None
    at_limit = {item.set: item for item in rule_probabilities(_facts(reading), _uncertain(limit, exact, ()), knowledge)}
    rules = [
        msgspec.structs.replace(
            rule, outcome=CANNOT_DECIDE, probability=rule.chances.get("positive", 0.0), why=message("may_be_missed")
        )
        if rule.outcome == NOT_MET and at_limit[rule.set].outcome != NOT_MET
        else rule
        for rule in found.rules
    ]
    return msgspec.structs.replace(found, rules=tuple(rules))


def _facts(reading: Reading) -> dict[str, str | None]:
    return {"ngs_call": reading.call}


def _uncertain(fold: Normal, tumour: Tumour | None, assumed: tuple[str, ...]) -> dict[str, Distribution]:
    """Return what the rules read: copies in the mixture, and the purity with its declared uncertainty if bare."""
    if tumour is None:
        return {"ngs_copies": Normal(fold.middle * DIPLOID, fold.deviation, "log2")}
    wide = _wide(tumour, assumed)
    return {"ngs_copies": wide.mixture(fold), "tumour_purity": wide.purity}


def _wide(tumour: Tumour, assumed: tuple[str, ...]) -> Tumour:
    """Return the tumour with the declared uncertainty of what was stated without an interval."""
    purity, ploidy = tumour.purity, tumour.ploidy
    if "tumour_purity" in assumed:
        purity = Normal(purity.middle, defaults().purity_log_odds, "logit")
    if "ploidy" in assumed:
        ploidy = Normal(ploidy.middle, defaults().ploidy_deviation)
    return Tumour(purity, ploidy)


def _corrected(
    found: TissueMeasurement, fold: Normal, tumour: Tumour | None, assumed: tuple[str, ...], level: float
) -> TissueMeasurement:
    if tumour is None:
        return found
    purity, ploidy = tumour.purity.middle, tumour.ploidy.middle
    wide = _wide(tumour, assumed)
    interval = copies_interval(fold, tumour, level)
    return msgspec.structs.replace(
        found,
        tumour_purity_interval=interval_of(wide.purity, level),
        tumour_copies=max(copies_of(fold.middle, purity, ploidy), 0.0),
        tumour_copies_interval=interval,
        tumour_copies_interval_wide=copies_interval(fold, wide, level) if assumed else interval,
        limit_of_detection_copies=limit_of_detection(fold.deviation, purity, ploidy),
    )


def _concluded(found: TissueMeasurement) -> TissueMeasurement:
    if found.gain_seen:
        conclusion = message("gain_seen")
    elif found.limit_of_detection_copies is None:
        conclusion = message("not_excluded_no_purity")
    else:
        conclusion = message("not_excluded").format(limit=f"{found.limit_of_detection_copies:.1f}")
    return msgspec.structs.replace(found, conclusion=conclusion)


def _surrounded(found: TissueMeasurement, reading: Reading, error: float) -> TissueMeasurement:
    """Add what lies around ERBB2: the rest of chromosome 17, the extent of a gain, and genes gained with it."""
    stretch = reading.stretch if found.gain_seen or reading.basis == "segment" else None
    limit = 2.0 ** gain_threshold(error)
    return msgspec.structs.replace(
        found,
        chromosome_17_relative=None if reading.rest is None else (found.fold or 0.0) / 2.0**reading.rest,
        stretch=stretch,
        extent=_extent(stretch, reading.build) if stretch and found.gain_seen else None,
        neighbours=tuple(
            msgspec.structs.replace(item, gained=bool(found.gain_seen) and item.fold > limit)
            for item in reading.neighbours
        ),
    )


def _extent(stretch: Stretch, build_id: str | None) -> str:
    if stretch.megabases <= defaults().focal_megabases:
        return FOCAL
    build = terms().build(build_id) if build_id else None
    if build is None:
        return BROAD
    arm = Stretch(build.centromere[1] + 1, build.lengths[terms().chromosome])
    if stretch.start < build.centromere[0] and stretch.end > build.centromere[1]:
        return CHROMOSOME
    return ARM if stretch.megabases >= defaults().arm_share * arm.megabases else BROAD


def _rounded(found: TissueMeasurement) -> TissueMeasurement:
    """Round every float to six decimals, finer than any measurement, so that outputs are the same everywhere."""
    return msgspec.convert(_round(msgspec.to_builtins(found)), TissueMeasurement)


def _round(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: _round(item) for name, item in value.items()}
    return [_round(item) for item in value] if isinstance(value, list | tuple) else value
