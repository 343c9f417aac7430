"""The reader of FoundationOne XML: ERBB2 copies and call, RAS, BRAF, PIK3CA, ERBB2 variants, MSI, tumour content.

Each report becomes the FHIR resources it would be (``as_fhir``). A gene that is not listed is unknown; it is wild type
only where the report names it as a pertinent negative and quality control passed. Words: ``terms/foundation.yaml``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import InputError
from her2crc.model.record import PatientRecord
from her2crc.read.as_fhir import ABSENT, COPIES, PRESENT, PROTEIN, Converted, only_meaning
from her2crc.read.fhir_codes import Message, codebook
from her2crc.read.fhir_resources import Concept
from her2crc.read.xml_safe import attribute, child, elements, local_name, read_xml, text

WORDS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "foundation.yaml"
NUMBER = re.compile(r"\d{1,3}(\.\d{1,9})?")
PLASMA, TISSUE, OTHER = "plasma", "tissue", "other"


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of the format."""

    liquid_tests: tuple[str, ...]
    other_diseases: tuple[str, ...]
    reported: tuple[str, ...]
    amplification: str
    quality: dict[str, tuple[str, ...]]
    messages: dict[str, Message]


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the words, loaded once."""
    return load_strict(WORDS_FILE, Words)


def read_foundation(data: bytes, name: str) -> list[PatientRecord]:
    """Read the patients of a FoundationOne XML file, one or several reports.

    Returns:
        One record a patient (MRN, else the report's number); a row for each specimen.

    Raises:
        InputError: not safe or well-formed XML, or no variant-report in it.
    """
    root = read_xml(data, name)
    reports = elements(root, "resultsreport") or [root]
    patients: dict[str, Converted] = {}
    for number, report in enumerate(reports, 1):
        variants = child(report, "variant-report")
        if variants is not None:
            _read_report(report, variants, f"{name}:report {number}", patients)
    if not patients:
        raise InputError(
            "The report holds no results that can be read (variant-report).",
            where=name,
            fix="Ask for the XML with its structured results, not only the PDF.",
        )
    return [converted.record() for converted in patients.values()]


def _read_report(report: Element, variants: Element, place: str, patients: dict[str, Converted]) -> None:
    mrn = text(report, "mrn")
    number = text(report, "reportid") or attribute(variants, "test-request") or attribute(variants, "specimen")
    patient = mrn or number or place
    converted = patients.setdefault(patient, Converted(patient, words().messages))
    if not mrn:
        converted.note("foundation_no_patient", place)
    _Report(report, variants, place, converted).read()


class _Report:
    """One report as it is read; ``specimen`` is its name, ``is_plasma`` what was tested."""

    def __init__(self, report: Element, variants: Element, place: str, converted: Converted) -> None:
        self.report, self.variants, self.place, self.converted = report, variants, place, converted
        self.specimen = attribute(variants, "specimen") or text(report, "sampleid") or place
        test = (attribute(variants, "test-type") or text(report, "testtype")).casefold()
        self.is_plasma = any(word in test for word in words().liquid_tests)

    def read(self) -> None:
        self.read_specimen()
        status = attribute(child(self.variants, "quality-control"), "status").casefold()
        if status not in (*words().quality["pass"], *words().quality["qualified"]):
            self.note("foundation_quality", "quality-control")
            return
        self.read_assay()
        for number, item in enumerate(elements(self.variants, "short-variant"), 1):
            self.read_short_variant(item, self.at(f"short-variant {number}"))
        for number, item in enumerate(elements(self.variants, "copy-number-alteration"), 1):
            if attribute(item, "gene").upper() == codebook().file.her2_gene:
                self.read_copies(item, self.at(f"copy-number-alteration {number}"))
        self.read_msi()
        if status in words().quality["pass"]:
            self.read_negatives()
        else:
            self.note("foundation_qualified", "quality-control")

    def read_specimen(self) -> None:
        place = self.at("specimen")
        self.converted.add_birth(self.at("patient"), text(self.report, "dob"))
        site = text(self.report, "specsite")
        self.converted.add_specimen(
            place,
            self.specimen,
            [Concept(text=PLASMA if self.is_plasma else TISSUE)],
            Concept(text=site) if site and not self.is_plasma else None,
            text(self.report, "colldate"),
        )
        tumour = self.tumour()
        if tumour:
            self.converted.give(place, "tumour", tumour, self.specimen)
        else:
            self.note("foundation_disease", "specimen", "tumour")

    def tumour(self) -> str:
        """Return the kind of tumour by the vendor's disease, else by the diagnosis that was submitted."""
        stated = [attribute(self.variants, key) for key in ("disease", "disease-ontology", "pathology-diagnosis")]
        for disease in [*stated, text(self.report, "submitteddiagnosis")]:
            organ = only_meaning(disease, "organ")
            if organ:
                return organ
            if any(word in disease.casefold() for word in words().other_diseases):
                return OTHER
        return ""

    def read_assay(self) -> None:
        place = self.at("variant-report")
        assay = attribute(self.variants, "test-type") or text(self.report, "testtype")
        if assay:
            self.converted.give(place, "plasma_assay" if self.is_plasma else "ngs_assay", assay, self.specimen)
        estimates = [attribute(self.variants, key) for key in ("percent-tumor-nuclei", "purity-assessment")]
        found = [estimate for estimate in estimates if NUMBER.fullmatch(estimate)]
        if found and not self.is_plasma:
            self.converted.give(place, "tumour_purity", f"{found[0]}%", self.specimen)
            if len(set(found)) > 1:
                self.note("foundation_purity", "variant-report", what=" and ".join(found))

    def read_short_variant(self, item: Element, place: str) -> None:
        gene = only_meaning(attribute(item, "gene"), "gene")
        if not gene:
            return
        if attribute(item, "status").casefold() not in words().reported or _is_true(item, "equivocal"):
            self.converted.note("foundation_significance", place, specimen=self.specimen, what=gene)
            return
        change = attribute(item, "protein-effect")
        self.converted.add_variant(
            place, Concept(text=gene), PRESENT, self.specimen, {PROTEIN: f"p.{change}" if change else None}
        )

    def read_copies(self, item: Element, place: str) -> None:
        gene = Concept(text=codebook().file.her2_gene)
        if attribute(item, "copy-number"):
            self.converted.add_variant(place, gene, "", self.specimen, {COPIES: attribute(item, "copy-number")})
        else:
            self.converted.note("foundation_no_copies", place, specimen=self.specimen)
        if attribute(item, "ratio"):
            self.converted.note("foundation_coverage_ratio", place, specimen=self.specimen)
        if attribute(item, "type").casefold() != words().amplification:
            self.converted.note("foundation_other_change", place, specimen=self.specimen)
        elif self.is_plasma:
            self.converted.note("foundation_plasma_call", place, specimen=self.specimen)
        else:
            call = "equivocal" if _is_true(item, "equivocal") else "amplified"
            self.converted.give(place, "ngs_call", call, self.specimen)

    def read_msi(self) -> None:
        status = attribute(child(self.variants, "microsatellite-instability"), "status")
        meant = only_meaning(status, "msi")
        if meant:
            self.converted.give(self.at("microsatellite-instability"), "msi", meant)
        elif status:
            self.note("foundation_msi", "microsatellite-instability", "msi")

    def read_negatives(self) -> None:
        """Read the genes that the report names as looked for and without an alteration."""
        for number, item in enumerate(elements(self.report, "pertinentnegative"), 1):
            gene = only_meaning(text(item, "gene") or (item.text or "").strip(), "gene")
            if gene:
                place = self.at(f"{local_name(item)} {number}")
                self.converted.add_variant(place, Concept(text=gene), ABSENT, self.specimen)

    def at(self, part: str) -> str:
        return f"{self.place}, {part}"

    def note(self, id: str, part: str, field: str = "", what: str = "") -> None:
        self.converted.note(id, self.at(part), field=field, specimen=self.specimen if field != "msi" else "", what=what)


def _is_true(item: Element, name: str) -> bool:
    return attribute(item, name).casefold() == "true"
