"""Patients from JSON in every shape that is read, and the JSON Schema of the patient."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema
import msgspec
import pytest

from her2crc.errors import InputError
from her2crc.model.patient import IHC, ISH, Genes, History, Patient, Plasma, Specimen, TissueCopyNumber
from her2crc.model.record import Issue, PatientRecord, SpecimenRow
from her2crc.read import patient_schema, read_bytes, read_file, sniff

PATIENT = {
    "patient_id": "P1",
    "ras": "wild_type",
    "metastatic": True,
    "specimens": [
        {"specimen_id": "A", "site": "primary", "collected_on": "2024-03-01", "ihc_score": 2, "ihc_percent": 60},
        {"specimen_id": "B", "site": "liver", "ish_ratio": 2.2, "ihc_antibody": None},
    ],
}


def read(text: str, name: str = "p.json") -> list[PatientRecord]:
    return read_bytes(text.encode(), name)


def issues(records: list[PatientRecord]) -> list[tuple[str, str, str, str]]:
    return [(one.level, one.id, one.field, one.place) for record in records for one in record.issues]


def test_a_patient_becomes_one_row_of_its_own_and_one_for_each_specimen(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(PATIENT, indent=1))
    assert read_file(str(path)) == [
        PatientRecord(
            "P1",
            (
                SpecimenRow("p.json", {"ras": "wild_type", "metastatic": True}),
                SpecimenRow(
                    "p.json:specimen 1",
                    {
                        "specimen_id": "A",
                        "site": "primary",
                        "collected_on": "2024-03-01",
                        "ihc_score": 2,
                        "ihc_percent": 60,
                    },
                ),
                SpecimenRow(
                    "p.json:specimen 2",
                    {"specimen_id": "B", "site": "liver", "ish_ratio": Decimal("2.2"), "ihc_antibody": None},
                ),
            ),
        )
    ]


@pytest.mark.parametrize("digits", ["2.20", "0.1", "60.000", "1e2", "2.1999999999999999999999", "-0.0"])
def test_numbers_keep_their_digits(digits: str) -> None:
    (record,) = read('{"patient_id": "P1", "specimens": [{"ish_ratio": %s}]}' % digits)  # noqa: UP031 - braces
    value = record.rows[0].values["ish_ratio"]
    assert isinstance(value, Decimal)
    assert value.as_tuple() == Decimal(digits).as_tuple()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("NaN", None),
        ("Infinity", "Infinity"),
        ("1e99999999999999999999", "1e99999999999999999999"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_numbers_that_are_none_are_left_to_be_refused(written: str, kept: object) -> None:
    (record,) = read('{"patient_id": "P1", "specimens": [{"specimen_id": "A", "ish_ratio": ' + written + "}]}")
    assert record.rows[0].values["ish_ratio"] == kept


@pytest.mark.parametrize("specimens", ["", ', "specimens": []', ', "specimens": null'])
def test_a_patient_without_specimens_keeps_its_own_values(specimens: str) -> None:
    (record,) = read('{"patient_id": "P1", "ras": "wt"' + specimens + "}")
    assert record == PatientRecord("P1", (SpecimenRow("p.json", {"ras": "wt"}),))


def test_a_patient_of_whom_nothing_is_known() -> None:
    assert read('{"patient_id": "P1"}') == [PatientRecord("P1", ())]


def test_signs_of_blank_are_unknown_here_too() -> None:
    (record,) = read('{"patient_id": "P1", "ras": "n/a", "specimens": [{"ihc_score": "not done", "site": "liver"}]}')
    assert record.rows[0].values == {"ras": None}
    assert record.rows[1].values == {"specimen_id": "S1", "ihc_score": None, "site": "liver"}


def test_names_are_read_as_in_the_table_and_unknown_ones_warned_of_once() -> None:
    records = read(
        '[{"Patient ID": "P1", "specimens": [{"IHC Score": 3, "ihc_precent": 60}, {"colour": 1}]},'
        ' {"patient_id": "P2", "colour": 2}]'
    )
    assert records[0].rows[0].values == {"specimen_id": "S1", "ihc_score": 3}
    assert issues(records) == [("warning", "unknown_names", "", "p.json")]
    assert "ihc_precent: did you mean ihc_percent?" in records[0].issues[0].text
    assert records[0].issues[0].text.count("colour") == 1


def test_a_field_of_the_specimen_given_for_the_patient_is_an_error() -> None:
    records = read('{"patient_id": "P1", "ihc_score": 3, "specimens": [{"site": "liver"}, {"site": "lung"}]}')
    assert [row.values for row in records[0].rows] == [
        {"specimen_id": "S1", "site": "liver"},
        {"specimen_id": "S2", "site": "lung"},
    ]
    assert issues(records) == [("error", "not_used", "ihc_score", "p.json")]


def test_a_field_of_the_patient_given_for_a_specimen_is_kept_where_it_stood() -> None:
    (record,) = read('{"patient_id": "P1", "ras": "wt", "specimens": [{"site": "liver", "ras": "mutant"}]}')
    assert [row.values.get("ras") for row in record.rows] == ["wt", "mutant"]


@pytest.mark.parametrize(
    "fields",
    [
        '"ihc_score": 3, "ihc_score": 2',
        '"ihc_score": 3, "IHC score": 2',
        '"ihc_score": 3, "ihc": {"ihc_score": 2}',
        '"ihc_score": [3, 2]',
        '"ihc_score": {"score": 3}',
    ],
)
def test_a_value_that_is_not_one_is_an_error_and_unknown(fields: str) -> None:
    records = read('{"patient_id": "P1", "specimens": [{"site": "liver", ' + fields + "}]}")
    assert records[0].rows[0].values["ihc_score"] is None
    assert issues(records) == [("error", "unusable_value", "ihc_score", "p.json:specimen 1")]
    assert records[0].issues[0].specimen == "S1"


def test_a_specimen_whose_only_value_cannot_be_used_is_still_a_specimen() -> None:
    (record,) = read('{"patient_id": "P1", "specimens": [{"ihc_score": [3, 2]}]}')
    assert record.rows[0].values == {"specimen_id": "S1", "ihc_score": None}
    assert record.issues[0].specimen == "S1"


@pytest.mark.parametrize("specimens", ['{"ihc_score": 3}', '"A"', "3"])
def test_specimens_must_be_a_list(specimens: str) -> None:
    records = read('{"patient_id": "P1", "ras": "wt", "specimens": ' + specimens + "}")
    assert [(level, issue) for level, issue, _, _ in issues(records)] == [("error", "not_used")]


def test_a_specimen_that_is_none_or_of_another_patient_is_not_used() -> None:
    records = read('{"patient_id": "P1", "specimens": [7, {"patient_id": "P2", "ihc_score": 3}, {"ihc_score": 2}]}')
    assert [row.place for row in records[0].rows] == ["p.json:specimen 3"]
    assert [place for *_, place in issues(records)] == ["p.json:specimen 1", "p.json:specimen 2"]


def test_half_a_character_in_a_name_does_not_break_a_report() -> None:
    (record,) = read('{"patient_id": "P\\ud800", "ras": "wt"}')
    assert record.patient_id.encode("utf-8") == b"P?"


# ---- lists, rows and lines


def test_a_list_of_patients_and_the_same_patient_twice() -> None:
    records = read(json.dumps([PATIENT, {"patient_id": "P2"}, {"patient_id": "P1", "specimens": [{"site": "lung"}]}]))
    assert [record.patient_id for record in records] == ["P1", "P2"]
    assert records[0].rows[-1] == SpecimenRow("p.json:patient 3, specimen 1", {"specimen_id": "S1", "site": "lung"})


def test_a_list_of_flat_rows_is_the_table() -> None:
    rows = [{"patient_id": 7, "ihc_score": 3}, {"patient_id": "7", "ihc_score": 2}, {"ihc_score": 1}]
    first, lost = read(json.dumps(rows))
    assert [(row.place, row.values) for row in first.rows] == [
        ("p.json:row 1", {"specimen_id": "S1", "ihc_score": 3}),
        ("p.json:row 2", {"specimen_id": "S2", "ihc_score": 2}),
    ]
    assert (lost.patient_id, issues([lost])) == ("row 3", [("error", "no_patient_id", "patient_id", "p.json:row 3")])


def test_one_bad_line_does_not_lose_the_others() -> None:
    lines = [
        json.dumps(PATIENT),
        '{"patient_id": "P2", "specimens": [',
        "",
        '{"patient_id": "P3", "ihc_score": 0}',
        "8",
    ]
    first, second, third, fourth = read("\r\n".join(lines), "p.jsonl")
    assert [row.place for row in first.rows] == ["p.jsonl:1", "p.jsonl:1, specimen 1", "p.jsonl:1, specimen 2"]
    assert (second.patient_id, issues([second])) == ("line 2", [("error", "not_json", "", "p.jsonl:2")])
    assert third.rows == (SpecimenRow("p.jsonl:4", {"specimen_id": "S1", "ihc_score": 0}),)
    assert (fourth.patient_id, issues([fourth])) == ("line 5", [("error", "not_an_object", "", "p.jsonl:5")])


def test_lines_of_which_none_can_be_read_are_refused() -> None:
    with pytest.raises(InputError, match="not valid JSON") as caught:
        read('{"patient_id": }\n{"patient_id": }\n', "p.jsonl")
    assert caught.value.where == "p.jsonl:1"


def test_a_fhir_resource_among_patients_is_an_error_of_its_own() -> None:
    first, second = read('{"patient_id": "P1"}\n{"resourceType": "Patient", "id": "P2"}\n')
    assert first.patient_id == "P1"
    assert issues([second]) == [("error", "fhir_among_json", "", "p.json:2")]


# ---- what cannot be read


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"patient_id": "P1",\n "ras": wt}', "p.json:2, column 9"),
        ('{"patient_id": "P1"', "p.json:1, column 20"),
        ('[{"patient_id": "P1"},\n\n {"patient_id" "P2"}]', "p.json:3, column 16"),
        ('{"patient_id": "P1"} {', "p.json:1, column 22"),
    ],
)
def test_bad_json_is_refused_with_line_and_column(text: str, where: str) -> None:
    with pytest.raises(InputError, match="not valid JSON") as caught:
        read(text)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "holds no patient"),
        ("{}", "patient_id is missing"),
        ('{"patientId": "P1"}', "Did you mean it by 'patientId'"),
        ('{"patient_id": " "}', "patient_id is missing or blank"),
        ("[1, 2]", "not a JSON object"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_json_without_patients_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(text)


def test_a_refusal_repeats_no_key_that_may_be_a_name() -> None:
    with pytest.raises(InputError) as caught:
        read('{"Erika Mustermann": {"ihc_score": 3}}')
    assert "Mustermann" not in str(caught.value)


# ---- our own results


def assessed(patient: Patient) -> dict[str, object]:
    return {"patient_id": patient.patient_id, "criteria": {}, "patient": msgspec.to_builtins(patient)}


FULL = Patient(
    "P1",
    (
        Specimen(
            "A",
            tumour="colorectal",
            site="primary",
            collected_on=date(2024, 3, 1),
            ihc=IHC(ihc_score=2, ihc_percent=Decimal("60.0")),
            ish=ISH(ish_her2_signals=66, ish_ratio=Decimal("2.20")),
            unsettled=("ihc_pattern",),
        ),
        Specimen(
            "B", tissue=TissueCopyNumber(ngs_copies=Decimal("9.1")), plasma=Plasma(tumour_fraction=Decimal("0.1"))
        ),
    ),
    Genes(ras="wild_type"),
    History(metastatic=True, lines_of_therapy=2),
    (Issue("conflict", "two_values", "msi differs", field="msi", place="cases.csv:2"),),
)


@pytest.mark.parametrize("wrap", [assessed, msgspec.to_builtins])
def test_an_earlier_result_is_read_again_without_loss(tmp_path: Path, wrap: type) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(msgspec.json.encode(wrap(FULL)))
    (record,) = read_file(str(path))
    known = [{name: value for name, value in row.values.items() if value is not None} for row in record.rows]
    assert known == [
        {"ras": "wild_type", "metastatic": True, "lines_of_therapy": 2},
        {
            "specimen_id": "A",
            "tumour": "colorectal",
            "site": "primary",
            "collected_on": "2024-03-01",
            "ihc_score": 2,
            "ihc_percent": "60.0",
            "ish_her2_signals": 66,
            "ish_ratio": "2.20",
        },
        {"specimen_id": "B", "ngs_copies": "9.1", "tumour_fraction": "0.1"},
    ]
    assert record.issues == FULL.issues


def test_several_results_are_read_from_a_list_and_from_lines() -> None:
    results = [assessed(FULL), assessed(Patient("P2", ()))]
    text = json.dumps(results)
    assert sniff(text.encode(), "r.json") == "assessment_json"
    lines = "\n".join(map(json.dumps, results))
    assert [record.patient_id for record in read(text)] == [record.patient_id for record in read(lines)] == ["P1", "P2"]


def test_issues_that_are_not_ours_are_an_unknown_name() -> None:
    (record,) = read('{"patient_id": "P1", "issues": "none"}')
    assert [issue.id for issue in record.issues] == ["unknown_names"]


# ---- the schema


def valid(document: Mapping[str, object]) -> bool:
    checker = jsonschema.Draft202012Validator(patient_schema(), format_checker=jsonschema.FormatChecker())
    return bool(checker.is_valid(document))


def with_specimen(**fields: object) -> dict[str, object]:
    return {"patient_id": "P1", "specimens": [{"specimen_id": "A", **fields}]}


def test_the_schema_is_a_schema_and_takes_a_good_patient() -> None:
    jsonschema.Draft202012Validator.check_schema(patient_schema())
    assert valid(PATIENT)
    assert valid({"patient_id": "P1"})
    assert valid(with_specimen(ihc_score=3, ihc_percent=50.5, ihc_pattern=None, tumour_purity=1))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"patient_id": ""},
        {"patient_id": "P1", "ihc_score": 3},
        {"patient_id": "P1", "colour": "red"},
        {"patient_id": "P1", "ras": "wt"},
        {"patient_id": "P1", "metastatic": "yes"},
        {"patient_id": "P1", "lines_of_therapy": 1.5},
        {"patient_id": "P1", "stage": 5},
        {"patient_id": "P1", "specimens": {}},
        with_specimen(ihc_score=4),
        with_specimen(ihc_score="3+"),
        with_specimen(ihc_percent=100.1),
        with_specimen(tumour_purity=60),
        with_specimen(ihc_precent=60),
        with_specimen(ras="mutant"),
        with_specimen(ngs_tumour_copies=9),
        with_specimen(collected_on="01.03.2024"),
        with_specimen(site="Leber"),
    ],
)
def test_the_schema_refuses_a_bad_patient(document: dict[str, object]) -> None:
    assert not valid(document)


def test_the_schema_says_units_and_meaning_of_every_field_the_reader_takes() -> None:
    schema = patient_schema()
    specimen = schema["$defs"]["specimen"]["properties"]
    assert specimen["ihc_percent"]["x-unit"] == "%"
    assert specimen["ihc_score"]["type"] == ["integer", "null"]
    described = {**schema["properties"], **specimen}
    described.pop("specimens")
    assert all(entry["description"] for entry in described.values())
    row = dict.fromkeys(described) | {"patient_id": "P1"}
    assert read(json.dumps([row]))[0].issues == ()
    assert json.loads(json.dumps(schema)) == schema
