"""The words that people read: complete for the knowledge base, and figures written as agreed."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment, Retest, SpecimenVerdict
from her2crc.report.findings import findings, origin, unusable
from her2crc.report.words import (
    FIELDS,
    PLAIN_TESTS,
    STATUS,
    clean,
    explain,
    join_words,
    name_fields,
    show_chance,
    show_effective,
    show_evidence,
    show_lesions_needed,
    show_share,
)

Answer = Callable[..., Assessment]
RETEST = Retest(
    site="liver",
    given="primary negative",
    table="t",
    method="IHC",
    prior_events=4,
    prior_total=17,
    data_events=0,
    data_total=0,
    probability=0.26316,
    interval=(0.0969, 0.4764),
    certainty=0.95,
    lesions_needed=12,
    note="",
    cite=(),
)


def test_every_field_has_words(knowledge: Knowledge) -> None:
    assert set(knowledge.fields) == set(FIELDS)


def test_every_test_has_plain_words(knowledge: Knowledge) -> None:
    assert {kind.id for kind in knowledge.tests if kind.level != "site"} == set(PLAIN_TESTS)


def test_a_status_is_told_by_word_symbol_and_code() -> None:
    for part in ("word", "symbol", "code"):
        assert len({getattr(word, part) for word in STATUS.values()}) == len(STATUS)


def test_a_set_asked_for_is_named(knowledge: Knowledge) -> None:
    assert name_fields(["ihc_score", "destiny_crc02"], knowledge) == "IHC score, status under DESTINY-CRC02"


def test_evidence_shows_interval_counts_and_derivation(answer: Answer) -> None:
    evidence = {item.id: item for action in answer({"ihc_score": 3}).actions for item in action.evidence}
    assert show_evidence(evidence["crc02_ihc3"]) == "46.9 % (34.3 to 59.8; 30/64, counts derived)"
    assert show_evidence(evidence["crc02_54"]) == "37.8 % (27.3 to 49.2; 31/82)"
    assert show_evidence(evidence["crc02_pfs"]) == "5.8 months"


def test_a_chance_shows_its_interval() -> None:
    assert show_chance(RETEST) == "26.3 % (9.7 to 47.6)"


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        (12, "After 12 further lesions, all negative, the chance at the next one is below 5 %."),
        (1, "After 1 further lesion, all negative, the chance at the next one is below 5 %."),
        (0, "The chance is already below 5 %."),
        (None, "Even after 40 further lesions, all negative, the chance at the next one is not below 5 %."),
    ],
)
def test_lesions_needed(needed: int | None, text: str) -> None:
    assert show_lesions_needed(msgspec.structs.replace(RETEST, lesions_needed=needed), 40) == text


@pytest.mark.parametrize(("fraction", "text"), [("0.20", "20 %"), ("0.005", "0.5 %"), ("1", "100 %"), ("0", "0 %")])
def test_a_fraction_is_shown_as_percent(fraction: str, text: str) -> None:
    assert show_share(Decimal(fraction)) == text


@pytest.mark.parametrize(("precision", "text"), [("year", "2023"), ("month", "2023-04"), ("day", "2023-04-05")])
def test_a_date_is_no_more_precise_than_its_source(precision: str, text: str) -> None:
    assert show_effective(date(2023, 4, 5), precision) == text


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert clean("a\x1b[31mb\nc") == "a\ufffd[31mb\ufffdc"


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists_are_written_as_a_person_does(words: list[str], text: str) -> None:
    assert join_words(words) == text


def test_an_open_verdict_names_what_is_missing_in_words(knowledge: Knowledge) -> None:
    open_verdict = SpecimenVerdict("indeterminate", None, ("ngs_copies",), (), "Open until known: ngs_copies.")
    assert explain(open_verdict, knowledge) == "Open until known: ERBB2 copies in tissue."
    reflex = SpecimenVerdict("equivocal", "row", ("ish_ratio",), (), "A second test settles it.")
    assert explain(reflex, knowledge) == "A second test settles it. Would be decided by: HER2/CEP17 ratio."
    assert explain(SpecimenVerdict("negative", "row", (), (), "Reason."), knowledge) == "Reason."


def found(answer: Answer, **values: object) -> dict[str, str]:
    return dict(findings(answer(values).patient.specimens[0]))


def test_findings_are_written_with_the_digits_reported(answer: Answer) -> None:
    assert found(answer, ihc_score="2+", ihc_percent="70.0", ihc_pattern="basolateral", ihc_antibody="4B5") == {
        "ihc": "2+, 70.0 % of cells, basolateral, antibody 4B5"
    }
    assert found(answer, ihc_score="0") == {"ihc": "0"}
    counted = found(answer, ish_her2_signals=144, ish_cep17_signals=90, ish_nuclei=20)
    assert counted == {"ish": "144/90 signals = ratio 1.60, 20 nuclei, 7.20 HER2 copies per nucleus"}
    assert found(answer, ish_ratio="2.50", ish_cell_percent="55") == {
        "ish": "ratio 2.50, ratio 2 or more in 55 % of nuclei"
    }
    assert found(answer, ngs_copies="3.2", tumour_purity="0.2", ngs_call="negative") == {
        "ngs": "3.2 copies, laboratory's call: not amplified, tumour purity 20 %"
    }
    plasma = found(
        answer, plasma_copies="2.4", tumour_fraction="3 %", plasma_max_vaf="0.015", plasma_max_vaf_gene="TP53"
    )
    assert plasma == {"plasma": "2.4 copies, tumour fraction 3 %, highest allele fraction 1.5 % (TP53)"}


def test_a_specimen_says_where_it_is_from_and_what_is_unusable(answer: Answer) -> None:
    values = {"site": "liver", "specimen_kind": "biopsy", "collected_on": "2026-05-14", "ihc_percent": "<10"}
    specimen = answer(values).patient.specimens[0]
    assert origin(specimen) == ["liver", "biopsy", "2026-05-14"]
    assert unusable(specimen) == "percent of cells staining"
    plasma = answer({"site": "plasma", "tumour": "gastric", "plasma_copies": 3}).patient.specimens[0]
    assert origin(plasma) == ["plasma", "gastric tumour", "no date"]
    assert origin(answer({"ihc_score": 1}).patient.specimens[0]) == ["site not stated", "no date"]
