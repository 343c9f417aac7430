"""HL7 v2: composed messages of several versions read fact by fact, and what holds for every message."""

import logging
import sys

import pytest
from format_golden import SECRETS, content, damaged, expected, files, issues_of, known, said, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from her2crc.errors import InputError, MissingExtraError
from her2crc.flow import load_knowledge
from her2crc.normalise import normalise
from her2crc.read import read_bytes
from her2crc.read.hl7v2 import read_hl7v2
from her2crc.read.hl7v2_words import words

HEADER = "MSH|^~\\&|LAB|H|||20260101||ORU^R01^ORU_R01|1|P|2.5.1"
PID = "PID|1||P1^^^HOSP^MR||Beispiel^Jane"
OBR = "OBR|1||S1^LAB|18474-7^HER2 by IHC^LN"
TISSUE = "SPM|1|^S1&LAB||TISS^Tissue^HL70487"


def message(*lines, end="\r", header=HEADER):
    return end.join((header, PID, *lines, "")).encode()


def results(*obx, order=OBR, specimen=TISSUE):
    """One order with results written without their set id, on a tissue specimen."""
    return read_hl7v2(message(order, *(f"OBX|{n}|{text}" for n, text in enumerate(obx, 1)), specimen), "f")


def facts(records):
    return {name: value for _, _, name, value in known(records) if name != "specimen_id"}


def ids(records):
    return {issue.id for record in records for issue in record.issues}


# ---- whole files


@pytest.mark.parametrize("name", files("hl7v2"))
def test_golden_files(name):
    assert shown(read_bytes(content("hl7v2", name), name)) == expected("hl7v2")[name]


@pytest.mark.parametrize("name", files("hl7v2"))
def test_no_name_and_no_free_text_is_repeated(name, caplog):
    with caplog.at_level(logging.DEBUG):
        told = said(content("hl7v2", name))
    assert told
    assert not any(secret in told + caplog.text for secret in SECRETS)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\n"])
def test_any_end_of_segment(end):
    data = message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", TISSUE, end=end)
    assert facts(read_hl7v2(data, "f"))["ihc_score"] == "3"


def test_a_byte_order_mark_and_frames_of_transfer_do_not_matter():
    data = message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", TISSUE)
    for around in (b"\xef\xbb\xbf" + data, b"\x0b" + data + b"\x1c\r", b"\r\n" + data):
        assert shown(read_hl7v2(around, "f")) == shown(read_hl7v2(data, "f"))
    assert facts(read_bytes(data.decode().encode("utf-16"), "f"))["ihc_score"] == "3"


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8.2", "2.9", ""])
def test_any_version(version):
    data = message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", header=HEADER.replace("2.5.1", version))
    assert facts(read_hl7v2(data, "f"))["ihc_score"] == "3"


def test_separators_are_those_that_the_message_declares():
    text = message(OBR, "OBX|1|CWE|18474-7^HER2^LN||3+^3+^L||||||F", TISSUE).decode()
    swapped = text.translate(str.maketrans("|^~\\&", "!*+/="))
    assert facts(read_hl7v2(swapped.encode(), "f")).get("ihc_score") is None  # here + separates repetitions
    swapped = text.translate(str.maketrans("|^~\\&", "!*$/="))
    assert facts(read_hl7v2(swapped.encode(), "f"))["ihc_score"] == "3"


@pytest.mark.parametrize("header", ["MSH|", "MSH", "MSH||||", "MSH|^^^^|LAB", "MSH|^~\\&", "MSH&^~&", "MSH|^~&|LAB"])
def test_a_header_that_declares_no_separators_is_an_error(header):
    with pytest.raises(InputError, match="separators"):
        read_hl7v2(message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", header=header), "f")


def test_patients_with_one_number_of_two_hospitals_are_two():
    data = b"".join(
        message(f"OBR|1||S{n}^LAB|HER2 IHC", f"OBX|1|ST|18474-7^HER2^LN||{n}+||||||F").replace(b"HOSP", hospital)
        for n, hospital in enumerate((b"NORTH", b"SOUTH"), 1)
    )
    found = read_hl7v2(data, "f")
    assert [record.patient_id for record in found] == ["P1 (NORTH)", "P1 (SOUTH)"]
    assert [record.rows[0].values["ihc_score"] for record in found] == [1, 2]


def test_results_without_a_patient_are_an_error_of_their_own():
    orphan = "\r".join((HEADER, OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", "")).encode()
    with pytest.raises(InputError, match="PID-3"):
        read_hl7v2(orphan, "f")
    good = message(OBR, "OBX|1|ST|18474-7^HER2^LN||2+||||||F")
    found = read_hl7v2(orphan + good, "f")
    assert [record.patient_id for record in found] == ["P1", "message 1, OBR 1"]
    assert issues_of(found, "hl7_no_patient")[0].level == "error"


def test_two_patients_in_one_message_keep_their_results():
    data = message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", "PID|2||P2^^^HOSP", OBR.replace("S1", "S2"),
                   "OBX|1|ST|18474-7^HER2^LN||0||||||F")  # fmt: skip
    assert [(r.patient_id, r.rows[0].values["ihc_score"]) for r in read_hl7v2(data, "f")] == [("P1", 3), ("P2", 0)]


def test_a_segment_that_is_broken_by_a_line_break_is_not_used():
    found = read_hl7v2(message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+", "|||||F", TISSUE), "f")
    assert "ihc_score" not in facts(found)
    assert issues_of(found, "hl7_broken_segment")[0].place == "f:message 1, OBX 1"
    continued = read_hl7v2(message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+", "ADD||||||F", TISSUE), "f")
    assert "ihc_score" not in facts(continued)


def test_without_the_package_a_person_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hl7", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'her2crc\[hl7\]'"):
        read_hl7v2(message(OBR), "f")


# ---- character sets and escapes


def test_the_character_set_is_the_declared_one():
    header = HEADER + "||||||8859/1"
    data = message(OBR.replace("S1^", "Jörg^"), "OBX|1|ST|18474-7^HER2^LN||3+||||||F", header=header)
    found = read_hl7v2(data.decode().encode("latin-1"), "f")
    assert found[0].rows[0].values["specimen_id"] == "Jörg"
    assert not issues_of(found, "hl7_character_set")


@pytest.mark.parametrize("declared", ["", "UNICODE UTF-8", "ASCII", "KLINGON", "Beispiel"])
def test_a_character_set_that_does_not_fit_is_reported(declared):
    data = message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", "NTE|1||Größe", header=f"{HEADER}||||||{declared}")
    found = read_hl7v2(data.decode().encode("latin-1"), "f")
    assert facts(found)["ihc_score"] == "3"
    assert "Beispiel" not in issues_of(found, "hl7_character_set")[0].text


def test_every_character_set_is_one_that_python_knows():
    assert all("A".encode(codec) for codec in words().character_sets.values())


@pytest.mark.parametrize(
    ("written", "score"),
    [
        ("3\\X2B\\", "3"),
        ("\\H\\3+\\N\\", "3"),
        ("3\\.br\\", "3"),
        ("1\\5\\3", None),
        ("3\\Xzz\\", None),
        ("3\\T\\", None),
    ],
)
def test_escapes(written, score):
    assert facts(results(f"ST|18474-7^HER2^LN||{written}||||||F")).get("ihc_score") == score


# ---- values


@pytest.mark.parametrize(
    ("value", "score"),
    [
        ("CWE|18474-7^HER2^LN||3+^3+^L", "3"),
        ("CE|18474-7^HER2^LN||2+^Equivocal (score 2+)^L", "2"),
        ("CWE|18474-7^HER2^LN||LA26333-6^1+^LN", "1"),
        ("CWE|18474-7^HER2^LN||^^^^^^^^Positive (score 3+)", "3"),
        ("ST|18474-7^HER2^LN||1+", "1"),
        ("|18474-7^HER2^LN||1+", "1"),
        ("NM|18474-7^HER2^LN||0", "0"),
        ("SN|18474-7^HER2^LN||^2^+", "2"),
        ("SN|18474-7^HER2^LN||^2", "2"),
        ("SN|18474-7^HER2^LN||=^2", "2"),
        ("SN|18474-7^HER2^LN||>^2", None),
        ("SN|18474-7^HER2^LN||^2^-^3", None),
        ("NM|18474-7^HER2^LN||2+", None),
        ("NM|18474-7^HER2^LN||4", "4"),
        ("CWE|18474-7^HER2^LN||3^Negative^L", None),
        ("CWE|18474-7^HER2^LN||POS^Positive^L", None),
        ("CWE|18474-7^HER2^LN||LA26333-6^3+^LN", None),
        ('ST|18474-7^HER2^LN||""', None),
        ("ST|18474-7^HER2^LN||", None),
        ("ST|18474-7^HER2^LN||2+~3+", None),
        ("ST|18474-7^HER2^LN||3+~3+", "3"),
        ("TX|18474-7^HER2^LN||3+", "3"),
        ("FT|18474-7^HER2^LN||3+", "3"),
        ("ED|18474-7^HER2^LN||^AP^^Base64^MysK", None),
        ("DT|18474-7^HER2^LN||20260101", None),
    ],
)
def test_a_score(value, score):
    found = results(f"{value}||||||F")
    patient = normalise(found[0], load_knowledge().fields, load_knowledge().settings)
    read = patient.specimens[0].ihc.ihc_score if patient.specimens else None
    assert read == (int(score) if score and int(score) in range(4) else None)
    assert read is not None or patient.issues


@pytest.mark.parametrize(
    ("value", "field", "read"),
    [
        ("NM|49683-6^ERBB2/Chromosome 17^LN||2.20", "ish_ratio", "2.20"),
        ("SN|49683-6^ERBB2/Chromosome 17^LN||^66^:^30", "ish_ratio", "2.2"),
        ("SN|49683-6^ERBB2/Chromosome 17^LN||^66^/^30", "ish_ratio", "2.2"),
        ("SN|49683-6^ERBB2/Chromosome 17^LN||^66^/^0", "ish_ratio", None),
        ("SN|49683-6^ERBB2/Chromosome 17^LN||<^2", "ish_ratio", None),
        ("NM|49683-6^ERBB2/Chromosome 17^LN||2.2|%", "ish_ratio", None),
        ("NM|74860-8^ERBB2 copies^LN||6.60|{copies}/{nucleus}^^UCUM", "ish_her2_copies", "6.60"),
        ("ST|L1^HER2/CEP17 ratio^L||2.1", "ish_ratio", "2.1"),
        ("NM|L2^Total HER2 signals^L||120", "ish_her2_signals", "120"),
        ("NM|L2^Total HER2 signals^L||120.5", "ish_her2_signals", None),
        ("NM|62361-1^Cells counted^LN||40", "ish_nuclei", "40"),
        ("NM|L3^HER2 percent of tumor cells^L||60|%", "ihc_percent", "60"),
        ("ST|L3^HER2 percent of tumor cells^L||60 %", "ihc_percent", "60"),
        ("NM|L3^HER2 percent of tumor cells^L||60|mm", "ihc_percent", None),
        ("NM|L4^Tumour purity^L||40|%", "tumour_purity", "40%"),
        ("ST|L4^Tumour purity^L||40%", "tumour_purity", "40%"),
        ("NM|L5^ERBB2 copy number by NGS^L||8.42", "ngs_copies", "8.42"),
        ("ST|L6^ERBB2 amplification by NGS^L||amplified", "ngs_call", "amplified"),
        ("CWE|L7^MSI status^L||H^MSI-High^L", "msi", "high"),
        ("ST|L7^Mismatch repair status^L||dMMR", "msi", "high"),
        ("ST|L8^PIK3CA mutation^L||Detected", "pik3ca", "mutant"),
        ("ST|L8^PIK3CA mutation^L||p.His1047Arg", "pik3ca", "mutant"),
        ("ST|L8^PIK3CA mutation^L||see report", "pik3ca", None),
        ("ST|L9^BRAF^L||V600E", "braf_v600e", "mutant"),
        ("ST|L9^BRAF^L||G469A", "braf_v600e", None),
        ("ST|L9^BRAF mutation^L||Not detected", "braf_v600e", "wild_type"),
        ("ST|L10^KRAS mutation^L||Not detected", "ras", None),
        ("ST|L11^ERBB2 mutation^L||S310F", "erbb2_mutation", "p.S310F"),
    ],
)
def test_a_value(value, field, read):
    parts = value.split("|")
    padded = "|".join([*parts, *[""] * (9 - len(parts)), "F"])
    found = results(padded)
    assert facts(found).get(field) == read
    if read is None:
        assert found[0].issues


def test_a_number_that_is_text_is_an_error_of_its_field():
    issue = issues_of(results("NM|62361-1^Cells counted^LN||forty||||||F"), "hl7_number_is_text")[0]
    assert (issue.level, issue.field, issue.specimen, issue.place) == (
        "error",
        "ish_nuclei",
        "S1",
        "f:message 1, OBX 1",
    )
    assert "forty" not in issue.text


# ---- codes against names


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("18474-7^Ki-67^LN", "fhir_display_contradicts"),
        ("16112-5^HER2 score^LN", "hl7_code_and_name"),
        ("18474-7^HER2/CEP17 ratio^LN", "hl7_code_and_name"),
        ("18474-7^HER2 by IHC^LN^X^HER2/CEP17 ratio^L", "hl7_code_and_name"),
    ],
)
def test_a_name_that_contradicts_its_code_is_a_conflict_and_nothing_is_used(name, id):
    found = results(f"ST|{name}||3+||||||F")
    assert facts(found) == {}
    assert issues_of(found, id)[0].level == "conflict"


def test_a_code_that_is_not_ours_is_not_looked_at():
    found = results("ST|16112-5^Ki-67^LN||3+||||||F", "NM|718-7^Haemoglobin^LN||13||||||F", order="OBR|1||S1|CBC^CBC^L")
    assert (facts(found), found[0].rows, found[0].issues) == ({}, (), ())


def test_short_names_are_known_only_within_their_order():
    short = ("ST|A^Score^L||3+||||||F", "NM|B^Percent of cells^L||70|%|||||F")
    assert facts(results(*short)) == {"ihc_score": "3", "ihc_percent": "70"}
    assert facts(results(*short, order="OBR|1||S1^LAB|KI67^Ki-67 IHC^L")) == {}
    assert facts(results(*short, order="OBR|1||S1^LAB|L^HER2 Immunohistochemistry^L"))["ihc_score"] == "3"


def test_copies_are_of_sequencing_only_where_it_is_said():
    copies = "NM|L^ERBB2 copy number^L||8.4||||||F"
    assert facts(results(copies, order="OBR|1||S1^LAB|P^NGS panel^L")) == {"ngs_copies": "8.4"}
    assert facts(results(copies)) == facts(results(copies, order="OBR|1||S1^LAB|F^HER2 FISH^L")) == {}


@pytest.mark.parametrize("name", ["KRAS codon 12 and 13", "HER2 overall", "BRAF G469", "microsatellite loci tested"])
def test_a_name_that_is_not_known_is_reported_and_not_guessed(name):
    found = results(f"ST|X^{name}^L||Not detected||||||F", order="OBR|1||S1^LAB|P^Panel^L")
    assert facts(found) == {}
    assert issues_of(found, "hl7_name_not_known")


# ---- status


@pytest.mark.parametrize(("status", "used"), [(s, True) for s in "FUCPRA"] + [(s, False) for s in "XDWINO"])
def test_status(status, used):
    found = results(f"ST|18474-7^HER2^LN||3+||||||{status}", f"NM|L4^Tumour purity^L||40|%|||||{status}")
    assert set(facts(found)) == ({"ihc_score", "tumour_purity"} if used else set())
    assert bool(ids(found)) == (status not in "FUC")


def test_no_status_is_no_final_status():
    assert "fhir_status_uncertain" in ids(results("ST|18474-7^HER2^LN||3+"))
    cancelled = results("ST|18474-7^HER2^LN||3+||||||F", order=OBR + "|" * 20 + "|X")
    assert (facts(cancelled), ids(cancelled)) == ({}, {"hl7_order_cancelled"})


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("status", "left"), [("C", "2"), ("W", None), ("D", None)])
def test_a_correction_replaces_and_a_withdrawal_removes_in_any_order(status, left, reverse):
    sent = [
        message(OBR, f"OBX|1|ST|18474-7^HER2^LN||{score}||||||{state}", TISSUE)
        for score, state in (("3+", "F"), ("2+", status))
    ]
    found = read_hl7v2(b"".join(sent[::-1] if reverse else sent), "f")
    assert facts(found).get("ihc_score") == left
    assert ids(found) & {"fhir_replaced", "fhir_status_not_used"}


def test_two_final_results_that_differ_are_both_kept_for_the_conflict():
    sent = [message(OBR, f"OBX|1|ST|18474-7^HER2^LN||{score}||||||F", TISSUE) for score in ("3+", "2+")]
    found = read_hl7v2(b"".join(sent), "f")
    assert {value for _, _, name, value in known(found) if name == "ihc_score"} == {"2", "3"}


# ---- local codes that are names of fields, and results that could not be obtained


@pytest.mark.parametrize(
    ("written", "field", "read"),
    [
        ("NM|ngs_fold^fold change^L||8.4|fold|||||F", "ngs_fold", "8.4"),
        ("NM|ngs_fold^fold change^L||8.4|1^^UCUM|||||F", "ngs_fold", "8.4"),
        ("NM|ngs_fold^fold change^99LAB||8.4||||||F", "ngs_fold", "8.4"),
        ("NM|tumour_purity^purity^L||40|%^percent^UCUM|||||F", "tumour_purity", "40%"),
        ("CWE|ngs_call^call^L||amplified^the words of the laboratory^L||||||F", "ngs_call", "amplified"),
        ("CWE|ngs_call^call^L||2^not amplified^L||||||F", "ngs_call", "not amplified"),
        ("ST|ngs_assay^assay^L||Panel \\T\\ more||||||F", "ngs_assay", "Panel & more"),
        ("ID|prior_anti_egfr^earlier antibody^L||Y||||||F", "prior_anti_egfr", "Y"),
        ("NM|ngs_fold^fold change^L||8.4|mm|||||F", "ngs_fold", None),
        ("SN|ngs_fold^fold change^L||>^8||||||F", "ngs_fold", ">8"),  # refused as a bound by the next stage
        ("SN|ngs_fold^fold change^L||^8^/^1||||||F", "ngs_fold", None),
        ("NM|ngs_fold^HER2/CEP17 ratio^L||8.4||||||F", "ngs_fold", None),
        ("NM|ngs_fold^fold change^L^18474-7^HER2^LN||3||||||F", "ngs_fold", None),
        ("NM|ngs_fold^fold change^L||8.4||||||D", "ngs_fold", None),
    ],
)
def test_a_local_code_that_is_the_name_of_a_field(written, field, read):
    found = results(written)
    assert facts(found).get(field) == read
    assert read is not None or found[0].issues


def test_a_field_name_of_one_word_is_known_only_in_our_own_orders():
    stage = "NM|stage^Stage of the kidney disease^L||4||||||F"
    assert "stage" not in facts(results(stage, "ST|18474-7^HER2^LN||3+||||||F"))
    own = "OBR|1||S1^LAB|patient_facts^markers and history^L"
    assert facts(results(stage, order=own)) == {"stage": "4"}


@pytest.mark.parametrize(
    ("written", "field", "specimen"),
    [
        ("ST|18474-7^HER2^LN||||||||X", "ihc_score", "S1"),
        ("NM|49683-6^ERBB2/Chromosome 17^LN||2.5||||||X", "ish_ratio", "S1"),
        ("NM|ngs_fold^fold change^L||||||||X", "ngs_fold", "S1"),
        ("NM|L4^Tumour purity^L||||||||X", "tumour_purity", "S1"),
        ("NM|L5^ERBB2 copy number by NGS^L||||||||X", "ngs_copies", "S1"),
        ("ST|L10^KRAS mutation^L||||||||X", "ras", ""),
        ("CWE|81695-9^Microsatellite^LN||||||||X", "msi", ""),
    ],
)
def test_a_result_that_could_not_be_obtained_is_stated_but_unusable(written, field, specimen):
    found = results(written)
    assert field not in facts(found)
    assert (field, specimen) in {(item.field, item.specimen) for item in found[0].issues if item.level == "error"}
    [patient] = [normalise(record, load_knowledge().fields, load_knowledge().settings) for record in found]
    assert not specimen or field in patient.specimens[0].unsettled


# ---- specimens


@pytest.mark.parametrize(
    ("order", "specimen", "kept"),
    [
        ("OBR|1||S1^LAB|PATH^Pathology^L", TISSUE, ["S1"]),
        ("OBR|1||S1^LAB|L^HER2 IHC^L", TISSUE.replace("TISS^Tissue", "X^Block"), ["S1"]),
        ("OBR|1||S1^LAB|L^HER2 IHC^L" + "|" * 11 + "TISS&Tissue&HL70070", None, ["S1"]),
        ("OBR|1||S1^LAB|L^HER2 IHC^L", None, []),
        ("OBR|1||S1^LAB|CBC^Blood count^L", TISSUE.replace("TISS^Tissue", "BLD^Blood"), []),
    ],
)
def test_a_specimen_that_is_sent_without_results_is_one_without_findings(order, specimen, kept):
    [record] = read_hl7v2(message(order, *([specimen] if specimen else [])), "f")
    patient = normalise(record, load_knowledge().fields, load_knowledge().settings)
    assert [item.specimen_id for item in patient.specimens] == kept
    assert {name for row in record.rows for name in row.values} <= {"specimen_id", "site", "specimen_kind"}


def test_tissue_with_results_of_other_tests_only_is_no_specimen_here():
    assert results("NM|KI67^Ki-67^L||40|%|||||F", order="OBR|1||S1^LAB|KI67^Ki-67^L")[0].rows == ()


def test_of_several_specimens_a_result_has_the_one_it_names_or_stands_after():
    data = message(
        OBR,
        "OBX|1|ST|18474-7^HER2^LN||3+||||||F" + "|" * 22 + "B&LAB",
        "SPM|1|^A&LAB||TISS^Tissue^HL70487",
        "OBX|2|NM|49683-6^ERBB2^LN||2.5||||||F",
        "SPM|2|^B&LAB||TISS^Tissue^HL70487|||||||||||||20260102",
    )
    rows = {row.values["specimen_id"]: row.values for row in read_hl7v2(data, "f")[0].rows}
    assert rows["A"].get("ish_ratio") is not None
    assert (rows["B"]["ihc_score"], rows["B"]["collected_on"]) == (3, "2026-01-02")
    assert "ihc_score" not in rows["A"]


def test_orders_without_specimens_are_not_merged():
    data = message(
        "OBR|1||A1^LAB|x",
        "OBX|1|ST|18474-7^HER2^LN||2+||||||F",
        "OBR|2||A2^LAB|x",
        "OBX|1|NM|49683-6^ERBB2^LN||2.5||||||F",
        "OBR|3|||x",
        "OBX|1|NM|62361-1^Cells^LN||40||||||F",
    )
    found = read_hl7v2(data, "f")
    assert [row.values["specimen_id"] for row in found[0].rows] == ["A1", "A2", "f:message 1, OBR 3"]
    assert len(issues_of(found, "hl7_specimen_not_named")) == 3


def test_her2_on_a_slide_of_blood_is_refused():
    found = results("ST|18474-7^HER2^LN||3+||||||F", specimen="SPM|1|^B1&LAB||BLD^Blood^HL70487")
    assert "ihc_score" not in facts(found)
    assert issues_of(found, "fhir_tissue_test_on_blood")[0].level == "error"


@pytest.mark.parametrize(("kind", "used"), [("F", True), ("", True), ("W", False), ("A", False)])
def test_only_a_final_diagnosis_counts(kind, used):
    found = read_hl7v2(
        message(f"DG1|1||C78.7^Liver metastasis^I10|||{kind}", OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F"), "f"
    )
    assert facts(found).get("metastatic") == ("True" if used else None)


# ---- any file


def lines_of(name):
    return content("hl7v2", name).replace(b"\n", b"\r").split(b"\r")


@pytest.mark.parametrize("name", files("hl7v2"))
def test_dropping_a_result_never_adds_a_value(name):
    lines = lines_of(name)
    before = known(read_hl7v2(b"\r".join(lines), "f"))
    numbers = [n for n, line in enumerate(lines) if line.startswith(b"OBX")]
    assert numbers
    for number in numbers:
        if lines[number].rstrip(b"|$").endswith((b"C", b"W")):
            continue  # a correction or withdrawal that is dropped gives back what it replaced
        fewer = known(read_hl7v2(b"\r".join(lines[:number] + lines[number + 1 :]), "f"))
        assert fewer <= before, lines[number]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(files("hl7v2")), st.integers(0, 2**32))
def test_no_damaged_file_crashes_or_repeats_a_name(name, seed):
    told = said(damaged(content("hl7v2", name), seed))
    assert not any(secret in told for secret in SECRETS)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="3+OBX|^~\\&\r\nPIDSPMMSHFE \x0b\x1cé", max_size=200))
def test_any_text_after_a_header_is_read_or_refused(text):
    said((HEADER + "\r" + PID + "\r" + text).encode())


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(st.sampled_from(files("hl7v2")), st.integers(0, 2**32))
def test_no_damaged_file_crashes_in_a_long_campaign(name, seed):
    said(damaged(content("hl7v2", name), seed))


# ---- as laboratories send: short answers as text, other languages, unclear specimens, a feed of all messages


@pytest.mark.parametrize("kind", ["TX", "FT"])
def test_a_short_answer_as_text_is_read_and_a_report_is_not(kind):
    found = results(f"{kind}|18474-7^HER2^LN||3+||||||F", f"{kind}|P^HER2 percent of tumor cells^L||80 %||||||F")
    assert facts(found) == {"ihc_score": "3", "ihc_percent": "80"}
    lines = results(*(f"{kind}|18474-7^HER2^LN|{n}|{text}||||||F" for n, text in enumerate(("HER2:", "3+"))))
    prose = results(f"{kind}|18474-7^HER2^LN||Scored by two observers as 3+, see the comment below||||||F")
    for told in (lines, prose):
        assert not facts(told)
        assert ids(told) == {"hl7_free_text"}
        assert len(told[0].issues) == 1


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("Positivo (3+)", "3"),
        ("negativ (Score 1+)", "1"),
        ("阴性(0)", "0"),
        ("Negativo (3+)", None),
        ("siehe 3+", None),
    ],
)
def test_a_score_with_words_of_any_language(answer, score):
    assert facts(results(f"ST|18474-7^HER2^LN||{answer}||||||F")).get("ihc_score") == score


def test_names_of_results_and_specimens_in_other_languages():
    found = results(
        "ST|S^HER2-Score^L||3+||||||F",
        "NM|P^Anteil positiver Zellen^L||80|%|||||F",
        "ST|K^KRAS Mutationsstatus^L||Not detected||||||F",
        order="OBR|1||E1^LAB|I^HER2 Immunhistochemie^L",
        specimen="SPM|1|^S1&LAB||TISS^Gewebe^HL70487|||EX^Exzision^L|^Lebermetastase",
    )
    read = facts(found)
    assert (read["ihc_score"], read["ihc_percent"]) == ("3", "80")
    assert (read["site"], read["specimen_kind"]) == ("liver", "resection")


def test_a_number_of_copies_needs_an_order_that_says_the_method():
    assert not facts(results("NM|C^ERBB2 Kopienzahl^L||12||||||F", order="OBR|1||E1^LAB|B^Biomarker^L"))
    assert facts(results("NM|C^ERBB2 Kopienzahl^L||12||||||F", order="OBR|1||E1^LAB|N^NGS^L"))["ngs_copies"] == "12"


@pytest.mark.parametrize("observation", ["BRAF^BRAF V600E^L", "BRAF V600E^BRAF^L"])
def test_the_name_that_says_most_of_a_gene_counts(observation):
    found = results(f"ST|{observation}||Detected||||||F", order="OBR|1||M1^LAB|N^NGS^L")
    assert facts(found) == {"braf_v600e": "mutant"}


def test_a_result_of_one_of_several_specimens_says_that_it_is_unclear():
    found = read_hl7v2(message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", TISSUE, TISSUE.replace("^S1&", "^S2&")), "f")
    assert "hl7_specimen_unclear" in ids(found)
    assert "hl7_specimen_unclear" not in ids(results("ST|18474-7^HER2^LN||3+||||||F"))


def test_a_message_without_results_is_no_patient():
    other = HEADER.replace("ORU^R01", "ADT^A08").encode() + b"\rPID|1||99^^^LAB\r"
    (record,) = read_hl7v2(other + message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", TISSUE), "f")
    assert ids([record]) == {"hl7_not_oru"}
    with pytest.raises(InputError, match="no ORU"):
        read_hl7v2(other, "f")


@pytest.mark.parametrize("observation", ["RAS^Mutación KRAS^L", "RAS^KRAS mutation^L", "KRAS^RAS^L"])
def test_one_gene_is_not_its_marker(observation):
    found = results(f"ST|{observation}||Not detected||||||F", order="OBR|1||M1^LAB|N^NGS^L")
    assert not facts(found)
    assert "fhir_genes_missing" in ids(found)


@pytest.mark.parametrize(
    ("observation", "value", "state"),
    [
        ("R^RAS status^L", "wild type", "wild type"),
        ("R^Statut RAS^L", "sauvage", "wild_type"),
        ("K^Mutación KRAS^L", "Mutado", "mutant"),
        ("^^^^^^^^KRAS mutation", "p.G12D", "mutant"),
    ],
)
def test_genes_in_words_of_any_language(observation, value, state):
    assert facts(results(f"ST|{observation}||{value}||||||F", order="OBR|1||M1^LAB|N^NGS^L")) == {"ras": state}


def test_the_original_text_of_a_code_is_a_name():
    found = results("CWE|^^^^^^^^HER2 IHC score||^^^^^^^^3+||||||F", order="OBR|1||S1^LAB|^^^^^^^^HER2 IHC")
    assert facts(found) == {"ihc_score": "3"}


def test_the_hospitals_number_names_the_patient_wherever_it_stands():
    for numbers in ("999-99^^^SSA^SS~P1^^^HOSP^MR", "P1^^^HOSP^MR~999-99^^^SSA^SS", '""~P1^^^HOSP^PI~X^^^Q^AN'):
        data = message(OBR, "OBX|1|ST|18474-7^HER2^LN||3+||||||F", TISSUE).replace(b"P1^^^HOSP^MR", numbers.encode())
        assert read_hl7v2(data, "f")[0].patient_id == "P1"
