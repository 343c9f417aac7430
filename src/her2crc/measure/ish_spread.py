"""Whether amplified nuclei lie together: a rearrangement test by coordinates or regions; else it is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import dist, inf
from random import Random
from statistics import median, quantiles

from her2crc.frontends.ish.values import Nucleus
from her2crc.measure.ish_figures import Figures
from her2crc.measure.ish_values import Spread

Statistic = Callable[[Sequence[bool]], float]


def is_amplified(nucleus: Nucleus, cut: int) -> bool | None:
    """Tell whether a nucleus has a ratio of at least ``cut``, exactly; None without a CEP17 signal."""
    return None if not nucleus.cep17 else nucleus.her2 >= cut * nucleus.cep17


def spread_of(nuclei: Sequence[Nucleus], figures: Figures) -> Spread | None:
    """Return how amplified nuclei lie and how ratios spread; None with one probe.

    Nuclei with coordinates are compared with their nearest neighbour of the same region; else by region.
    """
    known = [(item, flag) for item in nuclei if (flag := is_amplified(item, figures.nucleus_ratio)) is not None]
    if not known:
        return None
    flags = [flag for _, flag in known]
    ratios = _five(sorted(float(Fraction(item.her2, item.cep17 or 1)) for item, _ in known))
    basis, statistic = _statistic([item for item, _ in known])
    few = min(sum(flags), len(flags) - sum(flags))
    if few == 0:
        which = "every nucleus is" if flags[0] else "no nucleus is"
        return Spread("uniform", basis, None, ratios, f"Of those with a ratio, {which} amplified.")
    if statistic is None:
        return Spread("unknown", basis, None, ratios, figures.note("place_unknown").text)
    if few < figures.fewest_of_a_kind:
        text = f"Only {few} nuclei of one kind: too few to tell clusters from scattered nuclei."
        return Spread("unknown", basis, None, ratios, text)
    chance = _chance(flags, statistic, figures)
    share = f"{100 * chance:.1f} % of random arrangements of the same nuclei are at least as clustered"
    if chance <= 1 - figures.certainty:
        text = f"Amplified nuclei lie together: {share} (by {basis}). A small biopsy may miss or hit such a cluster."
        return Spread("clustered", basis, chance, ratios, text)
    return Spread("no_cluster_seen", basis, chance, ratios, f"No clustering seen: {share} (by {basis}).")


def _five(ordered: Sequence[float]) -> tuple[float, ...]:
    if len(ordered) == 1:
        return (ordered[0],) * 5
    low, _, high = quantiles(ordered, n=4, method="inclusive")
    return ordered[0], low, median(ordered), high, ordered[-1]


def _statistic(nuclei: Sequence[Nucleus]) -> tuple[str, Statistic | None]:
    if all(item.x is not None and item.y is not None for item in nuclei) and len(nuclei) > 1:
        nearest = _nearest(nuclei)
        return "coordinates", lambda flags: sum(flags[at] and flags[other] for at, other in nearest)
    regions = [item.region for item in nuclei]
    if len(set(regions)) > 1:
        sizes = {name: regions.count(name) for name in set(regions)}
        return "regions", lambda flags: _by_region(flags, regions, sizes)
    return "none", None


def _nearest(nuclei: Sequence[Nucleus]) -> list[tuple[int, int]]:
    """Return each nucleus with its nearest neighbour; distances between regions mean nothing."""
    regions: dict[str, list[tuple[float, float, int]]] = {}
    for at, item in enumerate(nuclei):
        regions.setdefault(item.region, []).append((item.x or 0.0, item.y or 0.0, at))
    return [pair for members in regions.values() if len(members) > 1 for pair in _neighbours(sorted(members))]


def _neighbours(members: Sequence[tuple[float, float, int]]) -> Iterator[tuple[int, int]]:
    """Sorted by x, the search to either side ends where x alone is further away than the best one so far."""
    for place, (x, y, at) in enumerate(members):
        best, nearest = inf, at
        for side in (range(place - 1, -1, -1), range(place + 1, len(members))):
            for other_x, other_y, other in (members[number] for number in side):
                if abs(other_x - x) >= best:
                    break
                distance = dist((x, y), (other_x, other_y))
                if distance < best:
                    best, nearest = distance, other
        yield at, nearest


def _by_region(flags: Sequence[bool], regions: Sequence[str], sizes: dict[str, int]) -> float:
    amplified = dict.fromkeys(sizes, 0)
    for flag, region in zip(flags, regions, strict=True):
        amplified[region] += flag
    return sum(amplified[name] ** 2 / size for name, size in sizes.items())


def _chance(flags: Sequence[bool], statistic: Statistic, figures: Figures) -> float:
    """How often a random arrangement is at least as clustered (the seen one counts as one of them)."""
    seen, order, random = statistic(flags), list(flags), Random(figures.seed)  # noqa: S311 - a test, not a secret
    times = max(min(figures.rearrangements, figures.most_rearranged // len(order)), figures.rearrangements // 5)
    extreme = 1
    for _ in range(times):
        random.shuffle(order)
        extreme += statistic(order) >= seen
    return extreme / (times + 1)
