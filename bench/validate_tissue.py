"""Do the numbers of ``measure tissue`` hold what they claim? Real normals, simulated gains, peers on the same inputs.

The noise is real (41 normal samples of one panel, each measured against the others); every gain is simulated by adding
its log2 shift to the bins, since no amplified sample of this kind is public. ``rows(seed)`` gives one dict a figure,
``plots(folder)`` the pictures; bench/validate.py puts both on its page.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np

import her2crc
from her2crc.frontends.seq.matrix import Coverage, read_coverage
from her2crc.frontends.seq.profile import Bin, Profile
from her2crc.frontends.seq.tables import read_header
from her2crc.measure import tissue_panel
from her2crc.measure.distributions import STANDARD, Normal, student_factor
from her2crc.measure.tissue_copies import Tumour, copies_interval, copies_of, fold_of, gain_threshold
from her2crc.measure.tissue_defaults import defaults
from her2crc.measure.tissue_input import _text
from her2crc.measure.tissue_noise import weighted_mean
from her2crc.measure.tissue_reading import read_her2

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
NORMALS = SHARED / "cnvkit" / "melanoma293_target_log2_N.tsv.gz"
COHORT = SHARED / "cohort_origimed"
LEVEL, NORMAL_95 = 0.95, STANDARD.inv_cdf(0.975)
PURITIES, COPIES = (0.1, 0.2, 0.3, 0.5, 0.8), (4, 6, 8, 10, 20, 50)
GENE, FEWEST_BINS, SEED = "ERBB2", 10, 20261123
DRAWS, UNSURE_DRAWS = 4000, 400
PEER_STEP = 2  # CNVkit takes about a second a sample, so it runs on every second normal
FALSE_POSITIVE = 0.01
NORMAL, CLONAL = "normals", "CNVkit call -m clonal (copies)"
ABOUT = """\
The bins of each normal are compared with the other normals, corrected for GC content, and read as a file of bins is.
Bins alone cover the truth about half of the time where they claim 95 %; with the spread of the gene between samples the
intervals hold. Every gene of the panel with at least 10 bins stands for ERBB2 where more errors are needed than 41
samples give. Peers run on the same bins. CNVkit's default segmentation (CBS) needs R, which is not there, so `hmm` is
used. PureCN's rule for low purity (a gene's bins against their spread in normals) is re-expressed from its published
description, not run. Each method's cut-off is the one that 1 % of the normals' genes pass. CNVkit's peers ran on every
second normal (21 of 41) and took their cut-off from the genes of chromosomes 7 and 17 only, so their figures are less
sure than the others': one normal more or less is 0.05.

A file of bins without a panel has only itself. So each normal is also given as a `.cnr`, against the median of the
others, with and without correction for GC content, and read by the declared default alone and as shipped, where the
sample's own genes show how far genes read apart in it ([decision 0027](../decisions/0027-what-the-sample-shows.md)).
"""
Row = dict[str, Any]
Reading = tuple[float, float]  # log2 and its standard error within the sample


@cache
def coverage() -> Coverage:
    """Return the normals' coverage."""
    lines = _text(NORMALS).splitlines()
    return read_coverage(lines, read_header(lines), NORMALS.name)


@lru_cache(maxsize=4)
def normals(alike: int | None = None) -> list[Profile]:
    """Return each normal against the others: the most alike as shipped, or another number of them."""
    if alike is not None:
        changed = msgspec.structs.replace(defaults(), alike_normals=alike)
        tissue_panel.defaults = lambda: changed
    try:
        panel = tissue_panel.learn_coverage(coverage(), None)
        return [profile for profile, _ in tissue_panel.coverage_profiles(coverage(), panel)]
    finally:
        tissue_panel.defaults = defaults


def gene_readings(profiles: list[Profile]) -> dict[str, list[Reading]]:
    """Return every autosomal gene with enough bins, read in every normal as ERBB2 is."""
    readings: dict[str, list[Reading]] = {}
    for profile in profiles:
        kept = [item for item in profile.bins if item.log2 >= defaults().no_reads_log2 and item.chromosome.isdigit()]
        shift, by_gene = median(item.log2 for item in kept), {}
        for item in kept:
            by_gene.setdefault(item.genes, []).append((item.log2 - shift, item.weight))
        for gene, bins in by_gene.items():
            readings.setdefault(gene, []).append(weighted_mean(bins) if len(bins) >= FEWEST_BINS else (math.nan, 0))
    count = len(profiles)
    return {
        gene: values
        for gene, values in readings.items()
        if len(values) == count and not any(math.isnan(log2) for log2, _ in values)
    }


@cache
def readings_of(alike: int | None = None) -> dict[str, list[Reading]]:
    """Return the genes of the normals, read against the most alike as shipped, or another number of them."""
    return gene_readings(normals(alike))


def left_out(readings: list[Reading]) -> list[tuple[float, float, float]]:
    """Return of each sample log2 beyond the other normals' middle, the full standard error, and that within."""
    found = []
    for at, (log2, within) in enumerate(readings):
        others = tuple(
            tissue_panel.Normal(str(number), str(number), *item) for number, item in enumerate(readings) if number != at
        )
        spread = tissue_panel.Panel(others).spread()
        error = math.hypot(within, spread.between) * student_factor(spread.freedom, LEVEL)
        found.append((log2 - spread.shift, error, within))
    return found


def figure(quantity: str, setting: str, value: float, count: int, holds: bool | None = None) -> Row:
    """Return one line of the page."""
    return {"quantity": quantity, "setting": setting, "value": round(value, 4), "of": count, "holds": holds}


def within_sampling_error(share: float, count: int) -> bool:
    """Tell whether a coverage is 93-97 %, give or take two standard errors of that many independent trials."""
    allowed = 2 * math.sqrt(LEVEL * (1 - LEVEL) / count)
    return 0.93 - allowed <= share <= 0.97 + allowed


# ---- the normals, leave one out


def normal_rows() -> Iterator[Row]:
    """Coverage of the intervals on the normals, each measured against the others."""
    for name, alike in (("all other normals", 40), ("the 8 most alike (as shipped)", None)):
        readings = readings_of(alike)
        for genes, wanted in (("ERBB2", [GENE]), (f"all {len(readings)} genes", list(readings))):
            scored = [item for gene in wanted for item in left_out(readings[gene])]
            inside = sum(abs(log2) <= NORMAL_95 * within for log2, _, within in scored) / len(scored)
            full = sum(abs(log2) <= NORMAL_95 * error for log2, error, _ in scored) / len(scored)
            independent = len(coverage().samples)
            yield figure("coverage on normals, bins alone", f"{genes}, {name}", inside, len(scored))
            good = within_sampling_error(full, independent)
            yield figure("coverage on normals, with between-sample spread", f"{genes}, {name}", full, len(scored), good)
        own = left_out(readings[GENE])
        yield figure("median error of log2", f"ERBB2, {name}", median(abs(log2) for log2, _, _ in own), len(own))
    false = sum(log2 > gain_threshold(error) for log2, error, _ in left_out(readings_of()[GENE]))
    yield figure("false positives on the normals", "ERBB2", false, len(coverage().samples), false == 0)


# ---- the normals as files of bins, without a panel


def bin_files(*, corrected: bool) -> Iterator[Profile]:
    """Yield each normal's bins against the median of the others, flat weights, with or without GC correction."""
    levels = np.array(coverage().log2).T
    autosomal = np.array([place[0].isdigit() for place in coverage().places])
    levels = levels - np.median(levels[:, autosomal], axis=1)[:, None]
    for at, name in enumerate(coverage().samples):
        ratio = levels[at] - np.median(np.delete(levels, at, axis=0), axis=0)
        if corrected:
            ratio = tissue_panel._without_gc(np, ratio, np.array(coverage().gc), autosomal)
        rows = zip(coverage().places, ratio.tolist(), strict=True)
        bins = tuple(Bin(*place, log2, 1.0, line) for line, (place, log2) in enumerate(rows, 2))
        yield Profile(name, "", "cnvkit_bins", name, bins=bins)


def file_rows() -> Iterator[Row]:
    """Coverage and false positives of ERBB2 in files of bins without a panel, by the default alone and as shipped."""
    figures = defaults()
    for corrected in (True, False):
        read = [read_her2(profile) for profile in bin_files(corrected=corrected)]
        alone = tissue_panel.Spread(0.0, figures.between_sample_log2, figures.between_freedom, "")
        for name, spreads in (
            ("the default alone", [alone] * len(read)),
            ("as shipped", [tissue_panel.spread_without_panel(item) for item in read]),
        ):
            setting = f"{'corrected' if corrected else 'not corrected'} for GC, {name}"
            factor = student_factor(figures.between_freedom, LEVEL)
            scored = [
                (item.log2 or 0.0, math.hypot(item.within, spread.between) * factor)
                for item, spread in zip(read, spreads, strict=True)
            ]
            count, shipped = len(scored), name == "as shipped"
            inside = sum(abs(log2) <= NORMAL_95 * error for log2, error in scored) / count
            good = within_sampling_error(inside, count) if shipped else None
            yield figure("coverage on normals, files of bins without a panel", setting, inside, count, good)
            false = sum(log2 > gain_threshold(error) for log2, error in scored)
            good = false == 0 if shipped else None
            yield figure("false positives, files of bins without a panel", setting, false, count, good)


# ---- simulated gains


@cache
def noise() -> list[tuple[float, float]]:
    """Return real errors of log2 with their stated standard error: every gene of every normal."""
    readings = readings_of()
    return [(log2, error) for values in readings.values() for log2, error, _ in left_out(values)]


def gain_rows(seed: int) -> Iterator[Row]:
    """Coverage and error of copies per tumour cell, by purity and copies."""
    random = np.random.default_rng(seed)
    errors = []
    for purity in PURITIES:
        for copies in (2, *COPIES):
            setting = f"purity {purity}, {copies} copies"
            draws = [noise()[at] for at in random.integers(len(noise()), size=DRAWS)]
            exact = Tumour(Normal(purity, 0.0, "logit"), Normal(2.0, 0.0))
            share = _covered(copies, [(purity, exact)] * DRAWS, draws)
            yield figure("coverage of copies, purity exact", setting, share, DRAWS, within_sampling_error(share, DRAWS))
            own = [_error(copies, purity, log2) for log2, _, _ in left_out(readings_of()[GENE])]
            if purity >= 0.2 and copies >= 6:
                errors += own
            if copies > 2:
                yield figure("median error of copies, ERBB2", setting, median(own), len(own))
    yield figure(
        "median error of copies, ERBB2",
        "purity >= 0.2, 6 copies or more",
        median(errors),
        len(errors),
        median(errors) <= 0.05,
    )
    for purity in (0.2, 0.5):
        for copies in (2, 8, 20):
            share = _unsure(copies, purity, random)
            setting = f"purity {purity} and ploidy uncertain as declared, {copies} copies"
            good = within_sampling_error(share, UNSURE_DRAWS)
            yield figure("coverage of copies, purity uncertain", setting, share, UNSURE_DRAWS, good)


def _covered(copies: float, cases: list[tuple[float, Tumour]], draws: list[tuple[float, float]]) -> float:
    held = 0
    for (purity, tumour), (log2, error) in zip(cases, draws, strict=True):
        read = Normal(fold_of(copies, purity) * 2.0**log2, error, "log2")
        low, high = copies_interval(read, tumour, LEVEL)
        held += low <= copies <= high
    return held / len(draws)


def _error(copies: float, purity: float, log2: float) -> float:
    return abs(copies_of(fold_of(copies, purity) * 2.0**log2, purity) - copies) / copies


def _unsure(copies: float, purity: float, random: np.random.Generator) -> float:
    """Draw the true purity and ploidy around what is stated, and count how often the wide interval holds the truth."""
    held = 0
    odds, doubt = math.log(purity / (1 - purity)), defaults()
    stated = Tumour(Normal(purity, doubt.purity_log_odds, "logit"), Normal(doubt.ploidy, doubt.ploidy_deviation))
    for at in random.integers(len(noise()), size=UNSURE_DRAWS):
        log2, error = noise()[at]
        true = 1 / (1 + math.exp(-random.normal(odds, doubt.purity_log_odds)))
        ploidy = random.normal(doubt.ploidy, doubt.ploidy_deviation)
        low, high = copies_interval(Normal(fold_of(copies, true, ploidy) * 2.0**log2, error, "log2"), stated, LEVEL)
        held += low <= copies <= high
    return held / UNSURE_DRAWS


# ---- peers: one run, identical inputs


@cache
def scores() -> dict[str, dict[str, list[float]]]:
    """Return by method the scores of the normals' genes (under "normals") and of each simulated gain by setting."""
    profiles, readings = normals(), readings_of()
    found: dict[str, dict[str, list[float]]] = {}

    def add(method: str, setting: str, values: list[float]) -> None:
        found.setdefault(method, {}).setdefault(setting, []).extend(values)

    spread = {gene: left_out(values) for gene, values in readings.items()}
    peers_on = range(0, len(profiles), PEER_STEP)
    for at, profile in enumerate(profiles):
        for gene in readings:
            log2, error, _ = spread[gene][at]
            for method, value in _plain(log2, error, profile, gene, readings[gene][at][0]).items():
                add(method, NORMAL, [value])
        for method, by_setting in _cnvkit(profile, 0.0, PURITIES[:4]).items() if at in peers_on else ():
            for setting, values in by_setting.items():
                add(method, setting, values)
    for purity in PURITIES[:4]:
        for copies in COPIES[:5]:
            shift = math.log2(fold_of(copies, purity))
            for at, profile in enumerate(profiles):
                log2, error, _ = spread[GENE][at]
                setting = f"{purity}/{copies}"
                raw = readings[GENE][at][0] + shift
                for method, value in _plain(log2 + shift, error, profile, GENE, raw, shift).items():
                    add(method, setting, [value])
                for method, values in _cnvkit(profile, shift, (purity,)).items() if at in peers_on else ():
                    add(method, setting, next(iter(values.values())))
    return found


def _plain(log2: float, error: float, profile: Profile, gene: str, raw: float, shift: float = 0.0) -> dict[str, float]:
    """Return this project's score, the plain fold change, and PureCN's rule for low purity re-expressed."""
    return {
        "her2crc": log2 / error,
        "plain fold change": raw,
        "PureCN low-purity rule (re-expressed)": _stouffer(profile, gene, shift),
    }


def _stouffer(profile: Profile, gene: str, shift: float) -> float:
    """Return the gene's bins against each bin's own spread in normals, joined: the p-value of PureCN's rule as a z."""
    spreads = bin_spreads()
    own = [(item.log2 + shift) / sd for item, sd in zip(profile.bins, spreads, strict=True) if item.genes == gene]
    return sum(own) / math.sqrt(len(own))


@cache
def bin_spreads() -> list[float]:
    """Return each bin's spread in the normals."""
    levels = np.array([[item.log2 for item in profile.bins] for profile in normals()])
    spread = 1.4826 * np.median(np.abs(levels - np.median(levels, axis=0)), axis=0)
    return [float(value) for value in np.maximum(spread, 0.05)]


def _cnvkit(profile: Profile, shift: float, purities: tuple[float, ...]) -> dict[str, dict[str, list[float]]]:
    """Return CNVkit's scores on the bins of chromosome 17: genemetrics, segmetrics --ci, call -m clonal."""
    import pandas
    from cnvlib.call import do_call
    from cnvlib.cnary import CopyNumArray
    from cnvlib.reports import do_genemetrics
    from cnvlib.segmentation import do_segmentation
    from cnvlib.segmetrics import do_segmetrics

    chromosomes = {"17"} if shift else {"17", "7"}
    kept = [b for b in profile.bins if b.chromosome in chromosomes and b.log2 >= defaults().no_reads_log2]
    kept.sort(key=lambda item: (item.chromosome, item.start))
    table = pandas.DataFrame(
        {
            "chromosome": [f"chr{b.chromosome}" for b in kept],
            "start": [b.start - 1 for b in kept],
            "end": [b.end for b in kept],
            "gene": [b.genes for b in kept],
            "log2": [b.log2 + (shift if b.genes == GENE else 0.0) for b in kept],
            "depth": [100.0] * len(kept),
            "weight": [b.weight for b in kept],
        }
    )
    bins = CopyNumArray(table, {"sample_id": profile.specimen_id})
    segments = do_segmentation(bins, "hmm")
    limits = do_segmetrics(bins, segments, interval_stats=["ci"]).data
    called = {purity: do_call(segments, method="clonal", purity=purity).data for purity in purities}
    genes = do_genemetrics(bins, threshold=-100.0, min_probes=FEWEST_BINS)
    wanted = [GENE] if shift else [gene for gene in set(genes["gene"]) if gene in readings_of()]
    middles = {gene: table[table.gene == gene][["chromosome", "start"]].pipe(_middle_row) for gene in wanted}
    on = {gene: _row_at(limits, place.chromosome, place.start) for gene, place in middles.items()}
    own = dict(zip(genes["gene"], genes["log2"], strict=True))
    return {
        "CNVkit genemetrics": {NORMAL: [float(own.get(gene, 0.0)) for gene in wanted]},
        "CNVkit segmetrics --ci (lower end)": {NORMAL: [float(limits["ci_lo"].iloc[on[gene]]) for gene in wanted]},
        CLONAL: {
            f"{NORMAL} at {purity}": [float(table["cn"].iloc[on[gene]]) for gene in wanted]
            for purity, table in called.items()
        },
    }


def _middle_row(rows: Any) -> Any:
    return rows.iloc[len(rows) // 2]


def _row_at(segments: Any, chromosome: str, start: int) -> int:
    inside = (segments["chromosome"] == chromosome) & (segments["start"] <= start) & (segments["end"] > start)
    return int(np.flatnonzero(inside.to_numpy())[0]) if inside.any() else 0


def peer_rows() -> Iterator[Row]:
    """Sensitivity at 1 % false positives (from the same normals' genes) by purity and copies, by method."""
    for method, by_setting in scores().items():
        normal = {setting: values for setting, values in by_setting.items() if setting.startswith(NORMAL)}
        cuts = {
            name: float(np.quantile(values, 1 - FALSE_POSITIVE, method="higher")) for name, values in normal.items()
        }
        for setting, values in by_setting.items():
            if setting not in normal:
                cut = cuts.get(f"{NORMAL} at {setting.split('/')[0]}", cuts.get(NORMAL))
                found = sum(value > cut for value in values) / len(values)
                yield figure("sensitivity at 1 % false positives", f"{method}|{setting}", found, len(values))


# ---- a cohort, and speed


def cohort_rows() -> Iterator[Row]:
    """The OrigiMed matrix: time, and its colorectal calls."""
    knowledge = her2crc.load_knowledge()
    started = time.process_time()
    matrix, clinical = COHORT / "data_cna_log2.txt", COHORT / "data_clinical_sample.txt"
    measured = {item.specimen_id: item for item in her2crc.measure_tissue(matrix, knowledge, purities=clinical)}
    seconds = time.process_time() - started
    yield figure("CPU seconds, OrigiMed matrix", f"{len(measured)} tumours with a column, of 10,194", seconds, 1)
    lines = (COHORT / "crc_erbb2_subset.tsv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    table = [dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:]]
    called = {row["SAMPLE_ID"] for row in table if row["log2_ERBB2"] and float(row["log2_ERBB2"]) > 0}
    seen = {row["SAMPLE_ID"] for row in table if (item := measured.get(row["SAMPLE_ID"])) and item.gain_seen}
    yield figure("OrigiMed colorectal calls", "called, and seen here", len(called & seen), len(called), called == seen)


def speed_rows() -> Iterator[Row]:
    """A .cnr of 27,000 bins from cold, as a command."""
    profile = normals()[0]
    bins = [item for item in profile.bins if item.chromosome not in "XY"]
    lines = ["chromosome\tstart\tend\tgene\tlog2\tdepth\tweight"]
    while len(lines) <= 27_000:
        lines += [
            f"chr{b.chromosome}\t{b.start - 1}\t{b.end}\t{b.genes}\t{b.log2:.6g}\t100\t{b.weight:.4g}" for b in bins
        ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.cnr"
        path.write_text("\n".join(lines[:27_001]) + "\n")
        command = [sys.executable, "-m", "her2crc", "measure", "tissue", str(path), "--purity", "0.3"]
        command = [str(Path(sys.executable).with_name("her2crc")), *command[3:]]
        subprocess.run(command, capture_output=True, check=True)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            times.append(time.perf_counter() - started)
    yield figure("wall seconds from cold", ".cnr of 27,000 bins", median(times), len(times), median(times) < 1)


def rows(seed: int = SEED) -> list[Row]:
    """Return every figure."""
    return [*normal_rows(), *file_rows(), *gain_rows(seed), *peer_rows(), *cohort_rows(), *speed_rows()]


def plots(folder: Path, found: list[Row]) -> list[Path]:
    """Draw coverage on the normals, the error of copies, and sensitivity by method."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "her2crc"
    folder.mkdir(parents=True, exist_ok=True)
    drawings = {"tissue_normals.svg": _draw_normals, "tissue_sensitivity.svg": _draw_sensitivity}
    written = []
    for name, draw in drawings.items():
        drawing = draw(plt, found)
        drawing.savefig(folder / name, metadata={"Date": None})
        plt.close(drawing)
        written.append(folder / name)
    return written


def _draw_normals(plt: Any, _: list[Row]) -> Any:
    """Each normal's ERBB2 with both intervals: all should reach 0."""
    drawing, axis = plt.subplots(figsize=(9, 4.2), layout="constrained")
    scored = sorted(left_out(readings_of()[GENE]))
    for at, (log2, error, within) in enumerate(scored):
        axis.plot([at, at], [log2 - NORMAL_95 * error, log2 + NORMAL_95 * error], color="#9db7c6", linewidth=2)
        axis.plot([at, at], [log2 - NORMAL_95 * within, log2 + NORMAL_95 * within], color="#b4511f", linewidth=4)
        axis.plot(at, log2, "o", color="#1c2b33", markersize=3)
    axis.axhline(0, color="#1c2b33", linewidth=0.8)
    axis.set_xlabel("41 normal samples, each against the others")
    axis.set_ylabel("log2 of ERBB2 (truth: 0)")
    axis.set_title(
        "Bins alone (dark) miss the truth; with the spread between samples (light) they hold it", fontsize=10
    )
    return drawing


def _draw_sensitivity(plt: Any, found: list[Row]) -> Any:
    drawing, axes = plt.subplots(1, 4, figsize=(13, 4), sharey=True, layout="constrained")
    values = {i["setting"]: i["value"] for i in found if i["quantity"] == "sensitivity at 1 % false positives"}
    methods = list(dict.fromkeys(setting.split("|")[0] for setting in values))
    for axis, purity in zip(axes, PURITIES[:4], strict=True):
        for method in methods:
            heights = [values[f"{method}|{purity}/{copies}"] for copies in COPIES[:5]]
            axis.plot(
                COPIES[:5], heights, marker="o", markersize=3, label=method, linewidth=2.4 if method == "her2crc" else 1
            )
        axis.set_title(f"purity {purity}", fontsize=10)
        axis.set_xlabel("copies per tumour cell")
        axis.grid(color="#d5dde3", linewidth=0.6)
    axes[0].set_ylabel("seen, at 1 % false positives")
    axes[-1].legend(frameon=False, fontsize=7, loc="lower right")
    return drawing


if __name__ == "__main__":
    for item in rows():
        print(*item.values(), sep="\t")
