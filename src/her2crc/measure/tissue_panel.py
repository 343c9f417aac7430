"""What a panel of normals teaches: how far ERBB2 reads apart between samples that all have two copies.

Bins of one sample agree with each other far better than samples do (GC content, fixation, capture), so an interval from
bins alone covers the truth about half of the time. The spread of the gene between normals is the missing part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from statistics import fmean, median
from typing import Any

import msgspec

from her2crc.errors import InputError, MissingExtraError, OutputError, UsageError
from her2crc.frontends.seq.matrix import Coverage
from her2crc.frontends.seq.profile import Bin, Profile
from her2crc.frontends.seq.terms import terms
from her2crc.measure.tissue_defaults import defaults
from her2crc.measure.tissue_noise import MAD_TO_DEVIATION
from her2crc.measure.tissue_reading import Reading, read_her2

DIGITS = 4
STEADY = 0.8
"""Share of the bins, the steadiest in normals, on which samples are compared."""
STRATA = 40
"""Groups of bins of like GC content, whose medians are the trend that is taken away."""
SPREAD_FLOOR = 0.1
"""Added to a bin's own spread before it becomes a weight, so that no bin counts alone."""


class Normal(msgspec.Struct, frozen=True):
    """One normal sample: its reading, and a hash of what it was read from so that it is never its own standard."""

    specimen_id: str
    digest: str
    log2: float
    within: float


class Reference(msgspec.Struct, frozen=True):
    """Coverage of each normal, to compare a sample's coverage with: ``levels`` has a row a normal, log2, centred."""

    places: list[tuple[str, int, int, str]]
    gc: list[float]
    digests: list[str]
    levels: list[list[float]]


class Spread(msgspec.Struct, frozen=True):
    """The spread that a measurement uses: ``shift`` (median log2 of normals), ``between`` (deviation beyond the bins).

    ``freedom``: degrees of freedom of ``between``; ``source``: where it comes from, in words.
    """

    shift: float
    between: float
    freedom: int
    source: str


class Panel(msgspec.Struct, frozen=True):
    """A panel of normals; ``reference`` only where it was learned from coverage."""

    normals: tuple[Normal, ...]
    reference: Reference | None = None

    def spread(self, but: str = "") -> Spread:
        """Return the spread between the normals, without the one whose digest is ``but``.

        The deviation is that of a further sample from their median (times the root of 1 + 1/n), less what the bins
        explain by themselves.
        """
        used = [item for item in self.normals if item.digest != but]
        middle = median(item.log2 for item in used)
        total = math.fsum((item.log2 - middle) ** 2 for item in used) / (len(used) - 1) * (1 + 1 / len(used))
        between = math.sqrt(max(0.0, total - fmean(item.within**2 for item in used)))
        return Spread(middle, between, len(used) - 1, f"panel of {len(used)} normals")


def spread_without_panel(reading: Reading) -> Spread:
    """Return the declared spread, or what the sample's own genes show where they show more, or are many."""
    figures = defaults()
    own, steps = reading.gene_spread
    few = steps < figures.fewest_gene_steps
    floor = figures.between_sample_log2 if few else figures.least_between_log2
    declared = f"declared {'default' if few else 'least'}"
    source = declared if own < floor else f"shown by this sample's own genes ({steps} steps)"
    return Spread(0.0, max(own, floor), figures.between_freedom, f"{source}, no panel of normals")


def learn_panel(profiles: Iterable[tuple[Profile, str]], build: str | None, where: str) -> Panel:
    """Learn the spread from normals, each with the digest of its file.

    Raises:
        InputError: too few normals, or one that cannot be judged.
    """
    normals = tuple(_normal(profile.specimen_id, digest, read_her2(profile, build)) for profile, digest in profiles)
    return Panel(_enough(normals, where))


def _normal(name: str, digest: str, reading: Reading) -> Normal:
    if reading.log2 is None:
        raise InputError(f"The normal '{name}' has no value for ERBB2.", fix="Take it out of the panel.")
    return Normal(name, digest, reading.log2, reading.within)


def _enough(normals: tuple[Normal, ...], where: str) -> tuple[Normal, ...]:
    fewest = defaults().fewest_normals
    if len(normals) < fewest:
        raise InputError(
            f"The panel has {len(normals)} normal(s); {fewest} are needed.",
            where=where,
            why="A spread from fewer would say little.",
            fix="Add normals that were sequenced and processed as the tumours are, or leave the panel out.",
        )
    return normals


def learn_coverage(coverage: Coverage, build: str | None) -> Panel:
    """Learn a reference and the spread from a matrix of normals; each is read against the others only.

    Raises:
        MissingExtraError: numpy is not installed.
        InputError: too few normals.
    """
    names = coverage.samples
    _enough(tuple(Normal(name, "", 0.0, 0.0) for name in names), coverage.file)
    levels = _levels(import_numpy(coverage.file), coverage)
    digests = [digest_of(coverage, at) for at in range(len(names))]
    reference = Reference(coverage.places, coverage.gc, digests, levels.round(DIGITS).tolist())
    compared = _compared(coverage, reference)
    return Panel(
        tuple(_normal(item.specimen_id, digest, read_her2(item, build)) for item, digest in compared), reference
    )


def coverage_profiles(coverage: Coverage, panel: Panel) -> list[tuple[Profile, str]]:
    """Return each sample of a matrix against the normals most like it, with its digest; a normal never against itself.

    Raises:
        MissingExtraError: numpy is not installed.
        InputError: the panel was not learned from coverage, or from other bins.
    """
    reference = panel.reference
    if reference is None or [tuple(place) for place in reference.places] != coverage.places:
        raise InputError(
            "The panel of normals was not learned from the same bins.",
            where=coverage.file,
            why="Coverage can only be compared bin by bin.",
            fix="Learn the panel from a matrix of normals with the same rows.",
        )
    return _compared(coverage, reference)


def _compared(coverage: Coverage, reference: Reference) -> list[tuple[Profile, str]]:
    numpy = import_numpy(coverage.file)
    levels, normals = _levels(numpy, coverage), numpy.array(reference.levels)
    found = []
    for at, name in enumerate(coverage.samples):
        digest = digest_of(coverage, at)
        others = normals[[own != digest for own in reference.digests]]
        bins = _bins(numpy, reference, levels[at], others)
        found.append((Profile(name, "", "coverage", coverage.file, bins=bins), digest))
    return found


def digest_of(coverage: Coverage, at: int) -> str:
    """Return a hash of one column of a matrix."""
    return sha256(repr([row[at] for row in coverage.log2]).encode()).hexdigest()


def import_numpy(where: str) -> Any:
    """Return numpy.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import numpy
    except ImportError:
        raise MissingExtraError(
            "Coverage of a whole panel needs numpy, which is not installed.",
            where=where,
            fix="Run: pip install 'her2crc[measure]'.",
        ) from None
    return numpy


def _levels(numpy: Any, coverage: Coverage) -> Any:
    """Return log2 coverage with a row a sample, each with the median of its autosomal bins at 0."""
    levels = numpy.array(coverage.log2).T
    return levels - numpy.median(levels[:, _autosomal(numpy, coverage.places)], axis=1)[:, None]


def _autosomal(numpy: Any, places: list[tuple[str, int, int, str]]) -> Any:
    return numpy.array([place[0].isdigit() for place in places])


def _bins(numpy: Any, reference: Reference, level: Any, normals: Any) -> tuple[Bin, ...]:
    """Return a sample's bins against the median of the normals most like it; steady bins weigh more.

    Likeness is the median distance over the steady bins outside chromosome 17, so that no gain of ERBB2 enters it.
    """
    autosomal = _autosomal(numpy, reference.places)
    spread = MAD_TO_DEVIATION * numpy.median(numpy.abs(normals - numpy.median(normals, axis=0)), axis=0)
    elsewhere = autosomal & numpy.array([place[0] != terms().chromosome for place in reference.places])
    steady = elsewhere & (spread <= numpy.quantile(spread, STEADY))
    distances = numpy.median(numpy.abs(normals[:, steady] - level[steady]), axis=1)
    ratio = level - numpy.median(normals[numpy.argsort(distances)[: defaults().alike_normals]], axis=0)
    if reference.gc:
        ratio = _without_gc(numpy, ratio, numpy.array(reference.gc), autosomal)
    weights = 1 / (spread**2 + SPREAD_FLOOR**2)
    rows = zip(reference.places, ratio.tolist(), (weights / weights.max()).tolist(), strict=True)
    return tuple(Bin(*place, log2, weight, line) for line, (place, log2, weight) in enumerate(rows, 2))


def _without_gc(numpy: Any, ratio: Any, gc: Any, autosomal: Any) -> Any:
    """Take away the trend over GC content: medians of equal groups, joined by straight lines."""
    order = numpy.argsort(numpy.where(autosomal, gc, numpy.inf), kind="stable")[: int(autosomal.sum())]
    groups = numpy.array_split(order, STRATA)
    return ratio - numpy.interp(gc, [numpy.median(gc[g]) for g in groups], [numpy.median(ratio[g]) for g in groups])


def write_panel(panel: Panel | None, path: str | Path) -> None:
    """Write a panel to a JSON file. It holds readings of normals, and of the samples only their names.

    Raises:
        UsageError: there is no panel to save.
        OutputError: the file cannot be written.
    """
    if panel is None:
        raise UsageError("there is no panel of normals to save", fix="Name the normals with --panel-of-normals.")
    try:
        Path(path).write_bytes(msgspec.json.encode(panel))
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", where=str(path)) from None


def load_panel(data: bytes, where: str) -> Panel:
    """Read a panel that was saved.

    Raises:
        InputError: the file is no panel.
    """
    try:
        panel = msgspec.json.decode(data, type=Panel)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError(
            "This is no panel of normals that was saved.", where=where, fix="Make it with --save-panel."
        ) from None
    _enough(panel.normals, where)
    return panel
