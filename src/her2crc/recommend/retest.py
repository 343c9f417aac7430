"""How likely an untested lesion is positive, given the results so far and the published primary x metastasis tables.

Prior: the table's counts of patients whose primary had the same result, with a uniform prior under them. Data: this
patient's own tested lesions at that site. Lesions of one patient are taken as exchangeable with those counts, which
the note says. All probabilities carry an interval (S12-S16).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

from her2crc.criteria.library import Knowledge, PairTable
from her2crc.model.patient import Patient
from her2crc.model.proportion import posterior_interval, posterior_mean
from her2crc.model.verdict import DECIDED, Retest, SetVerdict

REMEMBERED = 1024
"""Counts whose interval is kept: few differ, since they are a table's with the few lesions of one patient added."""

ASSUMPTION = (
    "Uniform prior under the published counts; the lesions of this patient are taken as exchangeable with those of "
    "the patients in the table."
)


def estimate_retest(patient: Patient, verdicts: Mapping[str, SetVerdict], knowledge: Knowledge) -> tuple[Retest, ...]:
    """Return, for each usable table and each result that a rule gives the primary, the chance at an untested lesion.

    Nothing is returned where no primary was decided: the tables are conditional on the primary.
    """
    primaries = [item.specimen_id for item in patient.specimens if item.site == "primary"]
    given = sorted(_statuses(primaries, verdicts, knowledge))
    tables = [table for table in knowledge.pair_tables if table.usable]
    return tuple(_estimate(table, status, patient, verdicts, knowledge) for status in given for table in tables)


def _statuses(specimens: list[str], verdicts: Mapping[str, SetVerdict], knowledge: Knowledge) -> set[str]:
    """The decided statuses that staining rules give these specimens; rules may disagree, so it can be both."""
    return {status for name in specimens for status in _of_specimen(name, verdicts, knowledge)}


def _of_specimen(specimen: str, verdicts: Mapping[str, SetVerdict], knowledge: Knowledge) -> Iterator[str]:
    for name, verdict in verdicts.items():
        status = verdict.specimens[specimen].status
        if verdict.role == "rule" and knowledge.criteria[name].method == "ihc_ish" and status in DECIDED:
            yield status


def _estimate(
    table: PairTable, given: str, patient: Patient, verdicts: Mapping[str, SetVerdict], knowledge: Knowledge
) -> Retest:
    events, total = _conditional_counts(table, given)
    own = [_of_specimen(item.specimen_id, verdicts, knowledge) for item in patient.specimens if item.site == table.site]
    decided = [set(statuses) for statuses in own]
    data_total = sum(bool(statuses) for statuses in decided)
    data_events = sum("positive" in statuses for statuses in decided)
    seen, of = events + data_events, total + data_total
    level, certainty = float(knowledge.settings.interval_level), float(knowledge.settings.retest_certainty)
    return Retest(
        site=table.site,
        given=f"primary {given}",
        table=table.id,
        method=table.method,
        prior_events=events,
        prior_total=total,
        data_events=data_events,
        data_total=data_total,
        probability=posterior_mean(seen, of),
        interval=_interval(seen, of, level),
        certainty=certainty,
        lesions_needed=_lesions_needed(
            seen, of, Fraction(knowledge.settings.retest_certainty), knowledge.settings.retest_most_lesions
        ),
        note=f"{ASSUMPTION} {table.note}",
        cite=table.cite,
    )


def _conditional_counts(table: PairTable, given: str) -> tuple[int, int]:
    """Return how many patients whose primary had the given result had a positive metastasis, and of how many."""
    cells = (table.both, table.primary_only) if given == "positive" else (table.metastasis_only, table.neither)
    positive, negative = (cell or 0 for cell in cells)
    return positive, positive + negative


_interval = lru_cache(maxsize=REMEMBERED)(posterior_interval)


@lru_cache(maxsize=REMEMBERED)
def _lesions_needed(events: int, total: int, certainty: Fraction, most: int) -> int | None:
    """Return how many further lesions, all negative, bring the chance at the next one to at most 1 - certainty."""
    chance = ((n, Fraction(events + 1, total + n + 2)) for n in range(most + 1))
    return next((n for n, probability in chance if probability <= 1 - certainty), None)
