"""Section "measurement error": how many verdicts would change if every reading were taken again.

Part of the report on a cohort. Each patient is redrawn within the declared error of one reading and judged again by
the rules themselves, all draws at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from her2crc.cohort.report.arrays import COUNTS, Array, Executor, Reading, by_patient, derive, readings_of
from her2crc.cohort.report.cells import Cell, Count, Figure, Section, Share, Table
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort
from her2crc.cohort.report.settings import settings
from her2crc.cohort.report.sweep import first_of_each
from her2crc.cohort.report.tables import rule_names

if TYPE_CHECKING:
    import polars

MEASURED = ("ihc_percent", "ish_her2_signals", "ngs_copies", "plasma_copies")
PERCENT = 100
BATCH = 100_000
"""Cells of one array of draws: small enough for the processor's own memory."""


def redraw_section(cohort: Cohort) -> Section:
    """Redraw every patient with a measured value, or a sample of them."""
    from polars import any_horizontal, col

    title = "Measurement error"
    measured = cohort.specimens.filter(any_horizontal([col(name).is_not_null() for name in MEASURED]))
    ids = measured["patient_id"].unique(maintain_order=True)
    if not len(ids):
        return Section("redraw", title, impossible="No specimen has a percentage, signals or copies.")
    limit = settings().redraw.most_specimens
    chosen = ids if len(ids) <= limit else ids.sample(limit, seed=settings().redraw.seed).sort()
    some = cohort.specimens.filter(col("patient_id").is_in(chosen.implode()))
    return Section(
        "redraw",
        title,
        lead=(
            (
                "Redrawn: ",
                Share(len(chosen), len(ids)),
                f" of the patients with a measured value, each {settings().redraw.draws} times.",
            ),
            (settings().measurement.basis,),
        ),
        tables=(_table(cohort, some),),
        notes=(
            (
                "A verdict flips where the redrawn patient has another status than the one measured. This is the "
                "error of reading one specimen again, not of sampling another block, nor of another laboratory. A "
                "ratio, a mean or a fold change that was reported without counts or copies is kept as it is.",
            ),
        ),
    )


def _table(cohort: Cohort, some: polars.DataFrame) -> Table:
    rules = rule_names(cohort)
    base = readings_of(some)
    starts = first_of_each(some["patient_id"])
    measured = {item.id: by_patient(Executor(derive(base)).decide(item), starts)[:, 0] for item in rules}
    flips = flip_shares(cohort, base, starts, measured)
    rows: list[tuple[Cell, ...]] = []
    for item in rules:
        shares = [flips[item.id][measured[item.id] == status] for status in (POSITIVE, NEGATIVE)]
        cells = [cell for some in shares for cell in (Count(len(some)), _mean(some))]
        decided = np.isin(measured[item.id], (POSITIVE, NEGATIVE))
        unsteady = int((flips[item.id][decided] > 0).sum())
        rows.append((item.name, *cells, Share(unsteady, int(decided.sum()))))
    return Table(
        "flips",
        "Share of redrawn verdicts that differ from the measured one, of the patients redrawn",
        (
            "rule",
            "positive",
            "flips of positive, % of draws",
            "negative",
            "flips of negative, % of draws",
            "patients with any flip, of decided",
        ),
        tuple(rows),
    )


def _mean(shares: Array) -> Cell:
    return Figure(float(shares.mean()) * PERCENT, 1, (len(shares),)) if len(shares) else None


def flip_shares(
    cohort: Cohort, base: dict[str, Reading], starts: Array, measured: dict[str, Array]
) -> dict[str, Array]:
    """Return for each rule and patient the share of draws with another status than the measured one."""
    random = np.random.default_rng(settings().redraw.seed)
    ends = np.r_[starts[1:], len(base["ihc_score"].value)]
    draws = settings().redraw.draws
    step = max(1, BATCH // draws)
    found: dict[str, list[Array]] = {name: [] for name in measured}
    for first in range(0, len(starts), step):
        last = min(first + step, len(starts))
        rows = slice(starts[first], ends[last - 1])
        batch = redrawn({name: _cut(item, rows) for name, item in base.items()}, draws, random)
        executor = Executor(derive(batch))
        inside = starts[first:last] - starts[first]
        for name, statuses in measured.items():
            again = by_patient(executor.decide(cohort.rules[name]), inside)
            found[name].append((again != statuses[first:last, None]).mean(axis=1))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _cut(item: Reading, rows: slice) -> Reading:
    return Reading(item.value[rows], item.known[rows], item.absent[rows])


def redrawn(base: dict[str, Reading], draws: int, random: np.random.Generator) -> dict[str, Reading]:
    """Return readings with one column a draw, each measured value drawn again within its declared error."""
    error = settings().measurement
    size = (len(base["ihc_score"].value), draws)

    def varied(name: str, values: Any) -> Reading:
        return base[name]._replace(value=values)

    percent = base["ihc_percent"]
    spread = np.clip(percent.value + random.normal(0, error.ihc_percent_points, size), 0, PERCENT)
    found = dict(base) | {"ihc_percent": varied("ihc_percent", spread)}
    for name in COUNTS[:2]:
        found[name] = varied(name, random.poisson(base[name].value, size).astype(float))
    for name in ("ngs_copies", "plasma_copies"):
        factor = np.exp(random.normal(0, error.copies_log_sd, size))
        found[name] = varied(name, base[name].value * factor)
    return found
