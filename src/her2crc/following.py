"""Follow-up from files: read -> join by patient -> normalise -> judge -> follow, with tables of treatments and imaging.

Beside :mod:`her2crc.flow`, whose stages it uses; ``assess`` shows the same for one patient under ``follow_up``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from her2crc.criteria.library import Knowledge
from her2crc.flow import normalise_record
from her2crc.follow import follow_results
from her2crc.judge import judge
from her2crc.model.follow import FollowUp
from her2crc.model.patient import Patient
from her2crc.normalise import specimen_facts
from her2crc.read import read_file
from her2crc.read.course import join_records


def follow_up(
    sources: Sequence[str | Path],
    knowledge: Knowledge,
    *,
    treatments: str | Path | None = None,
    imaging: str | Path | None = None,
    mapping: str | Path | None = None,
    copies_cv: float | None = None,
    fraction_cv: float | None = None,
) -> tuple[FollowUp, ...]:
    """Say how HER2 changes in each patient over time, and what of the change is beyond the assay's noise.

    Args:
        sources: files in any known format; results of one patient in several of them are joined.
        knowledge: the rules.
        treatments: a table with patient_id, regimen, kind, start and stop.
        imaging: a table with patient_id, on and finding.
        mapping: the mapping file of a laboratory's own table.
        copies_cv: relative standard deviation of the assay's copies; declared where not given.
        fraction_cv: that of the tumour fraction.

    Raises:
        InputError: a file cannot be read, or a row of treatments or imaging cannot be used.
        UsageError: a coefficient of variation that cannot be.
    """
    chosen = Path(mapping) if mapping is not None else None
    records = [record for source in sources for record in read_file(str(source), stdin=_stdin(source), mapping=chosen)]
    joined = join_records(records, {"treatments": treatments, "imaging": imaging})
    return tuple(_followed(normalise_record(record, knowledge), knowledge, copies_cv, fraction_cv) for record in joined)


def _stdin(source: str | Path) -> bytes | None:
    return sys.stdin.buffer.read() if str(source) == "-" and not sys.stdin.isatty() else None


def _followed(patient: Patient, knowledge: Knowledge, copies_cv: float | None, fraction_cv: float | None) -> FollowUp:
    facts = {item.specimen_id: specimen_facts(item) for item in patient.specimens}
    return follow_results(patient, judge(patient, facts, knowledge).criteria, knowledge, copies_cv, fraction_cv)
