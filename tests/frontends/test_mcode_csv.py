"""Tables of the mCODE Extraction Framework: what each gives, what is not read, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_builder import facts, ids, pack, read_folder, read_study_files, write

from her2crc.errors import Her2crcError, InputError
from her2crc.model.record import PatientRecord
from her2crc.read import read_bytes

SNOMED, LOINC, RXNORM = "http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
CONDITION = (
    "mrn,conditionId,codeSystem,code,displayName,category,dateOfDiagnosis,clinicalStatus,verificationStatus,bodySite,laterality,histology\n"
    f"1,c-1,{SNOMED},363406005,Malignant tumor of colon,encounter-diagnosis,2020-07-12,active,confirmed,60184004,,\n"
    f"1,c-2,{SNOMED},94381002,Secondary malignant neoplasm of liver,problem,2021-01-01,active,confirmed,,,\n"
    f"2,c-3,{SNOMED},363406005,Malignant tumor of colon,problem-list-item,2019-11-11,active,confirmed,,,\n"
)
STAGING = (
    "mrn,conditionId,stageGroup,t,n,m,type,stagingSystem,stagingCodeSystem,effectiveDate\n"
    f"2,c-3,3C,cT3,cN2,cM0,Clinical,443830009,{SNOMED},2020-01-01\n"
)
OBSERVATION = (
    "mrn,observationId,status,code,codeSystem,displayName,value,valueCodeSystem,effectiveDate,bodySite,laterality\n"
    f"1,o-1,final,18474-7,{LOINC},HER2 by IHC,3+,,2020-01-02,10200004,\n"
    f"1,o-2,final,49683-6,{LOINC},HER2/CEP17 ratio,2.40 {{ratio}},,2020-01-02,10200004,\n"
    f"2,o-3,final,81695-9,{LOINC},Microsatellite instability,LA14122-8,{LOINC},2020-01-02,,\n"
    f"2,o-4,final,8302-2,{LOINC},Body height,66.89 [in_i],,2020-01-02,,\n"
)
DRUGS = (
    "mrn,medicationId,code,codeSystem,displayText,startDate,endDate,treatmentReasonCode,treatmentReasonCodeSystem,treatmentReasonDisplayText,treatmentIntent,status\n"
    f"1,m-1,318341,{RXNORM},cetuximab,2020-01-01,2020-07-05,,,,373808002,completed\n"
)
PATIENTS = (
    "mrn,familyName,givenName,gender,dateOfBirth\n1,Surname,First,female,1980-01-01\n3,Other,Name,male,1970-01-01\n"
)
FILES = {
    "patient-information.csv": PATIENTS,
    "condition-information.csv": CONDITION,
    "staging-information.csv": STAGING,
    "observation-information.csv": OBSERVATION,
    "medication.csv": DRUGS,
}


def everything(record: PatientRecord) -> dict[str, str]:
    return {name: str(value) for row in record.rows for name, value in row.values.items()}


def test_all_tables_together(tmp_path: Path) -> None:
    records = read_folder(write(tmp_path / "mcode", FILES))
    assert sorted(records) == ["1", "2", "3"]
    first = facts(records["1"], "10200004")
    assert first == {
        "specimen_id": "10200004", "tumour": "colorectal", "site": "liver", "ihc_score": "3", "ish_ratio": "2.40",
        "side": "left", "metastatic": "True", "prior_anti_egfr": "True",
    }  # fmt: skip
    assert everything(records["2"]) == {"stage": "3", "msi": "stable"}
    assert records["3"].rows == ()


def test_names_of_people_are_nowhere() -> None:
    records = read_study_files(FILES)
    assert "Surname" not in str(records) and "1980" not in str(records)


@pytest.mark.parametrize(("written", "stage"), [("3C", "3"), ("IVA", "4"), ("Stage 2", "2"), ("1", "1"), ("IIIb", "3")])
def test_stage_groups(written: str, stage: str) -> None:
    record = read_study_files(FILES | {"staging-information.csv": STAGING.replace("3C", written)})["2"]
    assert everything(record)["stage"] == stage


def test_a_stage_that_is_not_known_or_belongs_to_nothing_is_said() -> None:
    unknown = read_study_files(FILES | {"staging-information.csv": STAGING.replace("3C", "extensive")})["2"]
    assert "stage" not in everything(unknown) and "mcode_stage" in ids(unknown)
    alone = read_study_files(FILES | {"staging-information.csv": STAGING.replace("c-3", "c-9")})["2"]
    assert "stage" not in everything(alone) and "mcode_stage_alone" in ids(alone)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_void_observation_is_not_used(status: str) -> None:
    record = read_study_files(FILES | {"observation-information.csv": OBSERVATION.replace("final", status)})["1"]
    assert "ihc_score" not in everything(record)
    place = next(issue.place for issue in record.issues if issue.id == "fhir_status_not_used")
    assert place == "observation-information.csv:2"


def test_a_refuted_diagnosis_is_not_used() -> None:
    record = read_study_files(FILES | {"condition-information.csv": CONDITION.replace("confirmed", "refuted")})["1"]
    assert "tumour" not in everything(record) and "metastatic" not in everything(record)


def test_a_bare_positive_is_no_score() -> None:
    record = read_study_files(FILES | {"observation-information.csv": OBSERVATION.replace(",3+,", ",positive,")})["1"]
    assert "ihc_score" not in everything(record)


def test_tables_are_known_by_their_columns_and_others_are_named_once() -> None:
    plan = "mrn,reasonCode,reasonDisplayText,changed,dateOfCarePlan,dateRecorded\n1,,,false,2020-03-30,2020-05-01\n"
    files = {f"t{number}.csv": text for number, text in enumerate(FILES.values())} | {
        "plan.csv": plan,
        "x.csv": "a\n1\n",
    }
    records = read_study_files(files)
    assert everything(records["1"])["ihc_score"] == "3"
    said = [issue.text for record in records.values() for issue in record.issues if issue.id == "mcode_not_read"]
    assert len(said) == 1 and said[0].endswith(": plan.csv.")


def test_rows_without_an_mrn_are_counted() -> None:
    records = read_study_files(FILES | {"observation-information.csv": OBSERVATION.replace("\n1,o", "\n,o")})
    said = [issue.text for record in records.values() for issue in record.issues if issue.id == "mcode_no_mrn"]
    assert said == ["Rows without an mrn, whose patient is not known, were not used: 2."]


def test_a_quote_that_is_never_closed_is_an_error() -> None:
    with pytest.raises(InputError, match="cannot be split") as caught:
        read_bytes(pack({"c.csv": CONDITION + '1,"x\n'}), "m.zip")
    assert caught.value.where.startswith("c.csv:")


def test_nobody_in_the_tables_is_an_error() -> None:
    with pytest.raises(InputError, match="names a patient"):
        read_bytes(pack({"c.csv": CONDITION.splitlines()[0] + "\n", "d.csv": DRUGS.splitlines()[0] + "\n"}), "m.zip")


def stated(records: dict[str, PatientRecord]) -> set[tuple[str, str, str]]:
    return {
        (name, field, str(value))
        for name, record in records.items()
        for row in record.rows
        for field, value in row.values.items()
        if field != "specimen_id"
    }


@pytest.mark.parametrize("left_out", list(FILES))
def test_a_table_that_is_left_out_never_adds_a_fact(left_out: str) -> None:
    less = read_study_files({name: text for name, text in FILES.items() if name != left_out})
    assert stated(less) <= stated(read_study_files(FILES))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=40), st.data())
def test_mutated_tables_give_records_or_our_error(name: str, noise: bytes, data: st.DataObject) -> None:
    content = FILES[name].encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    try:
        records = read_bytes(pack(FILES | {name: content[:start] + noise + content[end:]}), "m.zip")
    except Her2crcError:
        return
    assert all(isinstance(record, PatientRecord) for record in records)
