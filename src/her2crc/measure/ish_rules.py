"""What each rule makes of counted nuclei, whose ratio, copies and share of amplified nuclei vary together.

The means of HER2 and CEP17 (log-Student) and the share of amplified nuclei (beta) are joined by the correlation seen
in the nuclei, and taken at a fixed quasi-random set of points, the same for everybody; the compiled rules run on each.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from math import exp, inf, sqrt
from statistics import NormalDist, correlation
from typing import Any

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.criteria.run import Facts, decide
from her2crc.measure.ish_figures import Figures
from her2crc.measure.ish_interval import Moments, at_nuclei
from her2crc.measure.ish_values import IshRule
from her2crc.measure.rules import RuleChance, joint_probabilities
from her2crc.model.proportion import beta_cumulative
from her2crc.model.quantity import Ratio
from her2crc.normalise import derive_facts

FIELDS = ("ish_ratio", "ish_her2_copies", "ish_cell_percent")
REFLEX: dict[str, Any] = {"ihc_score": 2, "ihc_percent": Decimal(100), "ihc_pattern": "complete"}
"""What hybridisation is asked for: staining of 2+. Used, and said, where staining is not given."""

DIMENSIONS = 3
GRID = 400
"""Steps of the table from which quantiles of the beta distribution are read."""


class Evidence(msgspec.Struct, frozen=True):
    """The nuclei as far as the rules need them; correlations of the share with both means are those of the nuclei."""

    moments: Moments
    amplified: int | None
    total: int
    correlations: tuple[float, float, float]


def evidence_of(
    moments: Moments, her2: Sequence[float], cep17: Sequence[float], amplified: Sequence[bool] | None
) -> Evidence:
    """Return the evidence of nuclei counted one by one; ``amplified`` None with one probe."""
    if amplified is None:
        return Evidence(moments, None, 0, (0.0, 0.0, 0.0))
    flags = [float(flag) for flag in amplified]
    pairs = ((her2, cep17), (her2, flags), (cep17, flags))
    return Evidence(moments, sum(amplified), len(amplified), tuple(map(_correlation, pairs)))  # type: ignore[arg-type]


def _correlation(pair: tuple[Sequence[float], Sequence[float]]) -> float:
    left, right = pair
    varied = len(set(left)) > 1 and len(set(right)) > 1
    most = 1 - 1 / max(len(left), 1)  # so many nuclei cannot show that two counts always go together
    return max(min(correlation(left, right), most), -most) if varied else 0.0


def judge_counts(
    exact: Facts, given: Facts, evidence: Evidence, knowledge: Knowledge, figures: Figures
) -> tuple[IshRule, ...]:
    """Return what each rule that reads hybridisation says.

    Args:
        exact: the exact facts of the count.
        given: other facts of the specimen (staining, site ...).
        evidence: the nuclei.
        knowledge: the sets.
        figures: certainty and points.
    """
    if evidence.moments.her2_variance == inf:  # one nucleus has no spread: how sure a rule is cannot be said
        return ()
    stated = derive_facts({**given, **exact})
    assumed = {} if "ihc_score" in given else {name: value for name, value in REFLEX.items() if name not in given}
    base = derive_facts({**assumed, **given, **exact})
    sample = cases(base, evidence, figures.points)
    found = joint_probabilities(sample, FIELDS, base, knowledge)
    plan = _plan(base, evidence, found, knowledge, figures)
    return tuple(_rule(item, stated, base, assumed, plan, knowledge, figures.certainty) for item in found)


def _rule(
    chance: RuleChance,
    stated: Facts,
    base: Facts,
    assumed: Mapping[str, Any],
    plan: Mapping[str, int | None],
    knowledge: Knowledge,
    certainty: float,
) -> IshRule:
    criteria = knowledge.criteria[chance.set]
    as_given, status = decide(criteria, stated), decide(criteria, base)
    settled = max(chance.chances.values()) >= certainty
    same = as_given.row is not None and as_given.row == status.row
    return IshRule(
        **msgspec.structs.asdict(chance),
        as_given=as_given.status,
        exact_status=status.status,
        assumed={} if same else {name: str(value) for name, value in assumed.items()},
        settled=settled,
        more_nuclei=0 if settled else plan.get(chance.set),
    )


def cases(base: Facts, evidence: Evidence, points: int) -> list[tuple[float, Facts]]:
    """Return the points with equal weights, as facts that the rules read."""
    moments = evidence.moments
    share = _share(evidence)
    joint = _mixing(evidence)
    return [(1 / points, _case(base, moments, share, joint(point))) for point in _points(points)]


def _case(base: Facts, moments: Moments, share: Callable[[float], float] | None, at: Sequence[float]) -> Facts:
    her2 = _mean(moments, moments.her2, moments.her2_variance, at[0])
    facts = dict(base) | {"ish_her2_signals": None, "ish_cep17_signals": None, "ish_nuclei": None}
    facts["ish_her2_copies"] = Ratio(her2, Decimal(1))
    if moments.cep17:
        cep17 = _mean(moments, moments.cep17, moments.cep17_variance, at[1])
        facts |= {"ish_cep17_copies": Ratio(cep17, Decimal(1)), "ish_ratio": Ratio(her2, cep17)}
    if share is not None:
        facts["ish_cell_percent"] = Decimal(100 * share(at[2]))
    return facts


def _mean(moments: Moments, mean: float, variance: float, normal: float) -> Decimal:
    """Place a mean at a normal deviate turned into Student's (expansion of Cornish and Fisher), on the logarithm."""
    if not mean:
        return Decimal(0)
    student, degrees = normal, moments.degrees
    if degrees:
        student += (normal**3 + normal) / (4 * degrees)
        student += (5 * normal**5 + 16 * normal**3 + 3 * normal) / (96 * degrees**2)
    error = max(sqrt(variance) / mean, moments.one_signal(mean))
    return Decimal(mean * exp(student * error))


def _share(evidence: Evidence) -> Callable[[float], float] | None:
    """Return the quantile, by normal deviate, of the share of amplified nuclei; prior uniform."""
    if evidence.amplified is None or not evidence.total:
        return None
    events, total = evidence.amplified, evidence.total
    steps = [step / GRID for step in range(GRID + 1)]
    below = [beta_cumulative(step, events + 1, total - events + 1) for step in steps]

    def quantile(normal: float) -> float:
        chance = NormalDist().cdf(normal)
        at = min(max(bisect_left(below, chance), 1), GRID)
        rise = below[at] - below[at - 1]
        part = (chance - below[at - 1]) / rise if rise else 0.0
        return steps[at - 1] + part / GRID

    return quantile


def _mixing(evidence: Evidence) -> Callable[[Sequence[float]], tuple[float, float, float]]:
    """Return what turns independent normal deviates into correlated ones (Cholesky, three by three)."""
    hc, hp, cp = evidence.correlations
    own_c = sqrt(max(1 - hc**2, 0.0))
    via = (cp - hc * hp) / own_c if own_c else 0.0
    rest = sqrt(max(1 - hp**2 - via**2, 0.0))
    return lambda z: (z[0], hc * z[0] + own_c * z[1], hp * z[0] + via * z[1] + rest * z[2])


@cache
def _points(count: int) -> tuple[tuple[float, float, float], ...]:
    """Return normal deviates at an additive recurrence of low discrepancy (Roberts 2018)."""
    root = 1.0
    for _ in range(GRID):
        root = (1 + root) ** (1 / (DIMENSIONS + 1))
    steps = [root ** -(axis + 1) for axis in range(DIMENSIONS)]
    normal = NormalDist().inv_cdf
    return tuple(
        tuple(normal(min(max((0.5 + number * step) % 1, 1e-9), 1 - 1e-9)) for step in steps)  # type: ignore[misc]
        for number in range(1, count + 1)
    )


def _plan(
    base: Facts, evidence: Evidence, found: Sequence[RuleChance], knowledge: Knowledge, figures: Figures
) -> dict[str, int | None]:
    """Return, for each rule that is not settled, how many more nuclei like these would settle it."""
    unsettled = {item.set for item in found if max(item.chances.values()) < figures.certainty}
    plan: dict[str, int | None] = dict.fromkeys(unsettled)
    counted = evidence.moments.nuclei
    for more in _ladder(figures.most_nuclei) if unsettled else ():
        wider = _with_more(evidence, counted + more)
        sample = cases(base, wider, figures.planning_points)
        for item in joint_probabilities(sample, FIELDS, base, knowledge):
            if item.set in unsettled and max(item.chances.values()) >= figures.certainty:
                plan[item.set] = more
                unsettled.discard(item.set)
        if not unsettled:
            break
    return plan


def _ladder(most: int) -> Iterator[int]:
    """Yield numbers of nuclei as one would count them: tens, then ever larger steps."""
    more = 10
    while more <= most:
        yield more
        more += max(10, more // 4 // 10 * 10)


def _with_more(evidence: Evidence, nuclei: float) -> Evidence:
    share = nuclei / evidence.moments.nuclei
    amplified = None if evidence.amplified is None else round(evidence.amplified * share)
    return msgspec.structs.replace(
        evidence, moments=at_nuclei(evidence.moments, nuclei), amplified=amplified, total=round(evidence.total * share)
    )
