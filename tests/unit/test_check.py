"""The checks of criteria sets: every kind of fault is found, by proof and by cases, with a patient that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from her2crc.criteria import check as check_module
from her2crc.criteria.cache import load_editions
from her2crc.criteria.check import check_all, check_set
from her2crc.criteria.check_z3 import prove_set
from her2crc.criteria.fields import NUMERIC
from her2crc.criteria.finding import Finding
from her2crc.criteria.nodes import IsNull, IsTrue, walk
from her2crc.criteria.parse import ConditionError, parse_condition
from her2crc.criteria.run import decide, evaluate
from her2crc.criteria.sets import CriteriaSet, Row
from her2crc.errors import MissingExtraError
from her2crc.model.citation import Citation
from her2crc.model.quantity import UNSETTLED, Ratio, Value
from her2crc.normalise import derive_facts

EDITIONS = load_editions()
FIELDS = EDITIONS.fields
SETS = {criteria.id: criteria for criteria in EDITIONS.sets}
CITE = (Citation("yeh2019", "abstract"),)
Prove = Callable[[CriteriaSet], list[Finding]]


def by_cases(criteria: CriteriaSet) -> list[Finding]:
    return check_set(criteria, FIELDS, derive_facts)


def by_proof(criteria: CriteriaSet) -> list[Finding]:
    pytest.importorskip("z3", reason="the Z3 solver (her2crc[check]) is not installed")
    return prove_set(criteria, FIELDS)


both_ways = pytest.mark.parametrize("findings_of", [by_cases, by_proof])


def rule(*rows: tuple[str, str], monotone: tuple[str, ...] = ()) -> CriteriaSet:
    """A set made of (condition, status) pairs; its rows are called r0, r1 and so on."""
    made = tuple(
        Row(f"r{at}", parse_condition(text, FIELDS), text, then, "Says so.", CITE)
        for at, (text, then) in enumerate(rows)
    )
    return msgspec.structs.replace(SETS["s1613"], id="made_up", rows=made, monotone=monotone)


SOUND = (("ish_ratio >= 2.0", "positive"), ("ish_ratio < 2.0", "negative"))


@dataclass
class Faulty:
    kind: str
    says: str
    criteria: CriteriaSet


FAULTY = {
    "overlap at exactly the threshold": Faulty(
        "overlap", "rows r0 (positive) and r1 (negative) both hold", rule(SOUND[0], ("ish_ratio <= 2.0", "negative"))
    ),
    "overlap only where a pattern is not stated": Faulty(
        "overlap",
        "both hold",
        rule(
            ("ihc_score = 3", "positive"),
            ("ihc_score = 3 and ihc_pattern is null", "negative"),
            ("ihc_score < 3", "negative"),
        ),
    ),
    "gap at exactly the threshold": Faulty(
        "silence", "no row covers this case", rule(("ish_ratio > 2.0", "positive"), SOUND[1])
    ),
    "gap at a code that no row names": Faulty(
        "silence",
        "no row covers this case",
        rule(("ihc_pattern = 'complete'", "positive"), ("ihc_pattern = 'lateral'", "negative")),
    ),
    "row beyond the range of its field": Faulty(
        "unreachable", "row r2 never decides", rule(*SOUND, ("ish_ratio >= 2.0 and ihc_percent > 100", "positive"))
    ),
    "row behind another one": Faulty(
        "unreachable", "row r1 never decides", rule(SOUND[0], ("ish_ratio >= 3", "positive"), SOUND[1])
    ),
    "more staining lowers the verdict": Faulty(
        "monotone",
        "more of ihc_percent turns positive into negative",
        rule(("ihc_percent <= 50", "positive"), ("ihc_percent > 50", "negative"), monotone=("ihc_percent",)),
    ),
    "more copies lower the verdict through a derived fact": Faulty(
        "monotone",
        "more of plasma_copies turns positive into negative",
        rule(
            ("plasma_adjusted_copies < 10", "positive"),
            ("plasma_adjusted_copies >= 10", "negative"),
            monotone=("plasma_copies",),
        ),
    ),
    "a later result turns the verdict, since an earlier row takes over": Faulty(
        "reversal",
        "one more result turns row r1 (negative) into positive",
        rule(SOUND[0], ("ihc_score < 3", "negative"), ("ihc_score = 3 and ish_ratio < 2.0", "negative")),
    ),
}


def value_of(name: str, shown: str | None) -> Value | None:
    """Read the value that an example shows; the values here are short enough to be shown exactly."""
    if shown is None or shown == "None":
        return None
    if shown == "stated, but unusable":
        return UNSETTLED
    if FIELDS[name].type == "ratio":
        return Ratio(Decimal(shown), Decimal(1))
    return Decimal(shown) if FIELDS[name].type in NUMERIC else shown


def cases_of(example: Mapping[str, str | None]) -> list[dict[str, Value | None]]:
    """An example is one case, or two where a value has an arrow."""
    sides = [{name: (shown or "None").split(" -> ")[at] for name, shown in example.items()} for at in (0, -1)]
    return [{name: value_of(name, shown) for name, shown in side.items()} for side in sides]


@both_ways
@pytest.mark.parametrize("name", FAULTY)
def test_every_kind_of_fault_is_found(name: str, findings_of: Prove) -> None:
    faulty = FAULTY[name]
    found = [finding for finding in findings_of(faulty.criteria) if finding.kind == faulty.kind]
    assert found
    assert faulty.says in found[0].text
    assert found[0].criteria == "made_up"


@both_ways
@pytest.mark.parametrize("name", [name for name, faulty in FAULTY.items() if faulty.kind == "overlap"])
def test_the_example_of_an_overlap_really_shows_it(name: str, findings_of: Prove) -> None:
    criteria = FAULTY[name].criteria
    (found,) = [finding for finding in findings_of(criteria) if finding.kind == "overlap"]
    case, _ = cases_of(found.example)
    holding = [row.then for row in criteria.rows if evaluate(row.when, case)]
    assert set(holding) == {"positive", "negative"}
    assert "Example: " in found.text


@both_ways
@pytest.mark.parametrize("name", [name for name, faulty in FAULTY.items() if faulty.kind in ("monotone", "reversal")])
def test_the_example_of_a_turn_is_a_patient_before_and_after(name: str, findings_of: Prove) -> None:
    faulty = FAULTY[name]
    found = next(finding for finding in findings_of(faulty.criteria) if finding.kind == faulty.kind)
    before, after = cases_of(found.example)
    assert before != after
    turned = {"monotone": ["positive", "negative"], "reversal": ["negative", "positive"]}[faulty.kind]
    assert [decide(faulty.criteria, case).status for case in (before, after)] == turned
    assert "; then " in found.text


@both_ways
def test_a_verdict_that_waits_for_a_result_may_give_way(findings_of: Prove) -> None:
    waits = rule(
        ("ihc_score < 3 and (ish_ratio is null or ish_ratio < 2.0)", "negative"),
        ("ihc_score = 3 or (ish_ratio is not null and ish_ratio >= 2.0)", "positive"),
    )
    assert findings_of(waits) == []


@both_ways
def test_a_sound_set_has_no_fault(findings_of: Prove) -> None:
    assert findings_of(rule(*SOUND, monotone=("ish_ratio",))) == []


@both_ways
@pytest.mark.parametrize("criteria", SETS.values(), ids=SETS)
def test_no_shipped_set_has_a_fault(criteria: CriteriaSet, findings_of: Prove) -> None:
    assert findings_of(criteria) == []


def without(criteria: CriteriaSet, at: int) -> CriteriaSet:
    return msgspec.structs.replace(criteria, rows=criteria.rows[:at] + criteria.rows[at + 1 :])


SMALL_SETS = ("destiny_crc01", "fujii_2020", "sun_2023", "triumph", "yeh_2019")


@pytest.mark.parametrize("name", SMALL_SETS)
def test_proof_and_cases_notice_the_same_dropped_rows(name: str) -> None:
    kinds = []
    for at in range(len(SETS[name].rows)):
        ways = by_proof(without(SETS[name], at)), by_cases(without(SETS[name], at))
        kinds += [{finding.kind for finding in way} for way in ways]
        assert kinds[-1] == kinds[-2]
    assert {"silence"} in kinds


@pytest.mark.parametrize("criteria", [item for item in SETS.values() if item.rows], ids=lambda item: item.id)
def test_a_dropped_row_leaves_a_silence_unless_it_only_waits_for_a_result(criteria: CriteriaSet) -> None:
    for at, row in enumerate(criteria.rows):
        noticed = {finding.kind for finding in by_proof(without(criteria, at))}
        waits = any(isinstance(part, IsNull) for part in walk(row.when))
        assert noticed == {"silence"} or (waits and not noticed), row.id


def test_examples_say_a_patient_in_words() -> None:
    (found,) = by_proof(rule(("ish_ratio > 2.0", "positive"), SOUND[1]))
    assert found.text.endswith("Example: HER2/CEP17 ratio: 2.00; nothing else reported.")
    assert found.example["ish_ratio"] == "2.00"
    assert found.example["tumour"] is None


def test_a_set_that_judges_the_empty_patient_is_refused() -> None:
    hasty = rule(("ihc_score is null", "negative"), ("ihc_score is not null", "positive"))
    assert "empty_case" in {finding.kind for finding in by_cases(hasty)}


def test_missing_sources_sentences_and_wrong_dates_are_named() -> None:
    replace = msgspec.structs.replace
    sound = rule(*SOUND)
    broken = replace(
        sound,
        cite=(),
        summary=" ",
        reviewed_on=date(1999, 1, 1),
        rows=(replace(sound.rows[0], says="", cite=()), replace(sound.rows[1], cite=(Citation("yeh2019", " "),))),
    )
    kinds = [finding.kind for finding in check_set(broken, FIELDS, derive_facts)]
    assert sorted(kinds) == ["citation", "citation", "citation", "date", "says", "says"]


def test_the_report_counts_cases_and_lists_failures() -> None:
    report = msgspec.to_builtins(
        check_all([rule(*SOUND), FAULTY["gap at exactly the threshold"].criteria], FIELDS, derive_facts)
    )
    assert list(report) == ["sets", "cases", "failures"]
    assert report["sets"] == 2
    assert report["cases"] > 20
    assert [set(failure) for failure in report["failures"]] == [{"criteria", "kind", "text", "example"}]


def test_without_the_solver_proving_says_what_to_install_and_checking_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    faulty = FAULTY["gap at exactly the threshold"].criteria
    with pytest.raises(MissingExtraError, match=r"her2crc\[check\]"):
        prove_set(faulty, FIELDS)
    assert [finding.kind for finding in check_all([faulty], FIELDS, derive_facts).failures] == ["silence"]


def test_executors_that_differ_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    other = check_module.compile_set(rule(("ish_ratio > 2.0", "positive"), ("ish_ratio <= 2.0", "negative")))
    monkeypatch.setattr(check_module, "compile_set", lambda criteria: other)
    report = check_all([rule(*SOUND)], FIELDS, derive_facts)
    (failure,) = report.failures
    assert failure.kind == "executors"
    assert "the interpreter says positive, the compiled closure negative" in failure.text
    assert report.cases > 0


def test_ranges_and_codes_limit_the_patients() -> None:
    assert not by_proof(rule(("ihc_score in (0, 1, 2, 3)", "positive")))
    assert [finding.kind for finding in by_proof(rule(("ihc_score in (0, 1, 2)", "positive")))] == ["silence"]
    every_call = "ngs_call in ('amplified', 'not_amplified', 'equivocal')"
    assert not by_proof(rule((every_call, "positive")))
    open_list = by_proof(rule(("ngs_assay in ('FoundationOne')", "positive")))
    assert "another value" in open_list[0].text


@pytest.mark.parametrize(
    "text", ["metastatic is true", "metastatic is not true", "metastatic is false", "ihc_score is 3"]
)
def test_is_goes_with_null_only(text: str) -> None:
    with pytest.raises(ConditionError, match="null only"):
        parse_condition(text, FIELDS)
    assert parse_condition("metastatic = true", FIELDS) == IsTrue("metastatic")
    assert parse_condition("metastatic is null", FIELDS) == IsNull("metastatic")
