"""Copies per tumour cell: the worked examples, intervals against simulated truth, and what is never said."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import her2crc
from her2crc.errors import InputError, UsageError
from her2crc.measure.distributions import Normal, student_factor
from her2crc.measure.tissue_copies import (
    Tumour,
    copies_interval,
    copies_of,
    detectable_fold,
    fold_of,
    gain_threshold,
    limit_of_detection,
)

KNOWLEDGE = her2crc.load_knowledge()
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
NORMALS = SHARED / "cnvkit" / "melanoma293_target_log2_N.tsv.gz"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the development data are not beside the repository")


def lab(fold: float, **options):
    data = f"specimen_id,ngs_fold\nS,{fold}\n".encode()
    return her2crc.measure_tissue(data, KNOWLEDGE, name="lab.csv", **options)[0]


def bins(log2: float, count: int = 20, seed: int = 1) -> bytes:
    draw = random.Random(seed)
    rows = ["chromosome\tstart\tend\tgene\tlog2\tweight"]
    rows += [f"chr1\t{1_500_000 + at * 900}\t{1_500_200 + at * 900}\tA\t{draw.gauss(0, 0.2)}\t1" for at in range(200)]
    for at in range(count):
        rows.append(f"chr17\t{37_856_000 + at * 900}\t{37_856_200 + at * 900}\tERBB2\t{draw.gauss(log2, 0.2)}\t1")
    rows += [
        f"chr17\t{45_000_000 + at * 9000}\t{45_000_200 + at * 9000}\tB\t{draw.gauss(0, 0.2)}\t1" for at in range(50)
    ]
    return "\n".join(rows).encode()


# ---- the arithmetic


@pytest.mark.parametrize(
    ("fold", "purity", "copies"), [(2.2, 0.3, 10), (2.8, 0.2, 20), (2.8, 0.5, 9.2), (2.8, 1, 5.6), (1, 0.4, 2)]
)
def test_the_worked_examples(fold: float, purity: float, copies: float) -> None:
    assert lab(fold, purity=purity).tumour_copies == pytest.approx(copies, abs=1e-6)
    assert fold_of(copies, purity) == pytest.approx(fold)


@given(st.floats(0, 200), st.floats(0.01, 1), st.floats(1, 8))
def test_reading_and_copies_are_inverse_and_rise_together(copies: float, purity: float, ploidy: float) -> None:
    fold = fold_of(copies, purity, ploidy)
    assert copies_of(fold, purity, ploidy) == pytest.approx(copies, abs=1e-6)
    assert fold_of(copies + 1, purity, ploidy) > fold


@given(st.floats(0.02, 0.3), st.floats(0.05, 0.9))
def test_the_limit_of_detection_falls_with_purity_and_rises_with_noise(error: float, purity: float) -> None:
    assert limit_of_detection(error, purity) > limit_of_detection(error, purity + 0.1)
    assert limit_of_detection(error, purity) < limit_of_detection(error * 1.5, purity)
    assert limit_of_detection(error, purity) > 2


def test_a_tumour_at_the_limit_is_seen_as_often_as_declared() -> None:
    error, draw = 0.12, random.Random(3)
    at_limit = math.log2(detectable_fold(error))
    seen = sum(draw.gauss(at_limit, error) > gain_threshold(error) for _ in range(20_000)) / 20_000
    false = sum(draw.gauss(0, error) > gain_threshold(error) for _ in range(20_000)) / 20_000
    assert seen == pytest.approx(0.95, abs=0.01)
    assert false == pytest.approx(0.01, abs=0.003)


@pytest.mark.parametrize(("purity", "copies"), [(0.2, 8), (0.5, 20), (0.8, 2)])
def test_intervals_hold_simulated_truth(purity: float, copies: float) -> None:
    """Purity and ploidy are drawn around what is stated; the interval must hold the truth 95 times in 100."""
    draw, held, repeats = random.Random(5), 0, 600
    stated = Tumour(Normal(purity, 0.25, "logit"), Normal(2.0, 0.2))
    for _ in range(repeats):
        true = Normal(purity, 0.25, "logit").quantile(draw.random())
        fold = fold_of(copies, true, draw.gauss(2, 0.2)) * 2 ** draw.gauss(0, 0.12)
        low, high = copies_interval(Normal(fold, 0.12, "log2"), stated, 0.95)
        held += low <= copies <= high
    assert 0.92 <= held / repeats <= 0.98


def test_an_exact_purity_carries_the_interval_of_the_fold_over() -> None:
    found = lab(2.2, purity=0.3)
    low, high = (copies_of(end, 0.3) for end in found.fold_interval)
    assert found.tumour_copies_interval == pytest.approx((low, high), abs=1e-4)
    wide = found.tumour_copies_interval_wide
    assert wide[0] < low and wide[1] > high
    assert found.assumed == ("tumour_purity", "ploidy")


def test_stated_intervals_widen_what_is_shown() -> None:
    bare, unsure = lab(2.2, purity=0.3), lab(2.2, purity=0.3, purity_interval="0.2-0.4")
    assert unsure.tumour_copies == bare.tumour_copies
    assert unsure.tumour_copies_interval[1] > bare.tumour_copies_interval[1]
    assert unsure.assumed == ("ploidy",)
    assert unsure.tumour_purity_interval == pytest.approx((0.2, 0.4), abs=0.012)
    high = lab(2.2, purity=0.3, ploidy=3.2, ploidy_interval=(2.8, 3.6))
    assert high.tumour_copies > bare.tumour_copies
    assert high.assumed == ("tumour_purity",)


@pytest.mark.parametrize(
    "stated",
    [
        {"purity": 0},
        {"purity": 1.2},
        {"purity": -0.1},
        {"purity": "much"},
        {"purity": 30},
        {"purity": 0.5, "purity_interval": "0.1-0.2"},
        {"purity_interval": "0.4-0.2"},
        {"purity_interval": "wide"},
        {"ploidy": 0},
        {"build": "mm10"},
    ],
)
def test_what_cannot_be_is_refused(stated) -> None:
    with pytest.raises(UsageError):
        her2crc.measure_tissue(bins(1.0), KNOWLEDGE, name="x.cnr", **stated)


def test_a_percentage_is_read_as_one() -> None:
    assert lab(2.2, purity="30%").tumour_copies == pytest.approx(10)
    assert lab(2.2, purity="0,3").tumour_copies == pytest.approx(10)


# ---- what is said


def test_below_the_limit_nothing_is_negative() -> None:
    for purity in (0.1, 0.3, 0.8):
        found = her2crc.measure_tissue(bins(0.0), KNOWLEDGE, name="x.cnr", purity=purity)[0]
        assert found.gain_seen is False
        assert "not excluded, reflex to IHC/ISH" in " ".join(found.conclusion.split())
        assert f"{found.limit_of_detection_copies:.1f}" in found.conclusion
        assert "negative" not in found.conclusion
    without = her2crc.measure_tissue(bins(0.0), KNOWLEDGE, name="x.cnr")[0]
    assert without.limit_of_detection_copies is None and "not excluded" in " ".join(without.conclusion.split())
    assert all(rule.outcome == "cannot_decide" for rule in without.rules)


def test_a_rule_is_not_met_only_where_its_own_cut_could_not_be_missed() -> None:
    found = her2crc.measure_tissue(bins(-0.1), KNOWLEDGE, name="x.cnr", purity=0.5, purity_interval="0.45-0.55")[0]
    outcomes = {rule.set: rule for rule in found.rules}
    assert 2.0 < found.limit_of_detection_copies < 4.0
    assert outcomes["cenaj_2019"].outcome == outcomes["fujii_cnv"].outcome == "not_met"
    lower = her2crc.measure_tissue(bins(-0.1), KNOWLEDGE, name="x.cnr", purity=0.3, purity_interval="0.26-0.34")[0]
    outcomes = {rule.set: rule for rule in lower.rules}
    assert 4.0 < lower.limit_of_detection_copies < 6.0
    assert outcomes["cenaj_2019"].outcome == "not_met"
    assert outcomes["fujii_cnv"].outcome == "cannot_decide" and "could read the same" in outcomes["fujii_cnv"].why


def test_a_clear_amplification_meets_the_rules_on_copies_and_no_other() -> None:
    found = her2crc.measure_tissue(bins(3.5), KNOWLEDGE, name="x.cnr", purity=0.5)[0]
    outcomes = {rule.set: rule.outcome for rule in found.rules}
    assert {name for name, outcome in outcomes.items() if outcome == "met"} == {"cenaj_2019", "strata_2019", "yeh_2019"}
    assert found.extent == "focal"
    assert found.chromosome_17_relative == pytest.approx(found.fold, rel=0.1)


def test_the_chance_of_a_rule_is_the_share_of_readings_beyond_its_cut() -> None:
    found = lab(3.0)  # 6 copies in the mixture: the cut of Cenaj is at the middle of the distribution
    chances = {rule.set: rule.chances for rule in found.rules}
    assert chances["cenaj_2019"]["positive"] == pytest.approx(0.5, abs=0.001)


def test_a_gain_of_the_arm_is_told_from_a_focal_one() -> None:
    rows = bins(1.5).decode().replace("chr17\t45", "chr17\t48").splitlines()
    header, body = rows[0], rows[1:]
    wide = [f"chr17\t{at}\t{at + 200}\tC\t1.5\t1" for at in range(30_000_000, 80_000_000, 500_000)]
    kept = [row for row in body if "\tB\t" not in row]
    text = "\n".join([header, *kept, *wide]).encode()
    found = her2crc.measure_tissue(text, KNOWLEDGE, name="x.cnr", build="hg19")[0]
    assert found.extent == "arm"
    assert found.stretch.megabases > 40


def test_specimens_go_on_into_assess(tmp_path: Path) -> None:
    found = her2crc.measure_tissue(bins(3.5), KNOWLEDGE, name="x.cnr", purity=0.5)[0]
    row = found.specimen
    table = tmp_path / "s.csv"
    table.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    patient = her2crc.read_patients(table, KNOWLEDGE)[0]
    assert not patient.issues
    verdicts = her2crc.assess(patient, KNOWLEDGE).criteria
    for rule in found.rules:
        if rule.outcome == "met":
            assert verdicts[rule.set].status == "positive"


def test_json_holds_what_others_rely_on() -> None:
    line = next(iter(her2crc.render([lab(2.2, purity=0.3)], "jsonl", KNOWLEDGE)))
    found = json.loads(line)
    wanted = {"specimen_id", "fold", "tumour_copies", "tumour_copies_interval", "limit_of_detection_copies", "rules"}
    assert wanted <= set(found)
    assert found["tumour_copies"] == 10.0
    assert {"set", "outcome", "probability"} <= set(found["rules"][0])
    assert "10.0" in lab(2.2, purity=0.3).text()


# ---- normals


def folder_of_normals(folder: Path, count: int = 8, spread: float = 0.15) -> Path:
    folder.mkdir(exist_ok=True)
    draw = random.Random(11)
    for at in range(count):
        (folder / f"n{at}.cnr").write_bytes(bins(draw.gauss(0, spread), seed=100 + at))
    return folder


def test_a_panel_is_learned_kept_and_used(tmp_path: Path) -> None:
    folder = folder_of_normals(tmp_path / "normals")
    kept = tmp_path / "panel.json"
    learned = her2crc.measure_tissue(bins(1.5), KNOWLEDGE, name="x.cnr", panel=folder, save_panel=kept)[0]
    assert her2crc.measure_tissue(bins(1.5), KNOWLEDGE, name="x.cnr", panel=kept)[0] == learned
    assert learned.between_source == "panel of 8 normals"
    default = her2crc.measure_tissue(bins(1.5), KNOWLEDGE, name="x.cnr")[0]
    assert "declared default" in default.between_source and default.log2_error_between == 0.11
    assert 0.05 < learned.log2_error_between < 0.3 and learned.log2_error_between != 0.11


def test_a_normal_is_never_its_own_standard(tmp_path: Path) -> None:
    folder = folder_of_normals(tmp_path / "normals")
    found = her2crc.measure_tissue(folder / "n3.cnr", KNOWLEDGE, panel=folder)[0]
    assert found.between_source == "panel of 7 normals"


def test_fewer_normals_widen_the_interval() -> None:
    assert student_factor(4, 0.95) > student_factor(40, 0.95) > 1
    assert student_factor(40, 0.95) * 1.959964 == pytest.approx(2.021075, abs=1e-5)


def test_a_panel_of_too_few_or_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="5 are needed"):
        her2crc.measure_tissue(bins(1.0), KNOWLEDGE, name="x", panel=folder_of_normals(tmp_path / "few", 3))
    (tmp_path / "p.json").write_text("{}")
    with pytest.raises(InputError, match="no panel"):
        her2crc.measure_tissue(bins(1.0), KNOWLEDGE, name="x", panel=tmp_path / "p.json")


@needs_shared
def test_bins_alone_miss_the_truth_in_41_real_normals_and_the_spread_mends_it() -> None:
    pytest.importorskip("numpy", reason="numpy is not installed")
    found = her2crc.measure_tissue(NORMALS, KNOWLEDGE, panel=NORMALS)
    assert len(found) == 41
    alone = sum(abs(item.log2) <= 1.96 * item.log2_error_within for item in found) / 41
    whole = sum(item.fold_interval[0] <= 1 <= item.fold_interval[1] for item in found) / 41
    assert alone < 0.65
    assert 0.90 <= whole <= 1
    assert not any(item.gain_seen for item in found)
    assert {item.between_source for item in found} == {"panel of 40 normals"}


@needs_shared
def test_the_colorectal_calls_of_a_real_cohort_are_found() -> None:
    folder = SHARED / "cohort_origimed"
    measured = her2crc.measure_tissue(
        folder / "data_cna_log2.txt", KNOWLEDGE, purities=folder / "data_clinical_sample.txt"
    )
    lines = (folder / "crc_erbb2_subset.tsv").read_text().splitlines()
    names = lines[0].split("\t")
    colorectal = {row["SAMPLE_ID"]: row for row in (dict(zip(names, at.split("\t"), strict=False)) for at in lines[1:])}
    called = {name for name, row in colorectal.items() if row["log2_ERBB2"] and float(row["log2_ERBB2"]) > 0}
    assert len(called) == 27
    assert {item.specimen_id for item in measured if item.gain_seen and item.specimen_id in colorectal} == called
    first = next(item for item in measured if item.specimen_id == "P-0090")
    assert first.tumour_purity == 0.2


def command(*arguments: str, folder: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = Path(sys.executable).with_name("her2crc")
    return subprocess.run(
        [program, "measure", "tissue", *arguments], cwd=folder, input=given, capture_output=True, check=False
    )


def test_the_command_writes_a_line_a_sample_and_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "lab.csv").write_text("specimen_id,ngs_fold,tumour_purity\nA,2.2,0.3\nB,2.8,0.2\n")
    done = command("lab.csv", "--format", "jsonl", folder=tmp_path)
    assert [json.loads(line)["tumour_copies"] for line in done.stdout.splitlines()] == [10.0, 20.0]
    piped = command("-", "--format", "specimens", folder=tmp_path, given=(tmp_path / "lab.csv").read_bytes())
    assert piped.stdout.splitlines()[0].startswith(b"patient_id,specimen_id,ngs_fold,ngs_copies")
    (tmp_path / "bad.cnr").write_bytes(bins(1.0)[:-20])
    for arguments, code, said in (
        (("bad.cnr",), 65, b"bad.cnr:271"),
        (("lab.csv", "--purity", "30"), 64, b"0.3 or 30%"),
        (("none.cnr",), 66, b"does not exist"),
        ((), 64, b"name the files"),
    ):
        done = command(*arguments, folder=tmp_path)
        assert done.returncode == code and said in done.stderr, done.stderr
        assert b"Traceback" not in done.stderr


def test_a_folder_of_normals_is_measured_against_itself(tmp_path: Path) -> None:
    folder_of_normals(tmp_path / "normals")
    done = command("--panel-of-normals", "normals", "--save-panel", "p.json", "--format", "jsonl", folder=tmp_path)
    sources = {json.loads(line)["between_source"] for line in done.stdout.splitlines()}
    assert sources == {"panel of 7 normals"} and (tmp_path / "p.json").exists()
