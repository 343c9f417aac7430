"""The page in a real browser: no error, no request, nothing cut off on a narrow screen, colours with contrast.

Chromium is driven through its debugging pipe (file descriptors 3 and 4), so that no further package is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment
from her2crc.report.html import report_html

Answer = Callable[..., Assessment]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)
SPECIMENS = [
    {"specimen_id": f"SPECIMEN-2026-{number:06}", "site": site, "ihc_score": number % 4, "collected_on": day}
    for number, (site, day) in enumerate(
        [("primary", "2021-01-01"), ("liver", "2022-05-01"), ("liver", "2022-05-01"), ("lung", "2026-01-01")]
    )
]
ATTACK = "<script>alert(1)</script>"


class Browser:
    """One page of a headless Chromium; ``events`` holds everything that it reported since it was started."""

    def __init__(self, program: str, folder: Path) -> None:
        commands, self._to_browser = os.pipe()
        self._from_browser, answers = os.pipe()

        def on_three_and_four() -> None:
            read, write = os.dup(commands), os.dup(answers)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=on_three_and_four,
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._unread = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._receive()
            if reply.get("id") == self._number:
                assert "error" not in reply, reply
                result: dict[str, Any] = reply["result"]
                return result
            self.events.append(reply)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            read = os.read(self._from_browser, 1 << 16)
            assert read, "the browser ended"
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def show(self, page: Path, width: int) -> None:
        self.events.clear()
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        self.send("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def ask(self, expression: str) -> Any:
        reply = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def close(self) -> None:
        self._session = ""
        self.send("Browser.close")
        self.process.wait(timeout=30)
        os.close(self._to_browser)
        os.close(self._from_browser)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None and os.environ.get("CI") == "true":
        pytest.fail("no Chromium found (apt-get install chromium)")
    if program is None:
        pytest.skip("no Chromium found (apt-get install chromium)")
    opened = Browser(program, tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def page(answer: Answer, knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    specimens = [*SPECIMENS, {"plasma_copies": 2.2, "tumour_fraction": 0.03, "collected_on": "2026-05-05"}]
    assessment = msgspec.structs.replace(answer(*specimens, metastatic=True, stage=2), patient_id=ATTACK)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report_html(assessment, knowledge), encoding="utf-8")
    return path


def test_the_page_is_quiet(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    assert browser.ask("document.title") == f"HER2 in colorectal cancer: {ATTACK}"
    assert browser.ask("document.compatMode") == "CSS1Compat"
    methods = {event["method"] for event in browser.events}
    assert not methods & {
        "Runtime.consoleAPICalled",
        "Runtime.exceptionThrown",
        "Log.entryAdded",
        "Page.javascriptDialogOpening",
    }
    requests = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in requests if not url.startswith("data:")] == [page.as_uri()]


OUTSIDE = """
[...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.scroll') && !e.matches('.skip') && e.getBoundingClientRect().right > innerWidth)
  .map(e => e.tagName + '.' + e.className)
"""


@pytest.mark.parametrize("width", [320, 360, 1100])
def test_only_tables_and_the_picture_scroll_sideways(browser: Browser, page: Path, width: int) -> None:
    browser.show(page, width)
    assert browser.ask("innerWidth") == width
    assert browser.ask(OUTSIDE) == []
    assert browser.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert browser.ask("getComputedStyle(document.querySelector('.scroll')).overflowX") == "auto"


def test_a_wide_table_can_be_scrolled_on_a_narrow_screen(browser: Browser, page: Path) -> None:
    browser.show(page, 320)
    matrix = "document.querySelector('.matrix').parentElement"
    assert browser.ask(f"{matrix}.scrollWidth > {matrix}.clientWidth")


CONTRASTS = """
(() => {
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest('svg')) continue;
    const [a, b] = [luminance(numbers(getComputedStyle(element).color)), luminance(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = element.tagName + '.' + element.className;
    found[name] = Math.min(ratio, found[name] ?? 99);
  }
  return found;
})()
"""


def test_all_text_has_contrast_as_computed(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    contrasts = browser.ask(CONTRASTS)
    assert len(contrasts) > 20
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}  # WCAG 2.2, 1.4.3


def test_a_verdict_leads_to_its_reason(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    browser.ask("document.querySelector('a[href=\"#why-heracles_2015-2\"]').click()")
    assert browser.ask("document.querySelector(':target').textContent") == SPECIMENS[1]["specimen_id"]
    top = browser.ask("document.querySelector(':target').getBoundingClientRect().top")
    assert -1 < top < 800  # in view; the browser scrolls to fractions of a pixel


def test_the_keyboard_finds_the_skip_link_first(browser: Browser, page: Path) -> None:
    browser.show(page, 1100)
    for kind in ("keyDown", "keyUp"):
        browser.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert browser.ask("document.activeElement.getAttribute('href')") == "#main"
    assert browser.ask("document.activeElement.getBoundingClientRect().left") >= 0
