"""Hazard of death by HER2, with delayed entry: the log-rank test, and Cox's model alone and adjusted.

Part of the section "survival" of the report on a cohort, which decides who is compared and from which day.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from her2crc.cohort.report.cells import Cell, Count, Figure, Table
from her2crc.cohort.report.settings import settings

if TYPE_CHECKING:
    import polars

FACTORS = {"RAS mutant": ("ras", "mutant"), "right side": ("side", "right")}
Array = NDArray[Any]


class Times(NamedTuple):
    """Days from metastatic disease: entry into observation and exit, whether it was death, and the group."""

    entry: Array
    exit: Array
    died: Array
    positive: Array


def log_rank(times: Times) -> tuple[float, float]:
    """Return the log-rank test with delayed entry: chi-square with one degree of freedom, and p.

    At each day of death those are at risk who have entered before it and have not left.
    """
    from scipy.stats import chi2

    days, place = np.unique(times.exit[times.died], return_inverse=True)
    deaths = np.bincount(place, minlength=len(days))
    deaths_first = np.bincount(place, weights=times.positive[times.died], minlength=len(days))
    at_risk, first = _at_risk(times, days, slice(None)), _at_risk(times, days, times.positive)
    share = first / at_risk
    expected = (deaths * share).sum()
    several = at_risk > 1
    factor = np.where(several, (at_risk - deaths) / np.where(several, at_risk - 1, 1), 0)
    variance = (deaths * share * (1 - share) * factor).sum()
    statistic = float((deaths_first.sum() - expected) ** 2 / variance)
    return statistic, float(chi2.sf(statistic, 1))


def _at_risk(times: Times, days: Array, who: Any) -> Array:
    entered = np.searchsorted(np.sort(times.entry[who]), days, side="left")
    found: Array = entered - np.searchsorted(np.sort(times.exit[who]), days, side="left")
    return found


def hazard_ratio(frame: Any) -> Any:
    """Fit Cox's model with delayed entry; the frame has ``entry``, ``exit``, ``died`` and the factors."""
    from lifelines import CoxPHFitter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice to programmers; what cannot be fitted is seen from the result
        return CoxPHFitter().fit(frame, duration_col="exit", event_col="died", entry_col="entry")


def models(kept: polars.DataFrame, times: Times) -> Table:
    """Return the log-rank test and Cox's models of the compared patients."""
    import pandas

    groups = [times.positive, ~times.positive]
    counts = tuple(int(item) for group in groups for item in (group.sum(), times.died[group].sum()))
    _, p = log_rank(times)
    frame = pandas.DataFrame(
        {"entry": times.entry, "exit": times.exit, "died": times.died, "HER2 positive": times.positive}
    )
    rows: list[tuple[Cell, ...]] = [
        ("log-rank", "HER2 positive against negative", Count(len(frame)), None, Figure(p, 3, counts, significant=True))
    ]
    adjusted = _modelled(_with_factors(kept, frame))
    rows += _cox("Cox, HER2 alone", adjusted[frame.columns])
    complete = adjusted.dropna()
    complete = complete.drop(columns=[name for name in complete if name in FACTORS and complete[name].nunique() <= 1])
    if (
        set(complete) > set(frame)
        and complete["died"].sum() > settings().fewest_events * len(adjusted.columns)
        and complete["HER2 positive"].nunique() > 1
    ):
        rows += _cox("Cox, adjusted, complete cases", complete.astype(float))
    return Table(
        "models",
        "Hazard of death",
        ("model", "factor", "patients", "hazard ratio", "p"),
        tuple(rows),
        note="All with delayed entry. Adjusted: RAS and side where both are known; one that is the same in all is left "
        "out. Of very many patients all positive and a random draw of the negative ones are in the models.",
    )


def _modelled(frame: Any) -> Any:
    """Draw from the negative patients where there are more than a model can be fitted on in reasonable time."""
    positive = frame["HER2 positive"] == 1
    room = max(settings().most_modelled - int(positive.sum()), int(positive.sum()))
    if int((~positive).sum()) <= room:
        return frame
    drawn = frame[~positive].sample(room, random_state=settings().redraw.seed)
    return frame.loc[sorted([*frame.index[positive], *drawn.index])]


def _cox(name: str, frame: Any) -> list[tuple[Cell, ...]]:
    from lifelines.exceptions import ConvergenceError

    try:
        fitted = hazard_ratio(frame.astype(float)).summary
    except ConvergenceError:
        fitted = None
    if fitted is None or not np.isfinite(fitted.to_numpy(float)).all():
        return [(name, "not fitted: a factor separates the deaths completely", Count(len(frame)), None, None)]
    rows: list[tuple[Cell, ...]] = []
    for factor, row in fitted.iterrows():
        interval = (float(row["exp(coef) lower 95%"]), float(row["exp(coef) upper 95%"]))
        counts = _behind(frame, str(factor))
        ratio = Figure(float(row["exp(coef)"]), 2, counts, interval)
        rows.append((name, str(factor), Count(len(frame)), ratio, Figure(float(row["p"]), 3, counts, significant=True)))
    return rows


def _behind(frame: Any, factor: str) -> tuple[int, ...]:
    """Patients and deaths with and without a factor: the cells behind its ratio of hazards."""
    groups = [frame[frame[factor] == value] for value in (1, 0)]
    return tuple(int(number) for group in groups for number in (len(group), group["died"].sum()))


def _with_factors(kept: polars.DataFrame, frame: Any) -> Any:
    """Add RAS and side to the frame of the compared patients; unknown stays missing, never a reference group."""
    added = frame.copy()
    for name, (column, value) in FACTORS.items():
        words = kept[column].to_list()
        added[name] = [None if word is None else float(word == value) for word in words]
    return added
