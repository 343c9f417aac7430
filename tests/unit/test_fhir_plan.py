"""The FHIR export of the criteria: valid R4, the same CQL, every row and citation, and no claim that is not true."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from datetime import date
from typing import Any

import fhirkit
import msgspec
import pytest

from her2crc.catalogue import export_criteria, show_criteria
from her2crc.criteria.cache import load_editions
from her2crc.criteria.levels import knowledge_levels
from her2crc.criteria.sets import CriteriaSet
from her2crc.report.fhir_plan import export_plan

KNOWLEDGE = load_editions().on(date(2026, 11, 30))
WITH_ROWS = {name: item for name, item in KNOWLEDGE.criteria.items() if item.rows}
UNSEEN = [name for name, item in KNOWLEDGE.criteria.items() if not item.rows]
URN = re.compile(r"urn:[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]:[A-Za-z0-9()+,\-.:=@;$_!*'%/]+")
"""RFC 8141 without components."""
FHIR_NAME = re.compile(r"[A-Z][A-Za-z0-9_]{0,254}")


def resources(criteria: CriteriaSet) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the Library and the PlanDefinition of a set."""
    library, plan = (entry["resource"] for entry in json.loads(export_plan(criteria, KNOWLEDGE))["entry"])
    return library, plan


def row_actions(plan: dict[str, Any]) -> list[dict[str, Any]]:
    (outer,) = plan["action"]
    actions: list[dict[str, Any]] = outer["action"]
    return actions


@pytest.mark.parametrize("criteria", WITH_ROWS.values(), ids=WITH_ROWS)
def test_the_bundle_is_valid_r4(criteria: CriteriaSet) -> None:
    text = export_plan(criteria, KNOWLEDGE)
    assert [(issue.severity, issue.path, issue.message) for issue in fhirkit.validate(text)] == []
    for resource in resources(criteria):
        assert fhirkit.parse(resource, strict=True).to_dict() == resource


def test_the_validator_sees_what_is_wrong() -> None:
    _, plan = resources(WITH_ROWS["csco_article"])
    assert fhirkit.validate({**plan, "documentation": []})
    assert fhirkit.validate({name: value for name, value in plan.items() if name != "status"})


@pytest.mark.parametrize("criteria", WITH_ROWS.values(), ids=WITH_ROWS)
def test_the_library_holds_the_cql_of_the_cql_export(criteria: CriteriaSet) -> None:
    library, _ = resources(criteria)
    (content,) = library["content"]
    text = b64decode(content["data"], validate=True).decode()
    assert content["contentType"] == "text/cql"
    assert export_criteria("cql", KNOWLEDGE, [criteria.id]) == {f"{criteria.id}.cql": text}
    assert f"library \"{library['name']}\" version '{library['version']}'" in text


@pytest.mark.parametrize("criteria", WITH_ROWS.values(), ids=WITH_ROWS)
def test_every_row_and_citation_is_there_in_order(criteria: CriteriaSet) -> None:
    _, plan = resources(criteria)
    actions = row_actions(plan)
    assert [action["title"] for action in actions] == [row.id for row in criteria.rows]
    assert [action["code"][0]["coding"][0]["code"] for action in actions] == [row.then for row in criteria.rows]
    for cites, shown in [(criteria.cite, plan["relatedArtifact"])] + [
        (row.cite, action["documentation"]) for row, action in zip(criteria.rows, actions, strict=True)
    ]:
        assert [item["label"] for item in shown] == [cite.ref for cite in cites]
        for cite, item in zip(cites, shown, strict=True):
            assert item["type"] == "citation"
            assert item["citation"].endswith(f"Place: {cite.place}.")
            assert item["display"].startswith(f"Confidence {criteria.confidence}.")


@pytest.mark.parametrize("criteria", WITH_ROWS.values(), ids=WITH_ROWS)
def test_it_claims_no_more_than_there_is(criteria: CriteriaSet) -> None:
    for resource in resources(criteria):
        assert (resource["status"], resource["experimental"]) == ("draft", True)
        assert not {"approvalDate", "lastReviewDate", "publisher"} & set(resource)
        assert [item["valueCode"] for item in resource["extension"]] == ["computable", "structured"]
        assert resource["usage"] == KNOWLEDGE.settings.disclaimer
        assert criteria.review_state in resource["description"]
        assert str(criteria.effective).startswith(resource["effectivePeriod"]["start"])
    library, plan = resources(criteria)
    assert plan["version"] == KNOWLEDGE.version
    assert "trigger" not in json.dumps(plan)
    assert FHIR_NAME.fullmatch(plan["name"])
    assert ("Not for judging a colorectal tumour" in plan["purpose"]) == (criteria.role == "contrast")
    assert library["url"] != plan["url"]
    assert URN.fullmatch(library["url"])
    assert URN.fullmatch(plan["url"])


def test_only_an_approved_set_has_a_review_date() -> None:
    approved = msgspec.structs.replace(WITH_ROWS["csco_article"], review_state="approved")
    for resource in resources(approved):
        assert resource["lastReviewDate"] == str(approved.reviewed_on)
        assert resource["status"] == "draft"


def test_a_set_whose_id_needs_quoting_still_has_a_urn_and_a_name() -> None:
    local = msgspec.structs.replace(WITH_ROWS["s1613"], id="our lab, 2. Auflage")
    library, plan = resources(local)
    assert URN.fullmatch(plan["url"])
    assert plan["name"] == "Her2crc_our_lab__2__Auflage"
    assert library["name"] == local.id


def test_a_set_whose_text_was_not_read_gives_nothing() -> None:
    assert UNSEEN
    assert export_criteria("fhir", KNOWLEDGE, UNSEEN) == {}
    assert set(export_criteria("fhir", KNOWLEDGE)) == {f"{name}.fhir.json" for name in WITH_ROWS}


def test_the_same_knowledge_gives_the_same_bytes_and_replaces_only_its_own_version() -> None:
    criteria = WITH_ROWS["csco_article"]
    assert export_plan(criteria, KNOWLEDGE) == export_plan(criteria, KNOWLEDGE)
    later = msgspec.structs.replace(KNOWLEDGE, version="2027.1")
    requests = [json.loads(export_plan(criteria, known))["entry"][1]["request"] for known in (KNOWLEDGE, later)]
    assert [item["method"] for item in requests] == ["PUT", "PUT"]
    assert requests[0]["url"] != requests[1]["url"]


# ---- levels


def met(criteria: CriteriaSet) -> dict[str, bool]:
    return {check.text: check.met for level in knowledge_levels(criteria, KNOWLEDGE) for check in level.checks}


@pytest.mark.parametrize("name", UNSEEN)
def test_a_set_without_rows_reaches_no_level_beyond_the_first(name: str) -> None:
    levels = knowledge_levels(KNOWLEDGE.criteria[name], KNOWLEDGE)
    assert [level.id for level in levels] == ["L1", "L2", "L3", "L4"]
    assert [level.met for level in levels[1:]] == [0, 0, 0]
    assert not met(KNOWLEDGE.criteria[name])["its own wording was read"]


def test_the_lists_follow_the_set() -> None:
    criteria = WITH_ROWS["heracles_2015"]
    reviewed, read = "checked against the source by a clinician", "its own wording was read"
    engine = "same verdicts from the exported CQL in an independent engine"
    asked = "no open question on how to read the source"
    assert met(criteria)[read]
    assert not met(msgspec.structs.replace(criteria, confidence="secondary"))[read]
    assert not met(criteria)[reviewed]
    assert met(msgspec.structs.replace(criteria, review_state="approved"))[reviewed]
    assert met(criteria)[engine]
    assert not met(msgspec.structs.replace(criteria, origin="local"))[engine]
    assert met(msgspec.structs.replace(criteria, open_questions=()))[asked]
    assert not met(msgspec.structs.replace(criteria, open_questions=("How?",)))[asked]


@pytest.mark.parametrize("criteria", KNOWLEDGE.criteria.values(), ids=KNOWLEDGE.criteria)
def test_no_set_is_said_to_run_in_a_hospital_or_to_be_reviewed(criteria: CriteriaSet) -> None:
    checks = met(criteria)
    assert not checks["has run in a hospital's system"]
    assert not checks["checked against the source by a clinician"]
    assert [level["id"] for level in show_criteria(criteria.id, KNOWLEDGE)["levels"]] == ["L1", "L2", "L3", "L4"]
