"""What follows from an answer as FHIR: proposals of tests, issues of the input, and where the answer comes from.

Part of stage 5. A proposal is a draft for a person to take up; an issue is a value that could not be used or values
that contradict each other; the provenance names the program and the knowledge, with its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version

from her2crc.model.record import Issue
from her2crc.model.verdict import NextTest
from her2crc.report.fhir_elements import Element, Entry, Sheet, coding, concept, fact_code, notes
from her2crc.report.fhir_terms import terms
from her2crc.report.fhir_verdicts import facts_on
from her2crc.report.stated import BAD_LEVELS
from her2crc.report.words import join_words, name_code

SOFTWARE = "her2crc"
MIDNIGHT = "T00:00:00Z"
"""Provenance needs a moment; there is only the day that the answer stands for, and a clock would make files differ."""


def device_entry() -> Entry:
    """Return the program as a device; the same release is the same device everywhere."""
    release = version(SOFTWARE)
    resource = {
        "resourceType": "Device",
        "identifier": [{"system": terms().systems["software"], "value": release}],
        "status": "active",
        "deviceName": [{"name": SOFTWARE, "type": "user-friendly-name"}],
        "type": concept(text="decision support software, not a medical device"),
        "version": [{"value": release}],
    }
    return Entry(("device",), resource)


def request_entries(sheet: Sheet) -> Iterator[Entry]:
    """Yield each test to do next, as a proposal in draft."""
    for number, test in enumerate(sheet.assessment.next_tests, 1):
        yield Entry(("test", str(number)), _request(sheet, test))


def issue_entries(sheet: Sheet, facts: Sequence[Entry]) -> Iterator[Entry]:
    """Yield each value that could not be used, and each contradiction, with the facts that it concerns."""
    bad = [issue for issue in sheet.assessment.patient.issues if issue.level in BAD_LEVELS]
    for number, issue in enumerate(bad, 1):
        yield Entry(("issue", str(number)), _issue(sheet, issue, facts))


def provenance_entry(sheet: Sheet, targets: Iterable[Entry]) -> Entry:
    """Return which program and which knowledge gave the computed resources."""
    stamp = sheet.assessment.knowledge
    sources = {"knowledge": stamp.version, "knowledge_sha256": stamp.sha256}
    resource = {
        "resourceType": "Provenance",
        "target": [sheet.refer(*entry.role) for entry in targets],
        "occurredDateTime": sheet.day,
        "recorded": sheet.day + MIDNIGHT,
        "agent": [{"type": concept(coding("participant", "assembler")), "who": sheet.refer("device")}],
        "entity": [
            {"role": "source", "what": {"identifier": {"system": terms().systems[name], "value": value}}}
            for name, value in sources.items()
        ],
    }
    return Entry(("provenance",), resource)


def _request(sheet: Sheet, test: NextTest) -> Element:
    names = [sheet.knowledge.criteria[name].name for name in test.would_decide]
    site = {"bodySite": [concept(text=name_code(test.site))]} if test.site else {}
    on = {"specimen": [sheet.refer("specimen", test.specimen)]} if test.specimen else site
    reasons = [sheet.refer("verdict", name) for name in test.would_decide]
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": concept(coding("next_test", test.test), text=test.name),
        "subject": sheet.refer("patient"),
        "authoredOn": sheet.day,
        "requester": sheet.refer("device"),
        "reasonCode": [concept(text=test.why)],
        **({"reasonReference": reasons} if reasons else {}),
        **on,
        **notes(
            f"Can decide: {join_words(names)}." if names else "",
            *(f"Source: {item['citation']}" for item in sheet.sources(test.cite)),
        ),
    }


def _issue(sheet: Sheet, issue: Issue, facts: Sequence[Entry]) -> Element:
    about = facts_on(facts, [issue.field], issue.specimen) if issue.field else []
    known = sheet.knowledge.fields.get(issue.field)
    evidence = {"evidence": [{"code": [fact_code(known)]}]} if known else {}
    return {
        "resourceType": "DetectedIssue",
        "status": "final",
        "code": concept(coding("issue", issue.id), text=name_code(issue.id)),
        "patient": sheet.refer("patient"),
        "identifiedDateTime": sheet.day,
        "author": sheet.refer("device"),
        **({"implicated": [sheet.refer(*entry.role) for entry in about]} if about else {}),
        **evidence,
        "detail": issue.text,
    }
