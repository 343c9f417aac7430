"""The HL7 v2 writer: valid by a library, escaped, and read back by our own reader with nothing invented."""

from __future__ import annotations

from typing import Any

import hl7
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_patients import ANSWERS, KNOWLEDGE, NAMES, findings, patients

import her2crc
from her2crc.flow import assess, normalise_record
from her2crc.model.patient import Patient
from her2crc.model.record import PatientRecord, SpecimenRow
from her2crc.model.verdict import Assessment
from her2crc.read.hl7v2 import read_hl7v2
from her2crc.report.hl7v2 import escape, report_hl7v2

FEW = settings(max_examples=60, deadline=None)
HISTORY = (
    "metastatic",
    "lines_of_therapy",
    "progressed_on_standard",
    "prior_anti_egfr",
    "prior_anti_her2",
    "side",
    "stage",
)


def message(answer: Assessment) -> hl7.Message:
    return hl7.parse(report_hl7v2(answer, KNOWLEDGE).decode())


def read_back(answer: Assessment) -> Patient:
    [record] = read_hl7v2(report_hl7v2(answer, KNOWLEDGE), "written")
    return normalise_record(record, KNOWLEDGE)


def results(answer: Assessment, code: str) -> list[hl7.Segment]:
    return [obx for obx in message(answer).segments("OBX") if str(obx[3]).split("^")[0] == code]


def patient_of(name: str, *specimens: dict[str, Any], **about: Any) -> Patient:
    rows = [SpecimenRow("about", about)]
    rows += [SpecimenRow(f"row {n}", {"specimen_id": f"S{n}", **item}) for n, item in enumerate(specimens, 1)]
    return normalise_record(PatientRecord(name, tuple(rows)), KNOWLEDGE)


@pytest.mark.parametrize("name", ANSWERS)
def test_hl7apy_finds_nothing_wrong(name: str) -> None:
    parser = pytest.importorskip(
        "hl7apy.parser", reason="hl7apy, which knows the tables of HL7 v2.5.1, is not installed"
    )
    assert parser.parse_message(report_hl7v2(ANSWERS[name], KNOWLEDGE).decode(), find_groups=True).validate()


def told(patient: Patient) -> dict[str, Any]:
    """Every finding of the specimen table, but a ratio beside its counts, which is sent as their quotient.

    That quotient is read as if it were reported. The list of variants is of the patient JSON alone.
    """
    found = findings(patient)
    for facts in found["specimens"].values():
        facts.pop("variants", None)
        if {"ish_her2_signals", "ish_cep17_signals"} <= set(facts):
            facts.pop("ish_ratio", None)
    return found


@pytest.mark.parametrize("name", ANSWERS)
def test_examples_read_back_to_the_same_findings(name: str) -> None:
    assert told(read_back(ANSWERS[name])) == told(ANSWERS[name].patient)


@given(patients())
@settings(max_examples=15, deadline=None)
def test_hl7apy_finds_nothing_wrong_with_any_patient(patient: Patient) -> None:
    parser = pytest.importorskip(
        "hl7apy.parser", reason="hl7apy, which knows the tables of HL7 v2.5.1, is not installed"
    )
    sent = report_hl7v2(assess(patient, KNOWLEDGE), KNOWLEDGE).decode()
    assert parser.parse_message(sent, find_groups=True).validate()


@given(patients())
@FEW
def test_any_patient_reads_back_to_the_same_findings(patient: Patient) -> None:
    assert told(read_back(assess(patient, KNOWLEDGE))) == told(patient)


@pytest.mark.long
@given(patients())
@settings(max_examples=3000, deadline=None)
def test_any_patient_reads_back_in_a_long_campaign(patient: Patient) -> None:
    assert told(read_back(assess(patient, KNOWLEDGE))) == told(patient)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_verdict_is_sent_and_marked_as_computed(name: str) -> None:
    answer = ANSWERS[name]
    for id, verdict in answer.criteria.items():
        sent = results(answer, id)
        statuses = [*(item.status for item in verdict.specimens.values()), verdict.status]
        assert [str(obx[5]).split("^")[0] for obx in sent] == statuses
        assert {str(obx[11]) for obx in sent} == {"P"}
        assert all(("Contrast only" in str(obx[3])) == (verdict.role == "contrast") for obx in sent)


def test_unknown_is_not_sent_and_unusable_has_no_value() -> None:
    answer = ANSWERS["EX-11-ratio-contradicts-counts"]
    [ratio] = results(answer, "49683-6")
    assert (str(ratio[5]), str(ratio[11])) == ("", "X")
    assert results(ANSWERS["CO-03-ras-unknown"], "69548-6") == []
    assert results(ANSWERS["EX-01-clear-3plus"], "49683-6") == []


def test_counts_are_sent_as_a_ratio_and_digits_are_kept() -> None:
    counted = assess(patient_of("P", {"ish_her2_signals": 312, "ish_cep17_signals": 104}), KNOWLEDGE)
    assert str(results(counted, "49683-6")[0][5]) == "^312^/^104"
    reported = assess(patient_of("P", {"ish_ratio": "2.60", "ngs_copies": "12.0"}), KNOWLEDGE)
    assert str(results(reported, "49683-6")[0][5]) == "2.60"
    assert str(results(reported, "82155-3")[0][5]) == "12.0"


def test_the_library_sees_a_message_that_lacks_what_it_must_have() -> None:
    parser = pytest.importorskip(
        "hl7apy.parser", reason="hl7apy, which knows the tables of HL7 v2.5.1, is not installed"
    )
    data = report_hl7v2(ANSWERS["EX-01-clear-3plus"], KNOWLEDGE).decode()
    headless = "".join(f"{line}\r" for line in data.split("\r") if line and not line.startswith("OBR|1|"))
    with pytest.raises(Exception, match="OBR"):
        parser.parse_message(headless.replace("OBR|", "ZBR|"), find_groups=True).validate()


NASTY = st.text(st.sampled_from("ab|^~\\&\r\n\x0b\x1c \u2028é"), min_size=1, max_size=12)


@given(NASTY)
def test_no_text_can_end_a_segment_field_or_component(text: str) -> None:
    parts = escape(text).split("\\")  # a sound escape sequence is never the mark of another
    assert not set("|^~&\r\n\x0b\x1c\u2028") & set("".join(parts))
    assert len(parts) % 2 == 1


@given(NAMES.map(str.strip).filter(bool), NASTY.filter(lambda text: bool(text.strip())))
@FEW
def test_ids_and_texts_come_back_as_they_were(name: str, antibody: str) -> None:
    patient = patient_of(name, {"ihc_score": "3+", "ihc_antibody": antibody})
    data = report_hl7v2(assess(patient, KNOWLEDGE), KNOWLEDGE)
    assert {line.split(b"|")[0] for line in data.split(b"\r")} <= {b"", b"MSH", b"PID", b"OBR", b"OBX", b"NTE", b"SPM"}
    [record] = read_hl7v2(data, "written")
    assert record.patient_id == name


def test_several_patients_are_messages_one_after_another() -> None:
    answers = list(ANSWERS.values())
    [data] = her2crc.render(answers, "hl7v2", KNOWLEDGE)
    assert [record.patient_id for record in read_hl7v2(data, "written")] == list(ANSWERS)
    assert data == b"".join(report_hl7v2(item, KNOWLEDGE) for item in answers)


def test_history_is_sent_under_local_codes() -> None:
    answer = ANSWERS["EX-01-clear-3plus"]
    assert [str(results(answer, name)[0][5]) for name in HISTORY] == ["Y", "2", "Y", "Y", "N", "left^left^L", "4"]
