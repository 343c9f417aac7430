"""How far a set has come from text to running logic: the four levels of the HL7 clinical guidelines guide, as checks.

The guide (CPG 2.0) tells narrative (L1), semi-structured (L2), structured (L3) and executable (L4) knowledge apart.
Every answer here follows from the set itself, so that a checklist cannot say more than what there is. Used by
``criteria show`` and by the generated reference page.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from her2crc.criteria.finding import case_fields
from her2crc.criteria.library import Knowledge
from her2crc.criteria.sets import CriteriaSet

APPROVED = "approved"


class Check(msgspec.Struct, frozen=True):
    """One line of a checklist: what is asked, whether it is so, and what it rests on."""

    text: str
    met: bool
    detail: str


class Level(msgspec.Struct, frozen=True):
    """One level: ``code`` as the guide codes it, and its checks."""

    id: str
    code: str
    checks: tuple[Check, ...]

    @property
    def met(self) -> int:
        """How many of the checks are met."""
        return sum(check.met for check in self.checks)


def knowledge_levels(criteria: CriteriaSet, knowledge: Knowledge) -> tuple[Level, ...]:
    """Return the checklists of a set, L1 to L4."""
    return (
        Level("L1", "narrative", tuple(_narrative(criteria, knowledge))),
        Level("L2", "semi-structured", tuple(_semi_structured(criteria))),
        Level("L3", "structured", tuple(_structured(criteria, knowledge))),
        Level("L4", "executable", tuple(_executable(criteria))),
    )


def _narrative(criteria: CriteriaSet, knowledge: Knowledge) -> Iterator[Check]:
    cited = {cite.ref: knowledge.references[cite.ref] for cite in criteria.cite}
    identified = [name for name, item in cited.items() if item.doi or item.pmid or item.title]
    read = "; ".join(f"{name}: {item.basis}" for name, item in cited.items())
    yield Check("the source is identified", identified == list(cited), ", ".join(cited))
    yield Check("its own wording was read", criteria.confidence == "primary", f"{criteria.confidence} ({read})")
    yield Check("its text is held here", False, "sources are cited and paraphrased, never copied")


def _semi_structured(criteria: CriteriaSet) -> Iterator[Check]:
    silences = sum(row.then == "not_covered" for row in criteria.rows)
    complete = all(row.cite and row.says for row in criteria.rows)
    has_rows = bool(criteria.rows)
    rows = f"{len(criteria.rows)} rows, {silences} of them silences"
    review = f"{criteria.review_state}; last compared with its source on {criteria.reviewed_on}"
    yield Check(
        "rows with condition, meaning in our words, and place in the source",
        has_rows and complete,
        _with_rows(criteria, rows),
    )
    is_clear, asked = has_rows and not criteria.open_questions, f"{len(criteria.open_questions)} open"
    yield Check("no open question on how to read the source", is_clear, _with_rows(criteria, asked))
    yield Check("checked against the source by a clinician", criteria.review_state == APPROVED, review)


def _structured(criteria: CriteriaSet, knowledge: Knowledge) -> Iterator[Check]:
    has_rows = bool(criteria.rows)
    read = [knowledge.fields[name] for name in case_fields(criteria, knowledge.fields)]
    given = [field for field in read if not field.derived_from]
    coded = [field for field in given if field.loinc]
    number, of_all = f"{len(read)} fields", f"{len(coded)} of {len(given)} have a LOINC code"
    yield Check("conditions as typed expressions over defined fields", has_rows, _with_rows(criteria, number))
    yield Check("CQL library, FHIR Library and PlanDefinition", has_rows, _with_rows(criteria, "`criteria export`"))
    yield Check("a standard code for every field", has_rows and coded == given, _with_rows(criteria, of_all))
    yield Check("facts fetched from FHIR by the logic itself", False, "they are parameters, which each site fills")


def _executable(criteria: CriteriaSet) -> Iterator[Check]:
    has_rows, shipped = bool(criteria.rows), criteria.origin == "shipped"
    here = _with_rows(criteria, "interpreted and compiled, compared by `criteria check`")
    tested = "in this project's tests (`tests/cql`)" if shipped else "a local set, not in this project's tests"
    same = "same verdicts from the exported CQL in an independent engine"
    yield Check("runs in this program", has_rows, here)
    yield Check(same, has_rows and shipped, _with_rows(criteria, tested))
    yield Check("translated logic (ELM) in the export", False, "the receiving engine translates the CQL")
    yield Check("has run in a hospital's system", False, "run in this project's own engines only")


def _with_rows(criteria: CriteriaSet, detail: str) -> str:
    return detail if criteria.rows else "no rows"
