"""Tables of counted nuclei as laboratories write them, and what is wrong with some of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from her2crc.errors import InputError, UsageError
from her2crc.frontends.ish.table import read_counts
from her2crc.frontends.ish.values import Counting
from her2crc.measure.ish_input import named_columns, read_countings

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str, name: str = "counts.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def counts(counting: Counting) -> list[tuple[int, int | None]]:
    return [(item.her2, item.cep17) for item in counting.nuclei]


@pytest.mark.parametrize(
    "text",
    [
        "HER2,CEP17\n4,2\n6,3\n",
        "nucleus;HER2 signals;CEN17\n1;4;2\n2;6;3\n",
        "Cell No\tERBB2\tChr17\n1\t4\t2\n\t\t\n2\t6\t3\n",
        "FISH worksheet\nReader: 2\n\nnucleus,her2,cep17\n1,4,2\n2,6,3\n",
        "﻿HER2,CEP17\n4.0,2.0\n6.0,3.0\n",
        "nucleus,HER2,CEP17,ratio\n1,4,2,2\n2,6,3,2\nTotal,10,5,\nMean,5,2.5,\nRatio,2.0,,\n",
        "nucleus,HER2,CEP17,comment\n1,4,2,\n2,6,3,ok\n3,,,not scored\n",
    ],
)
def test_the_same_two_nuclei_however_they_are_written(text: str, write: Write) -> None:
    (found,) = read_countings(write(text), {})
    assert counts(found) == [(4, 2), (6, 3)]
    assert not found.issues


def test_own_columns_by_name_and_by_mapping(write: Write, tmp_path: Path) -> None:
    table = write("Kern;Rot;Gruen\n1;4;2\n2;6;3\n")
    with pytest.raises(InputError) as two:
        read_countings(write("Kern;A;B\n1;4;2\n", "b.csv"), {})  # type: ignore[call-arg]
    assert "--columns" in str(two.value)
    mapping = tmp_path / "columns.yaml"
    mapping.write_text("columns: {her2: Rot, cep17: Gruen}\n", encoding="utf-8")
    for columns in ({"her2": "Rot", "cep17": "Gruen"}, named_columns(None, mapping)):
        assert counts(read_countings(table, columns)[0]) == [(4, 2), (6, 3)]
    with pytest.raises(UsageError, match="Blau"):
        read_countings(table, {"her2": "Rot", "cep17": "Blau"})


def test_several_specimens_regions_and_observers(write: Write) -> None:
    text = "patient,specimen,region,observer,HER2,CEP17\nP,A,1,x,4,2\n,,2,y,5,2\nP,B,1,x,2,2\n"
    first, second = read_countings(write(text), {})
    assert (first.specimen_id, second.specimen_id) == ("A", "B")
    assert [(item.region, item.observer) for item in first.nuclei] == [("1", "x"), ("2", "y")]


def test_specimens_without_patients_are_not_made_one_patient(write: Write) -> None:
    found = read_countings(write("sample,HER2,CEP17\nA,4,2\nB,2,2\n"), {})
    assert [item.patient_id for item in found] == ["A", "B"]


def test_totals_are_known_by_the_number_of_nuclei(write: Write) -> None:
    (found,) = read_countings(write("specimen,HER2,CEP17,nuclei\nS,120,40,20\n"), {})
    assert not found.nuclei
    assert [(item.her2, item.cep17, item.nuclei) for item in found.totals] == [(120, 40, 20)]


@pytest.mark.parametrize(
    ("cell", "line"),
    [(">20", 3), ("clumped", 3), ("-1", 3), ("2.5", 3), ("inf", 3), ("1e999", 3)],
)
def test_what_is_no_count_is_refused_with_its_place(cell: str, line: int, write: Write) -> None:
    with pytest.raises(InputError) as refused:
        read_countings(write(f"nucleus,HER2,CEP17\n1,4,2\n2,{cell},2\n"), {})
    assert refused.value.where == f"counts.csv:{line}"
    assert "nucleus 2" in refused.value.what
    assert "her2" in refused.value.what
    assert cell not in str(refused.value)


def test_a_nucleus_with_one_probe_scored_is_named_and_left_out(write: Write) -> None:
    (found,) = read_countings(write("HER2,CEP17\n4,2\n7,\n6,3\n"), {})
    assert found.left_out == ("counts.csv:3",)
    assert counts(found) == [(4, 2), (6, 3)]


def test_a_written_sum_that_is_not_the_sum_is_reported(write: Write) -> None:
    (found,) = read_countings(write("nucleus,HER2,CEP17\n1,4,2\n2,6,3\nSum,11,5\n"), {})
    (issue,) = found.issues
    assert (issue.id, issue.place, issue.field) == ("sum_differs", "counts.csv:4", "her2")


@pytest.mark.parametrize("text", ["", "HER2,CEP17\n", "HER2,CEP17\n,\n"])
def test_an_empty_table_is_refused(text: str, write: Write) -> None:
    with pytest.raises(InputError):
        read_countings(write(text), {})


def test_two_columns_that_could_be_her2_are_not_guessed_between(write: Write) -> None:
    with pytest.raises(InputError, match="both look like HER2"):
        read_countings(write("HER2,ERBB2,CEP17\n4,5,2\n"), {})


def test_a_workbook_with_a_sheet_of_notes(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title, rows in {
        "notes": [["read by"], ["somebody"]],
        "A": [["HER2", "CEP17"], [4, 2], [6, 3]],
        "B": [["HER2", "CEP17"], [2, 2]],
    }.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.remove(book.worksheets[0])
    path = tmp_path / "counts.xlsx"
    stream = io.BytesIO()
    book.save(stream)
    path.write_bytes(stream.getvalue())
    assert [(item.specimen_id, len(item.nuclei)) for item in read_countings(path, {})] == [("A", 2), ("B", 1)]


def test_rows_may_come_from_anywhere() -> None:
    (found,) = read_counts([(1, ["HER2", "CEP17"]), (2, [4, 2])], "screen", {})
    assert counts(found) == [(4, 2)]


def test_a_total_in_the_place_of_a_nucleus_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match="looks like a total"):
        read_countings(write("specimen,HER2,CEP17\nA,120,60\nB,80,41\n"), {})


@pytest.mark.parametrize(
    ("her2", "cep17"),
    [("HER-2", "CEP-17"), ("HER2 (red)", "CEP17 (green)"), ("No. of HER2 signals", "n CEP17"), ("HER2/neu", "CEN 17")],
)
def test_names_of_columns_as_laboratories_write_them(her2: str, cep17: str, write: Write) -> None:
    assert counts(read_countings(write(f"{her2};{cep17}\n4;2\n"), {})[0]) == [(4, 2)]


def test_a_word_in_a_comment_makes_no_summary(write: Write) -> None:
    (found,) = read_countings(write("nucleus,HER2,CEP17,comment\n1,4,2,mean\n2,6,3,total\n"), {})
    assert counts(found) == [(4, 2), (6, 3)]


def test_totals_of_regions_are_not_added_to_their_sum(write: Write) -> None:
    (found,) = read_countings(write("region,HER2,CEP17,nuclei\nA,60,30,15\nB,60,30,15\nTotal,120,60,30\n"), {})
    assert sum(item.her2 for item in found.totals) == 120
    (alone,) = read_countings(write("what,HER2,CEP17,nuclei\nTotal,120,60,30\n"), {})
    assert [item.her2 for item in alone.totals] == [120]


@pytest.mark.parametrize(
    ("her2", "cep17", "case"),
    [
        ("HER2 (rot)", "CEP17 (grün)", "Fall"),
        ("HER2-Signale", "CEP17-Signale", "Probe"),
        ("Nombre de signaux HER2", "Nombre de signaux CEP17", "Échantillon"),
        ("Señales HER2", "Señales CEP17", "Muestra"),
        ("Segnali HER2", "Segnali CEP17", "Campione"),
        ("HER2 sinyali", "CEP17 sinyali", "Numune"),
    ],
)
def test_columns_in_other_languages_and_no_two_cases_in_one(her2: str, cep17: str, case: str, write: Write) -> None:
    found = read_countings(write(f"{case};{her2};{cep17}\nA;4;2\nA;6;3\nB;2;2\nB;3;2\n"), {})
    assert [item.specimen_id for item in found] == ["A", "B"]


def test_a_total_by_the_name_of_its_column_is_no_nucleus(write: Write) -> None:
    """120 copies in one nucleus would be positive under every rule on copies."""
    (found,) = read_countings(write("specimen,HER2 total,CEP17 total\nT1,44,38\n"), {})
    assert not found.nuclei
    assert [(item.her2, item.cep17, item.nuclei) for item in found.totals] == [(44, 38, None)]
    (each,) = read_countings(write("nucleus,HER2 total,CEP17 total\n1,4,2\n2,6,3\n"), {})
    assert counts(each) == [(4, 2), (6, 3)]


def test_one_row_that_names_no_nucleus_is_said_to_be_taken_for_one(write: Write) -> None:
    (found,) = read_countings(write("specimen,HER2,CEP17\nT1,14,12\n"), {})
    assert [issue.id for issue in found.issues] == ["one_row"]
    with pytest.raises(InputError, match="looks like a total"):
        read_countings(write("specimen,HER2,CEP17\nT1,44,38\n"), {})
    (named,) = read_countings(write("nucleus,HER2,CEP17\n1,44,38\n2,6,3\n"), {})
    assert counts(named) == [(44, 38), (6, 3)]


def test_a_sum_without_a_word_is_no_nucleus(write: Write) -> None:
    (found,) = read_countings(write("nucleus,HER2,CEP17\n" + "1,4,2\n" * 6 + ",24,12\n"), {})
    assert counts(found) == [(4, 2)] * 6
    (one,) = read_countings(write("HER2\n" + "4\n" * 6 + "24\n"), {})
    assert counts(one) == [(4, None)] * 6


def test_a_nucleus_named_twice_may_be_of_another_specimen(write: Write) -> None:
    (found,) = read_countings(write("charge,nucleus,HER2,CEP17\nA,1,4,2\nA,2,6,3\nB,1,2,2\nB,2,2,2\n"), {})
    (issue,) = found.issues
    assert (issue.id, "--columns specimen_id" in issue.text) == ("nuclei_repeated", True)
    regions = "region,nucleus,HER2,CEP17\nA,1,4,2\nB,1,2,2\n"
    assert not read_countings(write(regions), {})[0].issues


def test_nuclei_side_by_side_are_refused_with_what_to_do(write: Write) -> None:
    with pytest.raises(InputError, match="transpose"):
        read_countings(write("Nucleus,1,2,3\nHER2,12,3,4\nCEP17,2,2,2\n"), {})


def test_a_named_her2_column_that_is_not_there_is_named_in_the_message(write: Write) -> None:
    with pytest.raises(UsageError, match="Foo"):
        read_countings(write("HER2,CEP17\n4,2\n"), {"her2": "Foo"})


def test_many_nuclei_are_read_in_one_pass(write: Write) -> None:
    """Each row was compared with the sum of all above it: 50,000 nuclei took a minute and a half."""
    (found,) = read_countings(write("HER2,CEP17\n" + "4,2\n" * 20_000), {})
    assert len(found.nuclei) == 20_000


def test_a_sum_that_cannot_be_read_stops_nothing(write: Write) -> None:
    """Workbooks that a program wrote hold the formula and no value."""
    (found,) = read_countings(write("nucleus,HER2,CEP17\n1,4,2\n2,6,3\nSum,=SUM(B2:B3),=SUM(C2:C3)\n"), {})
    assert counts(found) == [(4, 2), (6, 3)]
    assert not found.issues
