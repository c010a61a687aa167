"""The page in Chromium: what only a browser can tell. Without one a skip, but in CI a failure.

Chromium is found by its name on the PATH, or named by the environment variable CHROMIUM. The page
is loaded few times: most tests share one, and each begins by undoing what was chosen.
"""

import contextlib
import csv
import functools
import http.server
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from math import log10
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from commands import PATIENCE, ROOT
from published import rows

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
LOOKS = (ROOT / "tests/page/looks.js").read_text(encoding="utf-8")
FINDINGS = {row["finding_id"]: row for row in rows("findings")}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Notes each violation of the policy from the start.
WATCH = """addEventListener("securitypolicyviolation", (event) => {
  (window.refused ??= []).push(event.violatedDirective);
});"""


class Shown:
    """The page in a tab, and what it said and asked for."""

    def __init__(self, browser: Browser, address: str, **options: object):
        settings = {"reduced_motion": "reduce", "viewport": DESKTOP, **options}
        context = browser.new_context(**settings)
        context.set_default_timeout(1000 * PATIENCE)
        self.tab: Page = context.new_page()
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda message: self.messages.append(message.text))
        self.tab.on("pageerror", lambda error: self.messages.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.add_init_script(WATCH)
        self.tab.goto(address)

    def look(self, name: str, argument: object = None) -> object:
        """What a function of looks.js finds."""
        return self.tab.evaluate(f"(argument) => ({LOOKS}).{name}(argument)", argument)

    def ids(self, selector: str) -> list[str]:
        """The ids of the elements that a selector finds."""
        return self.tab.eval_on_selector_all(selector, "all => all.map(each => each.id)")

    def choose(self, place: str, **values: str) -> None:
        """Choose values in the controls of a place."""
        for name, value in values.items():
            self.tab.locator(f"{place} [name={name}]").select_option(value)

    def open_all(self) -> None:
        """Open every group and every detail."""
        self.tab.locator("#unfold").click()
        self.tab.evaluate(
            "for (const each of document.querySelectorAll('details')) each.open = true"
        )

    def close(self) -> None:
        """Close the tab; nothing was said, refused or asked for but the page itself."""
        refused = self.tab.evaluate("window.refused ?? []")
        self.tab.context.close()
        assert (self.messages, refused) == ([], [])
        assert len({re.split("[?#]", address)[0] for address in self.requests}) == 1


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox"], timeout=1000 * PATIENCE
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, page: Path) -> Iterator[Shown]:
    """The page that most tests share; at the end it has asked for nothing, whatever was used."""
    shown = Shown(browser, page.as_uri())
    yield shown
    shown.close()


@pytest.fixture
def desktop(shared: Shown) -> Shown:
    """The shared page, with nothing chosen, folded as it is at first, on a desktop."""
    shared.tab.set_viewport_size(DESKTOP)
    shared.tab.locator("#reset").click()
    shared.tab.locator("#fold").click()
    return shared


def matching(**wanted: str) -> set[str]:
    """The findings with these values; `none` stands for an empty cell."""
    return {
        key
        for key, finding in FINDINGS.items()
        if all(finding[name] == value.replace("none", "") for name, value in wanted.items())
    }


# First, while nothing was touched.


def test_groups_fold(shared: Shown):
    """Catches a page that opens as one endless list, or opens what nobody asked for."""
    chosen = shared.tab.locator("#ask [name=feature_id]").input_value()
    unfolded = shared.ids("tbody[role=rowgroup]:not(.folded) .f")
    assert {FINDINGS[key]["feature_id"] for key in unfolded} == {chosen}
    folded = shared.ids("tbody.folded")
    button = shared.tab.locator(f"#{folded[0]} .name button")
    assert button.get_attribute("aria-expanded") == "false"
    button.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert shared.ids("tbody.folded") == folded[1:]


def test_marks_stand_where_the_figures_say(desktop: Shown):
    """Catches a mark beside its value: the axis is read from its own labels."""
    desktop.open_all()
    found = desktop.look("marks")
    drawn = {key for key, finding in FINDINGS.items() if finding["measure"] != "qualitative"}
    assert {each["id"] for each in found} == drawn
    (stated,) = (f for f in FINDINGS.values() if f["stance"] == "states" and f["value"])
    for each in found:
        finding, place = FINDINGS[each["id"]], scale(each["ticks"], each["isLog"])
        left, right = each["plot"]
        near = pytest.approx
        slack = 0.003 * (right - left) + 0.6
        if finding["value"]:
            assert each["mark"] == near(place(float(finding["value"])), abs=slack), each["id"]
        else:
            assert each["mark"] is None
        if finding["interval"]:
            ends = each["bar"] if finding["interval"] == "range" else each["line"]
            places = [place(float(finding[name])) for name in ("lower", "upper")]
            assert ends == near([min(max(x, left), right) for x in places], abs=slack), each["id"]
        if each["band"]:
            assert each["band"] == near([place(float(stated["value"])), right], abs=slack)


def scale(ticks: list[list[float]], is_log: bool) -> Callable[[float], float]:
    """Where a value is, by the first and the last label of an axis."""
    (low, start), (high, end) = ticks[0], ticks[-1]
    if is_log:
        return lambda value: start + (end - start) * log10(value / low) / log10(high / low)
    return lambda value: start + (end - start) * (value - low) / (high - low)


# What can be chosen.


@pytest.mark.parametrize(
    "choice",
    [
        {"condition_id": "mescc", "selection": "surgery"},
        {"condition_id": "none"},
        {"primary_tumor": "prostate_cancer"},
        {"timepoint": "at diagnosis", "selection": "center_series"},
    ],
    ids=str,
)
def test_filters(desktop: Shown, choice: dict[str, str]):
    """Catches a row that a filter hides or leaves wrongly, and a count that is not true."""
    desktop.choose("#filters", **choice)
    assert set(desktop.ids(".f:not([hidden])")) == matching(**choice)
    said = desktop.tab.locator("#count").inner_text()
    assert said == f"{len(matching(**choice))} of {len(FINDINGS)} findings shown"
    assert desktop.look("empty") == 0


def test_stances_words_and_order(desktop: Shown):
    """Catches a stance that stays, a word that only its accent finds, and a wrong order."""
    for stance in ("states", "supports", "extends", "qualifies"):
        desktop.tab.locator(f"#filters [value={stance}]").uncheck()
    left = matching(stance="contradicts") | matching(stance="none")
    assert set(desktop.ids(".f:not([hidden])")) == left
    desktop.tab.locator("#reset").click()
    desktop.tab.locator("#filters [name=q]").fill("WANMAN surgery")
    found = desktop.ids(".f:not([hidden])")
    assert {FINDINGS[key]["citation_id"] for key in found} == {"wanman-2017"}
    desktop.tab.locator("#reset").click()
    keys = {
        "value": lambda f: float(f["value"] or f["upper"]),
        "year": lambda f: int(re.search(r"\d{4}", f["citation_id"])[0]),
        "total": lambda f: int(f["n_total"] or 0),
    }
    for order, key in keys.items():
        desktop.choose("#filters", order=order)
        for ids in desktop.look("groups"):
            values = [key(FINDINGS[each]) for each in ids]
            assert values == sorted(values, reverse=True), order


def test_claims_can_be_filtered(desktop: Shown):
    """Catches a contradicted claim that is hidden, and a link to a hidden one in vain."""
    desktop.tab.locator("#claimfilter [value=contradicts]").check()
    contradicted = {f["statement_id"] for f in FINDINGS.values() if f["stance"] == "contradicts"}
    assert set(desktop.ids(".claim:not([hidden])")) == contradicted
    other = next(key for key in desktop.ids(".claim") if key not in contradicted)
    desktop.tab.evaluate(f"location.hash = '{other}'")
    desktop.tab.locator(f"#{other}:visible").wait_for()


def test_state_is_in_the_address(browser: Browser, page: Path):
    """Catches a choice that a reload loses, and a link to a hidden row that shows nothing."""
    query = "?stance=contradicts,extends&condition_id=mescc&q=levack&ask_feature_id=paralysis"
    shown = Shown(browser, page.as_uri() + query)
    stances = matching(stance="contradicts") | matching(stance="extends")
    papers = matching(citation_id="levack-2002")
    expected = stances & papers & matching(condition_id="mescc")
    assert set(shown.ids(".f:not([hidden])")) == expected
    assert shown.tab.locator("#ask [name=feature_id]").input_value() == "paralysis"
    shown.tab.locator("#filters [value=contradicts]").uncheck()
    shown.tab.wait_for_url(re.compile("[?&]stance=extends&"))
    assert "ask_feature_id=paralysis" in shown.tab.url
    hidden = next(key for key in FINDINGS if key not in expected)
    shown.tab.evaluate(f"location.hash = '{hidden}'")
    shown.tab.locator(f"#{hidden} .sum").wait_for()
    shown.close()


# The answer.


def in_pandas(code: str, folder: Path) -> set[str]:
    """The ids that the three lines of pandas print."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"(?m)^\d+ +(f\d{3})\b", done.stdout))


def in_sql(query: str, folder: Path) -> set[str]:
    """The ids that the query finds in the database of the release."""
    with contextlib.closing(sqlite3.connect(folder / "spinal-metastases.sqlite")) as connection:
        return {row[0] for row in connection.execute(query)}


@pytest.mark.parametrize(
    "choice",
    [
        {"feature_id": "back_pain", "condition_id": "", "selection": ""},
        {"feature_id": "hypercalcemia", "condition_id": "none", "selection": "cancer_patients"},
        {"feature_id": "back_pain", "condition_id": "mescc", "selection": "animal"},
    ],
    ids=str,
)
def test_answer(desktop: Shown, unpacked: Path, choice: dict[str, str]):
    """Catches a sentence that the tables do not bear out, and code that finds other rows."""
    desktop.choose("#ask", **choice)
    ids = matching(**{name: value for name, value in choice.items() if value})
    links = desktop.tab.eval_on_selector_all("#rows a", "all => all.map(each => each.hash)")
    assert {link[1:] for link in links} == ids
    said = desktop.tab.locator("#said").inner_text()
    if not ids:
        assert said.startswith("No finding is recorded")
        return
    shares = [FINDINGS[key] for key in ids if "percentage" in FINDINGS[key]["measure"]]
    papers = {finding["citation_id"] for finding in shares}
    assert said.startswith(f"{len(papers)} papers, {len(shares)} figures: share of patients from ")
    ends = [(float(f["value"] or f["lower"]), float(f["value"] or f["upper"])) for f in shares]
    figures = desktop.tab.locator("#said b").all_inner_texts()[1:]
    found = [float(figure.strip("<>≤≥%")) for figure in figures]
    assert found == [min(low for low, _ in ends), max(high for _, high in ends)]
    selections = {finding["selection"] for finding in shares}
    assert desktop.tab.locator("#by tbody tr").count() == len(selections)
    assert desktop.tab.locator("#by tbody .m > *").count() == len(shares)
    pandas, sql = (desktop.tab.locator(each).text_content() for each in ("#pandas", "#sql"))
    assert len(pandas.splitlines()) == len(sql.splitlines()) == 3
    assert in_pandas(pandas, unpacked) == ids
    assert in_sql(sql, unpacked) == ids


# Tables.


def downloaded(shown: Shown, selector: str) -> tuple[str, bytes]:
    """The name and the content of what a click downloads."""
    with shown.tab.expect_download() as download:
        shown.tab.locator(selector).first.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_tables_sort_search_and_download(desktop: Shown):
    """Catches numbers sorted as text, an accent that hides a row, a file that is not the table."""
    flat = desktop.tab.locator(".flat").first
    raw = (ROOT / "data/findings.csv").read_bytes()
    assert downloaded(desktop, "#tables .tools button") == ("findings.csv", raw)
    totals = flat.locator("thead th").nth(7)
    for direction in ("ascending", "descending"):
        totals.locator("button").click()
        assert totals.get_attribute("aria-sort") == direction
        texts = flat.locator("tbody tr td:nth-child(8)").all_text_contents()
        numbers = [int(text) for text in texts if text]
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert not any(texts[len(numbers) :])
    flat.locator("thead th button").first.click()
    assert flat.locator("[aria-sort]").count() == 1
    desktop.tab.locator("#tables input").first.fill("wanman")
    _, part = downloaded(desktop, "#tables .tools button")
    found = list(csv.DictReader(io.StringIO(part.decode())))
    assert found == [row for row in rows("findings") if row["citation_id"] == "wanman-2017"]
    assert desktop.tab.locator("#tables output").first.inner_text().startswith(f"{len(found)} of")
    desktop.tab.locator("#tables input").first.fill("")
    name, papers = downloaded(desktop, "a[download]")
    assert (name, papers.count(b"@article")) == ("citations.bib", len(rows("citations")))


# Everybody.


def test_keyboard(desktop: Shown):
    """Catches a control that only a mouse reaches, a focus that nobody sees, a small target."""
    count, unreachable = desktop.look("unreachable")
    assert count > 300
    assert unreachable == []
    assert desktop.look("small") == []
    desktop.tab.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(20):
        desktop.tab.keyboard.press("Tab")
        where, seen = desktop.look("focus")
        assert seen, where


def test_tip(desktop: Shown):
    """Catches a tip that stays in the way, or says another row."""
    desktop.tab.locator("#unfold").click()
    desktop.tab.locator("#f002 td.plot").hover(position={"x": 30, "y": 12})
    tip = desktop.tab.locator("#tip")
    assert FINDINGS["f002"]["summary"] in tip.inner_text()
    desktop.tab.keyboard.press("Escape")
    assert not tip.is_visible()


def test_print_forced_colors_and_motion(desktop: Shown):
    """Catches a print without rows or warning, and signs that vanish with forced colors."""
    tab = desktop.tab
    tab.emulate_media(media="print")
    assert tab.locator(".warn").is_visible()
    assert tab.locator("tr.f:visible").count() == tab.locator("tr.f").count()
    for gone in (".bar", "#filterbox", "#answer", "#theme", "#tables"):
        assert not tab.locator(gone).is_visible()
    tab.emulate_media(media="screen", forced_colors="active")
    adjusted = "getComputedStyle(document.querySelector('#f002 .plot use')).forcedColorAdjust"
    assert tab.evaluate(adjusted) == "none"
    tab.emulate_media(forced_colors="none", reduced_motion="no-preference")
    behavior = "getComputedStyle(document.documentElement).scrollBehavior"
    assert tab.evaluate(behavior) == "smooth"
    tab.emulate_media(reduced_motion="reduce")
    assert tab.evaluate(behavior) == "auto"


def test_tables_stay_tables_on_a_phone(desktop: Shown):
    """Catches a layout that takes rows and heads away from a screen reader."""
    desktop.tab.locator("#unfold").click()
    client = desktop.tab.context.new_cdp_session(desktop.tab)
    root = client.send("DOM.getDocument")["root"]["nodeId"]
    counts = []
    for size in (DESKTOP, PHONE):
        desktop.tab.set_viewport_size(size)
        found = [
            client.send("Accessibility.queryAXTree", {"nodeId": root, "role": role})["nodes"]
            for role in ("table", "row", "rowheader")
        ]
        counts.append([sum(not node["ignored"] for node in nodes) for nodes in found])
    assert counts[0] == counts[1]
    assert counts[0][2] >= len(FINDINGS)


def test_axe(browser: Browser, page: Path, node_of_the_page: Path):
    """Catches what keeps somebody from reading: axe-core, everything open, in four settings.

    Every kind of row is there, but not each of hundreds that are alike.
    """
    shown = Shown(browser, page.as_uri())
    shown.choose("#filters", selection="radiotherapy")
    shown.tab.locator("#claimfilter [value=contradicts]").check()
    for search in shown.tab.locator(".tools input").all():
        search.fill("back pain", force=True)
    shown.open_all()
    shown.look("prune")
    axe = node_of_the_page / "node_modules/axe-core/axe.min.js"
    # By way of the debugger, which no policy binds; the rest keeps it from returning all of axe.
    shown.tab.evaluate(axe.read_text(encoding="utf-8") + ";0")
    for size in (DESKTOP, PHONE):
        for scheme in ("light", "dark"):
            shown.tab.set_viewport_size(size)
            shown.tab.emulate_media(color_scheme=scheme)
            assert shown.look("violations", RULES) == [], (size, scheme)
    shown.tab.context.close()


def test_injected_code_does_not_run_and_wide_text_fits(browser: Browser, page: Path):
    """Catches a policy that lets a handler or a style through, and text that has no room."""
    shown = Shown(browser, page.as_uri(), viewport={"width": 320, "height": 640})
    shown.open_all()
    assert shown.look("beyond") == []
    assert shown.tab.evaluate("document.documentElement.scrollWidth") <= 320
    shown.look("spread")
    assert shown.look("beyond") == []
    shown.look("inject")
    shown.tab.wait_for_function("(window.refused ?? []).length >= 3")
    assert shown.tab.evaluate("window.ran") is None
    position = "getComputedStyle(document.querySelector('#styled')).position"
    assert shown.tab.evaluate(position) == "static"
    shown.tab.context.close()


def test_without_script(browser: Browser, page: Path):
    """Catches a page that is empty, or shows controls that do nothing, where scripts are off."""
    shown = Shown(browser, page.as_uri(), java_script_enabled=False)
    assert shown.tab.locator("button:visible, select:visible, input:visible").count() == 0
    assert shown.tab.locator(".f:visible").count() == len(FINDINGS)
    shown.tab.locator("#f002 summary").click()
    assert shown.tab.locator("#f002 .sum").is_visible()
    shown.tab.context.close()


def test_from_a_server(browser: Browser, page: Path):
    """Catches a request, such as one for an icon, that a file of its own does not make."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(page.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        shown = Shown(browser, f"http://127.0.0.1:{server.server_port}/{page.name}")
        shown.tab.locator("#said b").first.wait_for()
        shown.tab.locator("#theme").click()
        shown.close()
        server.shutdown()
