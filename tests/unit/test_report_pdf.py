"""The printed report: A4 pages with text, tags and page numbers; and what is said where WeasyPrint is missing."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from her2crc.criteria.library import Knowledge
from her2crc.errors import MissingExtraError
from her2crc.model.verdict import Assessment
from her2crc.report.pdf import report_pdf

Answer = Callable[..., Assessment]


def tool(name: str) -> str:
    """Return a program of poppler-utils; in CI it must be there."""
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing (apt-get install poppler-utils)")
    pytest.skip(f"{name} is not installed (apt-get install poppler-utils)")


def printed(assessment: Assessment, knowledge: Knowledge, folder: Path, view: str = "pathologist") -> Path:
    if os.environ.get("CI") != "true":
        pytest.importorskip("weasyprint", reason="WeasyPrint is not installed (pip install 'her2crc[pdf]')")
    path = folder / "report.pdf"
    path.write_bytes(report_pdf(assessment, knowledge, view=view))
    return path


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_report_is_printed(answer: Answer, knowledge: Knowledge, tmp_path: Path) -> None:
    pdfinfo, pdftotext = tool("pdfinfo"), tool("pdftotext")
    specimens = [{"ihc_score": 1, "site": "primary", "collected_on": "2024-01-02"}, {"ihc_score": 3, "site": "liver"}]
    assessment = msgspec.structs.replace(answer(*specimens, metastatic=True), patient_id="CASE-<7>")
    path = printed(assessment, knowledge, tmp_path)
    facts = dict(re.findall(r"^(.+?): +(.+)$", run(pdfinfo, path), re.MULTILINE))
    pages = int(facts["Pages"])
    assert pages > 1
    assert facts["Page size"].endswith("(A4)")
    assert facts["Tagged"] == "yes"
    assert facts["Title"] == "HER2 in colorectal cancer: CASE-<7>"
    sheets = run(pdftotext, "-layout", path, "-").split("\f")[:pages]
    for number, sheet in enumerate(sheets, 1):
        assert "HER2 in colorectal cancer, patient CASE-<7>" in sheet
        assert f"Page {number} of {pages}" in sheet
    text = re.sub(r"\s+", " ", " ".join(sheets))
    assert "46.9 % (34.3 to 59.8; 30/64, counts derived)" in text
    for criteria in knowledge.criteria.values():
        assert criteria.id in text or criteria.role == "unseen"


def test_a_plain_summary_is_one_page(answer: Answer, knowledge: Knowledge, tmp_path: Path) -> None:
    path = printed(answer({"ihc_score": 3}), knowledge, tmp_path, view="patient")
    assert re.search(r"^Pages: +1$", run(tool("pdfinfo"), path), re.MULTILINE)


def test_without_weasyprint_the_user_is_told_what_to_install(
    answer: Answer, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'her2crc[pdf]'")):
        report_pdf(answer({"ihc_score": 3}), knowledge)
