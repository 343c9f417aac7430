"""Mutations of a study (MAF): RAS, BRAF V600E, PIK3CA, ERBB2, and the allele fraction in plasma.

Mutant is what is written; wild type is only what a panel is known to have covered, in tissue. The fraction never comes
from ERBB2 itself, which may lie on amplified copies.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from her2crc.model.record import Issue, RawValue, SpecimenRow
from her2crc.read.cbioportal_coverage import read_coverage
from her2crc.read.cbioportal_files import Study, cell, read_table
from her2crc.read.cbioportal_samples import Clinical, Sample
from her2crc.read.cbioportal_terms import is_blank, issue, terms
from her2crc.read.columns import SPECIMEN_ID
from her2crc.read.fhir_codes import Marker, codebook
from her2crc.read.fhir_values import meanings
from her2crc.read.rows import Found

RAS = "ras"
MUTANT, WILD_TYPE = "mutant", "wild_type"
VAF, VAF_GENE = "plasma_max_vaf", "plasma_max_vaf_gene"
FRACTION_DECIMALS = 4
CODON = re.compile(r"(?:p\.)?[A-Z*](\d{1,5})")
UNCHANGED = re.compile(r"=\)?$")


class Variant(NamedTuple):
    """One somatic variant: the change of the protein as written, its kind, and its reads of either allele."""

    gene: str
    protein: str
    effect: str
    reference: int | None
    alternative: int | None
    place: str

    @property
    def changes_protein(self) -> bool:
        """Whether the protein is changed: by the kind of change, or where that is not known, by its description."""
        if UNCHANGED.search(self.protein) or self.effect in terms().not_protein_changing:
            return False
        return self.effect in terms().protein_changing or bool(self.protein)

    @property
    def fraction(self) -> Decimal | None:
        """The share of reads with the alternative allele, 0..1, rounded to ``FRACTION_DECIMALS``."""
        if self.reference is None or self.alternative is None or not self.reference + self.alternative:
            return None
        return round(Decimal(self.alternative) / (self.reference + self.alternative), FRACTION_DECIMALS)


class Mutations(NamedTuple):
    """The variants by sample, every gene with one in anybody, and whether the read counts look exchanged."""

    by_sample: dict[str, list[Variant]]
    seen: frozenset[str]
    counts_swapped: bool


def read_mutations(study: Study, clinical: Clinical) -> Iterator[Found]:
    """Yield what the mutations say, by sample; nothing where the study has no file of them."""
    if "mutations" not in study.files:
        return
    path = study.files["mutations"]
    mutations, coverage = _read_maf(study, path, clinical), read_coverage(study)
    of_patient: dict[str, list[Variant]] = defaultdict(list)
    for sample_id, variants in mutations.by_sample.items():
        of_patient[clinical.samples[sample_id].patient_id].extend(variants)
    for sample_id, sample in clinical.samples.items():
        variants = mutations.by_sample.get(sample_id, [])
        covered = partial(coverage.covers, sample_id, seen=mutations.seen)
        values, noted = _markers(sample, variants, of_patient[sample.patient_id], covered)
        if sample.in_plasma:
            fraction, more = _fraction(sample_id, variants, mutations)
            values, noted = values | fraction, noted + more
        if values or noted:
            place = variants[0].place if variants else path
            row = SpecimenRow(place, {SPECIMEN_ID: sample_id, **values})
            yield Found(place, sample.patient_id, row, tuple(noted))


def _read_maf(study: Study, path: str, clinical: Clinical) -> Mutations:
    """Keep the somatic variants that matter: of the genes of a marker, and every one of a plasma sample."""
    wanted = {gene for marker in codebook().file.markers for gene in marker.genes}
    found = Mutations(defaultdict(list), frozenset(), False)
    seen, strangers, higher = set(), set(), 0
    for sample_id, variant in _variants(study, path):
        seen.add(variant.gene)
        if variant.reference is not None and variant.alternative is not None:
            higher += 1 if variant.alternative > variant.reference else -1
        sample = clinical.samples.get(sample_id)
        if sample is not None and (variant.gene in wanted or sample.in_plasma):
            found.by_sample[sample_id].append(variant)
        elif sample is None and sample_id not in clinical.left_out:
            strangers.add(sample_id)
    if strangers:
        study.notes.append(issue("cbio_no_patient", path, what=str(len(strangers))))
    return found._replace(seen=frozenset(seen), counts_swapped=higher > 0)


def _variants(study: Study, path: str) -> Iterator[tuple[str, Variant]]:
    """Yield the sample and the content of each row that is not marked as germline or not called."""
    table, columns = read_table(study, path), terms().maf
    at = {name: table.columns.get(column) for name, column in columns.items()}
    if at["gene"] is None or at["sample"] is None:
        study.notes.append(issue("cbio_no_columns", path, what=f"{columns['gene']}, {columns['sample']}"))
        return
    for number, cells in table.rows:
        written = {name: cell(cells, position) for name, position in at.items()}
        if written["status"].lower() not in terms().not_somatic:
            yield (
                written["sample"],
                Variant(
                    written["gene"].upper(),
                    "" if is_blank(written["protein"]) else written["protein"],
                    written["effect"].lower(),
                    _count(written["reference"]),
                    _count(written["alternative"]),
                    f"{path}:{number}",
                ),
            )


def _count(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() else None


def _markers(
    sample: Sample, variants: list[Variant], of_patient: list[Variant], covered: Callable[[str], bool]
) -> tuple[dict[str, RawValue], list[Issue]]:
    """Return each marker that this sample decides; nothing found in plasma makes the tumour wild type.

    A marker that is a list of variants lists those of all samples of the patient, for it is the patient's.
    """
    values: dict[str, RawValue] = {}
    noted: list[Issue] = []
    for marker in codebook().file.markers:
        changed = [variant for variant in variants if variant.gene in marker.genes and variant.changes_protein]
        if any(_counts(marker, variant) for variant in changed):
            values[marker.field] = _described(marker, of_patient) if marker.counts == "described" else MUTANT
        elif changed and marker.field == RAS:
            noted.append(issue("cbio_ras_elsewhere", changed[0].place, what=changed[0].gene, field=RAS))
        elif not sample.in_plasma and all(map(covered, marker.genes)):
            values[marker.field] = WILD_TYPE
    return values, noted


def _counts(marker: Marker, variant: Variant) -> bool:
    """Tell whether a change of the protein makes the marker mutant."""
    if marker.field == RAS:
        codon = CODON.match(variant.protein)
        return codon is not None and codon.group(1) in terms().ras_codons
    if marker.counts == "v600e":
        return meanings(variant.protein, "v600e") == {"v600e"}
    return marker.counts == "any" or bool(variant.protein)


def _described(marker: Marker, variants: list[Variant]) -> str:
    counted = (item for item in variants if item.gene in marker.genes and item.changes_protein)
    return "; ".join(sorted({item.protein.removeprefix("p.") for item in counted if _counts(marker, item)}))


def _fraction(sample_id: str, variants: list[Variant], mutations: Mutations) -> tuple[dict[str, RawValue], list[Issue]]:
    """Return the highest allele fraction of a gene other than ERBB2."""
    read = [(share, variant) for variant in variants if (share := variant.fraction) is not None]
    if not read:
        return {}, []
    if mutations.counts_swapped:
        return {}, [issue("cbio_counts_swapped", read[0][1].place, field=VAF, specimen=sample_id)]
    others = [(share, variant) for share, variant in read if variant.gene != terms().her2_gene]
    if not others:
        return {}, [issue("cbio_only_erbb2", read[0][1].place, specimen=sample_id)]
    highest, variant = max(others, key=lambda item: item[0])
    return {VAF: highest, VAF_GENE: variant.gene}, []
