"""Scores of several lesions or blocks, each named by a number or letter right before it: 'seg II 3+; seg VI 1+'."""

from __future__ import annotations

import re

DESIGNATOR = r"(?<![a-z\d])(?:[ivx]{1,4}|[a-h]?\d{1,2}[a-h]?|[a-h])\s?[:=]?\s?$"
DESIGNATED = re.compile(DESIGNATOR)
NEXT_DESIGNATED = re.compile(rf"[;,]\s(?:and\s)?(?:[a-z]{{1,12}}\.?\s?){{0,2}}#?{DESIGNATOR}")
LONGEST = 30
"""Characters of such a name, and of what it is set off by."""


def is_designated(low: str, at: int) -> bool:
    """Tell whether the score at a place stands right after the number or letter of a lesion."""
    return DESIGNATED.search(low, max(0, at - LONGEST), at) is not None


def is_of_next_lesion(low: str, first: int, last: int, at: int) -> bool:
    """Tell whether a score is of another lesion than the scores before, which begin and end at two places."""
    if NEXT_DESIGNATED.search(low, max(last, at - LONGEST), at) is None:
        return False
    return is_designated(low, first)
