"""One file of any known kind into profiles, by its content: tables, matrices, VCF; the name only names the sample."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import PurePath

from msgspec import structs

from her2crc.errors import InputError
from her2crc.frontends.seq.builds import build_of_lengths, find_build, named_build
from her2crc.frontends.seq.matrix import is_coverage, is_gene_matrix, read_gene_matrix
from her2crc.frontends.seq.profile import Profile
from her2crc.frontends.seq.tables import find_table, read_header, read_table, without_header
from her2crc.frontends.seq.terms import Build, terms
from her2crc.frontends.seq.vcf import read_vcf

SAM = re.compile(r"@SQ\tSN:(\S+)\tLN:(\d+)")
VCF = "##fileformat=VCF"
ENDINGS = re.compile(
    r"(\.(gz|txt|tsv|csv|vcf|seg|cnr|cns|call|xml|bam|genes?|cnv|gene|somatic|purple|cncf|bintest))+$", re.IGNORECASE
)
READABLE = (
    "Read are: CNVkit (.cnr, .cns, .call.cns), GATK, SEG, VCF with copy numbers, FoundationOne XML, gene and segment"
    " tables of FACETS, PureCN, PURPLE and Sequenza, cBioPortal copy numbers (wide, long), and a table (text or Excel)"
    " with the columns specimen_id and ngs_fold or ngs_copies; each also as .gz."
)


def specimen_of(file: str) -> str:
    """Return the name of a sample from the name of its file."""
    name = PurePath(file).name
    return ENDINGS.sub("", name) or name


def _id(build: Build | None) -> str | None:
    return build.id if build else None


def _stated_build(lines: list[str], text: str) -> str | None:
    """Return the build that a table names itself: by lengths in a header as of SAM, or by RefSeq's chromosome 17."""
    lengths = {
        m[1]: int(m[2]) for line in takewhile(lambda line: line.startswith("@"), lines) if (m := SAM.match(line))
    }
    by_accession = next((build for build in terms().builds if build.accession in text), None)
    return _id(build_of_lengths(lengths) or by_accession)


def _on_build(profiles: list[Profile], wanted: str | None, stated: str | None, file: str) -> list[Profile]:
    """Find the build of segments from all samples of the file together: one sample alone may leave it open."""
    if wanted and stated and named_build(wanted).id != stated:
        raise InputError(f"The file says {stated}, not {wanted}.", where=file, fix="Leave --build out.")
    rows = [(item.chromosome, item.start, item.end, item.genes) for profile in profiles for item in profile.segments]
    found = _id(find_build(rows, wanted or stated, file)) if rows else stated
    return [structs.replace(item, build=found) for item in profiles] if found else profiles


def read_profiles(text: str, file: str, build: str | None = None) -> list[Profile]:
    """Read every sample of a file that is text.

    Args:
        text: what the file holds.
        file: its name, for messages and for the sample where the file names none.
        build: the genome build, where the caller names it.

    Raises:
        InputError: the file is of no known kind, or damaged (with the line).
        MissingExtraError: pysam is not installed, for VCF.
    """
    if text.startswith(VCF):
        return read_vcf(text.encode(), file, specimen_of(file), build)
    lines = text.splitlines()
    header = read_header(lines)
    if len(header.names) == 1:  # no tab, comma or semicolon: columns may stand apart by spaces
        lines = ["\t".join(line.split()) for line in lines]
        header = read_header(lines)
    header = without_header(header) or header
    table = find_table(header)
    if table is not None:
        profiles = read_table(lines, header, table, file, specimen_of(file))
        if len(lines) <= header.line:
            raise InputError("The table has columns but no row.", where=file, fix="Copy the file again.")
        return _on_build(profiles, build, _stated_build(lines, text), file)
    if is_gene_matrix(header):
        return read_gene_matrix(lines, header, file)
    if is_coverage(header):
        raise InputError(
            "This is a matrix of coverage, which can only be judged against normals.",
            where=file,
            fix="Name the matrix of the normals with --panel-of-normals.",
        )
    raise InputError("The file is of no kind that is known to hold copy numbers.", where=file, fix=READABLE)
