"""All variants of a patient together: RAS, BRAF V600E, PIK3CA, ERBB2, and copies and allele fractions by specimen.

Present is a mutation of the tumour unless it is marked germline. Absent makes a gene wild type only for the whole gene
and in tissue, and a marker wild type only when all of its genes are. Which genes a marker has is data.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from her2crc.model.quantity import DIPLOID, Ratio, ratio_matches
from her2crc.read.fhir_case import FLUID, PLASMA, TISSUE, Case
from her2crc.read.fhir_codes import Code, Marker, codebook
from her2crc.read.fhir_resources import Component
from her2crc.read.fhir_values import NotRead, meanings, read_decimal
from her2crc.read.fhir_variants import Gene, Result, Variant, parts_of, read_variant

UNCHANGED = re.compile(r"=\)?$")
"""A protein change that is none, as in ``p.Gly12=``."""

PERCENT = Decimal(100)
COPIES_FIELD = {TISSUE: "ngs_copies", PLASMA: "plasma_copies"}


def read_variants(case: Case, results: Sequence[Result]) -> None:
    """Read the variants of a patient into the draft of the record."""
    if not results:
        return
    found = _Findings(case)
    for result in results:
        try:
            found.take(read_variant(result))
        except NotRead as reason:
            case.draft.note(reason.id, result.place, what=reason.what)
    for marker in codebook().file.markers:
        found.settle(marker)
    found.settle_fractions()


class _Findings:
    """What was found, by gene: places of mutations (with their description) and of 'none found'."""

    def __init__(self, case: Case) -> None:
        self.case, self.draft = case, case.draft
        self.mutated: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.wild: dict[str, list[str]] = defaultdict(list)
        self.fractions: dict[str, list[tuple[Decimal, str, str]]] = defaultdict(list)
        self.marker_of = {gene: marker for marker in codebook().file.markers for gene in marker.genes}

    def take(self, variant: Variant) -> None:
        known = [gene for gene in variant.genes if gene.known]
        in_plasma = self.case.matrix.get(variant.result.specimen) == PLASMA
        if not known and not in_plasma:
            return
        if variant.source == "germline":
            return self.note("fhir_germline", variant)
        if len(variant.genes) > 1 and variant.status != "absent":
            return self.note("fhir_several_genes", variant)
        if variant.result.code.kind == "legacy":
            self.note("fhir_legacy_code", variant, known[0].symbol)
        if in_plasma and variant.status == "present":
            self.take_fraction(variant)
        if variant.fault:
            self.note(variant.fault, variant)
        for gene in known:
            self.take_gene(variant, gene, in_plasma)

    def take_gene(self, variant: Variant, gene: Gene, in_plasma: bool) -> None:
        if gene.code_alone:
            self.note("fhir_gene_code_alone", variant, gene.symbol)
        if gene.symbol == codebook().file.her2_gene:
            self.take_copies(variant)
        if variant.of_copies and not variant.protein:
            return  # a change of copy number says nothing of the sequence
        if variant.status == "present":
            self.take_present(variant, gene.symbol)
        elif variant.status == "absent":
            self.take_absent(variant, gene.symbol, in_plasma)
        else:
            self.note("fhir_variant_status_unknown", variant, gene.symbol)

    def take_present(self, variant: Variant, gene: str) -> None:
        counts, described = self.marker_of[gene].counts, variant.described
        if variant.protein and all(UNCHANGED.search(text) for text in variant.protein):
            self.note("fhir_not_protein_changing", variant, gene)
        elif counts == "any" or (counts == "described" and described):
            self.mutated[gene].append((variant.result.place, _short(described)))
        elif described and _is_v600e(described):
            self.mutated[gene].append((variant.result.place, ""))
        else:
            self.note("fhir_other_variant" if described else "fhir_variant_unspecified", variant, gene)

    def take_absent(self, variant: Variant, gene: str, in_plasma: bool) -> None:
        is_whole = not variant.described or (self.marker_of[gene].counts == "v600e" and _is_v600e(variant.described))
        if in_plasma:
            self.note("fhir_absent_in_plasma", variant, gene)
        elif self.case.matrix.get(variant.result.specimen) == FLUID:
            self.note("fhir_absent_in_fluid", variant, gene)
        elif is_whole:
            self.wild[gene].append(variant.result.place)
        else:
            self.note("fhir_absent_one_variant", variant, gene)

    def take_copies(self, variant: Variant) -> None:
        result, parts = variant.result, parts_of(variant.result.observation.component)
        for part in parts["relative"]:
            self.take_relative(variant, part, parts["copies"])
        matrix = self.case.matrix.get(result.specimen, "")
        field = COPIES_FIELD.get(matrix, "")
        for part in parts["copies"]:
            try:
                copies = read_decimal(part, _code_of(part))
                if not field:
                    raise NotRead("fhir_fluid" if matrix == FLUID else "fhir_matrix_unknown")
                self.draft.give(result.place, field, copies, result.specimen)
            except NotRead as reason:
                self.draft.note(reason.id, result.place, field=field, specimen=result.specimen, what=reason.what)

    def take_relative(self, variant: Variant, part: Component, copies: Sequence[Component]) -> None:
        """Read a relative copy number as fold change where the absolute one shows that it is relative to two copies."""
        result = variant.result
        try:
            fold = read_decimal(part, _code_of(part))
            absolute = [read_decimal(item, _code_of(item)) for item in copies]
        except NotRead as reason:
            return self.note(reason.id, variant, reason.what)
        in_tissue = self.case.matrix.get(result.specimen) == TISSUE
        if in_tissue and absolute and all(ratio_matches(item, Ratio(fold * DIPLOID, Decimal(1))) for item in absolute):
            self.draft.give(result.place, "ngs_fold", fold, result.specimen)
        else:
            self.note("fhir_relative_copies", variant)

    def take_fraction(self, variant: Variant) -> None:
        result = variant.result
        for part in parts_of(result.observation.component)["vaf"]:
            try:
                fraction = _fraction(part)
            except NotRead as reason:
                self.draft.note(
                    reason.id, result.place, field="plasma_max_vaf", specimen=result.specimen, what=reason.what
                )
                continue
            if not variant.source:
                self.note("fhir_source_class_missing", variant)
            self.fractions[result.specimen].append((fraction, variant.genes[0].symbol, result.place))

    def settle(self, marker: Marker) -> None:
        mutated = [item for gene in marker.genes for item in self.mutated[gene]]
        wild = [gene for gene in marker.genes if self.wild[gene]]
        places = sorted(place for gene in wild for place in self.wild[gene])
        if marker.counts == "described" and mutated:
            described = "; ".join(sorted({text for _, text in mutated}))
            self.draft.give(min(place for place, _ in mutated), marker.field, described)
        else:
            for place, _ in mutated:
                self.draft.give(place, marker.field, "mutant")
        if len(wild) == len(marker.genes):
            self.draft.give(places[0], marker.field, "wild_type")
        elif wild and not mutated:
            self.draft.note("fhir_genes_missing", places[0], field=marker.field, what=wild[0])

    def settle_fractions(self) -> None:
        for specimen, found in self.fractions.items():
            highest, gene, place = min(found, key=lambda item: (-item[0], item[1], item[2]))
            self.draft.give(place, "plasma_max_vaf", highest, specimen)
            if gene:
                self.draft.give(place, "plasma_max_vaf_gene", gene, specimen)

    def note(self, id: str, variant: Variant, what: str = "") -> None:
        self.draft.note(id, variant.result.place, specimen=variant.result.specimen, what=what)


def _short(described: Sequence[str]) -> str:
    """Return a change without its reference sequence, as in ``p.Ser310Phe``."""
    return ", ".join(dict.fromkeys(text.rpartition(":")[2] for text in described))


def _is_v600e(described: Sequence[str]) -> bool:
    return any(meanings(text, "v600e") == {"v600e"} for text in described)


def _code_of(part: Component) -> Code:
    code = codebook().find(part.code)
    if code is None:
        raise NotRead("fhir_not_understood")
    return code


def _fraction(part: Component) -> Decimal:
    """Return an allele fraction 0..1; without a unit it could be either, so it is not read."""
    number, quantity = read_decimal(part, _code_of(part)), part.value_quantity
    unit = (quantity.code or quantity.unit) if quantity is not None else None
    if not unit:
        raise NotRead("fhir_vaf_unit")
    return number / PERCENT if unit == "%" else number
