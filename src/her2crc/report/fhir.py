"""An answer as FHIR R4: one transaction bundle a patient, ready to be posted; several as one bundle a line (NDJSON).

Part of stage 5. Facts, verdicts, regimens that fit, proposals, issues, report and provenance, each from a module of
its own; the order is fixed and every address follows from the content, so that the same answer gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment
from her2crc.report.fhir_elements import Element, Entry, Sheet
from her2crc.report.fhir_facts import fact_entries
from her2crc.report.fhir_requests import device_entry, issue_entries, provenance_entry, request_entries
from her2crc.report.fhir_terms import terms
from her2crc.report.fhir_verdicts import implication_entries, report_entry, verdict_entries

ENCODER = msgspec.json.Encoder(decimal_format="number")


def report_fhir(assessment: Assessment, knowledge: Knowledge) -> bytes:
    """Return the transaction bundle of one patient as FHIR JSON, indented.

    Args:
        assessment: the answer.
        knowledge: the knowledge that gave it, for names and references.
    """
    return msgspec.json.format(ENCODER.encode(_bundle(assessment, knowledge)), indent=2) + b"\n"


def report_fhir_lines(assessments: Sequence[Assessment], knowledge: Knowledge) -> bytes:
    """Return one bundle of :func:`report_fhir` a line."""
    return b"".join(ENCODER.encode(_bundle(item, knowledge)) + b"\n" for item in assessments)


def _bundle(assessment: Assessment, knowledge: Knowledge) -> Element:
    sheet = Sheet(assessment, knowledge)
    entries = [_entry(sheet, item) for item in _entries(sheet)]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _entries(sheet: Sheet) -> list[Entry]:
    stated = list(fact_entries(sheet))
    facts = [entry for entry in stated if entry.fields]
    verdicts = list(verdict_entries(sheet, facts))
    implications = list(implication_entries(sheet, facts))
    report = report_entry(sheet, [*facts, *verdicts, *implications])
    computed = [*verdicts, *implications, *request_entries(sheet), *issue_entries(sheet, facts), report]
    return [device_entry(), *stated, *computed, provenance_entry(sheet, computed)]


def _entry(sheet: Sheet, entry: Entry) -> Element:
    kind = entry.resource["resourceType"]
    request = {"method": "POST", "url": kind} | _condition(entry.resource)
    return {"fullUrl": sheet.address(entry.role), "resource": entry.resource, "request": request}


def _condition(resource: Element) -> Element:
    """Create the program only once. A patient's or block's number says nothing without who gave it: never matched."""
    system = terms().systems["software"]
    named = [item["value"] for item in resource.get("identifier", ()) if item.get("system") == system]
    return {"ifNoneExist": f"identifier={system}|{named[0]}"} if named else {}
