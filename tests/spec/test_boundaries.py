"""Every shipped set against the independent oracle, on both sides of every threshold and with every fact unknown."""

from __future__ import annotations

from decimal import Decimal

from her2crc.criteria.cases import Case
from her2crc.model.quantity import Ratio

LEAST_CASES = 40_000


def adjusted(copies: object, fraction: object) -> Ratio | None:
    """Copies per tumour cell, kept exact; unknown where a base fact is, and where there is no tumour at all."""
    if not isinstance(copies, Decimal) or not isinstance(fraction, Decimal) or fraction == 0:
        return None
    return Ratio(copies - 2 * (1 - fraction), fraction)


def derive(facts: Case) -> Case:
    return {
        **facts,
        "ngs_tumour_copies": adjusted(facts.get("ngs_copies"), facts.get("tumour_purity")),
        "plasma_adjusted_copies": adjusted(facts.get("plasma_copies"), facts.get("tumour_fraction")),
    }
