"""What the tests of synthetic patients saw: who was tested, and each reading with its noise, steps and gaps.

Fourth step of a synthetic registry. Who is tested depends on extent and RAS; those who die early are never tested.
"""

from __future__ import annotations

import msgspec
import numpy as np

from her2crc.cohort.synthetic.dice import UNKNOWN, Column, Dice, by_case
from her2crc.cohort.synthetic.parameters import PERCENT
from her2crc.cohort.synthetic.patients import Patients
from her2crc.cohort.synthetic.specimens import PLASMA, PRIMARY, Specimens, diluted

NO, YES = 0, 1
NOT_CALLED, EQUIVOCAL, AMPLIFIED = range(3)


class Known(msgspec.Struct, frozen=True):
    """What is on file about each patient: codes with -1 for unknown (0 no or wild type, 1 yes or mutant)."""

    ras: Column
    braf: Column
    msi: Column
    pik3ca: Column
    erbb2: Column
    side: Column
    stage: Column
    metastatic: Column
    lines: Column
    progressed: Column
    anti_egfr: Column
    anti_her2: Column
    tested_on: Column


class Readings(msgspec.Struct, frozen=True):
    """What is on file about each specimen: codes and counts with -1, numbers with NaN for unknown."""

    score: Column
    percent: Column
    pattern: Column
    nuclei: Column
    her2_signals: Column
    cep17_signals: Column
    cell_percent: Column
    copies: Column
    call: Column
    purity: Column
    plasma_copies: Column
    plasma_fraction: Column


def draw_readings(dice: Dice, patients: Patients, specimens: Specimens) -> tuple[Known, Readings]:
    """Draw who was tested and what was read, for a block."""
    size = len(patients.number)
    reach = dice.table("ras_known")
    ras_chance = np.where(patients.metastatic, reach["metastatic"], reach["other"])
    ras = dice.known(patients.ras_mutant.astype(np.int8), ras_chance)
    delay = dice.random.exponential(dice.value("testing_delay_days"), size).astype(np.int64)
    start = np.where(patients.metastatic, patients.metastasised, patients.diagnosed)
    tested_on = start + np.where(patients.metastatic, delay, 0)
    alive = tested_on < patients.followed_until
    stained = alive & dice.chance(_tested(dice, "her2_ihc", patients, ras), size)
    sequenced = alive & dice.chance(_tested(dice, "panel", patients, ras), size)
    readings = _readings(dice, patients, specimens, stained, sequenced)
    return _known(dice, patients, specimens, readings, ras, sequenced, tested_on), readings


def _tested(dice: Dice, name: str, patients: Patients, ras: Column) -> Column:
    chances = dice.table(name)
    cases = [~patients.metastatic, ras == NO, ras == YES]
    order = ("other", "metastatic_wild_type", "metastatic_mutant")
    return by_case(cases, [chances[item] for item in order], chances["metastatic_unknown"])


# ---- specimens


def _readings(dice: Dice, patients: Patients, specimens: Specimens, stained: Column, sequenced: Column) -> Readings:
    size = len(specimens.patient)
    tissue = specimens.slot != PLASMA
    chosen = tissue & ((specimens.slot == PRIMARY) | dice.chance(dice.value("metastasis_tested"), size))
    ihc = chosen & stained[specimens.patient]
    panel = chosen & sequenced[specimens.patient]
    score = np.where(ihc, _score(dice, specimens), UNKNOWN)
    reflex = np.array([dice.table("ish_after_ihc")[str(item)] for item in range(len(dice.table("ish_after_ihc")))])
    ish = ihc & dice.chance(reflex[score], size)
    nuclei, her2, cep17 = _signals(dice, specimens)
    seen = dice.random.binomial(nuclei, specimens.amplified_cells) / nuclei * PERCENT
    noise = np.where(tissue, dice.scatter("copy_noise", size), dice.scatter("plasma_noise", size))
    copies = np.round(diluted(specimens.copies, specimens.fraction) * noise, 1)
    fraction_step = np.round(specimens.fraction, 2)
    in_plasma = ~tissue
    return Readings(
        score=score,
        percent=np.where(ihc & dice.stated("percent_stated", size), _percent(dice, specimens, score), np.nan),
        pattern=np.where(ihc & (score > 1) & dice.stated("pattern_stated", size), dice.code("pattern", size), UNKNOWN),
        nuclei=np.where(ish, nuclei, UNKNOWN),
        her2_signals=np.where(ish, her2, UNKNOWN),
        cep17_signals=np.where(ish, cep17, UNKNOWN),
        cell_percent=np.where(ish & dice.stated("cell_percent_stated", size), np.round(seen), np.nan),
        copies=np.where(panel, copies, np.nan),
        call=np.where(panel, _call(dice, copies), UNKNOWN),
        purity=np.where(panel & dice.stated("purity_stated", size), fraction_step, np.nan),
        plasma_copies=np.where(in_plasma, copies, np.nan),
        plasma_fraction=np.where(
            in_plasma & dice.stated("fraction_stated", size), np.round(specimens.fraction, 3), np.nan
        ),
    )


def _score(dice: Dice, specimens: Specimens) -> Column:
    size = len(specimens.patient)
    many = specimens.amplified & (specimens.copies >= dice.value("many_copies"))
    drawn = [dice.number(name, size) for name in ("ihc_score_high", "ihc_score_low", "ihc_score_other")]
    return np.select([many, specimens.amplified], drawn[:2], drawn[2])


def _percent(dice: Dice, specimens: Specimens, score: Column) -> Column:
    """Stained cells: in an amplified 3+ the amplified ones, otherwise by the score; in steps, never 0 above score 0."""
    means = np.array([dice.table("stained_cells")[str(item)] for item in range(len(dice.table("stained_cells")))])
    follows = specimens.amplified & (score == len(means) - 1)
    drawn = dice.beta(means[score], "stained_cells_firmness", len(score))
    share = np.where(follows, specimens.amplified_cells, drawn)
    step = dice.value("percent_step")
    rounded = np.round(share * PERCENT / step) * step
    return np.where(score > 0, np.clip(rounded, step, PERCENT), 0)


def _signals(dice: Dice, specimens: Specimens) -> tuple[Column, Column, Column]:
    size = len(specimens.patient)
    nuclei = dice.number("nuclei", size)
    seen = nuclei * dice.value("section_loss")
    return (
        nuclei,
        dice.random.poisson(seen * specimens.copies),
        np.maximum(dice.random.poisson(seen * specimens.cep17), 1),
    )


def _call(dice: Dice, copies: Column) -> Column:
    cases = [copies >= dice.value("call_amplified"), copies >= dice.value("call_equivocal")]
    return by_case(cases, [AMPLIFIED, EQUIVOCAL], NOT_CALLED)


# ---- patients


def _known(
    dice: Dice,
    patients: Patients,
    specimens: Specimens,
    readings: Readings,
    ras: Column,
    sequenced: Column,
    tested_on: Column,
) -> Known:
    size = len(ras)
    lines = _lines(dice, patients)
    stated = dice.value("clinical_stated")
    msi = dice.table("msi_known")
    looks_positive = np.zeros(size, dtype=bool)
    top = len(dice.table("ihc_score_high")) - 1
    positive = (readings.score == top) | (readings.call == AMPLIFIED)
    looks_positive[specimens.patient[positive]] = True
    anti_egfr = (lines > 0) & ~patients.ras_mutant & dice.chance(dice.value("anti_egfr"), size)
    anti_her2 = looks_positive & (lines > 1) & dice.chance(dice.value("anti_her2"), size)
    return Known(
        ras=ras,
        braf=np.where(ras != UNKNOWN, dice.known(patients.braf_mutant, dice.value("braf_known")), UNKNOWN),
        msi=dice.known(patients.msi_high, np.where(patients.metastatic, msi["metastatic"], msi["other"])),
        pik3ca=np.where(sequenced, dice.known(patients.pik3ca_mutant, dice.value("pik3ca_known")), UNKNOWN),
        erbb2=np.where(sequenced, dice.known(patients.erbb2_mutant, dice.value("pik3ca_known")), UNKNOWN),
        side=dice.known(patients.side, stated),
        stage=dice.known(patients.stage, stated),
        metastatic=dice.known(patients.metastatic, stated),
        lines=dice.known(lines, stated),
        progressed=dice.known(lines > 1, stated),
        anti_egfr=dice.known(anti_egfr, stated),
        anti_her2=dice.known(anti_her2, stated),
        tested_on=_first_result_on(specimens, readings, tested_on),
    )


def _first_result_on(specimens: Specimens, readings: Readings, tested_on: Column) -> Column:
    """Day of the first result: of tissue when it was asked for, else of the first plasma; -1 without a result."""
    tissue = (readings.score != UNKNOWN) | (readings.call != UNKNOWN)
    plasma = ~np.isnan(readings.plasma_copies)
    found = np.full(len(tested_on), UNKNOWN)
    found[specimens.patient[plasma]] = specimens.collected[plasma]
    found[specimens.patient[tissue]] = tested_on[specimens.patient[tissue]]
    return found


def _lines(dice: Dice, patients: Patients) -> Column:
    drawn = dice.random.geometric(1 - dice.value("lines_more"), len(patients.number)) - 1
    return np.where(patients.metastatic, np.minimum(drawn, dice.value("lines_most")), 0).astype(np.int8)
