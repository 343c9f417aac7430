"""The truth about synthetic patients: tumour, markers, dates, survival, drawn together so that they go together.

Second step of a synthetic registry. HER2 amplification depends on RAS, side and stage in the published proportions.
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np

from her2crc.cohort.synthetic.dice import Column, Dice, by_case
from her2crc.cohort.synthetic.parameters import Parameters, names_of, weighted
from her2crc.model.quantity import DIPLOID

SIDES = ("left", "right", "rectum")
TEN_THOUSAND_YEARS = 3_650_000


class Patients(msgspec.Struct, frozen=True):
    """Columns of one block, one value a patient; days count from 1970-01-01, yes/no are booleans."""

    number: Column
    side: Column
    stage: Column
    metastatic: Column
    ras_mutant: Column
    braf_mutant: Column
    msi_high: Column
    pik3ca_mutant: Column
    erbb2_mutant: Column
    amplified: Column
    amplified_copies: Column
    other_copies: Column
    cep17: Column
    diagnosed: Column
    metastasised: Column
    died_on: Column
    followed_until: Column
    died: Column


def draw_patients(dice: Dice, first: int, size: int) -> Patients:
    """Draw ``size`` patients numbered from ``first``."""
    side, stage = _code_of_side(dice, size), dice.number("stage", size)
    relapse = np.array([dice.table("relapse")[str(item)] for item in sorted(set(map(int, dice.table("stage"))))])
    ras = dice.chance(dice.value("ras_mutant"), size)
    amplified = dice.chance(_chance_of_amplification(dice.parameters, ras, side, stage), size)
    msi = dice.chance(_by_extent(dice, stage), size)
    braf = ~ras & dice.chance(_chance_of_braf(dice, msi, side), size)
    cep17 = np.where(dice.chance(dice.value("polysomy"), size), dice.between("polysomy_copies", size), DIPLOID)
    gain = np.where(dice.chance(dice.value("low_gain"), size), dice.between("low_gain_copies", size), cep17)
    drawn = _amplified_copies(dice, ras, size)
    pik3ca = dice.chance(np.where(amplified, dice.value("pik3ca_amplified"), dice.value("pik3ca_other")), size)
    erbb2 = dice.chance(dice.value("erbb2_mutation"), size)
    metastatic = dice.chance(relapse[stage - 1], size)
    diagnosed = _days_of_diagnosis(dice, size)
    delay = np.where(stage == max(stage_numbers(dice)), 0, dice.random.exponential(dice.value("relapse_days"), size))
    metastasised = diagnosed + delay.astype(np.int64)
    death = metastasised + _survival(dice, amplified, ras, side, braf)
    end = date(int(dice.value("followed_to")) - 1, 12, 31).toordinal() - EPOCH
    metastatic &= metastasised < end
    death = np.where(metastatic, death, TEN_THOUSAND_YEARS)
    return Patients(
        number=np.arange(first, first + size),
        side=side,
        stage=stage,
        metastatic=metastatic,
        ras_mutant=ras,
        braf_mutant=braf,
        msi_high=msi,
        pik3ca_mutant=pik3ca,
        erbb2_mutant=erbb2,
        amplified=amplified,
        amplified_copies=drawn,
        other_copies=np.maximum(gain, cep17),
        cep17=cep17,
        diagnosed=diagnosed,
        metastasised=metastasised,
        died_on=death,
        followed_until=np.minimum(death, end),
        died=death <= end,
    )


EPOCH = date(1970, 1, 1).toordinal()


def stage_numbers(dice: Dice) -> list[int]:
    """Return the stages of the table."""
    return [int(item) for item in dice.table("stage")]


def _code_of_side(dice: Dice, size: int) -> Column:
    names = names_of(dice.table("side"))
    return np.array([SIDES.index(name) for name in names], dtype=np.int8)[dice.code("side", size)]


def _chance_of_amplification(parameters: Parameters, ras: Column, side: Column, stage: Column) -> Column:
    """The published share by RAS, times how a side and a stage compare with the mean of sides and of stages."""
    sides, stages = parameters.tables["side"], parameters.tables["stage"]
    left, right = parameters["amplified_left"], parameters["amplified_right"]
    by_side = {"left": left, "rectum": left, "right": right}
    last = max(stages)
    by_stage = {item: parameters["amplified_stage4" if item == last else "amplified_lower_stage"] for item in stages}
    side_factor = np.array([by_side[name] for name in SIDES]) / weighted(by_side, sides)
    stage_factor = np.array([by_stage[item] for item in sorted(by_stage)]) / weighted(by_stage, stages)
    base = np.where(ras, parameters["amplified_ras_mutant"], parameters["amplified_ras_wild_type"])
    return np.asarray(base * side_factor[side] * stage_factor[stage - 1])


def _by_extent(dice: Dice, stage: Column) -> Column:
    shares = dice.table("msi_high")
    return np.where(stage == max(stage_numbers(dice)), shares["stage4"], shares["below_stage4"])


def _chance_of_braf(dice: Dice, msi: Column, side: Column) -> Column:
    shares = dice.table("braf_v600e")
    right = side == SIDES.index("right")
    return by_case([msi, right], [shares["high"], shares["stable_right"]], shares["stable_left"])


def _amplified_copies(dice: Dice, ras: Column, size: int) -> Column:
    medians = dice.table("copies_median")
    middle = np.where(ras, medians["mutant"], medians["wild_type"])
    copies = middle * dice.scatter("copies_spread", size)
    return np.asarray(np.clip(copies, dice.value("copies_least"), dice.value("copies_most")))


def _days_of_diagnosis(dice: Dice, size: int) -> Column:
    years = dice.table("years")
    first = date(int(years["first"]), 1, 1).toordinal() - EPOCH
    last = date(int(years["last"]), 12, 31).toordinal() - EPOCH
    return np.asarray(dice.random.integers(first, last, size, endpoint=True))


def _survival(dice: Dice, amplified: Column, ras: Column, side: Column, braf: Column) -> Column:
    """Days from metastatic disease to death: exponential, hazards multiplied."""
    ratios = dice.table("survival_hazard")
    right = side == SIDES.index("right")
    hazard = np.ones(len(ras))
    for name, holds in (("amplified", amplified), ("ras_mutant", ras), ("right", right), ("braf_v600e", braf)):
        hazard = hazard * np.where(holds, ratios[name], 1)
    mean = dice.value("survival_median_days") / np.log(2)
    days = dice.random.exponential(1, len(ras)) * mean / hazard
    return np.asarray(days.astype(np.int64) + 1)
