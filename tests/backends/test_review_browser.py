"""The review page in a real browser: quiet, readable at any width, and its decisions are the file that we take."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from test_report_browser import CONTRASTS, OUTSIDE, Browser, browser

from her2crc.frontends.text.review import review_html
from her2crc.frontends.text.review_corrections import apply_corrections, load_corrections

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "frontends"))

from test_text_review import NAMES, READ

__all__ = ["browser"]
FIRST = "document.querySelector('.card')"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("review") / "review.html"
    path.write_text(review_html([READ]), encoding="utf-8")
    return path


def choose(browser: Browser, card: int, decision: str) -> None:
    browser.ask(f"document.querySelectorAll('.card')[{card}].querySelector('[value={decision}]').click()")


def type_in(browser: Browser, field: str, value: str) -> None:
    browser.ask(f"{FIRST}.querySelector('[data-field={field}]').value = {json.dumps(value)}")
    browser.ask(f"{FIRST}.querySelector('[data-field={field}]').dispatchEvent(new Event('input', {{bubbles: true}}))")


def test_the_page_is_quiet_and_asks_nothing(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    assert browser.ask("document.querySelectorAll('.text mark').length") == 8
    methods = {event["method"] for event in browser.events}
    assert not methods & {"Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening"}
    asked = [
        item["params"]["request"]["url"] for item in browser.events if item["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]


@pytest.mark.parametrize("width", [320, 400, 1100])
def test_nothing_is_cut_off(browser: Browser, page: Path, width: int) -> None:
    browser.show(page, width)
    assert browser.ask(OUTSIDE) == []
    assert browser.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_all_text_has_contrast(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    assert {name: ratio for name, ratio in browser.ask(CONTRASTS).items() if ratio < 4.5} == {}  # WCAG 2.2, 1.4.3


def test_a_mark_leads_to_its_finding(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    browser.ask("[...document.querySelectorAll('mark a')].at(-2).click()")
    assert browser.ask("document.querySelector(':target').dataset.finding") == NAMES[1]


def test_every_control_has_a_name(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    named = "e.ariaLabel || e.closest('label') || e.textContent.trim()"
    unnamed = f"[...document.querySelectorAll('input, select, button')].filter(e => !({named})).length"
    assert browser.ask(unnamed) == 0


def test_the_decisions_are_saved_as_the_file_that_is_applied(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.show(page, 1100)
    type_in(browser, "percent", "62,5")
    choose(browser, 1, "reject")
    assert browser.ask("document.getElementById('said').textContent") == "2 of 2 findings decided."
    browser.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.ask("document.getElementById('save').click()")
    saved = tmp_path / "corrections.json"
    for _ in range(100):
        if saved.exists() and saved.stat().st_size:
            break
        time.sleep(0.05)
    corrections = load_corrections(saved.read_bytes(), "corrections.json")
    _, reading = next(iter(apply_corrections([READ], corrections, "corrections.json")))
    assert [float(str(found.values["percent"])) for found in reading.findings] == [62.5]


def test_a_missed_value_can_be_added(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    type_in(browser, "pattern", "complete")
    saved = json.dumps(browser.ask("her2crcCorrections()")).encode()
    _, reading = next(iter(apply_corrections([READ], load_corrections(saved, "c.json"), "c.json")))
    assert reading.findings[0].values == {**READ.reading.findings[0].values, "pattern": "complete"}


def test_what_is_no_number_is_not_saved(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    type_in(browser, "percent", "many")
    browser.ask("document.getElementById('save').click()")
    assert "not a number" in browser.ask("document.getElementById('said').textContent")
    assert browser.ask("document.activeElement.dataset.field") == "percent"


def test_an_unchanged_change_is_an_acceptance(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    choose(browser, 0, "change")
    assert browser.ask("her2crcCorrections().reports[0].decisions") == [
        {"finding": NAMES[0], "decision": "accept", "changes": []}
    ]
