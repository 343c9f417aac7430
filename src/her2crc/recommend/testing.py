"""Whom to test for HER2: each source its own line, the source article's line decides (S01-S03)."""

from __future__ import annotations

from collections.abc import Sequence

from her2crc.criteria.library import Eligibility, Knowledge
from her2crc.criteria.run import Facts, evaluate, unknown_fields
from her2crc.model.patient import Specimen
from her2crc.model.verdict import Reason, Testing

SPOKEN_OF = (None, "colorectal")
"""Tumours that the sources can be speaking of: theirs, and one that is not stated."""

OTHER_TUMOUR = "This source speaks of colorectal cancer, and every specimen here is of another tumour."


def recommend_testing(facts: Facts, knowledge: Knowledge, specimens: Sequence[Specimen] = ()) -> Testing:
    """Return whether to test, by every source; ``recommended`` is None where a fact that decides is unknown.

    It is None too where every specimen is of another tumour: the sources speak of colorectal cancer only.

    Args:
        facts: the patient-level facts.
        knowledge: the eligibility rules of the day.
        specimens: the patient's specimens, for their tumours.
    """
    if specimens and not any(item.tumour in SPOKEN_OF for item in specimens):
        return Testing(None, tuple(map(_other_tumour, knowledge.eligibility)), ())
    reasons = tuple(_reason(source, facts) for source in knowledge.eligibility)
    by_source = zip(reasons, knowledge.eligibility, strict=True)
    deciding = next((reason for reason, source in by_source if source.decides), None)
    if deciding is None:
        return Testing(None, reasons, ())  # no source in force on that day
    return Testing(deciding.recommended, reasons, deciding.missing)


def _other_tumour(source: Eligibility) -> Reason:
    return Reason(source.id, None, OTHER_TUMOUR, (), source.cite)


def _reason(source: Eligibility, facts: Facts) -> Reason:
    for row in source.rows:
        if evaluate(row.when, facts):
            return Reason(source.id, row.then, row.says, (), source.cite)
    missing = tuple(dict.fromkeys(name for row in source.rows for name in unknown_fields(row.when, facts)))
    text = f"{source.name}: cannot be said until known: {', '.join(missing)}." if missing else f"{source.name}: silent."
    return Reason(source.id, None, text, missing, source.cite)
