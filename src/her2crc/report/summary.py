"""The answer in one paragraph: how many rules say what, where they differ, and what stays open.

Part of stage 5. The rules are counted, never merged into one verdict, and a negative is never left to stand alone
where a rule is open or a site untested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment
from her2crc.report.outline import missing_of
from her2crc.report.words import PLAIN_TESTS, STATUS, count, join_words, name_field, pick

TAKING_SIDES = ("positive", "negative", "equivocal")
OPEN = ("equivocal", "indeterminate")
MOST_NAMED = 3
"""Longer lists of rules and facts are cut here; the tables below the summary hold all of them."""


def summarise(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    """Return the sentences of the summary."""
    return [
        *_counts(assessment, knowledge),
        *_disagreement(assessment, knowledge),
        *_differing_specimens(assessment),
        *_missing(assessment, knowledge),
        *_negative_so_far(assessment, knowledge),
        *_regimens(assessment),
        *_input_problems(assessment),
    ]


def summarise_plainly(assessment: Assessment) -> list[str]:
    """Return the sentences for a patient: the same facts in plain language, and no advice."""
    patient = assessment.patient
    tests = dict.fromkeys(PLAIN_TESTS[item.test] for item in assessment.next_tests if item.test in PLAIN_TESTS)
    sentences = [
        "HER2 is a protein on the surface of cells. A few bowel cancers carry much more of it than usual. Doctors look "
        "for it because some medicines are aimed at it.",
        f"This summary is about {count(len(patient.specimens), 'sample')} whose results were entered. Researchers have "
        "published several rules for reading such results, and they do not always agree.",
        *_plain_rules(assessment),
    ]
    if _is_open(assessment):
        sentences.append("Where a rule cannot answer yet, that does not mean that the answer is no.")
    if tests:
        sentences.append(f"What could still be found out: {join_words(list(tests))}.")
    return [*sentences, *_plain_regimens(assessment)]


def rules_by_status(assessment: Assessment) -> dict[str, list[str]]:
    """Return the sets that judge colorectal tumours, by what they say of the patient."""
    found: dict[str, list[str]] = {status: [] for status in STATUS}
    for set_id, verdict in assessment.criteria.items():
        if verdict.role == "rule":
            found[verdict.status].append(set_id)
    return found


def _counts(assessment: Assessment, knowledge: Knowledge) -> Iterator[str]:
    found = rules_by_status(assessment)
    total = sum(map(len, found.values()))
    if not assessment.patient.specimens:
        yield f"No specimen and no HER2 result was entered: none of the {total} colorectal rules can say anything yet."
        return
    parts = [f"{len(found[status])} {pick(len(found[status]), 'says', 'say')} {status}" for status in TAKING_SIDES if found[status]]
    if found["indeterminate"]:
        parts.append(f"{len(found['indeterminate'])} cannot say yet (indeterminate)")
    if found["not_covered"]:
        parts.append(f"{len(found['not_covered'])} {pick(len(found['not_covered']), 'does', 'do')} not cover this case")
    yield f"Of {total} colorectal rules, {join_words(parts)}."


def _disagreement(assessment: Assessment, knowledge: Knowledge) -> Iterator[str]:
    """Say on which specimen the rules differ, naming the smaller sides."""
    for specimen in assessment.patient.specimens:
        sides: dict[str, list[str]] = {}
        for set_id, verdict in assessment.criteria.items():
            status = verdict.specimens[specimen.specimen_id].status
            if verdict.role == "rule" and status in TAKING_SIDES:
                sides.setdefault(status, []).append(knowledge.criteria[set_id].name)
        if len(sides) > 1:
            ordered = sorted(sides.items(), key=lambda side: len(side[1]))
            smaller = [f"{status} under {_named(names)}" for status, names in ordered[:-1]]
            status, names = ordered[-1]
            yield f"The rules differ on {specimen.specimen_id}: {join_words([*smaller, f'{status} under {len(names)}'])}."


def _differing_specimens(assessment: Assessment) -> Iterator[str]:
    differ = [name for name in assessment.concordance.discordant_sets if assessment.criteria[name].role == "rule"]
    if differ:
        yield (
            f"The specimens differ among themselves under {count(len(differ), 'rule')}: one is positive, another negative."
        )


def _missing(assessment: Assessment, knowledge: Knowledge) -> Iterator[str]:
    rules = [set_id for status in OPEN for set_id in rules_by_status(assessment)[status]]
    wanted = Counter(name for set_id in rules for name in missing_of(assessment, set_id))
    if wanted:
        most = [f"{name_field(name, knowledge)} ({count(times, 'rule')})" for name, times in wanted.most_common(MOST_NAMED)]
        yield f"Most often missing: {join_words(most)}."


def _negative_so_far(assessment: Assessment, knowledge: Knowledge) -> Iterator[str]:
    if not rules_by_status(assessment)["negative"] or not _is_open(assessment):
        return
    reasons = []
    open_rules = [set_id for status in OPEN for set_id in rules_by_status(assessment)[status]]
    if open_rules:
        reasons.append(f"{count(len(open_rules), 'rule')} {pick(len(open_rules), 'is', 'are')} still open")
    if assessment.concordance.untested_sites:
        reasons.append(f"no result is there from: {untested(assessment)}")
    yield f"Negative here holds for what was tested and is not the last word: {join_words(reasons)}."


def _regimens(assessment: Assessment) -> Iterator[str]:
    fits, depends = (sum(item.fits is value for item in assessment.actions) for value in (True, None))
    if assessment.actions:
        yield (
            f"Of {count(len(assessment.actions), 'regimen')} looked at, {fits} {pick(fits, 'has', 'have')} all conditions met by what "
            f"was entered and {depends} {pick(depends, 'depends', 'depend')} on what is not known."
        )


def _input_problems(assessment: Assessment) -> Iterator[str]:
    problems = len(assessment.errors) + len(assessment.warnings)
    if problems:
        yield f"The input has {count(problems, 'problem')}, listed below; what they concern is treated as unknown."


def untested(assessment: Assessment) -> str:
    """Return the sites without a result, as words."""
    return ", ".join(site.replace("_", " ") for site in assessment.concordance.untested_sites)


def _is_open(assessment: Assessment) -> bool:
    found = rules_by_status(assessment)
    return any(found[status] for status in OPEN) or bool(assessment.concordance.untested_sites)


def _plain_rules(assessment: Assessment) -> Iterator[str]:
    found = rules_by_status(assessment)
    if not assessment.patient.specimens:
        yield "No HER2 result was entered, so no rule can say anything yet."
        return
    for status, names in found.items():
        if names:
            yield f"{count(len(names), 'rule')} {pick(len(names), 'says', 'say')}: {STATUS[status].plain}."


def _plain_regimens(assessment: Assessment) -> Iterator[str]:
    fits, depends, does_not = (sum(item.fits is value for item in assessment.actions) for value in (True, None, False))
    yield (
        f"Of {len(assessment.actions)} treatments that trials or authorities have looked at, the entered results meet all "
        f"conditions of {fits}, do not meet those of {does_not}, and are not enough to tell for {depends}. This is no "
        "recommendation: which treatment is right, if any, is for you and your doctors to talk about."
    )


def _named(names: Sequence[str]) -> str:
    shown = [f"“{name}”" for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    return join_words([*shown, count(more, "other")] if more else shown)
