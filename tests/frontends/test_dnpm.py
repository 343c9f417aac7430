"""DNPM / MV-GenomSeq JSON: the fake patient of the data model, composed records, and what holds for every record."""

import copy
import json
import random
from decimal import Decimal

import pytest
from format_golden import SHARED, content, damaged, expected, files, issues_of, known, said, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from her2crc.errors import InputError
from her2crc.read import read_bytes
from her2crc.read.dnpm import read_dnpm

REAL = SHARED / "dnpm_mtb" / "mv64e-mtb-fake-patient.json"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="the fake patient of DNPM is not beside the code")
RECORD = json.loads(content("dnpm", "composed_records.json"))[0]


def changed(*path, to):
    """The composed record with one value replaced (``...`` removes it), read."""
    record = copy.deepcopy(RECORD)
    *way, last = path
    at = record
    for step in way:
        at = at[step]
    if to is ...:
        del at[last]
    else:
        at[last] = to
    return read_dnpm(json.dumps(record).encode(), "f")


def row(records, specimen="S1"):
    return next(item.values for item in records[0].rows if item.values["specimen_id"] == specimen)


EXPRESSION = ("ihcReports", 0, "results", "proteinExpression", 0)
VARIANT = ("ngsReports", 0, "results", "simpleVariants", 0)
COPIES = ("ngsReports", 0, "results", "copyNumberVariants", 0)

# ---- whole files


@pytest.mark.parametrize("name", files("dnpm"))
def test_golden_files(name):
    assert shown(read_bytes(content("dnpm", name), name)) == expected("dnpm")[name]


@needs_real
def test_the_fake_patient_of_the_data_model():
    found = read_bytes(REAL.read_bytes(), REAL.name)
    assert len(found) == 1
    values = row(found, "745f4f04-11df-4e17-af94-dfcd98908a84")
    assert values == {
        "specimen_id": "745f4f04-11df-4e17-af94-dfcd98908a84",
        "tumour": "other",
        "specimen_kind": "resection",
        "collected_on": "2025-10-14",
        "tumour_purity": "0.507714610934409",
        "ngs_assay": "Kit Type",
        "msi": "stable",
    }
    assert {issue.id for issue in found[0].issues} == {"dnpm_content", "dnpm_benign", "dnpm_site"}


@needs_real
def test_the_fake_patient_with_erbb2_in_the_place_of_another_gene():
    text = REAL.read_text(encoding="utf-8").replace("HGNC:6407", "HGNC:3430").replace('"KRAS"', '"ERBB2"')
    found = read_dnpm(text.encode(), "f")
    assert row(found, "745f4f04-11df-4e17-af94-dfcd98908a84")["ngs_copies"] == 5
    assert issues_of(found, "dnpm_gain")


# ---- one fact at a time


@pytest.mark.parametrize(
    ("code", "score"),
    [("1+", 1), ("2+", 2), ("3+", 3), ("exp", None), ("not-exp", None), ("unknown", None), ("0", None)],
)
def test_only_1_to_3_is_a_score(code, score):
    found = changed(*EXPRESSION, "value", "code", to=code)
    assert row(found).get("ihc_score") == score
    assert (score is None) == bool(issues_of(found, "dnpm_expression"))


def test_bands_of_stained_cells_are_no_percentage():
    found = changed(*EXPRESSION, "tpsScore", to=72)
    assert "ihc_percent" not in row(found)
    assert issues_of(found, "dnpm_bands")


def test_the_number_of_a_gene_and_its_name_must_agree():
    found = changed(*EXPRESSION, "protein", "code", to="HGNC:2064")
    assert "ihc_score" not in row(found)
    assert issues_of(found, "dnpm_gene")[0].level == "conflict"


@pytest.mark.parametrize(("total", "copies"), [(12, "12"), (7.5, "7.5"), (..., None), ("many", None), (None, None)])
def test_copies(total, copies):
    values = row(changed(*COPIES, "totalCopyNumber", to=total))
    assert str(values.get("ngs_copies")) == str(copies)
    assert not {"ngs_fold", "ngs_call"} & set(values)


def test_copies_of_a_specimen_of_unknown_kind_are_of_no_field():
    found = changed("specimens", 0, to={"id": "S1", "type": {"code": "unknown"}})
    assert not {"ngs_copies", "plasma_copies"} & set(row(found))
    assert issues_of(found, "fhir_matrix_unknown")


@pytest.mark.parametrize(("interpretation", "braf"), [("1", None), ("2", None), ("3", "mutant"), ("5", "mutant")])
def test_a_benign_variant_is_no_mutation_and_no_wild_type(interpretation, braf):
    assert row(changed(*VARIANT, "interpretation", "code", to=interpretation)).get("braf_v600e") == braf


def test_a_gene_without_variants_is_unknown():
    values = row(changed("ngsReports", 0, "results", "simpleVariants", to=[]))
    assert not {"ras", "braf_v600e", "pik3ca", "erbb2_mutation"} & set(values)


@pytest.mark.parametrize(
    ("history", "metastatic"),
    [
        ([{"date": "2025-01-01", "otherClassifications": [{"code": "metastasized"}]}], True),
        ([{"date": "2025-01-01", "tnmClassification": {"metastasis": {"code": "cM1b"}}}], True),
        ([{"date": "2025-01-01", "tnmClassification": {"metastasis": {"code": "M0"}}}], None),
        ([{"date": "2025-01-01", "otherClassifications": [{"code": "local"}]}], None),
        ([{"date": "2025-02-01", "otherClassifications": [{"code": "unknown"}]},
          {"date": "2025-01-01", "otherClassifications": [{"code": "metastasized"}]}], None),
    ],
)  # fmt: skip
def test_distant_spread_is_read_from_the_last_staging_and_its_absence_never(history, metastatic):
    found = changed("diagnoses", 0, "staging", "history", to=history)
    assert row(found).get("metastatic") is metastatic


@pytest.mark.parametrize(
    ("code", "tumour"), [("C18.2", "colorectal"), ("C19", "colorectal"), ("C50.9", "breast"), ("D12", None)]
)
def test_the_diagnosis_of_the_specimen_is_its_tumour(code, tumour):
    assert row(changed("diagnoses", 0, "code", "code", to=code)).get("tumour") == tumour


@pytest.mark.parametrize(
    ("localisation", "site"),
    [("primary-tumor", "primary"), ("metastasis", "other"), ("regional-lymph-nodes", "lymph_node"),
     ("local-recurrence", None), ("unknown", None)],
)  # fmt: skip
def test_sites(localisation, site):
    found = changed("specimens", 0, "collection", "localization", "code", to=localisation)
    assert row(found).get("site") == site
    assert bool(issues_of(found, "dnpm_site")) == (localisation == "local-recurrence")


@pytest.mark.parametrize(
    ("drug", "status", "field"),
    [
        ({"code": "L01FE02"}, "completed", "prior_anti_egfr"),
        ({"code": "X", "display": "Trastuzumab deruxtecan"}, "on-going", "prior_anti_her2"),
        ({"code": "L01FD04"}, "stopped", "prior_anti_her2"),
        ({"code": "L01FD04"}, "not-done", None),
        ({"code": "L01FD04"}, "unknown", None),
        ({"code": "L01XA03", "display": "Oxaliplatin"}, "completed", None),
    ],
)
def test_drugs(drug, status, field):
    record = copy.deepcopy(RECORD)
    record["guidelineTherapies"] = [{"id": "G", "status": {"code": status}, "medication": [drug]}]
    values = row(read_dnpm(json.dumps(record).encode(), "f"))
    assert {name for name in values if name.startswith("prior_")} == ({field} if field else set())


def test_a_date_before_birth_is_not_used():
    found = changed("patient", to={"id": "D1", "birthDate": "2030-01-01"})
    assert "collected_on" not in row(found)
    assert issues_of(found, "fhir_before_birth")


def test_what_belongs_to_another_patient_is_not_used():
    found = changed("ihcReports", 0, "patient", "id", to="SOMEBODY")
    assert "ihc_score" not in row(found)
    assert "SOMEBODY" not in said(json.dumps(RECORD).encode())
    assert issues_of(found, "dnpm_of_other_patient")[-1].level == "error"


@pytest.mark.parametrize(
    "data", [b"[]", b'{"patient": "x", "ngsReports": []}', b'[{"patient": {}, "ngsReports": []}]', b"{"]
)
def test_a_file_without_a_record_is_refused(data):
    with pytest.raises(InputError):
        read_dnpm(data, "f")


# ---- any record


def shuffled(value, seed):
    """The same record with every list in another order."""
    if isinstance(value, dict):
        return {key: shuffled(item, seed) for key, item in value.items()}
    if isinstance(value, list):
        items = [shuffled(item, seed) for item in value]
        return random.Random(seed).sample(items, len(items))
    return value


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_lists_does_not_matter(seed):
    assert known(read_dnpm(json.dumps(shuffled(RECORD, seed)).encode(), "f")) == known(
        changed("patient", to={"id": "D1"})
    )


def test_dropping_a_result_never_adds_a_value():
    before = known(read_dnpm(json.dumps(RECORD).encode(), "f"))
    lists = [
        ("ihcReports",),
        EXPRESSION[:-1],
        ("ngsReports",),
        VARIANT[:-1],
        COPIES[:-1],
        ("msiFindings",),
        ("guidelineTherapies",),
    ]
    for path in lists:
        items = RECORD
        for step in path:
            items = items[step]
        for number in range(len(items)):
            assert known(changed(*path, number, to=...)) <= before


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(files("dnpm")), st.integers(0, 2**32))
def test_no_damaged_file_crashes(name, seed):
    said(damaged(content("dnpm", name), seed))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["D1", "S1", "3+"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "code", "results", "x"]), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_in_any_place_is_read_or_left_out(data):
    record = copy.deepcopy(RECORD)
    at = record
    while True:
        keys = list(at) if isinstance(at, dict) else range(len(at))
        if not keys:
            break
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            at[key] = data.draw(JSON)
            break
        at = at[key]
    said(json.dumps(record).encode())


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(st.sampled_from(files("dnpm")), st.integers(0, 2**32))
def test_no_damaged_file_crashes_in_a_long_campaign(name, seed):
    said(damaged(content("dnpm", name), seed))


# ---- the first model (bwHC): references and codes as bare texts, results in the report itself


def test_a_record_of_the_first_model():
    record = {
        "patient": {"id": "P1", "gender": "female", "birthDate": "1971-03"},
        "consent": {"id": "C1", "patient": "P1", "status": "active"},
        "diagnoses": [{"id": "D1", "patient": "P1", "icd10": {"code": "C18.0", "system": "ICD-10-GM"}}],
        "previousGuidelineTherapies": [
            {"id": "T1", "patient": "P1", "therapyLine": 1, "medication": [{"code": "L01XC06", "system": "ATC"}]}
        ],
        "specimens": [
            {
                "id": "S1",
                "patient": "P1",
                "icd10": {"code": "C18.0", "system": "ICD-10-GM"},
                "type": "FFPE",
                "collection": {"date": "2021-02-01", "localization": "primary-tumor", "method": "resection"},
            }
        ],
        "ngsReports": [
            {
                "id": "N1",
                "patient": "P1",
                "specimen": "S1",
                "metadata": [{"kitType": "Panel"}],
                "tumorCellContent": {"specimen": "S1", "method": "histologic", "value": 0.4},
                "simpleVariants": [
                    {
                        "gene": {"hgncId": "HGNC:6407", "symbol": "KRAS"},
                        "aminoAcidChange": {"code": "p.Gly12Asp", "system": "HGVS.p"},
                        "interpretation": {"code": "Activating", "system": "ClinVAR"},
                    },
                    {
                        "gene": {"hgncId": "HGNC:1097", "symbol": "BRAF"},
                        "aminoAcidChange": {"code": "p.Val600Glu", "system": "HGVS.p"},
                        "interpretation": {"code": "Benign", "system": "ClinVAR"},
                    },
                ],
                "copyNumberVariants": [
                    {
                        "totalCopyNumber": 14,
                        "reportedAffectedGenes": [{"hgncId": "HGNC:3430", "symbol": "ERBB2"}],
                        "type": "high-level-gain",
                    }
                ],
            }
        ],
    }
    found = read_bytes(json.dumps(record).encode(), "old.json")
    assert row(found) == {
        "specimen_id": "S1",
        "tumour": "colorectal",
        "site": "primary",
        "specimen_kind": "resection",
        "collected_on": "2021-02-01",
        "ngs_assay": "Panel",
        "tumour_purity": "0.4",
        "ngs_copies": Decimal(14),
        "ras": "mutant",
    } | {name: value for name, value in row(found).items() if name in ("prior_anti_egfr", "side", "lines_of_therapy")}
    assert {name: value for _, _, name, value in known(found)}["prior_anti_egfr"]
    assert issues_of(found, "dnpm_benign")
    record["specimens"][0]["patient"] = "P2"
    assert issues_of(read_bytes(json.dumps(record).encode(), "old.json"), "dnpm_of_other_patient")
