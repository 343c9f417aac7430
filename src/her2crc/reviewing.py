"""Reports as prose beside what was read of them, before anything is judged: the library twin of ``read --review``.

Joins the reader of reports with the front end that shows them, as :mod:`her2crc.flow` joins the stages.
"""

from __future__ import annotations

import json
from pathlib import Path

from her2crc.errors import UsageError
from her2crc.frontends.text import Review, as_json
from her2crc.frontends.text.documents import ReadReport
from her2crc.frontends.text.review import review_html, review_text
from her2crc.frontends.text.review_corrections import finding_ids
from her2crc.read import open_reports
from her2crc.read.report_text import correct_reports
from her2crc.read.source import STANDARD_INPUT

FORMATS = ("jsonl", "html", "text")


def review(
    *sources: str | Path | bytes,
    output_format: str = "html",
    corrections: str | Path | None = None,
    colour: bool = False,
) -> bytes | None:
    """Return reports with every HER2 value marked and linked to its finding, for a person to check.

    Args:
        sources: documents (text, Word, PDF, HTML, RTF) or JSON Lines of ``{"id", "text"}``: paths, or the bytes of one.
        output_format: ``html`` (a page on which findings can be accepted, changed or rejected), ``text`` (for the
            terminal), or ``jsonl`` (one line a report: its findings with ``spans``, the places in the text).
        corrections: a file that the page saved, applied before anything is shown.
        colour: whether text may use terminal colours.

    Returns:
        The document in UTF-8; None where no source holds reports as prose.

    Raises:
        InputError: a source cannot be read, or the corrections are of another text.
        UsageError: there is no such format, or some sources hold reports and others do not.
    """
    if output_format not in FORMATS:
        raise UsageError(f"'{output_format}' is not a format of a review", fix=f"Choose one of {', '.join(FORMATS)}.")
    opened = [open_reports(source, STANDARD_INPUT) for source in sources]
    read = [report for reports in opened if reports is not None for report in reports]
    if not any(reports is not None for reports in opened):
        return None
    if None in opened:
        raise UsageError("Some of these files hold reports as prose, others do not.", fix="Read them one by one.")
    if corrections is not None:
        read = correct_reports(read, Path(corrections))
    if output_format == "jsonl":
        return "".join(f"{json.dumps(_line(item), ensure_ascii=False)}\n" for item in read).encode()
    shown = review_html(read) if output_format == "html" else review_text(read, colour=colour)
    return shown.encode()


def _line(item: ReadReport) -> dict[str, object]:
    report, reading = item
    ids = finding_ids(reading.findings)
    line: dict[str, object] = {
        "id": report.report_id,
        "findings": [{"id": name, **as_json(found)} for name, found in zip(ids, reading.findings, strict=True)],
    }
    if reading.review:
        line["review"] = [_doubt(one) for one in reading.review]
    if report.issues:
        line["issues"] = [{"level": issue.level, "id": issue.id, "text": issue.text} for issue in report.issues]
    return line


def _doubt(one: Review) -> dict[str, object]:
    return {"reason": one.reason, "field": one.field, "span": [one.span.start, one.span.end]}
