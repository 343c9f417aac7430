"""For each rule of ``lint`` that a small file can show: that file, and its clean twin with the one fault mended."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, NamedTuple

Object = dict[str, Any]

LOINC, HGNC = "http://loinc.org", "http://www.genenames.org"
V2_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"
HEAD = "patient_id,specimen_id,"


class Twins(NamedTuple):
    """A file that breaks the rule, and one that does not."""

    faulty: bytes
    clean: bytes


# ---- tables


def table(columns: str, *rows: str) -> bytes:
    return "\n".join([HEAD + columns, *(f"P1,S1,{row}" for row in rows), ""]).encode()


def cells(column: str, faulty: str, clean: str) -> Twins:
    return Twins(table(column, faulty), table(column, clean))


# ---- FHIR


def coded(code: str, display: str = "", system: str = LOINC) -> Object:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def observation(code: str | Object, name: str = "o1", parts: tuple[Object, ...] = (), **fields: Any) -> Object:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "specimen": {"reference": "Specimen/s1"},
        "code": coded(code) if isinstance(code, str) else code,
        "component": list(parts),
    } | fields


def score(code: str | Object = "18474-7", **fields: Any) -> Object:
    return observation(code, **({"valueString": "3+"} | fields))


def gene(number: str, display: str = "") -> Object:
    return {"code": coded("48018-6"), "valueCodeableConcept": coded(f"HGNC:{number}", display, HGNC)}


def variant(*parts: Object, answer: str = "LA9633-4", **fields: Any) -> Object:
    return observation("69548-6", parts=parts, valueCodeableConcept=coded(answer), **fields)


def change(text: str = "p.G12D") -> Object:
    return {"code": coded("48005-3"), "valueCodeableConcept": {"text": text}}


def bundle(*resources: Object, kind: str = "TISS", born: str = "1960-01-01", **specimen: Any) -> bytes:
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": born}
    tube = {"resourceType": "Specimen", "id": "s1", "subject": {"reference": "Patient/p1"}} | specimen
    if kind:
        tube["type"] = coded(kind, system=V2_0487)
    entries = [{"resource": item} for item in (patient, tube, *resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def results(faulty: Object, clean: Object, **case: Any) -> Twins:
    return Twins(bundle(faulty, **case), bundle(clean, **case))


def condition(code: str, **fields: Any) -> Object:
    icd = "http://hl7.org/fhir/sid/icd-10"
    return {
        "resourceType": "Condition",
        "id": code,
        "subject": {"reference": "Patient/p1"},
        "code": coded(code, "Malignant neoplasm of colon" if code.startswith("C18") else "", icd),
    } | fields


def drug(status: str) -> Object:
    return {
        "resourceType": "MedicationStatement",
        "id": "m1",
        "status": status,
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "cetuximab"},
    }


UNCONFIRMED = {"coding": [{"code": "provisional"}]}
PERCENT = {"code": {"text": "percent"}}
BEFORE, AFTER = ({"collectedDateTime": day} for day in ("1959-12-31", "2025-01-01"))


# ---- HL7 v2


def message(*segments: str, header: str = "ORU^R01^ORU_R01", pid: str = "PID|1||P1^^^HOSP^MR") -> bytes:
    start = f"MSH|^~\\&|LAB|H|||20260101||{header}|1|P|2.5.1"
    specimen = "SPM|1|^S1&LAB||TISS^Tissue^HL70487"
    return "\r".join([start, pid, "OBR|1||S1^LAB|18474-7^HER2 by IHC^LN", *segments, specimen, ""]).encode()


IHC = "OBX|1|ST|18474-7^HER2^LN||3+||||||F"
KINDS = ("OBX|1|ED|18474-7^HER2^LN||^application^pdf^Base64^AA==||||||F", IHC)

# ---- cBioPortal


def study(gene: str) -> bytes:
    """A study of one sample whose copy-number file has one gene."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        head = "PATIENT_ID\tSAMPLE_ID\tCANCER_TYPE\tSAMPLE_TYPE\n"
        archive.writestr("data_clinical_sample.txt", head + "A\tA1\tColorectal Cancer\tPrimary\n")
        archive.writestr("data_CNA.txt", f"Hugo_Symbol\tA1\n{gene}\t2\n")
    return packed.getvalue()


CASES: dict[str, Twins] = {
    # codes
    "breast-code": results(observation("85319-2", valueString="3+"), score()),
    "fish-code-on-expression": results(observation("49683-6", valueString="3+"), score()),
    "serum-code": results(observation("32996-1", valueString="18 ng/mL"), score()),
    "immunoassay-code": results(observation("72382-5", valueString="18"), score()),
    "cep17-under-immune-stain": results(
        observation(coded("18474-7", "CEP17 signals"), valueInteger=2),
        observation(coded("74861-6", "CEP17 signals"), valueInteger=2),
    ),
    "gene-id-contradicts": results(
        variant(gene("2064", "ERBB2"), change("p.S310F")), variant(gene("3430", "ERBB2"), change("p.S310F"))
    ),
    "gene-not-her2": results(score(component=[gene("1097", "BRAF")]), score(component=[gene("3430", "ERBB2")])),
    "gene-code-alone": results(
        variant(gene("1097"), change("p.V600E")), variant(gene("1097", "BRAF"), change("p.V600E"))
    ),
    "display-contradicts-code": results(
        score(code=coded("18474-7", "Ki-67")), score(code=coded("18474-7", "HER2 [Presence] in Tissue"))
    ),
    "display-unclear": results(score(code=coded("18474-7", "Xyzin")), score(code=coded("18474-7", "IHC score"))),
    "legacy-code": results(
        observation("21702-6", valueString="not detected"), variant(gene("6407", "KRAS"), change("p.G12D"))
    ),
    "local-code": Twins(message("OBX|1|ST|X9^HER2 something^L||3+||||||F"), message(IHC)),
    "status-without-method": results(observation("48676-1", valueCodeableConcept=coded("LA6576-8")), score()),
    "tissue-test-on-blood": Twins(bundle(score(), kind="BLD"), bundle(score())),
    # values
    "unit-missing": results(
        score(component=[PERCENT | {"valueQuantity": {"value": 60}}]),
        score(component=[PERCENT | {"valueQuantity": {"value": 60, "unit": "%"}}]),
    ),
    "fraction-unit-missing": results(
        variant(gene("1097", "BRAF"), change("p.V600E"), {"code": coded("81258-6"), "valueQuantity": {"value": 20}}),
        variant(
            gene("1097", "BRAF"),
            change("p.V600E"),
            {"code": coded("48002-0"), "valueCodeableConcept": coded("LA6684-0")},
            {"code": coded("81258-6"), "valueQuantity": {"value": 20, "code": "%"}},
        ),
        kind="PLAS",
    ),
    "unit-wrong": results(
        score(component=[PERCENT | {"valueQuantity": {"value": 60, "unit": "mm"}}]),
        score(component=[PERCENT | {"valueQuantity": {"value": 60, "unit": "%"}}]),
    ),
    "percent-above-100": cells("ihc_percent", "160", "100"),
    "out-of-range": cells("ihc_score", "4", "3"),
    "not-a-percentage": cells("ngs_copies", "12 %", "12"),
    "wrong-type": cells("ish_nuclei", "20.5", "20"),
    "value-not-read": Twins(*map(message, KINDS)),
    "bound": cells("ish_ratio", "> 2", "2.1"),
    "word-not-known": cells("site", "elbow", "liver"),
    "several-values": results(score(valueInteger=2), score()),
    "value-absent": results(observation("18474-7", dataAbsentReason=coded("unknown")), score()),
    "value-failed": results(observation("18474-7", dataAbsentReason=coded("error")), score()),
    # dates
    "date-not-clear": Twins(
        bundle(score(), collection={"collectedDateTime": "2025"}), bundle(score(), collection=AFTER)
    ),
    "date-wrong": cells("collected_on", "2025-02-30", "2025-02-28"),
    "date-before-birth": Twins(bundle(score(), collection=BEFORE), bundle(score(), collection=AFTER)),
    # contradictions
    "ratio-contradicts-counts": Twins(
        table("ish_ratio,ish_her2_signals,ish_cep17_signals", "2.6,96,60"),
        table("ish_ratio,ish_her2_signals,ish_cep17_signals", "1.6,96,60"),
    ),
    "rows-contradict": Twins(table("ihc_score", "3", "2"), table("ihc_score", "3", "3")),
    "answers-contradict": results(
        observation("18474-7", valueCodeableConcept={"coding": [{"display": "3+"}, {"display": "1+"}]}), score()
    ),
    "material-contradicts": Twins(
        table("site,specimen_kind", "plasma,biopsy"), table("site,specimen_kind", "liver,biopsy")
    ),
    "stage-contradicts-metastatic": Twins(table("stage,metastatic", "4,false"), table("stage,metastatic", "4,true")),
    "call-contradicts-copies": Twins(
        table("ngs_call,ngs_copies", "amplified,2.1"), table("ngs_call,ngs_copies", "amplified,30")
    ),
    "plasma-reading-unexplained": Twins(
        table("site,plasma_copies,tumour_fraction", "plasma,0,0.2"),
        table("site,plasma_copies,tumour_fraction", "plasma,1.5,0.2"),
    ),
    "tissue-copies-below-normal": Twins(
        table("ngs_copies,tumour_purity", "0.8,0.2"), table("ngs_copies,tumour_purity", "0.8,0.7")
    ),
    "no-control-signals": Twins(
        table("ish_her2_signals,ish_cep17_signals", "100,0"), table("ish_her2_signals,ish_cep17_signals", "100,50")
    ),
    "tumours-contradict": Twins(bundle(condition("C18.7"), condition("C50.1")), bundle(condition("C18.7"))),
    # status, versions, references
    "entered-in-error": Twins(bundle(score(), status="entered-in-error"), bundle(score())),
    "status-not-used": results(score(status="cancelled"), score()),
    "status-uncertain": results(score(status="preliminary"), score()),
    "replaced": Twins(bundle(score(), score(status="corrected")), bundle(score(status="corrected"))),
    "dangling-reference": results(score(specimen={"reference": "Specimen/none"}), score()),
    "patient-missing": Twins(
        b"patient_id,specimen_id,ihc_score\nP1,S1,3\n,S2,2\n", b"patient_id,specimen_id,ihc_score\nP1,S1,3\nP1,S2,2\n"
    ),
    "specimen-not-named": Twins(message(IHC).rpartition(b"SPM")[0], message(IHC)),
    "matrix-unknown": Twins(
        *(
            bundle(
                variant(
                    gene("3430", "ERBB2"),
                    {"code": coded("82155-3"), "valueQuantity": {"value": 12}},
                ),
                kind=kind,
            )
            for kind in ("", "TISS")
        )
    ),
    # variants
    "variant-unclear": results(variant(change()), variant(gene("6407", "KRAS"), change())),
    "wild-type-not-shown": Twins(
        bundle(variant(gene("6407", "KRAS"), answer="LA9634-2")),
        bundle(
            variant(gene("6407", "KRAS"), answer="LA9634-2"),
            variant(gene("7989", "NRAS"), answer="LA9634-2", name="o2"),
        ),
    ),
    "variant-not-counted": Twins(
        *(
            bundle(
                variant(
                    gene("6407", "KRAS"),
                    change(),
                    {"code": coded("48002-0"), "valueCodeableConcept": coded(source)},
                )
            )
            for source in ("LA6683-2", "LA6684-0")
        )
    ),
    # diagnosis and treatment
    "diagnosis-not-used": results(condition("C18.7", verificationStatus=UNCONFIRMED), condition("C18.7")),
    "treatment-not-given": results(drug("not-taken"), drug("completed")),
    "counted-by-convention": results(condition("C18.4"), condition("C18.7")),
    # the file
    "unknown-column": Twins(table("ihc_score,ihc_scor", "3,3"), table("ihc_score,ihc_percent", "3,60")),
    "too-many-cells": Twins(table("ihc_score,ihc_percent", "3,60", "3,60,5,x"), table("ihc_score,ihc_percent", "3,60")),
    "not-a-record": Twins(
        b'{"patient_id": "P1", "specimens": []}\n{"patient_id": \n',
        b'{"patient_id": "P1", "specimens": []}\n{"patient_id": "P2"}\n',
    ),
    "bad-shape": results(score(component=7), score()),
    "not-results": Twins(message(IHC) + message(IHC, header="ADT^A01"), message(IHC)),
    "character-set": Twins(
        "patient_id,ihc_antibody\nP1,Münster\n".encode("latin-1"), "patient_id,ihc_antibody\nP1,Münster\n".encode()
    ),
    "study-columns-missing": Twins(study("TP53"), study("ERBB2")),
    "unlisted": Twins(
        b'{"patient_id": "P1", "specimens": [], "issues": [{"level": "warning", "id": "of_old", "text": "x"}]}',
        b'{"patient_id": "P1", "specimens": [], "issues": []}',
    ),
}
