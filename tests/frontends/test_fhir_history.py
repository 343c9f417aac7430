"""FHIR: specimens, diagnoses and drugs. What is plainly stated is read; what is missing never means no."""

import pytest
from fhir_builders import (
    SNOMED,
    coded,
    facts,
    issues,
    patient,
    quantity,
    read,
    resource,
    result,
    specimen,
    text,
    variant,
)

from her2crc.read import read_bytes

ICD = "http://hl7.org/fhir/sid/icd-10"
PRIMARY, SECONDARY = (
    {"meta": {"profile": [f"http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-{kind}-cancer-condition"]}}
    for kind in ("primary", "secondary")
)


def row(record):
    return record.rows[0].values


def condition(code, name="c1", **fields):
    return resource("Condition", name, code=code, subject={"reference": "Patient/p1"}, **fields)


def drug(kind, name, status="completed", **fields):
    given = {"medicationCodeableConcept": text(name), "subject": {"reference": "Patient/p1"}}
    return resource(kind, "m1", status=status, **(given | fields))


def taken(**collection):
    return read(patient(), specimen(collection=collection))


# ---- specimens
@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (coded("60184004", "Sigmoid colon structure", SNOMED), "primary"),
        (coded("34402009", system=SNOMED), "primary"),
        (coded("10200004", "Liver structure", SNOMED), "liver"),
        (coded("119186007", system=SNOMED), "bone"),
        (text("Right lung, lower lobe"), "lung"),
        (text("lymph node of colon"), "lymph_node"),
        (text("hepatic flexure"), "primary"),
        (text("bone marrow"), "other"),
        (text("omentum"), "peritoneum"),
    ],
)
def test_sites(site, expected):
    assert row(taken(bodySite=site))["site"] == expected


@pytest.mark.parametrize(
    "site", [coded("10200004", "Sigmoid colon", SNOMED), text("liver and lung"), text("liver, metastasis of colon")]
)
def test_a_site_that_contradicts_itself_is_unknown(site):
    record = taken(bodySite=site)
    assert "site" not in row(record)
    assert issues(record) == {"fhir_answers_contradict": "conflict"}


def test_a_site_that_is_not_known_is_unknown():
    record = taken(bodySite=text("spleen"))
    assert ("site" in row(record), issues(record)) == (False, {})


@pytest.mark.parametrize(
    ("words", "kind"),
    [("Biopsy", "biopsy"), ("Right hemicolectomy", "resection"), ("fine needle aspiration", "cytology")],
)
def test_specimen_kind_from_the_method(words, kind):
    assert row(taken(method=text(words)))["specimen_kind"] == kind


@pytest.mark.parametrize(
    "kind",
    [
        coded("PLAS", system="http://terminology.hl7.org/CodeSystem/v2-0487"),
        coded("BLD", system="http://terminology.hl7.org/CodeSystem/v2-0487"),
        coded("122554006", "Capillary blood specimen", SNOMED),
        text("Liquid biopsy"),
        text("cfDNA from plasma"),
    ],
)
def test_blood_is_plasma(kind):
    values = row(read(patient(), specimen(kind=None, type=kind)))
    assert (values["site"], values["specimen_kind"]) == ("plasma", "plasma")


def test_a_biopsy_of_blood_is_a_contradiction():
    record = read(patient(), specimen(kind="BLD", collection={"method": text("core needle biopsy")}))
    assert "specimen_kind" not in row(record)
    assert issues(record) == {"fhir_answers_contradict": "conflict"}


def test_the_day_is_taken_from_a_full_date_only():
    assert row(taken(collectedDateTime="2026-02-20T10:15:00+01:00"))["collected_on"] == "2026-02-20"
    record = taken(collectedDateTime="2026-02")
    assert ("collected_on" in row(record), issues(record)) == (False, {"fhir_date": "warning"})


def test_the_site_of_the_result_counts_where_the_specimen_has_none():
    liver = coded("10200004", "Liver", SNOMED)
    assert row(read(patient(), specimen(), result("o1", "18474-7", "3+", bodySite=liver)))["site"] == "liver"
    sited = specimen(collection={"bodySite": coded("71854001", "Colon", SNOMED)})
    assert row(read(patient(), sited, result("o1", "18474-7", "3+", bodySite=liver)))["site"] == "primary"


@pytest.mark.parametrize(("code", "tumour"), [("C16.0", "gastric"), ("C50.9", "breast"), ("C18.7", "colorectal")])
def test_a_diagnosis_code_as_site_names_the_tumour_of_that_specimen(code, tumour):
    assert row(taken(bodySite=coded(code, system=ICD)))["tumour"] == tumour


def test_a_site_by_a_code_of_a_secondary_names_no_tumour():
    assert "tumour" not in row(taken(bodySite=coded("C78.7", system=ICD)))


# ---- diagnoses
@pytest.mark.parametrize(
    "code",
    [
        coded("363410008", "Malignant tumor of sigmoid colon", SNOMED),
        coded("363410008", system=SNOMED),
        coded("C18.7", system=ICD),
        coded("C19", system=ICD),
        coded("C20", system="http://fhir.de/CodeSystem/bfarm/icd-10-gm"),
        text("Adenocarcinoma of the rectum"),
        text("Colorectal cancer"),
    ],
)
def test_a_colorectal_primary_names_the_tumour_of_every_specimen(code):
    record = read(patient(), condition(code), specimen("s1"), specimen("s2"))
    assert [item.values["tumour"] for item in record.rows] == ["colorectal", "colorectal"]
    assert "metastatic" not in row(record)


@pytest.mark.parametrize(
    "code",
    [
        text("Family history of colon cancer"),
        text("Screening for colorectal cancer"),
        text("Benign tumour of colon"),
        text("Polyp of colon"),
        coded("K51", "Ulcerative colitis", ICD),
    ],
)
def test_what_is_no_cancer_of_the_patient_says_nothing(code):
    record = read(patient(), condition(code), specimen())
    assert (facts(record), issues(record)) == ({}, {})


@pytest.mark.parametrize("state", ["refuted", "entered-in-error", "provisional", "unconfirmed", "differential"])
def test_a_diagnosis_that_is_not_confirmed_is_not_used(state):
    for code in (coded("C18.7", system=ICD), coded("C78.7", system=ICD)):
        record = read(patient(), condition(code, verificationStatus=coded(state)), specimen())
        assert (facts(record), issues(record)) == ({}, {"fhir_condition_not_used": "warning"})


@pytest.mark.parametrize(
    ("site", "side"),
    [("60184004", "left"), ("32622004", "left"), ("32713005", "right"), ("9040008", "right"), ("34402009", "rectum")],
)
def test_side_from_the_site_of_the_primary(site, side):
    cancer = condition(text("Malignant tumor of colon"), bodySite=[coded(site, system=SNOMED)])
    assert row(read(patient(), cancer))["side"] == side
    assert row(taken(bodySite=coded(site, system=SNOMED)))["side"] == side


def test_the_transverse_colon_is_right_by_convention_and_says_so():
    record = read(patient(), condition(coded("C18.4", system=ICD)))
    assert (row(record)["side"], issues(record)) == ("right", {"fhir_side_by_convention": "warning"})


def test_the_rectosigmoid_junction_has_no_plain_side():
    assert "side" not in row(
        read(patient(), condition(coded("C19", "Malignant neoplasm of rectosigmoid junction", ICD)), specimen())
    )


@pytest.mark.parametrize(
    "secondary",
    [
        condition(coded("94381002", "Secondary malignant neoplasm of liver", SNOMED)),
        condition(text("Secondary malignant neoplasm of lung")),
        condition(coded("C78.7", system=ICD)),
        condition(text("liver lesions"), **SECONDARY),
        condition(text("Secondary malignant neoplasm of distant lymph node")),
    ],
)
def test_a_secondary_neoplasm_means_metastatic(secondary):
    record = read(patient(), secondary)
    assert row(record) == {"metastatic": True}


@pytest.mark.parametrize("code", [coded("C77.2", system=ICD), text("Secondary malignant neoplasm of lymph node")])
def test_a_lymph_node_may_be_regional(code):
    record = read(patient(), condition(code), specimen())
    assert (facts(record), issues(record)) == ({}, {"fhir_node_secondary": "warning"})


def test_two_primaries_leave_the_tumour_of_a_specimen_unknown():
    cancers = [condition(coded("C18.7", system=ICD)), condition(coded("C50.9", system=ICD), "c2")]
    record = read(patient(), *cancers, specimen(), specimen("s2", collection={"bodySite": coded("C50.9", system=ICD)}))
    assert [item.values.get("tumour") for item in record.rows] == [None, "breast"]
    assert issues(record) == {"fhir_two_tumours": "warning"}


def test_colon_tissue_of_a_patient_with_another_cancer_is_no_primary():
    colon = specimen(collection={"bodySite": text("colon")})
    assert "site" not in row(read(patient(), condition(coded("C50.9", system=ICD)), colon))


@pytest.mark.parametrize(("written", "stage"), [("Stage IVA", 4), ("III", 3), ("Stage 2", 2)])
def test_a_stage_that_is_plainly_stated(written, stage):
    cancer = condition(coded("C18.7", system=ICD), stage=[{"summary": text(written)}])
    assert row(read(patient(), cancer))["stage"] == stage
    assert row(read(patient(), result("o", "21908-9", text(written), of=None)))["stage"] == stage


def test_stage_four_alone_does_not_fill_metastatic_here():
    cancer = condition(coded("C18.7", system=ICD), stage=[{"summary": text("Stage IV")}])
    assert "metastatic" not in row(read(patient(), cancer))


@pytest.mark.parametrize(
    ("code", "stage"),
    [("1222724007", 1), ("1222769001", 2), ("1222806003", 3), ("1222837003", 4), ("1222838008", 4), ("1222842006", 4)],
)
@pytest.mark.parametrize("wording", [None, "American Joint Committee on Cancer stage (qualifier value)"])
def test_a_stage_by_its_snomed_code(code, stage, wording):
    summary = coded(code, wording, SNOMED)
    cancer = condition(coded("C18.7", system=ICD), stage=[{"summary": summary}])
    assert row(read(patient(), cancer))["stage"] == stage
    assert row(read(patient(), result("o", "21902-2", summary, of=None)))["stage"] == stage


def test_a_stage_whose_code_and_name_differ_is_unknown():
    named = coded("1222806003", "American Joint Committee on Cancer stage IV (qualifier value)", SNOMED)
    cancer = condition(coded("C18.7", system=ICD), stage=[{"summary": named}])
    record = read(patient(), cancer)
    assert "stage" not in row(record)
    assert "fhir_answers_contradict" in issues(record)


# ---- a site that stands in a BodyStructure
POINTER = "http://hl7.org/fhir/StructureDefinition/bodySite"


def pointing(name="b1"):
    return {"extension": [{"url": POINTER, "valueReference": {"reference": f"BodyStructure/{name}"}}]}


def structure(site, name="b1", **fields):
    return resource("BodyStructure", name, location=site, patient={"reference": "Patient/p1"}, **fields)


def test_the_site_of_a_specimen_may_stand_in_a_body_structure():
    liver = coded("10200004", "Liver structure", SNOMED)
    record = read(patient(), specimen(collection={"bodySite": pointing()}), structure(liver))
    assert (row(record)["site"], issues(record)) == ("liver", {})


def test_the_site_of_a_result_may_stand_in_a_body_structure():
    stained = result("o", "18474-7", "3+", bodySite=pointing())
    record = read(patient(), specimen(), stained, structure(text("Sigmoid colon")))
    assert (row(record)["site"], row(record)["side"]) == ("primary", "left")


def test_a_site_that_is_said_in_place_counts_before_the_body_structure():
    both = pointing() | text("Liver")
    assert row(read(patient(), specimen(collection={"bodySite": both}), structure(text("lung"))))["site"] == "liver"


def test_a_body_structure_that_is_not_there_is_reported_and_nothing_guessed():
    record = read(patient(), specimen(collection={"bodySite": pointing("none")}))
    assert "site" not in row(record)
    assert issues(record) == {"fhir_reference_dangling": "warning"}


def test_other_extensions_of_a_site_point_nowhere():
    other = {"extension": [{"url": "http://example.org/x", "valueReference": {"reference": "BodyStructure/b1"}}]}
    record = read(patient(), specimen(collection={"bodySite": other}), structure(text("liver")))
    assert ("site" in row(record), issues(record)) == (False, {})


# ---- lines of therapy: only as stated
MII = "https://www.medizininformatik-initiative.de/fhir/ext"
SYSTEMIC = {"meta": {"profile": [f"{MII}/modul-mtb/StructureDefinition/mii-pr-mtb-systemische-therapie|2026.0.1"]}}


def line(number, intent="P"):
    """The extensions of a systemic treatment in the German guide: its line and its intent."""
    documented = f"{MII}/modul-mtb/StructureDefinition/mii-ex-mtb-leitlinie-dokumentation"
    purpose = f"{MII}/modul-onko/StructureDefinition/mii-ex-onko-systemische-therapie-intention"
    intention = coded(intent, system=f"{MII}/modul-onko/CodeSystem/mii-cs-onko-intention")
    stated = {"url": documented, "extension": [{"url": "Therapielinie", "valueUnsignedInt": number}]}
    return {"extension": [{"url": purpose, "valueCodeableConcept": intention}, stated]}


def treatment(name, number, status="completed", **fields):
    given = {"code": text("systemic treatment"), "subject": {"reference": "Patient/p1"}}
    return resource("Procedure", name, status=status, **(given | SYSTEMIC | line(number) | fields))


def test_the_highest_line_stated_is_the_number_of_lines():
    record = read(patient(), treatment("a", 1), treatment("b", 2, "in-progress"))
    assert (row(record), issues(record)) == ({"lines_of_therapy": 2}, {"fhir_line_stated": "warning"})


def test_a_drug_record_may_state_its_line_by_the_older_extension():
    stated = {"url": f"{MII}/modul-mtb/StructureDefinition/mii-ex-mtb-therapielinie", "valuePositiveInt": 3}
    record = read(patient(), drug("MedicationStatement", "irinotecan", extension=[stated]))
    assert row(record) == {"lines_of_therapy": 3}


@pytest.mark.parametrize(
    "entry",
    [
        treatment("a", 0),
        treatment("a", 2, "preparation"),
        treatment("a", 2, "not-done"),
        treatment("a", 2, "entered-in-error"),
        treatment("a", 2, meta={}),
        treatment("a", 2, **line(2, intent="K")),
        treatment("a", 2, extension=[{"url": "Therapielinie", "valueUnsignedInt": 2}]),
        drug("MedicationRequest", "irinotecan", "active", intent="order", **line(2)),
        drug("MedicationRequest", "irinotecan", "completed", intent="plan", **line(2)),
    ],
)
def test_what_is_no_line_given_leaves_the_number_unknown(entry):
    record = read(patient(), entry)
    assert all("lines_of_therapy" not in item.values for item in record.rows)


def test_drugs_are_never_counted_up_to_a_number_of_lines():
    drugs = [drug("MedicationAdministration", name) | {"id": name} for name in ("folfox", "folfiri", "cetuximab")]
    assert row(read(patient(), *drugs)) == {"prior_anti_egfr": True}


# ---- drugs
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("cetuximab", "prior_anti_egfr"),
        ("Panitumumab 6 mg/kg", "prior_anti_egfr"),
        ("trastuzumab deruxtecan", "prior_anti_her2"),
        ("Tucatinib", "prior_anti_her2"),
        ("pyrotinib", "prior_anti_her2"),
        ("zanidatamab", "prior_anti_her2"),
    ],
)
@pytest.mark.parametrize("kind", ["MedicationAdministration", "MedicationStatement", "MedicationRequest"])
def test_a_drug_that_was_given(kind, name, field):
    assert row(read(patient(), drug(kind, name))) == {field: True}


def test_a_combination_counts_for_both_classes():
    record = read(patient(), drug("MedicationAdministration", "trastuzumab + cetuximab"))
    assert row(record) == {"prior_anti_egfr": True, "prior_anti_her2": True}


@pytest.mark.parametrize(
    "entry",
    [
        drug("MedicationStatement", "cetuximab", "intended"),
        drug("MedicationStatement", "cetuximab", "not-taken"),
        drug("MedicationAdministration", "cetuximab", "not-done"),
        drug("MedicationAdministration", "cetuximab", "entered-in-error"),
        drug("MedicationRequest", "cetuximab", "draft", intent="order"),
        drug("MedicationRequest", "cetuximab", "active", intent="plan"),
        drug("MedicationRequest", "cetuximab", "active", intent="proposal"),
        drug("MedicationRequest", "cetuximab", "active", intent="order", doNotPerform=True),
        drug("MedicationStatement", "no cetuximab"),
    ],
)
def test_a_drug_that_was_not_given_says_nothing(entry):
    record = read(patient(), entry)
    assert (record.rows, issues(record)) == ((), {"fhir_drug_not_counted": "warning"})


def test_an_active_order_counts_with_a_warning():
    record = read(patient(), drug("MedicationRequest", "tucatinib", "active", intent="order"))
    assert (row(record), issues(record)) == ({"prior_anti_her2": True}, {"fhir_drug_ordered": "warning"})


def test_a_drug_by_reference_contained_or_in_the_bundle():
    medication = resource("Medication", "d1", code=text("cetuximab"))
    entry = drug("MedicationAdministration", "x") | {"medicationReference": {"reference": "Medication/d1"}}
    del entry["medicationCodeableConcept"]
    assert row(read(patient(), entry, medication)) == {"prior_anti_egfr": True}
    inside = entry | {"contained": [medication], "medicationReference": {"reference": "#d1"}}
    assert row(read(patient(), inside)) == {"prior_anti_egfr": True}
    assert issues(read(patient(), entry)) == {"fhir_reference_dangling": "warning"}


def test_other_drugs_and_no_drugs_mean_nothing():
    assert read(patient(), drug("MedicationAdministration", "oxaliplatin")).rows == ()
    assert read(patient(), drug("MedicationAdministration", "colistimethate cetuximabolin")).rows == ()


def test_patient_facts_stand_on_every_row():
    given = [drug("MedicationAdministration", "cetuximab"), variant("k", "KRAS")]
    record = read(patient(), specimen("s1"), specimen("s2"), *given, result("o", "49683-6", quantity(3), of="s2"))
    assert [(item.values["ras"], item.values["prior_anti_egfr"]) for item in record.rows] == [("mutant", True)] * 2


def test_lines_and_body_structures_in_xml():
    document = f"""<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>
    <entry><resource><Patient><id value="p1"/></Patient></resource></entry>
    <entry><resource><Specimen><id value="s1"/><subject><reference value="Patient/p1"/></subject><collection>
      <bodySite><extension url="{POINTER}"><valueReference><reference value="BodyStructure/b1"/></valueReference>
      </extension></bodySite></collection></Specimen></resource></entry>
    <entry><resource><BodyStructure><id value="b1"/><location><text value="Liver"/></location>
      <patient><reference value="Patient/p1"/></patient></BodyStructure></resource></entry>
    <entry><resource><Procedure><id value="t"/><meta><profile value="{SYSTEMIC["meta"]["profile"][0]}"/></meta>
      <extension url="{MII}/modul-mtb/StructureDefinition/mii-ex-mtb-leitlinie-dokumentation">
      <extension url="Therapielinie"><valueUnsignedInt value="2"/></extension></extension>
      <status value="completed"/><subject><reference value="Patient/p1"/></subject></Procedure></resource></entry>
    </Bundle>"""
    (record,) = read_bytes(document.encode(), "x")
    assert row(record) == {"specimen_id": "s1", "site": "liver", "lines_of_therapy": 2}
