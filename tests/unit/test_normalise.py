"""Normalising: what a laboratory writes becomes typed facts, and what contradicts itself becomes unknown."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from her2crc.criteria.library import Knowledge
from her2crc.flow import normalise_record
from her2crc.model.patient import Patient
from her2crc.model.quantity import UNSETTLED, Ratio
from her2crc.model.record import PatientRecord, SpecimenRow
from her2crc.model.verdict import Assessment
from her2crc.normalise import specimen_facts
from her2crc.normalise.values import UnusableError, ValueReader, read_value

Build = Callable[..., Patient]
Answer = Callable[..., Assessment]


def facts_of(patient: Patient, number: int = 0) -> dict[str, Any]:
    return specimen_facts(patient.specimens[number])


# ---- one value


@pytest.mark.parametrize(
    ("field", "written", "read"),
    [
        ("ihc_score", "3+", 3),
        ("ihc_score", "+3", 3),
        ("ihc_score", "Score 2+", 2),
        ("ihc_score", " 1 + ", 1),
        ("ihc_score", "0", 0),
        ("ihc_score", 2, 2),
        ("ihc_score", 2.0, 2),
        ("ihc_percent", "80 %", Decimal(80)),
        ("ihc_percent", "80%", Decimal(80)),
        ("ihc_percent", "12,5", Decimal("12.5")),
        ("ish_ratio", "2,20", Decimal("2.20")),
        ("ish_ratio", 2.2, Decimal("2.2")),
        ("tumour_purity", "45 %", Decimal("0.45")),
        ("tumour_purity", "0.45", Decimal("0.45")),
        ("tumour_fraction", "2,5 %", Decimal("0.025")),
        ("ras", "wt", "wild_type"),
        ("ras", "Wild-Type", "wild_type"),
        ("ras", "MUTATED", "mutant"),
        ("msi", "MSS", "stable"),
        ("msi", "dMMR", "high"),
        ("side", "Sigmoid", "left"),
        ("site", "Lymph node", "lymph_node"),
        ("ngs_call", "not  amplified", "not_amplified"),
        ("metastatic", "Yes", True),
        ("metastatic", False, False),
        ("stage", "4", 4),
        ("stage", "IV", 4),
        ("stage", "Stage IIIB", 3),
        ("stage", "ii", 2),
        ("collected_on", "2026-02-03", date(2026, 2, 3)),
        ("collected_on", "2026-02-03T10:15:00", date(2026, 2, 3)),
        ("ihc_antibody", " 4B5 ", "4B5"),
        ("ihc_score", "", None),
        ("ihc_score", None, None),
    ],
)
def test_spellings_and_units(knowledge: Knowledge, field: str, written: Any, read: Any) -> None:
    value = read_value(knowledge.fields[field], written)
    assert value == read and type(value) is type(read)


@pytest.mark.parametrize(
    ("field", "written", "reason"),
    [
        ("ihc_percent", ">50", "bound"),
        ("ihc_percent", "<= 10 %", "bound"),
        ("ish_ratio", "≥2.0", "bound"),
        ("ish_ratio", "~2", "bound"),
        ("ngs_copies", "up to 6", "bound"),
        ("ihc_score", "4", "between 0 and 3"),
        ("ihc_score", "-1", "between 0 and 3"),
        ("ihc_score", "2.5", "whole number"),
        ("ihc_score", "2-3", "not a number"),
        ("ihc_score", True, "must be a number"),
        ("ihc_percent", "120 %", "between 0 and 100"),
        ("ihc_percent", "-5", "between 0 and 100"),
        ("ihc_percent", "1e400", "digits"),
        ("ihc_percent", "NaN", "finite"),
        ("ihc_percent", "about half", "bound"),
        ("tumour_purity", "45", "percentage with its sign"),
        ("ngs_copies", "50 %", "not a percentage"),
        ("ish_nuclei", "0", "between 1"),
        ("ras", "KRAS G12D", "wild_type, mutant"),
        ("metastatic", "maybe", "true or false"),
        ("collected_on", "03.02.2026", "2026-01-31"),
        ("collected_on", "2026-02-30", "2026-01-31"),
        ("stage", "V", "not a number"),
        ("stage", "5", "between 1 and 4"),
    ],
)
def test_what_is_not_a_value_is_refused_with_the_reason(
    knowledge: Knowledge, field: str, written: Any, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        read_value(knowledge.fields[field], written)


def test_an_unusable_value_is_an_issue_and_loses_nothing_else(patient_of: Build) -> None:
    patient = patient_of({"ihc_score": "3+", "ihc_percent": "120", "site": "liver"})
    [issue] = patient.issues
    assert (issue.level, issue.specimen, issue.field, issue.place) == ("error", "S1", "ihc_percent", "test:2")
    assert "between 0 and 100" in issue.text and "120" not in issue.text
    [specimen] = patient.specimens
    assert (specimen.ihc.ihc_score, specimen.ihc.ihc_percent, specimen.site) == (3, None, "liver")
    assert specimen.unsettled == ("ihc_percent",)
    assert facts_of(patient)["ihc_percent"] is UNSETTLED


def test_an_unusable_marker_of_the_patient_concerns_no_specimen(patient_of: Build) -> None:
    patient = patient_of({"ihc_score": 3, "ras": "KRAS G12D"})
    [issue] = patient.issues
    assert (issue.field, issue.specimen, patient.genes.ras) == ("ras", "", None)
    assert patient.specimens[0].unsettled == () and "ras" not in facts_of(patient)


# ---- several rows, several statements


def test_rows_of_one_specimen_are_merged(patient_of: Build) -> None:
    patient = patient_of(
        {"specimen_id": "A", "ihc_score": "2+", "ihc_percent": 70, "ras": "wt"},
        {"specimen_id": "A", "ish_ratio": "2.6", "ihc_score": 2, "ras": "wild type"},
        {"specimen_id": "B", "ihc_score": "1+"},
    )
    assert [specimen.specimen_id for specimen in patient.specimens] == ["A", "B"]
    assert patient.issues == () and patient.genes.ras == "wild_type"
    first = patient.specimens[0]
    assert (first.ihc.ihc_score, first.ihc.ihc_percent, first.ish.ish_ratio) == (2, 70, Decimal("2.6"))


def test_rows_that_contradict_each_other_leave_the_fact_unknown(patient_of: Build) -> None:
    patient = patient_of({"specimen_id": "A", "ihc_score": 2}, {"specimen_id": "A", "ihc_score": 3, "ihc_percent": 60})
    [issue] = patient.issues
    assert (issue.level, issue.id, issue.specimen, issue.field) == (
        "conflict",
        "contradicting_values",
        "A",
        "ihc_score",
    )
    assert "2 (test:2)" in issue.text and "3 (test:3)" in issue.text, "with both places"
    assert facts_of(patient)["ihc_score"] is UNSETTLED and facts_of(patient)["ihc_percent"] == 60


def test_patient_columns_that_contradict_each_other(patient_of: Build) -> None:
    patient = patient_of({"ihc_score": 2, "ras": "wt"}, {"ihc_score": 2, "ras": "mut"})
    [issue] = patient.issues
    assert (issue.level, issue.specimen, issue.field) == ("conflict", "", "ras")
    assert patient.genes.ras is None


# ---- in situ hybridisation


def test_the_ratio_comes_from_the_counts_first(patient_of: Build) -> None:
    counted = facts_of(patient_of({"ish_her2_signals": 66, "ish_cep17_signals": 30, "ish_ratio": "2.2"}))
    assert counted["ish_ratio"] == Ratio(Decimal(66), Decimal(30))
    reported = facts_of(patient_of({"ish_ratio": "2.2", "ish_her2_copies": "6.6", "ish_cep17_copies": "3.0"}))
    assert reported["ish_ratio"] == Ratio(Decimal("2.2"), Decimal(1))
    means = facts_of(patient_of({"ish_her2_copies": "6.6", "ish_cep17_copies": "3.0"}))
    assert means["ish_ratio"].excess(Decimal("2.2")) == 0, "in floats 6.6 / 3.0 falls short of 2.2"
    assert facts_of(patient_of({"ish_her2_signals": 66, "ish_cep17_signals": 0}))["ish_ratio"] is UNSETTLED
    assert facts_of(patient_of({"ish_her2_signals": 66}))["ish_ratio"] is None


@pytest.mark.parametrize(
    ("written", "kind", "unknown"),
    [
        ({"ish_ratio": "2.6", "ish_her2_signals": 96, "ish_cep17_signals": 60}, "ratio_and_counts", "ish_ratio"),
        ({"ish_ratio": "2.6", "ish_her2_copies": "4.8", "ish_cep17_copies": "3.0"}, "ratio_and_means", "ish_ratio"),
        ({"ish_her2_copies": "7.2", "ish_her2_signals": 96, "ish_nuclei": 20}, "means_and_counts", "ish_her2_copies"),
        (
            {"ish_cep17_copies": "4.5", "ish_cep17_signals": 60, "ish_nuclei": 20},
            "means_and_counts",
            "ish_cep17_copies",
        ),
    ],
)
def test_hybridisation_that_contradicts_itself(
    patient_of: Build, kind: str, unknown: str, written: dict[str, Any]
) -> None:
    patient = patient_of(written)
    [issue] = patient.issues
    assert (issue.level, issue.id, issue.field) == ("conflict", kind, unknown)
    assert facts_of(patient)[unknown] is UNSETTLED


@pytest.mark.parametrize(
    "written",
    [
        {"ish_ratio": "1.6", "ish_her2_signals": 96, "ish_cep17_signals": 60},
        {"ish_ratio": "1.67", "ish_her2_signals": 100, "ish_cep17_signals": 60},
        {"ish_ratio": "1.6", "ish_her2_copies": "7.2", "ish_cep17_copies": "4.5"},
        {"ish_ratio": "2", "ish_her2_copies": "7.2", "ish_cep17_copies": "3.5"},
        {"ish_her2_copies": "4.8", "ish_her2_signals": 96, "ish_nuclei": 20},
    ],
)
def test_rounding_is_no_contradiction(patient_of: Build, written: dict[str, Any]) -> None:
    assert patient_of(written).issues == ()


def test_a_contradiction_leads_to_indeterminate_not_to_equivocal(answer: Answer) -> None:
    """The reflex test was done; what is missing is a usable result, so the case does not wait for the test."""
    scored = {"site": "primary", "ihc_score": 2, "ihc_percent": 70, "ish_cell_percent": 60}
    contradictory = answer({**scored, "ish_ratio": "2.6", "ish_her2_signals": 96, "ish_cep17_signals": 60})
    unusable = answer({"site": "primary", "ihc_score": 2, "ihc_percent": 70, "ish_ratio": ">2"})
    waiting = answer({"site": "primary", "ihc_score": 2, "ihc_percent": 70})
    for name in ("csco_article", "heracles_2015", "s1613", "triumph", "mountaineer"):
        assert contradictory.criteria[name].status == unusable.criteria[name].status == "indeterminate"
        assert waiting.criteria[name].status == "equivocal"


# ---- copies that normal cells alone would exceed


@pytest.mark.parametrize(
    ("copies", "fraction", "possible"),
    [
        ("0", "0.2", False),
        ("1.3", "0.2", False),
        ("1.35", "0.2", True),
        ("1.5", "0.2", True),
        ("1.6", "20 %", True),
        ("1.7", "0", False),
        ("1.75", "0", True),
        ("0", "1", True),
        ("0", "", True),
        ("", "0.2", True),
    ],
)
def test_a_plasma_reading_that_no_copies_explain_decides_nothing(
    patient_of: Build, answer: Answer, copies: str, fraction: str, possible: bool
) -> None:
    """At 20 % tumour DNA the rest alone gives 1.6; 1.3 + 3.29 sqrt(0.065^2 + 0.04^2) = 1.551 is below it."""
    written = {"site": "plasma", "tumour": "colorectal", "plasma_copies": copies, "tumour_fraction": fraction}
    patient = patient_of(written)
    facts = facts_of(patient)
    assert (patient.issues == ()) is possible
    if possible:
        assert UNSETTLED not in facts.values()
        return
    [issue] = patient.issues
    assert (issue.level, issue.id, issue.specimen, issue.place) == ("conflict", "unexplained_reading", "S1", "test:2")
    assert "send the corrected" in issue.text
    assert facts["plasma_copies"] is UNSETTLED and facts["tumour_fraction"] is UNSETTLED
    assert facts["plasma_adjusted_copies"] is None
    assert patient.specimens[0].plasma.plasma_copies == Decimal(copies), "a person and `measure plasma` still see it"
    said = answer(written).criteria
    assert {said[name].status for name in ("guardant360_observed", "heracles_adjusted")} == {"indeterminate"}


def test_an_earlier_result_is_not_reported_twice(knowledge: Knowledge, patient_of: Build) -> None:
    patient = patient_of({"site": "plasma", "plasma_copies": 0, "tumour_fraction": "0.2"})
    row = SpecimenRow("json", {"specimen_id": "S1", "site": "plasma", "plasma_copies": 0, "tumour_fraction": 0.2})
    again = normalise_record(PatientRecord("P", (row,), patient.issues), knowledge)
    assert again.issues == patient.issues
    assert again.specimens == patient.specimens
    mended = msgspec.structs.replace(row, values={**row.values, "plasma_copies": 1.7})
    [specimen] = normalise_record(PatientRecord("P", (mended,), patient.issues), knowledge).specimens
    assert specimen.unsettled == ()


@pytest.mark.parametrize(
    ("copies", "purity", "doubted"), [("0.8", "0.2", True), ("0.8", "0.7", False), ("1.5", "0.2", False)]
)
def test_tissue_copies_below_those_of_its_normal_cells_are_used_and_doubted(
    patient_of: Build, copies: str, purity: str, doubted: bool
) -> None:
    """They may be copies per tumour cell, so nothing contradicts anything; they may also be a fold change."""
    patient = patient_of({"ngs_copies": copies, "tumour_purity": purity})
    expected = [("warning", "copies_below_normal", "S1", "ngs_copies", "test:2")] if doubted else []
    assert [(i.level, i.id, i.specimen, i.field, i.place) for i in patient.issues] == expected
    assert facts_of(patient)["ngs_copies"] == Decimal(copies)


# ---- a share of cells that may be a fraction


@pytest.mark.parametrize(
    ("percent", "score", "doubted"),
    [
        ("0.6", "3+", True),
        (Decimal("0.6"), 3, True),
        ("0,9", "1+", True),
        ("0.6 %", "3+", False),
        ("0.6", "0", False),
        ("0.6", "", False),
        ("0", "3+", False),
        ("1", "3+", False),
        ("60", "3+", False),
    ],
)
def test_a_percentage_below_one_without_its_sign_is_used_and_doubted(
    patient_of: Build, percent: Any, score: Any, doubted: bool
) -> None:
    patient = patient_of({"ihc_percent": percent, "ihc_score": score})
    [specimen] = patient.specimens
    assert specimen.ihc.ihc_percent == Decimal(str(percent).rstrip(" %").replace(",", "."))
    assert specimen.unsettled == ()
    assert [(item.level, item.id, item.field) for item in patient.issues] == (
        [("warning", "percent_or_fraction", "ihc_percent")] if doubted else []
    )


# ---- derived copies


@pytest.mark.parametrize(
    ("copies", "purity", "expected"), [("3.2", "20 %", 8), ("5", "100 %", 5), ("2", "0.5", 2), ("1.5", "0.1", -3)]
)
def test_copies_per_tumour_cell(patient_of: Build, copies: str, purity: str, expected: int) -> None:
    derived = facts_of(patient_of({"ngs_copies": copies, "tumour_purity": purity}))["ngs_tumour_copies"]
    assert derived.excess(Decimal(expected)) == 0


@pytest.mark.parametrize(
    "written", [{"ngs_copies": 3}, {"tumour_purity": "0.3"}, {"ngs_copies": 3, "tumour_purity": 0}]
)
def test_copies_per_tumour_cell_need_both_and_some_tumour(patient_of: Build, written: dict[str, Any]) -> None:
    assert facts_of(patient_of(written))["ngs_tumour_copies"] is None


def test_derived_fields_cannot_be_given(patient_of: Build) -> None:
    patient = patient_of({"ngs_copies": 3, "ngs_tumour_copies": 50, "highest_ihc_score": 3})
    assert facts_of(patient)["ngs_tumour_copies"] is None


# ---- stage and material


def test_stage_four_is_metastatic_by_definition(patient_of: Build) -> None:
    assert patient_of({"ihc_score": 2}, stage="IV").history.metastatic is True
    assert patient_of({"ihc_score": 2}, stage=3).history.metastatic is None
    assert patient_of({"ihc_score": 2}, stage=3, metastatic="true").history.metastatic is True, "relapsed since"


def test_stage_four_and_not_metastatic_contradict_each_other(patient_of: Build) -> None:
    patient = patient_of({"ihc_score": 2}, stage=4, metastatic="no")
    assert [issue.id for issue in patient.issues] == ["stage_contradicts_metastatic"]
    assert patient.history.metastatic is None


@pytest.mark.parametrize(
    ("written", "kind", "site"),
    [
        ({"specimen_kind": "plasma"}, "plasma", "plasma"),
        ({"site": "ctDNA"}, "plasma", "plasma"),
        ({"plasma_copies": "2.1"}, "plasma", "plasma"),
        ({"plasma_copies": "2.1", "ihc_score": 1}, None, None),
        ({"ihc_score": 1}, None, None),
        ({"site": "liver", "specimen_kind": "core"}, "biopsy", "liver"),
    ],
)
def test_plasma_named_once_means_both(
    patient_of: Build, written: dict[str, Any], kind: str | None, site: str | None
) -> None:
    patient = patient_of(written)
    assert (patient.specimens[0].specimen_kind, patient.specimens[0].site) == (kind, site)
    assert patient.issues == ()


def test_plasma_from_the_liver_is_a_contradiction(patient_of: Build) -> None:
    patient = patient_of({"site": "liver", "specimen_kind": "plasma", "plasma_copies": 3})
    assert [issue.id for issue in patient.issues] == ["material"]
    assert (patient.specimens[0].specimen_kind, patient.specimens[0].site) == (None, None)


def test_an_empty_patient_is_a_patient(patient_of: Build) -> None:
    patient = patient_of()
    assert patient.specimens == () and patient.issues == () and patient.history.metastatic is None


def test_a_value_that_was_read_before_reads_the_same_again(knowledge: Knowledge) -> None:
    reader = ValueReader(knowledge.fields)
    written: list[Any] = [
        "5",
        5,
        "5.0",
        Decimal("5.00"),
        Decimal(5),
        "2026-02-03",
        True,
        "true",
        "0",
        None,
        "x",
        "3+",
        "plasma",
    ]
    for field in knowledge.fields.values():
        for raw in [*written, *written]:
            if field.derived_from or field.group == "judged":
                continue
            try:
                expected: Any = read_value(field, raw)
            except UnusableError as error:
                with pytest.raises(UnusableError, match=re.escape(str(error))):
                    reader.read(field.name, raw)
            else:
                assert repr(reader.read(field.name, raw)) == repr(expected)
