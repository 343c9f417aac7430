"""A cBioPortal study folder (or a zip archive of one) into patient records.

Finds the files (``cbioportal_files``), then reads the samples and patients, the copies of ERBB2 and the mutations, each
by a module of its own. Every value becomes a row of its file, so that its place is exact and contradictions are seen.
"""

from __future__ import annotations

from itertools import chain

from her2crc.errors import InputError
from her2crc.model.record import PatientRecord
from her2crc.read.cbioportal_copies import read_copies
from her2crc.read.cbioportal_files import is_study, open_study
from her2crc.read.cbioportal_samples import colorectal_only, read_clinical
from her2crc.read.cbioportal_variants import read_mutations
from her2crc.read.folder import Folder
from her2crc.read.rows import collect

__all__ = ["is_study", "read_study"]


def read_study(folder: Folder) -> list[PatientRecord]:
    """Read the patients of a study, in the order of its clinical file; large matrices are read as a stream.

    Where the study has colorectal samples, only their patients are read; what is left out is said once.

    Raises:
        InputError: no clinical file of samples, or nobody in it.
    """
    study = open_study(folder)
    if "sample" not in study.files:
        raise InputError(
            "The study has no clinical file of samples.",
            where=folder.name,
            why="Without it, samples cannot be told apart by patient.",
            fix="Add data_clinical_sample.txt.",
        )
    clinical = colorectal_only(read_clinical(study), study)
    found = [*chain(clinical.found, read_copies(study, clinical), read_mutations(study, clinical))]
    if not found:
        raise InputError(
            "The clinical file of samples names nobody.",
            where=study.files["sample"],
            fix="It needs the columns PATIENT_ID and SAMPLE_ID, and a row for each sample.",
        )
    return collect(found, study.notes)
