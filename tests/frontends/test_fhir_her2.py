"""FHIR: HER2 on slides. Every way to write a score or ratio that is read, and every one that must stay unknown."""

from decimal import Decimal

import pytest
from fhir_builders import (
    HGNC,
    SNOMED,
    coded,
    facts,
    gene,
    issues,
    part,
    plasma_case,
    quantity,
    result,
    text,
    tissue_case,
)

MII = "https://www.medizininformatik-initiative.de/fhir/ext/modul-mtb/CodeSystem/mii-cs-mtb-her2-ihc-score"
PER_NUCLEUS = "{copies}/{nucleus}"


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ("3+", 3),
        (" Score 2+ ", 2),
        ("0", 0),
        (3, 3),
        (quantity(2), 2),
        (quantity(2.0, "{score}"), 2),
        (text("1+"), 1),
        (coded("LA26333-6"), 1),
        (coded("LA6111-4"), 0),
        (coded("LA11841-6"), 1),
        (coded("LA11841-6", "1+"), 1),
        (coded("LA11842-4"), 2),
        (coded("LA11843-2"), 3),
        (coded("3", system=MII), 3),
        (coded("0", "0", MII), 0),
        (coded("local", "3+", "http://lab.example"), 3),
        (coded("10828004", "Positive", SNOMED) | {"text": "3+"}, 3),
    ],
)
def test_a_score_in_any_spelling_is_read(given, score):
    assert facts(tissue_case(result("o1", "18474-7", given))) == {"ihc_score": score}


@pytest.mark.parametrize(
    ("given", "issue", "level"),
    [
        (coded("LA9633-4", "Present"), "fhir_presence_not_score", "error"),
        (coded("LA9634-2", "Absent"), "fhir_presence_not_score", "error"),
        ("negative", "fhir_presence_not_score", "error"),
        (coded("3"), "fhir_not_understood", "error"),
        (text("strong"), "fhir_not_understood", "error"),
        (">2+", "fhir_bound", "error"),
        (quantity(2, comparator=">"), "fhir_bound", "error"),
        (quantity(80, "%"), "fhir_unit", "error"),
        (5, "fhir_not_a_score", "error"),
        (quantity(2.5), "fhir_not_a_score", "error"),
        (coded("LA11841-6", "3+"), "fhir_answers_contradict", "conflict"),
        (coded("LA11841-6", "2+"), "fhir_answers_contradict", "conflict"),
        ({"numerator": quantity(3), "denominator": quantity(1)}, "fhir_value_kind", "error"),
        (None, "fhir_no_value", "warning"),
    ],
)
def test_what_is_not_a_score_stays_unknown_and_says_why(given, issue, level):
    record = tissue_case(result("o1", "18474-7", given))
    assert facts(record) == {}
    assert issues(record) == {issue: level}


def test_percent_and_pattern_come_from_the_components():
    parts = [part(text("Percentage of tumour cells"), quantity(80.5, "%")), part(text("pattern"), text("basolateral"))]
    record = tissue_case(result("o1", "18474-7", "3+", parts=parts))
    assert facts(record) == {"ihc_score": 3, "ihc_percent": Decimal("80.5"), "ihc_pattern": "basolateral"}


def test_a_percentage_in_another_unit_is_refused_and_the_score_kept():
    record = tissue_case(result("o1", "18474-7", "3+", parts=[part(text("percent"), quantity(0.8, "1"))]))
    assert facts(record) == {"ihc_score": 3}
    assert issues(record) == {"fhir_unit": "error"}


def test_percent_beside_a_ratio_is_not_the_percent_of_staining():
    record = tissue_case(result("o1", "49683-6", quantity(3), parts=[part(text("percent"), quantity(80, "%"))]))
    assert facts(record) == {"ish_ratio": 3}


def test_breast_codes_are_read_with_a_warning():
    record = tissue_case(result("o1", "85319-2", "2+"))
    assert facts(record) == {"ihc_score": 2}
    assert issues(record) == {"fhir_breast_code": "warning"}
    record = tissue_case(result("o1", "85318-4", coded("LA9633-4")))
    assert facts(record) == {}
    assert issues(record) == {"fhir_breast_code": "warning", "fhir_duplication_status": "error"}


@pytest.mark.parametrize(
    ("code", "issue"),
    [
        ("48676-1", "fhir_overall_status"),
        ("32996-1", "fhir_serum"),
        ("42914-2", "fhir_serum"),
        ("51981-9", "fhir_serum"),
        ("72382-5", "fhir_immunoassay"),
        ("72383-3", "fhir_immunoassay"),
        ("31150-6", "fhir_duplication_status"),
        ("96893-3", "fhir_duplication_status"),
    ],
)
def test_codes_that_no_rule_can_judge_fill_nothing(code, issue):
    record = tissue_case(result("o1", code, coded("LA6576-8", "Positive")))
    assert facts(record) == {}
    assert issues(record) == {issue: "error" if issue == "fhir_duplication_status" else "warning"}


@pytest.mark.parametrize(
    ("code", "given", "field", "expected"),
    [
        ("49683-6", quantity(5.4, "{ratio}"), "ish_ratio", "5.4"),
        ("49683-6", "2,15", "ish_ratio", "2.15"),
        ("74860-8", quantity(11.2), "ish_her2_copies", "11.2"),
        ("74860-8", quantity(6, "#"), "ish_her2_copies", "6"),
        ("74861-6", quantity(2.1, PER_NUCLEUS), "ish_cep17_copies", "2.1"),
        ("62361-1", quantity(40, "1"), "ish_nuclei", "40"),
        ("62361-1", 40, "ish_nuclei", "40"),
    ],
)
def test_ish_numbers_keep_their_digits(code, given, field, expected):
    assert {name: str(item) for name, item in facts(tissue_case(result("o1", code, given))).items()} == {
        field: expected
    }


def ratio(numerator, denominator, unit=None):
    return result("o1", "49683-6", {"numerator": quantity(numerator, unit), "denominator": quantity(denominator, unit)})


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (ratio(5.4, 1), {"ish_ratio": "5.4"}),
        (ratio(112, 40, "{signals}"), {"ish_ratio": "2.8"}),
        (ratio(6.6, 3.0, PER_NUCLEUS), {"ish_ratio": "2.2", "ish_her2_copies": "6.6", "ish_cep17_copies": "3.0"}),
        (ratio(11.2, 2.1, PER_NUCLEUS), {"ish_her2_copies": "11.2", "ish_cep17_copies": "2.1"}),
        (ratio(100, 30), {"ish_ratio": "3.33333333333"}),
    ],
)
def test_a_ratio_is_kept_without_loss(observation, expected):
    assert {name: str(item) for name, item in facts(tissue_case(observation)).items()} == expected


def test_a_ratio_by_zero_is_an_error():
    assert issues(tissue_case(ratio(5, 0))) == {"fhir_zero_denominator": "error"}


@pytest.mark.parametrize(
    ("code", "given", "issue", "level"),
    [
        ("49683-6", "3+", "fhir_expression_under_ish", "error"),
        ("74860-8", text("2+"), "fhir_expression_under_ish", "error"),
        ("74885-5", "3+", "fhir_expression_under_ish", "error"),
        ("31150-6", "3+", "fhir_expression_under_ish", "error"),
        ("31150-6", quantity(3), "fhir_value_kind", "error"),
        ("74885-5", quantity(3), "fhir_value_kind", "error"),
        ("49683-6", coded("LA6576-8", "Positive"), "fhir_bare_status", "error"),
        ("49683-6", quantity(2, comparator=">="), "fhir_bound", "error"),
        ("49683-6", "> 10", "fhir_bound", "error"),
        ("49683-6", "see report", "fhir_not_understood", "error"),
        ("49683-6", quantity(54, "%"), "fhir_unit", "error"),
        ("62361-1", quantity(40.5), "fhir_not_whole", "error"),
        ("74860-8", {"numerator": quantity(112), "denominator": quantity(20)}, "fhir_value_kind", "error"),
    ],
)
def test_ish_values_of_the_wrong_kind_fill_nothing(code, given, issue, level):
    record = tissue_case(result("o1", code, given))
    assert facts(record) == {}
    assert issues(record) == {issue: level}


def test_a_panel_gives_its_components_and_its_specimen_to_its_members():
    panel = result(
        "panel",
        "74885-5",
        parts=[part("62361-1", quantity(20)), part("74861-6", quantity(2.0))],
        hasMember=[{"reference": "Observation/o1"}],
    )
    record = tissue_case(result("o1", "49683-6", quantity(4.5), of=None), panel)
    assert facts(record) == {"ish_nuclei": 20, "ish_cep17_copies": Decimal("2.0"), "ish_ratio": Decimal("4.5")}
    assert len(record.rows) == 1


def test_a_fish_result_of_another_gene_is_not_taken_for_her2():
    other = part("48018-6", coded("HGNC:7029", "MET", HGNC))
    record = tissue_case(result("o1", "74860-8", quantity(12), parts=[other]))
    assert facts(record) == {}
    assert issues(record) == {"fhir_gene_not_her2": "conflict"}
    assert facts(tissue_case(result("o1", "74860-8", quantity(12), parts=[gene("ERBB2")]))) == {"ish_her2_copies": 12}


def test_a_code_with_the_name_of_another_test_is_not_used():
    record = tissue_case(result("o1", coded("18474-7", "Estrogen receptor in tissue"), "3+"))
    assert facts(record) == {}
    assert issues(record) == {"fhir_display_contradicts": "conflict"}
    record = tissue_case(
        result("o1", coded("74860-8", "Chromosome 17 copy number/nucleus in Tissue by FISH"), quantity(2))
    )
    assert issues(record) == {"fhir_display_contradicts": "conflict"}


@pytest.mark.parametrize("observation", [result("o1", "18474-7", "3+"), result("o1", "49683-6", quantity(4))])
def test_a_slide_test_on_blood_is_an_error(observation):
    record = plasma_case(observation)
    assert facts(record) == {}
    assert issues(record) == {"fhir_tissue_test_on_blood": "error"}


def test_a_reason_for_absence_is_unknown_never_negative():
    record = tissue_case(result("o1", "18474-7", dataAbsentReason=coded("not-performed")))
    assert facts(record) == {}
    assert issues(record) == {"fhir_value_absent": "warning"}
    record = tissue_case(result("o1", "18474-7", "0", dataAbsentReason=coded("error")))
    assert facts(record) == {}


def test_two_values_at_once_are_none():
    assert issues(tissue_case(result("o1", "18474-7", "3+", valueInteger=2))) == {"fhir_two_values": "error"}


def test_numbers_beyond_all_measure_are_refused():
    for number in ("NaN", "Infinity", "1e999999"):
        record = tissue_case(result("o1", "49683-6", quantity(number)))
        assert issues(record) == {"fhir_not_a_number": "error"}
