"""What a reader must keep in mind with this answer: caveats are data, this stage says when they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from her2crc.criteria.cuts import lowest_cut
from her2crc.criteria.library import CaveatRule, Knowledge
from her2crc.criteria.run import Facts, evaluate, is_unknown, show_value
from her2crc.model.quantity import copies_per_tumour_cell
from her2crc.model.verdict import DECIDED, Caveat, Retest, SetVerdict

PERCENT = 100
SAID = (*DECIDED, "equivocal")
NOT_SHARED = (("positive", "equivocal"), ("positive", "not_covered"))
"""What a contrast rule says, and what a colorectal rule then says that is neither the same nor the opposite."""


def collect_caveats(
    patient: Facts,
    specimens: Mapping[str, Facts],
    verdicts: Mapping[str, SetVerdict],
    retest: tuple[Retest, ...],
    knowledge: Knowledge,
) -> tuple[Caveat, ...]:
    """Return the caveats that hold, those of the patient first.

    Args:
        patient: patient-level and judged facts.
        specimens: the facts of each specimen by specimen id.
        verdicts: every set's verdict.
        retest: the chance at untested lesions, quoted where a metastasis should be tested.
        knowledge: the caveats of the day.
    """
    rules = {rule.id: rule for rule in knowledge.caveats}
    computed = (
        *_breast_differs(rules, verdicts),
        *_retest(rules, patient, retest),
        *_knowledge_state(rules, verdicts),
        *_invisible(rules, specimens, verdicts, knowledge),
    )
    return (*_stated(knowledge.caveats, patient, specimens), *computed)


def _stated(rules: tuple[CaveatRule, ...], patient: Facts, specimens: Mapping[str, Facts]) -> Iterator[Caveat]:
    for rule in rules:
        if rule.when is None:
            continue
        if rule.level == "patient" and evaluate(rule.when, patient):
            yield _caveat(rule, patient)
        if rule.level == "specimen":
            for name, facts in specimens.items():
                if evaluate(rule.when, {**patient, **facts}):
                    yield _caveat(rule, {**patient, **facts}, name)


def _caveat(rule: CaveatRule, facts: Mapping[str, Any], specimen: str = "") -> Caveat:
    shown = {name: show_value(value) for name, value in facts.items()}
    return Caveat(rule.id, rule.text.format_map(shown), rule.cite, specimen)


def _breast_differs(rules: Mapping[str, CaveatRule], verdicts: Mapping[str, SetVerdict]) -> Iterator[Caveat]:
    """S11, P1: contrast rules that decide what colorectal ones do not, once for each specimen."""
    claims: dict[str, dict[tuple[str, str], list[str]]] = {}
    for contrast in verdicts.values():
        if contrast.role != "contrast":
            continue
        for specimen, verdict in contrast.specimens.items():
            others = ", ".join(other for other, item in verdicts.items() if _differs(item, specimen, verdict.status))
            if others:
                claims.setdefault(specimen, {}).setdefault((verdict.status, others), []).append(contrast.name)
    for specimen, of_specimen in claims.items():
        said = (f"{status} ({'; '.join(names)}), not shared by {sets}" for (status, sets), names in of_specimen.items())
        yield _caveat(rules["breast_rule_differs"], {"claims": "; and ".join(said)}, specimen)


def _differs(verdict: SetVerdict, specimen: str, status: str) -> bool:
    """A positive is also not shared by a rule that knows the case and waits for ISH or is silent on it."""
    other = verdict.specimens[specimen]
    if verdict.role != "rule" or status not in DECIDED or other.row is None:
        return False
    return other.status != status and (other.status in DECIDED or (status, other.status) in NOT_SHARED)


def _retest(rules: Mapping[str, CaveatRule], patient: Facts, retest: tuple[Retest, ...]) -> Iterator[Caveat]:
    """S16: a metastasis is worth testing, above all when the primary was negative."""
    negative = [item for item in retest if item.given == "primary negative" and not item.data_total]
    if patient.get("metastatic") and not patient.get("metastasis_tested") and negative:
        chances = "; ".join(
            f"{item.site.replace('_', ' ')} {item.probability:.0%} ({item.interval[0]:.0%} to {item.interval[1]:.0%})"
            for item in negative
        )
        yield _caveat(rules["retest_metastasis"], {"chances": chances})


def _knowledge_state(rules: Mapping[str, CaveatRule], verdicts: Mapping[str, SetVerdict]) -> Iterator[Caveat]:
    unverified = [name for name, item in verdicts.items() if item.confidence == "unverified" and item.status in SAID]
    local = [name for name, item in verdicts.items() if item.origin != "shipped"]
    yield _caveat(rules["not_reviewed"], {})
    if unverified:
        yield _caveat(rules["low_confidence_set"], {"sets": ", ".join(unverified)})
    if local:
        yield _caveat(rules["local_set"], {"sets": ", ".join(local)})


def _invisible(
    rules: Mapping[str, CaveatRule],
    specimens: Mapping[str, Facts],
    verdicts: Mapping[str, SetVerdict],
    knowledge: Knowledge,
) -> Iterator[Caveat]:
    """S30: at this purity or tumour fraction, how many copies would have stayed under each set's cut."""
    for name, facts in specimens.items():
        for copies, fraction in (("ngs_copies", "tumour_purity"), ("plasma_copies", "tumour_fraction")):
            open_sets = [
                knowledge.criteria[other]
                for other, verdict in verdicts.items()
                if verdict.specimens[name].status == "indeterminate" and fraction in verdict.specimens[name].missing
            ]
            cuts = {item.id: cut for item in open_sets if (cut := lowest_cut(item, copies)) is not None}
            if cuts and not is_unknown(facts.get(copies)) and not is_unknown(facts.get(fraction)):
                shown = _invisible_copies(cuts, facts[copies], facts[fraction])
                yield _caveat(rules["invisible_copies"], {"what": fraction.replace("_", " "), **shown}, name)


def _invisible_copies(cuts: Mapping[str, Any], reading: Any, share: Any) -> dict[str, str]:
    """Return, for the caveat's text, what a reading and each cut come to in copies per tumour cell."""
    fraction = f"{(share * PERCENT).normalize():f} %"
    if not share:
        return {"reading": str(reading), "fraction": fraction, "copies": "any number of", "hidden": "any number"}
    hidden = [f"{_per_tumour_cell(cut, share)} under {name} (cut {cut})" for name, cut in cuts.items()]
    copies = _per_tumour_cell(reading, share)
    return {"reading": str(reading), "fraction": fraction, "copies": copies, "hidden": "; ".join(hidden)}


def _per_tumour_cell(copies: Any, share: Any) -> str:
    """Copies per tumour cell behind a reading, ``share`` above zero; noise can put it below none at all."""
    behind: Any = copies_per_tumour_cell(copies, share)
    return f"{max(behind.numerator / behind.denominator, 0):.1f}"
