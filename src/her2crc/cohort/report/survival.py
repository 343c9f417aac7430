"""Section "survival": S17 in this cohort, with delayed entry.

Part of the report on a cohort. Time runs from metastatic disease, but nobody is observed before the HER2 result is
known: a patient who died earlier could never have been in either group. Counting that time would credit the groups
with survival that made the test possible, so without the day of the result nothing is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from her2crc.cohort.report.cells import Cell, Count, Figure, Plot, Section, Share, Table
from her2crc.cohort.report.hazards import Array, Times, models
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort
from her2crc.cohort.report.settings import settings
from her2crc.errors import InputError, MissingExtraError
from her2crc.normalise.values import FALSE_WORDS, TRUE_WORDS

if TYPE_CHECKING:
    import polars

HER2, ORIGIN, ENTRY, EXIT, DIED = "any_positive", "metastatic_on", "her2_tested_on", "followed_until", "died"
NEEDED = (ORIGIN, ENTRY, EXIT, DIED)
ISO = "%Y-%m-%d"
YES_NO = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}
MONTHS_A_YEAR = 12
DAYS_A_MONTH = 365.25 / MONTHS_A_YEAR


def survival_section(cohort: Cohort) -> Section:
    """Compare survival of HER2-positive and HER2-negative patients, where the dates allow it."""
    title = "Survival"
    frame = cohort.follow_up
    if frame is None:
        why = "No table of follow-up was named (--follow-up), so there are no dates of entry, death or last contact."
        return Section("survival", title, impossible=why)
    if missing := [name for name in ("patient_id", *NEEDED) if name not in frame.columns]:
        return Section("survival", title, impossible=_refusal(missing))
    observed = _observed(cohort, _typed(frame))
    if not len(observed):
        why = "The table of follow-up speaks of other patients than those screened: no patient_id is in both."
        return Section("survival", title, impossible=why)
    kept, left_out = _compared(observed)
    times = _times(kept)
    events = [int(times.died[times.positive == group].sum()) for group in (True, False)]
    if min(events) < settings().fewest_events:
        why = f"Fewer than {settings().fewest_events} deaths in one of the groups; nothing can be said."
        return Section("survival", title, impossible=why)
    return _section(cohort, kept, times, left_out)


def _typed(frame: polars.DataFrame) -> polars.DataFrame:
    """Return the table with days as days and vital status as yes or no; text is read strictly, never guessed.

    Raises:
        InputError: a value is neither, or a patient stands there twice.
    """
    from polars import Boolean, Date, String, col

    texts = [name for name in NEEDED if frame[name].dtype == String]
    days = [col(name).str.to_date(ISO, strict=False) for name in texts if name != DIED]
    yes_no = [col(name).cast(String).str.to_lowercase().replace_strict(YES_NO, default=None) for name in (DIED,)]
    typed = frame.with_columns(*days, *yes_no)
    for name in NEEDED:
        wanted = Boolean if name == DIED else Date
        if typed[name].null_count() > frame[name].null_count() or typed[name].dtype != wanted:
            fix = "Write true or false, or 1 or 0." if name == DIED else "Write days as 2026-01-31."
            raise InputError(f"the column {name} holds what is no {'yes or no' if name == DIED else 'date'}.", fix=fix)
    if typed["patient_id"].n_unique() < len(typed):
        raise InputError(
            "a patient stands more than once in the table of follow-up.",
            why="Which of the dates are right cannot be told.",
            fix="Keep one row a patient.",
        )
    return typed


def _refusal(missing: list[str]) -> str:
    if ENTRY in missing:
        return (
            f"The table of follow-up has no column {ENTRY}, the day on which the HER2 result was known. Patients who "
            f"died before "
            "could not be tested; counting their group's time from metastatic disease would bias the comparison, so "
            "nothing is computed."
        )
    return f"The table of follow-up lacks {', '.join(missing)}."


def _observed(cohort: Cohort, frame: polars.DataFrame) -> polars.DataFrame:
    """Join the dates; observation begins when the first result is known, or at metastatic disease if that is later.

    The group is what the rules say of the specimens taken by that day. A later specimen must neither change the group
    (only who lived to give it has it) nor put off the entry (who died before it would enter earlier).
    """
    from polars import col, max_horizontal, when

    dates = frame.select("patient_id", *NEEDED).with_columns(
        when(col(ENTRY).is_not_null()).then(max_horizontal(ENTRY, ORIGIN)).alias(ENTRY)
    )
    facts = cohort.patients.drop(HER2).join(dates, on="patient_id", how="inner")
    return facts.join(_status_by(cohort, dates), on="patient_id", how="left")


def _status_by(cohort: Cohort, dates: polars.DataFrame) -> polars.DataFrame:
    """Return HER2 of each patient by the specimens taken up to the day of entry; one without a date is not counted."""
    from polars import any_horizontal, col, when

    known = cohort.specimens.join(dates, on="patient_id").filter(col("collected_on") <= col(ENTRY))
    said = {
        name: any_horizontal([(col(rule) == code).fill_null(False) for rule in cohort.rules])
        for name, code in (("positive", POSITIVE), ("negative", NEGATIVE))
    }
    by_patient = known.with_columns(**said).group_by("patient_id").agg(col("positive").any(), col("negative").any())
    status = when(col("positive")).then(True).when(col("negative")).then(False)
    return by_patient.select("patient_id", status.alias(HER2))


def _compared(joined: polars.DataFrame) -> tuple[polars.DataFrame, list[tuple[Cell, ...]]]:
    """Return the usable patients, and how many were left out, by reason."""
    from polars import col

    steps = {
        "no metastatic disease on record": col(ORIGIN).is_not_null(),
        "no day of the HER2 result": col(ENTRY).is_not_null(),
        "undecided under every rule by the specimens taken up to that day": col(HER2).is_not_null(),
        "no end of follow-up or no vital status": col(EXIT).is_not_null() & col(DIED).is_not_null(),
        "follow-up ends before observation begins": col(EXIT) > col(ENTRY),
    }
    rows: list[tuple[Cell, ...]] = []
    total, kept = len(joined), joined
    for reason, usable in steps.items():
        after = kept.filter(usable)
        rows.append((f"left out: {reason}", Share(len(kept) - len(after), total)))
        kept = after
    rows.append(("compared", Share(len(kept), total)))
    return kept, rows


def _times(kept: polars.DataFrame) -> Times:
    from polars import col

    def days(name: str) -> Array:
        found: Array = kept.select((col(name) - col(ORIGIN)).dt.total_days()).to_series().to_numpy().astype(float)
        return found

    yes_no = [kept[name].to_numpy().astype(bool) for name in (DIED, HER2)]
    return Times(days(ENTRY), days(EXIT), yes_no[0], yes_no[1])


def _section(cohort: Cohort, kept: polars.DataFrame, times: Times, left_out: list[tuple[Cell, ...]]) -> Section:
    curves = _Curves(times)
    statement = cohort.knowledge.statements.get("S17")
    return Section(
        "survival",
        "Survival",
        lead=(
            *(((f"S17: {statement.text}",),) if statement else ()),
            (
                "Time runs from metastatic disease. A patient is at risk from the day on which the first HER2 result "
                "was known (delayed entry). The group is what the rules say of the specimens taken by that day. "
                "Positive: at least one rule; negative: no rule, and at least one decides. Specimens taken later, and "
                "those without a date, do not count: only who lived to give them has them.",
            ),
        ),
        tables=(
            Table("who", "Who is compared", ("patients", "of those in both tables"), tuple(left_out)),
            curves.medians(),
            models(kept, times),
            curves.at_risk(),
            curves.table(),
        ),
        plots=(
            Plot(
                "lines",
                "curve",
                "Percent alive (upwards) by months since metastatic disease (across); Kaplan-Meier, delayed entry",
                ("month", "positive", "negative"),
                "%",
            ),
        ),
        notes=(
            (
                "Few are at risk soon after metastatic disease, where one death would end a curve; the curves start "
                "at the first day on which enough patients of both groups are at risk, and are conditional on being "
                "alive then. The log-rank test and the models use all times.",
            ),
        ),
    )


# ---- Kaplan-Meier


class _Curves:
    """The two curves, from the first day on which enough patients of both groups are at risk."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.start = max(self._start(group) for group in (True, False))
        self.fits = {group: self._fit(group) for group in (True, False)}

    def _start(self, group: bool) -> float:
        """The first entry day on which enough of the group are at risk; the day with most, where it is never enough."""
        mine = self.times.positive == group
        entries = np.sort(self.times.entry[mine])
        exits = np.sort(self.times.exit[mine])
        at_risk = np.arange(1, len(entries) + 1) - np.searchsorted(exits, entries, side="right")
        enough = np.flatnonzero(at_risk >= min(settings().fewest_at_risk, at_risk.max()))
        return float(entries[enough[0]])

    def _fit(self, group: bool) -> Any:
        try:
            from lifelines import KaplanMeierFitter
        except ImportError:
            raise MissingExtraError(
                "Survival needs lifelines, which is not installed.", fix="Run: pip install 'her2crc[cohort]'."
            ) from None
        mine = (self.times.positive == group) & (self.times.exit > self.start)
        entry = np.maximum(self.times.entry[mine], self.start)
        return KaplanMeierFitter().fit(self.times.exit[mine], self.times.died[mine], entry=entry)

    def medians(self) -> Table:
        """Return patients, deaths and median survival of both groups."""
        from lifelines.utils import median_survival_times

        rows: list[tuple[Cell, ...]] = []
        for group, name in ((True, "HER2 positive"), (False, "HER2 negative")):
            mine = self.times.positive == group
            deaths, n = int(self.times.died[mine].sum()), int(mine.sum())
            limits = [float(item) for item in median_survival_times(self.fits[group].confidence_interval_).iloc[0]]
            middle = float(self.fits[group].median_survival_time_) / DAYS_A_MONTH
            interval = (limits[0] / DAYS_A_MONTH, limits[1] / DAYS_A_MONTH)
            rows.append((name, Count(n), Count(deaths), Figure(middle, 1, (n, deaths, n - deaths), interval)))
        return Table(
            "medians",
            "Median survival from metastatic disease",
            ("group", "patients", "deaths", "median, months"),
            tuple(rows),
            note=f"Curves start {self.start / DAYS_A_MONTH:.1f} months after metastatic disease.",
        )

    def _months(self) -> Array:
        """Return the whole months that both curves have."""
        last = min(float(fit.survival_function_.index[-1]) for fit in self.fits.values())
        found: Array = np.arange(np.ceil(self.start / DAYS_A_MONTH), last // DAYS_A_MONTH + 1)
        return found

    def at_risk(self) -> Table:
        """Return how many of each group are at risk at the end of each year: entered, and not yet dead or lost."""
        rows: list[tuple[Cell, ...]] = []
        for month in self._months():
            if not month or month % MONTHS_A_YEAR:
                continue
            here = (self.times.entry < month * DAYS_A_MONTH) & (self.times.exit >= month * DAYS_A_MONTH)
            counts = (Count(int((here & (self.times.positive == group)).sum())) for group in (True, False))
            rows.append((f"{month:.0f}", *counts))
        return Table("at_risk", "At risk, by month", ("month", "positive", "negative"), tuple(rows))

    def table(self) -> Table:
        """Return both curves month by month."""
        months = self._months()
        values = {
            group: fit.survival_function_at_times(months * DAYS_A_MONTH).to_numpy() for group, fit in self.fits.items()
        }
        counts = tuple(int((self.times.positive == group).sum()) for group in (True, False))
        rows: list[tuple[Cell, ...]] = [
            (f"{month:.0f}", *(Figure(float(values[group][at]) * 100, 1, counts) for group in (True, False)))
            for at, month in enumerate(months)
        ]
        return Table(
            "curve",
            "Alive, percent, by month",
            ("month", "positive", "negative"),
            tuple(rows),
            listing=True,
            drawn=True,
        )
