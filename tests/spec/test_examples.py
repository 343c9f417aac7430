"""The example patients, each a story of the source article: what every set says of them, and what follows.

The tables are the specification; they were derived from the meaning of the sets, not from the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import jsonschema
import msgspec
import pytest

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.flow import assess, read_patients
from her2crc.model.patient import Patient
from her2crc.model.verdict import Assessment

EXAMPLES = Path(her2crc.__file__).parent / "examples"
FILES = {path.stem: path for path in sorted(EXAMPLES.glob("*.json"))}
CODES = {"pos": "positive", "neg": "negative", "equ": "equivocal", "open": "indeterminate", "-": "not_covered"}

VERDICTS = """
set                    01    02    03    04    05    06    07    08    09    10    11    12    13
csco_article           pos   equ   pos   -     pos   pos   neg   open  -     pos   open  open  -
nccn_colon             pos   equ   pos   -     pos   pos   neg   open  -     pos   open  open  -
heracles_2015          pos   equ   pos   equ   pos   pos   neg   open  -     pos   open  open  equ
heracles_trial         pos   equ   pos   -     pos   pos   neg   open  -     pos   open  open  -
fujii_2020             pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
triumph                pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
s1613                  pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
destiny_crc01          pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
destiny_crc02          pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
rezetecan_ph3          pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
pyrotinib_nct04380012  open  equ   pos   -     open  open  neg   open  -     open  open  open  -
sun_2023               open  open  pos   open  open  open  pos   open  -     open  open  open  open
mountaineer            pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
singh_2024             pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
mypathway              pos   open  pos   pos   pos   pos   neg   open  -     pos   open  open  pos
yeh_2019               open  open  open  open  open  open  open  -     -     open  open  open  open
cenaj_2019             open  open  open  open  open  open  open  open  -     open  open  open  open
strata_2019            open  open  open  open  open  open  open  open  -     open  open  open  open
fujii_cnv              open  open  open  open  open  open  open  open  -     open  open  open  open
guardant360_observed   -     -     -     -     -     -     -     -     open  pos   -     -     -
heracles_adjusted      -     -     -     -     -     -     -     -     open  pos   -     -     -
gea_2016               pos   equ   pos   pos   pos   pos   neg   open  -     pos   open  open  pos
breast_2018            -     equ   pos   pos   pos   -     pos   open  -     pos   open  open  pos
"""
"""One column an example, by its number; the sets whose text was not read say nothing of any."""


class Follows(NamedTuple):
    """What follows for one example, everything by id.

    ``next_tests`` in their order; ``caveats`` without the two that speak of the knowledge base itself.
    """

    testing: bool | None
    next_tests: tuple[str, ...]
    fits: frozenset[str] = frozenset()
    caveats: frozenset[str] = frozenset()
    discordant: frozenset[str] = frozenset()
    issues: tuple[str, ...] = ()


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


KNOWLEDGE_CAVEATS = names("not_reviewed low_confidence_set")
BY_HERACLES = names("trastuzumab_lapatinib_heracles_a pertuzumab_tdm1_heracles_b")
AFTER_STANDARD = BY_HERACLES | names(
    """tucatinib_trastuzumab_label tucatinib_mountaineer_c tdxd_crc01 tdxd_crc02 rezetecan_phase3
    pertuzumab_trastuzumab_triumph pertuzumab_trastuzumab_mypathway pertuzumab_trastuzumab_s1613"""
)
"""Regimens for RAS and BRAF wild-type disease after two lines, positive by staining or hybridisation."""
THIRD_LINE_ONLY = names("rezetecan_phase3 pertuzumab_trastuzumab_s1613")
STAINING = names(
    """csco_article nccn_colon heracles_2015 heracles_trial fujii_2020 triumph s1613 destiny_crc01 destiny_crc02
    rezetecan_ph3 mountaineer singh_2024"""
)

FOLLOWS = {
    "EX-01-clear-3plus": Follows(
        testing=True,
        next_tests=("ihc at metastasis",),
        fits=AFTER_STANDARD | {"tdxd_label"},
        caveats=names("only_primary_tested"),
    ),
    "EX-02-2plus-awaiting-fish": Follows(
        testing=True, next_tests=("ish on A1", "ihc at metastasis"), caveats=names("only_primary_tested")
    ),
    "EX-03-2plus-fish-amplified": Follows(
        testing=True,
        next_tests=("ihc at metastasis",),
        fits=AFTER_STANDARD,  # and not the T-DXd label, which asks for 3+
        caveats=names("only_primary_tested"),
    ),
    "EX-04-3plus-in-30-percent": Follows(
        testing=True,
        next_tests=("ish on A1", "ihc at metastasis"),
        fits=AFTER_STANDARD - BY_HERACLES | {"tdxd_label"},
        caveats=names("only_primary_tested breast_rule_differs"),
    ),
    "EX-05-primary-negative-liver-positive": Follows(
        testing=True,
        next_tests=(),
        fits=AFTER_STANDARD | {"tdxd_label"},
        discordant=STAINING | names("gea_2016 breast_2018"),
    ),
    "EX-06-ras-mutant-3plus": Follows(
        testing=False,
        next_tests=("ihc at metastasis",),
        fits=names("tdxd_label tdxd_crc02 pertuzumab_trastuzumab_mypathway"),
        caveats=names("only_primary_tested ras_comutation"),
    ),
    "EX-07-polysomy": Follows(
        testing=True,
        next_tests=("ihc at metastasis",),
        caveats=names("only_primary_tested polysomy breast_rule_differs retest_metastasis"),
    ),
    "EX-08-low-gain-low-purity": Follows(
        testing=True,
        next_tests=("ihc on N1", "purity on N1", "ihc at primary"),
        caveats=names("copies_between_groups copies_depend_on_assay invisible_copies"),
    ),
    "EX-09-plasma-below-detection": Follows(
        testing=True,
        next_tests=("plasma_fraction on C1", "ihc at primary", "ihc at metastasis"),
        caveats=names("plasma_is_its_own_evidence plasma_below_detection invisible_copies"),
    ),
    "EX-10-tissue-and-serial-plasma": Follows(
        testing=True,
        next_tests=("ihc at primary",),
        fits=AFTER_STANDARD - THIRD_LINE_ONLY | {"tdxd_label", "pertuzumab_trastuzumab_triumph_plasma"},
        caveats=names("plasma_is_its_own_evidence plasma_below_detection invisible_copies after_anti_her2"),
        discordant=names("heracles_adjusted"),
    ),
    "EX-11-ratio-contradicts-counts": Follows(
        testing=True,
        next_tests=("ish on A1", "ihc at metastasis"),
        caveats=names("only_primary_tested"),
        issues=("ratio_and_counts",),
    ),
    "EX-12-fold-change-only": Follows(
        testing=True,
        next_tests=("ihc on N1", "ngs on N1", "ihc at primary"),
        caveats=names("fold_is_not_copies"),
    ),
    "EX-13-scored-by-breast-rules": Follows(
        testing=True,
        next_tests=("ish on A1", "ihc at metastasis"),
        caveats=names(
            """scored_by_breast_rules breast_rule_differs only_primary_tested first_line right_sided
            pik3ca_comutation"""
        ),
    ),
}


def expected_verdicts() -> dict[str, dict[str, str]]:
    """The table as number of the example -> set -> status."""
    header, *rows = (line.split() for line in VERDICTS.strip().splitlines())
    columns = zip(*(row[1:] for row in rows), strict=True)
    sets = [row[0] for row in rows]
    by_number = zip(header[1:], columns, strict=True)
    return {number: {name: CODES[code] for name, code in zip(sets, codes, strict=True)} for number, codes in by_number}


@pytest.fixture(scope="module")
def answers(knowledge: Knowledge) -> Mapping[str, Assessment]:
    patients = {name: read_patients(path, knowledge) for name, path in FILES.items()}
    assert all(len(found) == 1 for found in patients.values())
    return {name: assess(found[0], knowledge) for name, found in patients.items()}


def test_every_example_is_specified() -> None:
    assert set(FILES) == set(FOLLOWS)
    assert {name.split("-")[1] for name in FILES} == set(expected_verdicts())


@pytest.mark.parametrize("name", FILES)
def test_the_verdict_of_every_set(answers: Mapping[str, Assessment], name: str) -> None:
    table = expected_verdicts()[name.split("-")[1]]
    found = {set_id: item.status for set_id, item in answers[name].criteria.items()}
    unseen = {set_id for set_id, item in answers[name].criteria.items() if item.role == "unseen"}
    assert found == table | dict.fromkeys(unseen, "not_covered")


@pytest.mark.parametrize("name", FILES)
def test_what_follows(answers: Mapping[str, Assessment], name: str) -> None:
    answered = answers[name]
    found = Follows(
        testing=answered.testing.recommended,
        next_tests=tuple(
            f"{item.test} on {item.specimen}" if item.specimen else f"{item.test} at {item.site}"
            for item in answered.next_tests
        ),
        fits=frozenset(item.id for item in answered.actions if item.fits),
        caveats=frozenset(item.id for item in answered.caveats) - KNOWLEDGE_CAVEATS,
        discordant=frozenset(answered.concordance.discordant_sets),
        issues=tuple(item.id for item in (*answered.errors, *answered.warnings)),
    )
    assert found == FOLLOWS[name]


def test_the_ratio_of_counted_signals_is_exact(answers: Mapping[str, Assessment]) -> None:
    patient = answers["EX-03-2plus-fish-amplified"].patient
    assert (patient.specimens[0].ish.ish_her2_signals, patient.specimens[0].ish.ish_cep17_signals) == (312, 104)
    assert patient.specimens[0].ish.ish_ratio is None, "the ratio was not reported; it is derived from the counts"


def test_the_plasma_series_tells_its_story(answers: Mapping[str, Assessment]) -> None:
    """Amplified, falling to negative in adjusted copies, then too little tumour DNA to tell, then back."""
    criteria = answers["EX-10-tissue-and-serial-plasma"].criteria
    series = ("C1", "C2", "C3", "C4")
    adjusted = [criteria["heracles_adjusted"].specimens[name].status for name in series]
    observed = [criteria["guardant360_observed"].specimens[name].status for name in series]
    assert adjusted == ["positive", "negative", "indeterminate", "positive"]
    assert observed == ["positive", "positive", "indeterminate", "positive"]


def findings(patient: Patient) -> Patient:
    """The patient without the places of what was found wrong."""
    issues = tuple(msgspec.structs.replace(item, place="") for item in patient.issues)
    return msgspec.structs.replace(patient, issues=issues)


def test_the_cohort_table_holds_the_same_patients_and_more(
    answers: Mapping[str, Assessment], knowledge: Knowledge
) -> None:
    cohort = {patient.patient_id: patient for patient in read_patients(EXAMPLES / "cohort.csv", knowledge)}
    for answered in answers.values():
        assert findings(cohort[answered.patient_id]) == findings(answered.patient)
    more = {name: assess(patient, knowledge) for name, patient in cohort.items() if name not in FILES}
    assert len(more) >= 5 and not any(item.errors or item.warnings for item in more.values())
    assert more["CO-02-early-stage"].testing.recommended is False
    assert more["CO-03-ras-unknown"].next_tests[0].test == "ras"
    assert more["CO-04-high-copies"].criteria["strata_2019"].status == "positive"
    exactly_two = more["CO-05-ratio-exactly-two"].criteria
    assert [exactly_two[name].status for name in ("heracles_2015", "csco_article")] == ["positive", "negative"]
    lesions = more["CO-01-several-liver-metastases"].concordance.comparisons
    assert {item.concordant for item in lesions if item.kind == "metastases" and item.criteria == "s1613"} == {False}


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_in_the_published_patient_format(name: str) -> None:
    content = json.loads(FILES[name].read_text(encoding="utf-8"))
    assert content["patient_id"] == name
    jsonschema.validate(content, her2crc.patient_schema())
