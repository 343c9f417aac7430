"""The FHIR writer: valid by two validators, reads back to the same findings, and never says more than was found."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhirkit
import msgspec
import pytest
from hypothesis import given, settings
from written_patients import ANSWERS, KNOWLEDGE, PATIENTS, findings, patients

import her2crc
from her2crc.backends.cli import assess as command
from her2crc.flow import assess, normalise_record, read_patients
from her2crc.model.patient import Patient
from her2crc.model.record import PatientRecord, SpecimenRow
from her2crc.normalise import specimen_facts
from her2crc.read.fhir import read_fhir
from her2crc.read.fhir_codes import codebook
from her2crc.report import formats
from her2crc.report.fhir import report_fhir, report_fhir_lines
from her2crc.report.fhir_terms import terms

GOLDEN = Path(__file__).parents[1] / "golden" / "fhir_out"
SHOWN = (
    "EX-03-2plus-fish-amplified",
    "EX-06-ras-mutant-3plus",
    "EX-09-plasma-below-detection",
    "EX-11-ratio-contradicts-counts",
)
OWN = "urn:her2crc:"
LOINC = "http://loinc.org"
PRESENT, ABSENT = "LA9633-4", "LA9634-2"
FEW = settings(max_examples=60, deadline=None)

Resource = dict[str, Any]


def written(patient: Patient) -> bytes:
    return report_fhir(assess(patient, KNOWLEDGE), KNOWLEDGE)


def bundle(name: str) -> Resource:
    return json.loads(report_fhir(ANSWERS[name], KNOWLEDGE))


def resources(document: Resource, kind: str) -> list[Resource]:
    return [entry["resource"] for entry in document["entry"] if entry["resource"]["resourceType"] == kind]


def patient_of(*specimens: dict[str, Any], **about: Any) -> Patient:
    rows = [SpecimenRow("test:0", about)]
    rows += [SpecimenRow(f"test:{n}", {"specimen_id": f"S{n}", **item}) for n, item in enumerate(specimens, 1)]
    return normalise_record(PatientRecord("P1", tuple(rows)), KNOWLEDGE)


def facts_of(document: Resource, loinc: str) -> list[Resource]:
    found = resources(document, "Observation")
    return [item for item in found if any(c.get("code") == loinc for c in item["code"].get("coding", ()))]


# ---- valid FHIR


@pytest.mark.parametrize("name", ANSWERS)
def test_fhirkit_finds_nothing_wrong(name: str) -> None:
    assert [str(issue) for issue in fhirkit.validate(report_fhir(ANSWERS[name], KNOWLEDGE))] == []


@given(patients())
@FEW
def test_fhirkit_finds_nothing_wrong_with_any_patient(patient: Patient) -> None:
    assert [str(issue) for issue in fhirkit.validate(written(patient))] == []


# ---- profiles, checked by ourselves (by the validator: test_fhir_profiles.py)


@pytest.mark.parametrize("name", ANSWERS)
def test_claimed_profiles_are_kept(name: str) -> None:
    for item in resources(bundle(name), "Observation"):
        claimed = item.get("meta", {}).get("profile", [])
        if not claimed:
            continue
        assert {c["code"] for concept in item["category"] for c in concept["coding"]} == {"laboratory", "GE"}
        codes = [part["code"]["coding"][0]["code"] for part in item["component"]]
        if claimed == [terms().profiles["variant"]]:
            assert item["code"]["coding"] == [{"system": LOINC, "code": "69548-6"}]
            assert codes.count("48018-6") == 1
            said = [c["code"] for c in item.get("valueCodeableConcept", {}).get("coding", ())]
            assert said in ([PRESENT], [ABSENT]) or item["dataAbsentReason"]
        else:
            assert claimed == [terms().profiles["implication"]]
            assert item["derivedFrom"]
            assert not [key for key in item if key.startswith("value")]
            assert {"51963-7", "therapeutic-implication"} <= set(codes)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_report_keeps_the_profile_that_it_claims(name: str) -> None:
    [report] = resources(bundle(name), "DiagnosticReport")
    assert report["meta"]["profile"] == [terms().profiles["report"]]
    assert report["code"]["coding"] == [{"system": LOINC, "code": "51969-4"}]
    assert [c["code"] for concept in report["category"] for c in concept["coding"]] == ["GE"]
    assert [key for key in report if key.startswith("effective")] == ["effectiveDateTime"]


@pytest.mark.parametrize("name", ANSWERS)
def test_sources_stand_where_r4_allows_the_extension(name: str) -> None:
    """R4 has workflow-relatedArtifact for an Observation and a report only; a request names its sources in notes."""
    for entry in bundle(name)["entry"]:
        item = entry["resource"]
        if "extension" in item:
            assert item["resourceType"] in ("Observation", "DiagnosticReport")
    requests = resources(bundle(name), "ServiceRequest")
    for item, test in zip(requests, ANSWERS[name].next_tests, strict=True):
        noted = [note["text"] for note in item.get("note", ()) if note["text"].startswith("Source: ")]
        assert len(noted) == len(dict.fromkeys(test.cite))
        assert all(cite.place in text for cite, text in zip(dict.fromkeys(test.cite), noted, strict=True))


@pytest.mark.parametrize("name", ANSWERS)
def test_every_gene_has_its_number(name: str) -> None:
    """The set of genes is extensible: words alone would be right only where the register had no number."""
    parts = [part for item in resources(bundle(name), "Observation") for part in item.get("component", ())]
    genes = [part["valueCodeableConcept"]["coding"] for part in parts if part["code"]["coding"][0]["code"] == "48018-6"]
    assert all(code["code"].startswith("HGNC:") for [code] in genes)


# ---- codes


def test_every_code_is_one_that_may_be_written() -> None:
    file = codebook().file
    known = {code.code: code.emit for code in file.codes} | {
        code.code: code.emit for answers in file.answers.values() for row in answers.rows for code in row.codes
    }
    spoken = terms()
    used = [
        *(test.code for test in spoken.tests),
        *(test.order for test in spoken.tests if test.order),
        *(fact.code for fact in spoken.facts.values() if fact.code),
        *spoken.genes.values(),
        *(score.answer for score in spoken.scores.values()),
        *spoken.presence.values(), *spoken.msi.values.values(), spoken.msi.code, spoken.variant_code,
        *spoken.material.values(), *(site.code for site in spoken.sites.values() if site.code),
        *(spoken.parts[name] for name in ("gene", "protein", "change")), spoken.copy_number_change.code,
    ]  # fmt: skip
    assert [code for code in used if not known.get(code)] == []


@pytest.mark.parametrize("name", ["loinc", "snomed", "hgnc", "v2_0487", "sequence_ontology", "mii_her2_score"])
def test_code_systems_are_those_of_the_reader(name: str) -> None:
    assert terms().systems[name] in codebook().file.systems[name]


@pytest.mark.parametrize("name", ["field", "value"])
def test_our_own_code_systems_are_those_of_the_reader(name: str) -> None:
    assert codebook().file.systems[f"her2crc_{name}"] == (terms().systems[name],)


def test_every_fact_has_its_place() -> None:
    placed = {name for test in terms().tests for name in test.fields}
    assert placed <= set(KNOWLEDGE.fields)
    groups = {f.name for f in KNOWLEDGE.fields.values() if f.group in ("ihc", "ish", "tissue", "plasma")}
    assert placed == {
        name for name in groups if KNOWLEDGE.fields[name].group == "ish" or not KNOWLEDGE.fields[name].derived_from
    }


# ---- a transaction


def references_in(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return own + [found for value in node.values() for found in references_in(value)]
    return [found for item in node for found in references_in(item)] if isinstance(node, list) else []


@pytest.mark.parametrize("name", ANSWERS)
def test_the_bundle_can_be_posted(name: str) -> None:
    document = bundle(name)
    assert document["type"] == "transaction"
    addresses = [entry["fullUrl"] for entry in document["entry"]]
    assert len(set(addresses)) == len(addresses)
    assert set(references_in(document)) <= set(addresses)
    for entry in document["entry"]:
        kind = entry["resource"]["resourceType"]
        assert entry["request"]["method"] == "POST"
        assert entry["request"]["url"] == kind
        assert ("ifNoneExist" in entry["request"]) == (kind == "Device")


def test_the_same_answer_gives_the_same_bytes_and_another_patient_other_addresses() -> None:
    first, second = (ANSWERS[name] for name in SHOWN[:2])
    assert report_fhir(first, KNOWLEDGE) == report_fhir(first, KNOWLEDGE)
    addresses = [{entry["fullUrl"] for entry in bundle(item.patient_id)["entry"]} for item in (first, second)]
    assert not addresses[0] & addresses[1]


def test_several_patients_are_one_bundle_a_line() -> None:
    lines = report_fhir_lines(list(ANSWERS.values()), KNOWLEDGE).splitlines()
    assert [json.loads(line) for line in lines] == [bundle(name) for name in ANSWERS]
    back = read_patients(b"\n".join(lines), KNOWLEDGE, "written.ndjson")
    assert sorted(item.patient_id for item in back) == sorted(ANSWERS)


def test_the_command_line_offers_every_format() -> None:
    assert command.FORMATS == formats.FORMATS
    one, many = [ANSWERS[SHOWN[0]]], list(ANSWERS.values())
    assert list(her2crc.render(one, "fhir", KNOWLEDGE)) == [report_fhir(one[0], KNOWLEDGE)]
    assert list(her2crc.render(many, "fhir", KNOWLEDGE)) == [report_fhir_lines(many, KNOWLEDGE)]


# ---- there and back


def round_trip(patient: Patient) -> Patient:
    records = read_fhir(written(patient), "written")
    assert len(records) == 1
    return normalise_record(records[0], KNOWLEDGE)


def lost(patient: Patient) -> tuple[str, ...]:
    """The two facts that may not come back as they were (docs/how-to/write-fhir.md).

    Counts alone are read as their quotient as well. Plasma is both kind and site, where one of them was unusable.
    """
    alone = [i.ish for i in patient.specimens if i.ish.ish_ratio is None and "ish_ratio" not in i.unsettled]
    ratio = any(ish.ish_cep17_signals and ish.ish_her2_signals is not None for ish in alone)
    kinds = [{i.site, i.specimen_kind} == {"plasma", None} for i in patient.specimens]
    return ("ish_ratio",) * ratio + ("site", "specimen_kind") * any(kinds)


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda item: item.patient_id)
def test_examples_read_back_to_the_same_findings(patient: Patient) -> None:
    back = round_trip(patient)
    assert findings(back, lost(patient)) == findings(patient, lost(patient))
    assert [assess(back, KNOWLEDGE).criteria[name].status for name in KNOWLEDGE.criteria] == [
        ANSWERS[patient.patient_id].criteria[name].status for name in KNOWLEDGE.criteria
    ]


@given(patients())
@FEW
def test_any_patient_reads_back_to_the_same_findings(patient: Patient) -> None:
    back = round_trip(patient)
    assert findings(back, lost(patient)) == findings(patient, lost(patient))


def test_a_quotient_that_counts_come_back_with_changes_no_fact() -> None:
    patient = patient_of({"ish_her2_signals": 96, "ish_cep17_signals": 37, "ish_nuclei": 20})
    assert lost(patient) == ("ish_ratio",)
    before, after = (specimen_facts(item.specimens[0]) for item in (patient, round_trip(patient)))
    shown = {name for name in before if before[name] != after[name]}
    assert shown <= {"site", "specimen_kind"}


@pytest.mark.parametrize("name", ["Block 3/A", "S_1", "Ä & <1>", "x" * 90])
def test_an_id_that_fhir_does_not_allow_stays_in_the_identifier(name: str) -> None:
    record = PatientRecord(name, (SpecimenRow("here", {"specimen_id": name, "ihc_score": "3+"}),))
    document = json.loads(written(normalise_record(record, KNOWLEDGE)))
    assert fhirkit.validate(json.dumps(document)) == []
    for kind in ("Patient", "Specimen"):
        assert [item["identifier"] for item in resources(document, kind)] == [[{"value": name}]]


def test_ids_that_differ_only_in_what_fhir_does_not_allow_stay_apart() -> None:
    rows = tuple(SpecimenRow("here", {"specimen_id": name, "ihc_score": "1+"}) for name in ("S_1", "S 1", "S-1"))
    document = json.loads(written(normalise_record(PatientRecord("P", rows), KNOWLEDGE)))
    assert len({item["id"] for item in resources(document, "Specimen")}) == len(rows)


# ---- what is said, and what is not


def test_digits_are_kept() -> None:
    data = written(patient_of({"site": "liver", "ish_ratio": "2.60", "ngs_copies": "12.0", "ihc_percent": "10.50"}))
    decoded = json.loads(data, parse_float=Decimal)
    shown = [str(number) for number in numbers_in(decoded)]
    assert {"2.60", "12.0", "10.50"} <= set(shown)


def numbers_in(node: Any) -> list[Decimal]:
    if isinstance(node, Decimal):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [found for child in children for found in numbers_in(child)]


def test_a_score_is_said_in_words_and_in_both_code_systems() -> None:
    answers = (("0", "LA6111-4"), ("1+", "LA11841-6"), ("2+", "LA11842-4"), ("3+", "LA11843-2"))
    for score, (shown, answer) in enumerate(answers):
        [ihc] = facts_of(json.loads(written(patient_of({"ihc_score": shown}))), "18474-7")
        german, loinc = ihc["valueCodeableConcept"]["coding"]
        assert (german["code"], german["display"], ihc["valueCodeableConcept"]["text"]) == (str(score), shown, shown)
        assert loinc == {"system": LOINC, "code": answer}


def test_the_ratio_is_reported_or_counted_exactly() -> None:
    [counted] = facts_of(
        json.loads(written(patient_of({"ish_her2_signals": 312, "ish_cep17_signals": 104}))), "49683-6"
    )
    assert [counted["valueRatio"][name]["value"] for name in ("numerator", "denominator")] == [312, 104]
    [reported] = facts_of(json.loads(written(patient_of({"ish_ratio": "2.1"}))), "49683-6")
    assert [reported["valueRatio"][name]["value"] for name in ("numerator", "denominator")] == [2.1, 1]


def test_values_that_contradict_each_other_are_an_error_and_an_issue() -> None:
    document = bundle("EX-11-ratio-contradicts-counts")
    [ish] = facts_of(document, "49683-6")
    assert [code["code"] for code in ish["dataAbsentReason"]["coding"]] == ["error"]
    [issue] = resources(document, "DetectedIssue")
    addresses = {json.dumps(entry["resource"]): entry["fullUrl"] for entry in document["entry"]}
    assert issue["implicated"] == [{"reference": addresses[json.dumps(ish)]}]
    assert "valueRatio" not in ish


@given(patients())
@FEW
def test_absent_and_negative_are_said_only_of_what_was_found_so(patient: Patient) -> None:
    document = json.loads(written(patient))
    found = {
        name
        for name in ("ras", "braf_v600e", "pik3ca", "erbb2_mutation")
        if getattr(patient.genes, name) == "wild_type"
    }
    calls = sum(item.tissue.ngs_call == "not_amplified" for item in patient.specimens)
    values = [json.dumps(item.get("valueCodeableConcept", {})) for item in resources(document, "Observation")]
    said = [value for value in values if ABSENT in value]
    assert len(found) + ("ras" in found) <= len(said) <= len(found) + ("ras" in found) + calls


@given(patients(unreadable=False))
@FEW
def test_a_fact_less_is_never_a_result_more(patient: Patient) -> None:
    """Removing a test removes its values and adds none; what is unknown then has a reason and no value."""
    without = msgspec.structs.replace(
        patient, specimens=tuple(msgspec.structs.replace(item, ish=type(item.ish)()) for item in patient.specimens)
    )
    for item in facts_of(json.loads(written(without)), "49683-6"):
        assert item["dataAbsentReason"]["coding"][0]["code"] in ("unknown", "error")
        assert not [key for part in (item, *item.get("component", ())) for key in part if key.startswith("value")]


def test_a_test_on_the_wrong_material_goes_out_under_our_own_code_only() -> None:
    document = json.loads(written(patient_of({"site": "plasma", "ihc_score": "3+", "plasma_copies": "4"})))
    assert facts_of(document, "18474-7") == []
    assert len(facts_of(document, "specimen-facts")) == 1


def test_which_gene_of_ras_is_mutant_is_never_guessed() -> None:
    document = bundle("EX-06-ras-mutant-3plus")
    genes = [part for item in facts_of(document, "69548-6") for part in item["component"]]
    assert "KRAS" not in json.dumps(genes)
    assert "NRAS" not in json.dumps(genes)
    [ras] = facts_of(document, "ras")
    assert ras["valueCodeableConcept"]["coding"][0]["code"] == "mutant"


# ---- verdicts


@pytest.mark.parametrize("name", ANSWERS)
def test_every_set_speaks_for_itself(name: str) -> None:
    answer, document = ANSWERS[name], bundle(name)
    for id, verdict in answer.criteria.items():
        said = [item for item in facts_of(document, id) if item["code"]["coding"][0]["system"] == f"{OWN}criteria"]
        shown = [item["valueCodeableConcept"]["coding"][0]["code"] for item in said]
        assert shown == [*(item.status for item in verdict.specimens.values()), verdict.status]
        assert {item["status"] for item in said} == {"preliminary"}
        letters = {"positive": "POS", "negative": "NEG", "equivocal": "E", "indeterminate": "IND"}
        for item, status in zip(said, shown, strict=True):
            letter = [c["code"] for concept in item.get("interpretation", ()) for c in concept["coding"]]
            expected = letters.get(status) if verdict.role != "contrast" else None
            assert letter == ([expected] if expected else [])
            assert item["extension"], "a verdict without its source"


def test_a_rule_of_another_organ_says_so() -> None:
    document = bundle("EX-01-clear-3plus")
    contrast = [id for id, item in ANSWERS["EX-01-clear-3plus"].criteria.items() if item.role == "contrast"]
    assert contrast
    for id in contrast:
        assert all(item["code"]["text"].startswith("Contrast only") for item in facts_of(document, id))


@pytest.mark.parametrize("name", ANSWERS)
def test_the_report_counts_and_does_not_merge(name: str) -> None:
    [report] = resources(bundle(name), "DiagnosticReport")
    agreement = ANSWERS[name].agreement
    assert f"positive {len(agreement.positive)}, negative {len(agreement.negative)}," in report["conclusion"]
    assert report["conclusion"].endswith(ANSWERS[name].disclaimer)
    assert "conclusionCode" not in report
    assert "presentedForm" not in report
    assert len(report["result"]) == len(resources(bundle(name), "Observation"))


@pytest.mark.parametrize("name", ANSWERS)
def test_only_regimens_that_fit_and_every_proposal_go_out(name: str) -> None:
    answer, document = ANSWERS[name], bundle(name)
    fitting = [action.id for action in answer.actions if action.fits]
    out = [
        item["component"][0]["valueCodeableConcept"]["coding"][0]["code"]
        for item in facts_of(document, "therapeutic-implication")
    ]
    assert out == fitting
    requests = resources(document, "ServiceRequest")
    assert [item["code"]["coding"][0]["code"] for item in requests] == [test.test for test in answer.next_tests]
    assert {(item["status"], item["intent"]) for item in requests} <= {("draft", "proposal")}


def test_the_provenance_names_program_and_knowledge() -> None:
    document = bundle(SHOWN[0])
    [provenance], [device] = resources(document, "Provenance"), resources(document, "Device")
    assert device["identifier"] == [{"system": f"{OWN}software", "value": her2crc.__version__}]
    stamp = ANSWERS[SHOWN[0]].knowledge
    assert [item["what"]["identifier"]["value"] for item in provenance["entity"]] == [stamp.version, stamp.sha256]


# ---- as it was read by a person


def shown(document: Resource) -> list[Resource]:
    """What a person checks: everything but the verdicts and their sources, without what each release changes."""
    text = json.dumps(document).replace(her2crc.__version__, "VERSION").replace(KNOWLEDGE.sha256, "SHA256")
    names: dict[str, str] = {}
    for number, entry in enumerate(document["entry"], 1):
        names[entry["fullUrl"]] = f"entry-{number}-{entry['resource']['resourceType']}"
    for address, name in names.items():
        text = text.replace(address, name)
    entries = [entry["resource"] for entry in json.loads(text)["entry"]]
    return [item for item in entries if not is_computed(item)]


def is_computed(item: Resource) -> bool:
    return (
        item["resourceType"] in ("Provenance", "DiagnosticReport", "ServiceRequest")
        or item.get("status") == "preliminary"
    )


@pytest.mark.parametrize("name", SHOWN)
def test_facts_are_written_as_a_person_checked_them(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert shown(bundle(name)) == expected
