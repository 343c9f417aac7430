"""How many specimens of a Parquet table are what under which rule: counts alone, at about the speed of reading.

For the first question of a trial screener, before a whole screening writes every verdict with its reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from her2crc.cohort.direct import Direct, tables_of
from her2crc.cohort.inputs import PARQUET, find_inputs
from her2crc.criteria.library import Knowledge
from her2crc.criteria.sets import STATUSES
from her2crc.errors import InputError

Counts = dict[str, dict[str, int]]


def count_verdicts(sources: Sequence[str], knowledge: Knowledge, criteria: Sequence[str] = ()) -> Counts:
    """Count the verdicts on the rows of specimen tables in Parquet, each row taken as one specimen.

    Args:
        sources: Parquet files, folders of them, or globs.
        knowledge: what to judge by.
        criteria: the sets wanted by name; all if none is named.

    Returns:
        For each set, the number of specimens of each status.

    Raises:
        InputError: a source does not exist, is no Parquet file, or holds none.
        UsageError: there is no such set.
    """
    direct = Direct(knowledge, list(criteria) or None)
    names = [item.id for item in direct.outcomes.sets]
    counts = np.zeros((len(names), len(STATUSES)), np.int64)
    for path in _files(sources):
        counts += direct.count(tables_of(path, direct))
    return {name: dict(zip(STATUSES, row, strict=True)) for name, row in zip(names, counts.tolist(), strict=True)}


def _files(sources: Sequence[str]) -> list[Path]:
    found = find_inputs(sources)
    for item in found:
        if item.kind != PARQUET:
            raise InputError(
                "Verdicts are counted in Parquet files only.",
                where=item.shown,
                fix="Screen it with -o; the summary counts.",
            )
    return [Path(item.path) for item in found]
