"""The verdicts of many patients as one table in long form (CSV): a row per patient or specimen and criteria set.

Part of stage 5. Values are written as they are, identifiers and not words, so that programs can join on them. That
holds for an id that a spreadsheet would take for a formula, too (``=``, ``+``, ``-``, ``@`` at its start): a mark
before it would make another id of it. The how-to says how such a file is opened safely.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from her2crc.model.verdict import Assessment
from her2crc.report.outline import missing_of

COLUMNS = ("patient_id", "specimen_id", "criteria", "status", "row", "missing", "discordant")


def report_table(assessments: Iterable[Assessment]) -> str:
    """Return the table; ``specimen_id`` is empty in the patient's own rows, and only they say ``discordant``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for assessment in assessments:
        writer.writerows(_rows(assessment))
    return out.getvalue()


def _rows(assessment: Assessment) -> Iterator[tuple[str, ...]]:
    for name, verdict in assessment.criteria.items():
        missing = "|".join(missing_of(assessment, name))
        discordant = "true" if verdict.discordant else "false"
        yield assessment.patient_id, "", name, verdict.status, "", missing, discordant
        for specimen, item in verdict.specimens.items():
            missing = "|".join(item.missing)
            yield assessment.patient_id, specimen, name, item.status, item.row or "", missing, ""
