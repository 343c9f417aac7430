"""Measuring counted signals: exact numbers, intervals, what rules say, and what a reader must know."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from math import isclose
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError, UsageError
from her2crc.flow import assess, load_knowledge, read_patients
from her2crc.measure.ish import measure_ish
from her2crc.measure.ish_interval import moments_of, ratio_interval
from her2crc.measure.ish_values import IshMeasurement
from her2crc.model.proportion import beta_cumulative, exact_interval, student_quantile


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


Nuclei = list[tuple[int, int | None]]


def measure(
    nuclei: Nuclei, knowledge: Knowledge, folder: Path, extra: list[str] | None = None, **options: object
) -> IshMeasurement:
    head = "HER2,CEP17" if nuclei[0][1] is not None else "HER2"
    names = extra[0] if extra else ""
    lines = [f"{head}{names}"]
    for number, (her2, cep17) in enumerate(nuclei):
        cells = str(her2) if cep17 is None else f"{her2},{cep17}"
        lines.append(cells + (extra[number + 1] if extra else ""))
    path = folder / "counts.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (found,) = measure_ish(path, knowledge, **options)  # type: ignore[arg-type]
    return found


NORMAL: Nuclei = [(2, 2), (2, 2), (1, 2), (2, 1), (2, 2)] * 8
AMPLIFIED: Nuclei = [(14, 2), (22, 2), (9, 1), (16, 2), (11, 2)] * 8
POLYSOMY: Nuclei = [(7, 5), (6, 4), (8, 6), (6, 5), (7, 5)] * 8


# ---- arithmetic


@given(st.floats(0.001, 0.999), st.integers(1, 400), st.integers(1, 400))
@settings(deadline=None, max_examples=200)
def test_the_beta_distribution_is_scipys(x: float, a: int, b: int) -> None:
    assert isclose(beta_cumulative(x, a, b), stats.beta.cdf(x, a, b), abs_tol=1e-9)


@pytest.mark.parametrize("degrees", [1, 4, 19, 99, 1000])
@pytest.mark.parametrize("probability", [0.005, 0.3, 0.5, 0.975])
def test_students_quantile_is_scipys(degrees: int, probability: float) -> None:
    assert isclose(
        student_quantile(probability, degrees), stats.t.ppf(probability, degrees), abs_tol=1e-7, rel_tol=1e-7
    )


@given(st.integers(1, 300), st.data())
@settings(deadline=None, max_examples=60)
def test_the_exact_interval_is_scipys(total: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, total))
    known = stats.binomtest(events, total).proportion_ci(0.95, "exact")
    assert exact_interval(events, total, 0.95) == pytest.approx((known.low, known.high), abs=1e-9)


def test_published_counts_have_their_published_intervals() -> None:
    for events, total, low, high in ((28, 29, 82.2, 99.9), (22, 30, 54.1, 87.7), (20, 30, 47.2, 82.7)):
        found = exact_interval(events, total, 0.95)
        assert [round(100 * limit, 1) for limit in found] == [low, high]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), min_size=3, max_size=60))
@settings(deadline=None, max_examples=150)
def test_the_interval_holds_the_ratio_in_any_order(nuclei: list[tuple[int, int]]) -> None:
    her2, cep17 = [float(h) for h, _ in nuclei], [float(c) for _, c in nuclei]
    interval = ratio_interval(moments_of(her2, cep17), 0.95, 20)
    if not sum(her2):
        assert interval is None
        return
    assert interval is not None
    ratio = sum(her2) / sum(cep17)
    assert interval[0] <= ratio * (1 + 1e-12)
    assert interval[1] >= ratio * (1 - 1e-12)
    backwards = ratio_interval(moments_of(her2[::-1], cep17[::-1]), 0.95, 20)
    assert backwards == pytest.approx(interval, rel=1e-6)


def test_fifty_nuclei_alike_have_an_interval_that_covers_on_simulated_counts() -> None:
    """The whole comparison stands in bench/validate_ish.py; here enough to see a broken interval."""
    random, held = Random(5), 0
    for _ in range(400):
        amplified = [random.random() < 0.3 for _ in range(50)]
        her2 = [float(round(random.gammavariate(4, 3.5))) if flag else 2.0 for flag in amplified]
        interval = ratio_interval(moments_of(her2, [2.0] * 50), 0.95, 20)
        assert interval is not None
        held += interval[0] <= (14 * 0.3 + 2 * 0.7) / 2 <= interval[1]
    assert 0.92 <= held / 400 <= 0.99


# ---- numbers


def test_numbers_are_exact(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure(AMPLIFIED, knowledge, tmp_path)
    her2, cep17 = sum(h for h, _ in AMPLIFIED), sum(c or 0 for _, c in AMPLIFIED)
    assert found.ratio is not None
    assert Fraction(found.ratio.exact) == Fraction(her2, cep17)
    assert found.her2_copies is not None
    assert Fraction(found.her2_copies.exact) == Fraction(her2, 40)
    assert found.amplified_nuclei is not None
    assert (found.amplified_nuclei.events, found.amplified_nuclei.total) == (40, 40)


def test_a_ratio_of_exactly_two_is_two_and_not_a_float(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure([(6, 3), (4, 2), (2, 1)] * 7, knowledge, tmp_path, given={"ihc_score": "2", "ihc_percent": "90"})
    by_set = {rule.set: rule for rule in found.rules}
    assert by_set["fujii_2020"].exact_status == "positive"
    assert by_set["csco_article"].exact_status == "negative"


def test_the_specimen_that_is_written_is_judged_as_the_measurement_says(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure(AMPLIFIED, knowledge, tmp_path, given={"ihc_score": "2", "ihc_percent": "90"})
    table = io.StringIO()
    writer = csv.DictWriter(table, found.specimen)
    writer.writeheader()
    writer.writerow(found.specimen)
    (patient,) = read_patients(table.getvalue().encode(), knowledge, "specimens.csv")
    assert not patient.issues
    verdicts = assess(patient, knowledge).criteria
    assert found.rules
    for rule in found.rules:
        assert verdicts[rule.set].specimens[found.specimen_id].status == rule.as_given == rule.exact_status


# ---- rules


def test_without_staining_the_rule_is_shown_for_two_plus_and_says_so(knowledge: Knowledge, tmp_path: Path) -> None:
    by_set = {rule.set: rule for rule in measure(AMPLIFIED, knowledge, tmp_path).rules}
    assert by_set["heracles_2015"].as_given == "indeterminate"
    assert by_set["heracles_2015"].assumed["ihc_score"] == "2"
    assert by_set["heracles_2015"].outcome == "met"
    assert by_set["sun_2023"].assumed == {}
    assert by_set["sun_2023"].outcome == "met"


def test_a_clear_tumour_is_settled_and_a_borderline_one_is_not(knowledge: Knowledge, tmp_path: Path) -> None:
    clear = measure(NORMAL, knowledge, tmp_path)
    assert all(rule.settled and rule.more_nuclei == 0 for rule in clear.rules)
    border: Nuclei = [(5, 2), (3, 2), (4, 2), (6, 3), (3, 2)] * 4
    open_rules = [rule for rule in measure(border, knowledge, tmp_path).rules if not rule.settled]
    assert open_rules
    assert all(rule.more_nuclei is None or rule.more_nuclei > 0 for rule in open_rules)
    assert all(isclose(sum(rule.chances.values()), 1, abs_tol=1e-9) for rule in open_rules)


def test_more_nuclei_make_the_same_tumour_surer(knowledge: Knowledge, tmp_path: Path) -> None:
    few: Nuclei = [(7, 2), (2, 2), (3, 2), (5, 2), (4, 1)]
    chance = {}
    for times in (4, 24):
        rules = {rule.set: rule for rule in measure(few * times, knowledge, tmp_path).rules}
        chance[times] = rules["fujii_2020"].chances["positive"]
    assert chance[24] >= chance[4]


def test_the_chance_of_the_share_is_that_of_the_beta_posterior(knowledge: Knowledge, tmp_path: Path) -> None:
    """All amplified nuclei alike, far above 2, so that only the share of 50 % is in question."""
    nuclei: Nuclei = [(40, 2)] * 22 + [(2, 2)] * 18
    rules = {rule.set: rule for rule in measure(nuclei, knowledge, tmp_path).rules}
    expected = 1 - stats.beta.cdf(0.5, 23, 19)
    assert rules["heracles_2015"].chances["positive"] == pytest.approx(expected, abs=0.02)


# ---- what a reader must know


def test_many_copies_with_a_low_ratio_are_shown(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure(POLYSOMY, knowledge, tmp_path)
    assert {item.id for item in found.caveats} == {"polysomy_or_coamplified"}
    by_set = {rule.set: rule for rule in found.rules}
    assert by_set["sun_2023"].exact_status == "positive"
    assert by_set["fujii_2020"].exact_status == "negative"


def test_one_probe_gives_copies_and_no_ratio(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure([(9, None), (11, None), (12, None), (8, None)] * 5, knowledge, tmp_path)
    assert (found.probes, found.ratio, found.cep17_copies) == ("single", None, None)
    assert "single_probe" in {item.id for item in found.caveats}
    by_set = {rule.set: rule for rule in found.rules}
    assert by_set["sun_2023"].outcome == "met"
    assert by_set["fujii_2020"].outcome == "cannot_decide"


def test_totals_have_an_interval_and_say_what_it_takes_for_granted(knowledge: Knowledge, tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    path.write_text("HER2,CEP17,nuclei\n132,60,30\n", encoding="utf-8")
    (found,) = measure_ish(path, knowledge)
    assert found.ratio is not None
    assert found.ratio.exact == "132/60"
    assert found.ratio.interval == pytest.approx((1.62, 2.98), abs=0.02)
    assert "totals_only" in {item.id for item in found.caveats}
    assert found.amplified_nuclei is None


def test_counting_rules_of_breast_and_none_for_the_colon(knowledge: Knowledge, tmp_path: Path) -> None:
    breast, colon = measure(NORMAL[:19], knowledge, tmp_path).counting_rules
    assert (breast.tumour, breast.met) == ("breast", False)
    assert (colon.tumour, colon.met) == ("colorectal", None)
    assert measure(NORMAL[:20], knowledge, tmp_path).counting_rules[0].met


def test_clusters_are_told_from_scatter_only_where_the_place_is_known(knowledge: Knowledge, tmp_path: Path) -> None:
    nuclei: Nuclei = [(20, 2)] * 10 + [(2, 2)] * 30
    together = [",region", *([",A"] * 12), *([",B"] * 28)]
    mixed = [",region", *([",A", ",B"] * 20)]
    found = [measure(nuclei, knowledge, tmp_path, extra).spread for extra in (together, mixed, None)]
    assert [item.pattern if item else None for item in found] == ["clustered", "no_cluster_seen", "unknown"]
    assert [item.basis if item else None for item in found] == ["regions", "regions", "none"]


def test_coordinates_show_a_cluster(knowledge: Knowledge, tmp_path: Path) -> None:
    random = Random(2)
    nuclei: Nuclei = [(20, 2)] * 10 + [(2, 2)] * 30
    extra = [",x,y"]
    extra += [f",{random.uniform(0, 10)},{random.uniform(0, 10)}" for _ in range(10)]
    extra += [f",{random.uniform(30, 100)},{random.uniform(30, 100)}" for _ in range(30)]
    spread = measure(nuclei, knowledge, tmp_path, extra).spread
    assert spread is not None
    assert (spread.pattern, spread.basis) == ("clustered", "coordinates")


def test_observers_that_differ_are_both_shown(knowledge: Knowledge, tmp_path: Path) -> None:
    nuclei = AMPLIFIED[:20] + NORMAL[:20]
    extra = [",observer", *([",first"] * 20), *([",second"] * 20)]
    found = measure(nuclei, knowledge, tmp_path, extra)
    assert found.observers_agree is False
    assert [item.name for item in found.observers] == ["first", "second"]
    assert "observers_differ" in {item.id for item in found.caveats}


def test_the_same_nuclei_read_twice_are_not_more_nuclei(knowledge: Knowledge, tmp_path: Path) -> None:
    once = measure(POLYSOMY[:20], knowledge, tmp_path)
    extra = [",observer,nucleus", *(f",{name},{n}" for name in ("a", "b") for n in range(20))]
    twice = measure(POLYSOMY[:20] * 2, knowledge, tmp_path, extra)
    assert once.ratio is not None
    assert twice.ratio is not None
    assert once.ratio.interval == pytest.approx(twice.ratio.interval)
    assert "same_nuclei" in {item.id for item in twice.caveats}
    assert twice.observers_agree


def test_nuclei_without_control_have_no_ratio_but_count_in_the_sums(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure([(4, 2), (3, 0), (2, 2), (5, 1)] * 6, knowledge, tmp_path)
    assert found.her2_signals == 84
    assert found.amplified_nuclei is not None
    assert found.amplified_nuclei.total == 18
    assert "no_control_in_nucleus" in {item.id for item in found.caveats}


def test_no_control_signal_at_all_gives_no_ratio(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure([(4, 0), (3, 0), (2, 0)] * 7, knowledge, tmp_path)
    assert found.ratio is None
    assert all(rule.outcome != "met" for rule in found.rules if rule.set == "fujii_2020")


def test_given_facts_are_checked(knowledge: Knowledge, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        measure(NORMAL, knowledge, tmp_path, given={"ihc_score": "7"})
    with pytest.raises(UsageError):
        measure(NORMAL, knowledge, tmp_path, given={"nonsense": "1"})


def test_the_same_input_gives_the_same_answer(knowledge: Knowledge, tmp_path: Path) -> None:
    extra = [",region", *([",A", ",B"] * 20)]
    assert measure(AMPLIFIED, knowledge, tmp_path, extra) == measure(AMPLIFIED, knowledge, tmp_path, extra)


@pytest.mark.parametrize("nuclei", [AMPLIFIED, NORMAL, [(9, None)] * 20, [(3, 1)]])
def test_the_picture_is_one_valid_svg_with_every_nucleus(nuclei: Nuclei, knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure(nuclei, knowledge, tmp_path)
    tree = ElementTree.fromstring(found.svg())
    circles = tree.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == (len(nuclei) if nuclei[0][1] is not None else 0)
    assert found.text().startswith("P1, S1: HER2")


def test_one_nucleus_settles_nothing(knowledge: Knowledge, tmp_path: Path) -> None:
    found = measure([(4, 2)], knowledge, tmp_path)
    assert found.ratio is not None
    assert (found.ratio.exact, found.ratio.interval, found.rules) == ("4/2", None, ())


@pytest.mark.parametrize("nuclei", [[(2, 2)] * 6, [(4, 2), (6, 3), (2, 1)] * 2])
def test_nuclei_alike_are_no_certainty(nuclei: Nuclei, knowledge: Knowledge, tmp_path: Path) -> None:
    """Without a floor their variance is 0 and the interval a point."""
    found = measure(nuclei, knowledge, tmp_path)
    assert found.ratio is not None
    assert found.ratio.interval is not None
    assert found.ratio.interval[1] > found.ratio.value > found.ratio.interval[0]


def test_a_ratio_on_the_threshold_in_every_nucleus_is_not_settled(knowledge: Knowledge, tmp_path: Path) -> None:
    rules = {rule.set: rule for rule in measure([(4, 2), (6, 3), (2, 1)] * 7, knowledge, tmp_path).rules}
    assert not rules["fujii_2020"].settled
    assert rules["fujii_2020"].exact_status == "positive"


def test_no_her2_signal_at_all_is_a_failed_test_and_no_negative(knowledge: Knowledge, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a negative"):
        measure([(0, 2)] * 20, knowledge, tmp_path)


def test_facts_in_the_table_go_with_their_specimen(knowledge: Knowledge, tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    path.write_text(
        "patient_id,specimen_id,site,ihc_score,ihc_percent,ish_her2_signals,ish_cep17_signals,ish_nuclei\n"
        "P,A,liver,2+,80,132,60,30\nP,B,primary,four,10,60,60,30\n",
        encoding="utf-8",
    )
    first, second = measure_ish(path, knowledge)
    assert (first.specimen["ihc_score"], first.specimen["site"]) == ("2", "liver")
    assert not any(rule.assumed for rule in first.rules)
    assert "ihc_score" not in second.specimen
    assert [(issue.field, issue.level) for issue in second.issues] == [("ihc_score", "error")]


def test_no_chance_is_stated_where_no_ratio_is_known(knowledge: Knowledge, tmp_path: Path) -> None:
    """It was "< 1 % that it is met", which reads as a negative."""
    text = measure([(8, None)] * 20, knowledge, tmp_path).text()
    line = next(line for line in text.splitlines() if "destiny_crc01" in line)
    assert "cannot decide (equivocal)" in line
    assert "%" not in line


def test_the_chances_of_an_undecided_rule_are_those_of_its_verdicts(knowledge: Knowledge, tmp_path: Path) -> None:
    text = measure([(4, 2), (6, 3), (2, 1)] * 7, knowledge, tmp_path).text()
    line = next(line for line in text.splitlines() if "fujii_2020" in line)
    assert "cannot decide (negative " in line
    assert ", positive " in line


def test_a_control_that_failed_in_every_nucleus_is_said(knowledge: Knowledge, tmp_path: Path) -> None:
    for found in (measure([(8, 0)] * 20, knowledge, tmp_path), measure_totals("120,0,20", knowledge, tmp_path)):
        assert [item.id for item in found.caveats if "control" in item.id] == ["no_control"]


def test_an_unknown_number_of_nuclei_does_not_miss_a_minimum(knowledge: Knowledge, tmp_path: Path) -> None:
    assert [rule.met for rule in measure_totals("120,40,", knowledge, tmp_path).counting_rules] == [None, None]


def measure_totals(row: str, knowledge: Knowledge, tmp_path: Path) -> IshMeasurement:
    path = tmp_path / "totals.csv"
    path.write_text(f"HER2,CEP17,nuclei\n{row}\n", encoding="utf-8")
    return measure_ish(path, knowledge)[0]


def test_the_second_observer_of_the_breast_rule(knowledge: Knowledge, tmp_path: Path) -> None:
    rows = [f"{who},{number},4,2" for who, count in (("A", 20), ("B", 12)) for number in range(count)]
    path = tmp_path / "two.csv"
    path.write_text("observer,nucleus,HER2,CEP17\n" + "\n".join(rows), encoding="utf-8")
    breast = measure_ish(path, knowledge)[0].counting_rules[0]
    assert (breast.met, breast.second_observer_met) == (True, False)
