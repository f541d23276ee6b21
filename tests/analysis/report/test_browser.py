"""The report in a real browser, driven over the WebDriver protocol: Chromium, headless."""

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.report import page
from tests.simulation.folder import Simulation, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="Chromium is not installed (Debian packages chromium, chromium-driver)",
    ),
]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


NAMED = {"image", "button", "link", "combobox", "region", "DisclosureTriangle", "table", "figure"}


class Browser:
    """One session of a running ChromeDriver."""

    def __init__(self, address: str, profile: Path) -> None:
        self.address = address
        options = {"args": [*FLAGS, f"--user-data-dir={profile}"], "binary": shutil.which("chromium")}
        wanted = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = self.post("/session", {"capabilities": {"alwaysMatch": wanted}})
        self.address += f"/session/{session['sessionId']}"

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(self.address + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)["value"]

    def run(self, script: str, *arguments: Any) -> Any:
        return self.post("/execute/sync", {"script": script, "args": arguments})

    def protocol(self, command: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self.post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def quit(self) -> None:
        request = urllib.request.Request(self.address, method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5).close()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        opened = Browser(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("profile"))
        folder = write(
            tmp_path_factory.mktemp("browser") / "grid", Simulation(models=["small"], seeds=[1, 2])
        )
        page.make(folder)
        opened.post("/url", {"url": (folder / "report.html").as_uri()})
        yield opened
        opened.quit()
    finally:
        driver.terminate()
        driver.wait(timeout=20)


def test_loads_without_errors_and_fetches_nothing_but_itself(browser: Browser) -> None:
    assert [entry["message"] for entry in browser.post("/se/log", {"type": "browser"})] == []
    messages = [json.loads(entry["message"]) for entry in browser.post("/se/log", {"type": "performance"})]
    sent = [m["message"] for m in messages if m["message"]["method"] == "Network.requestWillBeSent"]
    ours = [m["params"] for m in sent if m["params"]["documentURL"].endswith("/report.html")]
    fetched = [params["request"]["url"] for params in ours]
    assert [url for url in fetched if not url.startswith("data:")] == [ours[0]["documentURL"]]
    assert browser.run("return [...document.images].every(i => i.complete && i.naturalWidth > 500)")


def test_tables_sort_by_number_both_ways(browser: Browser) -> None:
    column = """
        const table = document.querySelector('#differences table');
        const at = [...table.tHead.rows[0].cells].findIndex(c => c.textContent === 'Δ');
        table.tHead.rows[0].cells[at].querySelector('button').click();
        return [[...table.tBodies[0].rows].map(r => Number(r.cells[at].dataset.sort)),
                table.tHead.rows[0].cells[at].getAttribute('aria-sort')];
    """
    values, direction = browser.run(column)
    assert (values, direction) == (sorted(values), "ascending")
    values, direction = browser.run(column)
    assert (values, direction) == (sorted(values, reverse=True), "descending")


def test_entries_of_cells_open(browser: Browser) -> None:
    visible = """
        const cell = document.querySelector('#cells .cell');
        return [cell.checkVisibility(), cell.querySelector('table').checkVisibility()];
    """
    assert browser.run(visible) == [False, False]
    browser.run("document.querySelector('#cells .group > summary').click()")
    assert browser.run(visible) == [True, False]
    browser.run("document.querySelector('#cells .cell summary').click()")
    assert browser.run(visible) == [True, True]


def test_one_figure_can_be_chosen_and_all_come_back(browser: Browser) -> None:
    chosen = """
        const choice = document.getElementById('picture');
        choice.selectedIndex = arguments[0];
        choice.dispatchEvent(new Event('change'));
        return [...document.querySelectorAll('.picture')].filter(e => e.offsetHeight > 0).length;
    """
    n = browser.run("return document.querySelectorAll('.picture').length")
    assert n > 5
    assert (browser.run(chosen, 2), browser.run(chosen, 0)) == (1, n)


def test_a_tap_on_a_token_says_its_bits(browser: Browser) -> None:
    told = browser.run("""
        const token = document.querySelector('#examples .ren[title]');
        token.click();
        return [token.title, token.closest('article').querySelector('.told').textContent];
    """)
    assert told[0] in told[1]
    assert "→" in told[1]


def test_examples_open_and_show_both_sides(browser: Browser) -> None:
    shown = browser.run("""
        const closed = document.querySelectorAll('#examples details')[1];
        closed.querySelector('summary').click();
        return [...closed.querySelectorAll('article:first-of-type pre')].map(e => e.innerText);
    """)
    assert ["total = width" in text for text in shown] == [True, False]
    assert ["unused = 0" in text for text in shown] == [False, True]
    assert browser.run("return document.querySelectorAll('#examples .ins[title^=inserted]').length") > 0


def test_a_link_to_a_log_opens_it(browser: Browser) -> None:
    is_open = "return document.querySelector('#logs details').open"
    assert browser.run(is_open) is False
    browser.run("document.querySelector('#cells a').click()")
    time.sleep(0.3)
    assert browser.run(is_open) is True


def test_everything_that_is_used_has_a_name(browser: Browser) -> None:
    browser.run("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    nodes = browser.protocol("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in NAMED
    ]
    assert {role for role, _ in named} == NAMED
    assert [role for role, name in named if not name.strip()] == []
    browser.post("/refresh", {})
    assert browser.run("return document.documentElement.lang") == "en"


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_is_never_wider_than_the_window(browser: Browser, width: int) -> None:
    browser.post("/window/rect", {"width": width, "height": 900})
    too_wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.run(too_wide) <= 0


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_prints_to_a_pdf_with_what_belongs_on_paper(browser: Browser, tmp_path: Path) -> None:
    pdf = base64.b64decode(browser.protocol("Page.printToPDF", paperWidth=8.27, paperHeight=11.7)["data"])
    (tmp_path / "report.pdf").write_bytes(pdf)
    words = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    pages = words.rstrip("\f").split("\f")
    assert 5 <= len(pages) <= 25
    assert all(len(page.split()) > 20 for page in pages[:-1])
    for shown in (
        "Robustness: on rewritten text",
        "95 % interval",
        "How certain, and how robust",
        "@article{",
    ):
        assert shown in words
    assert "all figures" not in words
