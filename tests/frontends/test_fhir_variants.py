"""FHIR: genetic variants. The gene must be sure, absence must be of the whole gene, plasma is not tissue."""

from decimal import Decimal

import pytest
from fhir_builders import (
    HGNC,
    coded,
    facts,
    gene,
    issues,
    part,
    patient,
    plasma_case,
    protein,
    quantity,
    read,
    result,
    text,
    tissue_case,
    variant,
)

PRESENT, ABSENT = "LA9633-4", "LA9634-2"
SOMATIC, GERMLINE = (part("48002-0", coded(code)) for code in ("LA6684-0", "LA6683-2"))


def copies(number, unit="1", **more):
    return part("82155-3", quantity(number, unit, **more))


def fraction(number, unit="1"):
    return part("81258-6", quantity(number, unit))


def test_ras_is_wild_type_only_when_both_genes_are():
    both = tissue_case(variant("k", "KRAS", ABSENT), variant("n", "NRAS", ABSENT))
    assert (facts(both), issues(both)) == ({"ras": "wild_type"}, {})
    one = tissue_case(variant("k", "KRAS", ABSENT))
    assert (facts(one), issues(one)) == ({}, {"fhir_genes_missing": "warning"})


@pytest.mark.parametrize("symbol", ["KRAS", "NRAS"])
def test_a_mutation_of_either_gene_makes_ras_mutant(symbol):
    assert facts(tissue_case(variant("v", symbol, PRESENT, SOMATIC))) == {"ras": "mutant"}
    other = {"KRAS": "NRAS", "NRAS": "KRAS"}[symbol]
    assert facts(tissue_case(variant("v", symbol), variant("w", other, ABSENT))) == {"ras": "mutant"}


def test_one_observation_may_say_that_several_genes_are_absent():
    genes = [gene("KRAS"), gene("NRAS"), gene("BRAF")]
    record = tissue_case(result("v", "69548-6", coded(ABSENT), parts=genes))
    assert facts(record) == {"ras": "wild_type", "braf_v600e": "wild_type"}
    record = tissue_case(result("v", "69548-6", coded(PRESENT), parts=genes))
    assert (facts(record), issues(record)) == ({}, {"fhir_several_genes": "warning"})


def test_present_and_absent_of_one_gene_are_both_kept_for_the_conflict_to_be_seen():
    record = tissue_case(variant("a", "KRAS"), variant("b", "KRAS", ABSENT), variant("c", "NRAS", ABSENT))
    assert sorted(str(row.values["ras"]) for row in record.rows) == ["mutant", "wild_type"]


@pytest.mark.parametrize(
    ("shown", "issue"),
    [
        (gene("ERBB2", display="KRAS"), "fhir_gene_contradiction"),
        (gene("ERBB2", display="TP53"), "fhir_gene_contradiction"),
        (gene("KRAS", number="3430"), "fhir_gene_contradiction"),
        (gene("NRAS", number="6342"), "fhir_gene_contradiction"),
        (gene("ERBB2", number="2064"), "fhir_gene_contradiction"),
        (part("48018-6", coded("HGNC:6407", "KRAS", HGNC) | {"text": "NRAS"}), "fhir_gene_contradiction"),
        (part("48018-6", "KRAS and NRAS"), "fhir_gene_contradiction"),
        (part("48018-6", quantity(3430)), "fhir_variant_without_gene"),
    ],
)
def test_a_gene_that_is_not_sure_is_not_used(shown, issue):
    record = tissue_case(result("v", "69548-6", coded(PRESENT), parts=[shown, protein("p.Gly12Asp")]))
    assert facts(record) == {}
    assert list(issues(record)) == [issue]


@pytest.mark.parametrize(
    "shown",
    [
        coded("KRAS", "KRAS", HGNC),
        coded("KRAS", None, HGNC),
        coded("6407", "KRAS", HGNC),
        coded("HGNC:6407", "KRAS proto-oncogene, GTPase", "urn:oid:2.16.840.1.113883.6.281"),
        coded("3845", "KRAS", "http://www.ncbi.nlm.nih.gov/gene"),
        text("KRAS"),
        "K-RAS",
    ],
)
def test_a_gene_named_plainly_is_read(shown):
    record = tissue_case(result("v", "69548-6", coded(PRESENT), parts=[part("48018-6", shown)]))
    assert (facts(record), issues(record)) == ({"ras": "mutant"}, {})


def test_a_gene_by_its_number_alone_is_read_with_a_warning():
    shown = part("48018-6", coded("HGNC:6407", system=HGNC))
    record = tissue_case(result("v", "69548-6", coded(PRESENT), parts=[shown]))
    assert (facts(record), issues(record)) == ({"ras": "mutant"}, {"fhir_gene_code_alone": "warning"})


@pytest.mark.parametrize(
    ("observation", "issue"),
    [
        (variant("v", "KRAS", PRESENT, GERMLINE), "fhir_germline"),
        (variant("v", "KRAS", PRESENT, protein("NP_004976.2:p.Gly12=")), "fhir_not_protein_changing"),
        (variant("v", "KRAS", ABSENT, protein("p.Gly12Cys")), "fhir_absent_one_variant"),
        (variant("v", "KRAS", "LA18198-4"), "fhir_variant_status_unknown"),
        (result("v", "69548-6", parts=[gene("KRAS")]), "fhir_variant_status_unknown"),
        (result("v", "69548-6", coded(PRESENT)), "fhir_variant_without_gene"),
        (variant("v", "BRAF", PRESENT, protein("p.Lys601Glu")), "fhir_other_variant"),
        (variant("v", "BRAF", PRESENT, protein("p.Val600Lys")), "fhir_other_variant"),
        (variant("v", "BRAF"), "fhir_variant_unspecified"),
        (variant("v", "ERBB2"), "fhir_variant_unspecified"),
    ],
)
def test_a_variant_that_does_not_settle_its_marker_leaves_it_unknown(observation, issue):
    record = tissue_case(observation)
    assert (facts(record), list(issues(record))) == ({}, [issue])


@pytest.mark.parametrize("change", ["NP_004324.2:p.Val600Glu", "p.(Val600Glu)", "V600E"])
def test_braf_v600e(change):
    assert facts(tissue_case(variant("v", "BRAF", PRESENT, protein(change)))) == {"braf_v600e": "mutant"}
    assert facts(tissue_case(variant("v", "BRAF", ABSENT, protein(change)))) == {"braf_v600e": "wild_type"}


def test_braf_and_pik3ca_without_variant_are_wild_type():
    record = tissue_case(variant("b", "BRAF", ABSENT), variant("p", "PIK3CA", ABSENT))
    assert facts(record) == {"braf_v600e": "wild_type", "pik3ca": "wild_type"}


def test_erbb2_mutations_are_given_as_reported():
    first = variant("a", "ERBB2", PRESENT, protein("NP_004439.2:p.Val842Ile"))
    assert facts(tissue_case(first)) == {"erbb2_mutation": "p.Val842Ile"}
    both = tissue_case(first, variant("b", "ERBB2", PRESENT, protein("p.Ser310Phe")))
    assert facts(both) == {"erbb2_mutation": "p.Ser310Phe; p.Val842Ile"}


@pytest.mark.parametrize("unit", ["1", "{copies}", None])
def test_copies_go_to_tissue_or_plasma_by_the_specimen(unit):
    observation = variant("v", "ERBB2", PRESENT, copies(42.5, unit))
    assert facts(tissue_case(observation)) == {"ngs_copies": Decimal("42.5")}
    assert facts(plasma_case(observation)) == {"plasma_copies": Decimal("42.5")}


def test_copies_of_a_specimen_of_unknown_material_stay_unknown():
    record = tissue_case(variant("v", "ERBB2", PRESENT, copies(42)), kind=None)
    assert (facts(record), issues(record)) == ({}, {"fhir_matrix_unknown": "warning"})
    record = read(patient(), variant("v", "ERBB2", PRESENT, copies(42), of=None))
    assert issues(record) == {"fhir_matrix_unknown": "warning"}


@pytest.mark.parametrize(
    ("component", "issue"),
    [
        (copies(42, "%"), "fhir_unit"),
        (copies(10, comparator=">"), "fhir_bound"),
        (part("82155-3", text("high")), "fhir_not_understood"),
    ],
)
def test_copies_that_are_not_plain_copies_are_refused(component, issue):
    record = tissue_case(variant("v", "ERBB2", PRESENT, component))
    assert (facts(record), list(issues(record))) == ({}, [issue])


def test_a_change_of_copies_is_no_mutation_of_the_sequence():
    assert facts(tissue_case(variant("v", "KRAS", PRESENT, copies(12)))) == {}
    gain = part("48019-4", coded("SO:0001019", "copy_number_variation", "http://www.sequenceontology.org"))
    record = tissue_case(variant("k", "KRAS", ABSENT, gain), variant("n", "NRAS", ABSENT, gain))
    assert facts(record) == {}


def test_copies_of_another_gene_are_not_of_her2():
    assert facts(tissue_case(variant("v", "PIK3CA", PRESENT, copies(12)))) == {}


MII = "https://www.medizininformatik-initiative.de/fhir/ext/modul-mtb/CodeSystem/mii-cs-mtb-molekulare-biomarker"


def relative(fold):
    return part(coded("relative-copy-number", system=MII), quantity(fold, "1"))


def test_relative_copies_alone_are_not_read_as_copies_or_fold():
    record = tissue_case(variant("v", "ERBB2", PRESENT, relative(1.5)))
    assert (facts(record), issues(record)) == ({}, {"fhir_relative_copies": "warning"})


@pytest.mark.parametrize(("fold", "absolute"), [(1.5, 3), (4.2, 8.4), (1.04, 2), (6.27, 12.5)])
def test_relative_copies_are_a_fold_where_the_absolute_number_is_twice_as_large(fold, absolute):
    record = tissue_case(variant("v", "ERBB2", PRESENT, relative(fold), copies(absolute)))
    assert facts(record) == {"ngs_fold": Decimal(str(fold)), "ngs_copies": Decimal(str(absolute))}
    assert issues(record) == {}


@pytest.mark.parametrize(("fold", "absolute"), [(3, 8.4), (1.2, 3), (8.4, 8.4), (4.2, 12)])
def test_relative_copies_with_another_base_stay_unread(fold, absolute):
    record = tissue_case(variant("v", "ERBB2", PRESENT, relative(fold), copies(absolute)))
    assert facts(record) == {"ngs_copies": Decimal(str(absolute))}
    assert issues(record) == {"fhir_relative_copies": "warning"}


def test_relative_copies_in_plasma_are_no_fold_of_the_tissue():
    record = plasma_case(variant("v", "ERBB2", PRESENT, relative(1.5), copies(3)))
    assert "ngs_fold" not in facts(record)
    assert "fhir_relative_copies" in issues(record)


def test_the_highest_fraction_in_plasma_with_its_gene():
    tp53 = part("48018-6", coded("HGNC:11998", "TP53", HGNC))
    other = result("t", "69548-6", coded(PRESENT), parts=[tp53, SOMATIC, fraction(31.5, "%")])
    record = plasma_case(variant("k", "PIK3CA", PRESENT, SOMATIC, fraction(0.12)), other)
    assert facts(record) == {"pik3ca": "mutant", "plasma_max_vaf": Decimal("0.315"), "plasma_max_vaf_gene": "TP53"}


def test_fractions_that_cannot_be_trusted_are_not_used():
    unit_missing = plasma_case(variant("k", "PIK3CA", PRESENT, SOMATIC, part("81258-6", quantity(0.5))))
    assert facts(unit_missing) == {"pik3ca": "mutant"}
    assert issues(unit_missing) == {"fhir_vaf_unit": "error"}
    germline = plasma_case(variant("k", "PIK3CA", PRESENT, GERMLINE, fraction(0.5)))
    assert (facts(germline), issues(germline)) == ({}, {"fhir_germline": "warning"})
    unmarked = plasma_case(variant("k", "PIK3CA", PRESENT, fraction(0.5)))
    assert issues(unmarked) == {"fhir_source_class_missing": "warning"}
    assert "plasma_max_vaf" not in facts(tissue_case(variant("k", "PIK3CA", PRESENT, SOMATIC, fraction(0.5))))


def test_absent_in_plasma_is_not_wild_type():
    record = plasma_case(variant("k", "KRAS", ABSENT), variant("n", "NRAS", ABSENT))
    assert (facts(record), issues(record)) == ({}, {"fhir_absent_in_plasma": "warning"})


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (coded("LA14122-8", "Stable"), "stable"),
        (coded("LA26203-2", "MSI-H"), "high"),
        (text("MSS"), "stable"),
        ("MSI-H", "high"),
    ],
)
def test_microsatellites(shown, expected):
    assert facts(tissue_case(result("m", "81695-9", shown))) == {"msi": expected}


@pytest.mark.parametrize("shown", [coded("LA11884-6", "Indeterminate"), text("unstable")])
def test_microsatellites_that_are_not_clear_stay_unknown(shown):
    record = tissue_case(result("m", "81695-9", shown))
    assert (facts(record), issues(record)) == ({}, {"fhir_not_understood": "error"})


@pytest.mark.parametrize(
    ("code", "shown", "expected"),
    [
        ("21702-6", "mutated", {"ras": "mutant"}),
        ("21704-5", "KRAS p.Gly12Asp", {"ras": "mutant"}),
        ("21702-9", "V600E", {"braf_v600e": "mutant"}),
        ("21702-9", coded(ABSENT), {"braf_v600e": "wild_type"}),
    ],
)
def test_legacy_codes_count_with_a_name_that_agrees(code, shown, expected):
    name = {"21702-9": "BRAF gene mutations found"}.get(code, "KRAS gene mutations found")
    record = tissue_case(result("o", coded(code, name), shown))
    assert (facts(record), issues(record)) == (expected, {"fhir_legacy_code": "warning"})


@pytest.mark.parametrize(
    "code", [coded("21702-6"), coded("21702-6", "BRAF gene mutations found"), coded("21704-5", "gene")]
)
def test_legacy_codes_without_a_name_that_agrees_are_not_used(code):
    record = tissue_case(result("o", code, "mutated"))
    assert (facts(record), issues(record)) == ({}, {"fhir_legacy_gene": "warning"})
