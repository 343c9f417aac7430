"""Where ERBB2 lies: the shipped table against an installed source and real files, and the build found from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2crc.errors import InputError, UsageError
from her2crc.frontends.seq.builds import build_of_lengths, find_build
from her2crc.frontends.seq.sources import read_profiles
from her2crc.frontends.seq.terms import labels, plain_chromosome, terms

CNVKIT = Path(__file__).resolve().parents[3] / "shared" / "data" / "cnvkit"
SHARED = pytest.mark.skipif(not CNVKIT.exists(), reason="the development data are not beside the repository")


@pytest.mark.parametrize("build", terms().builds, ids=lambda item: item.id)
def test_lengths_and_centromeres_are_those_of_the_installed_table(build) -> None:
    bioframe = pytest.importorskip("bioframe", reason="bioframe, which CNVkit brings, is not installed")
    folder = Path(bioframe.__file__).parent / "io" / "data"
    lengths = {
        name.removeprefix("chr"): int(length)
        for name, length, role, *_ in (
            line.split("\t") for line in (folder / f"{build.id}.seqinfo.tsv").read_text().splitlines()[1:]
        )
        if role == "assembled" and name.removeprefix("chr").isdigit()
    }
    assert build.lengths == lengths
    bands = [line.split("\t") for line in (folder / f"{build.id}.cytoband.tsv").read_text().splitlines()]
    acen = [band for band in bands if band[0] == "chr17" and band[4] == "acen"]
    assert build.centromere == (int(acen[0][1]), int(acen[-1][2]))
    band = next(band for band in bands if band[0] == "chr17" and band[3] == "q12")
    assert build.band == (int(band[1]), int(band[2]))
    if build.her2 is not None:
        assert build.band[0] < build.her2[0] and build.her2[1] <= build.band[1]


def test_erbb2_moved_as_one_piece_between_the_builds() -> None:
    old, new = (terms().build(name).her2 for name in ("hg19", "hg38"))
    assert new[0] - old[0] == new[1] - old[1]


@SHARED
@pytest.mark.parametrize("name", ["p2-20_1.cnr", "p2-9_2.cnr", "amplicon.cnr"])
def test_real_bins_of_erbb2_lie_inside_the_gene_and_show_hg19(name: str) -> None:
    profile = read_profiles((CNVKIT / name).read_text(), name)[0]
    own = [item for item in profile.bins if "ERBB2" in labels(item.genes)]
    low, high = terms().build("hg19").her2
    assert len(own) > 20
    assert all(item.chromosome == "17" and low <= item.start and item.end <= high for item in own)
    assert find_build(((b.chromosome, b.start, b.end, b.genes) for b in profile.bins), None, name).id == "hg19"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("17", 37_860_000, 37_860_300, "ERBB2")], "hg19"),
        ([("17", 39_700_000, 39_700_300, "ERBB2_exon_3")], "hg38"),
        ([("17", 40_551_000, 40_551_300, "ERBB2")], "hs1"),
        ([("17", 1, 83_000_000, "-"), ("1", 1, 248_950_000, "-")], "hg38"),
        ([("17", 1, 84_200_000, "")], "hs1"),
        ([("1", 1, 249_200_000, "-")], "hg19"),
        ([("17", 1, 81_000_000, "-")], None),
        ([("17", 37_860_000, 37_860_300, "ERBB2P1"), ("17", 1, 81_000_000, "-")], None),
    ],
)
def test_the_build_is_found_from_the_rows_or_left_open(rows, found: str | None) -> None:
    build = find_build(rows, None, "x")
    assert (build.id if build else None) == found


def test_a_build_that_the_file_contradicts_is_refused() -> None:
    rows = [("17", 37_860_000, 37_860_300, "ERBB2")]
    with pytest.raises(InputError, match="not on hg38; they fit hg19"):
        find_build(rows, "GRCh38", "x.cnr")
    for row in (("17", 1, 95_272_651, ""), ("17", 77_856_000, 77_856_300, "ERBB2")):
        with pytest.raises(InputError, match="fit no genome build"):
            find_build([row], None, "mouse.seg")
    with pytest.raises(UsageError, match="hg19, hg38, hs1"):
        find_build(rows, "mm10", "x.cnr")


def test_contig_lengths_and_labels() -> None:
    assert build_of_lengths({"chr17": 83_257_441}).id == "hg38"
    assert build_of_lengths({"17": 81_195_210, "MT": 16_569}).id == "hg19"
    assert build_of_lengths({"chr17": 83_257_441, "chr1": 249_250_621}) is None
    assert build_of_lengths({"chrM": 16_569}) is None
    assert plain_chromosome("Chr17") == "17"
    assert labels("NTRK1;SH2D2A_CGH|ERBB2") == ("NTRK1", "SH2D2A", "ERBB2")
