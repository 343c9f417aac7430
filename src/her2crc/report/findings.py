"""What was found in one specimen, in words, by method.

Part of stage 5. Only what was entered is written, and the quotients of entered counts, exactly computed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from her2crc.model.patient import IHC, ISH, Plasma, Specimen, TissueCopyNumber
from her2crc.model.quantity import Ratio
from her2crc.report.words import FIELDS, name_code, show_number, show_share

METHODS = {"ihc": "IHC", "ish": "ISH", "ngs": "sequencing", "plasma": "plasma sequencing"}


ORGAN = "colorectal"
"""The tumour that goes without saying here."""


class Found(NamedTuple):
    """The result of one method: its id in :data:`METHODS`, and the words."""

    method: str
    text: str


def findings(specimen: Specimen) -> list[Found]:
    """Return the results of a specimen by method; empty where there is none."""
    written = {
        "ihc": _ihc(specimen.ihc, specimen.scoring_system),
        "ish": _ish(specimen.ish),
        "ngs": _ngs(specimen.tissue),
        "plasma": _plasma(specimen.plasma),
    }
    return [Found(method, ", ".join(parts)) for method, parts in written.items() if parts]


def origin(specimen: Specimen) -> list[str]:
    """Return where, how and when a specimen was taken: liver, biopsy, 2026-05-14."""
    words = [name_code(specimen.site) if specimen.site else "site not stated"]
    if specimen.specimen_kind and specimen.specimen_kind != specimen.site:
        words.append(name_code(specimen.specimen_kind))
    if specimen.tumour not in (None, ORGAN):
        words.append(f"{name_code(specimen.tumour)} tumour")
    return [*words, specimen.collected_on.isoformat() if specimen.collected_on else "no date"]


def unusable(specimen: Specimen) -> str:
    """Return the facts that were stated but cannot be used, as words."""
    return ", ".join(FIELDS.get(name, name_code(name)) for name in specimen.unsettled)


def _ihc(ihc: IHC, scoring_system: str | None) -> list[str]:
    parts = []
    if ihc.ihc_score is not None:
        parts.append(f"{ihc.ihc_score}{'+' if ihc.ihc_score else ''}")
    if ihc.ihc_percent is not None:
        parts.append(f"{show_number(ihc.ihc_percent)} % of cells")
    if ihc.ihc_pattern:
        parts.append(name_code(ihc.ihc_pattern))
    if ihc.ihc_antibody:
        parts.append(f"antibody {ihc.ihc_antibody}")
    if scoring_system:
        parts.append(f"scored by {name_code(scoring_system)} rules")
    return parts


def _ish(ish: ISH) -> list[str]:
    parts = []
    if ish.ish_her2_signals is not None and ish.ish_cep17_signals:
        ratio = _quotient(ish.ish_her2_signals, ish.ish_cep17_signals)
        parts.append(f"{ish.ish_her2_signals}/{ish.ish_cep17_signals} signals = ratio {ratio}")
    elif ish.ish_her2_signals is not None:
        parts.append(f"{ish.ish_her2_signals} HER2 signals")
    if ish.ish_nuclei:
        parts.append(f"{ish.ish_nuclei} nuclei")
        if ish.ish_her2_signals is not None and ish.ish_her2_copies is None:
            parts.append(f"{_quotient(ish.ish_her2_signals, ish.ish_nuclei)} HER2 copies per nucleus")
    reported = {
        "ratio {}": ish.ish_ratio,
        "{} HER2 copies per nucleus": ish.ish_her2_copies,
        "{} CEP17 copies per nucleus": ish.ish_cep17_copies,
        "ratio 2 or more in {} % of nuclei": ish.ish_cell_percent,
    }
    return parts + [text.format(show_number(value)) for text, value in reported.items() if value is not None]


def _quotient(above: int, below: int) -> Decimal:
    return Ratio(Decimal(above), Decimal(below)).rounded()


def _ngs(tissue: TissueCopyNumber) -> list[str]:
    parts = []
    if tissue.ngs_copies is not None:
        parts.append(f"{show_number(tissue.ngs_copies)} copies")
    if tissue.ngs_fold is not None:
        parts.append(f"{show_number(tissue.ngs_fold)}-fold")
    if tissue.ngs_call:
        parts.append(f"laboratory's call: {name_code(tissue.ngs_call)}")
    if tissue.tumour_purity is not None:
        parts.append(f"tumour purity {show_share(tissue.tumour_purity)}")
    if tissue.ngs_assay:
        parts.append(f"assay {tissue.ngs_assay}")
    return parts


def _plasma(plasma: Plasma) -> list[str]:
    parts = []
    if plasma.plasma_copies is not None:
        parts.append(f"{show_number(plasma.plasma_copies)} copies")
    if plasma.tumour_fraction is not None:
        parts.append(f"tumour fraction {show_share(plasma.tumour_fraction)}")
    if plasma.plasma_max_vaf is not None:
        gene = f" ({plasma.plasma_max_vaf_gene})" if plasma.plasma_max_vaf_gene else ""
        parts.append(f"highest allele fraction {show_share(plasma.plasma_max_vaf)}{gene}")
    if plasma.plasma_assay:
        parts.append(f"assay {plasma.plasma_assay}")
    return parts
