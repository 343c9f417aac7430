"""cBioPortal study folders: two real studies, each file of a small one, and what must never be made of a gap."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_builder import (
    BASE,
    DISCRETE,
    LOG2,
    SAMPLES,
    SEQUENCED,
    facts,
    ids,
    maf,
    pack,
    read_folder,
    read_study_files,
    write,
)

from her2crc.criteria.library import Knowledge
from her2crc.errors import Her2crcError, InputError, MissingInputError
from her2crc.flow import assess, normalise_record, read_patients
from her2crc.model.record import PatientRecord
from her2crc.read import read_bytes, read_file

GOLDEN = Path(__file__).parents[1] / "golden" / "cbioportal"
SUMMIT = Path(__file__).parents[2] / "src" / "her2crc" / "examples" / "formats" / "summit"


# ---- real studies


def origimed(shared: Path) -> Path:
    folder = shared / "data" / "cohort_origimed"
    if not folder.is_dir():
        pytest.skip("the OrigiMed study is not beside the repository")
    return folder


def test_origimed_has_its_published_numbers(shared: Path, knowledge: Knowledge) -> None:
    patients = read_patients(origimed(shared), knowledge)
    assert len(patients) == 1225
    assert {specimen.tumour for patient in patients for specimen in patient.specimens} == {"colorectal"}
    amplified = [patient for patient in patients if patient.specimens[0].tissue.ngs_call == "amplified"]
    assert len(amplified) == 27
    at_stage_iv = [patient for patient in patients if patient.history.stage == 4]
    assert (len(at_stage_iv), sum(patient in amplified for patient in at_stage_iv)) == (439, 14)
    metastases = [patient for patient in patients if patient.specimens[0].site == "other"]
    assert (len(metastases), sum(patient in amplified for patient in metastases)) == (160, 8)
    assert sum(patient.specimens[0].tissue.tumour_purity <= Decimal("0.2") for patient in amplified) == 5
    assert {patient.specimens[0].tissue.ngs_call for patient in patients} == {"amplified", None}, "no gap is a negative"
    assert {patient.genes.ras for patient in patients} == {None}


def test_origimed_fold_changes_are_powers_of_two_of_the_file(shared: Path, knowledge: Knowledge) -> None:
    subset = (origimed(shared) / "crc_erbb2_subset.tsv").read_text().splitlines()
    columns = subset[0].split("\t")
    written = {
        row.split("\t")[columns.index("PATIENT_ID")]: row.split("\t")[columns.index("log2_ERBB2")] for row in subset[1:]
    }
    for patient in read_patients(origimed(shared), knowledge):
        fold, log2 = patient.specimens[0].tissue.ngs_fold, written[patient.patient_id]
        if log2 in ("", "0.0"):
            assert fold is None
        else:
            assert float(fold) == pytest.approx(2 ** float(log2), abs=0.00005)


def test_origimed_can_be_assessed(shared: Path, knowledge: Knowledge) -> None:
    patients = read_patients(origimed(shared), knowledge)
    called = next(patient for patient in patients if patient.specimens[0].tissue.ngs_call == "amplified")
    silent = next(patient for patient in patients if patient.specimens[0].tissue.ngs_call is None)
    assert assess(called, knowledge).agreement.positive
    answer = assess(silent, knowledge).agreement
    assert not answer.positive and not answer.negative


def test_summit_is_as_a_person_read_it() -> None:
    records = read_file(str(SUMMIT))
    shown = {
        record.patient_id: {
            "specimens": {
                str(row.values["specimen_id"]): facts(record, str(row.values["specimen_id"])) for row in record.rows
            },
            "issues": Counter(ids(record)),
        }
        for record in records
    }
    assert shown == json.loads((GOLDEN / "summit.json").read_text(encoding="utf-8"))


def test_summit_traps(knowledge: Knowledge) -> None:
    patients = {patient.patient_id: patient for patient in read_patients(SUMMIT, knowledge)}
    assert len(patients) == 23
    amplified = {
        specimen.specimen_id
        for patient in patients.values()
        for specimen in patient.specimens
        if specimen.tissue.ngs_call == "amplified"
    }
    assert amplified == {"P2_A", "P15_A"}
    in_plasma = [item for patient in patients.values() for item in patient.specimens if item.site == "plasma"]
    assert len(in_plasma) == 21, "the samples of class cfDNA"
    assert {item.plasma.plasma_max_vaf for item in in_plasma} == {None}, "the read counts look exchanged"
    assert {item.tumour for patient in patients.values() for item in patient.specimens} == {"biliary"}


# ---- samples


def test_samples_of_one_patient() -> None:
    records = read_study_files(BASE)
    assert list(records) == ["A", "B", "C"]
    assert facts(records["A"], "A1") == {
        "specimen_id": "A1", "tumour": "colorectal", "site": "primary", "tumour_purity": "45%"
    }  # fmt: skip
    assert facts(records["A"], "A2")["site"] == "liver"
    assert facts(records["B"], "B1")["site"] == "other"
    assert facts(records["C"], "C1")["site"] == "plasma"
    assert "tumour_purity" not in facts(records["C"], "C1")


def test_the_header_lines_with_hash_may_be_absent() -> None:
    bare = "".join(line for line in SAMPLES.splitlines(keepends=True) if not line.startswith("#"))
    assert [r.patient_id for r in read_study_files({"data_clinical_sample.txt": bare}).values()] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("purities", "expected"),
    [
        (("45", "20", "60"), ["45%", "20%", "60%"]),
        (("0.45", "0.2", "1"), ["0.45", "0.2", "1"]),
        (("45", "0.5", "60"), ["45%", None, "60%"]),
        (("45%", "20", ""), ["45%", "20%", None]),
        (("450", "20", "60"), [None, None, None]),
        (("-1", "20", "60"), [None, None, None]),
        (("NA", "[Not Available]", "1"), [None, None, "1"]),
    ],
)
def test_the_unit_of_purity_is_that_of_its_column(purities: tuple[str, ...], expected: list[str | None]) -> None:
    text = SAMPLES
    for before, after in zip(("\t45\t", "\t20\t", "\t60\t"), purities, strict=True):
        text = text.replace(before, f"\t{after}\t")
    records = read_study_files({"data_clinical_sample.txt": text})
    found = [facts(records[name[0]], name).get("tumour_purity") for name in ("A1", "A2", "B1")]
    assert found == expected


@pytest.mark.parametrize(
    ("word", "tumour"),
    [
        ("Colorectal Cancer", "colorectal"),
        ("Colon Adenocarcinoma", "colorectal"),
        ("COADREAD", "colorectal"),
        ("Non-Small Cell Lung Cancer", "lung"),
        ("Small Cell Lung Cancer", "other"),
        ("Small Bowel Carcinoma", "other"),
        ("Cancer of Unknown Primary", "other"),
        ("Colorectal Neuroendocrine Carcinoma", None),
        ("NA", None),
    ],
)
def test_kinds_of_tumour(word: str, tumour: str | None) -> None:
    text = SAMPLES.replace("Colorectal Cancer", word)
    assert facts(read_study_files({"data_clinical_sample.txt": text})["A"], "A1").get("tumour") == tumour


def test_only_patients_with_a_colorectal_sample_are_read_and_it_is_said() -> None:
    text = SAMPLES.replace("B1\tColorectal Cancer", "B1\tBreast Cancer").replace("A2\tColorectal", "A2\tOvarian")
    records = read_study_files({"data_clinical_sample.txt": text, "data_cna.txt": DISCRETE})
    assert list(records) == ["A", "C"]
    assert facts(records["A"], "A2")["tumour"] == "other"
    assert next(issue.text for issue in records["A"].issues if issue.id == "cbio_other_tumours").startswith(
        "Patients without a colorectal sample were left out: 1."
    )
    assert "cbio_no_patient" not in ids(records["A"])


def test_a_sample_of_two_patients_is_used_for_neither() -> None:
    text = SAMPLES.replace("B\tB1", "B\tA1")
    records = read_study_files({"data_clinical_sample.txt": text, "data_cna.txt": DISCRETE})
    assert facts(records["A"], "A1") == {}
    assert "cbio_two_patients" in ids(records["A"])


def test_side_stage_and_microsatellites_from_the_patient_file() -> None:
    patients = (
        "PATIENT_ID\tSTAGE\tPRIMARY_SITE\tMSI_STATUS\nA\tIVA\tSigmoid Colon\tMSS\nB\tIII\tTransverse colon\tMSI-H\n"
    )
    records = read_study_files(BASE | {"data_clinical_patient.txt": patients})
    said = [row.values for row in records["A"].rows if "specimen_id" not in row.values]
    assert said == [{"stage": "IVA", "side": "left", "msi": "stable"}]
    assert {"side": "right", "stage": "III", "msi": "high"} in [row.values for row in records["B"].rows]
    assert "cbio_side_by_convention" in ids(records["B"])


# ---- copy numbers


def test_discrete_calls() -> None:
    records = read_study_files(BASE | {"data_cna.txt": DISCRETE})
    assert facts(records["A"], "A1")["ngs_call"] == "amplified"
    assert facts(records["A"], "A2")["ngs_call"] == "not_amplified"
    assert "ngs_call" not in facts(records["B"], "B1"), "a gain is no call"
    assert "cbio_gain" in ids(records["B"])
    assert "ngs_call" not in facts(records["C"], "C1"), "a call in plasma is not one of tissue"
    assert "cbio_plasma_copies" in ids(records["C"])
    assert next(row.place for row in records["A"].rows if "ngs_call" in row.values) == "data_cna.txt:3"


def test_a_sample_without_a_column_or_value_is_unknown() -> None:
    records = read_study_files(BASE | {"data_cna.txt": "Hugo_Symbol\tA1\tA2\nERBB2\t\tNA\n"})
    assert all("ngs_call" not in row.values for record in records.values() for row in record.rows)


@pytest.mark.parametrize("call", ["3", "high", "2.5"])
def test_an_unknown_call_is_an_error(call: str) -> None:
    record = read_study_files(BASE | {"data_cna.txt": f"Hugo_Symbol\tA1\nERBB2\t{call}\n"})["A"]
    assert [(issue.id, issue.specimen) for issue in record.issues if issue.level == "error"] == [("cbio_call", "A1")]


@pytest.mark.parametrize(
    "table",
    [
        "Hugo_Symbol\tEntrez_Gene_Id\tSample_Id\tValue\nERBB2\t2064\tA1\t2\nMET\t1\tA1\t0\n",
        "Samples\tGene\tGene panel\tCNA\nA1\tERBB2\tIMPACT410\tAMP\n",
        "Entrez_Gene_Id\tA1\n2064\t2\n",
        "Hugo_Symbol\tEntrez_Gene_Id\tCytoband\tA1\nerbb2\t2064\t17q12\t2\r\n",
    ],
    ids=["long", "long by words", "by number", "wide with more columns"],
)
def test_wide_and_long_tables_say_the_same(table: str) -> None:
    record = read_study_files(BASE | {"data_CNA.txt": table})["A"]
    assert facts(record, "A1")["ngs_call"] == "amplified"


def test_log2_values_are_fold_changes_and_no_call() -> None:
    records = read_study_files(BASE | {"data_log2_cna.txt": LOG2})
    assert facts(records["A"], "A1")["ngs_fold"] == "8.0000"
    assert "ngs_fold" not in facts(records["A"], "A2"), "0 means that no event was called"
    assert facts(records["B"], "B1")["ngs_fold"] == "0.7071"
    assert all("ngs_call" not in row.values for record in records.values() for row in record.rows)
    assert ids(records["A"]).count("cbio_log2") == 1


@pytest.mark.parametrize("value", ["inf", "1e400", "99999999", "x", "1,2,3"])
def test_an_impossible_log2_value_is_an_error_not_a_crash(value: str, knowledge: Knowledge) -> None:
    record = read_study_files(BASE | {"data_log2_cna.txt": f"Hugo_Symbol\tA1\nERBB2\t{value}\n"})["A"]
    specimen = next(item for item in normalise_record(record, knowledge).specimens if item.specimen_id == "A1")
    assert specimen.tissue.ngs_fold is None
    assert "ngs_fold" in specimen.unsettled


def test_what_a_study_is_known_to_say_decides_and_is_shown() -> None:
    meta = {"meta_study.txt": "cancer_study_identifier: pan_origimed_2020\n"}
    records = read_study_files(BASE | meta | {"data_cna.txt": DISCRETE, "data_log2_cna.txt": LOG2})
    assert facts(records["A"], "A1")["ngs_call"] == "amplified"
    assert "ngs_call" not in facts(records["A"], "A2"), "in this study 0 is no call"
    assert "cbio_study_says" in ids(records["A"])


def test_two_rows_of_the_gene_that_differ_are_a_conflict(knowledge: Knowledge) -> None:
    record = read_study_files(BASE | {"data_cna.txt": "Hugo_Symbol\tA1\nERBB2\t2\nERBB2\t0\n"})["A"]
    patient = normalise_record(record, knowledge)
    assert patient.specimens[0].tissue.ngs_call is None
    assert "contradicting_values" in [issue.id for issue in patient.issues]


def test_a_meta_file_names_the_data_file() -> None:
    meta = "genetic_alteration_type: COPY_NUMBER_ALTERATION\ndatatype: LOG2-VALUE\ndata_filename: odd name.txt\n"
    records = read_study_files(BASE | {"meta_x.txt": meta, "odd name.txt": LOG2})
    assert facts(records["A"], "A1")["ngs_fold"] == "8.0000"


# ---- mutations


def test_markers_and_their_wild_types() -> None:
    rows = maf(
        "KRAS,A1,Missense_Mutation,p.G12D,50,50",
        "NRAS,B1,Missense_Mutation,p.Q61K,80,20",
        "BRAF,A1,Missense_Mutation,p.V600E,80,20",
        "PIK3CA,A2,Missense_Mutation,p.H1047R,80,20",
        "ERBB2,A2,Missense_Mutation,p.V842I,80,20",
        "ERBB2,A1,Missense_Mutation,p.S310F,80,20",
    )
    without = read_study_files(BASE | rows)
    assert facts(without["A"], "A1")["ras"] == facts(without["B"], "B1")["ras"] == "mutant"
    assert "ras" not in facts(without["A"], "A2"), "nothing says that A2 was looked at"
    assert facts(without["A"], "A1")["erbb2_mutation"] == facts(without["A"], "A2")["erbb2_mutation"] == "S310F; V842I"
    listed = read_study_files(BASE | rows | {"case_lists/cases_sequenced.txt": SEQUENCED})
    assert facts(listed["A"], "A2")["ras"] == "wild_type"
    assert facts(listed["B"], "B1")["braf_v600e"] == "wild_type"
    assert "ras" not in facts(listed["C"], "C1"), "nothing seen in plasma makes no wild type"


def test_a_sequenced_sample_is_not_wild_type_for_a_gene_that_nobody_has_a_mutation_in() -> None:
    rows = maf("KRAS,A1,Missense_Mutation,p.G12D,50,50")
    records = read_study_files(BASE | rows | {"case_lists/cases_sequenced.txt": SEQUENCED})
    assert "ras" not in facts(records["A"], "A2"), "NRAS may not be on the panel"


@pytest.mark.parametrize(
    ("panel", "genes", "ras"),
    [
        ("P1", "KRAS\tNRAS", "wild_type"),
        ("P1", "KRAS\tBRAF", None),
        ("P2", "KRAS\tNRAS", None),
        ("WES", "", "wild_type"),
        ("NA", "KRAS\tNRAS", None),
    ],
)
def test_the_panel_of_a_sample_decides_what_was_looked_at(panel: str, genes: str, ras: str | None) -> None:
    files = {
        "data_gene_panel_matrix.txt": f"SAMPLE_ID\tmutations\tcna\nA2\t{panel}\tNA\n",
        "data_gene_panel_p1.txt": f"stable_id: P1\ndescription: x\ngene_list:\t{genes}\n",
        "case_lists/cases_sequenced.txt": SEQUENCED,
    }
    record = read_study_files(BASE | maf("TP53,A1,Missense_Mutation,p.R175H,5,5") | files)["A"]
    assert facts(record, "A2").get("ras") == ras


@pytest.mark.parametrize(
    ("row", "ras"),
    [
        ("KRAS,A1,Missense_Mutation,p.G12D,50,50", "mutant"),
        ("KRAS,A1,Missense_Mutation,p.A146T,50,50", "mutant"),
        ("KRAS,A1,Missense_Mutation,p.L19F,50,50", None),
        ("KRAS,A1,Silent,p.G12=,50,50", "wild_type"),
        ("KRAS,A1,Intron,,50,50", "wild_type"),
        ("KRAS,A1,,p.G13D,50,50", "mutant"),
        ("KRAS,A1,SNP,p.G13D,50,50", "mutant"),
        ("KRAS,A1,Missense_Mutation,,50,50", None),
    ],
)
def test_which_changes_make_ras_mutant(row: str, ras: str | None) -> None:
    files = {"case_lists/cases_sequenced.txt": SEQUENCED}
    rows = maf(row, "NRAS,B1,Silent,p.T1=,5,5", "KRAS,B1,Silent,p.T1=,5,5")
    record = read_study_files(BASE | rows | files)["A"]
    assert facts(record, "A1").get("ras") == ras


def test_a_germline_variant_is_not_one_of_the_tumour() -> None:
    rows = maf("KRAS,A1,Missense_Mutation,p.G12D,50,50")
    table = (
        rows["data_mutations.txt"]
        .replace("t_alt_count\n", "t_alt_count\tMutation_Status\n")
        .replace("50\t50\n", "50\t50\tGERMLINE\n")
    )
    assert "ras" not in facts(read_study_files(BASE | {"data_mutations.txt": table})["A"], "A1")


def test_the_fraction_in_plasma_never_comes_from_erbb2() -> None:
    others = ("TP53,C1,Missense_Mutation,p.R175H,75,25", "KRAS,C1,Missense_Mutation,p.G12D,90,10")
    her2 = "ERBB2,C1,Missense_Mutation,p.S310F,55,45"
    record = read_study_files(BASE | maf(her2, *others))["C"]
    assert (facts(record, "C1")["plasma_max_vaf"], facts(record, "C1")["plasma_max_vaf_gene"]) == ("0.2500", "TP53")
    alone = read_study_files(BASE | maf(her2))["C"]
    assert "plasma_max_vaf" not in facts(alone, "C1")
    assert "cbio_only_erbb2" in ids(alone)


def test_exchanged_read_counts_are_seen_and_no_fraction_is_read(knowledge: Knowledge) -> None:
    rows = maf("TP53,C1,Missense_Mutation,p.R175H,25,75", "KRAS,A1,Missense_Mutation,p.G12D,10,90")
    record = read_study_files(BASE | rows)["C"]
    assert "cbio_counts_swapped" in ids(record)
    plasma = normalise_record(record, knowledge).specimens[0]
    assert plasma.plasma.plasma_max_vaf is None
    assert "plasma_max_vaf" in plasma.unsettled


# ---- the folder and the archive


def test_folder_and_archive_read_the_same(tmp_path: Path) -> None:
    files = BASE | {"data_cna.txt": DISCRETE, "data_log2_cna.txt": LOG2} | maf("KRAS,A1,Missense_Mutation,p.G12D,5,5")
    folder = read_folder(write(tmp_path / "study", files))
    rows = {name: record.rows for name, record in folder.items()}
    assert {r.patient_id: r.rows for r in read_bytes(pack(files), "s.zip")} == rows
    assert {r.patient_id: r.rows for r in read_bytes(pack(files, "my_study/"), "s.zip")} == rows


def test_what_is_absent_is_said_once() -> None:
    records = read_study_files(BASE)
    said = [issue.text for record in records.values() for issue in record.issues if issue.id == "cbio_absent"]
    assert len(said) == 1
    assert "discrete copy numbers" in said[0] and "mutations" in said[0]


def test_an_archive_of_one_file_is_that_file() -> None:
    assert read_bytes(pack({"in/cases.csv": "patient_id,ihc_score\nP1,3+\n"}), "a.zip")[0].patient_id == "P1"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pack({}), "holds no files"),
        (pack({"inner.zip": pack({"a.csv": "patient_id\nP1\n"})}), "inside an archive"),
        (pack({"../a.csv": "patient_id\nP1\n"}), "holds no files"),
        (pack({"/etc/a.csv": "patient_id\nP1\n"}), "holds no files"),
        (pack({"C:\\a.csv": "patient_id\nP1\n"}), "holds no files"),
        (pack({"a.csv": "0" * 3_000_000}), "times its size"),
        (pack(BASE)[:-30], "damaged"),
        (pack({"data_clinical_sample.txt": "PATIENT_ID\tSAMPLE_ID\n"}), "names nobody"),
        (pack({"data_clinical_sample.txt": "WHO\n1\n"}), "names nobody"),
        (pack({"meta_study.txt": "name: x\n"}), "no clinical file"),
    ],
)
def test_archives_that_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_bytes(data, "a.zip")
    assert caught.value.fix


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("her2crc.read.source.MAX_UNPACKED", 100)
    with pytest.raises(InputError, match="unpacks to more than"):
        read_bytes(pack(BASE), "a.zip")


def test_a_damaged_member_is_an_input_error() -> None:
    data = bytearray(pack(BASE))
    data[60:90] = b"\xff" * 30
    with pytest.raises(InputError, match=r"cannot be read|damaged"):
        read_bytes(bytes(data), "a.zip")


def test_a_folder_of_anything_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "x", {"a.txt": "1", "b.txt": "2"})
    with pytest.raises(InputError, match="neither"):
        read_file(str(tmp_path / "x"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInputError, match="empty"):
        read_file(str(tmp_path / "empty"))


# ---- what holds for every study

WHOLE = (
    BASE
    | {"data_cna.txt": DISCRETE, "data_log2_cna.txt": LOG2, "case_lists/cases_sequenced.txt": SEQUENCED}
    | maf(
        "KRAS,A1,Missense_Mutation,p.G12D,60,40", "NRAS,B1,Silent,p.T1=,5,5", "TP53,C1,Missense_Mutation,p.R175H,75,25"
    )
)


def stated(records: list[PatientRecord]) -> set[tuple[str, str, str, str]]:
    """Every fact of every patient: what a smaller study may not add to."""
    return {
        (record.patient_id, str(row.values.get("specimen_id")), name, str(value))
        for record in records
        for row in record.rows
        for name, value in row.values.items()
        if value is not None
    }


def without_column(table: str, number: int) -> str:
    lines = [line.split("\t") for line in table.splitlines()]
    return "".join("\t".join(cells[:number] + cells[number + 1 :]) + "\n" for cells in lines)


READ_ONLY_TOGETHER = {
    "Hugo_Symbol",
    "Variant_Classification",
    "CANCER_TYPE",
    "SAMPLE_TYPE",
    "SAMPLE_CLASS",
    "METASTATIC_SITE",
}
"""Columns that qualify others: without them a value can be read otherwise, for instance plasma as tissue."""
COLUMNS = [
    (name, number)
    for name, table in WHOLE.items()
    for number, column in enumerate(table.splitlines()[2 if name == "data_clinical_sample.txt" else 0].split("\t"))
    if name != "case_lists/cases_sequenced.txt" and column not in READ_ONLY_TOGETHER
]


@pytest.mark.parametrize(("name", "number"), COLUMNS)
def test_a_column_that_is_left_out_never_adds_a_fact(name: str, number: int) -> None:
    whole = stated(read_bytes(pack(WHOLE), "s.zip"))
    try:
        less = read_bytes(pack(WHOLE | {name: without_column(WHOLE[name], number)}), "s.zip")
    except InputError:
        return  # the clinical file needs its identifiers
    assert stated(less) <= whole


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "data_clinical_sample.txt"])
def test_a_file_that_is_left_out_never_adds_a_fact(name: str) -> None:
    whole = stated(read_bytes(pack(WHOLE), "s.zip"))
    assert stated(read_bytes(pack({key: item for key, item in WHOLE.items() if key != name}), "s.zip")) < whole


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.binary(max_size=60), st.data())
def test_mutated_files_give_records_or_our_error(name: str, noise: bytes, data: st.DataObject) -> None:
    content = WHOLE[name].encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    try:
        records = read_bytes(pack(WHOLE | {name: content[:start] + noise + content[end:]}), "s.zip")
    except Her2crcError:
        return
    assert all(isinstance(record, PatientRecord) for record in records)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_after_the_mark_of_an_archive(noise: bytes) -> None:
    with pytest.raises(Her2crcError):
        read_bytes(b"PK\x03\x04" + noise, "s.zip")
