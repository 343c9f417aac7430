"""What a file is, by its content; what is refused by name; and that any bytes end in records or one of our errors."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from her2crc.errors import Her2crcError, InputError, MissingInputError, UsageError
from her2crc.read import read_bytes, read_file, sniff

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "formats"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the development data beside the repository are absent")
CSV = b"patient_id,ihc_score\nP1,3\n"


def excel() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["patient_id", "ihc_score"])
    book.active.append(["P1", 3])
    book.save(file)
    return file.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"patient_id": ["P1"], "ihc_score": [3]}), file)
    return file.getvalue()


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize("name", ["cases.dat", "cases.csv", "cases.json", "cases.xlsx"])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (CSV, "csv"),
        (b"SPECIMEN ID;IHC score\nA;3\n", "csv"),
        (CSV.decode().encode("utf-16"), "csv"),
        (excel(), "xlsx"),
        (parquet(), "parquet"),
        (gzip.compress(CSV), "gzip"),
        (archive("cases.csv"), "zip"),
        (b' {"patient_id": "P1"}', "patient_json"),
        (b'[{"patient_id": "P1", "specimens": []}, {"patient_id": "P2"}]', "patient_json"),
        (b'[{"patient_id": "P1", "ihc_score": 3}]', "json_rows"),
        (b'{"patient_id": "P1"}\n{"patient_id": "P2"}\n', "json_lines"),
        (b'oops\n{"patient_id": "P2"}\n', "json_lines"),
        (
            b'{"patient_id": "P1", "specimens": [\n {"ihc_score": 3},\n {"ihc_score": 2},\n {"ihc_score": 1}\n',
            "patient_json",
        ),
        (b'{"resourceType": "Bundle", "entry": []}', "fhir_json"),
        (b'[{"resourceType": "Patient"}, {"resourceType": "Observation"}]', "fhir_json"),
        (b'{"patient_id": "P1", "criteria": {}, "patient": {"patient_id": "P1"}}', "assessment_json"),
        (b"MSH|^~\\&|LAB|HOSP\rPID|1\r", "hl7v2"),
        (b"\x0bMSH|^~\\&|LAB|HOSP\rPID|1\r\x1c\r", "hl7v2"),
        (b"MSH$*~!&$LAB$HOSP\rPID$1\r", "hl7v2"),
        (b"FHS|^~\\&|\rBHS|^~\\&|\r", "hl7v2"),
        (b'<?xml version="1.0"?><!-- x --><rr:ResultsReport xmlns:rr="r"/>', "foundation_xml"),
        (b'<variant-report xmlns="v"><samples/></variant-report>', "foundation_xml"),
        (b"<report><testDetails/><patientInformation/></report>", "caris_xml"),
        (b'{"patient": {"id": "P1"}, "episodesOfCare": []}', "dnpm_json"),
        (b'[{"patient": {"id": "P1"}, "ngsReports": []}]', "dnpm_json"),
        (b"%PDF-1.7\n", "report_pdf"),
        (b"\n{\\rtf1 HER2}", "report_rtf"),
        (archive("word/document.xml"), "report_docx"),
        (b"<!DOCTYPE html>\n<html><body>HER2 3+</body></html>", "report_html"),
        (b"<?xml version='1.0'?><!-- x --><HTML>HER2 3+", "report_html"),
        (b"<p>HER2 3+</p>", "report_html"),
        (b'{"id": "R1", "text": "HER2 3+"}', "report_json"),
        (b'[{"id": 1, "text": "HER2 3+"}]', "report_json"),
        (b'{"id": "R1", "text": "HER2 3+", "patient_id": "P1"}\n{"id": "R2", "text": "x"}\n', "report_json"),
        (b'oops\n{"id": "R1", "text": "HER2 3+"}\n', "report_json"),
        (b'{"patient_id": "P1", "text": "x", "specimens": []}', "patient_json"),
    ],
)
def test_the_content_decides_whatever_the_name(data: bytes, kind: str, name: str) -> None:
    assert sniff(data, name) == kind


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"gene,copies\nERBB2,9\n", "cases.csv", "csv"),
        (b"gene,copies\nERBB2,9\n", "cases.csv.gz", "csv"),
        (b"gene,copies\nERBB2,9\n", "cases.txt", "unknown"),
        (b'{"patient_id": \n', "cases.jsonl", "json_lines"),
        (b'{"patient_id": \n', "cases.json", "patient_json"),
        (b"HER2 3+ in 60 % of tumour cells\n", "report.txt", "report_text"),
        (b"HER2 3+ in 60 % of tumour cells\n", "report.txt.gz", "report_text"),
        (b"HER2 3+ in 60 % of tumour cells\n", "standard input", "report_text"),
        (b"HER2 3+ in 60 % of tumour cells\n", "cases.dat", "unknown"),
        (b"Adenocarcinoma, colon.\nMargins, free.\n", "report.txt", "report_text"),
        (b"Adenocarcinoma of the colon.\n", "standard input", "unknown"),
        (b"Marker\tResult\nHER2\t3+\n", "report.txt", "report_text"),
        (b"gene\tcopies\tcall\nERBB2\t9\tamp\n", "report.txt", "unknown"),
        ("HER2 3+".encode("utf-16-le"), "report.txt", "report_text"),
        (b'{"id": "R1", \n', "reports.jsonl", "json_lines"),
        (b"\x00\x01\x02\x03", "cases.csv", "unknown"),
    ],
)
def test_the_name_only_breaks_ties(data: bytes, name: str, kind: str) -> None:
    assert sniff(data, name) == kind


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b'<?xml version="1.0"?><Report/>', "XML"),
        ("\ufeff<ClinicalDocument/>".encode(), "XML"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (b"##fileformat=VCFv4.3\n", "VCF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"II*\x00\x08\x00", "TIFF"),
        (archive("ppt/presentation.xml"), "PowerPoint"),
        (archive("mimetype", "content.xml"), "OpenDocument"),
        (archive("xl/workbook.bin"), ".xlsb"),
        (excel()[:900], "damaged or cut short"),
    ],
)
def test_what_is_not_read_is_named_and_what_is_read_is_listed(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        sniff(data, "file")
    assert caught.value.where == "file"
    if "damaged" not in says:
        assert "Parquet" in caught.value.fix
        assert "FHIR" in caught.value.fix


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x00\x01\x02\x03", "not recognised"),
        (b"60 % of tumour cells\n", "not recognised"),
        (gzip.compress(b""), "empty"),
        (gzip.compress(CSV)[:-9], "gzip file is damaged or cut short"),
        (b"\x1f\x8b\x08", "gzip file is damaged or cut short"),
        (b"\x1f\x8b" + b"x" * 40, "gzip file is damaged or cut short"),
        (gzip.compress(gzip.compress(CSV)), "not recognised"),
        (gzip.compress(b"%PDF-1.7"), "PDF"),
        (parquet()[:-6], "Parquet file is damaged"),
        (b"PAR1", "Parquet file is damaged"),
        (archive("xl/workbook.xml"), "Excel workbook is damaged"),
    ],
)
def test_what_cannot_be_read_is_a_clear_error(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_bytes(data, "file")


@pytest.mark.parametrize("packed", [gzip.compress(CSV), excel()])
def test_a_file_that_unpacks_to_too_much_is_refused(packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_bytes(packed, "file")[0].patient_id == "P1"
    monkeypatch.setattr("her2crc.read.source.MAX_UNPACKED", len(CSV) - 1)
    with pytest.raises(InputError, match="unpacks to more than"):
        read_bytes(packed, "file")


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path, Path("a\0b")):
        with pytest.raises(MissingInputError) as caught:
            read_file(str(path))
        assert caught.value.where == str(path)


def test_the_dash_needs_standard_input() -> None:
    with pytest.raises(UsageError, match="standard input"):
        read_file("-", stdin=None)


# ---- real files of other systems


@needs_shared
@pytest.mark.parametrize("name", ["genomics_reporting_json", "mcode"])
def test_real_fhir_is_recognised(name: str) -> None:
    files = sorted((SHARED / name).glob("*.json"))
    assert files
    assert {sniff(path.read_bytes(), "file") for path in files} == {"fhir_json"}


@needs_shared
@pytest.mark.parametrize(
    ("file", "kind"),
    [("foundation_sample.xml", "foundation_xml"), ("dnpm_mtb/mv64e-mtb-fake-patient.json", "dnpm_json")],
)
def test_real_files_of_other_systems_are_recognised(file: str, kind: str) -> None:
    assert sniff((SHARED / file).read_bytes(), "file") == kind


@needs_shared
def test_real_fhir_is_handed_to_its_reader() -> None:
    pytest.importorskip("her2crc.read.fhir", reason="the FHIR reader is not there yet")
    records = read_file(str(SHARED / "mcode" / "composed_mcrc_mcode_bundle.json"))
    assert records
    assert all(record.rows for record in records)


@needs_shared
@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("summit/README.md", "not recognised"),
        ("summit/data_mutations_extended.txt", "not recognised"),
    ],
)
def test_real_files_of_other_systems_are_refused_clearly(file: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_file(str(SHARED / file))


# ---- any bytes


STARTS = [
    b"",
    CSV,
    b"patient_id;ihc_score\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'{"patient_id": "P1", "specimens": [',
    b'[{"patient_id": ',
    b'{"patient_id": "P1"}\n',
    b"PAR1",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
]
JSON_NAMES = st.sampled_from(
    ["patient_id", "specimen_id", "specimens", "ihc_score", "IHC score", "ihc", "genes", "ras", "issues", "patient"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JSON_NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)


def only_records_or_our_error(data: bytes, name: str) -> None:
    try:
        records = read_bytes(data, name)
    except Her2crcError as error:
        assert error.where.startswith(name)
        return
    assert records
    assert all(record.patient_id for record in records)


@given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(["file", "a.csv", "a.jsonl"]))
@example(b"", b"\xff\xfe\x00\x00", "file")
def test_any_bytes_give_records_or_one_of_our_errors(start: bytes, rest: bytes, name: str) -> None:
    only_records_or_our_error(start + rest, name)
    only_records_or_our_error(gzip.compress(start + rest), name)


@given(st.text('patient_id,;"\n\r\t3+.|\0é\u2028', max_size=200))
def test_any_table_gives_records_or_one_of_our_errors(text: str) -> None:
    only_records_or_our_error(text.encode(), "a.csv")
    only_records_or_our_error(("patient_id,ihc_score,ras\nP1,3,wt\n" + text).encode(), "a.csv")


@given(JSON)
def test_any_json_gives_records_or_one_of_our_errors(document: object) -> None:
    only_records_or_our_error(json.dumps(document).encode(), "file")
    only_records_or_our_error(json.dumps([{"patient_id": "P1", "specimens": [document]}, document]).encode(), "file")


@pytest.mark.parametrize("whole_file", [excel(), parquet()], ids=["excel", "parquet"])
@given(st.data())
def test_any_damage_to_a_binary_file_gives_records_or_one_of_our_errors(whole_file: bytes, data: st.DataObject) -> None:
    whole = bytearray(whole_file)
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    only_records_or_our_error(bytes(whole), "file")
