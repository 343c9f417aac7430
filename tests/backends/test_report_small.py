"""``cohort-report`` on small cohorts made by hand, every count of which is known: nobody left out unsaid."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import her2crc
from her2crc.criteria.library import Knowledge

pytest.importorskip("pyarrow")
pytest.importorskip("polars")
pytest.importorskip("scipy")

HEADER = (
    "patient_id,specimen_id,tumour,site,ihc_score,ihc_percent,ngs_copies,ngs_call,tumour_purity,ras,metastatic,stage\n"
)


def reported(folder: Path, rows: str, knowledge: Knowledge, **options: Any) -> dict[str, Any]:
    """The JSON of the report on a table."""
    (folder / "given.csv").write_text(HEADER + rows, encoding="utf-8")
    her2crc.screen(folder / "given.csv", folder / "screened", knowledge=knowledge, engine="kernel", overwrite=True)
    her2crc.report_cohort(folder / "screened", folder / "report", knowledge, **options)
    found: dict[str, Any] = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    return found


def table(report: dict[str, Any], section: str, name: str, by: str) -> dict[str, dict[str, Any]]:
    return {row[by]: row for row in report["sections"][section]["tables"][name]}


def test_staining_of_another_tumour_is_no_test_of_the_colorectal_one(tmp_path: Path, knowledge: Knowledge) -> None:
    rows = "".join(
        (
            "P1,A,breast,primary,3,90,,,,wild_type,true,4\n",
            "P1,B,colorectal,primary,,,,,,wild_type,true,4\n",  # to be tested, and never was
            "P2,A,colorectal,primary,3,90,12,amplified,0.6,wild_type,true,4\n",
            "P2,B,breast,primary,0,,2,not_amplified,0.6,,,\n",
            "P3,A,,primary,0,,,,,wild_type,true,4\n",  # tumour not stated: of a colorectal cohort
        )
    )
    report = reported(tmp_path, rows, knowledge)
    methods = table(report, "flow", "methods", "method")
    assert methods["IHC"]["patients with a result, of all"]["events"] == 2
    assert methods["no HER2 result at all"]["patients with a result, of all"]["events"] == 1
    missed = table(report, "missed", "missed", "what")
    assert missed["no HER2 result, of those to be tested"]["patients"]["events"] == 1
    assert [row["patient"] for row in report["sections"]["missed"]["tables"]["untested"]] == ["P1"]
    scores = table(report, "flow", "ihc_details", "score")
    assert {name: row["specimens"] for name, row in scores.items()} == {"0": 1, "3+": 1}
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "specimens of other tumours, which are in no count: 2." in page


def test_every_sequenced_specimen_is_in_a_band_and_under_a_call(tmp_path: Path, knowledge: Knowledge) -> None:
    calls = ["amplified", "equivocal", "not_amplified", ""]
    purities = ["0", "0.2", "0.25", "1"]
    pairs = [(call, purity) for call in calls for purity in purities]
    rows = "".join(f"P{at},A,colorectal,primary,,,5,{c},{p},,,\n" for at, (c, p) in enumerate(pairs))
    found = table(reported(tmp_path, rows, knowledge), "purity", "calls", "purity")
    bands = [row for name, row in found.items() if name.startswith(("up to", "over"))]
    assert [row["called amplified, of specimens in the band"]["total"] for row in bands] == [8, 4, 0, 0, 0, 4]
    for row in (*bands, found["all with known purity"]):
        share = row["called amplified, of specimens in the band"]
        rest = row["called equivocal"] + row["called not amplified"] + row["no call"]
        assert share["events"] + rest == share["total"]


def test_a_positive_patient_of_unknown_extent_is_counted(tmp_path: Path, knowledge: Knowledge) -> None:
    rows = "".join(
        f"P{at},A,colorectal,primary,3,90,,,,wild_type,{extent},\n"
        for at, extent in enumerate(("true", "", "", "false"))
    )
    missed = table(reported(tmp_path, rows, knowledge), "missed", "missed", "what")
    unknown = next(
        row["patients"] for name, row in missed.items() if name.startswith("whether the disease is metastatic")
    )
    assert (unknown["events"], unknown["total"]) == (2, 4)


@pytest.mark.parametrize(("positive", "direction"), [((0, 1, 2, 8), "rising"), ((8, 2, 1, 0), "falling")])
def test_a_trend_says_its_direction(
    positive: tuple[int, ...], direction: str, tmp_path: Path, knowledge: Knowledge
) -> None:
    rows = "".join(
        f"P{stage}{at},A,colorectal,primary,{3 if at < hits else 0},90,,,,wild_type,,{stage}\n"
        for stage, hits in enumerate(positive, 1)
        for at in range(10)
    )
    tests = table(reported(tmp_path, rows, knowledge), "associations", "tests", "question")
    assert tests["rising UICC stage"]["test"] == f"Cochran-Armitage, {direction}"


def test_shares_of_redrawn_verdicts_say_of_how_many(tmp_path: Path, knowledge: Knowledge) -> None:
    rows = "P1,A,colorectal,primary,3,90,,,,wild_type,true,4\nP2,A,colorectal,primary,3,51,,,,wild_type,true,4\n"
    rows += "P3,A,colorectal,primary,0,5,,,,wild_type,true,4\n"
    name = knowledge.criteria["heracles_2015"].name
    flips = table(reported(tmp_path, rows, knowledge), "redraw", "flips", "rule")[name]
    assert (flips["positive"], flips["negative"]) == (2, 1)


def test_what_was_said_when_reading_stands_in_the_report(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "given.csv").write_text("patient_id,ihc_scoer\nP1,3\n", encoding="utf-8")
    her2crc.screen(tmp_path / "given.csv", tmp_path / "screened", knowledge=knowledge, engine="kernel")
    her2crc.report_cohort(tmp_path / "screened", tmp_path / "report", knowledge)
    assert "did you mean ihc_score?" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def test_a_report_by_other_rules_than_the_screening_says_so(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "given.csv").write_text("patient_id,ihc_score\nP1,3\n", encoding="utf-8")
    her2crc.screen(tmp_path / "given.csv", tmp_path / "screened", knowledge=her2crc.load_knowledge(date(2019, 1, 1)))
    her2crc.report_cohort(tmp_path / "screened", tmp_path / "report", knowledge)
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "<dt>Screened as of</dt><dd>2019-01-01</dd>" in page
    assert "not screened under these sets" in page
    her2crc.report_cohort(tmp_path / "screened", tmp_path / "again", her2crc.load_knowledge(date(2019, 1, 2)))
    assert json.loads((tmp_path / "again" / "report.json").read_text(encoding="utf-8"))["screened"]["doubts"] == []


@pytest.mark.parametrize("day", [date(2012, 1, 1), date(2015, 6, 1), date(2018, 1, 1)])
def test_a_report_of_an_earlier_day_has_what_was_out_then(day: date, tmp_path: Path, knowledge: Knowledge) -> None:
    rows = (
        "P1,A,colorectal,primary,3,90,12,amplified,0.6,wild_type,true,4\nP2,A,colorectal,primary,0,,,,,mutant,true,4\n"
    )
    reported(tmp_path, rows, knowledge)
    earlier = her2crc.load_knowledge(day)
    rules = [item.name for item in earlier.criteria.values() if item.role == "rule" and item.rows]
    if not rules:
        with pytest.raises(her2crc.errors.UsageError, match="no rule was out"):
            her2crc.report_cohort(tmp_path / "screened", tmp_path / "earlier", earlier)
        return
    her2crc.report_cohort(tmp_path / "screened", tmp_path / "earlier", earlier)
    found = json.loads((tmp_path / "earlier" / "report.json").read_text(encoding="utf-8"))
    assert set(table(found, "prevalence", "by_rule", "rule")) <= set(rules)


def test_those_at_risk_are_those_who_have_entered_and_not_left() -> None:
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("lifelines")
    from her2crc.cohort.report.hazards import Times
    from her2crc.cohort.report.survival import _Curves

    positive = numpy.arange(60) % 2 == 0
    entry = numpy.where(numpy.arange(60) < 50, 0.0, 800.0)  # five of each group enter after two years
    leaves = numpy.where((numpy.arange(60) < 12) & positive, 500.0, 1200.0)  # six positive ones leave before
    table = _Curves(Times(entry, leaves, numpy.arange(60) % 3 == 0, positive)).at_risk()
    assert [(row[0], row[1].n, row[2].n) for row in table.rows] == [
        ("12", 25, 25),
        ("24", 19, 25),
        ("36", 24, 30),
    ]
