"""Aligned reads (BAM) by way of CNVkit, which does the counting and correcting; this module only starts it.

An extra: ``pip install 'her2crc[bam]'``. The targets and the reference are those of the laboratory's panel.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from her2crc.errors import InputError, MissingExtraError, UsageError


def run_cnvkit(bam: str | Path | bytes, needs: tuple[str | Path | None, str | Path | None], name: str) -> bytes:
    """Return the bins (.cnr) of a BAM file: ``cnvkit.py coverage`` on the targets, then ``fix`` on the reference.

    Raises:
        MissingExtraError: CNVkit is not installed.
        UsageError: the targets or the reference are not named, or the reads come from standard input.
        InputError: CNVkit cannot use the files; its last message is given.
    """
    targets, reference = needs
    if isinstance(bam, bytes) or str(bam) == "-" or targets is None or reference is None:
        raise UsageError(
            "a BAM file needs --targets (BED) and --reference (.cnn), and must be a file",
            why="Reads become copy numbers only against normals of the same panel.",
            fix="Make the reference with `cnvkit.py reference` from normals.",
        )
    if find_spec("cnvlib") is None:
        raise MissingExtraError(
            "Reading BAM needs CNVkit, which is not installed.", where=name, fix="Run: pip install 'her2crc[bam]'."
        )
    with tempfile.TemporaryDirectory() as folder:
        parts = {part: Path(folder) / part for part in ("x.targetcoverage.cnn", "x.antitargetcoverage.cnn", "x.cnr")}
        counted, empty, fixed = parts.values()
        empty.write_text("chromosome\tstart\tend\tgene\tlog2\tdepth\n")
        _start(["coverage", str(bam), str(targets), "-o", str(counted)], name)
        _start(["fix", str(counted), str(empty), str(reference), "-o", str(fixed)], name)
        return fixed.read_bytes()


def _start(arguments: list[str], name: str) -> None:
    command = [sys.executable, "-m", "cnvlib.cnvkit", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed program, no shell
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise InputError(
            f"CNVkit ({arguments[0]}) could not use the files.",
            where=name,
            why=last[0],
            fix="Check that the BAM file is indexed and on the build of the targets.",
        )
