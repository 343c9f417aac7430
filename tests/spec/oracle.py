"""An independent answer for every criteria set and any known or unknown facts: ``expected(set_id, facts)``.

`oracle_sets.py` says what a set means where everything is settled. This module deals with unknown facts by
another method than the product's three-valued logic: it fills every unknown fact with values below, at and
above all thresholds, asks the two-valued rule each time, and answers only if all answers agree. Where the
decided meaning is not that, this is why:

- a *reflex* test that was not done is a state of its own (the rule sees ``None``), not something to fill in;
- a staining pattern that is not stated is never filled in, so it never blocks;
- an unknown IHC score never becomes a verdict because the fillings agree, except where they all are positive,
  that is where another result decides alone (TRIUMPH's ratio of 2.0 or more, an amplified sequencing call);
- the decided text lets *one row* decide and the report names it, so fillings that reach the same status by
  different places of the source do not agree: breast groups 2 to 5 need both the ratio and the copies, and the
  two silences of the pyrotinib trial have different reasons;
- an unknown kind of specimen is filled with biopsy and resection only: a set that treats cytology apart still
  lets a percent decide where the kind is not stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import oracle_sets as say
from oracle_sets import INDETERMINATE, NOT_COVERED, POSITIVE, Case, Rule

FILLINGS: dict[str, tuple[Any, ...]] = {
    "specimen_kind": ("biopsy", "resection"),
    "ihc_score": tuple(map(Fraction, (0, 1, 2, 3))),
    "ihc_percent": tuple(map(Fraction, (5, 10, 30, 50, 70))),
    "ish_ratio": tuple(map(Fraction, ("1.9", 2, "2.1"))),
    "ish_her2_copies": tuple(map(Fraction, (3, 4, 5, 6, 7))),
    "ish_cell_percent": tuple(map(Fraction, (40, 50, 60))),
    "ngs_copies": tuple(map(Fraction, (2, "3.04", 4, 5, 6, "8.42", 10, 11))),
    "ngs_call": ("amplified", "not_amplified", "equivocal"),
    "tumour_purity": tuple(map(Fraction, ("0.1", "0.2", 1))),
    "plasma_copies": tuple(map(Fraction, (1, "2.4", 26, 100))),
    "tumour_fraction": tuple(map(Fraction, ("0.01", "0.05", 1))),
}
"""Values below, at and above every threshold of every set; for codes every code (kind: see above)."""


UNUSABLE = "stated, but unusable"
"""A fact whose stated values contradict each other: the test was done, so it is filled in and never absent."""

UNUSABLE_FILLINGS = {
    "specimen_kind": ("biopsy", "resection", "cytology"),
    "ihc_pattern": ("complete", "basolateral", "lateral", "incomplete", "cytoplasmic"),
}
"""A kind in dispute is still not known to be plasma, so the set applies."""


@dataclass(frozen=True)
class Spec:
    """How to ask a rule: which facts it needs, and which of them are reflex results.

    ``reflex`` maps a reflex fact to its witnesses: unknown, it is filled in only where a witness shows that
    the test was done at all (one half of an ISH result, copies without a call); else the rule sees ``None``.
    """

    rule: Rule
    needs: tuple[str, ...]
    reflex: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plasma: bool = False
    any_tumour: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        witnesses = [name for group in self.reflex.values() for name in group]
        return tuple(dict.fromkeys((*self.needs, *self.reflex, *witnesses, "ihc_pattern")))


STAINING = ("ihc_score", "ihc_percent")
RATIO_IN_CELLS = {"ish_ratio": ("ish_cell_percent",), "ish_cell_percent": ("ish_ratio",)}
RATIO_AND_COPIES = {"ish_ratio": ("ish_her2_copies",), "ish_her2_copies": ("ish_ratio",)}
RATIO: dict[str, tuple[str, ...]] = {"ish_ratio": ()}
CALL = {"ngs_call": ("ngs_copies", "ngs_fold")}
COPIES = ("ngs_copies", "tumour_purity")
PLASMA = ("plasma_copies", "tumour_fraction")

SPECS = {
    "csco_article": Spec(say.csco_article, STAINING, RATIO_IN_CELLS),
    "nccn_colon": Spec(say.nccn_colon, STAINING, RATIO_IN_CELLS),
    "heracles_2015": Spec(say.heracles_2015, STAINING, RATIO_IN_CELLS),
    "heracles_trial": Spec(say.heracles_trial, STAINING, RATIO_IN_CELLS),
    "fujii_2020": Spec(say.fujii_2020, (*STAINING, "specimen_kind"), RATIO),
    "triumph": Spec(say.triumph, (*STAINING, "specimen_kind"), RATIO),
    "s1613": Spec(say.s1613, ("ihc_score",), RATIO),
    "destiny_crc01": Spec(say.destiny, ("ihc_score",), RATIO),
    "destiny_crc02": Spec(say.destiny, ("ihc_score",), RATIO),
    "rezetecan_ph3": Spec(say.destiny, ("ihc_score",), RATIO),
    "pyrotinib_nct04380012": Spec(say.pyrotinib_nct04380012, STAINING, RATIO),
    "sun_2023": Spec(say.sun_2023, ("ish_ratio", "ish_her2_copies")),
    "mountaineer": Spec(say.mountaineer, ("ihc_score",), {**RATIO, **CALL}),
    "singh_2024": Spec(say.singh_2024, ("ihc_score",), {**RATIO, **CALL}),
    # Any of three methods with no order between them: no reflex is asked, an unknown ratio is simply unknown.
    "mypathway": Spec(say.mypathway, ("ihc_score", "ish_ratio"), CALL),
    "gea_2016": Spec(say.gea_2016, (*STAINING, "specimen_kind"), RATIO, any_tumour=True),
    "breast_2018": Spec(say.breast_2018, STAINING, RATIO_AND_COPIES, any_tumour=True),
    "yeh_2019": Spec(say.yeh_2019, COPIES),
    "cenaj_2019": Spec(say.cenaj_2019, COPIES),
    "strata_2019": Spec(say.strata_2019, COPIES),
    "fujii_cnv": Spec(say.fujii_cnv, COPIES),
    "guardant360_observed": Spec(say.guardant360_observed, PLASMA, plasma=True),
    "heracles_adjusted": Spec(say.heracles_adjusted, PLASMA, plasma=True),
}

UNSEEN = (
    "esmo_2022",
    "cap_crc_template",
    "tapur",
    "her2_fuscc_g",
    "japan_cdx_2022",
    "msk_impact",
    "caris",
    "mountaineer03",
    "nsabp_fc11",
)
"""Sets whose text was not read: they say nothing."""


def expected(set_id: str, facts: Mapping[str, Any]) -> str:
    """Return the status that a set gives to facts.

    Numbers come as int, Decimal or (numerator, denominator); ``None`` is unknown, ``UNUSABLE`` is in dispute.
    """
    if set_id in UNSEEN or not _applies(SPECS[set_id], facts):
        return NOT_COVERED
    if _applies_is_open(SPECS[set_id], facts):
        return INDETERMINATE
    return _settle(set_id, tuple(_exact(facts.get(name)) for name in SPECS[set_id].reads))


def _applies(spec: Spec, facts: Mapping[str, Any]) -> bool:
    if not spec.any_tumour and facts.get("tumour") not in (None, UNUSABLE, "colorectal"):
        return False
    kind = facts.get("specimen_kind")
    if spec.plasma:
        return kind in ("plasma", UNUSABLE) or facts.get("plasma_copies") is not None
    return kind != "plasma"


def _applies_is_open(spec: Spec, facts: Mapping[str, Any]) -> bool:
    """A tumour or a material in dispute: nobody knows whether the rule applies."""
    if facts.get("tumour") == UNUSABLE and not spec.any_tumour:
        return True
    known_plasma = spec.plasma and facts.get("plasma_copies") is not None
    return facts.get("specimen_kind") == UNUSABLE and not known_plasma


@cache
def _settle(set_id: str, values: tuple[Any, ...]) -> str:
    spec = SPECS[set_id]
    known = dict(zip(spec.reads, values, strict=True))
    answers = {spec.rule(case) for case in _filled(spec, known)}
    if len(answers) > 1:
        return INDETERMINATE
    (answer,) = answers
    score_is_open = "ihc_score" in spec.needs and known["ihc_score"] in (None, UNUSABLE)
    status = answer.partition(":")[0]
    return INDETERMINATE if score_is_open and status != POSITIVE else status


def _filled(spec: Spec, known: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the case with its unknown facts filled in every way."""
    given = {name: value for name, value in known.items() if name in Case.__dataclass_fields__}
    ways = {name: _ways(spec, name, known) for name in given}
    for values in product(*ways.values()):
        yield Case(**dict(zip(ways, values, strict=True)))


def _ways(spec: Spec, name: str, known: Mapping[str, Any]) -> tuple[Any, ...]:
    if known[name] == UNUSABLE:
        return UNUSABLE_FILLINGS.get(name) or FILLINGS[name]
    test_was_done = any(known[witness] is not None for witness in spec.reflex.get(name, ()))
    if known[name] is None and (name in spec.needs or test_was_done):
        return FILLINGS[name]
    return (known[name],)


def _exact(value: Any) -> Any:
    if isinstance(value, tuple):
        return Fraction(value[0]) / Fraction(value[1])
    return value if value is None or isinstance(value, str) else Fraction(value)
