"""The reader of DNPM / MV-GenomSeq JSON: the record of a German molecular tumour board, one patient or a list.

Each record becomes the FHIR resources it would be (``as_fhir``). Variants that are not listed are unknown, because the
model does not say which genes were looked at. Results by specimen: ``dnpm_results``. Words: ``terms/dnpm.yaml``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from her2crc.errors import InputError
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.as_fhir import ICD10, Converted
from her2crc.read.dnpm_results import Results
from her2crc.read.dnpm_words import Object, code_of, objects, owner_of, text_of, words
from her2crc.read.fhir_codes import codebook
from her2crc.read.fhir_resources import Coding, Concept, Resource
from her2crc.read.rows import Found, collect, lost
from her2crc.read.source import decode, refuse_too_large

DISTANT = "M1"


def read_dnpm(data: bytes, name: str) -> list[PatientRecord]:
    """Read the patients of a DNPM JSON file.

    Returns:
        One record a patient; a row for each specimen. Places are written ``FILE:ID``, with the id of the entry.

    Raises:
        InputError: too large, not JSON (with line and column), or no patient record in it.
    """
    refuse_too_large(len(data), name)
    document = _parse(decode(data, name)[0], name)
    patients: dict[str, Converted] = {}
    bad: list[Found] = []
    for number, entry in enumerate(document if isinstance(document, list) else [document], 1):
        patient = text_of(next(iter(objects(entry, "patient")), {}), "id")
        if patient:
            converted = patients.setdefault(patient, Converted(patient, words().messages))
            _Record(entry, name, converted).read()
        else:
            message = words().messages["dnpm_not_a_record"]
            issue = Issue(message.level, "dnpm_not_a_record", message.text, place=f"{name}:record {number}")
            bad.append(lost(f"record {number}", issue))
    if not patients:
        raise InputError(words().messages["dnpm_not_a_record"].text, where=name, fix="Export whole patient records.")
    return [converted.record() for converted in patients.values()] + collect(bad)


def _parse(text: str, name: str) -> object:
    """Parse with numbers as they are written."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        where = f"{name}:{error.lineno}, column {error.colno}"
        raise InputError(f"This is not valid JSON: {error.msg}.", where=where, fix="Mend it there.") from None
    except RecursionError:
        raise InputError("The JSON is nested too deeply.", where=name) from None


class _Record:
    """One patient record as it is read."""

    def __init__(self, entry: Object, name: str, converted: Converted) -> None:
        self.entry, self.name, self.converted = entry, name, converted
        self.organs: dict[str, str] = {}
        self.matrix: dict[str, str] = {}

    def read(self) -> None:
        for patient in objects(self.entry, "patient"):
            self.converted.add_birth(f"{self.name}:patient", text_of(patient, "birthDate"))
        for diagnosis, place in self.entries("diagnoses"):
            self.read_diagnosis(diagnosis, place)
        for specimen, place in self.entries("specimens"):
            self.read_specimen(specimen, place)
        results = Results(self.converted, self.matrix)
        for report, place in self.entries("histologyReports"):
            results.take_content(report, place)
        for report, place in self.entries("ihcReports"):
            results.take_expression(report, place)
        for report, place in self.entries("ngsReports"):
            results.take_content(report, place)
            results.take_sequencing(report, place)
        for finding, place in self.entries("msiFindings"):
            results.take_microsatellites(finding, place)
        results.settle_content()
        for therapies in words().therapies:
            for therapy, place in self.entries(*therapies.path):
                self.read_therapy(therapy, place, therapies.status)

    def entries(self, *path: str) -> Iterator[tuple[Object, str]]:
        """Yield the entries of the patient under a key, with their places."""
        for number, item in enumerate(objects(self.entry, *path), 1):
            place = f"{self.name}:{path[0]} {text_of(item, 'id') or number}"
            if owner_of(item, "patient") not in ("", self.converted.patient_id):
                self.converted.note("dnpm_of_other_patient", place)
            else:
                yield item, place

    def read_diagnosis(self, diagnosis: Object, place: str) -> None:
        coding = _diagnosis(diagnosis)
        self.converted.add_diagnosis(place, Concept((coding,)))
        organ = codebook().answers["organ"].of_coding(coding)
        if organ:
            self.organs[text_of(diagnosis, "id")] = organ
        stagings = sorted(objects(diagnosis, "staging", "history"), key=lambda item: text_of(item, "date"))
        if organ == "colorectal" and stagings and _is_metastatic(stagings[-1]):
            self.converted.give(place, "metastatic", True)

    def read_specimen(self, specimen: Object, place: str) -> None:
        name, file = text_of(specimen, "id") or place, words()
        collection = next(iter(objects(specimen, "collection")), {})
        kind, method = code_of(specimen, "type"), code_of(collection, "method")
        said = [file.specimen_types.get(kind), file.methods.get(method)]
        self.matrix[name] = "plasma" if "plasma" in said else "tissue" if any(said) else ""
        types = [Concept(text=text) for text in said if text]
        self.converted.add_specimen(place, name, types, day=text_of(collection, "date"))
        self.read_site(code_of(collection, "localization"), name, place)
        of_code = codebook().answers["organ"].of_coding(_diagnosis(specimen))
        organ = self.organs.get(owner_of(specimen, "diagnosis")) or of_code
        if organ:
            self.converted.give(place, "tumour", organ, name)

    def read_site(self, stated: str, name: str, place: str) -> None:
        site = words().sites.get(stated)
        if site and self.matrix[name] != "plasma":
            self.converted.give(place, "site", site, name)
        elif stated and not site and stated not in words().not_stated:
            self.converted.note("dnpm_site", place, field="site", specimen=name)

    def read_therapy(self, therapy: Object, place: str, status: str) -> None:
        """Read the drugs of a therapy by name, or by ATC code where no name is given; ``status`` is the usual one."""
        status = words().drug_status.get(code_of(therapy, "status") or status, "")
        for number, drug in enumerate(objects(therapy, "medication"), 1):
            named = text_of(drug, "display") or words().drugs.get(text_of(drug, "code"), "")
            at = f"{place}, medication {number}"
            self.converted.add(
                at,
                Resource(
                    resource_type="MedicationStatement",
                    id=at,
                    status=status,
                    medication_codeable_concept=Concept(text=named or None),
                ),
            )


def _diagnosis(item: Object) -> Coding:
    """Return the ICD-10 code of a diagnosis, or of a specimen of the first model."""
    stated = next(iter(objects(item, "code") or objects(item, "icd10")), {})
    system = text_of(stated, "system")
    return Coding(
        system if system.startswith("http") else ICD10, text_of(stated, "code"), text_of(stated, "display") or None
    )


def _is_metastatic(staging: Object) -> bool:
    """Tell whether a staging says distant spread; that it says none may be out of date, so it is not read."""
    spread = {text_of(item, "code") for item in objects(staging, "otherClassifications")}
    stage = [code_of(tnm, "metastasis").lstrip("cp") for tnm in objects(staging, "tnmClassification")]
    return words().metastasized in spread or any(item.startswith(DISTANT) for item in stage)
