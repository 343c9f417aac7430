"""Folders and archives of several files: one message or table a file, put together by patient, nothing lost unsaid."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from her2crc.errors import InputError
from her2crc.model.record import PatientRecord
from her2crc.read import read_bytes, read_file

MESSAGE = (
    "MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\rPID|1||{patient}^^^HOSP\rOBR|1||S1|18474-7^HER2^LN\r"
    "OBX|1|ST|18474-7^HER2^LN||{score}||||||{status}\rSPM|1|{specimen}||TISS^T^HL70487\r"
)
TABLE = "patient_id,specimen_id,{field}\n{patient},{specimen},{value}\n"


def archive(files: dict[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return packed.getvalue()


def told(records: list[PatientRecord]) -> set[tuple[str, str]]:
    return {(issue.id, issue.place) for record in records for issue in record.issues}


def test_a_later_message_of_the_same_order_corrects_the_first(tmp_path: Path) -> None:
    first = MESSAGE.format(patient=1, score="2+", status="P", specimen="A1")
    second = MESSAGE.format(patient=1, score="3+", status="C", specimen="A1")
    other = MESSAGE.format(patient=2, score="0", status="F", specimen="B1")
    for name, content in (("1.hl7", first), ("2.hl7", other), ("3.hl7", second)):
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    records = read_file(str(tmp_path))
    assert [(record.patient_id, record.rows[0].values["ihc_score"]) for record in records] == [("1", 3), ("2", 0)]
    assert told(records) == {("fhir_replaced", f"{tmp_path.name}/1.hl7:message 1, OBX 1")}


def test_what_is_not_read_is_named_and_the_rest_is_read() -> None:
    data = archive(
        {
            "a.csv": TABLE.format(patient=1, specimen="A", field="ihc_score", value=3),
            "letter.txt": "HER2 was discussed.",
            "noise.bin": bytes(range(256)),
            "reads.vcf": "##fileformat=VCFv4.2\n",
            "inner.zip": archive({"b.csv": "patient_id,ihc_score\n2,3\n"}),
        }
    )
    (record,) = records = read_bytes(data, "x.zip")
    assert record.rows[0].values["ihc_score"] == "3"
    assert told(records) == {
        ("file_left_out", "x.zip/letter.txt"),
        ("file_left_out", "x.zip/noise.bin"),
        ("file_left_out", "x.zip/inner.zip"),
        ("file_not_read", "x.zip/reads.vcf"),
    }


def test_tables_of_the_same_specimen_are_put_together() -> None:
    ihc = TABLE.format(patient=1, specimen="A", field="ihc_score", value=2)
    ish = TABLE.format(patient=1, specimen="A", field="ish_ratio", value=2.4)
    (record,) = read_bytes(archive({"ihc.csv": ihc, "ish.csv": ish}), "x.zip")
    assert [row.values["specimen_id"] for row in record.rows] == ["A", "A"]
    assert not record.issues


@pytest.mark.parametrize("second", ["patient_id,ish_ratio\n1,1.1\n", '[{"patient_id": "1", "ish_ratio": 1.1}]'])
def test_specimens_that_only_happen_to_have_one_name_stand_apart(second: str) -> None:
    (record,) = read_bytes(archive({"a.csv": "patient_id,ihc_score\n1,2\n", "b.csv": second}), "x.zip")
    assert [row.values["specimen_id"] for row in record.rows] == ["S1", "S1 (x.zip/b.csv)"]
    assert [issue.id for issue in record.issues] == ["specimen_in_files"]


def test_reports_as_prose_are_read_where_all_files_are_such() -> None:
    data = archive({"P1.txt": "HER2 immunohistochemistry: score 3+.", "P2.txt": "HER2 IHC: 0."})
    assert [record.patient_id for record in read_bytes(data, "x.zip")] == ["P1", "P2"]


def test_nothing_that_can_be_read_is_an_error() -> None:
    data = archive({"a.bin": bytes(range(256)), "b.vcf": "##fileformat=VCFv4.2\n"})
    with pytest.raises(InputError, match="none of its files could be read"):
        read_bytes(data, "x.zip")


STUDY = {
    "meta_study.txt": "cancer_study_identifier: x\n",
    "data_clinical_sample.txt": "SAMPLE_ID\tPATIENT_ID\tCANCER_TYPE\nS1\tP1\tColorectal Cancer\n",
}
COPIES = b"Hugo_Symbol\tS1\nERBB2\t2\n"


def test_a_packed_file_of_a_study_is_read_by_its_own_name(tmp_path: Path) -> None:
    files = STUDY | {"data_cna.txt.gz": gzip.compress(COPIES)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for records in (read_bytes(archive(files), "x.zip"), read_file(str(tmp_path))):
        assert records[0].rows[-1].values["ngs_call"] == "amplified"
    (tmp_path / "data_cna.txt").write_bytes(COPIES.replace(b"\t2", b"\t0"))
    assert read_file(str(tmp_path))[0].rows[-1].values["ngs_call"] == "not_amplified"


def test_a_packed_file_that_is_damaged_or_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="damaged or cut short"):
        read_bytes(archive(STUDY | {"data_cna.txt.gz": gzip.compress(COPIES)[:-6]}), "x.zip")
    monkeypatch.setattr("her2crc.read.source.MAX_UNPACKED", 1000)
    with pytest.raises(InputError, match="unpacks to more than"):
        read_bytes(archive(STUDY | {"data_cna.txt.gz": gzip.compress(COPIES * 1000)}), "x.zip")


def test_a_directory_of_entries_that_lies_is_no_crash() -> None:
    data = bytearray(archive({"a.csv": "patient_id,ihc_score\n1,3\n"}))
    shifted = int.from_bytes(data[-6:-2], "little") + 1  # where the end says that the directory of entries stands
    data[-6:-2] = shifted.to_bytes(4, "little")
    with pytest.raises(InputError, match="damaged"):
        read_bytes(bytes(data), "x.zip")
    unnamed = archive({"Q": "x", "b.csv": "patient_id,ihc_score\n1,3\n"}).replace(b"Q", b"\0")
    assert [record.patient_id for record in read_bytes(unnamed, "x.zip")] == ["1"]
