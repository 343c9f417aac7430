"""``screen`` on what people hand over: frames as notebooks make them, folders with more than one thing, odd exports."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import her2crc
from her2crc.criteria.library import Knowledge

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
import pyarrow.parquet as pq  # noqa: E402 - after the check that it is there

CELLS = {"patient_id": ["P2", "P1", "P2"], "specimen_id": ["B", "A", "C"], "ihc_score": [3, 1, 2]}


def scores(specimens: Any) -> dict[tuple[str, str], int | None]:
    rows = specimens.to_pylist() if isinstance(specimens, pa.Table) else pl.DataFrame(specimens).to_dicts()
    return {(row["patient_id"], row["specimen_id"]): row["ihc_score"] for row in rows}


RIGHT = {("P2", "B"): 3, ("P1", "A"): 1, ("P2", "C"): 2}


# ---- tables in memory


def test_a_table_in_memory_is_summed_up_like_a_file(tmp_path: Path, knowledge: Knowledge) -> None:
    table = pa.table({**CELLS, "patient_id": ["P2", None, "P2"], "ihc_percnt": [90, 10, 20]})
    pq.write_table(table, tmp_path / "given.parquet")
    of_file = her2crc.screen(tmp_path / "given.parquet", tmp_path / "out", knowledge=knowledge, engine="kernel")
    of_table = her2crc.screen(table, knowledge=knowledge, engine="kernel").summary
    assert of_table.keys() == of_file.keys()
    timed = {"inputs", "seconds", "patients_per_second"}
    assert {name: of_table[name] for name in of_file.keys() - timed} == {
        name: of_file[name] for name in of_file.keys() - timed
    }
    assert of_table["rejected_rows"] == 1
    assert "did you mean ihc_percent?" in of_table["notes"][0]


def test_a_column_that_pandas_made_its_index_is_read(knowledge: Knowledge) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(CELLS)
    for index in ("patient_id", ["patient_id", "specimen_id"]):
        assert scores(her2crc.screen(frame.set_index(index), knowledge=knowledge, engine="kernel").specimens) == RIGHT
    kept = frame.set_index("patient_id", drop=False)  # as a column too
    assert scores(her2crc.screen(kept, knowledge=knowledge, engine="kernel").specimens) == RIGHT


@pytest.mark.parametrize(
    "types",
    [
        {"ihc_score": pa.decimal32(3, 1)},
        {"ihc_score": pa.decimal64(3, 1)},
        {"specimen_id": pa.string_view(), "patient_id": pa.string_view()},
        {"ihc_score": pa.run_end_encoded(pa.int32(), pa.int8())},
    ],
    ids=str,
)
def test_columns_of_types_that_arrow_hardly_computes_with(
    types: dict[str, Any], tmp_path: Path, knowledge: Knowledge
) -> None:
    plain = pa.table(CELLS)
    made = {}
    for name in plain.column_names:
        column = plain[name].combine_chunks()
        wanted = types.get(name, column.type)
        if pa.types.is_run_end_encoded(wanted):
            made[name] = pa.compute.run_end_encode(column.cast(wanted.value_type))
        elif pa.types.is_decimal(wanted):
            made[name] = pa.array([Decimal(value) for value in column.to_pylist()], wanted)
        else:
            made[name] = column.cast(wanted)
    table = pa.table(made)
    assert scores(her2crc.screen(table, knowledge=knowledge, engine="kernel").specimens) == RIGHT
    if any(map(pa.types.is_run_end_encoded, types.values())):
        return  # Parquet has no such column
    ordered = pa.concat_tables([table.slice(1, 1), table.slice(0, 1), table.slice(2, 1)])
    for name, given in (("as_given", ordered), ("unordered", table)):
        pq.write_table(given, tmp_path / f"{name}.parquet")
        her2crc.screen(tmp_path / f"{name}.parquet", tmp_path / name, knowledge=knowledge, engine="kernel")
        assert scores(pq.read_table(tmp_path / name / "specimens")) == RIGHT


def test_identifiers_in_single_precision_are_those_that_were_written(tmp_path: Path, knowledge: Knowledge) -> None:
    ids = pa.array([1.1, 2.0, 1.1], pa.float32())
    table = pa.table({"patient_id": ids, "specimen_id": pa.array([7.3, 8, 9], pa.float32()), "ihc_score": [3, 1, 2]})
    right = {("1.1", "7.3"): 3, ("2", "8"): 1, ("1.1", "9"): 2}
    assert scores(her2crc.screen(table, knowledge=knowledge, engine="kernel").specimens) == right
    pq.write_table(table.set_column(0, "patient_id", pa.array(["1", "1", "1"])), tmp_path / "given.parquet")
    her2crc.screen(tmp_path / "given.parquet", tmp_path / "out", knowledge=knowledge, engine="kernel")
    assert {name for _, name in scores(pq.read_table(tmp_path / "out" / "specimens"))} == {"7.3", "8", "9"}


def test_identifiers_of_a_database_are_read_as_text(tmp_path: Path, knowledge: Knowledge) -> None:
    duckdb = pytest.importorskip("duckdb")
    one, two = "00000000-0000-0000-0000-00000000000b", "00000000-0000-0000-0000-00000000000a"
    with duckdb.connect() as connection:
        rows = f"SELECT * FROM (VALUES ('{one}'::UUID, 3), ('{two}'::UUID, 1)) AS t(patient_id, ihc_score)"
        connection.execute(f"COPY ({rows}) TO '{tmp_path / 'given.parquet'}'")
    table = pq.read_table(tmp_path / "given.parquet")
    assert isinstance(table["patient_id"].type, pa.UuidType)
    right = {(one, "S1"): 3, (two, "S1"): 1}
    assert scores(her2crc.screen(table, knowledge=knowledge, engine="kernel").specimens) == right
    her2crc.screen(tmp_path / "given.parquet", tmp_path / "out", knowledge=knowledge, engine="kernel")
    assert scores(pq.read_table(tmp_path / "out" / "specimens")) == right
    singles = her2crc.read_patients(str(tmp_path / "given.parquet"), knowledge)
    assert [single.patient_id for single in singles] == [one, two]


def test_a_patient_id_that_can_be_none_is_not_called_blank(knowledge: Knowledge) -> None:
    table = pa.table({"patient_id": [["P1"], ["P2"]], "ihc_score": [3, 1]})
    rejects = her2crc.screen(table, knowledge=knowledge, engine="kernel").rejects.to_pylist()
    assert [line["id"] for line in rejects] == ["no_patient_id"] * 2
    assert all("can be no identifier" in line["reason"] for line in rejects)


def test_whole_numbers_of_128_bits_in_polars(knowledge: Knowledge) -> None:
    frame = pl.DataFrame(CELLS).with_columns(pl.col("ihc_score").cast(pl.Int128), other=pl.lit(1).cast(pl.Int128))
    assert scores(her2crc.screen(frame, knowledge=knowledge, engine="kernel").specimens) == RIGHT


def test_one_column_is_no_table(knowledge: Knowledge) -> None:
    pandas = pytest.importorskip("pandas")
    for column in (pandas.Series([1]), pl.Series([1])):
        with pytest.raises(her2crc.errors.UsageError, match="no polars, pandas or Arrow table"):
            her2crc.screen(column, knowledge=knowledge, engine="kernel")


# ---- folders


def test_what_a_folder_holds_beside_its_tables_is_said(tmp_path: Path, knowledge: Knowledge) -> None:
    given = tmp_path / "registry"
    (given / "2026").mkdir(parents=True)
    pq.write_table(pa.table(CELLS), given / "2026" / "one.parquet")
    (given / "more.csv").write_text("patient_id,ihc_score\nP9,3\n", encoding="utf-8")
    (given / "._one.parquet").write_bytes(b"what a Mac leaves behind")
    summary = her2crc.screen(given, given / "out", knowledge=knowledge, engine="kernel")
    assert summary["patients"] == 2
    assert summary["notes"] == ["Not read, of the folder registry: more.csv."]
    again = her2crc.screen(
        given, tmp_path / "second", knowledge=knowledge, engine="kernel"
    )  # what the first wrote is no input
    assert (again["rows"], again["notes"]) == (summary["rows"], summary["notes"])
    with pytest.raises(her2crc.errors.UsageError, match="is what `her2crc screen` wrote"):
        her2crc.screen(given / "out", tmp_path / "third", knowledge=knowledge, engine="kernel")


def test_a_folder_of_studies_is_every_study(tmp_path: Path, knowledge: Knowledge) -> None:
    head = "#a\tb\tc\n#a\tb\tc\n#STRING\tSTRING\tSTRING\n#1\t1\t1\n"
    for name in ("one", "two"):
        study = tmp_path / "studies" / name
        study.mkdir(parents=True)
        (study / "meta_study.txt").write_text(f"cancer_study_identifier: {name}\ntype_of_cancer: coadread\n")
        rows = f"PATIENT_ID\tSAMPLE_ID\tCANCER_TYPE\n{name}\t{name}-S\tColorectal Cancer\n"
        (study / "data_clinical_sample.txt").write_text(head + rows)
    summary = her2crc.screen(tmp_path / "studies", tmp_path / "out", knowledge=knowledge, engine="kernel")
    assert (summary["patients"], summary["specimens"]) == (2, 2)


# ---- FHIR


def _line(**resource: Any) -> bytes:
    return json.dumps(resource).encode() + b"\n"


def _staining(patient: str, score: str, code: str = "18474-7") -> bytes:
    coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
    subject, value = {"reference": f"Patient/{patient}"}, {"text": score}
    head = {"resourceType": "Observation", "id": f"o{patient}", "status": "final"}
    return _line(**head, code=coded, subject=subject, valueCodeableConcept=value)


def test_an_export_in_a_folder_of_a_day_with_files_packed_under_other_names(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    day = tmp_path / "export" / "2026-11-23"
    day.mkdir(parents=True)
    patients = b"".join(_line(resourceType="Patient", id=name) for name in ("p1", "p2"))
    (day / "Patient.ndjson").write_bytes(gzip.compress(b"\xef\xbb\xbf" + patients))  # packed, with a mark of UTF-8
    (day / "Observation.ndjson.gz").write_bytes(_staining("p1", "3+") + _staining("p2", "1+"))  # not packed
    summary = her2crc.screen(tmp_path / "export", tmp_path / "out", knowledge=knowledge, engine="kernel")
    assert (summary["patients"], summary["rejects"]) == (2, 0)
    found = pq.read_table(tmp_path / "out" / "specimens").to_pylist()
    assert {row["patient_id"]: row["ihc_score"] for row in found} == {"p1": 3, "p2": 1}


def test_a_warning_is_said_whichever_patient_it_is_about(tmp_path: Path, knowledge: Knowledge) -> None:
    patients = b"".join(_line(resourceType="Patient", id=name) for name in ("p1", "p2"))
    results = _staining("p1", "3+") + _staining("p2", "1+", code="85319-2")  # a code meant for breast cancer
    (tmp_path / "all.ndjson").write_bytes(patients + results)
    summary = her2crc.screen(tmp_path / "all.ndjson", tmp_path / "out", knowledge=knowledge, engine="kernel")
    assert any("meant for breast cancer" in note for note in summary["notes"])


# ---- rows


def test_a_row_that_is_lost_for_two_reasons_is_one_row(tmp_path: Path, knowledge: Knowledge) -> None:
    text = "patient_id,ihc_score\nP1,3\n,3,4,5\n,2\nP2,1,7\n"
    (tmp_path / "given.csv").write_text(text, encoding="utf-8")
    summary = her2crc.screen(tmp_path / "given.csv", tmp_path / "out", knowledge=knowledge, engine="kernel")
    assert (summary["rejects"], summary["rejected_rows"]) == (4, 3)


def test_a_row_of_totals_is_no_patient(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "given.csv").write_text("patient_id,ihc_score\nP1,3\nTotal,3\nP2,1\nSUMME,4\n", encoding="utf-8")
    summary = her2crc.screen(tmp_path / "given.csv", tmp_path / "out", knowledge=knowledge, engine="kernel")
    assert (summary["patients"], summary["rejects"], summary["rejected_rows"]) == (2, 2, 2)


# ---- synthetic patients


def test_made_up_patients_are_known_by_their_ids_where_nothing_else_says_so(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    her2crc.generate(20, tmp_path / "made", knowledge, seed=1)
    table = pq.read_table(tmp_path / "made" / "specimens.parquet").replace_schema_metadata(None)
    pl.from_arrow(table).write_csv(tmp_path / "renamed.csv")
    pq.write_table(table, tmp_path / "renamed.parquet")
    for name in ("renamed.csv", "renamed.parquet"):
        summary = her2crc.screen(tmp_path / name, tmp_path / f"of_{name}", knowledge=knowledge, engine="kernel")
        assert summary["synthetic"] is True
    assert her2crc.screen(table, knowledge=knowledge, engine="kernel").summary["synthetic"] is True
    real = pa.concat_tables([table, pa.table({"patient_id": ["P1"]})], promote_options="default")
    assert her2crc.screen(real, knowledge=knowledge, engine="kernel").summary["synthetic"] is False
