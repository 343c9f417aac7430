"""Do the intervals of counted nuclei, of plasma and of follow-up hold what they claim? Simulated truth, seeded.

All of it is simulated: the tumours are invented, and say so. `rows(seed)` gives one dict an interval and setting,
`plots(folder)` the pictures; bench/validate.py puts both on its page. Alone: `.venv/bin/python bench/validate_ish.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2crc.flow import load_knowledge
from her2crc.follow.changes import changes_of
from her2crc.follow.figures import Noise, assay_noise, follow_figures
from her2crc.measure.ish_figures import figures
from her2crc.measure.ish_interval import Moments, mean_interval, moments_of, ratio_interval
from her2crc.model.dilution import adjusted_interval
from her2crc.model.follow import Point
from her2crc.model.proportion import exact_interval, student_quantile

Array = NDArray[Any]
Interval = tuple[float, float] | None
LEVEL = 0.95
NUCLEI = (20, 40, 60, 100)
REPEATS, BOOTSTRAPS, BOOTSTRAP_REPEATS = 2000, 400, 400
SEED = 20261122
MINORITIES = {"half amplified": 0.5, "30 % amplified": 0.3, "15 % amplified": 0.15}
ABOUT = """\
Everything here is simulated: no public table of counted nuclei in colorectal cancer was found. Nuclei are drawn for
seven invented tumours, from one with no amplification to mixtures in which 15, 30 or 50 % of the nuclei are amplified.
Fieller, delta and bootstrap stand beside the interval that is shipped (decision 0021), which claims 93 to 97 %; where
few nuclei of 20 are amplified none holds, and `measure ish` says so. Copies per tumour cell in plasma use Fieller's
interval. For follow-up a false call is a change called beyond noise where the value did not change (decision 0022).
Three standard errors of the simulation are allowed, since some 100 figures are looked at.
"""
SLACK = 3
"""Standard errors of the simulation that are allowed."""

COMPARED = ("fieller", "delta_log", "bootstrap")
TUMOURS = ("not amplified", "borderline", "amplified", "polysomy", *MINORITIES)


def draw(tumour: str, shape: tuple[int, int], random: np.random.Generator) -> tuple[Array, Array]:
    """Return HER2 and CEP17 signals of nuclei: overdispersed where amplified, correlated in polysomy."""

    def spread(mean: float, size: float) -> Array:
        return random.poisson(random.gamma(size, mean / size, shape))

    normal = random.binomial(2, 0.9, shape)
    if tumour == "not amplified":
        return normal, random.binomial(2, 0.88, shape)
    if tumour == "borderline":
        return spread(4.2, 8), spread(2.1, 12)
    control = 1 + random.binomial(2, 0.4, shape)
    if tumour == "amplified":
        return spread(14, 4), control
    if tumour == "polysomy":
        ploidy = random.gamma(10, 0.1, shape)
        return random.poisson(5 * ploidy), random.poisson(4.6 * ploidy)
    return np.where(random.random(shape) < MINORITIES[tumour], spread(14, 4), normal), control


def means_of(tumour: str) -> tuple[float, float]:
    """Return the true mean HER2 and CEP17 signals."""
    share = MINORITIES.get(tumour)
    if share is not None:
        return 14 * share + 1.8 * (1 - share), 1.8
    return {"not amplified": (1.8, 1.76), "borderline": (4.2, 2.1), "amplified": (14, 1.8), "polysomy": (5, 4.6)}[
        tumour
    ]


# ---- the ways of giving the ratio an interval


def fieller(moments: Moments) -> Interval:
    """Return Fieller's interval of a quotient of two means."""
    if not moments.cep17:
        return None
    t2 = student_quantile((1 + LEVEL) / 2, moments.degrees or 1e6) ** 2
    a = moments.cep17**2 - t2 * moments.cep17_variance
    b = moments.her2 * moments.cep17 - t2 * moments.covariance
    inside = b * b - a * (moments.her2**2 - t2 * moments.her2_variance)
    if a <= 0 or inside < 0:
        return None
    return (b - inside**0.5) / a, (b + inside**0.5) / a


def delta(moments: Moments) -> Interval:
    """Return Student's interval on the logarithm."""
    return ratio_interval(moments, LEVEL, 1e12)


def shipped(moments: Moments) -> Interval:
    """Return what `measure ish` gives."""
    return ratio_interval(moments, LEVEL, figures().skewness_nuclei)


def bootstrap(her2: Array, cep17: Array, random: np.random.Generator) -> Interval:
    """Return the percentile interval of resampled nuclei."""
    chosen = random.integers(0, len(her2), (BOOTSTRAPS, len(her2)))
    ratios = her2[chosen].sum(1) / np.maximum(cep17[chosen].sum(1), 1)
    low, high = np.quantile(ratios, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


METHODS: dict[str, Callable[[Moments], Interval]] = {"fieller": fieller, "delta_log": delta, "shipped": shipped}


def covered(intervals: list[Interval], truth: float) -> float:
    """Return the share of intervals that hold the truth; one that cannot be given does not."""
    return sum(item is not None and item[0] <= truth <= item[1] for item in intervals) / len(intervals)


def row(quantity: str, setting: str, nuclei: int | None, method: str, coverage: float, repeats: int) -> dict[str, Any]:
    """Return one line; `holds` is None for the methods that are not shipped."""
    error = (LEVEL * (1 - LEVEL) / repeats) ** 0.5
    return {
        "quantity": quantity,
        "setting": setting,
        "nuclei": nuclei,
        "method": method,
        "nominal": LEVEL,
        "coverage": round(coverage, 4),
        "repeats": repeats,
        "holds": None if method in COMPARED else 0.93 - SLACK * error <= coverage <= 0.97 + SLACK * error,
    }


def ratio_rows(seed: int, repeats: int = REPEATS) -> Iterator[dict[str, Any]]:
    """Yield the coverage of the ratio and of mean copies, by tumour, nuclei and method."""
    random, skew = np.random.default_rng(seed), figures().skewness_nuclei
    for tumour in TUMOURS:
        her2_mean, cep17_mean = means_of(tumour)
        for nuclei in NUCLEI:
            her2, cep17 = draw(tumour, (repeats, nuclei), random)
            moments = [moments_of(h.tolist(), c.tolist()) for h, c in zip(her2, cep17, strict=True)]
            for name, method in METHODS.items():
                yield row(
                    "ratio",
                    tumour,
                    nuclei,
                    name,
                    covered([method(m) for m in moments], her2_mean / cep17_mean),
                    repeats,
                )
            few = range(min(BOOTSTRAP_REPEATS, repeats))
            resampled = [bootstrap(her2[at], cep17[at], random) for at in few]
            yield row("ratio", tumour, nuclei, "bootstrap", covered(resampled, her2_mean / cep17_mean), len(resampled))
            copies = [mean_interval(m.her2, m.her2_variance, m.her2_skewness, m, LEVEL, skew) for m in moments]
            yield row("her2_copies", tumour, nuclei, "shipped", covered(copies, her2_mean), repeats)


def share_rows(seed: int, repeats: int = REPEATS) -> Iterator[dict[str, Any]]:
    """Yield the coverage of the share of amplified nuclei; exact intervals hold at least what they claim."""
    random = np.random.default_rng(seed)
    for share in (0.1, 0.3, 0.5, 0.8):
        for nuclei in NUCLEI:
            seen = random.binomial(nuclei, share, repeats)
            held = covered([exact_interval(int(events), nuclei, LEVEL) for events in seen], share)
            found = row("share of amplified nuclei", f"{share:.0%}", nuclei, "exact", held, repeats)
            yield found | {"holds": held >= LEVEL - SLACK * (LEVEL * (1 - LEVEL) / repeats) ** 0.5}


def plasma_rows(seed: int, repeats: int = REPEATS) -> Iterator[dict[str, Any]]:
    """Yield the coverage of copies per tumour cell, over fractions and copies, at the declared noise."""
    random, noise = np.random.default_rng(seed), assay_noise(None, None, load_knowledge().settings)
    for fraction in (0.05, 0.1, 0.3, 0.6):
        for copies in (2.0, 6.0, 20.0, 60.0):
            observed = 2 * (1 - fraction) + copies * fraction
            reads = random.normal(observed, noise.copies_cv * observed, repeats)
            shares = random.normal(fraction, noise.fraction_cv * fraction, repeats)
            held = 0
            for read, share in zip(reads, shares, strict=True):
                low, high = adjusted_interval(read, noise.copies_cv * read, share, noise.fraction_cv * share, LEVEL)
                held += low is None or (low <= copies and (high is None or copies <= high))
            yield row(
                "plasma copies per tumour cell",
                f"{fraction:.0%}, {copies:g} copies",
                None,
                "shipped (Fieller)",
                held / repeats,
                repeats,
            )


def follow_rows(seed: int, repeats: int = REPEATS) -> Iterator[dict[str, Any]]:
    """Yield how often a change is called beyond noise where nothing changed, and where copies truly doubled or fell."""
    random, figure = np.random.default_rng(seed), follow_figures()
    noise = assay_noise(None, None, load_knowledge().settings)
    for copies, fraction in ((2.0, 0.1), (6.0, 0.1), (20.0, 0.3)):
        for what, factor in (("no change", 1.0), ("tumour fraction halved", 0.5), ("tumour fraction doubled", 2.0)):
            verdicts: dict[str, list[bool]] = {}
            for _ in range(repeats):
                points = [
                    _point(number, copies, share, noise, random)
                    for number, share in enumerate((fraction, fraction * factor))
                ]
                for change in changes_of(points, {}, noise, figure):
                    verdicts.setdefault(change.what, []).append(change.verdict in ("real_rise", "real_fall"))
            for name, called in verdicts.items():
                yield _call_row(name, f"{copies:g} copies at {fraction:.0%}, {what}", called, factor, copies)


def _call_row(name: str, setting: str, called: list[bool], factor: float, copies: float) -> dict[str, Any]:
    share, repeats = sum(called) / len(called), len(called)
    unchanged = factor == 1 or name == "adjusted_copies" or (name == "observed_copies" and copies == 2)
    false = share <= 1 - LEVEL + SLACK * (LEVEL * (1 - LEVEL) / repeats) ** 0.5
    return {
        "quantity": f"follow-up, {name}",
        "setting": setting,
        "nuclei": None,
        "method": "false calls" if unchanged else "calls",
        "nominal": round(1 - LEVEL, 4) if unchanged else None,
        "coverage": round(share, 4),
        "repeats": repeats,
        "holds": false if unchanged else None,
    }


def _point(number: int, copies: float, fraction: float, noise: Noise, random: np.random.Generator) -> Point:
    observed = 2 * (1 - fraction) + copies * fraction
    read = float(random.normal(observed, noise.copies_cv * observed))
    share = float(random.normal(fraction, noise.fraction_cv * fraction))
    return Point(
        specimen_id=f"C{number}",
        on=date(2026, 1, 1) + timedelta(days=28 * number),
        kind="plasma",
        shown="",
        copies=read,
        copies_interval=None,
        tumour_fraction=share,
        fraction_interval=None,
        adjusted_copies=max(2 + (read - 2) / share, 0.0),
        adjusted_interval=None,
        visible="above_cut",
        treatment=(),
        statuses={},
    )


def rows(seed: int = SEED, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Return every row of the validation of hybridisation, plasma and follow-up."""
    return [
        *ratio_rows(seed, repeats),
        *share_rows(seed, repeats),
        *plasma_rows(seed, repeats),
        *follow_rows(seed, min(repeats, 1000)),
    ]


def plots(folder: Path, found: list[dict[str, Any]] | None = None) -> list[Path]:
    """Write the picture of the ratio's coverage by method into a folder, and return its path."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    found = found or rows()
    ratio = [item for item in found if item["quantity"] == "ratio"]
    figure, axes = plt.subplots(1, len(NUCLEI), figsize=(13, 4.2), sharey=True, layout="constrained")
    names = ("fieller", "delta_log", "bootstrap", "shipped")
    for axis, nuclei in zip(axes, NUCLEI, strict=True):
        axis.axvspan(0.93, 0.97, color="#d6ecf6")
        for name, colour, mark in zip(names, ("#51606c", "#b4511f", "#8a6d00", "#0b5c7a"), "v^sD", strict=True):
            held = {
                item["setting"]: item["coverage"]
                for item in ratio
                if (item["nuclei"], item["method"]) == (nuclei, name)
            }
            axis.scatter(list(held.values()), list(held), color=colour, marker=mark, label=name.replace("_", " "), s=36)
        axis.set_title(f"{nuclei} nuclei", fontsize=11)
        axis.set_xlim(0.82, 1.0)
        axis.set_xlabel("coverage of the 95 % interval")
        axis.grid(color="#d5dde3", linewidth=0.6)
    axes[-1].legend(frameon=False, loc="lower left")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ish_ratio_coverage.svg"
    plt.rcParams["svg.hashsalt"] = "her2crc"
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return [path]


if __name__ == "__main__":
    table = rows()
    for item in table:
        print(*(str(value) for value in item.values()), sep="\t")
    print(f"{sum(item['holds'] is False for item in table)} rows do not hold", file=sys.stderr)
