"""What to test next: only tests that can change an answer, staining before hybridisation before the rest.

Proposals come from the facts that verdicts report as missing, and from a site that has no result yet where the
answer could still change (S07, S13, S16).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from her2crc.criteria.library import Knowledge, TestKind
from her2crc.criteria.run import Facts, is_unknown
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.patient import Patient
from her2crc.model.verdict import NextTest, SetVerdict, SpecimenVerdict, Testing

OPEN = ("equivocal", "indeterminate")
REFLEX = "ihc_ish"
"""Rules that order staining and then hybridisation. Only these call for a test nobody began: a rule that takes any
method asks for none in particular (S07), and one on hybridisation or copies alone only adds to a test's use."""
STARTING = (REFLEX, "any")
"""Rules that staining alone can settle, so that they profit from it at an untested site."""
SITE_TEST = "ihc"
"""An untested site is tested from the start, by staining."""


def recommend_tests(
    patient: Patient,
    verdicts: Mapping[str, SetVerdict],
    facts: Mapping[str, Facts],
    testing: Testing,
    untested_sites: tuple[str, ...],
    knowledge: Knowledge,
) -> tuple[NextTest, ...]:
    """Return the tests that can change an answer, in the order in which to do them.

    Args:
        patient: the patient, for the sites of the specimens.
        verdicts: every set's verdict; on a specimen only rules not yet positive for the patient can still change.
        facts: the facts of each specimen, to see which methods were begun.
        testing: the testing recommendation, whose missing markers come first; new material is asked for only where
            not every source says no.
        untested_sites: sites without a result.
        knowledge: the tests that can be proposed.
    """
    open_rules = {name: item for name, item in verdicts.items() if item.role == "rule" and item.status != "positive"}
    kinds = sorted(knowledge.tests, key=lambda kind: kind.order)
    markers = [
        _marker_test(kind) for kind in kinds if kind.level == "patient" and set(kind.supplies) & set(testing.missing)
    ]
    specimen_kinds = [kind for kind in kinds if kind.level == "specimen"]
    first = {name: _first_tests(name, specimen_kinds, open_rules, facts[name]) for name in facts}
    proposed = [
        test
        for kind in specimen_kinds
        for specimen in patient.specimens
        for test in _on_specimen(
            kind,
            first[specimen.specimen_id],
            specimen.specimen_id,
            specimen.site,
            open_rules,
            facts[specimen.specimen_id],
            knowledge,
        )
    ]
    begun = {test.specimen for test in proposed}
    wanted = any(reason.recommended is not False for reason in testing.reasons)
    elsewhere = _at_sites(patient, verdicts, untested_sites, begun, kinds, knowledge) if wanted else ()
    return (*markers, *proposed, *elsewhere)


def _marker_test(kind: TestKind) -> NextTest:
    return NextTest(kind.id, kind.name, None, None, kind.why, (), kind.cite)


def _first_tests(
    specimen: str, kinds: list[TestKind], rules: Mapping[str, SetVerdict], facts: Facts
) -> dict[str, TestKind | None]:
    """Return for each open rule the first test on this specimen that supplies what the rule misses."""
    possible = [kind for kind in kinds if _fits_material(kind, facts) and _started(kind, facts)]
    return {name: _first_for(verdict.specimens[specimen], possible) for name, verdict in rules.items()}


def _on_specimen(
    kind: TestKind,
    first: Mapping[str, TestKind | None],
    specimen: str,
    site: str | None,
    rules: Mapping[str, SetVerdict],
    facts: Facts,
    knowledge: Knowledge,
) -> Iterator[NextTest]:
    decides = tuple(name for name, test in first.items() if test is kind)
    staining = [rules[name].specimens[specimen].status for name in decides if knowledge.criteria[name].method == REFLEX]
    if staining and kind.reflex and "equivocal" not in staining and not _begun(kind, facts):
        return
    if staining or (decides and kind.only_if):
        yield NextTest(kind.id, kind.name, specimen, site, kind.why, decides, kind.cite)


def _first_for(verdict: SpecimenVerdict, possible: list[TestKind]) -> TestKind | None:
    """Return the first test that supplies a fact this verdict misses: a later one waits for its result."""
    if verdict.status not in OPEN:
        return None
    return next((kind for kind in possible if set(kind.supplies) & set(verdict.missing)), None)


def _fits_material(kind: TestKind, facts: Facts) -> bool:
    if kind.material == "plasma":
        return facts.get("specimen_kind") == "plasma" or not is_unknown(facts.get("plasma_copies"))
    return kind.material == "any" or facts.get("specimen_kind") != "plasma"


def _begun(kind: TestKind, facts: Facts) -> bool:
    """Tell whether the specimen has a result of this test, be it an unusable one."""
    return any(facts.get(name) is not None for name in kind.supplies)


def _started(kind: TestKind, facts: Facts) -> bool:
    """A follow-up question on sequencing makes sense only where there is a sequencing result to complete."""
    return not kind.only_if or any(not is_unknown(facts.get(name)) for name in kind.only_if)


def _at_sites(
    patient: Patient,
    verdicts: Mapping[str, SetVerdict],
    sites: tuple[str, ...],
    begun: set[str | None],
    kinds: list[TestKind],
    knowledge: Knowledge,
) -> Iterator[NextTest]:
    """Propose staining at each untested site: it can make a rule positive, or show that the sites differ (S13, S16).

    Each specimen from there is one to stain, as lesions of one site can differ; where there is none, one must be taken.
    """
    kind = next(kind for kind in kinds if kind.id == SITE_TEST)
    reason = next(kind for kind in kinds if kind.level == "site")
    decides = tuple(name for name, item in verdicts.items() if _is_open(item, knowledge.criteria[name], patient))
    tumours = (None, *(knowledge.criteria[name].tumour for name in decides))
    for site in sites if decides else ():
        there = [item for item in patient.specimens if item.site == site]
        fitting = [item.specimen_id for item in there if item.tumour in tumours]
        for specimen in [name for name in fitting if name not in begun] if there else [None]:
            yield NextTest(kind.id, kind.name, specimen, site, reason.why, decides, reason.cite)


def _is_open(verdict: SetVerdict, criteria: CriteriaSet, patient: Patient) -> bool:
    """Another site can still change what this rule says of the patient, or show that the sites differ."""
    about = not patient.specimens or any(item.tumour in (None, criteria.tumour) for item in patient.specimens)
    return about and verdict.role == "rule" and criteria.method in STARTING and not verdict.discordant
