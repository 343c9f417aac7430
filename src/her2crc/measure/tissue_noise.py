"""How noisy a sample is, from the sample itself: its bins, its genes, its short segments.

Bins show the error within ERBB2. Neighbouring genes, which mostly share a copy number, show how far genes read apart
in this sample: GC content, fixation and capture shift whole genes, in one sample far more than in another. Short
segments show the noise of bins where a file gives no bins. Used by :mod:`tissue_reading`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import fmean, median

from her2crc.frontends.seq.profile import Bin, Segment
from her2crc.frontends.seq.terms import terms
from her2crc.measure.distributions import STANDARD
from her2crc.measure.tissue_defaults import defaults

MAD_TO_DEVIATION = 1.4826


def weighted_mean(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the weighted mean of values and its standard error from their own scatter (at least two values)."""
    total = math.fsum(weight for _, weight in values)
    mean = math.fsum(value * weight for value, weight in values) / total
    scatter = math.fsum((weight * (value - mean)) ** 2 for value, weight in values)
    return mean, math.sqrt(scatter * len(values) / (len(values) - 1)) / total


def bin_noise(bins: Sequence[Bin]) -> float:
    """Return the standard deviation of one bin from the steps between neighbours, which copy number hardly touches."""
    steps = [abs(b.log2 - a.log2) for a, b in pairwise(bins) if a.chromosome == b.chromosome]
    return MAD_TO_DEVIATION * median(steps) / math.sqrt(2) if steps else 0.0


def gene_spread(bins: Iterable[Bin]) -> tuple[float, int]:
    """Return the standard deviation of a gene's mean in this sample (log2), and from how many steps it is known.

    From the steps between neighbouring genes of an autosome outside chromosome 17: few of them cross a change of copy
    number. A high quantile of the steps is taken, not their median, since what matters are the tails.
    """
    steps = sorted(abs(b - a) for a, b in _gene_steps(bins))
    if not steps:
        return 0.0, 0
    share = defaults().gene_step_share
    wide = steps[min(int(share * len(steps)), len(steps) - 1)]
    return wide / STANDARD.inv_cdf((1 + share) / 2) / math.sqrt(2), len(steps)


def _gene_steps(bins: Iterable[Bin]) -> Iterator[tuple[float, float]]:
    """Yield the means of each two genes that follow each other on a chromosome, each of enough bins."""
    named = [
        item
        for item in bins
        if item.chromosome.isdigit()
        and item.chromosome != terms().chromosome
        and item.genes.lower() not in terms().no_genes
    ]
    for _, on_chromosome in groupby(named, key=lambda item: item.chromosome):
        genes = ([item.log2 for item in run] for _, run in groupby(on_chromosome, key=lambda item: item.genes))
        yield from pairwise(fmean(values) for values in genes if len(values) >= defaults().gene_step_bins)


def segment_bin_noise(segments: Iterable[Segment]) -> float:
    """Return the noise of one bin (log2) for a file of segments: the declared one, or more where the file shows it.

    A noisy sample falls into many segments of a few bins that lie far from zero. Only where there are enough of them,
    since a few may be real.
    """
    figures = defaults()
    short = [
        abs(math.log2(item.fold or 1)) * math.sqrt(item.bins or 1)
        for item in segments
        if (item.fold or 0) > 0
        and 0 < (item.bins or 0) <= figures.short_segment_bins
        and item.chromosome.isdigit()
        and item.chromosome != terms().chromosome
    ]
    return max(figures.bin_log2, median(short)) if len(short) >= figures.fewest_short_segments else figures.bin_log2
