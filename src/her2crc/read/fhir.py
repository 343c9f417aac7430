"""The FHIR R4 reader: bundles, single resources, arrays or lines of them, into patient records.

Reads JSON (XML by way of ``fhir_xml``) into resources (``fhir_decode``), sorts them by patient (``fhir_references``),
then reads each patient: diagnoses, specimens, results, drugs, and what her2crc itself wrote. What each code fills is
data (``knowledge/terms/fhir_codes.yaml``).
"""

from __future__ import annotations

from collections.abc import Sequence

from her2crc.errors import InputError
from her2crc.model.record import PatientRecord
from her2crc.read.fhir_case import Case
from her2crc.read.fhir_decode import Item, decode
from her2crc.read.fhir_history import read_diagnoses, read_drugs
from her2crc.read.fhir_own import read_own
from her2crc.read.fhir_references import Directory, by_patient
from her2crc.read.fhir_resources import Resource, many
from her2crc.read.fhir_results import read_results
from her2crc.read.fhir_specimens import read_specimens


def read_fhir(data: bytes, source: str) -> list[PatientRecord]:
    """Read the patients of a FHIR R4 JSON file, in the order of their ids.

    Args:
        data: the file: a bundle of any type, a single resource, or a JSON array or lines (NDJSON) of those.
        source: its name, for messages.

    Returns:
        One record a patient. A row for each specimen, with the facts of the patient repeated; a value that another
        result contradicts stands in a row of its own. Places are written ``Observation/o1``.

    Raises:
        InputError: not readable, not FHIR, too large, or nothing of a patient in it. A single resource that cannot be
            read is an error issue of its patient instead.
    """
    content = decode(data, source)
    directory = Directory(content.items, content.idle)
    patients = by_patient(content, directory)
    if not patients:
        raise InputError("The file holds nothing of a patient.", where=source, fix="Export results, not definitions.")
    return [_read_patient(name, patients[name], directory) for name in sorted(patients)]


def _read_patient(patient_id: str, items: Sequence[Item], directory: Directory) -> PatientRecord:
    case = Case(patient_id, items, directory)
    if _are_two_people(case.of_type("Patient")):
        case.draft.note("fhir_two_patients_one_id", f"Patient/{patient_id}", field="patient_id")
        return case.draft.record()
    return read_case(case)


def read_case(case: Case) -> PatientRecord:
    """Read one patient: diagnoses, specimens, results, drugs."""
    tumour = read_diagnoses(case)
    read_specimens(case, tumour)
    read_results(case, tumour)
    read_drugs(case)
    read_own(case)
    if tumour is not None:
        for specimen in set(case.draft.specimens) - case.with_tumour:
            case.draft.give("Condition", "tumour", tumour, specimen)
    return case.draft.record()


def _are_two_people(patients: Sequence[Resource]) -> bool:
    """Tell whether resources with one id have identifiers of the same system but no identifier in common."""
    if len(patients) <= 1:
        return False
    known = [{(item.system, item.value) for item in many(patient.identifier)} for patient in patients]
    return any(
        not first & second and {system for system, _ in first} & {system for system, _ in second}
        for first in known
        for second in known
    )
