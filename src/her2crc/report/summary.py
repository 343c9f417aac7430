"""The answer in one paragraph: how many rules say what, where they differ, and what stays open.

Part of stage 5. The rules are counted, never merged into one verdict, and a negative is never left to stand alone
where a rule is open or a site untested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment
from her2crc.report.outline import OPEN, missing_of
from her2crc.report.words import PLAIN_TESTS, STATUS, count, join_words, name_code, name_field, pick

TAKING_SIDES = ("positive", "negative", "equivocal")
MOST_NAMED = 3
"""Longer lists of rules and facts are cut here; the tables below the summary hold all of them."""


def summarise(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    """Return the sentences of the summary."""
    return [
        *_counts(assessment),
        *_disagreement(assessment, knowledge),
        *_differing_specimens(assessment),
        *_missing(assessment, knowledge),
        *_negative_so_far(assessment),
        *_regimens(assessment),
        *_input_problems(assessment),
    ]


def summarise_plainly(assessment: Assessment) -> list[str]:
    """Return the sentences for a patient: the same facts in plain language, and no advice."""
    tests = dict.fromkeys(PLAIN_TESTS[item.test] for item in assessment.next_tests if item.test in PLAIN_TESTS)
    sentences = [
        "HER2 is a protein on the surface of cells. A few bowel cancers carry much more of it than usual. Doctors look "
        "for it because some medicines are aimed at it.",
        "Researchers have published several rules for reading the results of a test for HER2, and they do not always "
        "agree.",
        *_plain_rules(assessment),
    ]
    if any(_differing_specimens(assessment)):
        sentences.append("Some rules find a lot of HER2 in one sample and not in another. That can happen.")
    if _open_rules(assessment) or assessment.concordance.untested_sites:
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


def _counts(assessment: Assessment) -> Iterator[str]:
    numbers = {status: len(names) for status, names in rules_by_status(assessment).items()}
    total = sum(numbers.values())
    if not assessment.patient.specimens:
        yield f"No specimen and no HER2 result was entered: none of the {total} colorectal rules can say anything yet."
        return
    verbs = {status: f"{pick(numbers[status], 'says', 'say')} {status}" for status in TAKING_SIDES}
    verbs["indeterminate"] = "cannot say yet (indeterminate)"
    verbs["not_covered"] = f"{pick(numbers['not_covered'], 'does', 'do')} not cover this case"
    parts = [f"{numbers[status]} {verb}" for status, verb in verbs.items() if numbers[status]]
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
            largest, names = ordered[-1]
            others = _named(names) if len(names) <= MOST_NAMED else count(len(names), "rule")
            yield f"The rules differ on {specimen.specimen_id}: {join_words([*smaller, f'{largest} under {others}'])}."


def _differing_specimens(assessment: Assessment) -> Iterator[str]:
    differ = [name for name in assessment.concordance.discordant_sets if assessment.criteria[name].role == "rule"]
    if differ:
        yield f"The specimens differ under {count(len(differ), 'rule')}: one is positive, another negative."


def _missing(assessment: Assessment, knowledge: Knowledge) -> Iterator[str]:
    wanted = Counter(name for set_id in _open_rules(assessment) for name in missing_of(assessment, set_id))
    most = [f"{name_field(name, knowledge)} ({count(rules, 'rule')})" for name, rules in wanted.most_common(MOST_NAMED)]
    if most:
        yield f"What would decide most of them: {join_words(most)}."


def _negative_so_far(assessment: Assessment) -> Iterator[str]:
    rules = _open_rules(assessment)
    reasons = [f"{count(len(rules), 'rule')} {pick(len(rules), 'is', 'are')} still open"] if rules else []
    if assessment.concordance.untested_sites:
        reasons.append(f"no result is there from: {untested(assessment)}")
    if rules_by_status(assessment)["negative"] and reasons:
        yield f"Negative here holds for what was tested and is not the last word: {join_words(reasons)}."


def _regimens(assessment: Assessment) -> Iterator[str]:
    fits, depends = (sum(item.fits is value for item in assessment.actions) for value in (True, None))
    if assessment.actions:
        yield (
            f"Of {count(len(assessment.actions), 'regimen')} looked at, {fits or 'none'} {pick(fits, 'has', 'have')} "
            f"all conditions met by what was entered and {depends or 'none'} {pick(depends, 'depends', 'depend')} on "
            "what is not known."
        )


def _input_problems(assessment: Assessment) -> Iterator[str]:
    problems = len(assessment.errors) + len(assessment.warnings)
    if problems:
        yield f"The input has {count(problems, 'problem')}, listed in this report; what they concern is unknown."


def untested(assessment: Assessment) -> str:
    """Return the sites without a result, as words."""
    return ", ".join(name_code(site) for site in assessment.concordance.untested_sites)


def negative_note(assessment: Assessment) -> str:
    """Return the sites that any negative of the patient leaves open, empty where there is no such thing to say."""
    negative = any(item.status == "negative" for item in assessment.criteria.values())
    return untested(assessment) if negative else ""


def _open_rules(assessment: Assessment) -> list[str]:
    found = rules_by_status(assessment)
    return [set_id for status in OPEN for set_id in found[status]]


def _plain_rules(assessment: Assessment) -> Iterator[str]:
    found = rules_by_status(assessment)
    if not assessment.patient.specimens:
        yield "No HER2 result was entered, so no rule can say anything yet."
        return
    yield f"Here they were applied to the results of {count(len(assessment.patient.specimens), 'sample')}."
    for status, names in found.items():
        if names:
            yield f"{count(len(names), 'rule')} {pick(len(names), 'says', 'say')}: {STATUS[status].plain}."


def _plain_regimens(assessment: Assessment) -> Iterator[str]:
    fits, depends, does_not = (sum(item.fits is value for item in assessment.actions) for value in (True, None, False))
    yield (
        f"Of {len(assessment.actions)} treatments that trials or authorities have looked at, the entered results meet "
        f"all conditions of {fits or 'none'}, do not meet those of {does_not or 'none'}, and are not enough to tell "
        f"for {depends or 'none'}. This is no recommendation: which treatment is right, if any, is for you and your "
        "doctors to talk about."
    )


def _named(names: Sequence[str]) -> str:
    shown = [f"“{name}”" for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    return join_words([*shown, count(more, "other")] if more else shown)
