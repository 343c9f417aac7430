"""FoundationOne and Caris-like XML: a real and composed reports, fact by fact, and XML that must not be trusted."""

import re
import time
from xml.etree import ElementTree

import pytest
from format_golden import SECRETS, SHARED, content, damaged, expected, files, issues_of, known, said, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from her2crc.errors import InputError
from her2crc.read import read_bytes
from her2crc.read.caris import read_caris
from her2crc.read.foundation import read_foundation
from her2crc.read.xml_safe import MAX_DEPTH, read_xml

REAL = SHARED / "foundation_sample.xml"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="the real FoundationOne report may not ship with the code")
CASES = [(kind, name) for kind in ("foundation", "caris") for name in files(kind)]
ONE = content("foundation", "one_report.xml").decode()
CARIS = content("caris", "composed_report.xml").decode()


def facts(records):
    return {name: value for _, _, name, value in known(records) if name != "specimen_id"}


def foundation(old="", new="", count=1):
    assert old in ONE
    return read_foundation(ONE.replace(old, new, count).encode(), "f")


def caris(old="", new="", count=1):
    assert old in CARIS
    return read_caris(CARIS.replace(old, new, count).encode(), "f")


# ---- whole files


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_golden_files(kind, name):
    assert shown(read_bytes(content(kind, name), name)) == expected(kind)[name]


@needs_real
def test_the_real_report():
    found = read_bytes(REAL.read_bytes(), REAL.name)
    assert facts(found) == {
        "tumour": "other",
        "ngs_assay": "HemeComplete",
        "tumour_purity": "60%",
        "msi": "stable",
        "braf_v600e": "mutant",
    }
    assert {issue.id for issue in found[0].issues} == {"foundation_qualified", "foundation_purity"}
    assert not any(secret in said(REAL.read_bytes()) for secret in ("Patient, Test", "osteosarcoma", "Smith"))


@needs_real
def test_the_real_report_read_as_if_its_amplified_gene_were_erbb2():
    data = REAL.read_bytes().replace(b'gene="CDK4"', b'gene="ERBB2"', 1)
    read = facts(read_foundation(data, "f"))
    assert (read["ngs_copies"], read["ngs_call"]) == ("44", "amplified")
    assert not {"ish_ratio", "ngs_fold"} & set(read)
    equivocal = REAL.read_bytes().replace(b'gene="CCND3" number', b'gene="ERBB2" number', 1)
    assert facts(read_foundation(equivocal, "f"))["ngs_call"] == "equivocal"


# ---- FoundationOne


def test_the_coverage_ratio_is_neither_a_slide_ratio_nor_a_fold():
    found = foundation()
    assert "11.63" not in facts(found).values()
    assert issues_of(found, "foundation_coverage_ratio")


def test_a_gene_that_is_not_listed_is_unknown():
    found = foundation("<PertinentNegative><Gene>NRAS</Gene></PertinentNegative>")
    assert "ras" not in facts(found)
    assert issues_of(found, "fhir_genes_missing")
    assert "braf_v600e" not in facts(foundation())  # only a variant of unknown significance is listed


@pytest.mark.parametrize(("status", "wild"), [("Pass", True), ("Qualified", False), ("Fail", False), ("", False)])
def test_negatives_count_only_where_quality_control_passed(status, wild):
    found = foundation('quality-control status="Pass"', f'quality-control status="{status}"')
    assert (facts(found).get("ras") == "wild_type") is wild
    assert ("ngs_copies" in facts(found)) is (status in ("Pass", "Qualified"))


@pytest.mark.parametrize(
    ("status", "equivocal", "counts"),
    [("known", "false", True), ("likely", "false", True), ("unknown", "false", False), ("known", "true", False)],
)
def test_which_short_variants_count(status, equivocal, counts):
    old = re.search(r'<short-variant[^>]*"PIK3CA"[^>]*>', ONE).group()
    new = old.replace('status="known"', f'status="{status}"').replace('"false"', f'"{equivocal}"')
    found = foundation(old, new)
    assert (facts(found).get("pik3ca") == "mutant") is counts
    assert counts or issues_of(found, "foundation_significance")


@pytest.mark.parametrize(
    ("disease", "tumour"),
    [("COLON", "colorectal"), ("RECTUM", "colorectal"), ("LUNG", "lung"), ("BREAST", "breast"), ("BONE", "other"),
     ("STOMACH", "gastric"), ("UNKNOWN PRIMARY", None), ("", None)],
)  # fmt: skip
def test_the_disease_is_the_tumour(disease, tumour):
    old = 'disease="COLON" disease-ontology="Colon adenocarcinoma (CRC)"'
    assert facts(foundation(old, f'disease="{disease}"')).get("tumour") == tumour


def test_plasma_keeps_its_copies_in_their_own_field():
    found = foundation('test-type="FoundationOne CDx"', 'test-type="FoundationOne Liquid CDx"')
    read = facts(found)
    assert (read["plasma_copies"], read["plasma_assay"], read["site"]) == ("44", "FoundationOne Liquid CDx", "plasma")
    assert not {"ngs_copies", "ngs_call", "tumour_purity", "ras"} & set(read)


def test_without_structured_results_the_file_is_refused():
    with pytest.raises(InputError, match="no results"):
        read_bytes(b"<ResultsReport><ReportPDF>JVBER</ReportPDF></ResultsReport>", "f")


# ---- Caris-like


def test_every_reading_says_that_the_dialect_is_unverified():
    assert issues_of(caris(), "caris_unverified")[0].level == "warning"


def test_names_of_elements_are_known_in_any_case_and_namespace():
    other = re.sub(r"(</?)([a-z]\w+)", lambda m: f"{m[1]}c:{m[2].upper()}", CARIS)
    other = other.replace("<c:LABREPORT>", '<c:LABREPORT xmlns:c="urn:c">')
    assert known(read_caris(other.encode(), "f")) == known(caris())


@pytest.mark.parametrize(("intensity", "score"), [("3+", "3"), ("2", "2"), ("0", "0"), ("Strong", None), ("", None)])
def test_intensity_is_the_score_only_where_it_is_one(intensity, score):
    found = caris("<intensity>3+<", f"<intensity>{intensity}<")
    assert facts(found).get("ihc_score") == score
    assert facts(found)["ihc_percent"] == "80"


@pytest.mark.parametrize(
    ("result", "kind", "call"),
    [("Amplified", "Amplified", "amplified"), ("Amplification Not Detected", "Not Amplified", "not_amplified"),
     ("Amplified", "Not Amplified", None), ("Intermediate", "Intermediate", None), ("Equivocal", "", "equivocal")],
)  # fmt: skip
def test_calls_of_copy_number(result, kind, call):
    old = "<result>Amplified</result><copyNumberType>Amplified</copyNumberType>"
    found = caris(old, f"<result>{result}</result><copyNumberType>{kind}</copyNumberType>")
    assert facts(found).get("ngs_call") == call
    assert facts(found)["ngs_copies"] == "22.4"


def test_a_test_on_a_slide_is_never_a_copy_number_of_sequencing():
    read = facts(caris("<copyNumberRatio>5.5</copyNumberRatio>", "<copyNumber>12.1</copyNumber>"))
    assert "ish_ratio" not in read
    assert read["ngs_copies"] == "22.4"


@pytest.mark.parametrize("other", ["CD274", "EGFR", "ERBB3"])
def test_another_gene_beside_the_name_of_her2_is_not_read(other):
    assert "ihc_score" not in facts(caris("<gene>ERBB2</gene><isExpressed>", f"<gene>{other}</gene><isExpressed>"))


@pytest.mark.parametrize("result", ["Indeterminate", "Variant Not Detected", "Presumed Benign", ""])
def test_results_that_are_neither_mutated_nor_wild_type(result):
    found = caris("<result>Wild Type</result>", f"<result>{result}</result>")
    assert "ras" not in facts(found)


def test_germline_variants_are_not_of_the_tumour():
    found = caris("<genomicSource>Somatic<", "<genomicSource>Germline<")
    assert "braf_v600e" not in facts(found)
    assert issues_of(found, "fhir_germline")


def test_without_a_code_the_words_say_which_tumour_it_is():
    read = facts(caris("<icd_code>C18.7, C78.7</icd_code>"))
    assert read["tumour"] == "colorectal"
    assert "metastatic" not in read
    unknown = caris("<icd_code>C18.7, C78.7</icd_code>", "<icd_code>153.3</icd_code>")
    assert facts(unknown)["tumour"] == "colorectal"


# ---- XML that must not be trusted

BOMB = "<!DOCTYPE r [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip


@pytest.mark.parametrize(
    "start",
    [
        BOMB,
        "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE r SYSTEM 'http://localhost:1/x.dtd'>",
        "<!DOCTYPE r>",
    ],
)
def test_document_types_and_entities_are_refused_at_once(start):
    started = time.monotonic()
    with pytest.raises(InputError, match="DOCTYPE"):
        read_bytes((start + "<ResultsReport><MRN>&i;&x;</MRN><variant-report/></ResultsReport>").encode(), "f")
    assert time.monotonic() - started < 1


def test_a_fault_is_named_with_its_line():
    with pytest.raises(InputError) as caught:
        read_bytes(b"<ResultsReport>\n<variant-report>\n</ResultsReport>", "f.xml")
    assert caught.value.where.startswith("f.xml:3, column")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_the_declared_encoding_counts(encoding):
    body = ONE.partition("?>")[2].replace("M1", "Mü")
    data = f'<?xml version="1.0" encoding="{encoding}"?>{body}'.encode(encoding)
    assert read_bytes(data, "f")[0].patient_id == "Mü"


@pytest.mark.parametrize("encoding", ["utf-7", "x-unknown", "utf-32"])
def test_an_encoding_that_is_not_known_is_an_error(encoding):
    with pytest.raises(InputError):
        read_bytes(f'<?xml version="1.0" encoding="{encoding}"?><ResultsReport/>'.encode(), "f")


def test_depth_and_size_are_limited(monkeypatch):
    deep = b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1)
    with pytest.raises(InputError, match="deeply"):
        read_xml(deep, "f")
    assert read_xml(deep[3:-4], "f") is not None
    monkeypatch.setattr("her2crc.read.xml_safe.MAX_ELEMENTS", 10)
    with pytest.raises(InputError, match="too many"):
        read_xml(b"<a>" + b"<b/>" * 10 + b"</a>", "f")
    monkeypatch.setattr("her2crc.read.xml_safe.MAX_BYTES", 10)
    with pytest.raises(InputError, match="larger"):
        read_xml(b"<a>12345</a>", "f")


@pytest.mark.parametrize("kind", ["foundation", "caris"])
def test_a_date_before_birth_is_not_used(kind):
    born = "<DOB>2027-01-01</DOB>" if kind == "foundation" else "<dob>2027-01-01</dob>"
    found = (
        foundation("<FullName>", born + "<FullName>")
        if kind == "foundation"
        else caris("<lastName>", born + "<lastName>")
    )
    assert "collected_on" not in facts(found)
    assert issues_of(found, "fhir_before_birth")


# ---- any file


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_dropping_a_result_never_adds_a_value(kind, name):
    before = known(read_bytes(content(kind, name), "f"))
    results = {"short-variant", "copy-number-alteration", "microsatellite-instability", "PertinentNegative"}
    results |= {"expressionAlteration", "copyNumberAlteration", "genomicAlteration", "microsatelliteInstability"}
    count = 0
    while True:
        root = ElementTree.fromstring(content(kind, name))
        pairs = [(p, c) for p in root.iter() for c in p if c.tag.rpartition("}")[2] in results]
        if count == len(pairs):
            break
        parent, child = pairs[count]
        parent.remove(child)
        assert known(read_bytes(ElementTree.tostring(root), "f")) <= before
        count += 1
    assert count


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CASES), st.integers(0, 2**32))
def test_no_damaged_file_crashes_or_repeats_a_name(case, seed):
    told = said(damaged(content(*case), seed))
    assert not any(secret in told for secret in SECRETS)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(st.sampled_from(CASES), st.integers(0, 2**32))
def test_no_damaged_file_crashes_in_a_long_campaign(case, seed):
    said(damaged(content(*case), seed))


# ---- what is missing is said, and a call in plasma is no call in tissue


def test_a_change_of_copies_without_its_number_is_said():
    found = foundation('copy-number="44" ', "")
    assert "ngs_copies" not in facts(found)
    assert facts(found)["ngs_call"] == "amplified"
    assert issues_of(found, "foundation_no_copies")
    assert not issues_of(found, "fhir_variant_status_unknown")


def test_a_stain_without_its_intensity_is_said():
    found = caris("<intensity>3+</intensity>", "")
    assert "ihc_score" not in facts(found)
    assert issues_of(found, "caris_intensity")


def test_a_call_in_plasma_is_no_call_in_tissue():
    found = caris("Tissue Biopsy Paraffin Blocks", "Plasma")
    assert "ngs_call" not in facts(found)
    assert facts(found)["plasma_copies"] == "22.4"
    assert issues_of(found, "caris_plasma_call")
