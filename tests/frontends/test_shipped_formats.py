"""The files of other formats that ship: licensed, unchanged, readable, and apart from the example patients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import her2crc
from her2crc.flow import load_knowledge, read_patients
from her2crc.read import sniff

EXAMPLES = Path(her2crc.__file__).parent / "examples"
FORMATS = EXAMPLES / "formats"
FOLDERS = sorted(path for path in FORMATS.iterdir() if path.is_dir())
GOLDEN = Path(__file__).parents[1] / "golden" / "fhir"
PAPERS = {"LICENSE", "LICENSE.txt", "README.md", "LICENSES.md"}
WHOLE_FOLDERS = {"summit", "mcode_tables"}
KINDS = {
    "dnpm/mv64e-mtb-fake-patient.json": "dnpm_json",
    "foundation/foundation_sample.xml": "foundation_xml",
    "hl7v2/composed_oru.hl7": "hl7v2",
    "mcode/composed_mcrc_mcode_bundle.json": "fhir_json",
    "own_columns/export.csv": "csv",
}
SHARED = {
    "dnpm/mv64e-mtb-fake-patient.json": "dnpm_mtb/mv64e-mtb-fake-patient.json",
    "foundation/foundation_sample.xml": "foundation_sample.xml",
}


def data_files() -> list[Path]:
    return [path for path in sorted(FORMATS.rglob("*")) if path.is_file() and path.name not in PAPERS]


@pytest.mark.parametrize("folder", [path.name for path in FOLDERS])
def test_every_folder_says_where_it_is_from_and_under_which_licence(folder: str) -> None:
    page = (FORMATS / "LICENSES.md").read_text(encoding="utf-8")
    [row] = [line for line in page.splitlines() if line.startswith("| `") and f"`{folder}/`" in line]
    assert "| MIT" in row or "CC0" in row or "Apache" in row
    if "| MIT" in row:
        assert "Permission is hereby granted" in (FORMATS / folder / "LICENSE.txt").read_text(encoding="utf-8")
    notice = Path(__file__).parents[2] / "NOTICE"
    assert f"{folder}/" in notice.read_text(encoding="utf-8")


def test_the_example_patients_stay_apart() -> None:
    assert all(path.name.startswith("EX-") for path in EXAMPLES.glob("*.json"))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_files_are_of_their_format_and_read(name: str) -> None:
    path = FORMATS / name
    assert sniff(path.read_bytes(), path.name) == KINDS[name]
    if name != "own_columns/export.csv":  # its columns are a laboratory's own
        assert read_patients(path, load_knowledge())


@pytest.mark.parametrize("name", sorted(WHOLE_FOLDERS))
def test_folders_read_as_one(name: str) -> None:
    patients = read_patients(FORMATS / name, load_knowledge())
    assert len(patients) > 1
    assert all(patient.specimens for patient in patients)


def test_the_mapping_reads_the_laboratory_export() -> None:
    folder = FORMATS / "own_columns"
    patients = read_patients(folder / "export.csv", load_knowledge(), mapping=folder / "mapping.yaml")
    assert [item.specimens[0].ihc.ihc_score for item in patients] == [3, 2, 1]
    assert [item.specimens[0].tumour for item in patients] == ["colorectal"] * 3


@pytest.mark.parametrize("path", [path for path in data_files() if (GOLDEN / path.name).exists()], ids=lambda p: p.name)
def test_copies_of_the_golden_files_are_the_same_bytes(path: Path) -> None:
    assert path.read_bytes() == (GOLDEN / path.name).read_bytes()


@pytest.mark.parametrize("name", sorted(SHARED))
def test_originals_are_unchanged(name: str, shared: Path) -> None:
    assert (FORMATS / name).read_bytes() == (shared / "data" / "formats" / SHARED[name]).read_bytes()


def test_a_stain_that_is_present_is_no_score() -> None:
    path = FORMATS / "genomics_reporting" / "Observation-HER2byImmuneStainExample.json"
    assert json.loads(path.read_bytes())["valueCodeableConcept"]["coding"][0]["display"] == "Present"
    [patient] = read_patients(path, load_knowledge())
    assert [item.unsettled for item in patient.specimens] == [("ihc_score",)]
