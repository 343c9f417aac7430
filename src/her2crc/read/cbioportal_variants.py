"""Mutations of a study (MAF): RAS, BRAF V600E, PIK3CA, ERBB2, and the allele fraction in plasma.

Mutant is what is written; wild type is only what a panel is known to have covered, in tissue. The fraction never comes
from ERBB2 itself, which may lie on amplified copies.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from her2crc.model.record import Issue, RawValue, SpecimenRow
from her2crc.read.cbioportal_coverage import Coverage, read_coverage
from her2crc.read.cbioportal_files import Study, Table, cell, read_table
from her2crc.read.cbioportal_samples import Sample
from her2crc.read.cbioportal_terms import is_blank, issue, terms
from her2crc.read.columns import SPECIMEN_ID
from her2crc.read.fhir_codes import Marker, codebook
from her2crc.read.fhir_values import meanings
from her2crc.read.rows import Found

RAS = "ras"
MUTANT, WILD_TYPE = "mutant", "wild_type"
VAF, VAF_GENE = "plasma_max_vaf", "plasma_max_vaf_gene"
VAF_DECIMALS = 4
CODON = re.compile(r"(?:p\.)?[A-Z*](\d{1,5})")
UNCHANGED = re.compile(r"=\)?$")


class Variant(NamedTuple):
    """One somatic variant: the protein change as written, whether it changes the protein, and its read counts."""

    gene: str
    protein: str
    changes: bool
    reference: int | None
    alternative: int | None
    place: str


class Mutations(NamedTuple):
    """The variants by sample, every gene with one in anybody, and whether the read counts can be used."""

    by_sample: dict[str, list[Variant]]
    seen: frozenset[str]
    counts_swapped: bool


def read_mutations(study: Study, samples: dict[str, Sample]) -> Iterator[Found]:
    """Yield what the mutations say, by sample; nothing where the study has no file of them."""
    if "mutations" not in study.files:
        return
    path = study.files["mutations"]
    mutations = _read_maf(study, path, samples)
    coverage = read_coverage(study)
    for sample_id, sample in samples.items():
        values, noted = _of_sample(sample_id, sample, mutations, coverage)
        variants = mutations.by_sample.get(sample_id, [])
        if values or noted:
            place = min((variant.place for variant in variants), key=_line, default=path)
            row = SpecimenRow(place, {SPECIMEN_ID: sample_id, **values})
            yield Found(place, sample.patient_id, row, tuple(noted))


def _read_maf(study: Study, path: str, samples: dict[str, Sample]) -> Mutations:
    """Keep the variants that matter: of the genes of a marker, and every one of a plasma sample."""
    table, columns = read_table(study, path), terms().maf
    at = {name: table.columns.get(column) for name, column in columns.items()}
    by_sample: dict[str, list[Variant]] = defaultdict(list)
    seen, higher, lower, strangers = set(), 0, 0, set()
    if at["gene"] is None or at["sample"] is None:
        study.notes.append(issue("cbio_no_columns", path, what=f"{columns['gene']}, {columns['sample']}"))
    wanted = {gene for marker in codebook().file.markers for gene in marker.genes}
    for number, cells in table.rows if at["gene"] is not None and at["sample"] is not None else ():
        gene, sample_id = cell(cells, at["gene"]).upper(), cell(cells, at["sample"])
        sample = samples.get(sample_id)
        reference, alternative = _count(cells, at["ref"]), _count(cells, at["alt"])
        if reference is not None and alternative is not None:
            higher, lower = higher + (alternative > reference), lower + (alternative <= reference)
        if sample is None:
            strangers.add(sample_id)
        if cell(cells, at["status"]).lower() in terms().not_somatic:
            continue
        seen.add(gene)
        if sample is not None and (gene in wanted or sample.in_plasma):
            protein, effect = cell(cells, at["protein"]), cell(cells, at["effect"]).lower()
            changes = _changes_protein(protein, effect)
            variant = Variant(gene, protein, changes, reference, alternative, f"{path}:{number}")
            by_sample[sample_id].append(variant)
    if strangers and "cbio_other_tumours" not in {note.id for note in study.notes}:
        study.notes.append(issue("cbio_no_patient", path, what=str(len(strangers))))
    return Mutations(by_sample, frozenset(seen), higher > lower)
