"""Where a criteria set draws its line on one field, as written in its own rows."""

from __future__ import annotations

from typing import Any

from her2crc.criteria.nodes import Compare, walk
from her2crc.criteria.sets import CriteriaSet

ABOVE = (">", ">=")
RAISED = ("positive", "equivocal")


def lowest_cut(criteria: CriteriaSet, field: str) -> Any:
    """Return the cut above which the set stops calling low; None where it has none on this field."""
    cuts = [
        node.value
        for row in criteria.rows
        if row.then in RAISED
        for node in walk(row.when)
        if isinstance(node, Compare) and node.field == field and node.op in ABOVE
    ]
    return min(cuts) if cuts else None
