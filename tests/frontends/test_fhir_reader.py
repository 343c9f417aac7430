"""FHIR: files of every form, references, patients, statuses, corrections, and files that cannot be read."""

import json

import pytest
from fhir_builders import (
    HGNC,
    bundle,
    coded,
    facts,
    issues,
    part,
    patient,
    quantity,
    read,
    read_all,
    resource,
    result,
    specimen,
    text,
    tissue_case,
    variant,
)

from her2crc.errors import InputError
from her2crc.read import fhir_decode, read_bytes
from her2crc.read.fhir import read_fhir
from her2crc.read.fhir_codes import codebook, describe_codes

SCORE = result("o1", "18474-7", "3+")


# ---- forms of a file
@pytest.mark.parametrize("kind", ["collection", "transaction", "searchset", "batch", "document"])
def test_bundles_of_every_type(kind):
    (record,) = read_all(bundle(patient(), specimen(), SCORE, kind=kind))
    assert facts(record) == {"ihc_score": 3}


def test_a_single_resource():
    (record,) = read_all(result("o1", "18474-7", "3+", of=None))
    assert (record.patient_id, record.rows[0].place) == ("p1", "Observation/o1")
    assert record.rows[0].values == {"specimen_id": "unspecified", "ihc_score": 3}


def test_an_array_of_resources_or_bundles():
    assert facts(read_all([patient(), specimen(), SCORE])[0]) == {"ihc_score": 3}
    assert facts(read_all([bundle(patient()), bundle(specimen(), SCORE)])[0]) == {"ihc_score": 3}


def test_a_bundle_in_a_bundle():
    assert facts(read_all(bundle(bundle(patient(), specimen(), SCORE)))[0]) == {"ihc_score": 3}


def test_the_front_door_recognises_fhir():
    (record,) = read_bytes(json.dumps(bundle(patient(), specimen(), SCORE)).encode(), "x.json")
    assert facts(record) == {"ihc_score": 3}


def test_types_that_are_not_read_do_not_disturb_whatever_their_shape():
    odd = [
        resource("Organization", "x", type=[text("lab")], code=["a"], stage="later"),
        resource("CodeSystem", "y", code="bare", identifier={"value": "1"}, component=3),
        resource("NewThing", "z", valueQuantity="many"),
    ]
    assert facts(read(patient(), *odd, specimen(), SCORE)) == {"ihc_score": 3}


# ---- patients
def test_several_patients_in_one_file():
    other = {"subject": {"reference": "Patient/p2"}}
    records = read_all(
        bundle(
            patient("p2"),
            patient("p1"),
            specimen("s1"),
            specimen("s2", **other),
            SCORE,
            result("o2", "18474-7", "1+", "s2", **other),
        )
    )
    assert [(item.patient_id, item.rows[0].values["ihc_score"]) for item in records] == [("p1", 3), ("p2", 1)]


def test_a_result_without_subject_goes_to_the_only_patient_else_to_unknown():
    loose = {name: item for name, item in result("o1", "18474-7", "3+", of=None).items() if name != "subject"}
    assert [item.patient_id for item in read_all(bundle(patient("p7"), loose))] == ["p7"]
    records = read_all(bundle(patient("p7"), patient("p8"), loose))
    assert {item.patient_id: len(item.rows) for item in records} == {"p7": 0, "p8": 0, "unknown": 1}


def test_a_specimen_of_another_patient_is_never_used():
    foreign = specimen("s9", subject={"reference": "Patient/p2"})
    records = read_all(bundle(patient("p1"), patient("p2"), foreign, result("o1", "18474-7", "3+", of="s9")))
    assert [issues(item) for item in records] == [{"fhir_specimen_of_other_patient": "error"}, {}]
    assert not any("ihc_score" in row.values for item in records for row in item.rows)


def test_exports_of_several_patients_may_use_the_same_ids_again():
    exports = []
    for name, score in (("p1", "3+"), ("p2", "1+")):
        subject = {"subject": {"reference": f"Patient/{name}"}}
        report = resource("DiagnosticReport", "d", result=[{"reference": "Observation/o1"}], **subject)
        report["specimen"] = [{"reference": "Specimen/s1"}]
        loose = result("o1", "18474-7", score, of=None, **subject)
        exports.append(bundle(patient(name), specimen("s1", **subject), loose, report))
    for order in (exports, exports[::-1]):
        records = read_all(order)
        assert [(item.patient_id, facts(item), issues(item)) for item in records] == [
            ("p1", {"ihc_score": 3}, {}),
            ("p2", {"ihc_score": 1}, {}),
        ]


def test_two_people_with_one_id_are_not_merged():
    people = [patient(identifier=[{"system": "mrn", "value": number}]) for number in ("1", "2")]
    record = read(*people, specimen(), SCORE)
    assert (record.rows, issues(record)) == ((), {"fhir_two_patients_one_id": "conflict"})
    assert facts(read(people[0], people[0], specimen(), SCORE)) == {"ihc_score": 3}


# ---- references
@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Specimen/s1"},
        {"reference": "Specimen/s1/_history/2"},
        {"reference": "http://x.org/Specimen/s1"},
        {"reference": "http://x.org/Specimen/s1/_history/2"},
        {"identifier": {"system": "block", "value": "A1"}},
    ],
)
def test_references_are_resolved_in_any_form_and_order(reference):
    block = specimen(identifier=[{"system": "block", "value": "A1"}])
    for resources in (
        (patient(), block, SCORE | {"specimen": reference}),
        (SCORE | {"specimen": reference}, block, patient()),
    ):
        record = read(*resources)
        assert (facts(record), issues(record)) == ({"ihc_score": 3}, {})


def test_references_by_urn():
    urns = {name: f"urn:uuid:0000-{name}" for name in ("p", "s", "o")}
    tissue = specimen(subject={"reference": urns["p"]})
    score = SCORE | {"subject": {"reference": urns["p"]}, "specimen": {"reference": urns["s"]}}
    entries = [
        {"fullUrl": urns[name], "resource": item} for name, item in zip("ops", (score, patient(), tissue), strict=True)
    ]
    (record,) = read_all({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert (record.patient_id, facts(record), issues(record)) == ("p1", {"ihc_score": 3}, {})


def test_contained_specimens_are_their_own_even_with_one_id():
    inside = {"resourceType": "Specimen", "id": "x", "type": text("tissue")}
    first, second = (
        result(name, "18474-7", score, of=None, contained=[inside], specimen={"reference": "#x"})
        for name, score in (("o1", "3+"), ("o2", "1+"))
    )
    record = read(patient(), first, second)
    assert {row.values["specimen_id"]: row.values["ihc_score"] for row in record.rows} == {"o1#x": 3, "o2#x": 1}


def test_a_reference_that_leads_nowhere_is_reported_and_the_result_kept():
    record = read(patient(), result("o1", "18474-7", "3+", of="s9"))
    assert record.rows[0].values == {"specimen_id": "s9", "ihc_score": 3}
    (issue,) = record.issues
    assert (issue.id, issue.level, issue.place) == ("fhir_reference_dangling", "warning", "Specimen/s9")


def test_a_report_gives_its_specimen_to_its_results_only_if_it_names_one():
    one = resource(
        "DiagnosticReport", "d1", specimen=[{"reference": "Specimen/s1"}], result=[{"reference": "Observation/o1"}]
    )
    loose = result("o1", "18474-7", "3+", of=None)
    assert facts(read(patient(), specimen(), loose, one)) == {"ihc_score": 3}
    two = one | {"specimen": [{"reference": "Specimen/s1"}, {"reference": "Specimen/s2"}]}
    record = read(patient(), specimen("s1"), specimen("s2"), loose, two)
    assert {row.values["specimen_id"]: row.values.get("ihc_score") for row in record.rows} == {
        "s1": None,
        "s2": None,
        "unspecified": 3,
    }


def test_panels_that_hold_each_other_do_not_hang():
    names = [f"o{number}" for number in range(30)]
    everyone = [{"reference": f"Observation/{name}"} for name in names]
    panels = [result(name, "74885-5", of=None, hasMember=everyone) for name in names]
    assert read(patient(), *panels).rows[0].values == {"specimen_id": "unspecified"}


# ---- rows
def test_equal_results_are_one_fact_and_different_ones_both_stay():
    same = tissue_case(result("a", "49683-6", quantity(2.5)), result("b", "49683-6", "2.50"))
    assert [row.values.get("ish_ratio") for row in same.rows] == [2.5]
    record = tissue_case(result("b", "18474-7", "1+"), result("a", "18474-7", "3+"))
    assert [(row.place, row.values["specimen_id"], row.values["ihc_score"]) for row in record.rows] == [
        ("Specimen/s1", "s1", 3),
        ("Observation/b", "s1", 1),
    ]


def test_a_slide_test_shows_its_specimen_even_when_nothing_could_be_read():
    (record,) = read_all(result("o1", "18474-7", coded("LA9633-4"), of=None))
    assert record.rows[0].values == {"specimen_id": "unspecified"}


# ---- status
@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_a_result_that_is_void_is_not_used_and_it_is_said(status):
    record = tissue_case(SCORE | {"status": status})
    assert (facts(record), issues(record)) == ({}, {"fhir_status_not_used": "warning"})
    assert status in record.issues[0].text


@pytest.mark.parametrize("status", ["preliminary", "unknown"])
def test_a_result_that_is_not_final_is_used_with_a_warning(status):
    record = tissue_case(SCORE | {"status": status})
    assert (facts(record), issues(record)) == ({"ihc_score": 3}, {"fhir_status_uncertain": "warning"})


@pytest.mark.parametrize("status", ["amended", "corrected"])
@pytest.mark.parametrize("shared", [{"id": "o1"}, {"id": "o2", "identifier": [{"system": "lab", "value": "7"}]}])
def test_a_correction_replaces_the_earlier_result_in_any_order(status, shared):
    first = SCORE | {"identifier": [{"system": "lab", "value": "7"}]}
    corrected = result("x", "18474-7", "1+", status=status) | shared
    for results in ((first, corrected), (corrected, first)):
        record = tissue_case(*results)
        assert (facts(record), issues(record)) == ({"ihc_score": 1}, {"fhir_replaced": "warning"})
        assert len(record.rows) == 1


def test_results_without_an_id_are_not_versions_of_each_other():
    score, fish = SCORE | {}, result("x", "49683-6", quantity(3), status="corrected")
    del score["id"], fish["id"]
    document = {
        "resourceType": "Bundle",
        "entry": [{"resource": item} for item in (patient(), specimen(), score, fish)],
    }
    (record,) = read_all(document)
    assert (facts(record), issues(record)) == ({"ihc_score": 3, "ish_ratio": 3}, {})


def test_a_correction_does_not_replace_another_test_of_the_same_accession():
    accession = {"identifier": [{"system": "lab", "value": "7"}]}
    fish = result("o2", "49683-6", quantity(3), status="amended", **accession)
    assert facts(tissue_case(SCORE | accession, fish)) == {"ihc_score": 3, "ish_ratio": 3}
    second = [variant("v1", "KRAS", **accession), variant("v2", "PIK3CA", **accession)]
    second[1]["status"] = "amended"
    assert facts(tissue_case(*second)) == {"ras": "mutant", "pik3ca": "mutant"}


def test_a_withdrawn_version_takes_the_result_with_it():
    record = tissue_case(SCORE, SCORE | {"status": "entered-in-error"})
    assert (facts(record), issues(record)) == ({}, {"fhir_status_not_used": "warning"})


def test_results_of_a_specimen_entered_in_error_are_not_used():
    record = read(patient(), specimen(status="entered-in-error"), SCORE)
    assert record.rows == ()
    assert issues(record) == {"fhir_status_not_used": "warning", "fhir_specimen_in_error": "warning"}


# ---- files that cannot be read
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"resourceType": "Bundle", "entry": [', "byte"),
        (b'{"resourceType": "Bundle",, }', "byte 26"),
        (b'{"resourceType": "Observation", "id": "\xff"}', "byte 39"),
        (b'{"patient": 1}', "resourceType"),
        (b"[]", "resourceType"),
        (b"[1, 2]", "resourceType"),
        (b'"Bundle"', "resourceType"),
        (b'{"resourceType": 3}', "resourceType"),
        (b'{"resourceType": "Bundle", "entry": 3}', "$.entry"),
        (b'{"resourceType": "Observation", "valueQuantity": {"value": "x"}}', "$.valueQuantity.value"),
        (b'{"resourceType": "Bundle", "entry": []}', "nothing of a patient"),
        (b'{"resourceType": "Questionnaire"}', "nothing of a patient"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"resourceType": "Basic", "extension": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(data, says):
    with pytest.raises(InputError) as caught:
        read_fhir(data, "case.json")
    assert says in str(caught.value)
    assert str(caught.value).startswith("case.json: ")


def test_too_large_a_file_is_refused(monkeypatch):
    monkeypatch.setattr(fhir_decode, "MAX_BYTES", 10)
    with pytest.raises(InputError, match="larger than"):
        read_fhir(b'{"resourceType": "Patient"}', "big.json")


@pytest.mark.parametrize(
    "broken",
    [
        {"valueQuantity": {"value": "x"}},
        {"component": {"code": 1}},
        {"code": 7},
        {"subject": "Patient/p1"},
        {"valueInteger": 3.5},
        {"id": 4},
    ],
)
def test_one_bad_resource_is_an_error_and_the_others_are_read(broken):
    record = read(patient(), specimen(), result("bad", "49683-6") | broken, SCORE)
    assert (facts(record), issues(record)) == ({"ihc_score": 3}, {"fhir_bad_resource": "error"})


def test_an_entry_that_is_no_resource_is_an_error_issue():
    (record,) = read_all(
        {"resourceType": "Bundle", "entry": [{"resource": item} for item in (patient(), 7, specimen(), SCORE)]}
    )
    assert (facts(record), issues(record)) == ({"ihc_score": 3}, {"fhir_bad_resource": "error"})


def test_a_byte_order_mark_is_no_fault():
    assert read_fhir(b"\xef\xbb\xbf" + json.dumps(bundle(patient(), specimen(), SCORE)).encode(), "x")[0].rows


def test_no_message_repeats_the_words_of_the_file():
    secret = "Jane Doe 1970"
    resources = [
        result("a", "18474-7", secret),
        result("b", "49683-6", text(secret)),
        result("c", "81695-9", secret),
        variant("d", "BRAF", "LA9633-4", part("48005-3", text(secret))),
        result("e", coded("18474-7", secret), "3+"),
        result("f", "49683-6", {"value": 3, "unit": secret}),
        specimen("s2", collection={"collectedDateTime": secret}),
        resource("Observation", "g", subject={"reference": "Patient/p1"}, valueInteger=secret),
    ]
    record = read(patient(), specimen(), *resources)
    assert len(record.issues) >= len(resources)
    assert not any("Jane" in issue.text or "1970" in issue.text for issue in record.issues)


# ---- the codes
def test_the_reference_page_is_in_step():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs/reference/fhir.md").read_text(encoding="utf-8")
    assert describe_codes() in page


def test_every_field_and_message_that_the_codes_name_exists():
    from her2crc.read.columns import columns

    file = codebook().file
    filled = {name for code in file.codes if code.kind != "part" for name in (code.field, *code.fields) if name}
    filled |= {marker.field for marker in file.markers}
    assert filled <= set(columns())
    assert {code.warning for code in file.codes if code.warning} <= set(file.messages)
    assert {gene for code in file.codes for gene in code.genes} <= {
        gene for item in file.markers for gene in item.genes
    }


def test_codes_in_doubt_are_never_written():
    unsure = {
        "85319-2",
        "85318-4",
        "32996-1",
        "42914-2",
        "51981-9",
        "72382-5",
        "72383-3",
        "21702-6",
        "21704-5",
        "21702-9",
    }
    assert {code.code for code in codebook().file.codes if not code.emit} >= unsure
    answers = {
        code.code: code.emit for rows in codebook().file.answers.values() for row in rows.rows for code in row.codes
    }
    assert not answers["LA26333-6"]


# ---- what is remembered from one file must not change the next
def test_digits_stay_as_written_however_often_the_same_number_was_seen():
    for written in ("5.4", "5.40", "5.400", "5.4"):
        bundle_text = json.dumps(bundle(patient(), specimen(), result("r", "49683-6", {"value": 0}))).replace(
            '"value": 0', f'"value": {written}'
        )
        (record,) = read_fhir(bundle_text.encode(), "x")
        assert str(record.rows[0].values["ish_ratio"]) == written


def test_the_same_result_is_read_alike_for_every_patient_and_specimen():
    given = part("48018-6", coded("HGNC:3430", "ERBB2", HGNC))
    for number in range(3):
        name = f"s{number}"
        record = read(patient(), specimen(name), result(f"o{number}", "18474-7", "3+", of=name, parts=[given]))
        assert [(row.place, row.values) for row in record.rows] == [
            (f"Specimen/{name}", {"specimen_id": name, "ihc_score": 3})
        ]


def test_the_same_remark_names_each_place():
    record = read(patient(), specimen(), result("a", "18474-7", "present"), result("b", "18474-7", "present"))
    assert {(issue.id, issue.place) for issue in record.issues} == {
        ("fhir_presence_not_score", "Observation/a"),
        ("fhir_presence_not_score", "Observation/b"),
    }
