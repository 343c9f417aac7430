"""The declared figures of counting signals (``knowledge/ish.yaml``), each with its basis."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.strict_yaml import load_strict
from her2crc.model.citation import Citation


class CountingFigure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many nuclei an organ's rule asks for, and how many of a second observer."""

    tumour: str
    text: str
    confidence: str
    cite: tuple[Citation, ...]
    nuclei: int | None = None
    second_observer: int | None = None


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A caveat of counting; ``text`` names in braces what is filled in."""

    id: str
    text: str
    cite: tuple[Citation, ...]


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    certainty: float
    certainty_basis: str
    skewness_nuclei: float
    skewness_basis: str
    dispersion_of_totals: float
    dispersion_basis: str
    points: int
    planning_points: int
    most_nuclei: int
    nucleus_ratio: int
    nucleus_cite: tuple[Citation, ...]
    rearrangements: int
    most_rearranged: int
    fewest_of_a_kind: int
    few_amplified: int
    seed: int
    copies_high: Decimal
    ratio_low: Decimal
    counting_rules: tuple[CountingFigure, ...]
    notes: tuple[Note, ...]

    def note(self, id: str) -> Note:
        """Return one note."""
        return next(item for item in self.notes if item.id == id)


@cache
def figures() -> Figures:
    """Return the figures.

    Raises:
        KnowledgeError: the file is not as it must be.
    """
    return load_strict(KNOWLEDGE_DIR / "ish.yaml", Figures)
