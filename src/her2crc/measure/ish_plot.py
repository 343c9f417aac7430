"""The scatter of HER2 against CEP17 per nucleus, with the lines that rules draw, as one SVG file without a library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import count, islice

from her2crc.measure.ish_figures import figures
from her2crc.measure.ish_values import IshMeasurement

WIDTH, HEIGHT = 720, 520
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 78, 62
COLOURS = ("#0b5c7a", "#b4511f", "#4b7a2b", "#7a3f8f", "#8a6d00", "#a3324e")
FONT = "system-ui, Segoe UI, Roboto, DejaVu Sans, Arial, sans-serif"
INK, QUIET, LINE = "#1c2730", "#51606c", "#d5dde3"
RADIUS = 5.5
ASIDE = 8.8
"""Nuclei with the same counts are set side by side, this far apart; the middle one stands exactly."""

PLACES = 21
"""Places around one point; more nuclei with the same counts lie on top of each other again."""

LEAST = (4, 8)
"""The axes reach at least this many CEP17 and HER2 signals."""

TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
MOST_TICKS = 10


def draw_nuclei(found: IshMeasurement) -> str:
    """Return the picture; a specimen without nuclei of two probes has none of them, and says so."""
    page = _Page(found)
    body = "\n".join((*page.frame(), *page.lines(), *page.nuclei(), *page.legend()))
    title = f"HER2 against CEP17 signals of each nucleus, {found.specimen_id}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-labelledby="ish-title ish-words" font-family="{FONT}" font-size="13" fill="{INK}">\n'
        f'<title id="ish-title">{escape(title)}</title>\n<desc id="ish-words">{escape(page.words())}</desc>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


class _Page:
    """The picture of one specimen: CEP17 to the right, HER2 upwards, both in signals."""

    def __init__(self, found: IshMeasurement) -> None:
        self.found = found
        self.most_x = max([LEAST[0], *(cep17 + 1 for _, cep17, _ in found.points)])
        self.most_y = max([LEAST[1], *(her2 + 1 for her2, _, _ in found.points)])
        self.regions = list(dict.fromkeys(region for _, _, region in found.points))

    def x(self, signals: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * signals / self.most_x, 1)

    def y(self, signals: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * signals / self.most_y, 1)

    def words(self) -> str:
        ratio = self.found.ratio
        shown = f"ratio {ratio.value:.2f}" if ratio else "no ratio"
        interval = f", {ratio.interval[0]:.2f} to {ratio.interval[1]:.2f}" if ratio and ratio.interval else ""
        share = self.found.amplified_nuclei
        part = f"; {share.events} of {share.total} nuclei with a ratio of 2 or more" if share else ""
        return f"{len(self.found.points)} nuclei; {shown}{interval}{part}"

    def frame(self) -> Iterator[str]:
        title = f"{self.found.specimen_id}: HER2 and CEP17 signals of each nucleus"
        yield f'<text x="{LEFT}" y="28" font-size="17" font-weight="600">{escape(title)}</text>'
        yield f'<text x="{LEFT}" y="50" fill="{QUIET}">{escape(self.words())}</text>'
        for tick in _ticks(self.most_x):
            yield f'<line stroke="{LINE}" x1="{self.x(tick)}" x2="{self.x(tick)}" y1="{self.y(0)}" y2="{TOP}"/>'
            yield _text(self.x(tick), self.y(0) + 18, str(tick), "middle", QUIET)
        for tick in _ticks(self.most_y):
            yield f'<line stroke="{LINE}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(tick)}" y2="{self.y(tick)}"/>'
            yield _text(LEFT - 8, self.y(tick) + 4, str(tick), "end", QUIET)
        yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, "CEP17 signals", "middle", INK)
        middle = (TOP + HEIGHT - BOTTOM) / 2
        yield f'<text transform="translate(22 {middle}) rotate(-90)" text-anchor="middle">HER2 signals</text>'

    def lines(self) -> Iterator[str]:
        """The ratio from which a nucleus counts as amplified, the copies of the rule on copies, and the ratio seen."""
        declared = figures()
        yield from self.slope(declared.nucleus_ratio, f"ratio {declared.nucleus_ratio}", "#8a2a12", "6 4")
        copies = float(declared.copies_high)
        if copies <= self.most_y:
            y = self.y(copies)
            style = 'stroke="#55327f" stroke-dasharray="2 4" stroke-width="1.6"'
            yield f'<line {style} x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            yield _text(WIDTH - RIGHT - 4, y - 5, f"mean of {copies:g} copies (Sun 2023)", "end", "#55327f")
        if self.found.ratio:
            yield from self.slope(self.found.ratio.value, f"this specimen {self.found.ratio.value:.2f}", INK, "")

    def slope(self, ratio: float, label: str, colour: str, dash: str) -> Iterator[str]:
        end = min(self.most_x, self.most_y / ratio)
        x, y = self.x(end), self.y(end * ratio)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<line stroke="{colour}" stroke-width="1.6"{dashes} x1="{LEFT}" x2="{x}" y1="{self.y(0)}" y2="{y}"/>'
        at_top = end < self.most_x
        yield _text(
            x + 4 if at_top else x - 4, TOP - 6 if at_top else y - 7, label, "start" if at_top else "end", colour
        )

    def nuclei(self) -> Iterator[str]:
        seen: dict[tuple[int, int], int] = {}
        if not self.found.points:
            yield _text(WIDTH / 2, HEIGHT / 2, "No nucleus counted by itself with two probes.", "middle", QUIET)
        for her2, cep17, region in self.found.points:
            right, up = _aside(seen.get((her2, cep17), 0))
            seen[her2, cep17] = seen.get((her2, cep17), 0) + 1
            x = self.x(cep17) + right * ASIDE
            y = self.y(her2) - up * 2 * RADIUS / 3
            colour = COLOURS[self.regions.index(region) % len(COLOURS)]
            style = f'fill="{colour}" fill-opacity=".62" stroke="#fff" stroke-width=".8"'
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" {style}/>'

    def legend(self) -> Iterator[str]:
        if len(self.regions) <= 1:
            return
        for number, region in enumerate(self.regions[: len(COLOURS)]):
            y = TOP + 18 + 20 * number
            yield f'<circle cx="{LEFT + 16}" cy="{y - 4}" r="{RADIUS}" fill="{COLOURS[number]}" fill-opacity=".75"/>'
            yield _text(LEFT + 28, y, f"region {region or 'not stated'}", "start", INK)


def _aside(nth: int) -> tuple[float, float]:
    """Where the nth nucleus with the same counts stands: a small grid around the exact place."""
    places = islice(((right, up) for up in (0, 1, -1) for right in (0, 1, -1, 2, -2, 3, -3)), nth % PLACES, None)
    return next(places)


def _ticks(most: float) -> Sequence[int]:
    step = next((step for step in TICKS if most / step <= MOST_TICKS), TICKS[-1])
    return [*islice((tick for tick in count(0, step)), int(most // step) + 1)]


def _text(x: float, y: float, text: str, anchor: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="12">{escape(text)}</text>'
