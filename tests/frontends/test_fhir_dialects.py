"""FHIR: kinds of file and value that guides differ in, what is stated but unusable, and the filter for speed.

The filter sets ordinary laboratory values aside; here every file is read with and without it.
"""

import copy
import gzip
import json
import random
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from fhir_builders import (
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
)
from format_golden import damaged
from format_golden import said as told

import her2crc
from her2crc.errors import InputError
from her2crc.read import fhir_decode, read_bytes, sniff

GOLDEN = Path(__file__).parents[1] / "golden" / "fhir"
JSON_FILES = sorted(path.name for path in GOLDEN.glob("*.json") if path.name != "expected.json")
P1 = {"reference": "Patient/p1"}


# ---- stated but unusable: the test was done, so nobody is told to do it
@pytest.fixture(scope="module")
def knowledge():
    return her2crc.load_knowledge(date(2026, 11, 22))


def status(knowledge, *results):
    data = json.dumps(bundle(patient(), specimen(), *results)).encode()
    (answer,) = (her2crc.assess(item, knowledge) for item in her2crc.read_patients(data, knowledge, "x"))
    return answer.criteria["csco_article"].specimens["s1"].status


@pytest.mark.parametrize(
    "ratio",
    [">2.0", quantity(2, comparator=">"), "see report", text("amplified"), quantity(2.5, "%")],
)
def test_a_ratio_that_was_stated_but_cannot_be_used_is_no_missing_test(knowledge, ratio):
    score = result("o1", "18474-7", "2+")
    assert status(knowledge, score) == "equivocal"
    assert status(knowledge, score, result("o2", "49683-6", ratio)) == "indeterminate"


def test_a_bare_amplified_by_fish_is_no_missing_test(knowledge):
    bare = result("o2", "31150-6", coded("LA9633-4", "Present"))
    assert status(knowledge, result("o1", "18474-7", "2+"), bare) == "indeterminate"


@pytest.mark.parametrize(
    "score",
    [">2+", coded("LA9633-4", "Present"), text("strong"), 5, coded("LA11841-6", "3+")],
)
def test_a_score_that_was_stated_but_cannot_be_used_says_which_field_of_which_specimen(score):
    (issue,) = tissue_case(result("o1", "18474-7", score)).issues
    assert (issue.field, issue.specimen) == ("ihc_score", "s1")
    assert issue.level in ("error", "conflict")


def test_a_result_in_a_resource_that_cannot_be_read_is_no_missing_test(knowledge):
    score, broken = result("o1", "18474-7", "2+"), result("o2", "49683-6") | {"valueQuantity": {"value": "many"}}
    assert status(knowledge, score, broken) == "indeterminate"
    assert status(knowledge, score, broken | {"status": "entered-in-error"}) == "equivocal"
    (issue,) = tissue_case(score, broken).issues
    assert (issue.id, issue.field, issue.specimen) == ("fhir_bad_resource", "ish_ratio", "s1")


def test_a_code_that_its_name_contradicts_says_which_field_of_which_specimen():
    (issue,) = tissue_case(result("o1", coded("18474-7", "Estrogen receptor in tissue"), "3+")).issues
    assert (issue.level, issue.field, issue.specimen) == ("conflict", "ihc_score", "s1")


# ---- values
@pytest.mark.parametrize(
    ("low", "high", "expected", "said"),
    [
        (quantity(2.5), quantity(2.5), {"ish_ratio": Decimal("2.5")}, {}),
        (quantity(2), quantity(3), {}, {"fhir_range": "error"}),
        (quantity(2, "1"), quantity(2), {}, {"fhir_range": "error"}),
        ({}, quantity(3), {}, {"fhir_range": "error"}),
    ],
)
def test_a_range_is_no_value_unless_it_is_a_point(low, high, expected, said):
    observation = result("o1", "49683-6", valueRange={"low": low, "high": high})
    record = tissue_case(observation)
    assert (facts(record), issues(record)) == (expected, said)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("3+ (80 %)", {"ihc_score": 3, "ihc_percent": 80}),
        ("2+, 12,5%", {"ihc_score": 2, "ihc_percent": Decimal("12.5")}),
        (text("Score 1+; 5 %"), {"ihc_score": 1, "ihc_percent": 5}),
        ("3+ (80)", {}),
        ("3+ in 80 %", {}),
        ("3+ (> 80 %)", {}),
        ("2+ to 3+ (80 %)", {}),
        ("3+ (80 %), elsewhere 1+", {}),
    ],
)
def test_only_a_plain_score_with_percentage_is_read_from_words(given, expected):
    record = tissue_case(result("o1", "18474-7", given))
    assert facts(record) == expected
    assert set(issues(record).values()) == (set() if expected else {"error"})


def test_a_reason_for_absence_in_a_component_leaves_the_rest():
    absent = {"code": text("percent"), "dataAbsentReason": text("not recorded")}
    record = tissue_case(result("o1", "18474-7", "3+", parts=[absent]))
    assert (facts(record), issues(record)) == ({"ihc_score": 3}, {"fhir_value_absent": "warning"})


# ---- lesions, chains, procedures, stage
def lesion(name, number, site):
    identifier = [{"system": "urn:lesions", "value": number}]
    return resource("BodyStructure", name, identifier=identifier, location=text(site), patient=P1)


def test_a_specimen_has_the_site_of_its_lesion_unless_that_is_not_clear():
    block = specimen(identifier=[{"system": "urn:lesions", "value": "L1"}])
    assert read(patient(), block, lesion("b1", "L1", "Liver")).rows[0].values["site"] == "liver"
    assert "site" not in read(patient(), block, lesion("b1", "L2", "Liver")).rows[0].values
    two = read(patient(), block, lesion("b1", "L1", "Liver"), lesion("b2", "L1", "Lung"))
    assert "site" not in two.rows[0].values
    of_other = lesion("b1", "L1", "Liver") | {"patient": {"reference": "Patient/p2"}}
    first, _ = read_all(bundle(patient(), patient("p2"), block, of_other))
    assert "site" not in first.rows[0].values


def test_a_derived_result_is_of_the_specimen_of_its_source():
    source = [{"reference": "Observation/o1"}]
    record = tissue_case(
        result("o1", "18474-7", "2+"), result("o2", "49683-6", quantity(3), of=None, derivedFrom=source)
    )
    assert facts(record) == {"ihc_score": 2, "ish_ratio": 3}


def test_what_is_derived_from_an_error_is_not_used():
    source = [{"reference": "Observation/o1"}]
    wrong = result("o1", "74860-8", quantity(9), status="entered-in-error")
    record = tissue_case(wrong, result("o2", "49683-6", quantity(3), derivedFrom=source))
    assert facts(record) == {}
    assert issues(record) == {"fhir_status_not_used": "warning", "fhir_derived_from_error": "warning"}


def test_a_circle_of_derivations_ends():
    first = result("o1", "18474-7", "2+", of=None, derivedFrom=[{"reference": "Observation/o2"}])
    second = result("o2", "49683-6", quantity(3), of=None, derivedFrom=[{"reference": "Observation/o1"}])
    assert facts(tissue_case(first, second), "unspecified") == {"ihc_score": 2, "ish_ratio": 3}


@pytest.mark.parametrize(
    ("state", "expected"), [("completed", {"prior_anti_egfr": True}), ("preparation", {}), ("not-done", {})]
)
def test_a_procedure_that_names_a_drug_counts_if_it_was_done(state, expected):
    given = resource("Procedure", "x", status=state, code=text("Infusion of panitumumab"), subject=P1)
    assert facts(tissue_case(given)) == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (coded("x", "American Joint Committee on Cancer stage IVB (qualifier value)"), {"stage": 4}),
        (coded("4A", system="http://cancerstaging.org"), {"stage": 4}),
        (coded("x", "American Joint Committee on Cancer stage IIIC (qualifier value)"), {"stage": 3}),
        (text("III or IV"), {}),
    ],
)
def test_stage_groups_of_mcode(shown, expected):
    code = coded("399537006", "Clinical TNM stage grouping", "http://snomed.info/sct")
    assert facts(tissue_case(result("o1", code, shown, of=None))) == expected


# ---- kinds of file
def as_xml(name, item):
    if isinstance(item, list):
        return "".join(as_xml(name, one) for one in item)
    if not isinstance(item, dict):
        return f'<f:{name} value="{str(item).lower() if isinstance(item, bool) else item}"/>'
    kind = item.get("resourceType")
    inner = "".join(as_xml(key, one) for key, one in item.items() if key != "resourceType")
    return f"<f:{name}><f:{kind}>{inner}</f:{kind}></f:{name}>" if kind else f"<f:{name}>{inner}</f:{name}>"


def without_narrative(item):
    if isinstance(item, list):
        return [without_narrative(one) for one in item]
    if isinstance(item, dict):
        narrative = ("text",) if isinstance(item.get("text"), dict) else ()
        return {key: without_narrative(one) for key, one in item.items() if key not in narrative and key[0] != "_"}
    return item.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;") if isinstance(item, str) else item


@pytest.mark.parametrize("name", JSON_FILES)
def test_xml_and_lines_and_encodings_say_the_same_as_json(name):
    document = json.loads((GOLDEN / name).read_text(encoding="utf-8"), parse_float=str)
    inner = as_xml("x", without_narrative(document))[5:-6]
    xml = '<?xml version="1.0"?>\r\n' + inner.replace(">", ' xmlns:f="http://hl7.org/fhir">', 1)
    plain = read_bytes((GOLDEN / name).read_bytes(), name)
    assert sniff(xml.encode(), "x") == "fhir_xml"
    assert read_bytes(xml.encode(), "x") == plain
    written = (GOLDEN / name).read_text(encoding="utf-8")
    for data in (
        b"\xef\xbb\xbf" + written.replace("\n", "\r\n").encode(),
        written.encode("utf-16"),
        gzip.compress(written.encode()),
    ):
        assert read_bytes(data, name) == plain


def test_lines_are_read_in_any_order_with_blank_lines_and_keys_in_any_order():
    resources = [patient(), specimen(), result("o1", "18474-7", "3+")]
    reordered = [dict(reversed(item.items())) for item in reversed(resources)]
    data = "\r\n\r\n".join(map(json.dumps, reordered)).encode()
    assert sniff(data, "x") == "fhir_json"
    assert read_bytes(data, "x")[0].rows == read(*resources).rows


def test_a_line_that_is_no_json_is_named():
    lines = [json.dumps(patient()), json.dumps(specimen()), '{"resourceType": "Observation"']
    with pytest.raises(InputError, match="line 3"):
        read_bytes("\n".join(lines).encode(), "x")


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"><id value="&a;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><id value="p1"/>',
        b'<Patient xmlns="http://hl7.org/fhir">' + b"<contained>" * 200 + b"</contained>" * 200 + b"</Patient>",
        b'<Organisation xmlns="http://hl7.org/fhir"><id value="p1"/></Organisation>',
    ],
)
def test_xml_that_is_unsafe_or_broken_is_refused(data):
    with pytest.raises(InputError):
        read_bytes(data, "x")


def test_a_bad_number_in_xml_takes_only_its_resource_away():
    data = (GOLDEN / "composed_panel.xml").read_bytes().replace(b'value="1.9"', b'value="a lot"')
    (record,) = read_bytes(data, "x")
    assert "fhir_bad_resource" in issues(record)
    assert "a lot" not in " ".join(issue.text for issue in record.issues)


# ---- ordinary laboratory values are set aside without any difference
LABORATORY = [
    result(f"k{number}", coded("2823-3", "Potassium"), quantity(4.1, "mmol/L"), of=of)
    for number, of in enumerate([None, "s1", None, "nowhere", None])
]


def both_ways(monkeypatch, document):
    fast = said(document)
    with monkeypatch.context() as patch:
        patch.setattr(fhir_decode, "_is_idle", lambda resource: False)
        return fast, said(document)


def said(document):
    try:
        return read_all(document)
    except InputError as error:
        return str(error)


def mixed(document, chance):
    entries = [*copy.deepcopy(document["entry"])]
    entries += [{"fullUrl": f"urn:uuid:{item['id']}", "resource": copy.deepcopy(item)} for item in LABORATORY]
    chance.shuffle(entries)
    for _ in range(chance.randint(0, 6)):
        mutate(entries, chance)
    return document | {"entry": entries}


def mutate(entries, chance):
    entry = chance.choice(entries)["resource"]
    other = chance.choice(entries)["resource"]
    key = chance.choice(sorted(entry))
    reference = {"reference": f"{other['resourceType']}/{other.get('id')}"}
    match chance.randrange(7):
        case 0:
            entry.pop(key)
            entry.setdefault("resourceType", "Observation")
        case 1:
            entry[key] = copy.deepcopy(other.get(key, entry[key]))
        case 2:
            entry["hasMember"] = [reference]
        case 3:
            entry["derivedFrom"] = [reference]
        case 4:
            entry["subject"] = chance.choice([reference, {"reference": "Patient/other"}])
        case 5:
            entry["code"] = text(chance.choice(["percent", "HER2", "pattern"]))
        case _:
            entries.append({"resource": resource("DiagnosticReport", "dr", status="final", result=[reference])})


@pytest.mark.parametrize("name", JSON_FILES)
def test_setting_laboratory_values_aside_changes_nothing(monkeypatch, name):
    document = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    if document["resourceType"] != "Bundle":
        document = bundle(document)
    for seed in range(60):
        fast, whole = both_ways(monkeypatch, mixed(document, random.Random(seed)))
        assert fast == whole, seed


def test_laboratory_values_that_hold_something_are_not_set_aside():
    panel = result("lab", "24323-8", of="s1", hasMember=[{"reference": "Observation/o1"}])
    record = tissue_case(result("o1", "18474-7", "3+", of=None), panel)
    assert facts(record) == {"ihc_score": 3}
    inside = result("lab", "2823-3", quantity(4), contained=[resource("Specimen", "in", type=text("plasma"))])
    assert "plasma" in [row.values.get("site") for row in tissue_case(inside).rows]
    own = result("lab", {"coding": [{"system": "urn:her2crc:field", "code": "stage"}]}, 4)
    assert facts(tissue_case(own)) == {"stage": 4}
    assert facts(tissue_case(result("lab", "2823-3", parts=[part("49683-6", quantity(3))]))) == {"ish_ratio": 3}


def potassium(given, **fields):
    return result("lab", "2823-3", None, **fields) | {"valueQuantity": given}


def test_the_quantity_of_another_test_is_not_looked_at():
    record = tissue_case(potassium({"value": "4,1 mmol/L"}), result("o1", "18474-7", "3+"))
    assert (facts(record), record.issues) == ({"ihc_score": 3}, ())


@pytest.mark.parametrize("code", [coded("18474-7"), text("percent"), None, 7, {"coding": "2823-3"}])
def test_a_quantity_of_wrong_shape_is_an_error_where_the_code_may_concern_us(code):
    record = tissue_case(potassium({"value": "4,1 mmol/L"}) | {"code": code}, result("o1", "49683-6", quantity(3)))
    (issue,) = record.issues
    assert (facts(record), issue.id, issue.place) == ({"ish_ratio": 3}, "fhir_bad_resource", "Observation/lab")


def test_other_faults_of_another_test_are_errors():
    record = tissue_case(potassium(quantity(4.1), status=5), result("o1", "18474-7", "3+"))
    assert (facts(record), issues(record)) == ({"ihc_score": 3}, {"fhir_bad_resource": "error"})
    assert "$.status" in record.issues[0].text


def test_a_patient_with_nothing_but_other_tests_is_known():
    other = resource("Observation", "k", code=coded("2823-3"), subject={"reference": "Patient/p2"})
    encounter = resource("Encounter", "e", subject={"reference": "Patient/p3"})
    records = read_all(bundle(patient(), specimen(), result("o1", "18474-7", "3+"), other, encounter))
    assert [(record.patient_id, len(record.rows)) for record in records] == [("p1", 1), ("p2", 0)]
    (alone,) = read_all(other)
    assert (alone.patient_id, alone.rows) == ("p2", ())
    nobodys = resource("Observation", "n", code=coded("2823-3"))
    two = [bundle(patient(), specimen(), other), bundle(patient("p3"), nobodys)]
    assert [record.patient_id for record in read_all(two)] == ["p1", "p2", "p3", "unknown"]


def test_no_more_codes_are_remembered_than_a_bounded_number(monkeypatch):
    monkeypatch.setattr(fhir_decode, "REMEMBERED", 3)
    others = [resource("Observation", f"n{number}", code=text(f"test {number}")) for number in range(20)]
    assert facts(tissue_case(*others, result("o1", "18474-7", "3+"))) == {"ihc_score": 3}
    assert len(fhir_decode._CONCERNS) <= 3


def test_a_result_derived_from_another_test_takes_its_specimen_unless_that_was_an_error():
    source = {"derivedFrom": [{"reference": "Observation/lab"}]}
    derived = result("o1", "18474-7", "3+", of=None, **source)
    assert tissue_case(potassium(quantity(4.1)), derived).rows[0].values["ihc_score"] == 3
    record = tissue_case(potassium(quantity(4.1), status="entered-in-error"), derived)
    assert (facts(record), list(issues(record))) == ({}, ["fhir_derived_from_error"])


def test_a_type_that_is_not_read_holds_what_is_read():
    inside = resource("Specimen", "in", type=text("plasma"), subject={"reference": "Patient/p1"})
    record = tissue_case(resource("ServiceRequest", "r", contained=[inside], status=5))
    assert "plasma" not in [row.values.get("site") for row in record.rows]
    record = tissue_case(resource("ServiceRequest", "r", contained=[inside]))
    assert "plasma" in [row.values.get("site") for row in record.rows]


def test_a_report_of_laboratory_values_has_no_dangling_references():
    report = resource(
        "DiagnosticReport",
        "r",
        status="final",
        subject=P1,
        result=[{"reference": f"Observation/{item['id']}"} for item in LABORATORY],
    )
    assert issues(tissue_case(*LABORATORY, report)) == {}
    assert issues(tissue_case(*LABORATORY[1:], report)) == {"fhir_reference_dangling": "warning"}


# ---- damage
@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir() if path.name != "expected.json"))
def test_a_damaged_file_is_read_in_part_or_refused_in_words(name):
    whole = (GOLDEN / name).read_bytes()
    for seed in range(40):
        assert "Jenny" not in told(damaged(whole, seed))
