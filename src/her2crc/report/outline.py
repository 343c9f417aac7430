"""What a report says before anybody decides how it looks: groups, order and numbered citations.

Part of stage 5. Text and page are built from these same values, so that they cannot say different things.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from her2crc.criteria.library import Knowledge
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.citation import Citation, Reference
from her2crc.model.verdict import Action, Assessment, Comparison, SetVerdict

VIEWS: dict[str, tuple[str, ...]] = {
    "pathologist": (
        "summary problems specimens verdicts next_tests testing concordance actions caveats reasons references"
    ).split(),  # type: ignore[dict-item]
}
