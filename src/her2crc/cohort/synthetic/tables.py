"""The columns of a synthetic registry as Arrow tables: specimens as laboratories give them, patients, and the truth.

Fifth step of a synthetic registry. The first table has the columns of the specimen table and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow
from pyarrow import compute

from her2crc.cohort.synthetic.dice import UNKNOWN, Column, Dice
from her2crc.cohort.synthetic.parameters import Parameters, names_of
from her2crc.cohort.synthetic.patients import SIDES, Patients, draw_patients
from her2crc.cohort.synthetic.readings import Known, Readings, draw_readings
from her2crc.cohort.synthetic.specimens import PLASMA, PRIMARY, SUFFIX, Specimens, draw_specimens

PREFIX, DIGITS = "SYN-", 9
"""An id says by itself that nobody is behind it."""

GENE, MSI, ERBB2 = ("wild_type", "mutant"), ("stable", "high"), ("wild_type", "synthetic variant")
CALLS = ("not_amplified", "equivocal", "amplified")
ASSAY, PLASMA_ASSAY = "synthetic panel", "synthetic plasma panel"


class Block(msgspec.Struct, frozen=True):
    """The three tables of one block of patients."""

    specimens: Any
    patients: Any
    truth: Any


def draw_block(parameters: Parameters, seed: int, number: int, first: int, size: int) -> Block:
    """Draw one whole block; the same seed and number give the same block on any machine.

    Args:
        parameters: what to draw from.
        seed: of the registry.
        number: which block.
        first: number of its first patient, from 1.
        size: patients in it.
    """
    dice = Dice(seed, number, parameters)
    patients = draw_patients(dice, first, size)
    specimens = draw_specimens(dice, patients)
    known, readings = draw_readings(dice, patients, specimens)
    ids = _patient_ids(patients.number)
    names = _specimen_ids(ids, specimens)
    return Block(
        pyarrow.table(_specimen_columns(parameters, ids, names, specimens, known, readings)),
        pyarrow.table(_patient_columns(ids, patients, known)),
        pyarrow.table(_truth_columns(ids, names, patients, specimens)),
    )


def _patient_ids(numbers: Column) -> Any:
    padded = compute.utf8_lpad(pyarrow.array(numbers).cast(pyarrow.string()), DIGITS, "0")
    return compute.binary_join_element_wise(PREFIX, padded, "")


def _specimen_ids(ids: Any, specimens: Specimens) -> Any:
    suffix = pyarrow.array(SUFFIX).take(pyarrow.array(specimens.slot))
    return compute.binary_join_element_wise(ids.take(pyarrow.array(specimens.patient)), suffix, "-")


def _coded(codes: Column, names: Sequence[str]) -> Any:
    """Codes to words; -1 to null."""
    index = pyarrow.array(codes.astype(np.int32), mask=codes == UNKNOWN)
    return pyarrow.array(names, pyarrow.string()).take(index)


def _yes_no(codes: Column) -> Any:
    return pyarrow.array(codes == 1, mask=codes == UNKNOWN)


def _counted(values: Column) -> Any:
    return pyarrow.array(values.astype(np.int32), mask=values == UNKNOWN)


def _measured(values: Column) -> Any:
    return pyarrow.array(values, mask=np.isnan(values))


def _day(days: Column) -> Any:
    return pyarrow.array(days.astype(np.int32), pyarrow.date32(), mask=days == UNKNOWN)


def _specimen_columns(
    parameters: Parameters, ids: Any, names: Any, specimens: Specimens, known: Known, readings: Readings
) -> Mapping[str, Any]:
    patient = specimens.patient
    plasma, tissue = specimens.slot == PLASMA, specimens.slot != PLASMA
    sites = [*names_of(parameters.tables["metastasis_site"]), "primary", "plasma"]
    site = np.select([specimens.slot == PRIMARY, plasma], [len(sites) - 2, len(sites) - 1], specimens.site)
    kind = np.select([plasma, specimens.biopsy], [2, 1], 0)
    size = len(patient)
    return {
        "patient_id": ids.take(pyarrow.array(patient)),
        "specimen_id": names,
        "tumour": _coded(np.zeros(size, dtype=np.int8), ["colorectal"]),
        "site": _coded(site, sites),
        "specimen_kind": _coded(kind, ["resection", "biopsy", "plasma"]),
        "collected_on": _day(specimens.collected),
        "ihc_score": _counted(readings.score),
        "ihc_percent": _measured(readings.percent),
        "ihc_pattern": _coded(readings.pattern, names_of(parameters.tables["pattern"])),
        "ish_her2_signals": _counted(readings.her2_signals),
        "ish_cep17_signals": _counted(readings.cep17_signals),
        "ish_nuclei": _counted(readings.nuclei),
        "ish_cell_percent": _measured(readings.cell_percent),
        "ngs_copies": _measured(readings.copies),
        "ngs_call": _coded(readings.call, CALLS),
        "ngs_assay": _coded(np.where(tissue & (readings.call != UNKNOWN), 0, UNKNOWN), [ASSAY]),
        "tumour_purity": _measured(readings.purity),
        "plasma_copies": _measured(readings.plasma_copies),
        "tumour_fraction": _measured(readings.plasma_fraction),
        "plasma_assay": _coded(np.where(plasma, 0, UNKNOWN), [PLASMA_ASSAY]),
        **{name: column.take(pyarrow.array(patient)) for name, column in _about(known).items()},
    }


def _about(known: Known) -> dict[str, Any]:
    """The columns of the patient that are repeated on each specimen."""
    return {
        "ras": _coded(known.ras, GENE),
        "braf_v600e": _coded(known.braf, GENE),
        "msi": _coded(known.msi, MSI),
        "pik3ca": _coded(known.pik3ca, GENE),
        "erbb2_mutation": _coded(known.erbb2, ERBB2),
        "metastatic": _yes_no(known.metastatic),
        "lines_of_therapy": _counted(known.lines),
        "progressed_on_standard": _yes_no(known.progressed),
        "prior_anti_egfr": _yes_no(known.anti_egfr),
        "prior_anti_her2": _yes_no(known.anti_her2),
        "side": _coded(known.side, SIDES),
        "stage": _counted(known.stage),
    }


def _patient_columns(ids: Any, patients: Patients, known: Known) -> Mapping[str, Any]:
    return {
        "patient_id": ids,
        "diagnosed_on": _day(patients.diagnosed),
        "metastatic_on": _day(np.where(patients.metastatic, patients.metastasised, UNKNOWN)),
        "her2_tested_on": _day(known.tested_on),
        "followed_until": _day(patients.followed_until),
        "died": pyarrow.array(patients.died),
    }


def _truth_columns(ids: Any, names: Any, patients: Patients, specimens: Specimens) -> Mapping[str, Any]:
    patient = specimens.patient
    anywhere = patients.amplified.copy()
    anywhere[patient[specimens.amplified]] = True
    return {
        "patient_id": ids.take(pyarrow.array(patient)),
        "specimen_id": names,
        "patient_amplified": pyarrow.array(anywhere[patient]),
        "amplified": pyarrow.array(specimens.amplified),
        "copies": pyarrow.array(specimens.copies.round(2)),
        "cep17_copies": pyarrow.array(specimens.cep17.round(2)),
        "amplified_cell_fraction": pyarrow.array(specimens.amplified_cells.round(3)),
        "tumour_content": pyarrow.array(specimens.fraction.round(4)),
        "ras": _coded(patients.ras_mutant[patient].astype(np.int8), GENE),
        "braf_v600e": _coded(patients.braf_mutant[patient].astype(np.int8), GENE),
        "msi": _coded(patients.msi_high[patient].astype(np.int8), MSI),
        "pik3ca": _coded(patients.pik3ca_mutant[patient].astype(np.int8), GENE),
        "erbb2_mutation": _coded(patients.erbb2_mutant[patient].astype(np.int8), ERBB2),
        "side": _coded(patients.side[patient], SIDES),
        "stage": pyarrow.array(patients.stage[patient].astype(np.int32)),
        "metastatic": pyarrow.array(patients.metastatic[patient]),
    }
