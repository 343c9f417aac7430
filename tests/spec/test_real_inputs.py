"""Real tumours through the public door: the ERBB2-amplified colorectal ones of a cohort, and published copies.

The cohort gives log2 copy ratios, so only a fold change and the laboratory's call are known of it; rows with a value
of 0.0 had no event called, which is no call of "not amplified".
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from her2crc import Assessment, assess, read_patients
from her2crc.criteria.library import Knowledge

Answer = Callable[..., Assessment]

COHORT = "data/cohort_origimed/crc_erbb2_subset.tsv"
COPY_SETS = ("yeh_2019", "cenaj_2019", "strata_2019", "fujii_cnv")
BY_CALL = ("singh_2024", "mountaineer", "mypathway")
KINDS = {"Surgery": "resection", "Biopsy/Paracentesis": "biopsy"}
SITES = {"Primary": "primary", "Metastasis": "other"}
COLUMNS = (
    "patient_id",
    "specimen_id",
    "tumour",
    "site",
    "specimen_kind",
    "stage",
    "ngs_fold",
    "ngs_call",
    "tumour_purity",
)


def specimen_row(tumour: Mapping[str, str]) -> dict[str, str]:
    """One tumour of the cohort in the columns of the specimen table; what the cohort does not say stays blank."""
    log2 = tumour["log2_ERBB2"]
    amplified = bool(log2) and float(log2) > 0
    stage = tumour["AJCC_PATHOLOGIC_TUMOR_STAGE"]
    purity = tumour["TUMOR_PURTITY"]
    return {
        "patient_id": tumour["PATIENT_ID"],
        "specimen_id": tumour["SAMPLE_ID"],
        "tumour": "colorectal",
        "site": SITES.get(tumour["SAMPLE_TYPE"], ""),
        "specimen_kind": KINDS.get(tumour["SPECIMEN_TYPE"], ""),
        "stage": "" if stage == "Unknown" else stage,
        "ngs_fold": str(round(2 ** float(log2), 4)) if log2 else "",
        "ngs_call": "amplified" if amplified else "",
        "tumour_purity": f"{purity} %" if purity.replace(".", "").isdigit() else "",
    }


def assess_table(rows: list[dict[str, str]], path: Path, knowledge: Knowledge) -> list[Assessment]:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return [assess(patient, knowledge) for patient in read_patients(path, knowledge)]


@pytest.fixture(scope="module")
def cohort(shared: Path) -> list[dict[str, str]]:
    with (shared / COHORT).open(newline="", encoding="utf-8") as file:
        return [specimen_row(tumour) for tumour in csv.DictReader(file, delimiter="\t")]


@pytest.fixture(scope="module")
def amplified(cohort: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Any:
    rows = [row for row in cohort if row["ngs_call"]]
    return rows, assess_table(rows, tmp_path_factory.mktemp("cohort") / "amplified.csv", knowledge)


def test_all_27_amplified_tumours_go_through(amplified: tuple[list[dict[str, str]], list[Assessment]]) -> None:
    rows, answers = amplified
    assert len(rows) == len(answers) == 27
    assert [item.patient_id for item in answers] == [row["patient_id"] for row in rows]
    assert not [issue for item in answers for issue in (*item.errors, *item.warnings)]
    purities = [item.patient.specimens[0].tissue.tumour_purity for item in answers]
    assert all(purity is None or 0 < purity <= 1 for purity in purities) and any(purities)
    staged = [item.patient.history for item in answers if item.patient.history.stage]
    assert staged and all(history.metastatic is True for history in staged if history.stage == 4)


def test_the_laboratorys_call_decides_where_a_set_takes_it(amplified: tuple[Any, list[Assessment]]) -> None:
    for item in amplified[1]:
        assert {item.criteria[name].status for name in BY_CALL} == {"positive"}
        assert "sequencing_alone" in {caveat.id for caveat in item.caveats}
        decided = set(item.agreement.positive) | set(item.agreement.negative) | set(item.agreement.equivocal)
        assert decided == set(BY_CALL), "nothing else can be said without staining, hybridisation or copies"


def test_fold_is_not_taken_for_copies(amplified: tuple[Any, list[Assessment]]) -> None:
    folds = [item.patient.specimens[0].tissue.ngs_fold for item in amplified[1]]
    assert max(folds) > 50 and min(folds) < 2, "copies like these would be decided either way"
    for item in amplified[1]:
        assert item.patient.specimens[0].tissue.ngs_copies is None
        for name in COPY_SETS:
            verdict = item.criteria[name].specimens[item.patient.specimens[0].specimen_id]
            assert (verdict.status, verdict.missing) == ("indeterminate", ("ngs_copies",))
        assert "fold_is_not_copies" in {caveat.id for caveat in item.caveats}
        assert "ngs" in {test.test for test in item.next_tests}, "the laboratory is asked for the copies"


def test_no_event_called_is_never_negative(cohort: list[dict[str, str]], tmp_path: Path, knowledge: Knowledge) -> None:
    rows = [row for row in cohort if not row["ngs_call"] and row["ngs_fold"]]
    silent = [row for row in cohort if not row["ngs_fold"]]
    assert len(rows) == 386 and {row["ngs_fold"] for row in rows} == {"1.0"} and len(silent) == 812
    answers = assess_table(rows[::8] + silent[::40], tmp_path / "no_event.csv", knowledge)
    assert len(answers) > 60
    for item in answers:
        assert item.agreement.positive == item.agreement.negative == item.agreement.equivocal == ()


# ---- published copy numbers


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((shared / "facts/cases.json").read_text(encoding="utf-8"))
    return {item["id"]: item for item in content if "ngs_cn" in item or "ngs_cn_range" in item}


def copies(answer: Answer, value: float, **other: Any) -> Assessment:
    return answer({"site": "primary", "ngs_copies": str(value), **other})


def test_the_positive_tumours_of_yeh_are_positive(answer: Answer, cases: dict[str, dict[str, Any]]) -> None:
    published = [item["ngs_cn"] for name, item in cases.items() if name.startswith("yeh_pos")]
    assert len(published) == 6 and min(published) == 8.42
    for value in published:
        found = copies(answer, value).criteria
        assert found["yeh_2019"].status == found["cenaj_2019"].status == "positive"
        assert found["strata_2019"].status == ("positive" if value >= 10 else "indeterminate")


def test_the_low_gains_of_yeh_are_negative_in_enough_tumour(answer: Answer, cases: dict[str, dict[str, Any]]) -> None:
    """The source states no purity; without it the same readings stay open."""
    for value in cases["yeh_low_x6"]["ngs_cn_range"]:
        assert copies(answer, value, tumour_purity="60 %").criteria["yeh_2019"].status == "negative"
        assert copies(answer, value).criteria["yeh_2019"].status == "indeterminate"
        assert copies(answer, value).agreement.positive == ()


def test_the_tumours_of_strata_are_amplified(answer: Answer, cases: dict[str, dict[str, Any]]) -> None:
    values = [cases["strata_178"]["ngs_cn"], *cases["strata_range"]["ngs_cn_range"]]
    assert min(values) == 13
    for value in values:
        found = copies(answer, value).criteria
        assert {found[name].status for name in ("strata_2019", "cenaj_2019", "yeh_2019")} == {"positive"}


def test_plasma_copies_of_siravegna_are_amplified(answer: Answer, shared: Path) -> None:
    content = json.loads((shared / "facts/cases.json").read_text(encoding="utf-8"))
    lowest, highest = next(item["plasma_cn_range"] for item in content if item["id"] == "siravegna_plasma")
    for value in (lowest, highest):
        assert answer({"plasma_copies": str(value)}).criteria["guardant360_observed"].status == "positive"
