"""The sections of the text report, one function each: from the page to its lines.

Part of stage 5. What is said comes from :mod:`her2crc.report.outline` and :mod:`her2crc.report.summary`; here it is
only set in lines. A section with nothing to say returns no line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from her2crc.model.follow import FollowUp
from her2crc.model.record import Issue
from her2crc.model.verdict import Action, Evidence, NextTest, Retest
from her2crc.report.citations import identifiers, show_reference
from her2crc.report.findings import METHODS, findings, origin, unusable
from her2crc.report.follow_text import follow_lines
from her2crc.report.outline import (
    group_actions,
    group_comparisons,
    judging_sets,
    patient_facts,
    same_reasons,
    unseen_sets,
)
from her2crc.report.summary import negative_note, summarise, summarise_plainly, untested
from her2crc.report.text_page import TextPage, heading, wrap
from her2crc.report.words import (
    ADVISED,
    STATUS,
    clean,
    explain,
    name_code,
    name_fields,
    show_chance,
    show_effective,
    show_evidence,
    show_lesions_needed,
)

COLUMN = 6
"""Characters of one status column of the verdict table."""

ID_COLUMN = 23
"""Characters for the id of a set in the verdict table."""


def _summary(page: TextPage) -> list[str]:
    return [*heading(page, "summary"), *wrap(page, " ".join(summarise(page.assessment, page.knowledge)))]


def _plain(page: TextPage) -> list[str]:
    lines = heading(page, "plain")
    for sentence in summarise_plainly(page.assessment):
        lines += wrap(page, sentence)
    return lines


def _problems(page: TextPage) -> list[str]:
    issues = (*page.assessment.errors, *page.assessment.warnings)
    if not issues:
        return []
    return [*heading(page, "problems"), *(line for issue in issues for line in _issue(page, issue))]


def _issue(page: TextPage, issue: Issue) -> list[str]:
    where = ", ".join(part for part in (issue.specimen and f"specimen {issue.specimen}", issue.place) if part)
    return wrap(page, f"{issue.level}: {issue.text}{f' ({where})' if where else ''}", "- ")


def _specimens(page: TextPage) -> list[str]:
    known, unknown = patient_facts(page.assessment.patient)
    facts = "; ".join(f"{label}: {value}" for label, value in known)
    lines = [*heading(page, "specimens")]
    lines += wrap(page, f"Known: {facts}.") if known else []
    lines += wrap(page, f"Not known: {', '.join(unknown)}.") if unknown else []
    for number, specimen in enumerate(page.assessment.patient.specimens, 1):
        lines += wrap(page, f"{specimen.specimen_id}: {', '.join(origin(specimen))}", _number(number))
        indent = " " * len(_number(number))
        for found in findings(specimen):
            lines += wrap(page, f"{METHODS[found.method]}: {found.text}", indent)
        if not findings(specimen):
            lines += wrap(page, "no HER2 result", indent)
        if specimen.unsettled:
            lines += wrap(page, f"stated but unusable, so unknown: {unusable(specimen)}", indent)
    return lines if page.assessment.patient.specimens else [*lines, "No specimen was entered."]


def _number(number: int) -> str:
    return f"#{number}".ljust(4)


def _verdicts(page: TextPage) -> list[str]:
    specimens = list(enumerate(page.assessment.patient.specimens, 1))
    fitting = max(1, (page.width // 2 - ID_COLUMN) // COLUMN)
    blocks = [specimens[start : start + fitting] for start in range(0, len(specimens), fitting)] or [[]]
    lines = heading(page, "verdicts")
    for block in blocks:
        lines += [*_matrix(page, [(number, item.specimen_id) for number, item in block]), ""]
    codes = ", ".join(f"{word.code} {word.word}" for word in STATUS.values())
    legend = "all: the patient over all specimens; #: the specimen's number above; !: the source's wording was not read"
    lines += wrap(page, f"{codes}; {legend}.")
    if negative_note(page.assessment):
        lines += wrap(page, f"* negative as far as tested; no result yet from: {negative_note(page.assessment)}.")
    names = ", ".join(item.name for item in unseen_sets(page.knowledge))
    return [*lines, *wrap(page, f"Known by name only, text not read, no verdict: {names}.")] if names else lines


def _matrix(page: TextPage, block: Sequence[tuple[int, str]]) -> Iterator[str]:
    numbers = "".join(f"#{number}".ljust(COLUMN) for number, _ in block)
    yield page.paint(f"{'rule':<{ID_COLUMN}}{'all':<{COLUMN}}{numbers}name [source]", "bold")
    for group in judging_sets(page.knowledge):
        yield page.paint(f"{group.title}:", "bold")
        for criteria in group.sets:
            yield _matrix_row(page, criteria.id, [specimen for _, specimen in block])


def _matrix_row(page: TextPage, set_id: str, specimens: Sequence[str]) -> str:
    verdict = page.assessment.criteria[set_id]
    note = "*" if verdict.status == "negative" and negative_note(page.assessment) else ""
    cells = page.cell(verdict.status, COLUMN, note)
    cells += "".join(page.cell(verdict.specimens[name].status, COLUMN) for name in specimens)
    flags = "! " if verdict.confidence == "unverified" else ""
    flags += "" if verdict.origin == "shipped" else f"({verdict.origin}) "
    marks = page.mark(page.knowledge.criteria[set_id].cite)
    room = page.width - ID_COLUMN - COLUMN * (1 + len(specimens)) - len(marks)
    return f"{_fit(set_id, ID_COLUMN - 1):<{ID_COLUMN}}{cells}{_fit(flags + verdict.name, room)}{marks}"


def _fit(text: str, width: int) -> str:
    cleaned = clean(text)
    return cleaned if len(cleaned) <= width else cleaned[: width - 1] + "…"


def _reasons(page: TextPage) -> list[str]:
    lines = heading(page, "reasons")
    for group in judging_sets(page.knowledge):
        for criteria in group.sets:
            lines += ["", *_reason(page, criteria.id)]
    return lines


def _reason(page: TextPage, set_id: str) -> Iterator[str]:
    verdict = page.assessment.criteria[set_id]
    day = show_effective(verdict.effective, verdict.effective_precision)
    state = f"{verdict.confidence}, {name_code(verdict.review_state)}, effective {day}, {verdict.origin}"
    yield from wrap(page, f"{verdict.name} ({set_id}; {state})")
    for names, item in same_reasons(verdict):
        row = f", row {item.row}" if item.row else ""
        text = f"{', '.join(names)}: {STATUS[item.status].word}{row}. {explain(item, page.knowledge)}"
        yield from wrap(page, f"{text}{page.mark(item.cite)}", "  ", "    ")


def _next_tests(page: TextPage) -> list[str]:
    lines = heading(page, "next_tests")
    if not page.assessment.next_tests:
        return [*lines, *wrap(page, "No further test was found that could change an answer of these rules.")]
    for number, test in enumerate(page.assessment.next_tests, 1):
        lines += _next_test(page, number, test)
    return lines


def _next_test(page: TextPage, number: int, test: NextTest) -> Iterator[str]:
    first = f"{number}.".ljust(4)
    yield from wrap(page, f"{test.name}{_where(test)}", first)
    indent = " " * len(first)
    yield from wrap(page, f"{test.why}{page.mark(test.cite)}", indent)
    if test.would_decide:
        yield from wrap(page, f"could decide {len(test.would_decide)}: {', '.join(test.would_decide)}", indent)


def _where(test: NextTest) -> str:
    site = f" ({name_code(test.site)})" if test.site else ""
    if test.specimen:
        return f", on {test.specimen}{site}"
    return f", on new material{site}" if test.site else ""


def _testing(page: TextPage) -> list[str]:
    lines = heading(page, "testing")
    names = {source.id: source.name for source in page.knowledge.eligibility}
    for reason in page.assessment.testing.reasons:
        word, symbol = ADVISED[reason.recommended]
        text = reason.text
        if reason.missing:
            text = f"Not known: {name_fields(reason.missing, page.knowledge)}."
        lines += wrap(page, f"{names[reason.source]}: {word.upper()}. {text}{page.mark(reason.cite)}", f"{symbol} ")
    return lines


def _concordance(page: TextPage) -> list[str]:
    concordance = page.assessment.concordance
    lines: list[str] = []
    for pair in group_comparisons(page.assessment):
        lines += wrap(page, f"{pair.kind}, {pair.first} and {pair.second}:", "- ")
        for word, sets in (("differ", pair.differ), ("agree", pair.agree), ("open", pair.open)):
            lines += wrap(page, f"{word} under {len(sets)}: {', '.join(sets)}", "  ", "    ") if sets else []
    if concordance.untested_sites:
        lines += wrap(page, f"No HER2 result yet from: {untested(page.assessment)}.", "- ")
    for item in concordance.retest:
        lines += _retest(page, item)
    return [*heading(page, "concordance"), *lines] if lines else []


def _retest(page: TextPage, item: Retest) -> list[str]:
    own = f" and {item.data_events} of {item.data_total} of this patient's" if item.data_total else ""
    counts = f"by {item.method}, from {item.prior_events} of {item.prior_total} published{own}{page.mark(item.cite)}"
    further = show_lesions_needed(item, page.knowledge.settings.retest_most_lesions)
    lesion = f"Chance that an untested lesion ({name_code(item.site)}) is positive, given {item.given}"
    return wrap(page, f"{lesion}: {show_chance(item)}, {counts}. {further}", "- ")


def _follow_up(page: TextPage) -> list[str]:
    if not page.assessment.follow_up:
        return []
    found = msgspec.convert(page.assessment.follow_up, FollowUp)
    lines = heading(page, "follow_up")
    for line in follow_lines(found, page.mark):
        indent = " " * (len(line) - len(line.lstrip()))
        lines += wrap(page, line.strip(), indent, f"{indent}  ") if line else [""]
    return lines


def _actions(page: TextPage) -> list[str]:
    if not page.assessment.actions:
        return []
    lines = heading(page, "actions")
    for group in group_actions(page.assessment):
        lines += ["", page.paint(f"{group.title} ({len(group.actions)})", "bold")]
        for action in group.actions:
            lines += _action(page, action)
    note = "Only counted evidence is listed here; months, hazard ratios and notes are in the HTML report."
    return [*lines, "", *wrap(page, note)]


def _action(page: TextPage, action: Action) -> Iterator[str]:
    state = "" if action.confidence == "primary" else f" ({action.confidence} source)"
    yield from wrap(page, f"{action.regimen}, {action.id}{state}{page.mark(action.cite)}", "- ")
    yield from wrap(page, action.why, "  ")
    if action.fits is False:
        return
    yield from wrap(page, action.setting, "  ")
    for item in filter(_is_counted, action.evidence):
        yield from wrap(page, f"{item.label}: {show_evidence(item)}{page.mark(item.cite)}", "    ", "      ")
    for approval in action.approvals:
        day = f", {approval.on}" if approval.on else ""
        text = f"{approval.authority}{day}: {approval.state} ({approval.confidence} source){page.mark(approval.cite)}"
        yield from wrap(page, text, "    ", "      ")


def _is_counted(item: Evidence) -> bool:
    """Months, hazard ratios and percentages without counts are left to the page (HTML), to keep the text short."""
    return item.events is not None


def _caveats(page: TextPage) -> list[str]:
    lines = heading(page, "caveats")
    for caveat in page.assessment.caveats:
        place = f"{caveat.specimen}: " if caveat.specimen else ""
        lines += wrap(page, f"{place}{caveat.text}{page.mark(caveat.cite)}", "- ")
    return lines if page.assessment.caveats else []


def _references(page: TextPage) -> list[str]:
    lines = heading(page, "references")
    for item in page.citations.listed():
        ids = identifiers(item.reference)
        text = f"{show_reference(item.reference)}{f' {ids}.' if ids else ''} Read: {item.reference.basis}."
        lines += wrap(page, text, f"[{item.number}] ")
    return lines


SECTIONS: dict[str, Callable[[TextPage], list[str]]] = {
    "summary": _summary,
    "plain": _plain,
    "problems": _problems,
    "specimens": _specimens,
    "verdicts": _verdicts,
    "reasons": _reasons,
    "next_tests": _next_tests,
    "testing": _testing,
    "concordance": _concordance,
    "follow_up": _follow_up,
    "actions": _actions,
    "caveats": _caveats,
    "references": _references,
}
