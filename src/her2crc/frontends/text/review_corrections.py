"""What a person decided about findings, as a file that the next stage takes, and that fits one text only.

A file of corrections names the report, the hash of its text, the finding, the field and the value that was read. Where
any of them is not what is there now, nothing of it is applied: a correction on the wrong text is worse than none.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from decimal import Decimal
from typing import Literal

import msgspec

from her2crc.errors import InputError
from her2crc.frontends.text.documents import ReadReport, Report
from her2crc.frontends.text.findings import Finding, Reading, Value, as_json
from her2crc.model.record import Issue

VERSION = 1
NUMBERS = ("percent", "ratio", "her2_mean", "cep17_mean", "pct_cells_amplified", "cn", "fold")
COUNTS = ("cells", "her2_signals", "cep17_signals")
CHOICES = {
    "ihc_score": ("0", "1+", "2+", "3+"),
    "status": (
        *("positive", "negative", "equivocal", "amplified", "not_amplified", "indeterminate", "pending", "not_done"),
    ),
    "pattern": ("complete", "basolateral", "lateral", "incomplete", "cytoplasmic"),
    "percent_op": ("<", "<=", ">", ">=", "~"),
}
SHARED = ("antibody", "assay")
"""Fields that may be stated once for several findings."""
NEW_READING = "Read the report again with --review, and correct what it shows now."
Decision = Literal["accept", "reject", "change"]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field set right: the value that was read (None: not stated) and the right one (None: unknown)."""

    field: str
    was: str | int | float | None
    value: str | int | float | None


class Decided(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was decided about one finding."""

    finding: str
    decision: Decision
    changes: tuple[Change, ...] = ()


class ReportCorrections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decisions about one report; ``text_sha256`` is of its text as read, in UTF-8."""

    report_id: str
    text_sha256: str
    decisions: tuple[Decided, ...]


class Corrections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of corrections."""

    her2crc_corrections: int
    reports: tuple[ReportCorrections, ...]


def text_sha256(text: str) -> str:
    """Return the hash that ties corrections to a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def finding_ids(findings: Iterable[Finding]) -> list[str]:
    """Return an id for each finding, which no other can take: what it is of, and where its first value stands."""
    seen: Counter[str] = Counter()
    names = []
    for finding in findings:
        places = [spans for field, spans in finding.spans.items() if field in finding.values and field not in SHARED]
        start = min((span.start for spans in places or finding.spans.values() for span in spans), default=0)
        name = f"{finding.analyte}@{start}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def load_corrections(data: bytes, name: str) -> Corrections:
    """Read a file of corrections.

    Raises:
        InputError: it is not one, or of another version.
    """
    try:
        found = msgspec.json.decode(data, type=Corrections)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        place = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "the file"
        raise InputError(
            f"This is not a file of corrections ({place} is not as it should be).",
            where=name,
            fix="Make one with `her2crc read --review REPORT -o review.html`.",
        ) from None
    if found.her2crc_corrections != VERSION:
        raise InputError("The file of corrections is of another version.", where=name, fix=NEW_READING)
    return found


def apply_corrections(read: Iterable[ReadReport], corrections: Corrections, name: str) -> Iterator[ReadReport]:
    """Yield each report with its findings as a person decided, and an issue for each decision that changed something.

    Args:
        read: the reports and what was read of them; those that the file does not name stay as they are.
        corrections: what was decided.
        name: the file of corrections, for messages.

    Raises:
        InputError: the file names a report, text, finding, field or value that is not there; nothing is applied.
    """
    pairs = [*read]
    decided = {(item.report_id, item.text_sha256): item for item in corrections.reports}
    if len(decided) != len(corrections.reports):
        raise _refused("A report is named twice.", name)
    keys = [(report.report_id, text_sha256(report.text)) for report, _ in pairs]
    _refuse_others(decided.keys() - {*keys}, {report.report_id: report.place for report, _ in pairs}, name)
    for key, (report, reading) in zip(keys, pairs, strict=True):
        yield _corrected(report, reading, decided[key], name) if key in decided else ReadReport(report, reading)


def _refuse_others(others: Set[tuple[str, str]], places: dict[str, str], name: str) -> None:
    """Refuse a file that was made for a text that is not here: another report, or the same one changed."""
    for report_id, _ in others:
        if report_id in places:
            raise _refused(f"The text of {places[report_id]} is not the one that was reviewed.", name)
    if others:
        raise _refused(f"{len(others)} report(s) that it names are not among those read.", name)


def _corrected(report: Report, reading: Reading, decided: ReportCorrections, name: str) -> ReadReport:
    if len({item.finding for item in decided.decisions}) != len(decided.decisions):
        raise _refused(f"A finding of {report.place} is decided twice.", name)
    by_id = dict(zip(finding_ids(reading.findings), reading.findings, strict=True))
    issues = []
    for item in decided.decisions:
        finding = by_id.get(item.finding)
        if finding is None:
            raise _refused(f"{item.finding} is not a finding of {report.place}.", name)
        if item.decision == "reject":
            del by_id[item.finding]
            issues.append(_issue("rejected_by_person", f"{item.finding} was rejected by a person.", report, name))
        elif item.decision == "change":
            by_id[item.finding] = _changed(finding, item, name)
            fields = ", ".join(change.field for change in item.changes)
            text = f"{fields} of {item.finding} was set right by a person."
            issues.append(_issue("changed_by_person", text, report, name))
        elif item.changes:
            raise _refused(f"{item.finding} is accepted and changed at once.", name)
    changed = msgspec.structs.replace(reading, findings=tuple(by_id.values()))
    return ReadReport(msgspec.structs.replace(report, issues=(*report.issues, *issues)), changed)


def _changed(finding: Finding, decided: Decided, name: str) -> Finding:
    read = as_json(finding)
    values, spans = dict(finding.values), dict(finding.spans)
    for change in decided.changes:
        if read.get(change.field) != change.was:
            raise _refused(f"{change.field} of {decided.finding} was not read as the file says.", name)
        values.pop(change.field, None)
        spans.pop(change.field, None)
        if change.value is not None:
            values[change.field] = _checked(change, decided.finding, name)
    return msgspec.structs.replace(finding, values=values, spans=spans)


def _checked(change: Change, finding: str, name: str) -> Value:
    """Return the right value, typed as the field has it."""
    value = change.value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if change.field in CHOICES and value in CHOICES[change.field]:
        return str(value)
    if change.field in NUMBERS and is_number and float(value or 0) >= 0:
        return Decimal(repr(value))
    if change.field in COUNTS and isinstance(value, int) and value >= 0:
        return value
    if change.field in ("variant", "antibody", "assay") and isinstance(value, str) and value.strip():
        return value.strip()
    raise _refused(f"{change.field} of {finding} cannot be what the file says.", name)


def _issue(kind: str, text: str, report: Report, name: str) -> Issue:
    return Issue("warning", kind, f"{text} ({name})", place=report.place)


def _refused(what: str, name: str) -> InputError:
    return InputError(what, where=name, why="Nothing of the file was applied.", fix=NEW_READING)
