"""The reader of Caris-like XML: HER2 on slides, ERBB2 copies and call, RAS, BRAF, PIK3CA, ERBB2 variants, MSI.

Field names are known second hand, so elements are found wherever they stand and every reading carries a warning.
Each report becomes the FHIR resources it would be (``as_fhir``). Words: ``terms/caris.yaml``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import InputError
from her2crc.model.record import PatientRecord
from her2crc.read.as_fhir import (
    ABSENT,
    COPIES,
    DNA,
    ICD10,
    IHC,
    ISH_RATIO,
    PRESENT,
    PROTEIN,
    SOURCE,
    Converted,
    loinc,
    only_meaning,
)
from her2crc.read.fhir_codes import Message, codebook, plain
from her2crc.read.fhir_resources import Coding, Concept
from her2crc.read.xml_safe import elements, local_name, read_xml, text

WORDS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "caris.yaml"
PATIENT, TEST_NAME, TEST_DETAILS = "patientinformation", "testname", "testdetails"
PLASMA = "plasma"
DAY_LENGTH = len("2026-01-31")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of the format."""

    her2_names: tuple[str, ...]
    slide_tests: tuple[str, ...]
    scores: dict[str, str]
    calls: dict[str, str]
    variants: dict[str, tuple[str, ...]]
    germline: str
    microsatellites: dict[str, str]
    messages: dict[str, Message]


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the words, loaded once."""
    return load_strict(WORDS_FILE, Words)


def read_caris(data: bytes, name: str) -> list[PatientRecord]:
    """Read the patients of a Caris-like XML file, one or several reports.

    Returns:
        One record a patient (MRN, else the report's number); a row for each specimen.

    Raises:
        InputError: not safe or well-formed XML, or no patient in it.
    """
    root = read_xml(data, name)
    reports = [item for item in root.iter() if any(local_name(part) == PATIENT for part in item)]
    if not reports:
        raise InputError("The report names no patient (patientInformation).", where=name, fix="Export it again.")
    patients: dict[str, Converted] = {}
    for number, report in enumerate(reports, 1):
        place = f"{name}:report {number}"
        mrn = text(report, "mrn")
        patient = mrn or text(report, "labreportid") or place
        converted = patients.setdefault(patient, Converted(patient, words().messages))
        converted.note("caris_unverified", place)
        if not mrn:
            converted.note("caris_no_patient", place)
        _Report(report, place, converted).read()
    return [converted.record() for converted in patients.values()]


class _Report:
    """One report as it is read; ``specimen`` is the name of its one specimen, tumour or plasma."""

    def __init__(self, report: Element, place: str, converted: Converted) -> None:
        self.report, self.place, self.converted = report, place, converted
        self.is_plasma = only_meaning(text(report, "specimentype"), "matrix") == PLASMA
        self.specimen = text(report, "specimenid") or text(report, "specimenaccessionid") or place

    def read(self) -> None:
        self.read_specimen()
        self.read_diagnosis()
        for number, test in enumerate(_tests(self.report), 1):
            self.read_test(test, f"{self.place}, test {number}")
        for item in elements(self.report, "microsatelliteinstability"):
            self.read_msi(plain(text(item, "msicall")))

    def read_specimen(self) -> None:
        kind, site = text(self.report, "specimentype"), text(self.report, "specimensite")
        day = text(self.report, "specimencollectiondate")[:DAY_LENGTH]
        types = [Concept(text=kind)] if kind else []
        self.converted.add_specimen(
            f"{self.place}, specimen", self.specimen, types, Concept(text=site) if site else None, day
        )

    def read_diagnosis(self) -> None:
        """Read the codes of the diagnosis, and the kind of tumour from its words where no code says it."""
        place = f"{self.place}, patient"
        self.converted.add_birth(place, text(self.report, "dob")[:DAY_LENGTH])
        written = (code.strip() for code in text(self.report, "icd_code").split(","))
        codes = [Coding(ICD10, code) for code in written if code]
        for number, code in enumerate(codes, 1):
            self.converted.add_diagnosis(f"{place}, diagnosis {number}", Concept((code,)))
        if any(codebook().answers["organ"].of_coding(code) for code in codes):
            return
        stated = (text(self.report, name) for name in ("lineage", "diagnosis", "pathologicdiagnosis"))
        organ = next((found for said in stated if (found := only_meaning(said, "organ"))), "")
        if organ:
            self.converted.give(place, "tumour", organ, self.specimen)
        else:
            self.note("caris_disease", place, "tumour")

    def read_test(self, test: Element, place: str) -> None:
        said = " ".join(text(test, name) for name in (TEST_NAME, "platformtechnology", "testmethodology")).casefold()
        is_slide = any(word in said for word in words().slide_tests)
        for number, item in enumerate(elements(test, "expressionalteration"), 1):
            if _is_her2(item):
                self.read_expression(item, f"{place}, expression {number}")
        for number, item in enumerate(elements(test, "copynumberalteration"), 1):
            if _is_her2(item):
                at = f"{place}, copy number {number}"
                self.read_slide(item, at) if is_slide else self.read_copies(item, at)
        for number, item in enumerate(elements(test, "genomicalteration"), 1):
            self.read_variant(item, f"{place}, variant {number}")

    def read_expression(self, item: Element, place: str) -> None:
        intensity, percent = text(item, "intensity"), text(item, "stainpercent")
        score = words().scores.get(plain(intensity))
        if score:
            self.converted.add_result(place, loinc(IHC), score, self.specimen)
        else:
            self.note("caris_intensity", place, "ihc_score")
        if percent:
            self.converted.give(place, "ihc_percent", percent, self.specimen)

    def read_slide(self, item: Element, place: str) -> None:
        ratio = text(item, "copynumberratio")
        if ratio:
            self.converted.add_result(place, loinc(ISH_RATIO), ratio, self.specimen)
        else:
            self.note("caris_slide_call", place)
        if text(item, "copynumbercounted") or text(item, "copynumbercontrol"):
            self.note("caris_counts", place)

    def read_copies(self, item: Element, place: str) -> None:
        gene = Concept(text=codebook().file.her2_gene)
        copies = text(item, "copynumber")
        if copies:
            self.converted.add_variant(place, gene, "", self.specimen, {COPIES: copies})
        said = {plain(stated) for name in ("result", "copynumbertype") if (stated := text(item, name))}
        calls = {words().calls.get(stated, "") for stated in said}
        if said and self.is_plasma:
            self.note("caris_plasma_call", place)
        elif len(calls) == 1 and "" not in calls:
            self.converted.give(place, "ngs_call", calls.pop(), self.specimen)
        elif said:
            self.note("caris_call", place, "ngs_call")

    def read_variant(self, item: Element, place: str) -> None:
        gene = only_meaning(text(item, "gene"), "gene")
        if not gene:
            return
        result, known = plain(text(item, "result")), words().variants
        presence = PRESENT if result in known[PRESENT] else ABSENT if result in known[ABSENT] else ""
        if not presence:
            self.note("caris_significance", place, what=gene)
            return
        source = plain(text(item, "genomicsource"))
        parts = {
            PROTEIN: text(item, "hgvsproteinchange"),
            DNA: text(item, "hgvscodingchange"),
            SOURCE: words().germline if words().germline in source else None,
        }
        self.converted.add_variant(place, Concept(text=gene), presence, self.specimen, parts)

    def read_msi(self, call: str) -> None:
        place = f"{self.place}, microsatelliteInstability"
        meant = words().microsatellites.get(call)
        if meant:
            self.converted.give(place, "msi", meant)
        elif call:
            self.converted.note("caris_msi", place, field="msi")

    def note(self, id: str, place: str, field: str = "", what: str = "") -> None:
        self.converted.note(id, place, field=field, specimen=self.specimen, what=what)


def _tests(report: Element) -> list[Element]:
    """Return the elements that are one test: those that name it."""
    named = (item for item in report.iter() if any(local_name(part) == TEST_NAME for part in item))
    return [item for item in named if local_name(item) != TEST_DETAILS]


def _is_her2(item: Element) -> bool:
    """Tell whether a result is of HER2: every gene or biomarker that it names must say so."""
    named = [(part.text or "").strip() for name in ("gene", "biomarkername") for part in elements(item, name)]
    stated = [plain(name) for name in named if name]
    return bool(stated) and all(name in words().her2_names for name in stated)
