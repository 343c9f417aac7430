"""What a report says before anybody decides how it looks: which sections, which groups, in which order.

Part of stage 5. Text and page are built from these same values, so that they cannot say different things.
"""

from __future__ import annotations

from typing import NamedTuple

from her2crc.criteria.library import Knowledge
from her2crc.criteria.sets import CriteriaSet
from her2crc.errors import UsageError
from her2crc.model.patient import Patient
from her2crc.model.verdict import Action, Assessment, Comparison, SetVerdict, SpecimenVerdict
from her2crc.report.words import FIELDS, show_fact

VIEWS: dict[str, tuple[str, ...]] = {
    "pathologist": (
        "summary", "problems", "specimens", "verdicts", "next_tests", "testing", "concordance", "follow_up", "actions",
        "caveats", "reasons", "references",
    ),
    "oncologist": (
        "summary", "problems", "actions", "next_tests", "follow_up", "concordance", "testing", "specimens",
        "verdicts", "caveats", "reasons", "references",
    ),
    "laboratory": (
        "problems", "summary", "specimens", "next_tests", "verdicts", "reasons", "testing", "concordance",
        "follow_up", "caveats", "references",
    ),
    "researcher": (
        "summary", "problems", "specimens", "verdicts", "reasons", "concordance", "follow_up", "testing",
        "actions", "next_tests", "caveats", "references",
    ),
    "patient": ("plain",),
}  # fmt: skip
"""Which sections each reader gets, in which order. The facts are the same; a view only selects and orders."""

TITLES = {
    "summary": "Summary",
    "plain": "Summary in plain language",
    "problems": "Problems in the input",
    "specimens": "Patient and specimens",
    "verdicts": "Verdicts: every rule on every specimen",
    "reasons": "Why each rule says what it says",
    "next_tests": "What to test next, in this order",
    "testing": "Whether to test for HER2, by source",
    "concordance": "Concordance, and lesions not tested",
    "follow_up": "HER2 over time",
    "actions": "Regimens under their own conditions",
    "caveats": "Keep in mind",
    "references": "References",
}

GROUPS = {
    ("ihc_ish", "tissue"): "Staining, with hybridisation where the rule asks for it",
    ("ish", "tissue"): "Hybridisation alone",
    ("any", "tissue"): "Any one method",
    ("copies", "tissue"): "Sequencing of tissue",
    ("copies", "plasma"): "Sequencing of plasma",
}
CONTRAST = "Contrast only: rules of other organs, counted nowhere"

TISSUE = "each tissue rule"
"""The first side of a comparison of plasma with tissue: one plasma rule against all tissue rules."""

OPEN = ("equivocal", "indeterminate")
"""The statuses that a further result can still change."""

KINDS = {
    "primary_metastasis": "primary and metastasis",
    "metastases": "two metastases",
    "primary": "two specimens of the primary",
    "site_unknown": "two specimens, site not known",
    "methods": "methods on one specimen",
    "tissue_plasma": "tissue and plasma",
}


class SetGroup(NamedTuple):
    """Sets of one method, in the order of the knowledge base."""

    title: str
    sets: tuple[CriteriaSet, ...]


class ActionGroup(NamedTuple):
    """Regimens for which the conditions come to the same."""

    title: str
    fits: bool | None
    actions: tuple[Action, ...]


class Pair(NamedTuple):
    """Two specimens (or tissue and one plasma rule), and the sets under which they agree, differ or stay open."""

    kind: str
    first: str
    second: str
    agree: tuple[str, ...]
    differ: tuple[str, ...]
    open: tuple[str, ...]


def sections_of(view: str) -> tuple[str, ...]:
    """Return the sections of a view.

    Raises:
        UsageError: there is no such view.
    """
    if view not in VIEWS:
        raise UsageError(f"there is no view '{view}'", fix=f"Choose one of: {', '.join(VIEWS)}.")
    return VIEWS[view]


def judging_sets(knowledge: Knowledge) -> list[SetGroup]:
    """Return the sets that give verdicts, grouped by method, the contrast sets last."""
    rules = [item for item in knowledge.criteria.values() if item.role == "rule"]
    methods = dict.fromkeys([*GROUPS, *((item.method, item.judges) for item in rules)])
    groups = [
        SetGroup(GROUPS.get(key, " of ".join(key)), tuple(item for item in rules if (item.method, item.judges) == key))
        for key in methods
    ]
    contrast = tuple(item for item in knowledge.criteria.values() if item.role == "contrast")
    return [group for group in (*groups, SetGroup(CONTRAST, contrast)) if group.sets]


def unseen_sets(knowledge: Knowledge) -> list[CriteriaSet]:
    """Return the sets whose text was not read, so that they give no verdict."""
    return [item for item in knowledge.criteria.values() if item.role == "unseen"]


def group_actions(assessment: Assessment) -> list[ActionGroup]:
    """Return the regimens by whether their conditions hold."""
    titles = {
        True: "All conditions met by what was entered",
        None: "Depends on what is not known",
        False: "Does not fit",
    }
    groups = [
        ActionGroup(title, fits, tuple(action for action in assessment.actions if action.fits is fits))
        for fits, title in titles.items()
    ]
    return [group for group in groups if group.actions]


def group_comparisons(assessment: Assessment) -> list[Pair]:
    """Return one line per pair of specimens; tissue against plasma, one line per plasma rule."""
    pairs: dict[tuple[str, str, str], list[Comparison]] = {}
    for item in assessment.concordance.comparisons:
        first = TISSUE if item.kind == "tissue_plasma" else item.first
        pairs.setdefault((item.kind, first, item.second), []).append(item)
    return [_pair(*key, items) for key, items in pairs.items()]


def _pair(kind: str, first: str, second: str, items: list[Comparison]) -> Pair:
    def names(wanted: bool | None) -> tuple[str, ...]:
        chosen = [item for item in items if item.concordant is wanted]
        return tuple(item.first if kind == "tissue_plasma" else item.criteria for item in chosen)

    return Pair(KINDS[kind], first, second, agree=names(True), differ=names(False), open=names(None))


def same_reasons(verdict: SetVerdict) -> list[tuple[tuple[str, ...], SpecimenVerdict]]:
    """Return each different verdict of a set once, with the specimens that share it, in the order of the specimens."""
    shared: dict[SpecimenVerdict, list[str]] = {}
    for name, item in verdict.specimens.items():
        shared.setdefault(item, []).append(name)
    return [(tuple(names), item) for item, names in shared.items()]


def missing_of(assessment: Assessment, set_id: str) -> tuple[str, ...]:
    """Return what would decide a set for the patient: all that its specimens miss, nothing where it is decided."""
    verdict = assessment.criteria[set_id]
    if verdict.status not in OPEN:
        return ()
    return tuple(dict.fromkeys(name for item in verdict.specimens.values() for name in item.missing))


def patient_facts(patient: Patient) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what is known of the patient, as label and value, and the labels of what is not stated."""
    known, unknown = [], []
    for part in (patient.history, patient.genes):
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if value is None:
                unknown.append(FIELDS[name])
            else:
                known.append((FIELDS[name], show_fact(value)))
    return known, unknown


def review_states(assessment: Assessment) -> str:
    """Say in which review state the sets of this answer are, each state once with its number of sets."""
    states = [item.review_state for item in assessment.criteria.values()]
    return ", ".join(f"{state.replace('_', ' ')} ({states.count(state)} sets)" for state in dict.fromkeys(states))
