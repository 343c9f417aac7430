"""Which genes were looked at in which sample: without that, no mutation in a list of mutations means nothing.

A sample counts as covered for a gene where a gene panel says so: the panel matrix or the meta file names the panel,
and the folder lists its genes. Without a matrix, a sample of the list of sequenced samples counts for the genes in
which the study reports a mutation of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from her2crc.read.cbioportal_files import Study, cell, panel_genes, read_table
from her2crc.read.cbioportal_terms import is_blank, terms

MUTATIONS = "MUTATIONS"
MAF_KIND = "MUTATION_EXTENDED:MAF"
CASE_IDS = "case_list_ids"


class Coverage(NamedTuple):
    """The panel of each sample (None: no matrix), the genes of each panel, and the sequenced samples."""

    panels: Mapping[str, str] | None
    genes: Mapping[str, frozenset[str]]
    sequenced: frozenset[str]
    common_panel: str

    def covers(self, sample_id: str, gene: str, seen: frozenset[str]) -> bool:
        """Tell whether a sample is known to have been looked at for a gene; ``seen``: genes mutated in anybody."""
        if self.panels is not None:
            return self._holds(self.panels.get(sample_id, ""), gene)
        if sample_id not in self.sequenced:
            return False
        return self._holds(self.common_panel, gene) if self.common_panel else gene in seen

    def _holds(self, panel: str, gene: str) -> bool:
        return panel.lower() in terms().whole_exome or gene in self.genes.get(panel, frozenset())


def read_coverage(study: Study) -> Coverage:
    """Read the panel matrix, the panels and the list of sequenced samples, as far as the study has them."""
    panels = _read_matrix(study, study.files["panel_matrix"]) if "panel_matrix" in study.files else None
    common = study.panels.get(MAF_KIND, "")
    return Coverage(panels, panel_genes(study.folder), _read_sequenced(study), common)


def _read_matrix(study: Study, path: str) -> dict[str, str] | None:
    table = read_table(study, path)
    sample_at, panel_at = table.first(terms().sample_id), table.first((MUTATIONS,))
    if sample_at is None or panel_at is None:
        return None
    found = ((cell(cells, sample_at), cell(cells, panel_at)) for _, cells in table.rows)
    return {sample: panel for sample, panel in found if not is_blank(panel)}


def _read_sequenced(study: Study) -> frozenset[str]:
    if "sequenced" not in study.files:
        return frozenset()
    for _, line in study.folder.lines(study.files["sequenced"]):
        key, _, names = line.partition(":")
        if key.strip().lower() == CASE_IDS:
            return frozenset(names.split())
    return frozenset()
