"""A small cBioPortal study as files, for the tests of its reader."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from her2crc.model.record import PatientRecord
from her2crc.read import read_bytes, read_file

SAMPLES = """\
#Patient\tSample\tType\tSample type\tSite\tPurity\tClass
#STRING\tSTRING\tSTRING\tSTRING\tSTRING\tNUMBER\tSTRING
PATIENT_ID\tSAMPLE_ID\tCANCER_TYPE\tSAMPLE_TYPE\tMETASTATIC_SITE\tTUMOR_PURITY\tSAMPLE_CLASS
A\tA1\tColorectal Cancer\tPrimary\t\t45\tTumor
A\tA2\tColorectal Cancer\tMetastasis\tLiver\t20\tTumor
B\tB1\tColorectal Cancer\tMetastasis\tSoft tissue\t60\tTumor
C\tC1\tColorectal Cancer\tPrimary\t\tNA\tcfDNA
"""
DISCRETE = "Hugo_Symbol\tEntrez_Gene_Id\tA1\tA2\tB1\tC1\nTP53\t7157\t2\t2\t2\t2\nERBB2\t2064\t2\t0\t1\t2\n"
LOG2 = "Hugo_Symbol\tA1\tA2\tB1\tC1\nERBB2\t3.0\t0.0\t-0.5\t2\n"
MAF_HEAD = "Hugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\tHGVSp_Short\tt_ref_count\tt_alt_count\n"
SEQUENCED = "stable_id: x_sequenced\ncase_list_ids: A1\tA2\tB1\tC1\n"
BASE = {"data_clinical_sample.txt": SAMPLES}

Files = Mapping[str, str | bytes]


def maf(*rows: str) -> dict[str, str]:
    """Rows with commas for tabs."""
    return {"data_mutations.txt": MAF_HEAD + "".join(row.replace(",", "\t") + "\n" for row in rows)}


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def pack(files: Files, top: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(top + name, content)
    return file.getvalue()


def read_study_files(files: Files) -> dict[str, PatientRecord]:
    return {record.patient_id: record for record in read_bytes(pack(files), "study.zip")}


def read_folder(folder: Path) -> dict[str, PatientRecord]:
    return {record.patient_id: record for record in read_file(str(folder))}


def facts(record: PatientRecord, specimen: str) -> dict[str, str]:
    """Every value that is stated of a specimen, as text, whichever row it stands in."""
    rows = [row.values for row in record.rows if row.values.get("specimen_id") == specimen]
    return {name: str(value) for row in rows for name, value in row.items() if value is not None}


def ids(record: PatientRecord) -> list[str]:
    return [issue.id for issue in record.issues]
