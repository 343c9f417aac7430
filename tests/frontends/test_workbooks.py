"""The specimen table from Excel and Parquet files that are really written, and that all kinds of table agree."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from her2crc.errors import InputError, MissingExtraError
from her2crc.model.record import SpecimenRow
from her2crc.read import read_bytes, read_file


def write_excel(path: Path, rows: Sequence[Sequence[object]], title: str = "Cases") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    return book


# ---- Excel


def test_excel_keeps_digits_dates_and_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    header = ["Patient ID", "specimen_id", "collected_on", "ish_ratio", "ihc_score", "metastatic", "ihc_antibody"]
    rows: list[Sequence[object]] = [
        header,
        [101, "A", date(2024, 3, 1), 2.2, 3, True, "4B5"],
        [],
        ["P2", None, datetime(2024, 3, 2, 10, 30), 0.1, 0, False, " "],
    ]
    write_excel(path, rows)
    first, second = read_file(str(path))
    assert (first.patient_id, second.patient_id) == ("101", "P2")
    assert first.rows[0] == SpecimenRow(
        "cases.xlsx:2",
        {
            "specimen_id": "A",
            "collected_on": "2024-03-01",
            "ish_ratio": Decimal("2.2"),
            "ihc_score": 3,
            "metastatic": True,
            "ihc_antibody": "4B5",
        },
    )
    assert first.rows[0].values["metastatic"] is True
    assert second.rows[0].place == "cases.xlsx:4"
    assert second.rows[0].values["collected_on"] == "2024-03-02T10:30:00"
    assert second.rows[0].values["ihc_antibody"] is None


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [
        ("0%", "60.0%"),
        ("0.00%", "60.0%"),
        ('0.0"%"', Decimal("0.6")),
        ("0.0\\%", Decimal("0.6")),
        ("0.0", Decimal("0.6")),
    ],
)
def test_excel_percent_is_what_a_person_sees(tmp_path: Path, number_format: str, expected: object) -> None:
    path = tmp_path / "cases.xlsx"
    book = write_excel(path, [["patient_id", "ihc_percent"], ["P1", 0.6]])
    book.active["B2"].number_format = number_format
    book.save(path)
    assert read_file(str(path))[0].rows[0].values["ihc_percent"] == expected


def test_excel_takes_the_first_sheet_with_patients_and_tells_of_others(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    book = write_excel(path, [["About this file"], ["patient_id"]], "About")
    for title in ("Cases", "Old cases"):
        sheet = book.create_sheet(title)
        sheet.append([])
        sheet.append(["patient_id", "ihc_score"])
        sheet.append([title, 3])
    book.save(path)
    (record,) = read_file(str(path))
    assert (record.patient_id, record.rows[0].place) == ("Cases", "cases.xlsx:3")
    assert [(issue.level, issue.id) for issue in record.issues] == [("warning", "other_sheets")]


def test_excel_without_patients_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    write_excel(path, [["gene", "copies"], ["ERBB2", 9]])
    with pytest.raises(InputError, match="No sheet"):
        read_file(str(path))


def test_excel_with_a_header_only_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    write_excel(path, [["patient_id", "ihc_score"]])
    with pytest.raises(InputError, match="no rows"):
        read_file(str(path))


def test_excel_formula_without_result_is_an_error_and_not_a_blank(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    write_excel(path, [["patient_id", "ish_ratio", "ihc_score"], ["P1", "=6.6/3", 3], ["P2", None, 2]])
    first, second = read_file(str(path))
    assert first.rows[0].values["ish_ratio"] is None
    assert [(issue.level, issue.specimen, issue.field, issue.place) for issue in first.issues] == [
        ("error", "S1", "ish_ratio", "cases.xlsx:2")
    ]
    assert "formula" in first.issues[0].text
    assert second.issues == ()


def test_excel_is_known_by_content_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    book = tmp_path / "book.xlsx"
    write_excel(book, [["patient_id", "ihc_score"], ["P1", 3]])
    path.write_bytes(book.read_bytes())
    assert read_file(str(path))[0].rows[0].values["ihc_score"] == 3


def test_excel_packed_with_gzip(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    write_excel(book, [["patient_id", "ihc_score"], ["P1", 3]])
    assert read_bytes(gzip.compress(book.read_bytes()), "book.xlsx.gz")[0].patient_id == "P1"


# ---- Parquet


def test_parquet_keeps_decimals_floats_nulls_and_dates(tmp_path: Path) -> None:
    path = tmp_path / "cases.parquet"
    table = pyarrow.table(
        {
            "patient_id": pyarrow.array(["P1", "P2", "P1"]),
            "collected_on": pyarrow.array([date(2024, 3, 1), None, None]),
            "ish_ratio": pyarrow.array([Decimal("2.20"), None, None], pyarrow.decimal128(6, 2)),
            "ngs_copies": pyarrow.array([2.2, float("nan"), 0.1 + 0.2]),
            "tumour_purity": pyarrow.array([0.35, None, 1.0], pyarrow.float32()),
            "ihc_score": pyarrow.array([3, None, 0], pyarrow.int8()),
            "metastatic": pyarrow.array([True, None, False]),
            "gene_list": pyarrow.array([["ERBB2"], [], None]),
        }
    )
    pyarrow.parquet.write_table(table, path)
    first, second = read_file(str(path))
    assert [row.place for row in first.rows] == ["cases.parquet:1", "cases.parquet:3"]
    assert first.rows[0].values == {
        "specimen_id": "S1",
        "collected_on": "2024-03-01",
        "ish_ratio": Decimal("2.20"),
        "ngs_copies": Decimal("2.2"),
        "tumour_purity": "0.35",
        "ihc_score": 3,
        "metastatic": True,
    }
    assert str(first.rows[0].values["ish_ratio"]) == "2.20"
    assert first.rows[1].values["ngs_copies"] == Decimal("0.30000000000000004")
    assert set(second.rows[0].values.values()) == {None}
    assert "gene_list" in first.issues[0].text


def test_parquet_column_of_lists_is_an_error_and_unknown(tmp_path: Path) -> None:
    path = tmp_path / "cases.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"patient_id": ["P1"], "ihc_score": [[3, 2]], "ras": ["wt"]}), path)
    (record,) = read_file(str(path))
    assert record.rows[0].values["ihc_score"] is None
    assert [(issue.level, issue.specimen, issue.field) for issue in record.issues] == [("error", "S1", "ihc_score")]


@pytest.mark.parametrize(
    ("columns", "says"), [({"gene": ["ERBB2"]}, "no column patient_id"), ({"patient_id": []}, "no rows")]
)
def test_parquet_that_is_no_specimen_table(tmp_path: Path, columns: dict[str, list[str]], says: str) -> None:
    path = tmp_path / "cases.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    with pytest.raises(InputError, match=says):
        read_file(str(path))


def test_parquet_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cases.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"patient_id": ["P1", "P2"]}), path)
    monkeypatch.setattr("her2crc.read.parquet.MAX_ROWS", 1)
    with pytest.raises(InputError, match="more than 1 rows"):
        read_file(str(path))


# ---- the three kinds of table say the same


def test_the_same_table_reads_the_same_from_each_kind_of_file(tmp_path: Path) -> None:
    header = ["patient_id", "specimen_id", "ihc_score"]
    rows: list[list[str | None]] = [["P1", "A", "3+"], ["P2", "B", None], ["P1", "C", "0"]]
    table = [list[str | None](header), *rows]
    csv_file, excel, parquet = tmp_path / "t.csv", tmp_path / "t.xlsx", tmp_path / "t.parquet"
    csv_file.write_text("\n".join(",".join(cell or "" for cell in row) for row in table))
    write_excel(excel, table)
    records = [dict(zip(header, row, strict=True)) for row in rows]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), parquet)
    seen = [
        [(one.patient_id, [row.values for row in one.rows], one.issues) for one in read_file(str(path))]
        for path in (csv_file, excel, parquet)
    ]
    assert seen[0] == seen[1] == seen[2]
    assert [len(of_patient) for _, of_patient, _ in seen[0]] == [2, 1]


@pytest.mark.parametrize(("library", "name"), [("openpyxl", "t.xlsx"), ("pyarrow", "t.parquet")])
def test_a_missing_library_is_named_with_the_way_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, name: str
) -> None:
    path = tmp_path / name
    if library == "openpyxl":
        write_excel(path, [["patient_id"], ["P1"]])
    else:
        pyarrow.parquet.write_table(pyarrow.table({"patient_id": ["P1"]}), path)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=library) as caught:
        read_file(str(path))
    assert "pip install 'her2crc[tables]'" in str(caught.value)


def test_a_hidden_sheet_is_read_only_where_no_other_has_patients(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    book = write_excel(path, [["patient_id", "ihc_score"], ["old", 0]], "Old")
    book.active.sheet_state = "hidden"
    book.create_sheet("About").append(["About this file"])
    book.save(path)
    assert [record.patient_id for record in read_file(str(path))] == ["old"]
    sheet = book.create_sheet("Cases")
    sheet.append(["HER2 register"])
    sheet.append(["patient_id", "ihc_score"])
    sheet.append(["new", 3])
    book.save(path)
    (record,) = read_file(str(path))
    assert record.patient_id == "new"
    assert {issue.id for issue in record.issues} == {"other_sheets", "rows_above_header"}
