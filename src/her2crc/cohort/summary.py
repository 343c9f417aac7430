"""What a run counted: by set and status, by answer on testing, by next test and action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from her2crc.cohort.advice import YES
from her2crc.cohort.block import Screened, Screener
from her2crc.cohort.outcomes import count_statuses
from her2crc.criteria.sets import STATUSES

SEPARATOR = "/"


def count(screened: Screened, screener: Screener, rejects: int) -> dict[str, int]:
    """Return the counts of one block, each under a name of words joined by ``/``."""
    outcomes, answers = screener.outcomes, screened.patients
    counts: Counter[str] = Counter(
        {
            "patients": len(screened.group.sizes),
            "specimens": len(screened.group.signature),
            "rejects": rejects,
            "by_reference": len(screened.odd),
        }
    )
    alike = np.ones(len(screened.group.sizes), np.int64)
    of_patients = count_statuses(answers.statuses, alike)
    of_specimens = outcomes.count(np.bincount(screened.group.signature))
    discordant = answers.discordant.sum(axis=0)
    for at, item in enumerate(outcomes.sets):
        for place, status in enumerate(STATUSES):
            counts[f"sets/{item.id}/patients/{status}"] = int(of_patients[at, place])
            counts[f"sets/{item.id}/specimens/{status}"] = int(of_specimens[at, place])
        counts[f"sets/{item.id}/discordant"] = int(discordant[at])
    _count_answers(counts, screened, screener)
    return {name: number for name, number in counts.items() if number}


def _count_answers(counts: Counter[str], screened: Screened, screener: Screener) -> None:
    answers, advice = screened.patients, screener.advice
    for at, number in zip(*np.unique(answers.testing, return_counts=True), strict=True):
        said = {None: "unknown", True: "true", False: "false"}[advice.testing[at].recommended]
        counts[f"testing/{said}"] += int(number)
    for at, number in zip(*np.unique(answers.tests, return_counts=True), strict=True):
        tests = advice.tests[at]
        counts[f"next_test/{tests[0][0] if tests else 'none'}"] += int(number)
    for action, fits in zip(screener.knowledge.actions, (answers.fits == YES).sum(axis=0), strict=True):
        counts[f"actions_fit/{action.id}"] += int(fits)


def summarise(counts: Mapping[str, int], screener: Screener) -> dict[str, Any]:
    """Return the counts in the form of summary.json; a status that nobody has counts 0."""
    sets = {
        item.id: {
            "patients": {name: counts.get(f"sets/{item.id}/patients/{name}", 0) for name in STATUSES},
            "specimens": {name: counts.get(f"sets/{item.id}/specimens/{name}", 0) for name in STATUSES},
            "discordant": counts.get(f"sets/{item.id}/discordant", 0),
        }
        for item in screener.outcomes.sets
    }
    return {
        "patients": counts.get("patients", 0),
        "specimens": counts.get("specimens", 0),
        "rejects": counts.get("rejects", 0),
        "counts": sets,
        "testing": _of("testing", counts) or {"unknown": 0},
        "next_test": _of("next_test", counts),
        "actions_fit": {item.id: counts.get(f"actions_fit/{item.id}", 0) for item in screener.knowledge.actions},
        "by_reference": counts.get("by_reference", 0),
    }


def _of(group: str, counts: Mapping[str, int]) -> dict[str, int]:
    prefix = group + SEPARATOR
    return {name.removeprefix(prefix): number for name, number in sorted(counts.items()) if name.startswith(prefix)}
