"""The declared figures of a measurement, from ``knowledge/measure.yaml``: each with its basis, none in the code."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.strict_yaml import load_strict

FILE = KNOWLEDGE_DIR / "measure.yaml"


class TissueDefaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures for tissue sequencing; what each means and rests on stands in the file. Log2 unless named otherwise."""

    between_sample_log2: float
    between_freedom: int
    between_basis: str
    gene_step_bins: int
    gene_step_share: float
    fewest_gene_steps: int
    least_between_log2: float
    bin_log2: float
    short_segment_bins: int
    fewest_short_segments: int
    fewest_bins: int
    no_reads_log2: float
    fewest_normals: int
    alike_normals: int
    false_positive: float
    missed: float
    largest_detectable_fold: float
    purity_log_odds: float
    ploidy: float
    ploidy_deviation: float
    focal_megabases: float
    arm_share: float
    centre_shift_log2: float
    coverage_shift_log2: float


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tissue: TissueDefaults
    messages: dict[str, str]


@lru_cache(maxsize=1)
def _file() -> _File:
    return load_strict(FILE, _File)


def defaults() -> TissueDefaults:
    """Return the declared figures, loaded once."""
    return _file().tissue


def message(id: str) -> str:
    """Return a conclusion's sentence; ``{limit}`` stands in some."""
    return _file().messages[id]
