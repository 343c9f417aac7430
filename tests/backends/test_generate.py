"""Synthetic registries: drawn from published figures, the same for a seed, marked everywhere, true to their truth."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from polars import col

import her2crc
from her2crc.backends.cli.generate import generate_command
from her2crc.backends.cli.main import COMMANDS
from her2crc.cohort.synthetic import parameters as parameters_module
from her2crc.cohort.synthetic.parameters import Parameter, load_parameters, stated_parameters
from her2crc.cohort.synthetic.tables import draw_block
from her2crc.cohort.synthetic.write import BLOCK, generate
from her2crc.criteria.library import Knowledge
from her2crc.errors import KnowledgeError, OutputError, UsageError
from her2crc.flow import read_patients
from her2crc.model.patient import Specimen
from her2crc.model.quantity import Ratio, ratio_matches
from her2crc.read.columns import columns

SOURCE = Path(parameters_module.__file__).parent
MANY = 120_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Path:
    folder = tmp_path_factory.mktemp("small")
    generate(300, folder, knowledge, seed=5, fhir=40, text=40)
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> dict[str, pl.DataFrame]:
    folder = tmp_path_factory.mktemp("many")
    generate(MANY, folder, knowledge, seed=11)
    return {name: pl.read_parquet(folder / f"{name}.parquet") for name in ("specimens", "patients", "truth")}


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# ---- the same for a seed


def test_the_same_seed_gives_the_same_bytes(small: Path, tmp_path: Path, knowledge: Knowledge) -> None:
    generate(300, tmp_path, knowledge, seed=5, fhir=40, text=40)
    assert digests(tmp_path) == digests(small)


def test_another_seed_gives_other_patients(small: Path, tmp_path: Path, knowledge: Knowledge) -> None:
    generate(300, tmp_path, knowledge, seed=6)
    assert not pl.read_parquet(tmp_path / "truth.parquet").equals(pl.read_parquet(small / "truth.parquet"))


def test_fewer_patients_of_a_seed_are_the_first_of_more(tmp_path: Path, knowledge: Knowledge) -> None:
    generate(BLOCK + 40, tmp_path / "more", knowledge, seed=2)
    generate(BLOCK - 7, tmp_path / "fewer", knowledge, seed=2)
    for name in ("specimens", "patients", "truth"):
        more, fewer = (pl.read_parquet(tmp_path / size / f"{name}.parquet") for size in ("more", "fewer"))
        assert len(fewer) < len(more)
        assert more.head(len(fewer)).equals(fewer)


def test_a_block_drawn_alone_is_that_of_the_registry(many: dict[str, pl.DataFrame], knowledge: Knowledge) -> None:
    """Whoever draws the third block on another core, first or last, draws the same patients."""
    block = draw_block(load_parameters(knowledge), 11, 2, 2 * BLOCK + 1, BLOCK)
    alone = pl.DataFrame(pl.from_arrow(block.specimens))
    whole = many["specimens"].filter(col("patient_id").is_in(alone["patient_id"].unique().implode()))
    assert alone.equals(whole)


# ---- marked as synthetic


def test_every_file_says_that_it_is_synthetic(small: Path) -> None:
    files = [path for path in small.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".parquet", ".ndjson", ".txt"}
    for path in files:
        if path.suffix == ".parquet":
            assert pq.read_metadata(path).metadata[b"synthetic"] == b"true"
        elif path.suffix == ".ndjson":
            tags = [json.loads(line)["meta"]["tag"][0]["code"] for line in path.read_text().splitlines()]
            assert tags
            assert set(tags) == {"HTEST"}
        else:
            assert path.read_text().startswith("SYNTHETIC")
            assert path.name.startswith("SYN-")


def test_every_id_says_that_it_is_synthetic(small: Path) -> None:
    for name in ("specimens", "patients", "truth"):
        assert pl.read_parquet(small / f"{name}.parquet")["patient_id"].str.starts_with("SYN-").all()


def test_csv_is_marked_by_its_name_and_holds_the_same(small: Path, tmp_path: Path, knowledge: Knowledge) -> None:
    written = generate(300, tmp_path, knowledge, seed=5, output_format="csv")
    assert {Path(path).name for path in written.files.values()} == {
        "specimens.synthetic.csv",
        "patients.synthetic.csv",
        "truth.parquet",
    }
    from_csv = read_patients(tmp_path / "specimens.synthetic.csv", knowledge)
    from_parquet = read_patients(small / "specimens.parquet", knowledge)
    assert from_csv == from_parquet


# ---- the table is one that the program reads


def test_the_table_has_only_columns_of_the_specimen_table(small: Path) -> None:
    assert set(pl.read_parquet(small / "specimens.parquet").columns) <= set(columns())


def test_every_row_is_read_without_a_problem(small: Path, knowledge: Knowledge) -> None:
    patients = read_patients(small / "specimens.parquet", knowledge)
    assert len(patients) == 300
    assert [issue for patient in patients for issue in patient.issues] == []


def test_fhir_reads_back_to_the_findings_of_the_table(small: Path, tmp_path: Path, knowledge: Knowledge) -> None:
    whole = tmp_path / "all.ndjson"
    whole.write_bytes(b"".join(path.read_bytes() for path in sorted((small / "fhir.synthetic").glob("*.ndjson"))))
    from_fhir = {patient.patient_id: patient for patient in read_patients(whole, knowledge)}
    from_table = read_patients(small / "specimens.parquet", knowledge)[:40]
    assert len(from_fhir) == len(from_table)
    for patient in from_table:
        found = from_fhir[patient.patient_id]
        by_id = {item.specimen_id: item for item in found.specimens}
        assert [by_id[item.specimen_id] for item in patient.specimens] == [
            without_ratio_twin(item, by_id) for item in patient.specimens
        ]
        assert (found.genes, found.history) == (patient.genes, patient.history)


def without_ratio_twin(item: Specimen, by_id: dict[str, Specimen]) -> Specimen:
    """Counts are also written under FHIR's own codes for ratio and means, which read as reported ones."""
    found, ish = by_id[item.specimen_id].ish, item.ish
    if found.ish_ratio is not None and ish.ish_her2_signals is not None and ish.ish_cep17_signals is not None:
        assert ratio_matches(found.ish_ratio, Ratio(Decimal(ish.ish_her2_signals), Decimal(ish.ish_cep17_signals)))
    names = ("ish_ratio", "ish_her2_copies", "ish_cep17_copies")
    return msgspec.structs.replace(
        item, ish=msgspec.structs.replace(ish, **{name: getattr(found, name) for name in names})
    )


def test_text_says_what_the_table_says(small: Path, knowledge: Knowledge) -> None:
    patients = read_patients(small / "specimens.parquet", knowledge)[:40]
    scored = 0
    for patient in patients:
        text = (small / "text" / f"{patient.patient_id}.txt").read_text()
        for item in patient.specimens:
            assert f"Specimen {item.specimen_id}:" in text
            if item.ihc.ihc_score is not None:
                scored += 1
                assert f"score {item.ihc.ihc_score}" in text
            if item.tissue.ngs_copies is not None:
                assert f"copy number {item.tissue.ngs_copies}" in text
        assert ("RAS" in text) == (patient.genes.ras is not None)
    assert scored


def test_text_is_read_back_by_our_own_reader(tmp_path: Path, knowledge: Knowledge) -> None:
    """Scores, percentages, signals, nuclei, copies and calls; purity and tumour fraction stand there for people."""
    generate(300, tmp_path, knowledge, seed=7, text=300)
    compared: Counter[str] = Counter()
    for patient in read_patients(tmp_path / "specimens.parquet", knowledge):
        if len(patient.specimens) > 1:
            continue
        found = read_patients(tmp_path / "text" / f"{patient.patient_id}.txt", knowledge)[0]
        for group, names in READ_BACK.items():
            for name in names:
                written = getattr(getattr(patient.specimens[0], group), name)
                if written is not None:
                    compared[name] += 1
                    assert getattr(getattr(found.specimens[0], group), name) == written, (patient.patient_id, name)
        assert found.genes.ras == patient.genes.ras
    assert set(compared) == {name for names in READ_BACK.values() for name in names}


READ_BACK = {
    "ihc": ("ihc_score", "ihc_percent", "ihc_pattern"),
    "ish": ("ish_her2_signals", "ish_cep17_signals", "ish_nuclei", "ish_cell_percent"),
    "tissue": ("ngs_copies", "ngs_call"),
}


# ---- drawn from the published figures


def near(frame: pl.DataFrame, name: str, share: float) -> bool:
    """Within four standard errors of a share."""
    found = frame[name].mean()
    assert isinstance(found, float)
    return abs(found - share) < 4 * (share * (1 - share) / len(frame)) ** 0.5


def primaries(many: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return many["truth"].filter(col("specimen_id").str.ends_with("-P"))


def test_amplification_by_ras_is_the_published(many: dict[str, pl.DataFrame], knowledge: Knowledge) -> None:
    tumours = primaries(many)
    for ras in ("wild_type", "mutant"):
        share = float(knowledge.rates[f"meta_ras_{ras}"].percent) / 100
        assert near(tumours.filter(col("ras") == ras), "amplified", share)
    assert near(tumours.with_columns(mutant=col("ras") == "mutant"), "mutant", 0.4)


def test_amplification_by_side_and_stage_has_the_published_ratio(many: dict[str, pl.DataFrame]) -> None:
    tumours = primaries(many)
    by_side = {key[0]: some["amplified"].mean() for key, some in tumours.group_by("side")}
    assert by_side["left"] / by_side["right"] == pytest.approx(5.8 / 2.7, rel=0.15)
    late, early = tumours.filter(col("stage") == 4), tumours.filter(col("stage") < 4)
    assert late["amplified"].mean() / early["amplified"].mean() == pytest.approx((29 / 1342) / (25 / 1914), rel=0.15)


def test_immunohistochemistry_has_about_the_published_sensitivity(many: dict[str, pl.DataFrame]) -> None:
    read = many["specimens"].join(many["truth"], on="specimen_id").filter(col("ihc_score").is_not_null())
    top = read.filter("amplified").select(col("ihc_score") == 3)["ihc_score"].mean()
    assert top == pytest.approx(0.71, abs=0.04)
    assert read.filter(~col("amplified")).select(col("ihc_score") < 3)["ihc_score"].mean() > 0.96


# ---- true to its truth


def test_readings_are_the_copies_diluted_by_purity(many: dict[str, pl.DataFrame]) -> None:
    read = many["specimens"].join(many["truth"], on="specimen_id").filter(col("ngs_copies").is_not_null())
    expected = read["copies"] * read["tumour_content"] + 2 * (1 - read["tumour_content"])
    error = (read["ngs_copies"] / expected).log()
    assert abs(error.mean()) < 0.005
    assert error.std() == pytest.approx(0.08, abs=0.01)
    stated = read.filter(col("tumour_purity").is_not_null())
    assert (stated["tumour_purity"] - stated["tumour_content"]).abs().max() <= 0.0051


def test_the_call_follows_the_reading(many: dict[str, pl.DataFrame]) -> None:
    read = many["specimens"].filter(col("ngs_copies").is_not_null())
    assert (read.filter(col("ngs_call") == "amplified")["ngs_copies"] >= 6).all()
    assert (read.filter(col("ngs_call") == "not_amplified")["ngs_copies"] < 4).all()
    assert read.filter(col("ngs_call") == "equivocal")["ngs_copies"].is_between(4, 6, closed="left").all()


def test_the_truth_speaks_of_the_same_specimens(many: dict[str, pl.DataFrame]) -> None:
    assert many["truth"]["specimen_id"].equals(many["specimens"]["specimen_id"])
    by_patient = many["truth"].group_by("patient_id").agg(col("amplified").any(), col("patient_amplified").first())
    assert by_patient["amplified"].equals(by_patient["patient_amplified"])


def test_what_is_on_file_of_a_patient_is_the_truth(many: dict[str, pl.DataFrame]) -> None:
    both = many["specimens"].join(many["truth"], on="specimen_id", suffix="_true")
    for name in ("ras", "braf_v600e", "msi", "pik3ca", "erbb2_mutation", "side", "stage", "metastatic"):
        stated = both.filter(col(name).is_not_null())
        assert len(stated) > 1000, name
        assert (stated[name] == stated[f"{name}_true"]).all(), name


def test_lesions_of_an_amplified_tumour_mostly_agree(many: dict[str, pl.DataFrame]) -> None:
    first = primaries(many).filter("amplified").select("patient_id")
    metastases = many["truth"].filter(col("specimen_id").str.contains("-M")).join(first, on="patient_id")
    assert near(metastases, "amplified", 0.93)


def test_what_was_not_tested_is_unknown_and_not_negative(many: dict[str, pl.DataFrame]) -> None:
    some = many["specimens"].filter(col("ihc_score").is_null())
    assert len(some) > MANY / 2
    for name in ("ihc_percent", "ihc_pattern", "ish_her2_signals", "ish_nuclei", "ish_cell_percent"):
        assert some[name].is_null().all()
    assert many["specimens"].filter(col("ngs_copies").is_null())["ngs_call"].is_null().all()


def test_missing_is_not_at_random(many: dict[str, pl.DataFrame]) -> None:
    primary = many["specimens"].filter(col("site") == "primary").with_columns(done=col("ihc_score").is_not_null())
    share = {key: some["done"].mean() for key, some in primary.group_by("metastatic", "ras")}
    assert share[True, "wild_type"] > 2 * share[True, "mutant"] > share[False, "wild_type"]


def test_nobody_is_tested_or_sampled_after_the_end(many: dict[str, pl.DataFrame]) -> None:
    patients = many["patients"]
    assert (patients["her2_tested_on"] <= patients["followed_until"]).drop_nulls().all()
    sampled = many["specimens"].join(patients, on="patient_id")
    assert (sampled["collected_on"] <= sampled["followed_until"]).all()
    early_deaths = patients.filter(col("died") & ((col("followed_until") - col("metastatic_on")).dt.total_days() < 30))
    rest = patients.filter(col("metastatic_on").is_not_null())
    assert early_deaths["her2_tested_on"].is_null().mean() > rest["her2_tested_on"].is_null().mean()


# ---- parameters and errors


def test_every_parameter_has_a_source_or_is_declared_assumed() -> None:
    for item in stated_parameters():
        assert bool(item.assumed) != bool(item.prior or item.mixture or item.cite), item.id


def test_every_parameter_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCE.glob("*.py"))
    assert [item.id for item in stated_parameters() if f'"{item.id}"' not in code] == []


def test_tables_of_cases_add_up_to_one() -> None:
    cases = {"stage", "side", "metastasis_site", "pattern", "nuclei"}
    for item in stated_parameters():
        if item.table and (item.id in cases or item.id.startswith("ihc_score")):
            assert sum(item.table.values()) == pytest.approx(1), item.id


@pytest.mark.parametrize(
    "item",
    [
        Parameter("x", "no value", assumed="why"),
        Parameter("x", "two values", value=1, prior="meta_overall", assumed="why"),
        Parameter("x", "no source", value=1),
        Parameter("x", "a source and assumed", prior="meta_overall", assumed="why"),
    ],
)
def test_a_parameter_without_one_value_and_one_origin_is_refused(
    item: Parameter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters_module, "load_strict", lambda *_: parameters_module._File([item]))
    with pytest.raises(KnowledgeError, match="exactly one value"):
        stated_parameters.__wrapped__()


@pytest.mark.parametrize(
    ("patients", "options"),
    [(0, {}), (-1, {}), (10, {"seed": -1}), (10, {"fhir": 11}), (10, {"text": -1}), (10, {"output_format": "xlsx"})],
)
def test_what_cannot_be_drawn_is_refused(
    patients: int, options: dict[str, int], tmp_path: Path, knowledge: Knowledge
) -> None:
    with pytest.raises(UsageError):
        generate(patients, tmp_path / "out", knowledge, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        generate(10, tmp_path / "file", knowledge)


def test_an_earlier_registry_does_not_stay_behind(tmp_path: Path, knowledge: Knowledge) -> None:
    (tmp_path / "mine.parquet").write_text("kept")
    generate(50, tmp_path, knowledge, seed=1, fhir=5, text=5, output_format="csv")
    generate(20, tmp_path, knowledge, seed=2)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"mine.parquet", "specimens.parquet", "patients.parquet", "truth.parquet"}


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    run = CliRunner().invoke(generate_command, ["--patients", "20", "--seed", "1", "-o", str(tmp_path), "--text", "2"])
    assert run.exit_code == 0, run.output
    assert "20 synthetic patients" in run.output
    assert "parameters are assumed" in run.output
    assert len(list((tmp_path / "text").iterdir())) == 2
    assert "generate" in COMMANDS
    assert her2crc.generate is generate


def test_noise_is_not_shared_between_blocks(knowledge: Knowledge) -> None:
    first, second = (draw_block(load_parameters(knowledge), 1, number, 1, 200) for number in (0, 1))
    signals = [np.asarray(block.truth.column("copies")) for block in (first, second)]
    assert not np.array_equal(signals[0][:100], signals[1][:100])
