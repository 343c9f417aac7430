"""The truth about the specimens of synthetic patients: which were taken, where, and how amplified each one is.

Third step of a synthetic registry. Lesions of one patient resemble each other and sometimes differ.
"""

from __future__ import annotations

import msgspec
import numpy as np

from her2crc.cohort.synthetic.dice import Column, Dice
from her2crc.cohort.synthetic.patients import Patients
from her2crc.model.quantity import DIPLOID

PRIMARY, FIRST_METASTASIS, SECOND_METASTASIS, PLASMA = range(4)
SUFFIX = ("P", "M1", "M2", "B")
"""Ends of the specimen ids: primary, metastases, blood."""


class Specimens(msgspec.Struct, frozen=True):
    """Columns of one block, one value a specimen, in the order of the patients.

    ``copies`` is the mean over all tumour cells of the specimen (in plasma: of the tumour's DNA), ``amplified_cells``
    the share of them that is amplified, ``fraction`` the tumour purity of tissue or the tumour fraction of plasma.
    """

    patient: Column
    slot: Column
    site: Column
    biopsy: Column
    collected: Column
    amplified: Column
    amplified_cells: Column
    copies: Column
    cep17: Column
    fraction: Column


def draw_specimens(dice: Dice, patients: Patients) -> Specimens:
    """Draw the specimens of a block of patients. Everybody has tissue of the primary, tested or not."""
    days = _days(dice, patients)
    taken = _taken(dice, patients) & (days <= patients.followed_until[:, None])
    patient, slot = np.nonzero(taken)
    size = len(patient)
    amplified = _amplified(dice, patients)[patient, slot]
    ras = patients.ras_mutant[patient]
    means = dice.table("amplified_cells")
    drawn = dice.beta(np.where(ras, means["mutant"], means["wild_type"]), "amplified_cells_firmness", size)
    cells = np.where(amplified, drawn, 0.0)
    high = patients.amplified_copies[patient] * dice.scatter("lesion_spread", size)
    low = patients.other_copies[patient]
    biopsy = dice.table("biopsy")
    return Specimens(
        patient=patient,
        slot=slot,
        site=dice.code("metastasis_site", size),
        biopsy=dice.chance(np.where(slot == PRIMARY, biopsy["primary"], biopsy["metastasis"]), size),
        collected=days[patient, slot],
        amplified=amplified,
        amplified_cells=cells,
        copies=cells * high + (1 - cells) * low,
        cep17=patients.cep17[patient],
        fraction=np.where(slot == PLASMA, _tumour_fraction(dice, patients, patient), _purity(dice, size)),
    )


def _taken(dice: Dice, patients: Patients) -> Column:
    size = len(patients.number)
    shares = dice.table("plasma_taken")
    metastasis = patients.metastatic & dice.chance(dice.value("metastasis_sampled"), size)
    second = metastasis & dice.chance(dice.value("second_metastasis"), size)
    plasma = dice.chance(np.where(patients.metastatic, shares["metastatic"], shares["other"]), size)
    return np.stack([np.ones(size, dtype=bool), metastasis, second, plasma], axis=1)


def _amplified(dice: Dice, patients: Patients) -> Column:
    """Whether each possible specimen is amplified. Plasma shows what the primary and the metastases shed."""
    size = len(patients.number)
    kept, gained = dice.value("kept_in_metastasis"), dice.value("gained_in_metastasis")
    chance = np.where(patients.amplified, kept, gained)
    first, second = dice.chance(chance, size), dice.chance(chance, size)
    anywhere = patients.amplified | (patients.metastatic & first)
    return np.stack([patients.amplified, first, second, anywhere], axis=1)


def _days(dice: Dice, patients: Patients) -> Column:
    """Day of each possible specimen: the primary at diagnosis, the rest later, be the patient alive then or not."""
    size = len(patients.number)
    start = np.where(patients.metastatic, patients.metastasised, patients.diagnosed)
    delays = dice.random.exponential(dice.value("sampling_delay_days"), (size, len(SUFFIX) - 1)).astype(np.int64)
    return np.concatenate([patients.diagnosed[:, None], start[:, None] + delays], axis=1)


def _tumour_fraction(dice: Dice, patients: Patients, patient: Column) -> Column:
    medians = dice.table("tumour_fraction_median")
    middle = np.where(patients.metastatic[patient], medians["metastatic"], medians["other"])
    drawn = middle * dice.scatter("tumour_fraction_spread", len(patient))
    return np.asarray(np.minimum(drawn, dice.value("tumour_fraction_most")))


def _purity(dice: Dice, size: int) -> Column:
    return np.maximum(dice.beta(dice.value("purity_mean"), "purity_firmness", size), dice.value("purity_least"))


def diluted(copies: Column, fraction: Column) -> Column:
    """Return the mean copies of a mixture in which ``fraction`` is tumour and the rest is normal."""
    return np.asarray(copies * fraction + DIPLOID * (1 - fraction))
