"""The words of copy-number files and the places of ERBB2, loaded once from ``knowledge/terms/seq.yaml``."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from her2crc.criteria.strict_yaml import load_strict

REFSEQ = re.compile(r"NC_0{4}0?(\d+)\.\d+")
"""A chromosome in RefSeq: its number, then the version of its sequence."""
LIST_MARKS, SUFFIX = re.compile(r"[,;|: ]"), re.compile(r"[_.(-]")
"""What stands between the genes of a label, and between a gene and its exon or transcript."""
FILE = Path(__file__).parents[2] / "knowledge" / "terms" / "seq.yaml"


class Build(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A genome build: lengths of autosomes, centromere and band 17q12 of chromosome 17, ERBB2 where a source has it.

    ``accession``: the name of chromosome 17 in RefSeq, whose version tells the build by itself.
    """

    id: str
    names: tuple[str, ...]
    accession: str
    her2: tuple[int, int] | None
    band: tuple[int, int]
    her2_source: str
    confidence: str
    centromere: tuple[int, int]
    lengths: dict[str, int]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of table: the columns by which it is known, and which column plays which role."""

    id: str
    name: str
    rows: Literal["bins", "segments", "genes", "specimens"]
    must: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    never: tuple[str, ...] = ()
    zero_based: bool = False


class VcfTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of a VCF record that carry a copy number."""

    fold: tuple[str, ...]
    copies: tuple[str, ...]
    corrected: tuple[str, ...]
    bins: tuple[str, ...]
    interval: str
    kinds: tuple[str, ...]
    purity: tuple[str, ...]
    callers_purity: tuple[str, ...]


class Beside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A caller's pair of files: endings of the names, columns, and the row (from 0) that holds the estimate."""

    copies: str
    purity_file: str
    purity: str
    ploidy: str
    row: int = 0


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    gene: str
    also: tuple[str, ...]
    chromosome: str
    sex_chromosomes: dict[str, str]
    neighbours: tuple[str, ...]
    no_genes: tuple[str, ...]
    builds: tuple[Build, ...]
    tables: tuple[Table, ...]
    headerless: tuple[str, ...]
    matrix: dict[str, tuple[str, ...]]
    calls: dict[str, str]
    discrete: tuple[str, ...]
    beside: tuple[Beside, ...]
    purity_table: dict[str, tuple[str, ...]]
    vcf: VcfTerms
    foundation: dict[str, tuple[str, ...]]

    def build(self, name: str) -> Build | None:
        """Return the build of that name or id, None where it is not known."""
        folded = name.strip().lower()
        return next((item for item in self.builds if folded == item.id or folded in item.names), None)


@lru_cache(maxsize=1)
def terms() -> Terms:
    """Return the terms, loaded once."""
    return load_strict(FILE, Terms)


def plain_chromosome(name: str) -> str:
    """Return a chromosome's name without its prefix: chr17, 17 and NC_000017.11 are the same; 23 is X."""
    if name.lower().startswith("chr"):
        return name[len("chr") :]
    accession = REFSEQ.fullmatch(name)
    plain = accession[1] if accession else name
    return terms().sex_chromosomes.get(plain, plain)


@lru_cache(maxsize=1 << 16)
def labels(genes: str) -> tuple[str, ...]:
    """Return the gene symbols of a label such as ``ERBB2,MIR4728``, ``NTRK1;SH2D2A_CGH`` or ``ERBB2-exon3``."""
    words = (SUFFIX.split(word, maxsplit=1)[0].upper() for word in LIST_MARKS.split(genes))
    return tuple(terms().gene if word in terms().also else word for word in words if word)


def names_gene(genes: str) -> bool:
    """Tell whether a label names ERBB2."""
    return terms().gene in labels(genes)
