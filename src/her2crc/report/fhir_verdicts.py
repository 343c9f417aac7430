"""What the rules say of a patient as FHIR: an Observation a set and specimen, regimens that fit, one report of all.

Part of stage 5. Each set speaks for itself: verdicts are never merged, and the report only counts them. Everything
here is `preliminary`, because a program has computed it and no person has verified it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from her2crc.criteria.finding import case_fields
from her2crc.criteria.library import ActionRule
from her2crc.criteria.nodes import fields_read
from her2crc.model.verdict import Action, Assessment, SetVerdict, SpecimenVerdict
from her2crc.report.fhir_elements import Element, Entry, Sheet, coding, concept, notes, test_code
from her2crc.report.fhir_terms import terms
from her2crc.report.words import ADVISED, STATUS, count, explain, pick, show_evidence

COMPUTED = "preliminary"
VERDICT, CONTRAST = "verdict", "contrast"
CONTRAST_WORDS = "Contrast only, a rule of another organ: "
STATUS_ORDER = ("positive", "negative", "equivocal", "indeterminate", "not_covered")


def verdict_entries(sheet: Sheet, facts: Sequence[Entry]) -> Iterator[Entry]:
    """Yield what each set says of each specimen, derived from the facts it reads, then of the patient."""
    for name, verdict in sheet.assessment.criteria.items():
        read = case_fields(sheet.knowledge.criteria[name], sheet.knowledge.fields)
        for specimen, item in verdict.specimens.items():
            resource = _verdict(sheet, name, verdict, item.status)
            resource["specimen"] = sheet.refer("specimen", specimen)
            resource |= _derived(sheet, facts_on(facts, read, specimen)) | _reason(sheet, item)
            yield Entry(("verdict", name, specimen), sheet.cite(item.cite) | resource)
        yield _patient_verdict(sheet, name, verdict)


def implication_entries(sheet: Sheet, facts: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the regimens of which every condition is met; what depends on something unknown is not among them."""
    rules = {rule.id: rule for rule in sheet.knowledge.actions}
    for action in sheet.assessment.actions:
        if action.fits:
            yield Entry(("action", action.id), _implication(sheet, action, _basis(sheet, rules[action.id], facts)))


def report_entry(sheet: Sheet, results: Iterable[Entry]) -> Entry:
    """Return the report that groups all results. It names no specimen: a result that names none is the patient's."""
    resource = {
        "resourceType": "DiagnosticReport",
        "meta": {"profile": [terms().profiles["report"]]},
        "status": COMPUTED,
        "category": [concept(coding("v2_0074", "GE"))],
        "code": test_code(terms().report_code, "HER2 (ERBB2) in colorectal cancer: what published rules say"),
        "subject": sheet.refer("patient"),
        "effectiveDateTime": sheet.day,
        "result": [sheet.refer(*entry.role) for entry in results],
        "conclusion": conclude(sheet.assessment),
    }
    return Entry(("report",), resource)


def conclude(assessment: Assessment) -> str:
    """Say how many rules say what, whether to test, and what to keep in mind. Rules are counted, never merged."""
    counted = [(STATUS[status].word, len(getattr(assessment.agreement, status))) for status in STATUS_ORDER]
    total = sum(number for _, number in counted)
    said = ", ".join(f"{word} {number}" for word, number in counted)
    lines = [
        f"Of {count(total, 'rule')}, each judged by itself: {said}. Rules are counted here, never merged.",
        f"HER2 testing by the source article: {ADVISED[assessment.testing.recommended][0]}.",
        *dict.fromkeys(caveat.text for caveat in assessment.caveats),
        assessment.disclaimer,
    ]
    return "\n".join(lines)


def facts_on(facts: Iterable[Entry], fields: Iterable[str], specimen: str = "") -> list[Entry]:
    """Return the entries that state one of these facts: of a specimen, and of the patient; of all if none is named."""
    wanted = set(fields)
    return [
        entry for entry in facts if wanted & set(entry.fields) and (not specimen or entry.specimen in ("", specimen))
    ]


def _patient_verdict(sheet: Sheet, name: str, verdict: SetVerdict) -> Entry:
    resource = _verdict(sheet, name, verdict, verdict.status)
    sources = [sheet.refer("verdict", name, specimen) for specimen in verdict.specimens]
    resource |= {"derivedFrom": sources} if sources else {}
    resource |= notes("Decided specimens differ under this set." if verdict.discordant else "")
    return Entry(("verdict", name), sheet.cite(sheet.knowledge.criteria[name].cite) | resource)


def _verdict(sheet: Sheet, name: str, verdict: SetVerdict, status: str) -> Element:
    is_contrast = verdict.role == CONTRAST
    prefix = CONTRAST_WORDS if is_contrast else ""
    letter = None if is_contrast else terms().interpretation.get(status)
    shown = coding("status", status, STATUS[status].word)
    return {
        "resourceType": "Observation",
        "status": COMPUTED,
        "category": [
            concept(coding("kind", CONTRAST if is_contrast else VERDICT), text="what one published rule says")
        ],
        "code": concept(coding("criteria", name, verdict.name), text=f"{prefix}HER2 by {verdict.name}"),
        "subject": sheet.refer("patient"),
        "effectiveDateTime": sheet.day,
        "device": sheet.refer("device"),
        "valueCodeableConcept": concept(shown, text=STATUS[status].word),
        **({"interpretation": [concept(coding("interpretation", letter))]} if letter else {}),
    }


def _derived(sheet: Sheet, sources: Iterable[Entry]) -> Element:
    listed = [sheet.refer(*entry.role) for entry in sources]
    return {"derivedFrom": listed} if listed else {}


def _reason(sheet: Sheet, verdict: SpecimenVerdict) -> Element:
    row = f"Row of the rule: {verdict.row}." if verdict.row else ""
    return notes(explain(verdict, sheet.knowledge), row)


# ---- regimens


def _basis(sheet: Sheet, rule: ActionRule, facts: Sequence[Entry]) -> list[Entry]:
    """Return the facts and verdicts that the conditions of a regimen hinge on."""
    names = list(dict.fromkeys(name for condition in rule.conditions for name in fields_read(condition.when)))
    sets = [Entry(("verdict", name), {}) for name in names if name in sheet.assessment.criteria]
    fields = [name for name in names if name in sheet.knowledge.fields]
    base = [each for name in fields for each in (name, *sheet.field(name).derived_from)]
    return sets + facts_on(facts, base)


def _implication(sheet: Sheet, action: Action, basis: Sequence[Entry]) -> Element:
    cites = [*action.cite, *(cite for item in action.evidence for cite in item.cite)]
    cites += [cite for item in action.approvals for cite in item.cite]
    approvals = [f"{item.authority}: {item.state} ({item.on})." for item in action.approvals]
    evidence = [" ".join((f"{item.label}: {show_evidence(item)}.", item.note)).strip() for item in action.evidence]
    number = len(action.conditions)
    said = f"meets {pick(number, 'the one condition', f'all {number} conditions')} of this trial or label"
    medication = {"code": concept(coding("loinc", terms().parts["medication"]))}
    return {
        "resourceType": "Observation",
        "meta": {"profile": [terms().profiles["implication"]]},
        **sheet.cite(cites),
        "status": COMPUTED,
        "category": [concept(coding("category", "laboratory")), concept(coding("v2_0074", "GE"))],
        "code": concept(coding("genomics", "therapeutic-implication")),
        "subject": sheet.refer("patient"),
        "effectiveDateTime": sheet.day,
        "device": sheet.refer("device"),
        **notes(action.setting, action.why, *evidence, *approvals),
        **_derived(sheet, basis),
        "component": [
            medication | {"valueCodeableConcept": concept(coding("action", action.id), text=action.regimen)},
            {
                "code": concept(coding("genomics", "therapeutic-implication")),
                "valueCodeableConcept": concept(coding("kind", "conditions-met"), text=said),
            },
        ],
    }
