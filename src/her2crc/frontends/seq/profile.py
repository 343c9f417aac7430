"""What a file says of one sample's copy numbers: bins, segments or values of genes, each with its line."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from her2crc.errors import InputError


class Bin(NamedTuple):
    """One stretch that was counted. ``chromosome`` without "chr"; ``log2`` against a diploid normal."""

    chromosome: str
    start: int
    end: int
    genes: str
    log2: float
    weight: float
    line: int


class Segment(NamedTuple):
    """One stretch of equal copy number; ``fold`` is diluted by normal cells, ``tumour_copies`` is not.

    ``bins`` is how many bins it was joined from, ``error`` the standard error of log2 where the file gives one.
    """

    chromosome: str
    start: int
    end: int
    genes: str
    fold: float | None
    tumour_copies: float | None
    bins: int | None
    error: float | None
    line: int


class GeneValue(NamedTuple):
    """What the file says of one gene: ``fold`` and ``copies`` diluted by normal cells, ``tumour_copies`` not.

    ``call`` is the source's own word (amplified, not_amplified); ``error`` the standard error of log2 fold.
    """

    fold: float | None
    copies: float | None
    tumour_copies: float | None
    call: str | None
    bins: int | None
    error: float | None
    line: int


class Profile(msgspec.Struct, frozen=True):
    """One sample. ``build`` is None where the file does not show it; ``purity`` 0..1 as the file states it.

    ``format`` is the id of the table; ``notes`` are what a person must know about the file. ``absent`` lists the
    lines on which a log2 value is missing or no number. ``problem``: why this sample of many cannot be used.
    """

    specimen_id: str
    patient_id: str
    format: str
    file: str
    build: str | None = None
    bins: tuple[Bin, ...] = ()
    segments: tuple[Segment, ...] = ()
    genes: dict[str, GeneValue] = {}
    purity: float | None = None
    ploidy: float | None = None
    notes: tuple[str, ...] = ()
    absent: tuple[Bin, ...] = ()
    problem: InputError | None = None
