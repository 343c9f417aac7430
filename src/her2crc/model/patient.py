"""One patient of typed, checked findings. Attribute names are the columns of the specimen table.

Percentages run 0..100, purities and fractions 0..1, copies are absolute, ratios have no unit.
``None`` means unknown, always; no attribute has a default that stands for a result.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from her2crc.model.course import Imaging, Treatment, Variant
from her2crc.model.record import Issue


class IHC(msgspec.Struct, frozen=True):
    """Immunohistochemistry of HER2: score of the pathologist and percent of cells staining at that score."""

    ihc_score: int | None = None
    ihc_percent: Decimal | None = None
    ihc_pattern: str | None = None
    ihc_antibody: str | None = None


class ISH(msgspec.Struct, frozen=True):
    """In situ hybridisation: totals counted, or the ratio and means that the laboratory reported."""

    ish_her2_signals: int | None = None
    ish_cep17_signals: int | None = None
    ish_nuclei: int | None = None
    ish_ratio: Decimal | None = None
    ish_her2_copies: Decimal | None = None
    ish_cep17_copies: Decimal | None = None
    ish_cell_percent: Decimal | None = None


class TissueCopyNumber(msgspec.Struct, frozen=True):
    """Sequencing of tissue: copies and fold change are never written in each other's place."""

    ngs_copies: Decimal | None = None
    ngs_fold: Decimal | None = None
    ngs_call: str | None = None
    ngs_assay: str | None = None
    tumour_purity: Decimal | None = None


class Plasma(msgspec.Struct, frozen=True):
    """Sequencing of plasma: observed copies, and the tumour fraction without which they mean nothing."""

    plasma_copies: Decimal | None = None
    tumour_fraction: Decimal | None = None
    plasma_max_vaf: Decimal | None = None
    plasma_max_vaf_gene: str | None = None
    plasma_assay: str | None = None


class Genes(msgspec.Struct, frozen=True):
    """Other markers of the tumour, as far as they are known for the patient."""

    ras: str | None = None
    braf_v600e: str | None = None
    msi: str | None = None
    pik3ca: str | None = None
    erbb2_mutation: str | None = None


class History(msgspec.Struct, frozen=True):
    """Extent of disease and treatment so far."""

    metastatic: bool | None = None
    lines_of_therapy: int | None = None
    progressed_on_standard: bool | None = None
    prior_anti_egfr: bool | None = None
    prior_anti_her2: bool | None = None
    side: str | None = None
    stage: int | None = None


class Specimen(msgspec.Struct, frozen=True):
    """One specimen and its findings.

    ``unsettled`` names the facts that were stated but cannot be used (contradictory or unusable values): they are
    None here, yet their test is not absent. Only a plasma reading that no copies explain keeps its two values, to be
    seen and measured. ``variants`` are those reported (None: not stated which were found).
    """

    specimen_id: str
    tumour: str | None = None
    site: str | None = None
    specimen_kind: str | None = None
    collected_on: date | None = None
    scoring_system: str | None = None
    ihc: IHC = IHC()
    ish: ISH = ISH()
    tissue: TissueCopyNumber = TissueCopyNumber()
    plasma: Plasma = Plasma()
    unsettled: tuple[str, ...] = ()
    variants: tuple[Variant, ...] | None = None


class Patient(msgspec.Struct, frozen=True):
    """One patient: specimens in the order of reading, markers, history, what was wrong in the input, and the course."""

    patient_id: str
    specimens: tuple[Specimen, ...]
    genes: Genes = Genes()
    history: History = History()
    issues: tuple[Issue, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    imaging: tuple[Imaging, ...] = ()
