"""What a profile reads for ERBB2: log2 fold with its error inside the sample, its surroundings, and the rest of chr 17.

Bins where there are any, else the segment that ERBB2 lies on, else the value of the gene. The zero is the median of the
autosomal bins outside chromosome 17, so neither X nor Y, nor a man or a woman, changes a reading.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import msgspec

from her2crc.errors import InputError
from her2crc.frontends.seq.builds import OPTION, find_build, named_build
from her2crc.frontends.seq.profile import Bin, GeneValue, Profile, Segment
from her2crc.frontends.seq.terms import Build, labels, names_gene, terms
from her2crc.measure.tissue_defaults import defaults
from her2crc.measure.tissue_noise import bin_noise, gene_spread, segment_bin_noise, weighted_mean
from her2crc.model.quantity import DIPLOID

AHEAD = 5
"""Bins that are looked at together when the end of a gained stretch is sought."""
MEGABASE = 1_000_000


class Neighbour(msgspec.Struct, frozen=True):
    """A gene near ERBB2: its fold change, how many bins it has, and whether it is gained with ERBB2."""

    gene: str
    fold: float
    bins: int | None
    gained: bool = False


class Stretch(msgspec.Struct, frozen=True):
    """Where a gain begins and ends on chromosome 17 (positions from 1), as far as the file shows it."""

    start: int
    end: int

    @property
    def megabases(self) -> float:
        """Return the length in millions of bases."""
        return (self.end - self.start + 1) / MEGABASE


class Reading(msgspec.Struct, frozen=True):
    """One reading of ERBB2. ``log2`` and ``within`` (its standard error inside the sample) are None without a number.

    ``basis``: bins, segment, gene or reported. ``tumour_copies``: as a caller corrected them for purity. ``rest``:
    median log2 of the rest of chromosome 17. ``noise``: standard deviation of one bin. ``gene_spread``: how far genes
    read apart in this sample, and from how many steps. ``shift``: by how much the file's zero was moved.
    """

    basis: str
    log2: float | None
    within: float
    bins: int | None
    tumour_copies: float | None = None
    copies: float | None = None
    call: str | None = None
    build: str | None = None
    stretch: Stretch | None = None
    neighbours: tuple[Neighbour, ...] = ()
    rest: float | None = None
    noise: float | None = None
    gene_spread: tuple[float, int] = (0.0, 0)
    shift: float = 0.0
    notes: tuple[str, ...] = ()


def read_her2(profile: Profile, build: str | None = None) -> Reading:
    """Return the reading of ERBB2 in a profile.

    Raises:
        InputError: ERBB2 cannot be found or judged, with the reason and what to do.
    """
    if profile.bins or profile.absent:
        return _from_bins(profile, build)
    if profile.segments or profile.format == "vcf":
        return _from_segments(profile)
    return _from_gene(profile)


# ---- bins


def _from_bins(profile: Profile, wanted: str | None) -> Reading:
    rules, gene = defaults(), terms().gene
    build = find_build(
        ((b.chromosome, b.start, b.end, b.genes) for b in profile.bins), wanted or profile.build, profile.file
    )
    _refuse_absent(profile, build)
    kept = [item for item in profile.bins if item.log2 >= rules.no_reads_log2 and item.weight > 0]
    here = [item for item in kept if item.chromosome == terms().chromosome]
    own = _of_gene(here, gene, build, profile)
    if len(own) < rules.fewest_bins:
        raise _too_few(profile, len(own), wanted=rules.fewest_bins)
    shift = _zero(kept, profile.file)
    log2, within = weighted_mean([(item.log2 - shift, item.weight) for item in own])
    stretch = _extent(here, own, shift, log2)
    others = [i.log2 - shift for i in here if not stretch.start <= i.start <= stretch.end and not _is_watched(i.genes)]
    return Reading(
        "bins",
        log2,
        within,
        len(own),
        build=build.id if build else None,
        stretch=stretch,
        neighbours=tuple(_neighbours(here, shift)),
        rest=median(others) if others else None,
        noise=bin_noise(kept),
        gene_spread=gene_spread(kept),
        shift=shift,
        notes=tuple(_bin_notes(profile, len(profile.bins) - len(kept), shift)),
    )


def _zero(bins: Sequence[Bin], file: str) -> float:
    """Return the median of the autosomal bins outside chromosome 17, so that no gain of ERBB2 moves it."""
    autosomal = [item for item in bins if item.chromosome.isdigit()]
    elsewhere = [item for item in autosomal if item.chromosome != terms().chromosome]
    zero = median(item.log2 for item in elsewhere or autosomal)
    if abs(zero) > defaults().coverage_shift_log2:
        raise InputError(
            f"The bins lie around log2 {zero:+.1f}: this is coverage, not a ratio against normals.",
            where=file,
            why="Without normals the differences between bins are those of the capture, not of copies.",
            fix="Send what CNVkit's `fix` wrote (.cnr), not the coverage or the reference (.cnn).",
        )
    return zero


def _refuse_absent(profile: Profile, build: Build | None) -> None:
    """A bin of ERBB2 without a number is an error: what it would have said is not known."""
    for item in profile.absent:
        if names_gene(item.genes) or (build and item.chromosome == terms().chromosome and _inside(item, build)):
            raise InputError(
                f"A bin of {terms().gene} has no log2 value that is a number.",
                where=f"{profile.file}:{item.line}",
                why="The mean of the gene would rest on fewer bins than the panel has.",
                fix="Write the file again, or leave the bin out of the panel.",
            )
    if not profile.bins:
        raise InputError("No bin has a log2 value that is a number.", where=profile.file, fix="Write the file again.")


def _inside(item: Bin | Segment, build: Build) -> bool:
    return build.her2 is not None and item.start <= build.her2[1] and item.end >= build.her2[0]


def _of_gene(here: Sequence[Bin], gene: str, build: Build | None, profile: Profile) -> list[Bin]:
    labelled = [item for item in here if names_gene(item.genes)]
    if labelled:
        return labelled
    if build is None:
        raise InputError(
            f"No bin is labelled {gene}, and the file does not show its genome build.",
            where=_with_end(profile),
            why=f"{gene} lies elsewhere in each build.",
            fix=OPTION,
        )
    _refuse_no_place(build, gene, profile.file)
    return [item for item in here if _inside(item, build)]


def _refuse_no_place(build: Build, gene: str, file: str) -> None:
    if build.her2 is None:
        raise InputError(
            f"No checked position of {gene} is known for {build.id}.",
            where=file,
            fix="Label the rows with their genes.",
        )


def _too_few(profile: Profile, count: int, wanted: int) -> InputError:
    gene = terms().gene
    what = f"No bin of {gene} was found" if not count else f"{gene} has only {count} usable bin(s); {wanted} are needed"
    return InputError(
        f"{what}.",
        where=_with_end(profile),
        why="Neither its copies nor their error can be told; what is absent is unknown.",
        fix="Check that the panel covers ERBB2 and that the file is whole.",
    )


def _with_end(profile: Profile) -> str:
    """Return the file with its last row, which shows where it may have been cut short."""
    last = (profile.bins or profile.segments)[-1]
    return f"{profile.file} (its last row is line {last.line}, chromosome {last.chromosome})"


def _extent(here: Sequence[Bin], own: Sequence[Bin], shift: float, log2: float) -> Stretch:
    """Return how far around ERBB2 the bins stay above half of its log2, looking a few bins ahead."""
    ordered = sorted(here, key=lambda item: item.start)
    first, last = (next(at for at, item in enumerate(ordered) if item is end) for end in (own[0], own[-1]))
    half = log2 / 2
    while first > 0 and _stays(ordered[max(0, first - AHEAD) : first], shift, half):
        first -= 1
    while last < len(ordered) - 1 and _stays(ordered[last + 1 : last + 1 + AHEAD], shift, half):
        last += 1
    return Stretch(ordered[first].start, ordered[last].end)


def _stays(ahead: Sequence[Bin], shift: float, half: float) -> bool:
    return half > 0 and median(item.log2 - shift for item in ahead) > half


def _is_watched(genes: str) -> bool:
    return not set(labels(genes)).isdisjoint((*terms().neighbours, terms().gene))


def _neighbours(here: Sequence[Bin], shift: float) -> Iterator[Neighbour]:
    watched: dict[str, list[float]] = {}
    for item in here:
        for gene in labels(item.genes):
            if gene in terms().neighbours:
                watched.setdefault(gene, []).append(item.log2 - shift)
    for gene, values in watched.items():
        yield Neighbour(gene, 2.0 ** (math.fsum(values) / len(values)), len(values))


def _bin_notes(profile: Profile, dropped: int, shift: float) -> Iterator[str]:
    if dropped:
        yield f"{dropped} bin(s) without reads or weight were left out."
    if profile.absent:
        first = profile.absent[0]
        yield f"{len(profile.absent)} bin(s) without a number were left out (from line {first.line} on); none of ERBB2."
    if abs(shift) > defaults().centre_shift_log2:
        yield f"The median of the autosomal bins lay at log2 {shift:+.2f}; it was taken as zero."


# ---- segments


def _from_segments(profile: Profile) -> Reading:
    gene = terms().gene
    build = named_build(profile.build) if profile.build else None
    here = [item for item in profile.segments if item.chromosome == terms().chromosome]
    own = [item for item in here if names_gene(item.genes)]
    if build is None and not own:
        raise InputError(
            f"No segment is labelled {gene}, and the file does not show its genome build.",
            where=profile.file,
            why=f"{gene} lies elsewhere in each build.",
            fix=OPTION,
        )
    if build is not None and build.her2 is not None:
        own = [item for item in own or here if _inside(item, build)]
    elif build is not None and not own:
        _refuse_no_place(build, gene, profile.file)
    if not own:
        return _without(profile, build)
    return _joined(profile, build, here, own)


def _without(profile: Profile, build: Build | None) -> Reading:
    if profile.format == "vcf":
        note = "No copy-number record covers ERBB2; a VCF may leave out what is normal and what was not looked at."
        return Reading("segment", None, 0.0, None, build=build.id if build else None, notes=(note,))
    raise InputError(
        "No segment covers ERBB2.",
        where=_with_end(profile),
        why="What is absent is unknown, not normal.",
        fix="Check that the panel covers ERBB2 and that the file is whole.",
    )


def _joined(profile: Profile, build: Build | None, here: Sequence[Segment], own: Sequence[Segment]) -> Reading:
    _refuse_no_signal([(item.fold, item.line) for item in own], profile.file)
    weights = [_overlap(item, build) for item in own]
    bins = sum(item.bins for item in own if item.bins) or None
    folds = [(item.fold, weight) for item, weight in zip(own, weights, strict=True) if item.fold]
    corrected = [(i.tumour_copies, w) for i, w in zip(own, weights, strict=True) if i.tumour_copies is not None]
    if not folds and not corrected:
        raise InputError(
            "The segment of ERBB2 has no number.",
            where=f"{profile.file}:{own[0].line}",
            why="What is absent is unknown, not normal.",
            fix="Write the file again, or test by IHC/ISH.",
        )
    given = [item.error for item in own if item.error is not None]
    others = [(math.log2(i.fold), float(i.end - i.start)) for i in here if i not in own and i.fold and i.fold > 0]
    notes = [f"ERBB2 lies across {len(own)} segments; their mean was taken."] if len(own) > 1 else []
    noise = segment_bin_noise(profile.segments)
    notes += [] if given or not folds else [_assumed_noise(noise)]
    return Reading(
        "segment",
        math.log2(_mean(folds)) if folds else None,
        max(given) if given else noise / math.sqrt(bins or defaults().fewest_bins),
        bins,
        tumour_copies=_mean(corrected) if corrected else None,
        build=build.id if build else None,
        stretch=Stretch(min(item.start for item in own), max(item.end for item in own)),
        neighbours=tuple(_on_segments(here)),
        rest=_mean(others) if others else None,
        notes=tuple(notes),
    )


def _overlap(item: Segment, build: Build | None) -> float:
    if build is None or build.her2 is None:
        return float(item.bins or 1)
    return float(min(item.end, build.her2[1]) - max(item.start, build.her2[0]) + 1)


def _mean(values: Iterable[tuple[float, float]]) -> float:
    pairs = list(values)
    return math.fsum(value * weight for value, weight in pairs) / math.fsum(weight for _, weight in pairs)


def _on_segments(here: Sequence[Segment]) -> Iterator[Neighbour]:
    for item in here:
        for gene in dict.fromkeys(labels(item.genes)):
            if gene in terms().neighbours and item.fold:
                yield Neighbour(gene, item.fold, None)


def _refuse_no_signal(folds: Iterable[tuple[float | None, int]], file: str) -> None:
    for fold, line in folds:
        if fold is not None and fold <= 0:
            raise InputError(
                "The fold change of ERBB2 is not above 0.",
                where=f"{file}:{line}",
                why="A sample holds normal cells, so some signal always remains.",
                fix="Write the fold change itself, not its logarithm.",
            )


# ---- one value of the gene


def _from_gene(profile: Profile) -> Reading:
    value = profile.genes.get(terms().gene)
    if value is None:
        note = "ERBB2 is not among the genes that the file lists."
        return Reading("gene", None, 0.0, None, notes=(note,))
    fold = value.fold if value.fold is not None else None if value.copies is None else value.copies / DIPLOID
    _refuse_no_signal([(fold, value.line)], profile.file)
    return Reading(
        "reported" if profile.format == "lab" else "gene",
        None if fold is None else math.log2(fold),
        _gene_error(value),
        value.bins,
        tumour_copies=value.tumour_copies,
        copies=value.copies,
        call=value.call,
        neighbours=tuple(
            Neighbour(gene, other.fold, other.bins)
            for gene, other in profile.genes.items()
            if gene != terms().gene and other.fold
        ),
        notes=(_assumed_noise(defaults().bin_log2),) if value.error is None and fold is not None else (),
    )


def _assumed_noise(noise: float) -> str:
    shown = "its many short segments show" if noise > defaults().bin_log2 else "the declared one is"
    return (
        f"The file does not give the noise of its bins; {shown} a standard deviation of {noise:.2f} (log2)."
        " The bins themselves (.cnr), or an interval (`cnvkit.py segmetrics --ci`), would show it."
    )


def _gene_error(value: GeneValue) -> float:
    if value.error is not None:
        return value.error
    return defaults().bin_log2 / math.sqrt(value.bins or defaults().fewest_bins)
