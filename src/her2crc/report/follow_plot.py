"""Follow-up as one picture: copies with interval, tumour fraction, treatments, tissue results and imaging in one time.

Part of stage 5. A complete SVG, made here because its panels share scales; the report sets it in as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape
from math import log2

from her2crc.model.follow import FollowUp, Point
from her2crc.report.timeline import LEFT, PLOT, RIGHT, TimeScale

WIDTH = LEFT + PLOT + RIGHT
TOP, GAP, AXIS, ROW = 34, 30, 30, 24
COPIES_HEIGHT, FRACTION_HEIGHT = 190, 90
COPY_TICKS = (0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
LEAST_COPIES, MOST_COPIES = 1.0, 16.0
"""The axis of copies (logarithmic) spans at least these."""

IDS = "follow-title follow-words"
FONT = "system-ui, Segoe UI, Roboto, DejaVu Sans, Arial, sans-serif"
INK, QUIET, LINE, SHADE = "#1c2730", "#51606c", "#d5dde3", "#f4f7f9"
OBSERVED, ADJUSTED, FRACTION, CUT = "#0b5c7a", "#b4511f", "#4b7a2b", "#8a2a12"
KINDS = {"anti_her2": "#0b5c7a", "anti_egfr": "#7a3f8f", "chemotherapy": "#51606c", "other": "#8a6d00"}
FINDINGS = {"progression": "#a3324e", "stable": "#8a6d00", "response": "#4b7a2b"}
HEADROOM = 1.15
"""Room above the highest value, as a factor."""

LONGEST, PADDING = 34, 8
CHARACTER = 6.2
PERCENT = 100
STEPS = (0.05, 0.1, 0.2, 0.5, 1.0)


def draw_follow(found: FollowUp) -> str:
    """Return the picture as one SVG; empty where there is no dated result."""
    return _Picture(found).svg() if found.points else ""


class _Picture:
    """The panels from top to bottom over one scale of time."""

    def __init__(self, found: FollowUp) -> None:
        self.found = found
        self.plasma = [point for point in found.points if point.kind == "plasma"]
        self.tissue = [point for point in found.points if point.kind == "tissue"]
        days = [point.on for point in found.points] + [item.on for item in found.imaging]
        days += [day for item in found.treatments for day in (item.start, item.stop) if day is not None]
        self.end = max(days)
        self.scale = TimeScale(min(days), self.end)
        values = [value for point in self.plasma for value in _copies(point)]
        self.low = min([LEAST_COPIES, *(max(value, COPY_TICKS[0]) for value in values)])
        self.high = HEADROOM * max([MOST_COPIES, *values])
        shares = [point.fraction_interval[1] for point in self.plasma if point.fraction_interval]
        self.share = next((step for step in STEPS if step >= max(shares, default=0)), STEPS[-1])
        self.fractions = TOP + COPIES_HEIGHT + GAP
        self.lanes = self.fractions + FRACTION_HEIGHT + GAP
        rows = len(found.treatments) + bool(self.tissue) * self.tissue_rows() + bool(found.imaging)
        self.height = self.lanes + ROW * rows + AXIS

    def tissue_rows(self) -> int:
        return len(self.tissue)

    def svg(self) -> str:
        parts = (*self.time(), *self.copies(), *self.fraction(), *self.below())
        title = f"HER2 over time, {self.found.patient_id}"
        words = "; ".join(f"{point.on} {point.specimen_id}: {point.shown}" for point in self.found.points)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="follow" viewBox="0 0 {WIDTH} {self.height}" '
            f'width="{WIDTH}" height="{self.height}" role="img" aria-labelledby="{IDS}" font-family="{FONT}" '
            f'font-size="12" fill="{INK}">\n<title id="follow-title">{escape(title)}</title>\n'
            f'<desc id="follow-words">{escape(words)}</desc>\n'
            f'<rect width="{WIDTH}" height="{self.height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
        )

    def time(self) -> Iterator[str]:
        for top, height in ((TOP, COPIES_HEIGHT), (self.fractions, FRACTION_HEIGHT)):
            yield f'<rect x="{LEFT}" y="{top}" width="{PLOT}" height="{height}" fill="{SHADE}"/>'
        for tick in self.scale.ticks():
            yield _line(tick.x, TOP, tick.x, self.height - AXIS + 4, LINE)
            yield _text(tick.x, self.height - 10, tick.label, QUIET, "middle")

    def y(self, copies: float) -> float:
        part = log2(max(copies, self.low) / self.low) / log2(self.high / self.low)
        return round(TOP + COPIES_HEIGHT * (1 - part), 1)

    def copies(self) -> Iterator[str]:
        yield _text(8, TOP + 12, "copies", INK, weight=600)
        yield _text(8, TOP + 28, "(logarithmic)", QUIET)
        for tick in COPY_TICKS:
            if self.low <= tick <= self.high:
                yield _line(LEFT, self.y(tick), LEFT + PLOT, self.y(tick), LINE)
                yield _text(LEFT - 6, self.y(tick) + 4, f"{tick:g}", QUIET, "end")
        if self.found.cut:
            y = self.y(self.found.cut)
            yield _line(LEFT, y, LEFT + PLOT, y, CUT, "6 4")
            yield _text(LEFT + PLOT + 6, y + 4, f"cut {self.found.cut:g} (observed)", CUT)
        adjusted = [(p, p.adjusted_copies, p.adjusted_interval) for p in self.plasma if p.adjusted_copies is not None]
        observed = [(p, p.copies, p.copies_interval) for p in self.plasma if p.copies is not None]
        yield from self.series(adjusted, ADJUSTED, dashed=True)
        yield from self.series(observed, OBSERVED, dashed=False)
        yield from self.key(TOP + 14, OBSERVED, "observed copies")
        yield from self.key(TOP + 34, ADJUSTED, "per tumour cell")

    def key(self, y: float, colour: str, label: str) -> Iterator[str]:
        yield f'<circle cx="{LEFT + PLOT + 12}" cy="{y - 4}" r="5" fill="{colour}"/>'
        yield _text(LEFT + PLOT + 24, y, label, INK)

    def series(
        self,
        values: Sequence[tuple[Point, float, tuple[float | None, float | None] | None]],
        colour: str,
        *,
        dashed: bool,
    ) -> Iterator[str]:
        places = [(self.scale.x(point.on), self.y(value)) for point, value, _ in values]
        yield _path(places, colour, "4 3" if dashed else "")
        for (x, y), (point, value, interval) in zip(places, values, strict=True):
            low, high = interval or (value, value)
            bottom = self.y(self.low if low is None else low)
            top = self.y(self.high if high is None else high)
            yield _line(x, bottom, x, top, colour, "" if high is not None else "1 3", 1.6)
            fill = "#ffffff" if point.visible == "below_cut" else colour
            yield f'<circle cx="{x}" cy="{y}" r="5" fill="{fill}" stroke="{colour}" stroke-width="1.8"/>'

    def fraction(self) -> Iterator[str]:
        top, bottom = self.fractions, self.fractions + FRACTION_HEIGHT
        yield _text(8, top + 12, "tumour", INK, weight=600)
        yield _text(8, top + 28, "fraction", INK, weight=600)
        for share in (0.0, self.share / 2, self.share):
            y = bottom - FRACTION_HEIGHT * share / self.share
            yield _line(LEFT, y, LEFT + PLOT, y, LINE)
            yield _text(LEFT - 6, y + 4, f"{PERCENT * share:g} %", QUIET, "end")
        known = [(point, point.tumour_fraction) for point in self.plasma if point.tumour_fraction is not None]
        places = [(self.scale.x(point.on), bottom - FRACTION_HEIGHT * value / self.share) for point, value in known]
        yield _path(places, FRACTION, "")
        for (x, y), (point, _) in zip(places, known, strict=True):
            low, high = (min(value, self.share) for value in point.fraction_interval or (0.0, 0.0))
            ends = [round(bottom - FRACTION_HEIGHT * value / self.share, 1) for value in (low, high)]
            yield _line(x, ends[0], x, ends[1], FRACTION, "", 1.6)
            yield f'<circle cx="{x}" cy="{y:.1f}" r="4.5" fill="{FRACTION}"/>'

    def below(self) -> Iterator[str]:
        """Treatments as bars, then tissue results, then imaging, each on its row."""
        top = float(self.lanes)
        for number, item in enumerate(self.found.treatments):
            yield _text(8, top + 15, "treatment", INK, weight=600) if number == 0 else ""
            yield from self.bar(item.start, item.stop, f"{item.regimen}", KINDS[item.kind], top)
            top += ROW
        for number, point in enumerate(self.tissue):
            yield _text(8, top + 15, "tissue", INK, weight=600) if number == 0 else ""
            x = self.scale.x(point.on)
            turned = f'transform="rotate(45 {x} {top + 11})"'
            yield f'<rect x="{x - 5}" y="{top + 6}" width="10" height="10" fill="{INK}" {turned}/>'
            yield self.label(x + 12, top + 15, f"{point.specimen_id}: {point.shown}", INK)
            top += ROW
        if self.found.imaging:
            yield _text(8, top + 15, "imaging", INK, weight=600)
            for image in self.found.imaging:
                x = self.scale.x(image.on)
                corners = f"M{x - 6} {top + 17} L{x} {top + 5} L{x + 6} {top + 17} Z"
                yield f'<path d="{corners}" fill="{FINDINGS[image.finding]}"/>'
                yield self.label(x + 10, top + 15, image.finding, FINDINGS[image.finding])

    def bar(self, start: date, stop: date | None, label: str, colour: str, top: float) -> Iterator[str]:
        """A bar without an end fades to the right: it is not said that the treatment went on."""
        left, right = self.scale.x(start), self.scale.x(stop or self.end + timedelta(days=1))
        width = max(right - left, 3)
        dash = "" if stop else ' stroke-dasharray="3 3"'
        yield (
            f'<rect x="{left}" y="{top + 4}" width="{width:.1f}" height="15" rx="3" fill="{colour}" fill-opacity='
            f'"{".85" if stop else ".55"}" stroke="{colour}"{dash}/>'
        )
        room = width - PADDING
        inside = CHARACTER * len(label) < room
        yield (
            _text(left + 6, top + 16, label, "#ffffff" if stop else INK)
            if inside
            else self.label(left + width + 5, top + 16, label, colour)
        )

    def label(self, x: float, y: float, text: str, colour: str) -> str:
        """Write beside a mark: to its left where it would leave the picture."""
        shown = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        if x + CHARACTER * len(shown) <= WIDTH:
            return _text(x, y, shown, colour)
        return _text(x - 26, y, shown, colour, "end")


def _copies(point: Point) -> Iterator[float]:
    for value in (
        point.copies,
        point.adjusted_copies,
        *(point.copies_interval or ()),
        *(point.adjusted_interval or ()),
    ):
        if value is not None:
            yield value


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "", width: float = 1) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line stroke="{colour}" stroke-width="{width}"{dashes} x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _path(places: Sequence[tuple[float, float]], colour: str, dash: str) -> str:
    points = " ".join(f"{x},{y:.1f}" for x, y in places)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.6"{dashes} points="{points}"/>'


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", weight: int = 400) -> str:
    style = f'text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
