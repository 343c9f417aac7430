"""The report on a cohort: statistics against published worked examples, rules against the reference, small cells."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from polars import col

import her2crc
from her2crc.backends.cli.cohort_report import cohort_report_command
from her2crc.cohort.report import redraw, survival
from her2crc.cohort.report.arrays import Executor, by_patient, derive, readings_of
from her2crc.cohort.report.build import report_cohort
from her2crc.cohort.report.cells import Count, Figure, Hidden, Section, Share, Table
from her2crc.cohort.report.disclosure import disclose, safe, shown_as
from her2crc.cohort.report.hazards import Times, hazard_ratio, log_rank, models
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort, load_cohort
from her2crc.cohort.report.performance import performance_section
from her2crc.cohort.report.plots import draw
from her2crc.cohort.report.prevalence import compare, published_of
from her2crc.cohort.report.render import as_csv
from her2crc.cohort.report.settings import Measurement, settings
from her2crc.cohort.report.shown import show
from her2crc.cohort.report.statistics import difference, exact_interval, fisher, holm, kappa, trend
from her2crc.cohort.report.survival import survival_section
from her2crc.cohort.report.sweep import first_of_each, printed_thresholds, sweep_section, with_threshold
from her2crc.cohort.screen import screen
from her2crc.cohort.synthetic.write import generate
from her2crc.criteria.library import Knowledge
from her2crc.criteria.run import decide
from her2crc.criteria.sets import STATUSES
from her2crc.errors import InputError, MissingInputError, UsageError
from her2crc.flow import read_patients
from her2crc.normalise import specimen_facts

PATIENTS = 3000
ORIGIMED = Path(her2crc.__file__).parent / "examples" / "origimed_crc"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Path:
    """A synthetic registry, screened."""
    folder = tmp_path_factory.mktemp("registry")
    generate(PATIENTS, folder, knowledge, seed=21)
    screen(folder / "specimens.parquet", folder / "screened", knowledge=knowledge)
    return folder


@pytest.fixture(scope="module")
def cohort(registry: Path, knowledge: Knowledge) -> Cohort:
    return load_cohort(
        registry / "screened", knowledge, str(registry / "patients.parquet"), str(registry / "truth.parquet")
    )


def write(registry: Path, knowledge: Knowledge, output: Path, below: int = 0) -> Path:
    report_cohort(
        registry / "screened",
        output,
        knowledge,
        follow_up=str(registry / "patients.parquet"),
        truth=str(registry / "truth.parquet"),
        suppress_below=below,
    )
    return output


@pytest.fixture(scope="module")
def report(registry: Path, knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(registry, knowledge, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def shared_report(registry: Path, knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(registry, knowledge, tmp_path_factory.mktemp("shared"), below=5)


def tables_of(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / "report.json").read_text())
    return {f"{name}-{key}": rows for name, part in content["sections"].items() for key, rows in part["tables"].items()}


def rows_by(rows: list[dict[str, Any]], column: str) -> dict[str, dict[str, Any]]:
    return {row[column]: row for row in rows}


# ---- statistics, against worked examples that others printed


def test_exact_intervals_are_those_of_every_published_proportion(knowledge: Knowledge) -> None:
    assert len(knowledge.proportions) > 50
    for item in knowledge.proportions.values():
        low, high = (
            Decimal(repr(100 * end)).quantize(Decimal("0.1"), "ROUND_HALF_UP")
            for end in exact_interval(item.events, item.total)
        )
        assert (str(low), str(high)) == item.interval, item.id


def test_difference_is_that_of_newcombe_1998() -> None:
    """Newcombe 1998, Table II, example (a), method 10: 56/70 against 48/80."""
    value, (low, high) = difference((56, 70), (48, 80))
    assert value == pytest.approx(0.2)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_fisher_is_that_of_the_lady_tasting_tea() -> None:
    """Fisher 1935: p 0.4857; conditional odds ratio 6.408, as R's fisher.test prints it.

    At the ends of the exact interval the tail of the conditional distribution (weights 1, 16, 36, 16, 1) is 2.5 %.
    """
    found = fisher([[3, 1], [1, 3]])
    assert found.interval
    assert found.p == pytest.approx(0.4857, abs=1e-4)
    assert found.estimate == pytest.approx(6.408309, rel=1e-4)

    def chance(odds: float, values: tuple[int, ...]) -> float:
        weights = [weight * odds**number for number, weight in enumerate((1, 16, 36, 16, 1))]
        return sum(weights[value] for value in values) / sum(weights)

    assert chance(found.interval[0], (3, 4)) == pytest.approx(0.025, rel=1e-4)
    assert chance(found.interval[1], (0, 1, 2, 3)) == pytest.approx(0.025, rel=1e-4)


def test_trend_is_that_of_agresti() -> None:
    """Alcohol and malformation, Agresti 2002, Table 3.7: z squared 6.57, p 0.010."""
    events = [48, 38, 5, 1, 1]
    totals = [17114, 14502, 793, 127, 38]
    found = trend(events, totals, [0, 0.5, 1.5, 4, 7])
    assert found.p == pytest.approx(0.0104, abs=2e-4)
    assert found.estimate > 0


def test_trend_without_variation_says_nothing() -> None:
    assert trend([0, 0], [5, 5], [0, 1]).p == 1


@pytest.mark.parametrize(("table", "printed"), [("shan_nodes", 0.48), ("shan_liver", 0.32)])
def test_kappa_is_that_of_the_published_pairs(table: str, printed: float, knowledge: Knowledge) -> None:
    item = next(item for item in knowledge.pair_tables if item.id == table)
    found = kappa(item.both or 0, item.primary_only or 0, item.metastasis_only or 0, item.neither or 0)
    assert found
    assert round(found.estimate, 2) == printed


def test_kappa_is_not_defined_where_all_agree_on_one_answer() -> None:
    assert kappa(0, 0, 0, 9) is None
    assert kappa(0, 0, 0, 0) is None


def test_holm_keeps_the_order_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]


# ---- the rules over arrays are the rules


def test_arrays_agree_with_the_screening_on_every_specimen(cohort: Cohort) -> None:
    executor = Executor(derive(readings_of(cohort.specimens)))
    for item in cohort.rules.values():
        assert np.array_equal(executor.decide(item)[:, 0], cohort.specimens[item.id].to_numpy()), item.id


def test_arrays_agree_with_the_reference_at_every_threshold(knowledge: Knowledge, tmp_path: Path) -> None:
    """Readings on, below and above printed thresholds, in every combination, some missing."""
    cases = [
        {"patient_id": f"P{number}", "specimen_id": f"S{number}", **case}
        for number, case in enumerate(boundary_cases())
    ]
    names = list(dict.fromkeys(name for case in cases for name in case))
    with (tmp_path / "cases.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, names)
        writer.writeheader()
        writer.writerows(cases)
    screen(tmp_path / "cases.csv", tmp_path / "screened", knowledge=knowledge)
    specimens = load_cohort(tmp_path / "screened", knowledge).specimens
    patients = {item.patient_id: item for item in read_patients(tmp_path / "cases.csv", knowledge)}
    facts = [specimen_facts(patients[name].specimens[0]) for name in specimens["patient_id"]]
    executor = Executor(derive(readings_of(specimens)))
    assert len(facts) == len(cases)
    for item in knowledge.criteria.values():
        if item.role == "rule" and item.rows:
            expected = [STATUSES.index(decide(item, fact).status) for fact in facts]
            assert executor.decide(item)[:, 0].tolist() == expected, item.id


def boundary_cases() -> Iterator[dict[str, str]]:
    slides = product(
        ("", "0", "2", "3"), ("", "10", "49.9", "50", "50.1"), ("", "66/33", "67/30", "60/20"), ("", "50", "60")
    )
    for (score, percent, signals, cells), kind in product(slides, ("", "biopsy", "resection")):
        her2, _, cep17 = signals.partition("/")
        counts = {"ish_her2_signals": her2, "ish_cep17_signals": cep17, "ish_nuclei": "10" if her2 else ""}
        known = {
            "ihc_score": score,
            "ihc_percent": percent if score else "",
            "ish_cell_percent": cells,
            "specimen_kind": kind,
        }
        yield {name: value for name, value in (known | counts).items() if value}
    for ratio, copies, purity in product(
        ("", "2.0", "1.99", "2.01"), ("", "3.04", "5.9", "6", "8.42", "10"), ("", "0.19", "0.2", "0.7")
    ):
        known = {"ihc_score": "2", "ish_ratio": ratio, "ngs_copies": copies, "tumour_purity": purity}
        yield {name: value for name, value in known.items() if value}
    unusable = (
        "ihc_percent",
        "ihc_pattern",
        "ish_ratio",
        "ish_her2_copies",
        "ish_cell_percent",
        "ngs_copies",
        "ngs_call",
    )
    for name, score in product(unusable, ("", "2", "3")):
        known = {"ihc_score": score, name: "not a value", "ish_her2_copies": "5", "ish_cep17_copies": "2"}
        yield {key: value for key, value in (known | {name: "not a value"}).items() if value}
    yield {"ihc_score": "2", "ish_ratio": "3.5", "ish_her2_copies": "4", "ish_cep17_copies": "2"}
    for copies, fraction in product(("2.3", "2.4", "3.191", "5"), ("", "0.049", "0.05", "0.1")):
        known = {"plasma_copies": copies, "tumour_fraction": fraction, "specimen_kind": "plasma", "site": "plasma"}
        yield {name: value for name, value in known.items() if value}


def test_patients_follow_from_specimens_as_in_the_screening(cohort: Cohort) -> None:
    executor = Executor(derive(readings_of(cohort.specimens)))
    starts = first_of_each(cohort.specimens["patient_id"])
    assert len(starts) == PATIENTS
    for item in cohort.rules.values():
        found = by_patient(executor.decide(item), starts)[:, 0]
        assert np.array_equal(found, cohort.patients[item.id].to_numpy()), item.id


def test_the_printed_threshold_gives_the_counts_of_the_screening(report: Path, cohort: Cohort) -> None:
    names = {item.name: item.id for item in cohort.rules.values()}
    rows = [row for field in settings().sweep for row in tables_of(report)[f"sweep-{field}"]]
    checked = 0
    for row in rows:
        if row["printed"] in row:
            counts = cohort.patients[names[row["rule"]]]
            assert row[row["printed"]]["events"] == int((counts == POSITIVE).sum())
            assert row[row["printed"]]["total"] == int(counts.is_in([POSITIVE, NEGATIVE]).sum())
            checked += 1
    assert checked > 15


def test_another_threshold_is_judged_by_the_changed_rule(registry: Path, cohort: Cohort, knowledge: Knowledge) -> None:
    rule = knowledge.criteria["csco_article"]
    changed = with_threshold(rule, "ihc_percent", Decimal(50), Decimal(80))
    assert printed_thresholds(changed, "ihc_percent") == [Decimal(80)]
    patients = read_patients(registry / "specimens.parquet", knowledge)
    facts = {s.specimen_id: specimen_facts(s) for p in patients for s in p.specimens}
    expected = [STATUSES.index(decide(changed, facts[name]).status) for name in cohort.specimens["specimen_id"]]
    found = Executor(derive(readings_of(cohort.specimens))).decide(changed)[:, 0].tolist()
    assert found == expected
    assert found != cohort.specimens["csco_article"].to_list()


# ---- measurement error


def test_a_sweep_is_drawn_with_the_printed_threshold_marked(cohort: Cohort) -> None:
    section = sweep_section(cohort)
    for plot, table in zip(section.plots, section.tables, strict=True):
        picture = draw(plot, table)
        assert picture
        assert [item.label for item in picture.courses] == [row[0] for row in table.rows]
        for course, row in zip(picture.courses, table.rows, strict=True):
            xs = [tick.at for tick in picture.ticks if tick.label == row[1]]
            assert course.mark
            assert [course.mark[0]] == xs
    hidden = (*table.rows[0][:-1], Hidden("up to 5"))
    some = draw(plot, msgspec.structs.replace(table, rows=(hidden, *table.rows[1:])))
    assert some
    assert len(some.courses) == len(table.rows) - 1
    assert some.title.endswith("left out")


def flips(cohort: Cohort, frame: pl.DataFrame, rule: str) -> Any:
    base, starts = readings_of(frame), first_of_each(frame["patient_id"])
    measured = {rule: by_patient(Executor(derive(base)).decide(cohort.rules[rule]), starts)[:, 0]}
    return redraw.flip_shares(cohort, base, starts, measured)[rule]


def test_a_reading_on_the_threshold_flips_half_the_time(cohort: Cohort) -> None:
    """CSCO asks for more than 50 %: at 50.1 half of the redrawn readings fall below; at 95 none does."""
    frame = cohort.specimens.filter(col("ihc_score") == 3).head(2)
    frame = frame.with_columns(
        ihc_percent=pl.Series([50.1, 95.0]), ihc_pattern=pl.lit("complete"), patient_id=pl.Series(["A", "B"])
    )
    found = flips(cohort, frame, "csco_article")
    assert found[0] == pytest.approx(0.5, abs=0.06)
    assert found[1] == 0


def test_without_error_nothing_flips(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = msgspec.structs.replace(settings(), measurement=Measurement(0, 0, "none"))
    monkeypatch.setattr(redraw, "settings", lambda: exact)
    frame = cohort.specimens.filter(col("ihc_percent").is_not_null() & ~col("has_ish")).head(50)
    assert not flips(cohort, frame, "heracles_2015").any()


# ---- survival with delayed entry


def test_log_rank_without_delay_is_that_of_lifelines() -> None:
    from lifelines.statistics import logrank_test

    random = np.random.default_rng(3)
    group = random.random(300) < 0.4
    exits = np.ceil(random.exponential(np.where(group, 300, 400)))
    died = random.random(300) < 0.8
    expected = logrank_test(exits[group], exits[~group], died[group], died[~group])
    statistic, p = log_rank(Times(np.zeros(300), exits, died, group))
    assert statistic == pytest.approx(expected.test_statistic)
    assert p == pytest.approx(expected.p_value)


def test_log_rank_counts_nobody_before_entry() -> None:
    """By hand: at day 5 at risk are A and B; C enters on day 6. At day 8 B and C; at day 9 only C."""
    times = Times(
        entry=np.array([0.0, 0, 6]),
        exit=np.array([5.0, 8, 9]),
        died=np.array([True, True, True]),
        positive=np.array([True, False, True]),
    )
    expected, variance = 1 / 2 + 1 / 2 + 1, 1 / 4 + 1 / 4
    statistic, _ = log_rank(times)
    assert statistic == pytest.approx((2 - expected) ** 2 / variance)


def late_testers() -> tuple[Any, Times]:
    """Two groups with the same hazard; one is tested a year later, so that its early deaths are never seen."""
    import pandas

    random = np.random.default_rng(8)
    positive = np.repeat([True, False], 4000)
    exits = np.ceil(random.exponential(500, len(positive)))
    entry = np.where(positive, 365.0, 10.0)
    seen = exits > entry
    times = Times(entry[seen], exits[seen], np.ones(seen.sum(), dtype=bool), positive[seen])
    return pandas.DataFrame(
        {"entry": times.entry, "exit": times.exit, "died": 1, "positive": times.positive * 1.0}
    ), times


def test_ignoring_delayed_entry_would_change_the_answer() -> None:
    from lifelines import CoxPHFitter

    frame, times = late_testers()
    naive = CoxPHFitter().fit(frame.drop(columns="entry"), duration_col="exit", event_col="died")
    right = hazard_ratio(frame)
    assert naive.hazard_ratios_["positive"] < 0.6, "survival that made the test possible, taken for an effect"
    assert right.hazard_ratios_["positive"] == pytest.approx(1, abs=0.08)
    assert log_rank(times)[1] > 0.01
    assert log_rank(times._replace(entry=np.zeros(len(times.exit))))[1] < 1e-9


def test_survival_is_refused_without_the_day_of_entry(registry: Path, knowledge: Knowledge, tmp_path: Path) -> None:
    dates = pl.read_parquet(registry / "patients.parquet").drop("her2_tested_on")
    dates.write_csv(tmp_path / "dates.csv")
    section = survival_section(load_cohort(registry / "screened", knowledge, str(tmp_path / "dates.csv")))
    assert "her2_tested_on" in section.impossible
    assert "nothing is computed" in section.impossible
    assert not section.tables


def test_a_later_specimen_neither_makes_the_group_nor_puts_off_the_entry(cohort: Cohort) -> None:
    """Only who lived to give a specimen has it; who died before it entered on the day of the first result."""
    assert cohort.follow_up is not None
    positive = cohort.patients.filter(col("any_positive") & col("metastatic"))["patient_id"]
    dates = cohort.follow_up.filter(col("patient_id").is_in(positive.implode()) & col("metastatic_on").is_not_null())
    day_before = cohort.specimens.group_by("patient_id").agg(col("collected_on").min().dt.offset_by("-1d"))
    early = dates.join(day_before, on="patient_id").with_columns(
        her2_tested_on=col("collected_on"), metastatic_on=col("collected_on")
    )
    observed = survival._observed(cohort, early.drop("collected_on"))
    assert len(observed) > 20
    assert observed["any_positive"].is_null().all(), "no specimen had been taken by that day"
    assert observed["her2_tested_on"].equals(observed["metastatic_on"])
    late = survival._observed(cohort, dates.with_columns(her2_tested_on=pl.lit(date(2099, 1, 1))))
    assert late["any_positive"].all()


def test_the_generator_and_the_report_agree_on_survival(report: Path, cohort: Cohort) -> None:
    """Delayed entry brings the median of the tested near that of all metastatic patients; ignoring it does not."""
    from lifelines import KaplanMeierFitter

    assert cohort.follow_up is not None
    everybody = cohort.follow_up.drop_nulls("metastatic_on")
    months = (everybody["followed_until"] - everybody["metastatic_on"]).dt.total_days() / 30.44
    truth = KaplanMeierFitter().fit(months.to_numpy(), everybody["died"].to_numpy()).median_survival_time_
    negative = tables_of(report)["survival-medians"][1]["median, months"]
    kept, _ = survival._compared(survival._observed(cohort, cohort.follow_up))
    naive = KaplanMeierFitter().fit(
        (kept["followed_until"] - kept["metastatic_on"]).dt.total_days().to_numpy() / 30.44, kept["died"].to_numpy()
    )
    assert negative["low"] < truth < negative["high"]
    assert naive.median_survival_time_ > 1.15 * truth


def test_a_factor_that_is_the_same_in_all_is_left_out_of_the_model(
    cohort: Cohort, recwarn: pytest.WarningsRecorder
) -> None:
    """A registry of RAS wild type: adjusted for side alone, and no advice of a library on the terminal."""
    kept, _ = survival._compared(survival._observed(cohort, survival._typed(cohort.follow_up)))
    wild_type = kept.with_columns(ras=pl.when(col("ras").is_not_null()).then(pl.lit("wild_type")))
    table = models(wild_type, survival._times(wild_type))
    factors = [row[1] for row in table.rows if str(row[0]).startswith("Cox, adjusted")]
    assert factors == ["HER2 positive", "right side"]
    assert not recwarn.list


def test_a_model_of_few_complete_cases_is_hidden_by_its_own_cells(cohort: Cohort) -> None:
    """The adjusted model has fewer patients than the comparison: its own cells decide whether it may be shown."""
    kept, _ = survival._compared(survival._observed(cohort, survival._typed(cohort.follow_up)))
    alone, adjusted = (
        next(row[3] for row in models(kept, survival._times(kept)).rows if row[0] == name and row[1] == factor)
        for name, factor in (("Cox, HER2 alone", "HER2 positive"), ("Cox, adjusted, complete cases", "HER2 positive"))
    )
    assert isinstance(alone, Figure)
    assert isinstance(adjusted, Figure)
    assert sum(adjusted.counts[::2]) < sum(alone.counts[::2]) == len(kept)


def test_a_follow_up_of_other_patients_is_said(registry: Path, knowledge: Knowledge, tmp_path: Path) -> None:
    others = pl.read_parquet(registry / "patients.parquet").with_columns(patient_id=col("patient_id") + "x")
    others.write_csv(tmp_path / "others.csv")
    section = survival_section(load_cohort(registry / "screened", knowledge, str(tmp_path / "others.csv")))
    assert "other patients" in section.impossible


def test_everybody_in_the_follow_up_is_accounted_for(report: Path) -> None:
    rows = rows_by(tables_of(report)["survival-who"], "patients")
    assert sum(row["of those in both tables"]["events"] for row in rows.values()) == PATIENTS
    compared = rows["compared"]["of those in both tables"]["events"]
    groups = rows_by(tables_of(report)["survival-medians"], "group")
    assert sum(row["patients"] for row in groups.values()) == compared


# ---- what is counted


def test_the_undecided_are_in_no_denominator(report: Path, cohort: Cohort) -> None:
    rows = rows_by(tables_of(report)["prevalence-by_rule"], "rule")
    for item in cohort.rules.values():
        row, counts = rows[item.name], cohort.patients[item.id].value_counts()
        by_code = dict(zip(counts[item.id].to_list(), counts["count"].to_list(), strict=True))
        share = row["positive, of decided"]
        assert share["total"] == by_code.get(POSITIVE, 0) + by_code.get(NEGATIVE, 0)
        undecided = row["equivocal"] + row["indeterminate"]
        assert row["at most, of all covered"]["events"] == share["events"] + undecided
        assert share["total"] + undecided + row["not covered"] == PATIENTS


def test_groups_add_up_with_the_unknown_shown(report: Path) -> None:
    for column in ("ras", "side", "stage"):
        row = tables_of(report)[f"prevalence-by_{column}"][0]
        assert row["rule"] == "any rule"
        assert "unknown" in row
        events = sum(cell["events"] for name, cell in row.items() if name != "rule")
        assert events == sum(c["events"] for n, c in tables_of(report)["prevalence-by_ras"][0].items() if n != "rule")


def test_missed_patients_are_those_of_the_frames(report: Path, cohort: Cohort) -> None:
    listed = {row["patient"] for row in tables_of(report)["missed-untested"]}
    tested = cohort.specimens.filter(col("has_ihc") | col("has_ish") | col("has_ngs") | col("has_plasma"))["patient_id"]
    advised = cohort.patients.filter(col("testing_recommended"))
    assert listed == set(advised["patient_id"]) - set(tested)
    untreated = {row["patient"] for row in tables_of(report)["missed-untreated"]}
    expected = cohort.patients.filter(col("any_positive") & col("metastatic") & ~col("prior_anti_her2"))
    assert untreated == set(expected["patient_id"])
    assert listed
    assert untreated


def test_performance_is_against_the_truth(report: Path, cohort: Cohort) -> None:
    assert cohort.truth is not None
    truth = cohort.truth.group_by("patient_id").agg(col("patient_amplified").first())
    joined = cohort.patients.join(truth, on="patient_id")
    amplified = joined.filter("patient_amplified")
    row = rows_by(tables_of(report)["performance-accuracy"], "rule")[cohort.rules["triumph"].name]
    assert row["found, of all amplified"]["events"] == int((amplified["triumph"] == POSITIVE).sum())
    assert row["found, of all amplified"]["total"] == len(amplified)
    for losses in tables_of(report)["performance-losses"]:
        parts = ("no HER2 test at all", "tested, but undecided", "called negative")
        assert sum(losses[part] for part in parts) == losses["not found"]


def test_a_perfect_assay_of_the_truth_gives_the_truth(registry: Path, knowledge: Knowledge, tmp_path: Path) -> None:
    """Every tissue read as it is: no rule errs, but for metastases that nobody sampled and only plasma shows."""
    truth = pl.read_parquet(registry / "truth.parquet")
    places = pl.read_parquet(registry / "specimens.parquet").select("specimen_id", "tumour", "site", "specimen_kind")
    tissue = truth.join(places, on="specimen_id").filter(col("site") != "plasma")
    high = pl.when(col("amplified"))
    read = tissue.select(
        *("patient_id", "specimen_id", "tumour", "site", "specimen_kind"),
        high.then(3).otherwise(0).alias("ihc_score"),
        high.then(90).otherwise(0).alias("ihc_percent"),
        high.then(400).otherwise(80).alias("ish_her2_signals"),
        pl.lit(80).alias("ish_cep17_signals"),
        pl.lit(40).alias("ish_nuclei"),
    )
    read.write_parquet(tmp_path / "perfect.parquet")
    screen(tmp_path / "perfect.parquet", tmp_path / "screened", knowledge=knowledge)
    cohort = load_cohort(tmp_path / "screened", knowledge, truth=str(registry / "truth.parquet"))
    by_patient = tissue.group_by("patient_id").agg(col("amplified").any(), col("patient_amplified").any())
    unseen = by_patient.filter(col("patient_amplified") & ~col("amplified")).height
    amplified = by_patient["patient_amplified"].sum()
    rows = {str(row[0]): row for row in performance_section(cohort).tables[0].rows}
    for rule in ("destiny_crc01", "heracles_2015", "s1613", "mountaineer"):
        name = cohort.rules[rule].name
        assert rows[name][1:3] == (
            Share(amplified - unseen, amplified),
            Share(PATIENTS - amplified, PATIENTS - amplified),
        )


def test_every_statement_is_tested_or_said_to_be_impossible(report: Path) -> None:
    rows = tables_of(report)["associations-tests"]
    assert {row["statement"] for row in rows} == {"S05", "S06", "S18", "S19", "S22", "S23"}
    for row in rows:
        assert (row["p"] is not None) != row["test"].startswith("not possible")
        if row["p"] is not None:
            assert row["p, Holm"] >= row["p"]


def test_published_figures_come_with_difference_and_interval(report: Path, knowledge: Knowledge) -> None:
    rows = rows_by(tables_of(report)["prevalence-published"], "published")
    row = rows[knowledge.proportions["heracles_screen_2017"].label]
    here, published = row["this cohort, positive of decided"], row["published figure"]
    assert published["source"] == "heracles_aacr2017"
    assert (published["events"], published["total"]) == (69, 1299)
    value = 100 * (here["events"] / here["total"] - 69 / 1299)
    assert row["difference, points"]["value"] == pytest.approx(value, rel=1e-4)
    assert row["difference, points"]["low"] < value < row["difference, points"]["high"]


# ---- the page


def test_the_page_stands_alone_and_says_what_it_is(report: Path) -> None:
    page = (report / "index.html").read_text()
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert "url(" not in page
    assert page.count("Synthetic data.") == 1
    assert "SYNTHETIC DATA, no real patient" in page
    assert "Disclaimer." in page
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 5
    assert all("<title" in item and "<desc" in item and 'role="img"' in item for item in pictures)
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


def test_every_table_is_a_csv_and_every_file_says_synthetic(report: Path) -> None:
    files = sorted((report / "csv").iterdir())
    assert {path.name for path in files} == {f"{name}.synthetic.csv" for name in tables_of(report)}
    for path in files:
        rows = list(csv.reader(path.open()))
        assert {len(row) for row in rows} == {len(rows[0])}, path.name
    assert json.loads((report / "report.json").read_text())["synthetic"] is True


def test_the_same_screening_gives_the_same_report(
    report: Path, registry: Path, knowledge: Knowledge, tmp_path: Path
) -> None:
    again = write(registry, knowledge, tmp_path)
    assert (again / "report.json").read_bytes() == (report / "report.json").read_bytes()
    assert (again / "index.html").read_bytes() == (report / "index.html").read_bytes()


def test_a_cell_that_a_spreadsheet_would_run_is_text() -> None:
    table = Table("t", "t", ("patient", "n"), (("=HYPERLINK(1)", Count(3)), ("-2+cmd", Count(4))))
    assert as_csv(table) == "patient,n\n'=HYPERLINK(1),3\n'-2+cmd,4\n"


def test_small_p_values_are_not_written_as_zero() -> None:
    assert show(Figure(0.00001, 3, (9,), significant=True)).main == "<0.001"
    assert show(Figure(float("inf"), 1, (9,))).main == "not reached"
    assert show(Share(0, 0)).main == "\u2013"


# ---- small cells


@pytest.mark.parametrize("below", [1, -5])
def test_a_bound_that_hides_nothing_is_refused(below: int) -> None:
    with pytest.raises(UsageError, match="cannot be hidden"):
        disclose((), below)


def test_no_bound_changes_nothing() -> None:
    section = Section("s", "s", tables=(Table("t", "t", ("n",), ((Count(1),),)),))
    assert disclose((section,), 0) == (section,)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Count(0), Hidden("up to 5")),
        (Count(1), Hidden("up to 5")),
        (Count(5), Hidden("up to 5")),
        (Count(6), Count(8)),
        (Count(10), Count(8)),
        (Count(11), Count(13)),
        (Share(3, 1000), Hidden("up to 5 of 998")),
        (Share(98, 100), Hidden("all but up to 5 of 98")),
        (Share(2, 4), Hidden("of up to 5")),
        (Share(0, 52), Hidden("up to 5 of 53")),
        (Share(52, 52), Hidden("all but up to 5 of 53")),
        (Figure(1.2345, 2, (9, 3)), Hidden("hidden")),
        (Figure(1.2345, 2, (9, 0)), Hidden("hidden")),
        (Figure(1.2345, 2, (9, 30), (0.1234, 9.876)), Figure(1.2, 2, (9, 30), (0.12, 9.9))),
    ],
)
def test_small_cells_are_hidden_and_others_shown_by_classes(cell: Any, shown: Any) -> None:
    assert safe(cell, 5) == shown


def numbers(value: Any) -> Iterator[tuple[str, Any]]:
    """Every number of a report with the name it has."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from ((name, item),) if isinstance(item, int | float) else numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)


def test_a_shared_report_has_no_small_count_and_no_patient(shared_report: Path) -> None:
    tables = tables_of(shared_report)
    counts = [item for name, item in numbers(tables) if isinstance(item, int) and name != "value"]
    assert len(counts) > 500
    assert {item % 5 for item in counts if item not in published_counts(tables)} == {3}
    assert min(item for item in counts if item not in published_counts(tables)) > 5
    everything = "".join(path.read_text() for path in shared_report.rglob("*") if path.is_file())
    assert "SYN-0" not in everything
    assert not {"missed-untested", "missed-untreated", "agreement-differing", "survival-curve"} & set(tables)
    assert "up to 5 of" in (shared_report / "index.html").read_text()


def published_counts(tables: dict[str, Any]) -> set[int]:
    cells = [cell for rows in tables.values() for row in rows for cell in row.values()]
    return {
        cell[name]
        for cell in cells
        if isinstance(cell, dict) and "source" in cell
        for name in ("events", "total")
        if name in cell
    }


def test_a_hidden_test_is_not_said_to_be_impossible(report: Path, shared_report: Path) -> None:
    """Rounding two positive patients to none must not make "nobody is positive" of them."""
    exact, shared = (tables_of(folder)["associations-tests"] for folder in (report, shared_report))
    for one, two in zip(exact, shared, strict=True):
        assert one["test"].partition(",")[0] == two["test"].partition(",")[0]  # its direction may be hidden
    assert any(row["p"] == "hidden" for row in shared)
    assert any(isinstance(row["p"], float) for row in shared)


def test_an_earlier_report_with_small_cells_does_not_stay_behind(
    registry: Path, knowledge: Knowledge, tmp_path: Path
) -> None:
    write(registry, knowledge, tmp_path)
    assert list((tmp_path / "csv").glob("missed-untested*"))
    write(registry, knowledge, tmp_path, below=5)
    assert not list((tmp_path / "csv").glob("missed-untested*"))


@pytest.mark.parametrize(("below", "parts"), [(2, 3), (3, 3), (3, 4), (5, 2), (5, 3), (10, 2)])
def test_no_part_of_a_sum_is_found_out(below: int, parts: int) -> None:
    """The attack: all ways to make a total of parts that look the same must leave a hidden part open.

    Rounded to the nearest multiple of 5, 8 + 8 + 1 = 17 would be 10 + 10 + hidden = 15, which is true of 1 only.
    """
    looks: dict[tuple[Any, ...], list[set[int]]] = {}
    for some in product(range(3 * below + 1), repeat=parts):
        view = tuple(safe(Count(number), below) for number in (*some, sum(some)))
        for number, found in zip(some, looks.setdefault(view, [set() for _ in some]), strict=True):
            found.add(number)
    hidden = [
        found
        for view, numbers in looks.items()
        for cell, found in zip(view, numbers, strict=False)
        if isinstance(cell, Hidden)
    ]
    assert len(hidden) > parts
    assert all(len(found) > 1 for found in hidden if found & set(range(1, below)))


def test_no_hidden_cell_can_be_computed_from_the_totals(report: Path, shared_report: Path) -> None:
    """The attack on a report: from a total and the other groups, the least and the most that a hidden cell can be."""
    attacked = 0
    for column in ("ras", "side", "stage"):
        exact = rows_by(tables_of(report)[f"prevalence-by_{column}"], "rule")
        shared = rows_by(tables_of(shared_report)[f"prevalence-by_{column}"], "rule")
        totals = rows_by(tables_of(shared_report)["prevalence-by_rule"], "rule")
        for rule, row in shared.items():
            hidden = [name for name, cell in row.items() if isinstance(cell, str) and cell.startswith("up to 5")]
            total = totals.get(rule, {}).get("positive, of decided")
            if not hidden or not isinstance(total, dict):
                continue
            for name in hidden:
                attacked += 1
                least, most = bounds(row, name, total["events"])
                true = exact[rule][name]["events"]
                assert least <= true <= most
                assert most > least, f"{rule}, {column} {name} is {true}: found out"
    assert attacked > 20


def bounds(row: dict[str, Any], wanted: str, total: int) -> tuple[int, int]:
    """The whole numbers that the hidden cell can be, by integer programming over all cells of the row."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    names = [name for name in row if name != "rule"]
    ranges = [possible(row[name]) for name in names]
    low, high = (np.array([item[end] for item in ranges]) for end in (0, 1))
    least, most = around(total)
    rule = LinearConstraint(np.ones((1, len(names))), least, most)
    sign = np.array([1.0 if name == wanted else 0.0 for name in names])
    found = [
        milp(sign * way, constraints=rule, bounds=Bounds(low, high), integrality=np.ones(len(names))) for way in (1, -1)
    ]
    assert all(item.success for item in found), "the truth must be among what is possible"
    return round(found[0].fun), round(-found[1].fun)


def possible(cell: Any) -> tuple[float, float]:
    if isinstance(cell, dict):
        return around(cell["events"])
    return (0, 5) if cell.startswith("up to 5") else (0, 1000)


def around(shown: int) -> tuple[int, int]:
    """The counts that are shown as this one."""
    found = [count for count in range(shown - 5, shown + 6) if shown_as(count, 5) == shown]
    return found[0], found[-1]


def test_nothing_is_said_of_a_comparison_with_a_small_cell_behind_it(cohort: Cohort) -> None:
    """ "Nobody is decided negative" would say of each of a few patients what they are."""
    published = published_of("meta_overall", cohort)
    assert published
    for share in (Share(3, 3), Share(0, 0), Share(9, 12), Share(40, 40)):
        assert compare(share, published, 5) == Hidden("hidden")
        assert compare(share, published, 0) != Hidden("hidden")


# ---- the shipped cohort


@pytest.fixture(scope="module")
def origimed(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origimed")
    screen(ORIGIMED, folder / "screened", knowledge=knowledge)
    report_cohort(folder / "screened", folder / "report", knowledge)
    return folder / "report"


def test_the_shipped_cohort_has_its_published_counts(origimed: Path) -> None:
    tables = tables_of(origimed)
    by_stage = tables["prevalence-by_stage"][1]
    assert by_stage["rule"].startswith("any rule, at least")
    assert (by_stage["4"]["events"], by_stage["4"]["total"]) == (14, 439)
    by_site = tables["prevalence-by_site"][0]
    assert (by_site["other"]["events"], by_site["other"]["total"]) == (8, 160)
    assert sum(cell["total"] for name, cell in by_stage.items() if name != "rule") == 1225
    assert sum(cell["events"] for name, cell in by_stage.items() if name != "rule") == 27


def test_a_cohort_without_negatives_can_be_shared(origimed: Path, knowledge: Knowledge, tmp_path: Path) -> None:
    """Rules that never both decide leave empty tables behind; nobody counts as few."""
    report_cohort(origimed.parent / "screened", tmp_path, knowledge, suppress_below=5)
    rows = rows_by(tables_of(tmp_path)["prevalence-by_stage"], "rule")
    sure = rows["any rule, at least: found positive, of all in the group"]
    assert sure["1"] == "up to 5 of 68"
    assert sure["4"]["events"] == 13


def test_purity_of_the_shipped_cohort(origimed: Path) -> None:
    lowest = tables_of(origimed)["purity-calls"][0]
    assert lowest["purity"] == "up to 20 %"
    assert (lowest["of all called amplified"]["events"], lowest["of all called amplified"]["total"]) == (5, 27)
    assert lowest["called amplified, of specimens in the band"]["total"] == 142
    assert (lowest["called not amplified"], lowest["no call"]) == (0, 137)


def test_without_a_negative_nothing_is_compared_or_tested(origimed: Path) -> None:
    tables = tables_of(origimed)
    published = tables["prevalence-published"][0]
    assert published["at least, of all in the group"]["total"] == 1225
    assert published["difference, points"] == "not comparable: nobody is decided negative"
    assert all(row["test"].startswith("not possible") for row in tables["associations-tests"])
    parts = json.loads((origimed / "report.json").read_text())["sections"]
    assert {name for name, part in parts.items() if part["not_possible"]} == {
        *("concordance", "survival", "sweep", "redraw", "performance")
    }


def test_real_data_are_not_called_synthetic(origimed: Path) -> None:
    assert "ynthetic data" not in (origimed / "index.html").read_text()
    assert json.loads((origimed / "report.json").read_text())["synthetic"] is False
    assert not list((origimed / "csv").glob("*synthetic*"))


# ---- errors and the command


def test_what_is_not_a_screening_is_said(tmp_path: Path, knowledge: Knowledge) -> None:
    with pytest.raises(MissingInputError, match="no such folder"):
        report_cohort(tmp_path / "none", tmp_path / "out", knowledge)
    with pytest.raises(InputError, match="did not finish"):
        report_cohort(tmp_path, tmp_path / "out", knowledge)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        report_cohort(tmp_path, tmp_path / "out", knowledge)
    (tmp_path / "summary.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="another release"):
        report_cohort(tmp_path, tmp_path / "out", knowledge)
    (tmp_path / "summary.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match="as Parquet"):
        report_cohort(tmp_path, tmp_path / "out", knowledge)


def test_a_follow_up_that_is_not_there_is_said(registry: Path, knowledge: Knowledge, tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no such file"):
        report_cohort(registry / "screened", tmp_path, knowledge, follow_up=str(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda dates: dates.with_columns(followed_until=pl.lit("31.12.2020")), "followed_until holds what is no date"),
        (lambda dates: dates.with_columns(died=pl.lit("perhaps")), "died holds what is no yes or no"),
        (lambda dates: pl.concat([dates, dates.head(1)]), "more than once"),
        (lambda dates: dates.rename({"patient_id": "number"}), "patient_id"),
    ],
)
def test_a_follow_up_that_cannot_be_used_is_refused(
    change: Any, message: str, registry: Path, knowledge: Knowledge, tmp_path: Path
) -> None:
    change(pl.read_parquet(registry / "patients.parquet")).write_csv(tmp_path / "dates.csv")
    with pytest.raises(InputError, match=message):
        survival_section(load_cohort(registry / "screened", knowledge, str(tmp_path / "dates.csv")))


def test_a_follow_up_as_csv_gives_the_same(
    registry: Path, knowledge: Knowledge, cohort: Cohort, tmp_path: Path
) -> None:
    dates = pl.read_parquet(registry / "patients.parquet").with_columns(died=col("died").cast(int))
    dates.write_csv(tmp_path / "dates.csv")
    words = dates.with_columns(died=pl.when(col("died") == 1).then(pl.lit("Yes")).otherwise(pl.lit("no")))
    words.write_csv(tmp_path / "semicolons.csv", separator=";", include_bom=True)
    for name in ("dates.csv", "semicolons.csv"):
        section = survival_section(load_cohort(registry / "screened", knowledge, str(tmp_path / name)))
        assert section.tables == survival_section(cohort).tables, name


def test_a_truth_of_other_patients_is_said(registry: Path, knowledge: Knowledge, tmp_path: Path) -> None:
    truth = pl.read_parquet(registry / "truth.parquet").with_columns(patient_id=pl.lit("X"))
    truth.write_parquet(tmp_path / "truth.parquet")
    report = report_cohort(registry / "screened", tmp_path / "out", knowledge, truth=str(tmp_path / "truth.parquet"))
    assert "other patients" in report.not_possible["performance"]


def test_the_command_says_what_it_wrote_and_what_was_not_possible(registry: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(cohort_report_command, [str(registry / "screened"), "-o", str(tmp_path)])
    assert run.exit_code == 0, run.output
    assert "index.html" in run.output
    assert "not possible, survival: No table of follow-up" in run.output
    assert "synthetic" in run.output


def test_days_before_metastatic_disease_do_not_count(cohort: Cohort) -> None:
    """A result from before metastatic disease lets observation begin at metastatic disease, not before."""
    assert cohort.follow_up is not None
    before = cohort.follow_up.with_columns(her2_tested_on=pl.lit(date(1990, 1, 1)))
    kept, _ = survival._compared(survival._observed(cohort, before))
    assert (kept["her2_tested_on"] >= kept["metastatic_on"]).all()
