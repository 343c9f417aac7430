"""Every format of copy numbers that is read: a small file of each, and what is wrong in bad ones with its place."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

import her2crc
from her2crc.errors import InputError

KNOWLEDGE = her2crc.load_knowledge()
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the development data are not beside the repository")


def measure(text: str | bytes, name: str = "x.txt", **options):
    data = text if isinstance(text, bytes) else text.encode()
    return her2crc.measure_tissue(data, KNOWLEDGE, name=name, **options)


def table(*rows: str, separator: str = "\t") -> str:
    return "\n".join(row.replace(" ", separator) for row in rows) + "\n"


SEG = table("ID chrom loc.start loc.end num.mark seg.mean", "A chr17 37000000 38500000 40 2", "A 1 1 249250000 900 0")
CBIO_WIDE = table("Hugo_Symbol Entrez_Gene_Id S1 S2", "ERBB2 2064 1.5 0", "CDK12 51755 1.2 0")
PURPLE = table("chromosome start end gene minCopyNumber maxCopyNumber", "chr17 39687914 39730426 ERBB2 10 12")
PURPLE_SEGMENTS = table(
    "chromosome start end copyNumber bafCount depthWindowCount",
    "chr1 1 248950000 2 500 900",
    "chr17 39000000 40000000 10 5 90",
    "chr17 40000001 83200000 2 5 90",
)
PURECN = (
    'Sampleid,gene.symbol,chr,start,end,C,seg.mean,number.targets,gene.mean\n"P1","ERBB2",chr17,1,2,10,1.9,30,2.0\n'
)
SEQUENZA = table(
    '"chromosome" "start.pos" "end.pos" "Bf" "depth.ratio" "N.ratio" "CNt"',
    '"1" 1 248950000 0.4 1.0 9000 2',
    '"17" 39000000 40000000 0.1 4.0 100 14',
    '"17" 40000001 83200000 0.4 1.0 4000 2',
    '"2" 1 242190000 0.4 1.0 9000 2',
)
FACETS = table("sample gene chrom tcn.em lcn.em", "F ERBB2 17 10 1", "F TOP2A 17 3 1")
FACETS_SEGMENTS = table(
    "chrom seg num.mark cnlr.median start end tcn.em lcn.em",
    "1 1 9000 0 1 249250000 2 1",
    "17 2 90 2.1 37000000 38500000 10 1",
)
LONG = table("Hugo_Symbol Sample_Id Value", "ERBB2 S1 2", "TP53 S1 -1")
LAB = "specimen_id,ngs_fold,tumour_purity\nL,4,50%\n"
CNS = table(
    "chromosome start end gene log2 depth probes weight ci_lo ci_hi",
    "chr1 0 249250000 - 0 9 900 9 -0.1 0.1",
    "chr17 37000000 38500000 CDK12,ERBB2,GRB7 2 9 40 9 1.9 2.1",
)
LINEAR = {"SEG": SEG, "PURECN": PURECN, "SEQUENZA": SEQUENZA, "LAB": LAB, "CNS": CNS}
CORRECTED = {"PURPLE": PURPLE, "PURPLE_SEGMENTS": PURPLE_SEGMENTS, "FACETS": FACETS, "FACETS_SEGMENTS": FACETS_SEGMENTS}


@pytest.mark.parametrize("name", LINEAR)
def test_a_fourfold_reading_is_four_in_every_format(name: str) -> None:
    found = measure(LINEAR[name], purity=0.5)[0]
    assert found.fold == pytest.approx(4)
    assert found.tumour_copies == pytest.approx(14)
    assert found.gain_seen


@pytest.mark.parametrize("name", CORRECTED)
def test_copies_that_a_caller_corrected_are_not_corrected_again(name: str) -> None:
    assert measure(CORRECTED[name])[0].tumour_copies == 10
    assert measure(CORRECTED[name])[0].tumour_copies_interval is None
    found = measure(CORRECTED[name], purity=0.5)[0]
    assert found.tumour_copies == pytest.approx(10)
    assert found.fold == pytest.approx(3)
    low, high = found.tumour_copies_interval
    assert low < 10 < high


def test_a_matrix_gives_a_value_only_where_there_is_one() -> None:
    first, second = measure(CBIO_WIDE)
    assert (first.specimen_id, round(first.fold, 3)) == ("S1", 2.828)
    assert [near.gene for near in first.neighbours if near.gained] == ["CDK12"]
    assert second.fold is None and second.gain_seen is None and "Not excluded" in second.conclusion
    called = measure(LONG)[0]
    assert (called.caller_call, called.fold) == ("amplified", None)
    assert {rule.set for rule in called.rules if rule.outcome == "met"} >= {"mountaineer", "mypathway"}


VCF_HEADER = """\
##fileformat=VCFv{version}
{build}
##INFO=<ID=END,Number=1,Type=Integer,Description="e">
##INFO=<ID=SVLEN,Number={number},Type=Integer,Description="l">
##INFO=<ID=SVTYPE,Number=1,Type=String,Description="t">
##INFO=<ID=FC,Number=1,Type=Float,Description="f">
##INFO=<ID=CN,Number=A,Type=Float,Description="c">
##INFO=<ID=CICN,Number=.,Type=Float,Description="i">
##FORMAT=<ID=GT,Number=1,Type=String,Description="g">
##FORMAT=<ID=CN,Number=1,Type=Float,Description="c">
##FORMAT=<ID=SM,Number=1,Type=Float,Description="s">
##ALT=<ID=DUP,Description="d">
##ALT=<ID=CNV,Description="d">
##ALT=<ID=DEL,Description="d">
"""
FIELDS = "#CHROM POS ID REF ALT QUAL FILTER INFO"
HG38 = "##contig=<ID=chr17,length=83257441>"
HG19 = "##contig=<ID=17,length=81195210>"


def vcf(record: str, build: str = HG38, version: str = "4.2", sample: str = " FORMAT T1", number: str = ".") -> str:
    return VCF_HEADER.format(version=version, build=build, number=number) + table(FIELDS + sample, record)


@pytest.mark.parametrize(
    ("text", "fold"),
    [
        (vcf("chr17 39600000 . N <DUP> . PASS SVTYPE=CNV;END=39800000 GT:CN ./1:7.4"), 3.7),
        (vcf("chr17 39600000 . N <DUP> . PASS SVTYPE=CNV;END=39800000 GT:CN:SM ./1:7:3.7"), 3.7),
        (vcf("17 37800000 . N <CNV> . PASS SVTYPE=CNV;SVLEN=-200000;FC=2.8", HG19, "4.1", "", "1"), 2.8),
        (vcf("17 37800000 . N <DUP> . PASS SVLEN=200000;CN=5.5;CICN=-0.5,0.5", HG19, "4.4", "", "A"), 2.75),
        (vcf("17 37800000 . N <DEL> . PASS SVLEN=200000;CN=1.2", HG19, "4.5", "", "A"), 0.6),
        (
            vcf(
                "17 37800000 . N <CNV> . PASS SVTYPE=CNV;END=38000000;FC=2",
                "##reference=file:///x/GRCh37.fa",
                sample="",
            ),
            2,
        ),
    ],
)
def test_copy_numbers_of_vcf(text: str, fold: float) -> None:
    pytest.importorskip("pysam", reason="pysam is not installed")
    assert measure(text, "x.vcf")[0].fold == pytest.approx(fold)


def test_a_vcf_without_a_record_or_a_build_says_so() -> None:
    pytest.importorskip("pysam", reason="pysam is not installed")
    found = measure(vcf("chr17 100 . N <DUP> . PASS SVTYPE=CNV;END=900 GT:CN ./1:7"), "x.vcf")[0]
    assert found.fold is None and "Not excluded" in found.conclusion
    record = "chr17 37800000 . N <DUP> . PASS SVTYPE=CNV;END=38000000 GT:CN ./1:7"
    with pytest.raises(InputError, match="--build"):
        measure(vcf(record, "##contig=<ID=chr17>"), "x.vcf")
    assert measure(vcf(record, "##contig=<ID=chr17>"), "x.vcf", build="hg19")[0].fold == 3.5
    with pytest.raises(InputError, match="says hg38"):
        measure(vcf(record), "x.vcf", build="hg19")
    with pytest.raises(InputError, match="damaged"):
        measure("##fileformat=VCFv4.2\nnonsense\n", "x.vcf")


def test_a_record_that_failed_its_filter_or_has_no_number_is_told() -> None:
    pytest.importorskip("pysam", reason="pysam is not installed")
    filtered = VCF_HEADER.format(version="4.2", build=HG38, number=".") + '##FILTER=<ID=LowQ,Description="x">\n'
    record = "chr17 39600000 . N <DUP> . {} SVTYPE=CNV;END=39800000 {}"
    for state, values, told in (
        ("PASS", "GT:CN ./1:7", ()),
        ("LowQ", "GT:CN ./1:7", ("did not pass its caller's filters (LowQ)",)),
        ("PASS", "GT ./1", ("has no copy number that is read",)),
    ):
        found = measure(filtered + table(FIELDS + " FORMAT T1", record.format(state, values)), "x.vcf")[0]
        notes = [note for note in found.notes if "The record on line" in note]
        assert all(text in note for text, note in zip(told, notes, strict=True))
    elsewhere = "chr17 100 . N <DUP> . LowQ SVTYPE=CNV;END=900 GT:CN ./1:7"
    found = measure(filtered + table(FIELDS + " FORMAT T1", elsewhere), "x.vcf")[0]
    assert not any("The record on line" in note for note in found.notes)


def test_a_list_of_mutations_is_no_matrix_of_copy_numbers() -> None:
    maf = "Hugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification\nERBB2\t2\tMissense_Mutation\n"
    with pytest.raises(InputError, match="no kind that is known"):
        measure(maf, "x.maf")


def test_a_confidence_interval_of_vcf_becomes_the_error() -> None:
    pytest.importorskip("pysam", reason="pysam is not installed")
    record = "17 37800000 . N <DUP> . PASS SVLEN=200000;CN=6;CICN={}"
    wide, narrow = (
        measure(vcf(record.format(ends), HG19, "4.4", "", "A"), "x.vcf")[0].log2_error_within
        for ends in ("-2,2", "-0.2,0.2")
    )
    assert narrow < wide / 5


@needs_shared
def test_foundation_copies_are_already_corrected_for_purity() -> None:
    """Its own sample report obeys the formula of the issue, gene by gene, to the rounding of its copies."""
    text = (SHARED / "formats" / "foundation_sample.xml").read_text()
    for gene in ("CDK4", "CCND3", "MYC", "PIM1"):
        found = measure(text.replace('gene="ERBB2"', 'gene="X"').replace(f'gene="{gene}"', 'gene="ERBB2"'), "f.xml")[0]
        assert found.tumour_purity == 0.5
        low, high = found.tumour_copies_interval
        assert low <= found.caller_tumour_copies <= high
        assert found.tumour_copies == pytest.approx(found.caller_tumour_copies, rel=0.15)
    unlisted = measure(text, "f.xml")[0]
    assert unlisted.fold is None and "Not excluded" in unlisted.conclusion


BINS = ["chromosome start end gene log2 depth weight"]
BINS += [f"chr1 {at * 1000} {at * 1000 + 200} SSU72 {0.1 * (-1) ** at} 100 0.9" for at in range(1500, 1540)]
BINS += [f"chr17 {37856000 + at * 900} {37856200 + at * 900} ERBB2 {2 + 0.1 * (-1) ** at} 100 0.9" for at in range(20)]
BINS += [f"chrX {at * 1000} {at * 1000 + 200} AR {0.1 * (-1) ** at} 100 0.9" for at in range(1500, 1540)]


def test_bins_plain_and_packed_are_the_same() -> None:
    plain, packed = measure(table(*BINS), "s.cnr"), measure(gzip.compress(table(*BINS).encode()), "s.cnr.gz")
    assert plain[0].fold == packed[0].fold == pytest.approx(4, rel=0.02)
    assert (plain[0].specimen_id, plain[0].bins, plain[0].build) == ("s", 20, "hg19")


@pytest.mark.parametrize("level", [-1.0, 1.0])
def test_neither_sex_nor_reference_sex_changes_a_reading(level: float) -> None:
    moved = [row.replace(" 0.1 ", f" {level} ") if row.startswith("chrX") else row for row in BINS]
    assert measure(table(*moved))[0].fold == measure(table(*BINS))[0].fold


def broken(change) -> str:
    return table(*change(list(BINS)))


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (broken(lambda rows: rows)[:-30], "x.cnr:101", "columns"),
        (broken(lambda rows: [r.replace("2.1", "nan", 1) if "ERBB2" in r else r for r in rows]), "x.cnr:42", "no log2"),
        (broken(lambda rows: [r for r in rows if "ERBB2" not in r]), "chromosome X", "No bin is labelled ERBB2"),
        (broken(lambda rows: rows[:30]), "line 30, chromosome 1", "No bin is labelled ERBB2"),
        (broken(lambda rows: rows[:42]), "x.cnr", "only 1 usable bin"),
        (broken(lambda rows: [r.replace("chr17 37", "chr17 77") for r in rows]), "x.cnr", "fit no genome build"),
        (broken(lambda rows: [r.replace("1500000", "15OOOOO") for r in rows]), "x.cnr:2", "position"),
        (broken(lambda rows: rows[:1]), "x.cnr", "no row"),
        ("", "x.cnr", "empty"),
        ("a\tb\nc\td\n", "x.cnr", "no kind"),
    ],
)
def test_bad_files_are_refused_with_their_place(text: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as error:
        measure(text, "x.cnr")
    assert where in error.value.where
    assert any(part in str(error.value) for part in what.split("|"))


def test_damaged_gzip_is_refused() -> None:
    with pytest.raises(InputError, match="damaged or cut short"):
        measure(gzip.compress(table(*BINS).encode())[:-20], "x.cnr.gz")


def test_noise_in_which_nothing_could_be_seen_is_refused() -> None:
    loud = [row.replace("2.1", "6.5").replace("1.9", "-2.5") if "ERBB2" in row else row for row in BINS]
    with pytest.raises(InputError, match="too noisy"):
        measure(table(*loud), "x.cnr")


def test_a_segment_without_a_number_is_an_error_only_if_erbb2_lies_on_it() -> None:
    elsewhere = CNS.replace("- 0 9 900".replace(" ", "\t"), "-\t-1e9\t9\t900")
    found = measure(elsewhere, "x.cns")[0]
    assert found.fold == pytest.approx(4) and found.extent == "focal"
    assert [near.gene for near in found.neighbours if near.gained] == ["CDK12", "GRB7"]
    with pytest.raises(InputError) as error:
        measure(CNS.replace("CDK12,ERBB2,GRB7\t2\t", "CDK12,ERBB2,GRB7\tNA\t"), "x.cns")
    assert error.value.where == "x.cns:3"


def test_one_bad_sample_of_many_does_not_stop_the_others() -> None:
    text = SEG + "B\t2\t1\t100\t5\t0\n"
    good, bad = measure(text, "x.seg")
    assert good.fold == pytest.approx(4) and not good.refused
    assert bad.fold is None and "No segment covers ERBB2" in bad.refused


def test_reads_go_through_cnvkit(tmp_path: Path) -> None:
    pytest.importorskip("cnvlib", reason="CNVkit is not installed")
    pysam = pytest.importorskip("pysam", reason="pysam is not installed")
    import subprocess
    import sys

    contigs = [{"SN": "chr1", "LN": 249250621}, {"SN": "chr17", "LN": 81195210}]
    places = [(0, 1_508_000, "SSU72", 30)] * 3 + [(1, 37_855_000, "ERBB2", 120)]
    bam, bed, reads = tmp_path / "x.bam", tmp_path / "t.bed", []
    with bed.open("w") as targets:
        for group, (contig, start, gene, depth) in enumerate(places):
            for at in range(8):
                first = start + group * 20_000 + at * 1000
                targets.write(f"{contigs[contig]['SN']}\t{first}\t{first + 300}\t{gene}\n")
                reads += [(contig, first + (step * 7) % 200) for step in range(depth + at)]
    with pysam.AlignmentFile(bam, "wb", header={"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": contigs}) as out:
        for number, (contig, start) in enumerate(sorted(reads)):
            read = pysam.AlignedSegment()
            read.query_name, read.flag, read.reference_id, read.reference_start = f"r{number}", 0, contig, start
            read.query_sequence, read.mapping_quality, read.cigar = "A" * 100, 60, [(0, 100)]
            read.query_qualities = pysam.qualitystring_to_array("I" * 100)
            out.write(read)
    pysam.index(str(bam))
    command = [sys.executable, "-m", "cnvlib.cnvkit", "reference", "-t", str(bed), "-o", str(tmp_path / "r.cnn")]
    subprocess.run(command, check=True, capture_output=True)
    found = her2crc.measure_tissue(bam, KNOWLEDGE, targets=bed, reference=tmp_path / "r.cnn")[0]
    assert found.fold == pytest.approx(4, rel=0.2)
    with pytest.raises(her2crc.errors.UsageError, match="--targets"):
        her2crc.measure_tissue(bam, KNOWLEDGE)


def test_coverage_is_not_taken_for_a_ratio() -> None:
    raw = [row if at == 0 else _raised(row) for at, row in enumerate(BINS)]
    with pytest.raises(InputError, match="coverage, not a ratio"):
        measure(table(*raw), "x.cnn")
    with pytest.raises(InputError, match=r"no kind|normals"):
        measure(table("chromosome start end gene gc A B", "chr1 1 2 X 0.5 4 5"), "m.tsv")


def _raised(row: str) -> str:
    cells = row.split(" ")
    cells[4] = str(float(cells[4]) + 7)
    return " ".join(cells)


def test_a_table_from_a_spreadsheet() -> None:
    german = 'specimen_id;ngs_fold;tumour_purity\n"A; left";2,2;30%\n'
    found = measure(german, "x.csv")[0]
    assert (found.specimen_id, found.tumour_copies) == ("A; left", pytest.approx(10))
    bad = measure("specimen_id,ngs_fold,tumour_purity\nA,2.2,30\nB,2.2,0.3\n", "x.csv")
    assert "share (0.3) or a percentage" in bad[0].refused and bad[1].tumour_copies == pytest.approx(10)
    with pytest.raises(InputError, match=r"x\.csv:2"):
        measure("specimen_id,ngs_fold\nA,about 2\n", "x.csv")
    with pytest.raises(InputError, match="not above 0"):
        measure("specimen_id,ngs_fold\nA,-0.4\n", "x.csv")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_broken_is_said_and_never_a_traceback(seed: int) -> None:
    draw = random.Random(seed)
    files = [*LINEAR.values(), *CORRECTED.values(), CBIO_WIDE, LONG, table(*BINS)]
    refused = 0
    for _ in range(40):
        lines = draw.choice(files).splitlines()
        match draw.randrange(4):
            case 0:
                lines = "\n".join(lines)[: draw.randrange(len("\n".join(lines)))].splitlines()
            case 1:
                draw.shuffle(lines)
            case 2:
                del lines[draw.randrange(len(lines))]
            case _:
                at = draw.randrange(len(lines))
                cells = lines[at].split("\t")
                cells[draw.randrange(len(cells))] = draw.choice(["", "NA", "nan", "inf", "-1e9", "1e400", "ERBB2", '"'])
                lines[at] = "\t".join(cells)
        try:
            for item in measure("\n".join(lines), purity=draw.choice([None, 0.3, 1])):
                assert item.text() and item.specimen["specimen_id"]
                assert "negative" not in item.conclusion
        except InputError as error:
            refused += 1
            assert error.where
    assert refused
