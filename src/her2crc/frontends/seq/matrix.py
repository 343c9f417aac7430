"""Matrices with a column a sample: log2 coverage of a panel's bins, or copy numbers of genes (cBioPortal, wide)."""

from __future__ import annotations

from typing import NamedTuple

from her2crc.errors import InputError
from her2crc.frontends.seq.profile import GeneValue, Profile
from her2crc.frontends.seq.tables import Header, number, value_of
from her2crc.frontends.seq.terms import labels, plain_chromosome, terms

COVERAGE, GENES, LINEAR, MUTATIONS = "coverage", "genes", "linear", "mutations"


class Coverage(NamedTuple):
    """Log2 coverage of a panel's bins before any correction: ``log2`` has a row a bin, a column a sample.

    ``places`` holds chromosome, start, end and genes of each bin, ``gc`` its GC content (empty where not given).
    """

    samples: list[str]
    places: list[tuple[str, int, int, str]]
    gc: list[float]
    log2: list[list[float]]
    file: str


def is_coverage(header: Header) -> bool:
    """Tell whether a table is a matrix of coverage: places, then one column a sample."""
    places = [name for name in terms().matrix[COVERAGE] if name != "gc"]
    samples = [name for name in header.names if name not in terms().matrix[COVERAGE]]
    return header.names[: len(places)] == places and len(samples) > 1 and not {"log2", "depth"} & set(samples)


def is_gene_matrix(header: Header) -> bool:
    """Tell whether a table is a matrix of cBioPortal or GISTIC: a row a gene, a column a sample, and no mutations."""
    about = terms().matrix[GENES]
    if set(terms().matrix[MUTATIONS]) & set(header.names):
        return False
    return bool(set(header.names[:1]) & set(about)) and len(set(header.names) - set(about)) > 0


def read_coverage(lines: list[str], header: Header, file: str) -> Coverage:
    """Read a matrix of log2 coverage.

    Raises:
        InputError: a row is cut short or holds something that is no number.
    """
    names = lines[header.line - 1].rstrip("\r\n").split(header.separator)
    first = 1 + max(header.names.index(name) for name in terms().matrix[COVERAGE] if name in header.names)
    gc_at = header.names.index("gc") if "gc" in header.names else None
    places, gc, log2 = [], [], []
    for line, text in enumerate(lines[header.line :], header.line + 1):
        cells = text.rstrip("\r\n").split(header.separator)
        if not text.strip():
            continue
        values = [number(cell) for cell in cells[first:]]
        if len(cells) != len(names) or None in values:
            raise InputError(
                "The row is cut short or holds something that is no number.",
                where=f"{file}:{line}",
                fix="Copy the file again from where it was made.",
            )
        places.append((plain_chromosome(cells[0]), int(cells[1]) + 1, int(cells[2]), cells[3]))
        log2.append([value for value in values if value is not None])
        if gc_at is not None:
            gc.append(float(cells[gc_at]))
    return Coverage(names[first:], places, gc, log2, file)


def read_gene_matrix(lines: list[str], header: Header, file: str) -> list[Profile]:
    """Read ERBB2 and its neighbours of every sample of a cBioPortal matrix; only their rows are unpacked.

    Raises:
        InputError: there is no row of ERBB2, a row is cut short, or the file is named as one of linear values.
    """
    if any(word in file.lower() for word in terms().matrix[LINEAR]):
        raise InputError(
            "The name of the file says that its values are linear, and which number means two copies is not stated.",
            where=file,
            why="Read as log2, a linear value would become a far too high copy number.",
            fix="Use the study's log2 file, or a table with ngs_copies or ngs_fold.",
        )
    separator, about = header.separator, terms().matrix[GENES]
    names = lines[header.line - 1].rstrip("\r\n").split(separator)
    samples = [(at, name or f"column {at + 1}") for at, name in enumerate(names) if header.names[at] not in about]
    wanted = {terms().gene, *terms().neighbours}
    rows: dict[str, tuple[int, list[str]]] = {}
    for line, text in enumerate(lines[header.line :], header.line + 1):
        symbols = [symbol for cell in text.split(separator, 2)[:2] for symbol in labels(cell.strip("\"'"))]
        for gene in wanted.intersection(symbols):
            rows[gene] = (line, text.rstrip("\r\n").split(separator))
    if terms().gene not in rows:
        raise InputError(f"The matrix has no row of {terms().gene}.", where=file, fix="Ask for the whole matrix.")
    cut = next((line for line, cells in rows.values() if len(cells) != len(names)), None)
    if cut is not None:
        raise InputError("The row is cut short.", where=f"{file}:{cut}", fix="Copy the file again.")
    return [_sample(name, at, rows, file) for at, name in samples]


def _sample(name: str, at: int, rows: dict[str, tuple[int, list[str]]], file: str) -> Profile:
    genes = {}
    for gene, (line, cells) in rows.items():
        fold, call = value_of(cells[at].strip(), f"{file}:{line}, column {name}")
        genes[gene] = GeneValue(fold, None, None, call, None, None, line)
    return Profile(name, "", "cbioportal_wide", file, genes=genes)
