"""Small FHIR resources for the tests of the reader, one call each."""

import json

from her2crc.model.record import PatientRecord
from her2crc.read.fhir import read_fhir

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
HGNC = "http://www.genenames.org"
HGNC_OF = {"ERBB2": "3430", "KRAS": "6407", "NRAS": "7989", "BRAF": "1097", "PIK3CA": "8975"}


def coded(code, display=None, system=LOINC):
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


def text(words):
    return {"text": words}


def quantity(value, unit=None, **more):
    return {"value": value} | ({"code": unit} if unit else {}) | more


def value(given):
    """A value as the FHIR field that its kind needs."""
    if isinstance(given, str):
        return {"valueString": given}
    if isinstance(given, int):
        return {"valueInteger": given}
    if "numerator" in given:
        return {"valueRatio": given}
    kind = "valueQuantity" if "value" in given else "valueCodeableConcept"
    return {kind: given}


def part(code, given):
    return {"code": code if isinstance(code, dict) else coded(code)} | value(given)


def resource(kind, name, **fields):
    return {"resourceType": kind, "id": name} | fields


def patient(name="p1", **fields):
    return resource("Patient", name, **fields)


def specimen(name="s1", kind="TISS", **fields):
    given = {"subject": {"reference": "Patient/p1"}}
    if kind:
        given["type"] = coded(kind, system="http://terminology.hl7.org/CodeSystem/v2-0487")
    return resource("Specimen", name, **(given | fields))


def result(name, code, given=None, of="s1", parts=(), status="final", **fields):
    """An observation of patient p1 on specimen ``of`` (None: it names no specimen)."""
    shown = {
        "code": code if isinstance(code, dict) else coded(code),
        "status": status,
        "subject": {"reference": "Patient/p1"},
        "component": list(parts),
    }
    if of:
        shown["specimen"] = {"reference": f"Specimen/{of}"}
    return resource("Observation", name, **(shown | ({} if given is None else value(given)) | fields))


def gene(symbol, number=None, display=None):
    return part("48018-6", coded(f"HGNC:{number or HGNC_OF[symbol]}", display or symbol, HGNC))


def variant(name, symbol, status="LA9633-4", *parts, **fields):
    return result(name, "69548-6", coded(status), parts=[gene(symbol), *parts], **fields)


def protein(change):
    return part("48005-3", coded(change, system="http://varnomen.hgvs.org"))


def bundle(*resources, kind="collection"):
    entries = [{"fullUrl": f"http://x.org/{r['resourceType']}/{r.get('id')}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def read(*resources):
    """The one patient of a bundle."""
    (record,) = read_all(bundle(*resources))
    return record


def read_all(document):
    return read_fhir(json.dumps(document).encode(), "test.json")


def tissue_case(*results, **fields):
    """Patient p1 with tissue specimen s1 and these results."""
    return read(patient(), specimen(**fields), *results)


def plasma_case(*results):
    return read(patient(), specimen(kind="PLAS"), *results)


def facts(record: PatientRecord, specimen_id: str = "s1") -> dict:
    """The values of the main row of a specimen, without its own description."""
    row = next(row for row in record.rows if row.values.get("specimen_id", specimen_id) == specimen_id)
    return {name: item for name, item in row.values.items() if name not in ("specimen_id", "site", "specimen_kind")}


def issues(record: PatientRecord) -> dict[str, str]:
    """Issue id to level."""
    return {issue.id: issue.level for issue in record.issues}
