"""Measuring plasma: copies behind a reading, what stays invisible, and which variants speak for the tumour."""

from __future__ import annotations

from collections.abc import Callable
from math import isclose
from pathlib import Path
from random import Random

import pytest

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError, UsageError
from her2crc.flow import load_knowledge
from her2crc.measure.plasma import measure_plasma
from her2crc.measure.plasma_values import PlasmaMeasurement
from her2crc.model.dilution import adjusted_copies, adjusted_interval, fraction_needed, visible_from

SUMMIT = Path(her2crc.__file__).parent / "examples" / "formats" / "summit" / "data_mutations_extended.txt"
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str, name: str = "plasma.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def one(found: tuple[PlasmaMeasurement, ...]) -> PlasmaMeasurement:
    (item,) = found
    return item


# ---- arithmetic


def test_ten_copies_are_invisible_below_five_percent() -> None:
    assert isclose(fraction_needed(2.4, 10), 0.05)
    assert isclose(visible_from(2.4, 0.05), 10)
    assert visible_from(2.4, 0.049) > 10


@pytest.mark.parametrize("copies", [2.0, 5.0, 25.82, 120.0])
@pytest.mark.parametrize("fraction", [0.05, 0.3, 1.0])
def test_adjusting_undoes_dilution(copies: float, fraction: float) -> None:
    observed = 2 * (1 - fraction) + copies * fraction
    assert isclose(adjusted_copies(observed, fraction), copies)
    low, high = adjusted_interval(observed, 0.05 * observed, fraction, 0.1 * fraction, 0.95)
    assert low is not None
    assert high is not None
    assert low <= copies <= high


def test_an_interval_without_a_bound_where_the_fraction_may_be_none() -> None:
    assert adjusted_interval(3.0, 0.1, 0.02, 0.02, 0.95) == (None, None)


def test_the_interval_covers_on_simulated_readings() -> None:
    random, held = Random(9), 0
    for _ in range(1000):
        observed, fraction = random.gauss(3.8, 0.19), random.gauss(0.1, 0.01)
        low, high = adjusted_interval(observed, 0.05 * observed, fraction, 0.1 * fraction, 0.95)
        assert low is not None
        assert high is not None
        held += low <= 20 <= high
    assert 0.93 <= held / 1000 <= 0.97


# ---- what the rules say


HEAD = "patient_id,specimen_id,site,plasma_copies,tumour_fraction,plasma_max_vaf,plasma_max_vaf_gene\n"


def test_a_low_reading_at_a_low_fraction_excludes_nothing(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,2.1,0.03,,\n"), knowledge))
    (estimate,) = found.estimates
    assert estimate.invisible_below["guardant360_observed"] == pytest.approx(2 + 0.4 / 0.03)
    assert {rule.outcome for rule in found.rules} == {"cannot_decide"}


def test_a_clear_reading_is_met(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,14.2,0.44,,\n"), knowledge))
    by_set = {rule.set: rule.outcome for rule in found.rules}
    assert by_set["guardant360_observed"] == "met"
    assert found.estimates[0].adjusted_copies == pytest.approx((14.2 - 2 * 0.56) / 0.44)


def test_both_conventions_stand_side_by_side_and_none_becomes_the_fraction(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,3.1,,0.05,APC\n"), knowledge))
    assert [(item.basis, item.tumour_fraction) for item in found.estimates] == [("max_vaf", 0.05), ("two_max_vaf", 0.1)]
    assert "tumour_fraction" not in found.specimen
    assert found.specimen["plasma_max_vaf"] == "0.05"


def test_where_the_conventions_disagree_nothing_is_decided(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,5.1,,0.08,APC\n"), knowledge))
    said = {item.basis: {rule.set: rule.outcome for rule in item.rules} for item in found.estimates}
    assert said["max_vaf"]["heracles_adjusted"] != said["two_max_vaf"]["heracles_adjusted"]
    (rule,) = [rule for rule in found.rules if rule.set == "heracles_adjusted"]
    assert (rule.outcome, rule.missing) == ("cannot_decide", ("tumour_fraction",))


def test_twice_an_allele_fraction_above_one_half_is_no_fraction(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,5.1,,0.62,TP53\n"), knowledge))
    assert [item.tumour_fraction for item in found.estimates] == [0.62, None]


def test_an_unknown_fraction_stays_unknown(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,2.2,,,\n"), knowledge))
    (estimate,) = found.estimates
    assert (estimate.basis, estimate.adjusted_copies) == ("not_known", None)
    assert all(rule.outcome == "cannot_decide" for rule in found.rules)


@pytest.mark.parametrize("gene", ["ERBB2", "CDK12", "DNMT3A"])
def test_a_highest_allele_fraction_that_does_not_speak_for_the_tumour(
    gene: str, knowledge: Knowledge, write: Write
) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,5.1,,0.3,{gene}\n"), knowledge))
    assert found.variants[0].excluded
    assert [item.basis for item in found.estimates] == ["not_known"]


def test_agreement_with_tissue_is_shown_with_its_counts(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,5.1,0.2,,\n"), knowledge))
    counts = {(item.events, item.total): item.interval for item in found.agreement}
    assert counts[28, 29] == ("82.2", "99.9")
    assert {(22, 30), (20, 30)} <= set(counts)
    assert all(item.cite for item in found.agreement)


def test_the_assays_own_noise_widens_the_interval(knowledge: Knowledge, write: Write) -> None:
    path = write(f"{HEAD}P,C1,plasma,5.1,0.2,,\n")
    narrow, wide = (one(measure_plasma(path, knowledge, copies_cv=cv)).copies_interval for cv in (0.02, 0.2))
    assert narrow is not None
    assert wide is not None
    assert wide[1] - wide[0] > narrow[1] - narrow[0]
    with pytest.raises(UsageError):
        measure_plasma(path, knowledge, copies_cv=5)


# ---- variants


VARIANTS = "sample,gene,ref reads,alt reads,protein change\n"


def test_inherited_variants_and_blood_cells_are_left_out_with_a_reason(knowledge: Knowledge, write: Write) -> None:
    text = VARIANTS + "C1,APC,900,100,R1450*\nC1,BRCA2,510,490,K3326*\nC1,DNMT3A,700,300,R882H\nC1,TP53,20,980,R72P\n"
    found = one(measure_plasma(write(text), knowledge, given={"plasma_copies": "3.0"}))
    left = {item.gene: bool(item.excluded) for item in found.variants}
    assert left == {"APC": False, "BRCA2": True, "DNMT3A": True, "TP53": True}
    assert found.estimates[0].tumour_fraction == pytest.approx(0.1)
    assert not found.issues


def test_a_matched_normal_makes_a_half_a_tumour_fraction(knowledge: Knowledge, write: Write) -> None:
    text = "sample,gene,vaf,normal\nC1,APC,0.5,N1\n"
    found = one(measure_plasma(write(text), knowledge))
    assert not found.variants[0].excluded
    assert found.specimen["plasma_max_vaf_gene"] == "APC"


def test_swapped_reads_are_found_and_said(knowledge: Knowledge, write: Write) -> None:
    rows = [f"C1,G{number},{number + 5},{1000 - number},X{number}" for number in range(8)]
    path = write(VARIANTS + "\n".join(rows) + "\n")
    found = one(measure_plasma(path, knowledge))
    assert [issue.id for issue in found.issues] == ["counts_look_swapped"]
    assert max(item.allele_fraction for item in found.variants) < 0.05
    as_written = one(measure_plasma(path, knowledge, counts="as-written"))
    assert not as_written.issues
    assert min(item.allele_fraction for item in as_written.variants) > 0.95


def test_an_allele_fraction_beside_the_reads_tells_which_is_which(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write("sample,gene,ref reads,alt reads,vaf\nC1,APC,100,900,0.1\n"), knowledge))
    assert found.variants[0].allele_fraction == pytest.approx(0.1)
    assert [issue.id for issue in found.issues] == ["counts_look_swapped"]


@pytest.mark.parametrize(
    "text",
    ["sample,gene,vaf\nC1,APC,12\n", "sample,gene,vaf\nC1,APC,much\n", "sample,gene,depth,alt reads\nC1,APC,10,20\n"],
)
def test_a_value_that_cannot_be_is_refused_with_its_line(text: str, knowledge: Knowledge, write: Write) -> None:
    with pytest.raises(InputError) as refused:
        measure_plasma(write(text), knowledge)
    assert refused.value.where == "plasma.csv:2"


def test_variants_beside_the_specimens(knowledge: Knowledge, write: Write) -> None:
    specimens = write(f"{HEAD}P,C1,plasma,3.1,,,\n")
    variants = write(VARIANTS + "C1,APC,950,50,R1450*\n", "variants.csv")
    found = one(measure_plasma(specimens, knowledge, variants=variants))
    assert found.plasma_copies == 3.1
    assert found.estimates[0].tumour_fraction == pytest.approx(0.05)


def test_tissue_alone_is_no_plasma(knowledge: Knowledge, write: Write) -> None:
    with pytest.raises(InputError, match="No plasma sample"):
        measure_plasma(write("patient_id,specimen_id,ihc_score\nP,T1,3\n"), knowledge)


def test_summit_patient_15_whose_erbb2_variant_is_on_the_amplified_gene(knowledge: Knowledge) -> None:
    samples = {item.specimen_id: item for item in measure_plasma(SUMMIT, knowledge)}
    assert {issue.id for issue in samples["P15_D"].issues} == {"counts_look_swapped"}
    found = samples["P15_D"]
    s310f = next(item for item in found.variants if item.change == "p.S310F")
    assert s310f.allele_fraction == pytest.approx(613 / (613 + 742))
    assert "amplified with ERBB2" in s310f.excluded
    assert found.specimen["plasma_max_vaf_gene"] == "APC"
    assert found.estimates[0].tumour_fraction == pytest.approx(23 / (23 + 334))
    assert "tumour_fraction" not in found.specimen


def test_no_tumour_is_invented_for_the_specimen(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(VARIANTS + "C1,APC,950,50,R1450*\n"), knowledge))
    assert "tumour" not in found.specimen


def test_copies_in_a_variant_table_are_read_as_everywhere(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write("gene;VAF;plasma copies\nKRAS;12,5%;3,1\n"), knowledge))
    assert (found.plasma_copies, found.estimates[0].tumour_fraction) == (3.1, 0.125)
    with pytest.raises(InputError, match="plasma_copies"):
        measure_plasma(write("gene;VAF;plasma copies\nKRAS;12,5%;many\n"), knowledge)


def test_variants_are_never_given_to_another_patients_sample_of_the_same_name(
    knowledge: Knowledge, write: Write
) -> None:
    specimens = write(f"{HEAD}P,C1,plasma,3.1,,,\nQ,C1,plasma,4.1,,,\n")
    with pytest.raises(InputError, match="one of several patients"):
        measure_plasma(specimens, knowledge, variants=write(VARIANTS + "C1,APC,950,50,R1\n", "variants.csv"))
    named = write("patient," + VARIANTS + "Q,C1,APC,950,50,R1\n", "named.csv")
    first, second = measure_plasma(specimens, knowledge, variants=named)
    assert (len(first.variants), len(second.variants)) == (0, 1)


def test_variants_of_an_unknown_sample_are_refused(knowledge: Knowledge, write: Write) -> None:
    variants = write(VARIANTS + "C9,APC,950,50,R1\n", "variants.csv")
    with pytest.raises(InputError, match="belong to no specimen"):
        measure_plasma(write(f"{HEAD}P,C1,plasma,3.1,,,\n"), knowledge, variants=variants)


# ---- what cannot be, and what was not seen


def test_a_reading_that_no_copies_explain_decides_nothing(knowledge: Knowledge, write: Write) -> None:
    """At 20 % tumour DNA the other cells alone give 1.6; a 0 is a failed reading or a placeholder, never a negative."""
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,0,0.2,,\n"), knowledge))
    assert found.estimates[0].impossible
    assert {rule.outcome for rule in found.rules} == {"cannot_decide"}
    assert not any("negative" in rule.chances for rule in found.rules)
    for copies in (1.6, 1.5):
        assert not one(measure_plasma(write(f"{HEAD}P,C1,plasma,{copies},0.2,,\n"), knowledge)).estimates[0].impossible


def test_copies_without_tumour_dna_contradict_each_other(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,3.1,0,,\n"), knowledge))
    assert any("no tumour DNA" in note for note in found.notes)


def test_a_small_fraction_is_not_written_as_none(knowledge: Knowledge, write: Write) -> None:
    text = one(measure_plasma(write(f"{HEAD}P,C1,plasma,3.1,0.0001,,\n"), knowledge)).text()
    assert "0.01 % (0.0082 to 0.012 %)" in text


def test_an_undecided_rule_states_no_chance_that_is_not_known(knowledge: Knowledge, write: Write) -> None:
    text = one(measure_plasma(write(f"{HEAD}P,C1,plasma,3.1,,,\n"), knowledge)).text()
    assert "heracles_adjusted: cannot decide (indeterminate); would decide: tumour_fraction" in text


def test_where_the_conventions_disagree_no_verdict_is_likeliest(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,5.1,,0.08,APC\n"), knowledge))
    (rule,) = [rule for rule in found.rules if rule.set == "heracles_adjusted"]
    assert rule.chances == {"indeterminate": 1.0}


def test_a_variant_that_was_not_seen_is_no_tumour_fraction_of_none(knowledge: Knowledge, write: Write) -> None:
    for text in ("sample,gene,vaf\nC1,APC,0\n", "sample,gene,alt,depth\nC1,APC,0,900\n"):
        found = one(measure_plasma(write(text), knowledge, given={"plasma_copies": "2.1"}))
        assert found.variants[0].excluded
        assert [item.basis for item in found.estimates] == ["not_known"]


@pytest.mark.parametrize(
    "text",
    [
        "sample,gene,VAF (%)\nC1,APC,12\n",
        "sample,gene,vaf_percent\nC1,APC,12 %\n",
        "Probe;Gen;Allelfrequenz\nC1;APC;0,12\n",
        "échantillon;gène;fréquence allélique %\nC1;APC;12,0\n",
    ],
)
def test_allele_fractions_as_laboratories_write_them(text: str, knowledge: Knowledge, write: Write) -> None:
    assert one(measure_plasma(write(text), knowledge)).variants[0].allele_fraction == pytest.approx(0.12)


def test_copies_that_contradict_each_other_are_unknown(knowledge: Knowledge, write: Write) -> None:
    text = "sample,gene,vaf,plasma_copies\nC1,APC,0.1,4.2\nC1,TP53,0.08,2.2\n"
    found = one(measure_plasma(write(text), knowledge))
    assert found.plasma_copies is None
    assert [issue.field for issue in found.issues] == ["plasma_copies"]


def test_a_highest_allele_fraction_of_one_half_is_used_with_a_doubt(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,5.1,,0.49,TP53\n"), knowledge))
    assert any("inherited" in note for note in found.notes)


def test_every_rule_names_its_source(knowledge: Knowledge, write: Write) -> None:
    found = one(measure_plasma(write(f"{HEAD}P,C1,plasma,3.1,0.2,,\n"), knowledge))
    assert all(rule.cite for rule in found.rules)
    assert "not amplified in plasma" not in found.text()
    assert found.text().count("[siravegna2019]") > len(found.rules)


def test_endless_reads_are_refused(knowledge: Knowledge, write: Write) -> None:
    with pytest.raises(InputError, match="number of reads"):
        measure_plasma(write("sample,gene,alt,depth\nC1,APC,inf,1e400\n"), knowledge)
