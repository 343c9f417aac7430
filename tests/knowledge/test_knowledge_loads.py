"""The knowledge files fit together: every name resolves, every gap has a test, every regimen its conditions.

The compile step checks names and citations of sets, sources, regimens and caveats; the rest is here.
"""

import json
import string
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from her2crc.criteria.compile import compile_editions
from her2crc.criteria.library import KNOWLEDGE_DIR, ActionRule, CaveatRule, Editions, Eligibility, Knowledge
from her2crc.criteria.library import TestKind as Proposal
from her2crc.criteria.nodes import IsNull, Node, fields_of, fields_read, walk
from her2crc.criteria.run import evaluate
from her2crc.model.citation import Citation

TODAY = date(2026, 11, 22)
EDITIONS: Editions = compile_editions(KNOWLEDGE_DIR)
KNOWLEDGE: Knowledge = EDITIONS.on(TODAY)
ACTIONS = {action.id: action for action in KNOWLEDGE.actions}
CAVEATS = {caveat.id: caveat for caveat in KNOWLEDGE.caveats}
TREATMENT = Path(__file__).resolve().parents[3] / "shared" / "facts" / "criteria.json"

RAISED_BY_CODE = {
    "invisible_copies": {"reading", "what", "fraction", "copies", "hidden"},
    "breast_rule_differs": {"claims"},
    "retest_metastasis": {"chances"},
    "low_confidence_set": {"sets"},
    "local_set": {"sets"},
    "not_reviewed": set(),
}
"""Caveats without a condition and what the code fills into them."""


# --- names and citations --------------------------------------------------------------------------


def citations_in(value: Any) -> Iterator[Citation]:
    """Yield every citation anywhere below a value."""
    if isinstance(value, Citation):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from citations_in(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from citations_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from citations_in(item)


def test_every_citation_names_a_reference_and_a_place() -> None:
    found = list(citations_in(EDITIONS))
    assert len(found) > len(EDITIONS.sets) + len(EDITIONS.statements)
    assert [item for item in found if item.ref not in KNOWLEDGE.references or not item.place.strip()] == []


LISTS = ("references", "statements", "proportions", "rates", "eligibility", "tests", "actions", "caveats")


@pytest.mark.parametrize("kind", LISTS)
def test_ids_are_unique(kind: str) -> None:
    ids = [item.id for item in getattr(EDITIONS, kind)]
    assert len(ids) == len(set(ids))


def test_no_evidence_id_stands_for_two_things() -> None:
    figures = [figure.id for action in KNOWLEDGE.actions for figure in action.figures]
    ids = [*figures, *KNOWLEDGE.proportions, *KNOWLEDGE.rates]
    assert len(ids) == len(set(ids))


# --- whom to test ---------------------------------------------------------------------------------

FACT_GRID = [
    dict(zip(("metastatic", "ras", "progressed_on_standard"), values, strict=True))
    for values in product((True, False, None), ("wild_type", "mutant", None), (True, False, None))
]


def says(source: str, **facts: Any) -> bool | None:
    rows = next(item for item in KNOWLEDGE.eligibility if item.id == source).rows
    held = {row.then for row in rows if evaluate(row.when, facts)}
    assert len(held) <= 1
    return held.pop() if held else None


def test_one_source_decides() -> None:
    assert [source.id for source in KNOWLEDGE.eligibility if source.decides] == ["article"]


@pytest.mark.parametrize("source", KNOWLEDGE.eligibility, ids=lambda source: source.id)
def test_rows_of_a_source_never_contradict_and_decide_every_known_patient(source: Eligibility) -> None:
    for facts in FACT_GRID:
        answers = {row.then for row in source.rows if evaluate(row.when, facts)}
        assert len(answers) <= 1, facts
        assert answers or None in facts.values(), facts


@pytest.mark.parametrize(
    ("source", "facts", "expected"),
    [
        ("article", {"metastatic": True, "ras": "wild_type"}, True),
        ("article", {"metastatic": True, "ras": "mutant"}, False),
        ("article", {"metastatic": False, "ras": "wild_type"}, False),
        ("article", {"metastatic": True}, None),
        ("article", {"ras": "wild_type"}, None),
        ("csco_after_failure", {"metastatic": True, "progressed_on_standard": True}, True),
        ("csco_after_failure", {"metastatic": True, "progressed_on_standard": False}, False),
        ("csco_after_failure", {"metastatic": True}, None),
        ("tdxd_ras_any", {"metastatic": True, "ras": "mutant"}, True),
        ("tdxd_ras_any", {"metastatic": True}, True),
        ("tdxd_ras_any", {"metastatic": False, "ras": "wild_type"}, False),
        ("tdxd_ras_any", {}, None),
    ],
)
def test_what_a_source_says(source: str, facts: dict[str, Any], expected: bool | None) -> None:
    assert says(source, **facts) is expected


# --- what to test next ----------------------------------------------------------------------------


def base_facts(name: str) -> tuple[str, ...]:
    """The measured facts behind a name: a derived fact is missing through those it is computed from."""
    return KNOWLEDGE.fields[name].derived_from or (name,)


def can_miss(node: Node) -> Iterator[str]:
    """Yield every measured fact that can leave a condition open (asking whether it is known never does)."""
    for part in walk(node):
        if not isinstance(part, IsNull):
            for name in fields_of(part):
                yield from base_facts(name)


def missable() -> set[str]:
    rows = [row for criteria in EDITIONS.sets for row in criteria.rows]
    return {name for row in rows for name in (*can_miss(row.when), *row.needs)}


def supplied_by(name: str) -> list[str]:
    return [kind.id for kind in KNOWLEDGE.tests if name in kind.supplies]


def test_every_fact_that_a_set_can_miss_is_supplied_by_exactly_one_test() -> None:
    missing = missable()
    assert {"ihc_score", "ish_ratio", "tumour_purity", "plasma_copies"} <= missing
    assert {name: supplied_by(name) for name in missing if len(supplied_by(name)) != 1} == {}


def test_no_test_supplies_what_nothing_asks_for() -> None:
    rows = [row for source in KNOWLEDGE.eligibility for row in source.rows]
    asked = missable() | {name for row in rows for name in fields_read(row.when)}
    assert {name for kind in KNOWLEDGE.tests for name in kind.supplies} <= asked


@pytest.mark.parametrize("kind", KNOWLEDGE.tests, ids=lambda kind: kind.id)
def test_a_test_names_fields_of_its_level(kind: Proposal) -> None:
    levels = {KNOWLEDGE.fields[name].level for name in kind.supplies}
    assert levels == ({kind.level} if kind.level != "site" else set())
    assert {KNOWLEDGE.fields[name].level for name in kind.only_if} <= {"specimen"}


def test_sequence_variants_are_never_a_next_test() -> None:
    supplied = {name for kind in KNOWLEDGE.tests for name in kind.supplies}
    assert supplied.isdisjoint({"braf_v600e", "pik3ca", "erbb2_mutation"})


# --- what can be acted on -------------------------------------------------------------------------


def reads(action: ActionRule) -> set[str]:
    return {name for condition in action.conditions for name in fields_read(condition.when)}


def sets_read(action: ActionRule) -> set[str]:
    return reads(action) & set(KNOWLEDGE.criteria)


def fits(action_id: str, facts: dict[str, Any]) -> bool | None:
    met = [evaluate(condition.when, facts) for condition in ACTIONS[action_id].conditions]
    return False if False in met else None if None in met else True


@pytest.mark.parametrize("action", KNOWLEDGE.actions, ids=lambda action: action.id)
def test_an_action_has_sources_conditions_and_figures(action: ActionRule) -> None:
    assert action.cite
    assert action.evidence or action.figures
    assert "metastatic" in reads(action)
    assert reads(action) & {"lines_of_therapy", "progressed_on_standard"}
    assert "highest_ihc_score" in reads(action) or len(sets_read(action)) == 1


@pytest.mark.parametrize("action", KNOWLEDGE.actions, ids=lambda action: action.id)
def test_an_action_reads_patient_facts_and_colorectal_sets_in_force(action: ActionRule) -> None:
    levels = {KNOWLEDGE.fields[name].level for name in reads(action) - sets_read(action)}
    assert levels == {"patient"}
    in_force = EDITIONS.on(action.effective).criteria
    assert {in_force[name].role for name in sets_read(action)} <= {"rule", "unseen"}


@pytest.mark.skipif(not TREATMENT.exists(), reason="the facts to carry over do not ship")
def test_every_regimen_of_the_facts_is_an_action() -> None:
    told = "\n".join(f"{action.setting} {action.regimen}" for action in KNOWLEDGE.actions)
    treatment = json.loads(TREATMENT.read_text(encoding="utf-8"))["treatment"]
    trials = [row["trial"].split(",")[0].removesuffix(" A") for row in treatment]
    assert len(trials) > 10
    assert [trial for trial in trials if trial.lower() not in told.lower()] == []


READY = {"metastatic": True, "lines_of_therapy": 2, "progressed_on_standard": True, "braf_v600e": "wild_type"}
THREE_PLUS = READY | {"highest_ihc_score": 3} | dict.fromkeys(KNOWLEDGE.criteria, "positive")
TWO_PLUS = READY | {"highest_ihc_score": 2, "mountaineer": "positive", "destiny_crc02": "positive"}


@pytest.mark.parametrize(
    ("action", "facts", "expected"),
    [
        # boundary_10: 3+ in 90 %, KRAS mutant
        ("tucatinib_trastuzumab_label", THREE_PLUS | {"ras": "mutant"}, False),
        ("tdxd_label", THREE_PLUS | {"ras": "mutant"}, True),
        ("tdxd_label", THREE_PLUS | {"ras": "mutant", "lines_of_therapy": 0}, False),
        ("tdxd_crc02", THREE_PLUS | {"ras": "mutant"}, True),
        ("tdxd_crc01", THREE_PLUS | {"ras": "mutant"}, False),
        ("pertuzumab_trastuzumab_mypathway", THREE_PLUS | {"ras": "mutant"}, True),
        # boundary_11: 2+ with positive ISH only
        ("tdxd_label", TWO_PLUS | {"ras": "wild_type"}, False),
        ("tdxd_crc02", TWO_PLUS | {"ras": "wild_type"}, True),
        ("tucatinib_trastuzumab_label", TWO_PLUS | {"ras": "wild_type"}, True),
        ("tucatinib_trastuzumab_label", TWO_PLUS, None),
        # both sides of each line of therapy
        ("tdxd_label", THREE_PLUS | {"lines_of_therapy": 1}, True),
        ("tdxd_label", THREE_PLUS | {"lines_of_therapy": None}, None),
        ("tdxd_crc01", THREE_PLUS | {"ras": "wild_type", "lines_of_therapy": 1}, False),
        ("tdxd_crc01", THREE_PLUS | {"ras": "wild_type", "lines_of_therapy": 2}, True),
        ("pertuzumab_trastuzumab_s1613", THREE_PLUS | {"ras": "wild_type", "lines_of_therapy": 2}, True),
        ("pertuzumab_trastuzumab_s1613", THREE_PLUS | {"ras": "wild_type", "lines_of_therapy": 3}, False),
        ("pertuzumab_trastuzumab_s1613", THREE_PLUS | {"ras": "wild_type", "braf_v600e": "mutant"}, False),
        ("rezetecan_phase3", THREE_PLUS | {"ras": "wild_type"}, True),
        ("rezetecan_phase3", THREE_PLUS | {"ras": "wild_type", "lines_of_therapy": 1}, False),
    ],
)
def test_whether_a_regimen_fits(action: str, facts: dict[str, Any], expected: bool | None) -> None:
    assert fits(action, facts) is expected


def test_no_regimen_fits_without_metastatic_disease_or_without_facts() -> None:
    local = THREE_PLUS | {"ras": "wild_type", "metastatic": False}
    assert {fits(name, local) for name in ACTIONS} == {False}
    assert {fits(name, {}) for name in ACTIONS} == {None}


def test_a_regimen_with_an_unseen_definition_is_never_decided_to_fit() -> None:
    unseen = {name for name, criteria in KNOWLEDGE.criteria.items() if criteria.role == "unseen"}
    # A set whose definition was not read is never positive or negative: its code is unknown to conditions.
    everything = THREE_PLUS | {"ras": "wild_type"} | dict.fromkeys(unseen)
    open_ones = {action.id for action in KNOWLEDGE.actions if sets_read(action) & unseen}
    assert len(open_ones) == 4
    for line in (0, 1, 2):
        answers = {name: fits(name, everything | {"lines_of_therapy": line}) for name in open_ones}
        assert True not in answers.values()
        assert None in answers.values()


def test_tdxd_shows_both_score_groups_as_inferred() -> None:
    for name in ("tdxd_label", "tdxd_crc02"):
        shown = {item: KNOWLEDGE.proportions[item] for item in ACTIONS[name].evidence}
        counts = {(item.events, item.total) for item in shown.values() if item.inferred}
        assert {(30, 64), (2, 31)} <= counts


# --- caveats --------------------------------------------------------------------------------------


def placeholders(caveat: CaveatRule) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(caveat.text) if name is not None}


def test_the_caveats_that_code_raises_are_there_with_their_blanks() -> None:
    unconditional = [caveat for caveat in KNOWLEDGE.caveats if caveat.when is None]
    assert {caveat.id: placeholders(caveat) for caveat in unconditional} == RAISED_BY_CODE


STATED = [caveat for caveat in KNOWLEDGE.caveats if caveat.when is not None]


@pytest.mark.parametrize("caveat", STATED, ids=lambda caveat: caveat.id)
def test_a_caveat_reads_and_shows_facts_of_its_level(caveat: CaveatRule) -> None:
    assert caveat.when is not None
    assert {KNOWLEDGE.fields[name].level for name in fields_read(caveat.when)} == {caveat.level}
    assert placeholders(caveat) <= set(fields_read(caveat.when))


PRIMARY_ONLY = {"primary_tested": True, "metastasis_tested": False, "metastatic": True}


@pytest.mark.parametrize(
    ("caveat", "facts", "expected"),
    [
        ("low_gain", {"ngs_copies": 2}, False),
        ("low_gain", {"ngs_copies": 3}, True),
        ("low_gain", {"ngs_copies": 4}, False),
        ("copies_between_groups", {"ngs_copies": 6}, True),
        ("copies_between_groups", {"ngs_copies": 9}, False),
        ("fold_is_not_copies", {"ngs_fold": 8}, True),
        ("fold_is_not_copies", {"ngs_fold": 8, "ngs_copies": 12}, False),
        ("fold_is_not_copies", {}, None),
        ("polysomy", {"ish_ratio": 1, "ish_her2_copies": 6}, True),
        ("polysomy", {"ish_ratio": 2, "ish_her2_copies": 6}, False),
        ("pattern_not_stated", {"ihc_score": 3}, True),
        ("pattern_not_stated", {"ihc_score": 3, "ihc_pattern": "complete"}, False),
        ("sequencing_alone", {"ngs_call": "amplified"}, True),
        ("sequencing_alone", {"ngs_call": "amplified", "ihc_score": 3}, False),
        ("only_primary_tested", PRIMARY_ONLY, True),
        ("only_primary_tested", PRIMARY_ONLY | {"metastasis_tested": True}, False),
        ("erbb2_variant", {"erbb2_mutation": "S310F"}, True),
        ("erbb2_variant", {"erbb2_mutation": "wild_type"}, False),
        ("ras_comutation", {"any_positive": True, "ras": "mutant"}, True),
        ("ras_comutation", {"any_positive": False, "ras": "mutant"}, False),
        ("right_sided", {"any_positive": True, "side": "rectum"}, False),
        ("plasma_is_its_own_evidence", {"plasma_copies": 3}, True),
        ("plasma_is_its_own_evidence", {}, None),
    ],
)
def test_when_a_caveat_is_shown(caveat: str, facts: dict[str, Any], expected: bool | None) -> None:
    when = CAVEATS[caveat].when
    assert when is not None
    assert evaluate(when, facts) is expected
