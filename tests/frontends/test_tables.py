"""The specimen table from CSV in its dialects: columns, rows, blanks, and what is said of a faulty table."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2crc.errors import InputError
from her2crc.model.record import PatientRecord, SpecimenRow
from her2crc.read import read_bytes, read_file

CASES = "patient_id,specimen_id,site,ihc_score,ihc_percent,ras\nP1,A,liver,3+,60.10,wt\nP2,B,,2,55,mutant\n"
EXPECTED = [
    PatientRecord(
        "P1",
        (
            SpecimenRow(
                "cases.csv:2",
                {"specimen_id": "A", "site": "liver", "ihc_score": "3+", "ihc_percent": "60.10", "ras": "wt"},
            ),
        ),
    ),
    PatientRecord(
        "P2",
        (
            SpecimenRow(
                "cases.csv:3",
                {"specimen_id": "B", "site": None, "ihc_score": "2", "ihc_percent": "55", "ras": "mutant"},
            ),
        ),
    ),
]


def read(text: str, name: str = "cases.csv") -> list[PatientRecord]:
    return read_bytes(text.encode(), name)


def values(text: str) -> list[dict[str, object]]:
    return [dict(row.values) for record in read(text) for row in record.rows]


# ---- CSV and its dialects


@pytest.mark.parametrize(
    "content",
    [
        CASES.encode(),
        CASES.replace(",", "\t").encode(),
        CASES.replace(",", ";").encode(),
        CASES.replace(",", "|").encode(),
        CASES.replace("\n", "\r\n").encode(),
        CASES.encode("utf-8-sig"),
        CASES.encode("utf-16"),
        CASES.replace("patient_id", '"patient_id"', 1).encode(),
        CASES.replace("patient_id", " Patient ID ", 1).replace("ihc_score", "IHC-Score").encode(),
        CASES.rstrip("\n").encode(),
        gzip.compress(CASES.encode()),
    ],
    ids=["comma", "tab", "semicolon", "bar", "crlf", "bom", "utf16", "quoted", "spelt", "no-newline", "gzip"],
)
def test_every_dialect_reads_the_same(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(content)
    assert read_file(str(path)) == EXPECTED


def test_standard_input_reads_the_same() -> None:
    records = read_file("-", stdin=CASES.encode())
    assert [record.rows[0].values for record in records] == [record.rows[0].values for record in EXPECTED]
    assert records[0].rows[0].place == "standard input:2"


def test_decimal_comma_stays_as_written() -> None:
    assert values("patient_id;ish_ratio\nP1;2,2\n")[0]["ish_ratio"] == "2,2"


def test_utf16_in_both_byte_orders_without_loss() -> None:
    text = "patient_id,ihc_antibody\nP1,Körper\n"
    for content in (b"\xff\xfe" + text.encode("utf-16-le"), b"\xfe\xff" + text.encode("utf-16-be")):
        assert read_bytes(content, "c.csv")[0].rows[0].values["ihc_antibody"] == "Körper"


def test_damaged_utf16_is_an_input_error() -> None:
    with pytest.raises(InputError, match="UTF-16"):
        read_bytes(b"\xff\xfe" + CASES.encode("utf-16-le") + b"\x00", "c.csv")


def test_latin_1_is_read_with_one_warning() -> None:
    records = read_bytes("patient_id,ihc_antibody\nP1,Körper\nP2,4B5\n".encode("latin-1"), "c.csv")
    assert records[0].rows[0].values["ihc_antibody"] == "Körper"
    assert [(issue.level, issue.id) for issue in records[0].issues] == [("warning", "read_as_latin_1")]
    assert records[1].issues == ()


def test_a_place_is_the_first_line_of_a_row_that_spans_lines() -> None:
    records = read('\npatient_id,ihc_antibody\nP1,"two\nlines"\nP2,4B5\n')
    assert [record.rows[0].place for record in records] == ["cases.csv:3", "cases.csv:5"]


def test_a_quote_never_closed_does_not_swallow_the_rest() -> None:
    with pytest.raises(InputError) as caught:
        read('patient_id,ihc_antibody,ihc_score\nP1,4B5,1\nP2,"4B5,3\nP3,4B5,3\n')
    assert caught.value.where == "cases.csv:3"
    assert "quotation mark" in caught.value.fix


# ---- columns


def test_unknown_columns_are_one_warning_with_the_nearest_name() -> None:
    records = read("patient_id,ihc_precent,Comment,ngs_tumour_copies\nP1,60,x,9\nP2,70,y,9\n")
    (issue,) = records[0].issues
    assert (issue.level, issue.id, issue.place) == ("warning", "unknown_names", "cases.csv")
    assert "ihc_precent: did you mean ihc_percent?" in issue.text
    assert "Comment" in issue.text
    assert "ngs_tumour_copies: this is computed, it cannot be given" in issue.text
    assert records[1].issues == ()
    assert [record.rows for record in records] == [(), ()]


def test_a_wide_table_does_not_flood_the_warning() -> None:
    genes = [f"log2_GENE{number}" for number in range(400)]
    (record,) = read(",".join(["patient_id", *genes]) + "\n" + ",".join(["P1", *"1" * 400]) + "\n")
    assert "and 380 more" in record.issues[0].text


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("specimen_id,ihc_score", "Every patient needs a patient_id"),
        ("patientid,ihc_score", "Did you mean it by 'patientid'"),
    ],
)
def test_without_patient_id_the_file_is_refused(header: str, says: str) -> None:
    with pytest.raises(InputError, match="no column patient_id") as caught:
        read(f"{header}\nA,3\n")
    assert says in caught.value.fix


def test_a_refusal_repeats_nothing_of_a_table_without_header() -> None:
    with pytest.raises(InputError) as caught:
        read("Erika Mustermann,3\nMax Mustermann,2\n")
    assert "Mustermann" not in str(caught.value)


@pytest.mark.parametrize("twice", ["ihc_score,ihc_score", "ihc_score,IHC Score", "ihc_score,patient id"])
def test_a_known_column_given_twice_is_refused(twice: str) -> None:
    with pytest.raises(InputError, match="more than once"):
        read(f"patient_id,{twice}\nP1,3,2\n")


def test_an_ignored_column_may_stand_twice() -> None:
    (record,) = read("patient_id,note,note,ras\nP1,a,b,wt\n")
    assert record.rows[0].values == {"ras": "wt"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        (" \r\n \n", "empty"),
        ("patient_id,ihc_score\n", "no rows"),
        ("patient_id,ihc_score\n,\n \n", "no rows"),
    ],
)
def test_nothing_to_read_is_said(content: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(content)


# ---- rows


def test_rows_of_a_patient_need_not_be_adjacent_and_order_is_kept() -> None:
    records = read("patient_id,specimen_id,ihc_score\nP2,A,3\nP1,A,0\nP2,B,1\n")
    assert [record.patient_id for record in records] == ["P2", "P1"]
    assert [row.values["specimen_id"] for row in records[0].rows] == ["A", "B"]
    assert [row.place for row in records[0].rows] == ["cases.csv:2", "cases.csv:4"]


def test_a_row_without_patient_is_an_error_of_its_own() -> None:
    records = read("patient_id,ihc_score\nP1,3\n,2\nP1,1\n n/a ,0\n")
    assert [record.patient_id for record in records] == ["P1", "row 3", "row 5"]
    assert records[1].rows == ()
    (issue,) = records[1].issues
    assert (issue.level, issue.field, issue.place) == ("error", "patient_id", "cases.csv:3")


def test_a_patient_named_as_a_lost_row_is_kept_apart() -> None:
    records = read("patient_id,ihc_score\nrow 3,3\n,2\n")
    assert [(record.patient_id, len(record.rows)) for record in records] == [("row 3", 1), ("row 3", 0)]


def test_a_row_with_too_many_cells_is_an_error_and_no_shifted_cell_is_used() -> None:
    (record,) = read("patient_id,ish_ratio,ihc_score\nP1,2,2,3\n")
    assert (record.patient_id, record.rows) == ("P1", ())
    assert [(issue.level, issue.id, issue.place) for issue in record.issues] == [
        ("error", "too_many_cells", "cases.csv:2")
    ]


def test_empty_cells_beyond_the_header_and_short_rows_are_no_error() -> None:
    records = read("patient_id,ihc_score,ihc_percent,,\nP1,3,60,,,,\nP2,3\n")
    assert [record.issues for record in records] == [(), ()]
    assert records[1].rows[0].values == {"specimen_id": "S1", "ihc_score": "3", "ihc_percent": None}


def test_a_filled_cell_beyond_the_last_named_column_is_not_lost_silently() -> None:
    (record,) = read("patient_id,ihc_score,\nP1,3,60\n")
    assert [issue.id for issue in record.issues] == ["cell_without_column"]
    assert record.rows[0].values["ihc_score"] == "3"


@pytest.mark.parametrize(
    "sign", ["", " ", "NA", "N/A", "n/a", "null", "None", "-", ".", "unknown", "ND", "not done", "Not available", "NaN"]
)
def test_signs_of_blank_are_unknown(sign: str) -> None:
    assert values(f"patient_id,ihc_score,ras\nP1,3,{sign}\n") == [{"specimen_id": "S1", "ihc_score": "3", "ras": None}]


@pytest.mark.parametrize("value", ["0", "no", "false", "negative", "neg", "--3", "0.0"])
def test_a_result_is_never_taken_for_blank(value: str) -> None:
    assert values(f"patient_id,ihc_score\nP1,{value}\n")[0]["ihc_score"] == value


def test_blank_specimen_ids_are_numbered_without_meeting_a_given_one() -> None:
    (record,) = read("patient_id,specimen_id,ihc_score\nP1,,3\nP1,S2,2\nP1,NA,1\nP1,,0\n")
    assert [row.values["specimen_id"] for row in record.rows] == ["S1", "S2", "S3", "S4"]


def test_a_row_that_only_speaks_of_the_patient_is_no_specimen() -> None:
    (record,) = read("patient_id,specimen_id,ihc_score,ras\nP1,,,wt\nP1,,3,\n")
    assert [row.values.get("specimen_id") for row in record.rows] == [None, "S1"]
    assert record.rows[0].values["ras"] == "wt"
    assert "specimen_id" not in record.rows[0].values


def test_a_named_specimen_without_findings_is_a_specimen() -> None:
    (record,) = read("patient_id,specimen_id,ihc_score\nP1,A,\n")
    assert record.rows[0].values == {"specimen_id": "A", "ihc_score": None}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["P1", "P2", "P3"]), st.text("0123456789.+ab", min_size=1).filter(lambda t: t.strip("."))
        ),
        min_size=1,
    )
)
def test_no_row_is_lost_and_every_place_finds_its_value(rows: list[tuple[str, str]]) -> None:
    lines = ["patient_id,ihc_antibody", *(f"{patient},{value}" for patient, value in rows)]
    records = read("\n".join(lines))
    assert [record.patient_id for record in records] == list(dict.fromkeys(patient for patient, _ in rows))
    found = {row.place: (record.patient_id, row.values["ihc_antibody"]) for record in records for row in record.rows}
    assert found == {f"cases.csv:{number}": row for number, row in enumerate(rows, 2)}


# ---- tables as laboratories export them

ABOVE = "Pathology, HER2 register\nprinted 2026-03-01\n\n"
LAB_CASES = "patient_id;ihc_score;ish_ratio\n1;3;2,4\n2;0;\n"


@pytest.mark.parametrize("above", ["", ABOVE, "sep=;\n", "# comment\n", "Register;;\n;;\n"])
def test_the_header_is_found_below_titles_and_hints(above: str) -> None:
    first, second = read_bytes((above + LAB_CASES).encode(), "cases.csv")
    assert [record.patient_id for record in (first, second)] == ["1", "2"]
    assert first.rows[0].values == {"specimen_id": "S1", "ihc_score": "3", "ish_ratio": "2,4"}
    assert [issue.id for issue in first.issues] == (["rows_above_header"] if above else [])


def test_a_list_of_columns_is_no_header() -> None:
    with pytest.raises(InputError, match="no column patient_id"):
        read_bytes(b"name,meaning\npatient_id,who it is\nihc_score,the score\n", "cases.csv")


def test_totals_and_repeated_headers_are_no_patients() -> None:
    text = LAB_CASES + "patient_id;ihc_score;ish_ratio\n3;1;\nTotal;4;\n"
    records = read_bytes(text.encode(), "cases.csv")
    assert [record.patient_id for record in records] == ["1", "2", "3"]
    assert [issue.id for issue in records[0].issues] == ["total_row"]


def test_a_second_table_in_the_same_sheet_is_not_read_by_the_first_header() -> None:
    text = LAB_CASES + ";;\nstudy;patient_id;ihc_score\n7;8;3\n"
    records = read_bytes(text.encode(), "cases.csv")
    assert [record.patient_id for record in records] == ["1", "2"]
    (issue,) = records[0].issues
    assert (issue.level, issue.id, issue.place) == ("error", "second_table", "cases.csv:5")


@pytest.mark.parametrize("sign", ["n.d.", "k.A.", "not tested", "pending", "未检测"])
def test_signs_that_nothing_was_done_are_no_values(sign: str) -> None:
    (record,) = read_bytes(f"patient_id,ihc_score,ish_ratio\n1,3,{sign}\n".encode(), "cases.csv")
    assert record.rows[0].values["ish_ratio"] is None
    assert not record.issues
