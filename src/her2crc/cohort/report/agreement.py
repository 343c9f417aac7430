"""Section "agreement": where the rules agree with one another, and the patients on whom they differ.

Part of the report on a cohort. Two rules are compared on the patients whom both decide; patients whom one leaves open
are counted beside, since "not decided" is no opinion.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2crc.cohort.report.cells import Cell, Count, Figure, Plot, Section, Share, Table
from her2crc.cohort.report.disclosure import for_statistics
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort
from her2crc.cohort.report.statistics import kappa
from her2crc.cohort.report.tables import rule_names
from her2crc.criteria.sets import CriteriaSet

DIGITS = 2


def agreement_section(cohort: Cohort) -> Section:
    """Compare every pair of rules."""
    rules = list(rule_names(cohort))
    codes = {item.id: cohort.patients[item.id].to_numpy() for item in rules}
    pairs = {(one.id, two.id): _cross(codes[one.id], codes[two.id]) for one, two in combinations(rules, 2)}
    differ = _differing(cohort, rules)
    return Section(
        "agreement",
        "Agreement between the rules",
        lead=(
            (
                "Cohen\u2019s kappa is 1 where two rules always agree, 0 where they agree no more than by chance. It "
                "is worked out on the patients whom both rules decide. A patient whom a rule leaves open (equivocal, "
                "indeterminate, not covered) is neither agreement nor disagreement. Such patients are counted in the "
                "last column of the list of pairs.",
            ),
        ),
        tables=(_matrix(cohort, rules, pairs), _pairs(cohort, rules, pairs), *differ),
        plots=(
            Plot(
                "matrix", "kappa", "Cohen\u2019s kappa of each pair of rules", ("rule", *(item.name for item in rules))
            ),
        ),
    )


Cross = tuple[int, int, int, int]


def _cross(one: NDArray[Any], two: NDArray[Any]) -> Cross:
    """Both positive, only the first, only the second, both negative."""
    cells = [
        int(((one == first) & (two == second)).sum())
        for first, second in ((POSITIVE, POSITIVE), (POSITIVE, NEGATIVE), (NEGATIVE, POSITIVE), (NEGATIVE, NEGATIVE))
    ]
    return cells[0], cells[1], cells[2], cells[3]


def _kappa_cell(cross: Cross, below: int) -> Cell:
    found = kappa(*for_statistics(cross, below))
    return Figure(found.estimate, DIGITS, cross, found.interval) if found else None


def _matrix(cohort: Cohort, rules: list[CriteriaSet], pairs: dict[tuple[str, str], Cross]) -> Table:
    def cell(one: str, two: str) -> Cell:
        if one == two:
            return None
        cross = pairs.get((one, two)) or pairs[(two, one)]
        found = kappa(*for_statistics(cross, cohort.below))
        return Figure(found.estimate, DIGITS, cross) if found else "\u2013"

    rows = [(one.name, *(cell(one.id, two.id) for two in rules)) for one in rules]
    return Table(
        "kappa",
        "Cohen\u2019s kappa, patients whom both rules decide",
        ("rule", *(item.name for item in rules)),
        tuple(rows),
        note="\u2013: kappa is not defined, because nobody is decided by both or all are decided alike.",
        drawn=True,
    )


def _pairs(cohort: Cohort, rules: list[CriteriaSet], pairs: dict[tuple[str, str], Cross]) -> Table:
    total = len(cohort.patients)
    names = {item.id: item.name for item in rules}
    rows: list[tuple[Cell, ...]] = []
    for (one, two), cross in sorted(pairs.items(), key=lambda item: -(item[1][1] + item[1][2])):
        both = sum(cross)
        agree = Share(cross[0] + cross[-1], both)
        rows.append(
            (names[one], names[two], *map(Count, cross), agree, _kappa_cell(cross, cohort.below), Count(total - both))
        )
    columns = ("first rule", "second rule", "both positive", "only first", "only second", "both negative")
    return Table(
        "pairs",
        "Pairs of rules, most disagreement first",
        (*columns, "agree, of decided by both", "kappa", "not decided by both"),
        tuple(rows),
    )


def _differing(cohort: Cohort, rules: list[CriteriaSet]) -> tuple[Table, Table]:
    """How many patients at least one rule calls positive and another negative, and who they are."""
    codes = cohort.patients.select([item.id for item in rules]).to_numpy()
    positive, negative = codes == POSITIVE, codes == NEGATIVE
    differ = positive.any(axis=1) & negative.any(axis=1)
    several = (positive | negative).sum(axis=1) > 1
    names = np.array([item.name for item in rules])
    ids = cohort.patients["patient_id"].to_list()
    rows = [(ids[at], "; ".join(names[positive[at]]), "; ".join(names[negative[at]])) for at in np.flatnonzero(differ)]
    count = Table(
        "differ",
        "Patients on whom rules differ",
        ("what", "patients"),
        (
            (
                "at least one rule positive and another negative, of those whom two or more rules decide",
                Share(int(differ.sum()), int(several.sum())),
            ),
        ),
    )
    listing = Table(
        "differing", "Who they are", ("patient", "positive under", "negative under"), tuple(rows), listing=True
    )
    return count, listing
