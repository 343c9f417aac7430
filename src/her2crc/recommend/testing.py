"""Whom to test for HER2: each source its own line, the source article's line decides (S01-S03)."""

from __future__ import annotations

from her2crc.criteria.library import Eligibility, Knowledge
from her2crc.criteria.run import Facts, evaluate, unknown_fields
from her2crc.model.verdict import Reason, Testing


def recommend_testing(facts: Facts, knowledge: Knowledge) -> Testing:
    """Return whether to test, by every source; ``recommended`` is None where a fact that decides is unknown.

    Args:
        facts: the patient-level facts.
        knowledge: the eligibility rules of the day.
    """
    reasons = tuple(_reason(source, facts) for source in knowledge.eligibility)
    by_source = zip(reasons, knowledge.eligibility, strict=True)
    deciding = next((reason for reason, source in by_source if source.decides), None)
    if deciding is None:
        return Testing(None, reasons, ())  # no source in force on that day
    return Testing(deciding.recommended, reasons, deciding.missing)


def _reason(source: Eligibility, facts: Facts) -> Reason:
    for row in source.rows:
        if evaluate(row.when, facts):
            return Reason(source.id, row.then, row.says, (), source.cite)
    missing = tuple(dict.fromkeys(name for row in source.rows for name in unknown_fields(row.when, facts)))
    text = f"{source.name}: cannot be said until known: {', '.join(missing)}." if missing else f"{source.name}: silent."
    return Reason(source.id, None, text, missing, source.cite)
