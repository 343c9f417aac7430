"""What a sample shows of its own noise: genes that read apart widen the interval, and so do many short segments."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from statistics import median

import pytest

import her2crc

KNOWLEDGE = her2crc.load_knowledge()
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "cnvkit"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the development data are not beside the repository")
HEADER = "chromosome\tstart\tend\tgene\tlog2\tweight"


def bins(spread: float, genes: int = 30, level: float = 0.0, label: str = "G{}") -> bytes:
    """Bins of genes that read apart by ``spread``; ERBB2 reads 1."""
    draw, rows = random.Random(4), [HEADER]
    for chromosome in (1, 2, 3):
        for gene in range(genes):
            own = draw.gauss(level * (gene >= genes // 2), spread)
            name = label.format(gene)
            start = 10_000_000 + gene * 1_000_000
            rows += [
                f"chr{chromosome}\t{start + at * 900}\t{start + at * 900 + 200}\t{name}\t{draw.gauss(own, 0.1)}\t1"
                for at in range(8)
            ]
    rows += [f"chr17\t{at}00\t{at}50\tERBB2\t{draw.gauss(1, 0.1)}\t1" for at in range(378560, 378580)]
    return "\n".join(rows).encode()


def measured(data: bytes):
    return her2crc.measure_tissue(data, KNOWLEDGE, name="x.cnr")[0]


def test_genes_that_read_apart_widen_the_interval() -> None:
    quiet, loud = measured(bins(0.02)), measured(bins(0.3))
    assert quiet.log2_error_between == 0.09 and "declared least" in quiet.between_source
    assert loud.log2_error_between == pytest.approx(0.3, rel=0.25)
    assert "own genes" in loud.between_source
    assert measured(bins(0.02, genes=6)).log2_error_between == 0.11  # too few genes to go below the default


def test_a_change_of_copy_number_between_genes_is_not_noise() -> None:
    assert measured(bins(0.02, level=0.8)).log2_error_between == 0.09


def test_bins_outside_of_genes_tell_nothing() -> None:
    assert measured(bins(0.3, label="Antitarget")).log2_error_between == 0.11


@needs_shared
def test_real_normals_without_a_panel_are_covered_though_nothing_was_corrected_in_them() -> None:
    """Each of 41 normals against the median of the others, no correction for GC: the default alone covered 28."""
    with gzip.open(SHARED / "melanoma293_target_log2_N.tsv.gz", "rt") as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle][1:]
    levels = [[float(cell) for cell in row[5:]] for row in rows]
    middles = [median(column) for column in zip(*levels, strict=True)]
    covered = false = 0
    for at, middle in enumerate(middles):
        text = [HEADER]
        for row, level in zip(rows, levels, strict=True):
            log2 = level[at] - middle - median(level[other] - middles[other] for other in range(41) if other != at)
            text.append("\t".join([*row[:4], f"{log2:.5f}", "1"]))
        found = her2crc.measure_tissue("\n".join(text).encode(), KNOWLEDGE, name="n.cnr")[0]
        covered += found.fold_interval[0] <= 1 <= found.fold_interval[1]
        false += bool(found.gain_seen)
    assert covered >= 37 and false == 0


def segments(short: int, log2: float) -> bytes:
    rows = ["chromosome\tstart\tend\tgene\tlog2\tprobes", "chr1\t0\t100000000\t-\t0\t900"]
    rows += [f"chr2\t{at}000000\t{at}500000\t-\t{log2 * (-1) ** at}\t2" for at in range(1, short + 1)]
    return "\n".join([*rows, "chr17\t37000000\t38500000\tERBB2\t0.5\t30"]).encode()


def test_many_short_segments_far_from_zero_are_noise() -> None:
    few, many, near = (measured(segments(*item)) for item in ((9, 1.5), (12, 1.5), (12, 0.1)))
    assert few.gain_seen and near.gain_seen and not many.gain_seen
    assert many.log2_error_within == pytest.approx(1.5 * 2**0.5 / 30**0.5)
    assert few.log2_error_within == near.log2_error_within == pytest.approx(0.25 / 30**0.5, abs=1e-6)


@needs_shared
def test_a_real_noisy_file_of_segments_calls_no_gain_that_its_bins_do_not_support() -> None:
    found = her2crc.measure_tissue(SHARED / "amplicon.cns", KNOWLEDGE)[0]
    assert found.fold > 1.4 and not found.gain_seen
    with pytest.raises(her2crc.errors.InputError, match="too noisy"):
        her2crc.measure_tissue(SHARED / "amplicon.cnr", KNOWLEDGE)
