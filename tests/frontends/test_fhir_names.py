"""FHIR: the name beside a code, the words of a value, dates, and results whose code is not known.

A name contradicts a code only by naming something else; a result that is left out is said to be.
"""

import json

import pytest
from fhir_builders import (
    LOINC,
    SNOMED,
    bundle,
    coded,
    facts,
    gene,
    issues,
    part,
    patient,
    quantity,
    read,
    resource,
    result,
    specimen,
    text,
    tissue_case,
    variant,
)

import her2crc
from her2crc.read import read_bytes
from her2crc.read.fhir_codes import codebook

KNOWLEDGE = her2crc.load_knowledge()
ICD = "http://hl7.org/fhir/sid/icd-10"
BORN = patient(birthDate="1960-05-02")


def rules(*resources):
    data = json.dumps(bundle(*resources)).encode()
    return {finding.rule for finding in her2crc.lint(data, KNOWLEDGE, "x").findings}


def condition(code, name="c1", **fields):
    return resource("Condition", name, subject={"reference": "Patient/p1"}, code=coded(code, system=ICD), **fields)


# ---- the name beside a code

GOOD_NAMES = {
    "18474-7": [
        "IHC", "score", "Immunhistochemie", "IHQ", "Ergebnis", "Result", "c-erbB-2", "HER-2/neu",
        "HER2 in 10% of cells", "HER2 Ag [Presence] in Tissue by Immune stain", "HER2neu Immunhistologie",
        "grade", "plasma membrane staining",
    ],
    "49683-6": [
        "FISH ratio", "ratio", "Quotient", "Verhältnis HER2:CEN17", "HER2 / CEP17 copies", "HER2 FISH in tumor cells",
        "ERBB2 gene copy number/Chromosome 17 copy number in Tissue by FISH",
    ],
    "74860-8": ["signals per nucleus", "HER2 copies", "FISH", "HER2 copies (HER2/CEP17 probe)"],
    "74861-6": ["CEN17", "Centromere 17 signals per cell", "copies"],
    "62361-1": ["nuclei", "Zellkerne", "Cells counted.total", "number of cells"],
    "81695-9": ["Mismatch repair status", "MSI", "Mikrosatellitenstatus", "MMR (MLH1/PMS2/MSH2/MSH6)"],
    "21908-9": ["UICC-Stadium", "Stage group.clinical Cancer"],
}  # fmt: skip
BAD_NAMES = {
    "18474-7": [
        "Ki-67", "ER", "Progesteron-Rezeptor", "PD-L1 CPS", "Epidermal growth factor receptor", "HER3", "KRAS",
        "HER2 by FISH", "HER2 in serum", "HER2 sequencing", "HER2 copies per cell", "HER2 percent of cells", "stage",
    ],
    "49683-6": ["HER2 copies per cell", "CEP17 signals", "HER2 IHC score", "MET FISH ratio", "ALK FISH", "percentage"],
    "74860-8": ["HER2/CEP17 ratio", "CEP17 copies", "Chromosome 17 copy number/nucleus in Tissue by FISH"],
    "74861-6": ["HER2 signals per nucleus", "HER2/CEP17 ratio"],
    "62361-1": ["HER2 signals", "ratio"],
    "81695-9": ["Tumor mutational burden", "KRAS", "MLH1"],
    "21908-9": ["T category", "Histologic grading"],
}  # fmt: skip
ANSWERS = {"18474-7": "3+", "81695-9": text("MSS"), "21908-9": text("IV")}


def named(code, name):
    return result("o1", coded(code, name), ANSWERS.get(code, quantity(2)))


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in GOOD_NAMES.items() for name in names])
def test_a_name_that_says_nothing_else_is_no_contradiction(code, name):
    record = tissue_case(named(code, name))
    assert list(facts(record)) == [code_named.field for code_named in codebook().file.codes if code_named.code == code]
    assert issues(record) == {}


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in BAD_NAMES.items() for name in names])
def test_a_name_that_says_something_else_is_a_contradiction(code, name):
    record = tissue_case(named(code, name))
    assert facts(record) == {}
    assert issues(record) == {"fhir_display_contradicts": "conflict"}


@pytest.mark.parametrize("name", ["Ki-67", "FISH"])
def test_the_text_of_a_code_and_a_second_coding_are_names_of_it_too(name):
    beside = {"coding": [*coded("18474-7")["coding"], {"system": "http://lab", "code": "x", "display": name}]}
    for code in (coded("18474-7") | text(name), beside):
        assert issues(tissue_case(result("o1", code, "3+"))) == {"fhir_display_contradicts": "conflict"}


def test_an_unknown_name_is_told_and_the_code_believed():
    record = tissue_case(named("18474-7", "Xyzin"))
    assert facts(record) == {"ihc_score": 3}
    assert issues(record) == {"fhir_display_unclear": "warning"}
    beside = {"coding": [{"system": SNOMED, "code": "1", "display": "Observable entity"}, *coded("18474-7")["coding"]]}
    assert issues(tissue_case(result("o1", beside | text("HER2"), "3+"))) == {}


def test_two_known_codes_must_be_of_one_test():
    def both(*codes):
        return tissue_case(result("o1", {"coding": [{"system": LOINC, "code": code} for code in codes]}, "3+"))

    for codes in (("18474-7", "49683-6"), ("18474-7", "32996-1"), ("32996-1", "18474-7")):
        assert facts(both(*codes)) == {}
        assert issues(both(*codes)) == {"fhir_codes_contradict": "conflict"}
    assert facts(both("48676-1", "18474-7")) == {"ihc_score": 3}


@pytest.mark.parametrize(
    ("obx", "score"),
    [("ST|18474-7^IHC^LN||3+", 3), ("ST|18474-7^Score^LN||Positiv (3+)", 3), ("ST|18474-7^Ki-67^LN||3+", None)],
)
def test_hl7v2_names_are_judged_alike(obx, score):
    lines = [
        "MSH|^~\\&|L|H|||20260101||ORU^R01|1|P|2.5.1",
        "PID|1||P1^^^H^MR",
        "OBR|1||S1^L|X^X^L",
        f"OBX|1|{obx}||||||F",
    ]
    (record,) = read_bytes("\r".join(lines).encode(), "m.hl7")
    assert [row.values.get("ihc_score") for row in record.rows if "ihc_score" in row.values] == (
        [score] if score else []
    )


def test_a_fish_ratio_in_hl7v2_needs_no_gene_in_its_name():
    lines = ["MSH|^~\\&|L|H|||20260101||ORU^R01|1|P|2.5.1", "PID|1||P1^^^H^MR", "OBR|1||S1^L|X^X^L"]
    lines.append("OBX|1|NM|49683-6^FISH ratio^LN||2.4||||||F")
    (record,) = read_bytes("\r".join(lines).encode(), "m.hl7")
    assert [str(row.values["ish_ratio"]) for row in record.rows] == ["2.4"]


# ---- the words of a score


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ("Positiv (3+)", 3),
        ("+++", 3),
        ("Negative (0)", 0),
        ("3+ (strong)", 3),
        ("2+ equivocal", 2),
        ("negativ (1+)", 1),
        ("Teigiamas (3+)", 3),
        ("HER2-low (1+)", 1),
        ("faint, incomplete membrane staining (1+)", 1),
        (text("Score 2, equivocal"), 2),
        (coded("LA6577-6", "Negative") | text("1+"), 1),
        ({"value": 3, "unit": "+"}, 3),
    ],
)
def test_a_score_with_words_around_it_is_read(given, score):
    assert facts(tissue_case(result("o1", "18474-7", given))) == {"ihc_score": score}


@pytest.mark.parametrize(
    "given",
    [
        "Negative (3+)",
        "positive (0)",
        "2+/3+",
        "HER2-low (3+)",
        coded("LA6577-6", "Negative") | text("3+"),
        coded("LA11842-4", "2+") | text("3+"),
        coded("x", "Neigiamas", "http://lab") | text("3+"),
    ],
)
def test_a_score_that_its_own_words_contradict_is_not(given):
    record = tissue_case(result("o1", "18474-7", given))
    assert facts(record) == {}
    assert issues(record) == {"fhir_answers_contradict": "conflict"}


def test_a_score_in_words_brings_its_percentage():
    assert facts(tissue_case(result("o1", "18474-7", "Positive (3+), 80 %"))) == {"ihc_score": 3, "ihc_percent": 80}


def test_an_answer_of_loinc_is_known_without_its_system():
    assert facts(tissue_case(result("o1", "18474-7", {"coding": [{"code": "LA11843-2"}]}))) == {"ihc_score": 3}


@pytest.mark.parametrize("given", ["60 %", "60%", "60"])
def test_a_percentage_may_be_written(given):
    assert facts(tissue_case(result("o1", "18474-7", "2+", parts=[part(text("percent"), given)])))["ihc_percent"] == 60
    ratio = tissue_case(result("o1", "49683-6", "60 %"))
    assert issues(ratio) == {"fhir_not_understood": "error"}


@pytest.mark.parametrize(("given", "ratio"), [("2.4:1", "2.4"), ("112/40", "2.8"), ("2,4 : 1", "2.4")])
def test_a_ratio_in_words_is_a_ratio(given, ratio):
    assert str(facts(tissue_case(result("o1", "49683-6", given)))["ish_ratio"]) == ratio


@pytest.mark.parametrize("unit", ["{HER2:CEP17}", "{Ratio}", "ratio", "1"])
def test_a_remark_in_place_of_a_unit_says_nothing(unit):
    assert set(facts(tissue_case(result("o1", "49683-6", quantity(2, unit))))) == {"ish_ratio"}


@pytest.mark.parametrize("unit", ["{copies}/{nucleus}", "{signals}", "{Copies}", "%"])
def test_the_unit_of_another_test_is_refused(unit):
    assert issues(tissue_case(result("o1", "49683-6", quantity(2, unit)))) == {"fhir_unit": "error"}


# ---- values of a kind that no test has

OTHER_KINDS = {
    "valueBoolean": True,
    "valueDateTime": "2025-01-01",
    "valueTime": "10:00:00",
    "valuePeriod": {"start": "2025-01-01"},
    "valueSampledData": {"origin": {"value": 1}, "period": 1, "dimensions": 1, "data": "1 2"},
}
CODES = [code.code for code in codebook().file.codes if code.code and code.kind not in ("ignored", "part", "legacy")]


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("code", CODES)
def test_a_value_of_another_kind_is_a_wrong_type_for_every_code(code, kind):
    system = SNOMED if len(code) == len("399537006") else LOINC
    shown = result("o1", coded(code, system=system), parts=[gene("KRAS")] if code == "69548-6" else [])
    assert issues(tissue_case(shown | {kind: OTHER_KINDS[kind]}))["fhir_value_kind"] == "error"
    assert "wrong-type" in rules(patient(), specimen(), shown | {kind: OTHER_KINDS[kind]})


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_part_of_another_kind_is_a_wrong_type_and_the_rest_is_kept(kind):
    shown = result("o1", "18474-7", "3+", parts=[{"code": text("percent"), kind: OTHER_KINDS[kind]}])
    assert facts(tissue_case(shown)) == {"ihc_score": 3}
    assert issues(tissue_case(shown)) == {"fhir_value_kind": "error"}


# ---- parts of a test


def test_a_count_of_chromosome_17_inside_an_immune_stain_is_reported():
    shown = result("o1", "18474-7", "2+", parts=[part("74861-6", quantity(2.1))])
    assert {name: str(item) for name, item in facts(tissue_case(shown)).items()} == {
        "ihc_score": "2",
        "ish_cep17_copies": "2.1",
    }
    assert issues(tissue_case(shown)) == {"fhir_cep17_part_under_ihc": "warning"}
    assert "cep17-under-immune-stain" in rules(patient(), specimen(), shown)
    other = result("o1", "49683-6", quantity(2), parts=[part("18474-7", "2+")])
    assert issues(tissue_case(other)) == {"fhir_part_of_other_test": "warning"}


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("HER2 percent of tumour cells", quantity(60, "%"), "ihc_percent"),
        ("Anteil positiver Zellen", quantity(60, "%"), "ihc_percent"),
        ("Färbemuster", text("basolateral"), "ihc_pattern"),
    ],
)
def test_a_part_is_known_by_the_names_of_laboratories(name, given, field):
    shown = tissue_case(result("o1", "18474-7", "2+", parts=[part(text(name), given)]))
    assert set(facts(shown)) == {"ihc_score", field}
    assert issues(shown) == {}


@pytest.mark.parametrize(
    ("code", "given", "issue"),
    [
        (text("H-score"), 150, "fhir_part_not_known"),
        (coded("10861-3", "Percent"), quantity(60, "%"), "fhir_part_not_known"),
        (text("CEP17 signals per spot"), quantity(2), "fhir_name_not_known"),
    ],
)
def test_a_part_that_is_not_known_is_said_to_be_left_out(code, given, issue):
    shown = tissue_case(result("o1", "18474-7", "2+", parts=[part(code, given)]))
    assert facts(shown) == {"ihc_score": 2}
    assert issues(shown) == {issue: "warning"}


def test_a_signal_count_by_name_alone_is_not_taken_for_mean_or_total():
    shown = tissue_case(result("o1", "74885-5", parts=[part(text("HER2 signals"), quantity(5))]))
    assert facts(shown) == {}
    assert issues(shown) == {"fhir_name_not_known": "warning"}


# ---- results under a code that is not known


@pytest.mark.parametrize(
    "name", ["HER2", "HER2Score", "HER2蛋白", "ERBB2 amplification", "c-erbB-2 Ak", "CEP17", "HER2-Status", "KRAS"]
)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_marker_under_an_unknown_code_is_reported(name, as_text):
    code = text(name) if as_text else coded("X1", name, "http://lab.example")
    record = tissue_case(result("o1", code, "3+"))
    assert facts(record) == {}
    assert issues(record) == {"fhir_name_not_known": "warning"}
    assert "local-code" in rules(patient(), specimen(), result("o1", code, "3+"))
    assert issues(tissue_case(result("o1", code, "3+", status="cancelled"))) == {}


@pytest.mark.parametrize("system", ["https://loinc.org", "http://loinc.org/", "LOINC", "2.16.840.1.113883.6.1"])
def test_loinc_has_several_addresses(system):
    assert facts(tissue_case(result("o1", coded("18474-7", system=system), "3+"))) == {"ihc_score": 3}


def test_a_known_code_of_another_system_is_reported():
    record = tissue_case(result("o1", coded("18474-7", system="http://lab.example"), "3+"))
    assert facts(record) == {}
    assert issues(record) == {"fhir_system_not_known": "warning"}


def test_what_this_program_writes_is_not_taken_for_an_unknown_result():
    verdict = {"coding": [{"system": "urn:her2crc:criteria", "code": "heracles"}], "text": "HER2 by HERACLES"}
    assert issues(tissue_case(result("o1", verdict, text("positive")))) == {}


def test_words_on_her2_that_are_not_read_are_reported():
    finding = result("o1", coded("22637-3", "Final diagnosis"), "Adenocarcinoma. HER2 3+.")
    coded_finding = result("o1", coded("X", "Finding", "http://lab"), text("HER2 positive"))
    report = resource(
        "DiagnosticReport", "r", status="final", subject={"reference": "Patient/p1"}, conclusion="HER2 3+"
    )
    for shown in (finding, coded_finding, report):
        assert facts(tissue_case(shown)) == {}
        assert issues(tissue_case(shown)) == {"fhir_free_text": "warning"}
    held = report | {"result": [{"reference": "Observation/o1"}]}
    assert issues(tissue_case(result("o1", "18474-7", "3+"), held)) == {}
    withdrawn = held | {"status": "entered-in-error"}
    assert issues(tissue_case(result("o1", "18474-7", "3+"), withdrawn)) == {"fhir_report_withdrawn": "warning"}


PANEL_PARTS = [
    part("18474-7", "2+"),
    part(text("percent"), quantity(60, "%")),
    part("49683-6", quantity(2.5)),
    part("81695-9", coded("LA14122-8")),
]


@pytest.mark.parametrize("name", ["Biomarker panel", "HER2 panel"])
def test_parts_of_a_panel_whose_code_is_not_known_are_results(name):
    record = tissue_case(result("o1", text(name), parts=PANEL_PARTS))
    assert {field: str(item) for field, item in facts(record).items()} == {
        "ihc_score": "2",
        "ihc_percent": "60",
        "ish_ratio": "2.5",
        "msi": "stable",
    }
    assert issues(record) == {}


def test_a_panel_whose_code_is_not_known_keeps_the_rules_of_its_own():
    panel = result("o1", text("panel"), parts=PANEL_PARTS)
    assert facts(tissue_case(panel | {"status": "cancelled"})) == {}
    corrected = result("o1", text("panel"), parts=[part("18474-7", "3+")], status="corrected")
    assert facts(tissue_case(result("o1", text("panel"), parts=[part("18474-7", "1+")]), corrected)) == {"ihc_score": 3}
    other_gene = result("o1", text("panel"), parts=[part("18474-7", "3+"), gene("BRAF")])
    assert issues(tissue_case(other_gene)) == {"fhir_gene_not_her2": "conflict"}
    unnamed = {name: item for name, item in panel.items() if name != "id"}
    assert facts(read(patient(), specimen(), unnamed))["ihc_score"] == 2


# ---- dates before birth

EARLY = {"start": "1940-01-01T10:00:00Z", "end": "1940-02-01"}
SUBJECT = {"subject": {"reference": "Patient/p1"}}
DRUG = {"medicationCodeableConcept": text("cetuximab")} | SUBJECT


@pytest.mark.parametrize(
    "early",
    [
        result("o1", "18474-7", "3+", effectiveDateTime="1950-01-01"),
        result("o1", "18474-7", "3+", effectivePeriod=EARLY),
        result("o1", "18474-7", "3+", issued="1950-01-01T00:00:00Z"),
        condition("C18.7", onsetDateTime="1950"),
        resource("Procedure", "x", status="completed", code=text("cetuximab"), performedDateTime="1940", **SUBJECT),
        resource("Procedure", "x", status="completed", code=text("cetuximab"), performedPeriod=EARLY, **SUBJECT),
        resource("MedicationStatement", "x", status="completed", effectivePeriod=EARLY, **DRUG),
    ],
)
def test_whatever_is_dated_before_birth_is_reported(early):
    assert issues(read(BORN, specimen(), early)) == {"fhir_dated_before_birth": "warning"}
    assert "date-before-birth" in rules(BORN, specimen(), early)
    assert issues(read(patient(birthDate="1930"), specimen(), early)) == {}


@pytest.mark.parametrize("day", ["1960", "1960-05", "1960-05-02", "2025-01-01T00:00:00Z", "01.02.1950"])
def test_a_date_that_may_lie_after_birth_is_not(day):
    assert issues(read(BORN, specimen(), result("o1", "18474-7", "3+", effectiveDateTime=day))) == {}


def test_a_period_of_collection_is_a_day_or_none():
    def collected(start, end):
        return read(patient(), specimen(collection={"collectedPeriod": {"start": start, "end": end}}))

    (row,) = collected("2025-03-01T08:00:00Z", "2025-03-01T09:00:00Z").rows
    assert row.values["collected_on"] == "2025-03-01"
    assert issues(collected("2025-03-01", "2025-04-01")) == {"fhir_date": "warning"}
    early = specimen(collection={"collectedPeriod": {"start": "1940-01-01"}})
    assert issues(read(BORN, early)) == {"fhir_before_birth": "error"}


# ---- breast codes


@pytest.mark.parametrize(
    ("diagnoses", "warned"),
    [
        ((condition("C50.9"),), False),
        ((condition("C18.7"),), True),
        ((condition("C18.7"), condition("C50.9", "c2")), True),
        ((), True),
    ],
)
def test_a_breast_code_is_no_fault_on_breast_cancer(diagnoses, warned):
    record = read(patient(), specimen(), *diagnoses, result("o1", "85319-2", "3+"))
    assert ("fhir_breast_code" in issues(record)) is warned


def test_a_specimen_that_is_of_the_colon_is_not_of_the_patients_breast_cancer():
    colon = specimen(collection={"bodySite": coded("C18.7", system=ICD)})
    record = read(patient(), colon, condition("C50.9"), result("o1", "85319-2", "3+"))
    assert "fhir_breast_code" in issues(record)


def test_a_breast_result_says_nothing_of_the_colon():
    data = json.dumps(bundle(patient(), specimen(), condition("C50.9"), result("o1", "85319-2", "3+"))).encode()
    (found,) = her2crc.read_patients(data, KNOWLEDGE)
    said = {verdict.status for verdict in her2crc.assess(found, KNOWLEDGE).criteria.values()}
    assert not said & {"positive", "negative", "equivocal"}


# ---- specimens in other languages


@pytest.mark.parametrize(
    ("word", "site"), [("Leber", "liver"), ("Poumon", "lung"), ("Lymphknoten", "lymph_node"), ("Kolon", "primary")]
)
def test_sites_in_other_languages_are_known(word, site):
    (row,) = read(patient(), specimen(collection={"bodySite": text(word)})).rows
    assert row.values["site"] == site


@pytest.mark.parametrize("word", ["Flüssigbiopsie", "EDTA-Blut", "biopsie liquide"])
def test_plasma_in_other_languages_is_known(word):
    amplified = variant("v", "ERBB2", "LA9633-4", part("82155-3", quantity(12, "1")))
    record = read(patient(), specimen(type=text(word)), amplified)
    assert [row.values["plasma_copies"] for row in record.rows] == [12]


# ---- fluids of the body


@pytest.mark.parametrize(
    "kind",
    [
        coded("309201001", system=SNOMED),
        coded("418564007", system=SNOMED),
        coded("258450006", system=SNOMED),
        text("CSF, cell-free DNA"),
    ],
)
def test_copies_in_a_fluid_are_unknown_and_it_is_said_why(kind):
    amplified = variant("v", "ERBB2", "LA9633-4", part("82155-3", quantity(12, "1")))
    record = read(patient(), specimen(type=kind), amplified)
    assert facts(record) == {}
    assert issues(record) == {"fhir_fluid": "warning"}


def test_cells_of_a_fluid_are_tissue():
    amplified = variant("v", "ERBB2", "LA9633-4", part("82155-3", quantity(12, "1")))
    cells = specimen(type=[coded("309201001", system=SNOMED), text("cell block")])
    assert facts(read(patient(), cells, amplified)) == {"ngs_copies": 12}


def test_no_variant_in_a_fluid_makes_no_gene_wild_type():
    absent = [variant("k", "KRAS", "LA9634-2"), variant("n", "NRAS", "LA9634-2")]
    record = read(patient(), specimen(type=text("Pleural effusion")), *absent)
    assert facts(record) == {}
    assert issues(record) == {"fhir_absent_in_fluid": "warning"}
