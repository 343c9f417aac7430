"""The declared figures of plasma (``knowledge/plasma.yaml``), each with its basis."""

from __future__ import annotations

from functools import cache

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.strict_yaml import load_strict
from her2crc.model.citation import Citation


class Convention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to take a tumour fraction from the highest allele fraction: ``factor`` times it."""

    id: str
    factor: int
    text: str


class Exclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Genes whose variants say nothing on the tumour fraction, and why."""

    id: str
    text: str
    confidence: str
    basis: str
    genes: frozenset[str]


class PlasmaFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    reference_copies: int
    reference_cite: tuple[Citation, ...]
    agreement: tuple[str, ...]
    conventions: tuple[Convention, ...]
    convention_text: str
    convention_cite: tuple[Citation, ...]
    germline_half: tuple[float, float]
    germline_whole: float
    germline_basis: str
    percent_words: tuple[str, ...]
    swapped_median: float
    swapped_fewest: int
    exclusions: tuple[Exclusion, ...]
    unseen_text: str
    unseen_confidence: str
    germline_text: str
    germline_confidence: str
    columns: dict[str, tuple[str, ...]]

    def looks_inherited(self, fraction: float) -> bool:
        """Tell whether an allele fraction is that of an inherited variant: about one half, or nearly all."""
        low, high = self.germline_half
        return low <= fraction <= high or fraction >= self.germline_whole


@cache
def plasma_figures() -> PlasmaFigures:
    """Return the figures.

    Raises:
        KnowledgeError: the file is not as it must be.
    """
    return load_strict(KNOWLEDGE_DIR / "plasma.yaml", PlasmaFigures)
