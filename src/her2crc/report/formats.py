"""Every output format by its name, of answers, of normalised findings and of lint: one function that back ends call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from her2crc.criteria.library import Knowledge
from her2crc.errors import UsageError
from her2crc.model.follow import FollowUp
from her2crc.model.lint import LintReport
from her2crc.model.patient import Patient
from her2crc.model.verdict import Assessment

FORMATS = ("text", "json", "jsonl", "html", "pdf", "table", "fhir", "hl7v2")

PATIENT_FORMATS = ("json", "jsonl")
FOLLOW_FORMATS = ("text", "json", "jsonl", "svg")
LINT_FORMATS = ("text", "json", "sarif")

ENCODER = msgspec.json.Encoder(decimal_format="number")


def render(
    items: Sequence[Assessment] | Sequence[Patient] | Sequence[LintReport] | Sequence[FollowUp],
    output_format: str,
    knowledge: Knowledge,
    *,
    view: str = "pathologist",
    colour: bool = False,
) -> Iterator[bytes]:
    """Yield the documents of some patients: one each for html and pdf, one in all for the other formats.

    Args:
        items: the answers, in order; or patients as read; or what ``lint`` or
            ``follow_up`` found.
        output_format: of answers one of ``text json jsonl html pdf table fhir hl7v2``; of patients ``json`` (an
            object, or a list of several) or ``jsonl``; of lint ``text``, ``json`` or ``sarif``; of
            follow-up ``text``, ``json``, ``jsonl`` or ``svg`` (one each).
        knowledge: for the references and statements that the reports cite.
        view: who reads it: pathologist, oncologist, laboratory, researcher or patient.
        colour: whether text may use terminal colours.

    Raises:
        UsageError: no such format.
        MissingExtraError: pdf without the extra ``her2crc[pdf]``.
    """
    answers = [item for item in items if isinstance(item, Assessment)]
    reports = [item for item in items if isinstance(item, LintReport)]
    courses = [item for item in items if isinstance(item, FollowUp)]
    if answers:
        yield from _answers(answers, output_format, knowledge, view, colour)
    elif reports:
        yield _lint(reports, output_format)
    elif courses:
        yield from _courses(courses, output_format)
    elif output_format in PATIENT_FORMATS:
        yield _as_json(items) if output_format == "json" else _as_json_lines(items)
    else:
        raise _no_format(output_format, PATIENT_FORMATS)


def _answers(
    assessments: Sequence[Assessment], output_format: str, knowledge: Knowledge, view: str, colour: bool
) -> Iterator[bytes]:
    match output_format:
        case "text":
            from her2crc.report.text import report_text

            yield "\n".join(report_text(a, knowledge, colour=colour, view=view) for a in assessments).encode()
        case "json":
            yield _as_json(assessments)
        case "jsonl":
            yield _as_json_lines(assessments)
        case "table":
            from her2crc.report.table import report_table

            yield report_table(assessments).encode()
        case "fhir":
            from her2crc.report.fhir import report_fhir, report_fhir_lines

            alone = len(assessments) == 1
            yield report_fhir(assessments[0], knowledge) if alone else report_fhir_lines(assessments, knowledge)
        case "hl7v2":
            from her2crc.report.hl7v2 import report_hl7v2

            yield b"".join(report_hl7v2(item, knowledge) for item in assessments)
        case "html":
            from her2crc.report.html import report_html

            for item in assessments:
                yield report_html(item, knowledge, view=view).encode()
        case "pdf":
            from her2crc.report.pdf import report_pdf

            for item in assessments:
                yield report_pdf(item, knowledge, view=view)
        case _:
            raise _no_format(output_format, FORMATS)


def _courses(courses: Sequence[FollowUp], output_format: str) -> Iterator[bytes]:
    """Yield one document, of svg one a patient."""
    match output_format:
        case "text":
            from her2crc.report.follow_text import follow_text

            yield "\n\n".join(map(follow_text, courses)).encode()
        case "svg":
            from her2crc.report.follow_plot import draw_follow

            yield from (draw_follow(item).encode() for item in courses)
        case "json":
            yield _as_json(courses)
        case "jsonl":
            yield _as_json_lines(courses)
        case _:
            raise _no_format(output_format, FOLLOW_FORMATS)


def _lint(reports: Sequence[LintReport], output_format: str) -> bytes:
    from her2crc.report.lint import report_lint, report_sarif

    match output_format:
        case "text":
            return report_lint(reports).encode()
        case "json":
            return _as_json(reports)
        case "sarif":
            return report_sarif(reports)
        case _:
            raise _no_format(output_format, LINT_FORMATS)


def _no_format(output_format: str, known: Sequence[str]) -> UsageError:
    return UsageError(f"'{output_format}' is not a format", fix=f"Choose one of {', '.join(known)}.")


def _as_json(items: Sequence[msgspec.Struct]) -> bytes:
    content = items[0] if len(items) == 1 else list(items)
    return msgspec.json.format(ENCODER.encode(content), indent=2) + b"\n"


def _as_json_lines(items: Sequence[msgspec.Struct]) -> bytes:
    return b"".join(ENCODER.encode(item) + b"\n" for item in items)
