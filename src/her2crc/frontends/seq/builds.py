"""Which genome build a file is on, found from the file: labelled ERBB2 rows, contig lengths, or ends of chromosomes.

Never assumed: where the file leaves it open and ERBB2 must be found by its position, the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from her2crc.errors import InputError, UsageError
from her2crc.frontends.seq.terms import Build, names_gene, plain_chromosome, terms

OPTION = "Name the build with --build (hg19, hg38 or hs1)."


def named_build(name: str) -> Build:
    """Return the build of that name.

    Raises:
        UsageError: it is not known.
    """
    build = terms().build(name)
    if build is None:
        known = ", ".join(item.id for item in terms().builds)
        raise UsageError(f"'{name}' is not a genome build that is known", fix=f"Choose one of {known}.")
    return build


def build_of_lengths(lengths: Mapping[str, int]) -> Build | None:
    """Return the build whose chromosomes have these lengths; None where none fits or none is named."""
    named = {plain_chromosome(name): length for name, length in lengths.items()}
    for build in terms().builds:
        shared = [name for name in build.lengths if name in named]
        if shared and all(named[name] == build.lengths[name] for name in shared):
            return build
    return None


def find_build(rows: Iterable[tuple[str, int, int, str]], wanted: str | None, where: str) -> Build | None:
    """Return the build of rows of chromosome, start, end and genes, None where they leave it open.

    Args:
        rows: in any order; chromosomes without prefix.
        wanted: the build that the caller names, checked against the rows.
        where: file, for messages.

    Raises:
        InputError: the rows are not on the build that was named, or on none.
    """
    known = list(rows)
    possible = [build for build in terms().builds if _can_be(build, known)]
    if _labelled(known):  # rows on the gene of a build whose place is known are not on one whose place is not
        possible = [build for build in possible if build.her2 is not None] or possible
    if wanted is not None:
        build = named_build(wanted)
        if build not in possible:
            fits = ", ".join(item.id for item in possible) or "no build that is known"
            raise InputError(
                f"The positions are not on {build.id}; they fit {fits}.",
                where=where,
                why="On the wrong build another gene would be measured.",
                fix="Leave --build out, or convert the file.",
            )
        return build
    if not possible:
        raise InputError(
            "The positions fit no genome build that is known (human hg19, hg38, T2T-CHM13).",
            where=where,
            why="ERBB2 would be looked for in the wrong place.",
            fix="Check that the file is human and was not cut or joined by mistake.",
        )
    return possible[0] if len(possible) == 1 else None


def _can_be(build: Build, rows: list[tuple[str, int, int, str]]) -> bool:
    """Whether every chromosome is long enough for its rows, and ERBB2 lies where rows are labelled with it."""
    for chromosome, group in groupby(rows, key=lambda row: row[0]):
        length = build.lengths.get(chromosome)
        if length is not None and max(end for _, _, end, _ in group) > length:
            return False
    labelled = _labelled(rows)
    first, last = build.her2 or build.band
    return not labelled or any(start <= last and end >= first for _, start, end, _ in labelled)


def _labelled(rows: list[tuple[str, int, int, str]]) -> list[tuple[str, int, int, str]]:
    return [
        (chromosome, start, end, genes)
        for chromosome, start, end, genes in rows
        if chromosome == terms().chromosome and names_gene(genes)
    ]
