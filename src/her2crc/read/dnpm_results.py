"""Results of one DNPM record: HER2 by immunohistochemistry, variants, ERBB2 copies, tumour cell content, MSI."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Context, InvalidOperation

from her2crc.read.as_fhir import COPIES, DNA, FRACTION, GENE, IHC, PRESENT, PROTEIN, Converted, loinc, part
from her2crc.read.dnpm_words import Object, change_of, code_of, gene_of, objects, owner_of, results_of, text_of, words
from her2crc.read.fhir_codes import codebook
from her2crc.read.fhir_resources import Concept, Quantity
from her2crc.read.fhir_values import NotRead
from her2crc.read.fhir_variants import gene_of as checked_gene

BINARY = Context(prec=15)
"""Digits that a number of a computer surely has; those beyond are noise of its conversion to text."""
PLASMA = "plasma"


class Results:
    """Reads the results of one record; tumour cell content waits until all of its estimates are seen."""

    def __init__(self, converted: Converted, matrix: Mapping[str, str]) -> None:
        self.converted, self.matrix = converted, matrix
        self.contents: dict[str, list[tuple[str, str, str]]] = defaultdict(list)

    def take_expression(self, report: Object, place: str) -> None:
        """Read the expression of HER2; the model has 1+ to 3+, but neither 0 nor a percentage at the score."""
        specimen = _specimen(report)
        for number, item in enumerate(results_of(report, "proteinExpression"), 1):
            at = f"{place}, proteinExpression {number}"
            protein = next(iter(objects(item, "protein")), {})
            if self.symbol(gene_of(protein), at, specimen) != codebook().file.her2_gene:
                continue
            score = words().expression.get(code_of(item, "value"), "")
            if score.endswith("+"):
                self.converted.add_result(at, loinc(IHC), Concept(text=score), specimen)
            else:
                self.note("dnpm_expression", at, specimen, "ihc_score")
            if code_of(item, "tcScore") or text_of(item, "tpsScore"):
                self.note("dnpm_bands", at, specimen)

    def take_sequencing(self, report: Object, place: str) -> None:
        """Read variants and copy numbers of a sequencing report, and what it was made with."""
        specimen = _specimen(report)
        kits = [text_of(item, "kitType") for item in objects(report, "metadata")]
        assay = "; ".join(dict.fromkeys(kit for kit in kits if kit))
        if assay:
            field = "plasma_assay" if self.matrix.get(specimen) == PLASMA else "ngs_assay"
            self.converted.give(place, field, assay, specimen)
        for number, variant in enumerate(results_of(report, "simpleVariants"), 1):
            self.take_variant(variant, f"{place}, simpleVariant {number}", specimen)
        for number, variant in enumerate(results_of(report, "copyNumberVariants"), 1):
            self.take_copies(variant, f"{place}, copyNumberVariant {number}", specimen)

    def take_variant(self, variant: Object, at: str, specimen: str) -> None:
        """Read one variant; a benign one is no mutation, and does not make the gene wild type."""
        gene = gene_of(next(iter(objects(variant, "gene")), {}))
        if code_of(variant, "interpretation").casefold() in words().benign:
            symbol = self.symbol(gene, at, specimen)
            if symbol:
                self.note("dnpm_benign", at, specimen, what=symbol)
            return
        parts = {
            PROTEIN: change_of(variant, "proteinChange") or change_of(variant, "aminoAcidChange") or None,
            DNA: change_of(variant, "dnaChange") or None,
            FRACTION: _fraction(text_of(variant, "allelicFrequency")),
        }
        self.converted.add_variant(at, gene, PRESENT, specimen, parts)

    def take_copies(self, variant: Object, at: str, specimen: str) -> None:
        """Read the copies of a segment that the report says ERBB2 is affected by."""
        for gene in map(gene_of, objects(variant, "reportedAffectedGenes")):
            if self.symbol(gene, at, specimen) != codebook().file.her2_gene:
                continue
            copies = _rounded(text_of(variant, "totalCopyNumber"))
            if copies:
                self.converted.add_variant(at, gene, "", specimen, {COPIES: copies})
            if text_of(variant, "relativeCopyNumber"):
                self.note("dnpm_relative", at, specimen)
            if code_of(variant, "type") in words().gains:
                self.note("dnpm_gain", at, specimen)

    def take_microsatellites(self, finding: Object, place: str) -> None:
        """Read the interpretation of a test of microsatellites or mismatch repair."""
        stated = code_of(finding, "interpretation")
        meant = words().microsatellites.get(stated)
        if meant:
            self.converted.give(place, "msi", meant)
        elif stated:
            self.converted.note("dnpm_msi", place, field="msi")

    def take_content(self, report: Object, place: str) -> None:
        """Note an estimate of tumour cell content, with its method."""
        for item in results_of(report, "tumorCellContent"):
            found = _rounded(text_of(item, "value"))
            if found:
                self.contents[_specimen(item) or _specimen(report)].append((code_of(item, "method"), found, place))

    def settle_content(self) -> None:
        """Give each specimen one tumour cell content: the pathologist's, else the first; in plasma, the computed."""
        order = words().tumour_content
        for specimen, found in self.contents.items():
            is_plasma = self.matrix.get(specimen) == PLASMA
            first = order.second if is_plasma else order.first
            usable = [item for item in found if item[0] == first] or ([] if is_plasma else found)
            if not usable:
                continue
            _, value, place = usable[0]
            self.converted.give(place, "tumour_fraction" if is_plasma else "tumour_purity", value, specimen)
            stated = list(dict.fromkeys(value for _, value, _ in found))
            if len(stated) > 1:
                self.note("dnpm_content", place, specimen, what=" and ".join(stated))

    def symbol(self, gene: Concept, place: str, specimen: str) -> str:
        """Return the gene where its number and name agree and it is one that is read."""
        try:
            found = checked_gene(part(GENE, gene))
        except NotRead as reason:
            if reason.id == "fhir_gene_contradiction":
                self.note("dnpm_gene", place, specimen)
            return ""
        return found.symbol if found.known else ""

    def note(self, id: str, place: str, specimen: str, field: str = "", what: str = "") -> None:
        """Add a remark on a result of a specimen."""
        self.converted.note(id, place, field=field, specimen=specimen, what=what)


def _specimen(item: Object) -> str:
    return owner_of(item, "specimen")


def _rounded(written: str) -> str:
    """Return a number without the digits that a computer's number cannot hold; anything else as it is written."""
    try:
        return f"{BINARY.create_decimal(written):f}"
    except (InvalidOperation, ValueError):
        return written


def _fraction(written: str) -> Quantity | None:
    try:
        return Quantity(value=BINARY.create_decimal(written), unit="1") if written else None
    except (InvalidOperation, ValueError):
        return None
