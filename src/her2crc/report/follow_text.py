"""Follow-up set in lines for a person: what was read when, what changed beyond noise, what happened.

Part of stage 5; also the text of ``her2crc follow``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator

from her2crc.model.citation import Citation
from her2crc.model.follow import Change, FollowUp, Point, Trend

WIDTH = 110
PERCENT = 100
WHAT = {
    "observed_copies": "observed copies",
    "tumour_fraction": "tumour fraction",
    "adjusted_copies": "copies per tumour cell",
}
VERDICT = {
    "real_fall": "fell beyond noise",
    "real_rise": "rose beyond noise",
    "within_noise": "no change beyond noise",
    "not_comparable": "different assays, not compared",
}
Mark = Callable[[Iterable[Citation]], str]


def follow_text(found: FollowUp) -> str:
    """Return the report of one patient by itself."""
    lines = [f"{found.patient_id}: HER2 over time", ""]
    problems = _titled(
        "Problems of the input", (f"  {i.level}: {i.text}{f' ({i.place})' if i.place else ''}" for i in found.issues)
    )
    for line in (*follow_lines(found, _references), *problems):
        indent = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(line, WIDTH, subsequent_indent=f"{indent}    ") or [""]
    return "\n".join(lines).rstrip() + "\n"


def _references(cite: Iterable[Citation]) -> str:
    names = ", ".join(dict.fromkeys(item.ref for item in cite))
    return f" [{names}]" if names else ""


def follow_lines(found: FollowUp, mark: Mark) -> Iterator[str]:
    """Yield the lines; ``mark`` turns citations into what stands behind a sentence."""
    yield f"{found.label}{mark(found.label_cite)}"
    noise = f"{PERCENT * found.copies_cv:.0f} % of copies, {PERCENT * found.fraction_cv:.0f} % of a tumour fraction"
    yield f"Noise of the assay: {noise} ({found.cv_basis})."
    if not found.points:
        yield "No dated result, so nothing can be followed."
    yield from _titled("Treatments", (_treatment(item.regimen, item.kind, item) for item in found.treatments))
    yield from _titled("Imaging", (f"  {item.on}: {item.finding}" for item in found.imaging))
    yield from _titled("Results in time", map(_point, found.points))
    yield from _titled("Changes", map(_change, found.changes))
    yield from _titled("Trends, with their interval", map(_trend, found.trends))
    yield from _titled(
        "Events", (f"  {e.on}, {e.specimen}: {e.text} ({e.confidence}){mark(e.cite)}" for e in found.events)
    )
    yield from _titled("Lead over imaging", (f"  {item.text}{mark(item.cite)}" for item in found.lead_times))
    yield from _titled("Keep in mind", (f"  {note}" for note in found.notes))


def _titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    filled = list(lines)
    if filled:
        yield ""
        yield title
        yield from filled


def _treatment(regimen: str, kind: str, item: object) -> str:
    start, stop = getattr(item, "start", None), getattr(item, "stop", None)
    return f"  {start} to {stop or 'no end stated'}: {regimen} ({kind.replace('_', ' ')})"


def _point(point: Point) -> str:
    text = f"  {point.on}, {point.specimen_id} ({point.kind}): {point.shown}"
    if point.copies_interval and point.copies is not None:
        text += f"; copies {point.copies_interval[0]:.2f} to {point.copies_interval[1]:.2f}"
    if point.adjusted_copies is not None:
        low, high = point.adjusted_interval or (None, None)
        span = "no bound" if low is None or high is None else f"{low:.1f} to {high:.1f}"
        text += f"; {point.adjusted_copies:.1f} copies per tumour cell ({span})"
    if point.visible == "below_cut":
        text += "; below the cut"
    return text + (f"; on {', '.join(point.treatment)}" if point.treatment else "")


def _change(change: Change) -> str:
    show = show_value(change.what)
    low, high = change.interval
    sure = max(change.probability_fall, change.probability_rise)
    direction = "rise" if change.probability_rise > change.probability_fall else "fall"
    return (
        f"  {change.start} to {change.end}, {WHAT[change.what]}: {show(change.before)} to {show(change.after)}, "
        f"{VERDICT[change.verdict]} (difference {show(low)} to {show(high)}; "
        f"chance of a {direction} {show_chance(sure)})"
    )


def _trend(trend: Trend) -> str:
    show = show_value(trend.what)
    low, high = trend.interval
    return (
        f"  since {trend.since}, {WHAT[trend.what]}: {show(trend.slope)} each {trend.per_days} days "
        f"({show(low)} to {show(high)}; {trend.points} results)"
    )


def show_value(what: str) -> Callable[[float], str]:
    """Return how a value of this kind is written: a fraction as percent, copies with one or two digits."""
    if what == "tumour_fraction":
        return _percent
    return lambda value: f"{value:.2f}" if what == "observed_copies" else f"{value:.1f}"


def _percent(share: float) -> str:
    """Write a share in percent; a small one is not written as none."""
    shown = f"{PERCENT * share:.1f}"
    return f"{shown} %" if float(shown) or not share else f"{PERCENT * share:.2g} %"


def show_chance(chance: float) -> str:
    """Write a chance; near certainty is not certainty."""
    shown = round(chance, 2)
    return "> 99 %" if shown == 1 else f"{PERCENT * chance:.0f} %"
