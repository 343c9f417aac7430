"""A report beside what was read of it, so that a person checks in seconds: as a page (HTML) or in the terminal.

Every value is marked where it stands and carries the number of its finding. On the page each finding can be accepted,
changed or rejected, and the decisions saved as the file that :mod:`her2crc.frontends.text.review_corrections` takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2crc.frontends.text import review_corrections
from her2crc.frontends.text.documents import ReadReport, Report
from her2crc.frontends.text.findings import IHC, ISH, PLASMA, STATUS, TISSUE, VARIANT, Finding, Reading, as_json
from her2crc.frontends.text.review_corrections import CHOICES, COUNTS, NUMBERS, finding_ids, text_sha256
from her2crc.frontends.text.review_marks import ABOUT, FINDING, MARKER, REVIEW, Place, pieces_of, printable

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
ANALYTES = {
    IHC: "HER2 by immunohistochemistry",
    ISH: "HER2 by in situ hybridisation",
    TISSUE: "ERBB2 copy number in tissue",
    PLASMA: "ERBB2 copy number in plasma",
    STATUS: "HER2 status, method not stated",
    VARIANT: "ERBB2 sequence variant",
}
STATED = {
    IHC: ("ihc_score", "percent", "percent_op", "pattern", "status"),
    ISH: (
        *("ratio", "her2_mean", "cep17_mean", "cells", "pct_cells_amplified", "her2_signals", "cep17_signals"),
        "status",
    ),
    **dict.fromkeys((TISSUE, PLASMA), ("cn", "fold", "status")),
    STATUS: ("status",),
    VARIANT: ("variant",),
}
"""What a finding of each kind can state, so that a person can add what was missed."""
FIELDS = {
    "ihc_score": "score",
    "percent": "percent of tumour cells",
    "percent_op": "comparator of the percent",
    "pattern": "pattern",
    "antibody": "antibody",
    "ratio": "HER2/CEP17 ratio",
    "her2_mean": "mean HER2 copies per nucleus",
    "cep17_mean": "mean CEP17 copies per nucleus",
    "cells": "nuclei counted",
    "pct_cells_amplified": "percent of nuclei amplified",
    "her2_signals": "HER2 signals counted",
    "cep17_signals": "CEP17 signals counted",
    "cn": "copies",
    "fold": "fold change",
    "variant": "variant",
    "status": "status",
    "assay": "assay",
    "tumour": "tumour",
    "specimen_site": "site",
    "part": "part",
    "date": "date",
    "temporality": "when",
    "subject": "whose",
    "anchor": "name of HER2",
}
REASONS = {
    "bound_only": "only a bound is stated, which is no value",
    "iscn_unclear": "a karyotype formula whose HER2 signals are not clear",
    "negation_unclear": "it is not clear what is denied",
    "questioned": "a question mark stands behind it",
    "number_range": "a range of numbers, which is no single value",
    "other_probe": "a ratio to a probe other than CEP17",
    "probes_unclear": "it is not clear which probe the number is of",
    "several_markers": "it may belong to another marker",
}
"""Why something needs review, in words."""
MARKS = {FINDING: "{}", MARKER: "m{}", REVIEW: "?{}"}
"""How a mark names what it belongs to."""
BY_PLACE, NOT_STATED = "by where it stands", "not in the text"
MOST_QUOTE = 60
ANSI = {FINDING: "\033[1;30;106m", MARKER: "\033[30;47m", REVIEW: "\033[1;30;103m"}
RESET = "\033[0m"


def review_html(read: Sequence[ReadReport]) -> str:
    """Return one self-contained page with every report, its marks, its findings and what needs review."""
    shown = [_shown(number, report, reading) for number, (report, reading) in enumerate(read, 1)]
    template = _environment().get_template("review.html.j2")
    return template.render(reports=shown, reasons=REASONS, version=review_corrections.VERSION)


def review_text(read: Iterable[ReadReport], *, colour: bool = False) -> str:
    """Return every report for the terminal: the text with its marks, then the findings by number."""
    return "\n".join(_terminal(report, reading, colour) for report, reading in read)


def _terminal(report: Report, reading: Reading, colour: bool) -> str:
    lines = [f"== {printable(report.report_id)} ({printable(report.place)})", _marked(report, reading, colour), ""]
    for number, (name, finding) in enumerate(zip(finding_ids(reading.findings), reading.findings, strict=True), 1):
        lines.append(f"[{number}] {ANALYTES[finding.analyte]}   {name}")
        lines += [f"      {FIELDS.get(field, field)}: {value}" for field, value in _values(finding).items()]
    for number, marker in enumerate(reading.markers, 1):
        lines.append(f"[m{number}] {marker.name}: {marker.value}")
    for number, item in enumerate(reading.review, 1):
        lines.append(f"[?{number}] needs review: {REASONS.get(item.reason, item.reason)}")
    lines += [f"! {issue.text}" for issue in report.issues]
    if not reading.findings:
        lines.append("No HER2 result was found. That is not a negative result.")
    return "\n".join(lines) + "\n"


def _marked(report: Report, reading: Reading, colour: bool) -> str:
    parts = []
    for text, places in pieces_of(report.text, reading):
        if not places:
            parts.append(text)
            continue
        numbers = ",".join(_numbers(places))
        start, end = (ANSI[_kind(places)], RESET) if colour else ("«", "»")
        parts.append(f"{start}{text}{end}[{numbers}]")
    return "".join(parts)


def _kind(places: Sequence[Place]) -> str:
    kinds = {place.kind for place in places}
    return next(kind for kind in (FINDING, REVIEW, MARKER) if kind in kinds)


def _numbers(places: Iterable[Place]) -> list[str]:
    return list(dict.fromkeys(MARKS[place.kind].format(place.number) for place in places))


def _values(finding: Finding) -> dict[str, Any]:
    """Return what a finding says, in the order of the fields; 'current' and 'patient' go without saying."""
    read = as_json(finding)
    unsaid = {"temporality": "current", "subject": "patient"}
    return {name: read[name] for name in FIELDS if read.get(name) is not None and unsaid.get(name) != read[name]}


def _shown(number: int, report: Report, reading: Reading) -> dict[str, Any]:
    """What the template needs of one report."""
    ids = finding_ids(reading.findings)
    return {
        "number": number,
        "report": report,
        "reading": reading,
        "sha256": text_sha256(report.text),
        "pieces": _pieces(report, reading),
        "findings": [
            _card(place, name, finding, report.text)
            for place, (name, finding) in enumerate(zip(ids, reading.findings, strict=True), 1)
        ],
        "review": [(item, _quote(report.text, item.span.start, item.span.end)) for item in reading.review],
    }


def _pieces(report: Report, reading: Reading) -> list[dict[str, Any]]:
    """The text piece by piece; the first mark of each finding is what its number leads back to."""
    led_to: set[str] = set()
    shown = []
    for text, places in pieces_of(report.text, reading):
        numbers = _numbers(places)
        shown.append(_piece(text, places) | {"numbers": numbers, "first": [n for n in numbers if n not in led_to]})
        led_to |= {*numbers}
    return shown


def _piece(text: str, places: Sequence[Place]) -> dict[str, Any]:
    if not places:
        return {"text": text, "kind": ""}
    first = next(place for place in places if place.kind == _kind(places))
    names = ", ".join(dict.fromkeys(FIELDS.get(place.field, place.field) for place in places if place.field))
    return {"text": text, "kind": first.kind, "target": MARKS[first.kind].format(first.number), "names": names}


def _card(number: int, name: str, finding: Finding, text: str) -> dict[str, Any]:
    values = _values(finding)
    rows = [
        _control(field, value)
        | {"quote": _quote_of(finding, field, text) or (BY_PLACE if field in ABOUT else NOT_STATED)}
        for field, value in values.items()
    ]
    unread = [_control(field, "") for field in STATED[finding.analyte] if field not in values]
    return {"number": number, "id": name, "title": ANALYTES[finding.analyte], "rows": rows, "unread": unread}


def _control(field: str, value: Any) -> dict[str, Any]:
    """What the template needs to show a value and to let a person set it right."""
    return {
        "field": field,
        "label": FIELDS.get(field, field),
        "value": value,
        "choices": CHOICES.get(field),
        "is_number": field in NUMBERS or field in COUNTS,
        "editable": field not in ABOUT,
    }


def _quote_of(finding: Finding, field: str, text: str) -> str:
    return " … ".join(_quote(text, span.start, span.end) for span in finding.spans.get(field, ()))


def _quote(text: str, start: int, end: int) -> str:
    quoted = " ".join(printable(text[start:end]).split())
    return quoted if len(quoted) <= MOST_QUOTE else f"{quoted[:MOST_QUOTE]}…"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The template engine; every value is escaped, undefined names are errors."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
