"""A criteria set as FHIR R4 definitions: a Library with its CQL, and a PlanDefinition with an action for each row.

Part of stage 5, but about the rules and not about a patient: ``criteria export --to fhir`` comes here. It follows the
HL7 clinical guidelines guide (CPG 2.0), and claims of it only what was checked: the profile of a computable plan, the
capability ``computable``, the level ``structured``. What needs a publisher (``shareable``, ``publishable``) or
translated logic (``executable``) is not claimed. Nothing is ever ``active``: no clinician has approved a rule.

The canonical addresses are URNs. No host is ours, so that a web address would promise a page that does not exist;
they end in ``Library/<name>`` as CQL engines expect, and a site may put its own base before that.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import msgspec

from her2crc.criteria.export_cql import APPLIES, define_name, export_cql
from her2crc.criteria.levels import APPROVED
from her2crc.criteria.library import Knowledge
from her2crc.criteria.sets import CriteriaSet, Row
from her2crc.model.citation import Citation
from her2crc.report.fhir_elements import Element, citation, coding, concept
from her2crc.report.fhir_terms import terms
from her2crc.report.words import show_effective

CANONICAL = "urn:her2crc:"
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]")

PURPOSE = {
    "rule": "To read the results of a tumour as this one source does, beside other rules and never merged with them.",
    "contrast": "To show how the rule of another organ reads the same results. Not for judging a colorectal tumour.",
}
ORDER = (
    "The first row that holds decides; rows that hold together say the same. Where none holds, the definition Status "
    "of the library tells indeterminate (a fact is missing) from not covered (the source is silent)."
)


def export_plan(criteria: CriteriaSet, knowledge: Knowledge) -> str:
    """Return a set as the JSON text of a transaction bundle that creates or replaces its two definitions.

    Args:
        criteria: a set with rows; without rows there is nothing to plan.
        knowledge: the knowledge that the set comes from, for fields, references and version.

    Raises:
        UsageError: a threshold has more decimals than CQL can hold.
    """
    library = _library(criteria, knowledge)
    entries = [_entry(library), _entry(_plan(criteria, knowledge, _canonical(library)))]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2).decode() + "\n"


def _entry(resource: Element) -> Element:
    """Replace only the same version of the same definition; other versions stay beside it."""
    same = f"url={quote(resource['url'], safe='')}&version={quote(resource['version'], safe='')}"
    return {
        "fullUrl": f"urn:uuid:{uuid5(NAMESPACE_URL, _canonical(resource))}",
        "resource": resource,
        "request": {"method": "PUT", "url": f"{resource['resourceType']}?{same}"},
    }


def _library(criteria: CriteriaSet, knowledge: Knowledge) -> Element:
    """Wrap the CQL. Name and version are those inside the CQL, since engines look a library up by them."""
    text = export_cql(criteria, knowledge.fields)
    head = _head("Library", criteria, knowledge, name=criteria.id, version=str(criteria.effective))
    content = {"contentType": "text/cql", "data": b64encode(text.encode()).decode()}
    return head | {"type": concept(coding("library_type", "logic-library")), "content": [content]}


def _plan(criteria: CriteriaSet, knowledge: Knowledge, library: str) -> Element:
    """Write the rows as actions within one that holds while the set applies."""
    head = _head("PlanDefinition", criteria, knowledge, name=_plan_name(criteria), version=knowledge.version)
    return head | {
        "meta": {"profile": [terms().profiles["computable_plan"]], **head["meta"]},
        "type": concept(coding("plan_type", "eca-rule")),
        "library": [library],
        "action": [
            {
                "title": "When this set applies: the right tumour and the right material",
                "textEquivalent": ORDER,
                "condition": [_condition(APPLIES)],
                "action": [_action(row, criteria, knowledge) for row in criteria.rows],
            }
        ],
    }


def _head(kind: str, criteria: CriteriaSet, knowledge: Knowledge, name: str, version: str) -> Element:
    """Return what Library and PlanDefinition have in common."""
    review = f"Review: {criteria.review_state}; last compared with its source on {criteria.reviewed_on}."
    told = f"Role: {criteria.role}. Confidence: {criteria.confidence}. {review}"
    focus = {
        "code": coding("usage_context", "focus"),
        "valueCodeableConcept": concept(text=f"{criteria.tumour} tumour"),
    }
    return {
        "resourceType": kind,
        "meta": {"tag": [coding("knowledge", knowledge.version), coding("knowledge_sha256", knowledge.sha256)]},
        "extension": list(_claims()),
        "url": f"{CANONICAL}{kind}/{quote(criteria.id, safe='')}",
        "version": version,
        "name": name,
        "title": criteria.name,
        "status": "draft",
        "experimental": True,
        "date": criteria.reviewed_on.isoformat(),
        "description": f"{criteria.summary}\n\n{told}",
        "useContext": [focus],
        "purpose": PURPOSE[criteria.role],
        "usage": knowledge.settings.disclaimer,
        **_reviewed(criteria),
        "effectivePeriod": {"start": show_effective(criteria.effective, criteria.effective_precision)},
        "relatedArtifact": _sources(criteria.cite, criteria, knowledge),
    }


def _claims() -> Iterator[Element]:
    yield {"url": terms().profiles["knowledge_capability"], "valueCode": "computable"}
    yield {"url": terms().profiles["knowledge_level"], "valueCode": "structured"}


def _reviewed(criteria: CriteriaSet) -> Element:
    """Return when it was last reviewed; comparing it with its source is no review until a clinician approved it."""
    is_approved = criteria.review_state == APPROVED
    return {"lastReviewDate": criteria.reviewed_on.isoformat()} if is_approved else {}


def _action(row: Row, criteria: CriteriaSet, knowledge: Knowledge) -> Element:
    when = " ".join(row.when_text.split())
    return {
        "title": row.id,
        "description": row.says,
        "textEquivalent": f"{row.then}: {row.says} When: {when}",
        "code": [concept(coding("status", row.then))],
        "documentation": _sources(row.cite, criteria, knowledge),
        "condition": [_condition(define_name(row))],
    }


def _condition(definition: str) -> Element:
    expression = {"language": "text/cql-identifier", "expression": definition}
    return {"kind": "applicability", "expression": expression}


def _sources(cites: Iterable[Citation], criteria: CriteriaSet, knowledge: Knowledge) -> list[Element]:
    """Cite with what was read of each source, and how sure the set is of its wording."""
    return [
        citation(cite, knowledge.references)
        | {"display": f"Confidence {criteria.confidence}. Read: {knowledge.references[cite.ref].basis}."}
        for cite in cites
    ]


def _canonical(resource: Element) -> str:
    return f"{resource['url']}|{resource['version']}"


def _plan_name(criteria: CriteriaSet) -> str:
    """Return a name that begins with a capital and has no sign but the underscore, as FHIR asks."""
    return f"Her2crc_{NOT_IN_A_NAME.sub('_', criteria.id)}"
