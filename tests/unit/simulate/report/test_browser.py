"""The page in a browser: drawn, answering, quiet, and readable in the hand and in the dark."""

import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.simulate.report.pages import HOSTILE, WARNING, report

from revops.adapters.strangers import plain
from revops.simulate.report.blocks import (
    Band,
    Cell,
    Column,
    Lines,
    Row,
    Section,
    Spread,
    Spreads,
    Table,
)
from revops.simulate.report.document import document

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)
if CHROMIUM is None:
    pytest.skip(
        f"this needs a browser on the PATH: {' or '.join(PROGRAMS)}", allow_module_level=True
    )
if importlib.util.find_spec("playwright") is None:
    pytest.skip("this needs playwright, of the extra `dev`", allow_module_level=True)

from playwright.sync_api import (  # noqa: E402 -- only where it is installed
    Browser,
    Locator,
    Page,
    sync_playwright,
)

WIDE, PHONE = (1280, 900), (360, 740)
# In milliseconds: a slow machine is no failure of a page.
PATIENCE = 300_000
# What the guidelines for accessible pages ask of text.
LEAST_CONTRAST = 4.5


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(name="file", scope="module")
def _file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report(HOSTILE, other=True), encoding="utf-8")
    return file


class Looked:
    """
    A page that somebody looks at.

    Attributes:
        said: Whatever the browser had to complain about.
        asked: Everything that was fetched.
    """

    def __init__(self, browser: Browser, file: Path, size: tuple[int, int], scheme: str) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
        )
        self.page.set_default_timeout(PATIENCE)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._closed)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def _closed(self, dialog: Any) -> None:
        self.said.append(dialog.message)
        dialog.dismiss()

    def eventually(self, true: Callable[[], bool]) -> bool:
        """
        Say whether something becomes true after a while.
        """
        return any(true() or self.page.wait_for_timeout(50) for _ in range(1000))

    def table(self, title: str) -> Locator:
        """
        Return the table of that *title* with its tools.
        """
        return self.page.locator(".table").filter(
            has=self.page.get_by_role("heading", name=title, exact=True)
        )


@pytest.fixture(name="looked")
def _looked(browser: Browser, file: Path) -> Iterator[Looked]:
    looked = Looked(browser, file, WIDE, "light")
    yield looked
    looked.page.close()


def names(table: Locator) -> list[str]:
    return table.locator("tbody tr:not(.details) td:first-child bdi:first-child").all_inner_texts()


def fees(table: Locator) -> list[str]:
    return table.locator("tbody tr td:nth-child(2) bdi").all_inner_texts()


def test_every_chart_is_drawn(looked: Looked) -> None:
    """
    Lines with bands, distributions with a point for each future.
    """
    page = looked.page

    assert page.locator(".plot").count() == 5
    assert page.locator(".drawn.lines .scatterlayer .js-line").count() == 3 * 3
    assert page.locator(".chooser .scatterlayer .js-line").count() == 2 * 3 * 3
    assert page.locator(".drawn.lines .scatterlayer .js-fill").count() == 3
    assert page.locator(".drawn.spreads path.violin").count() == 3 + 2
    assert page.locator(".drawn.spreads path.point").count() == (3 + 2) * 8


def test_it_works_without_a_word_and_without_a_network(looked: Looked) -> None:
    """
    The browser complains of nothing, and nothing is fetched but the page.
    """
    looked.table("Every channel").locator(".opener").first.click()
    looked.page.get_by_role("button", name="next", exact=True).click()

    assert looked.said == []
    assert [url for url in looked.asked if not url.startswith("data:")] == [looked.page.url]


def test_what_strangers_call_themselves_is_text(looked: Looked) -> None:
    """
    Each name is read as it was written, in the table, the chooser and the warning, and no element
    came of it.
    """
    shown = names(looked.table("Every channel"))
    chooser = " ".join(looked.page.locator("select option").all_inner_texts())

    for alias in HOSTILE:
        assert plain(alias) in shown
        assert " ".join(plain(alias).split()) in chooser
    assert looked.page.get_by_text(WARNING, exact=True).is_visible()
    assert looked.page.locator("img, i, b, [onerror], [onmouseover]").count() == 0
    assert looked.page.locator("script").count() == 3
    assert looked.said == []


def test_names_in_charts_are_text(browser: Browser, tmp_path: Path) -> None:
    """
    What a chart's library would take for markup is read letter by letter.
    """
    name = "<b>bold</b> & <a href='https://example.com'>link</a>"
    band = Band(name=name, low=(1, 1), middle=(2, 2), high=(3, 3))
    lines = Lines(title=name, x_title=name, y_title=name, x=(0, 1), bands=(band,))
    spreads = Spreads(title=name, x_title=name, spreads=(Spread(name=name, values=(1, 2)),))
    file = tmp_path / "names.html"
    sections = [Section(title="s", blocks=(lines, spreads))]
    file.write_text(document("names", [], sections), encoding="utf-8")
    looked = Looked(browser, file, WIDE, "light")

    told = looked.page.locator("svg text").all_text_contents()
    assert told.count(name) == 5
    assert looked.page.locator("svg a").count() == 0
    assert looked.said == []
    looked.page.close()


def test_the_filter_leaves_what_has_all_words(looked: Looked) -> None:
    """
    Words in any order and case, of names, ids and reasons; emptied, all is there again.
    """
    table = looked.table("Every channel")
    field = table.get_by_label("filter")

    field.fill("drained")
    assert names(table) == ["The Drained Well"]
    assert table.get_by_role("status").inner_text() == "1 of 40"
    field.fill("WELL 851370X470x1")
    assert names(table) == ["The Drained Well"]
    field.fill("<script>")
    assert "<script>alert(1)</script>" in names(table)
    field.fill("no such channel")
    assert names(table) == []
    assert table.get_by_role("status").inner_text() == "none of them"
    field.fill("")
    assert len(names(table)) == 40


def test_the_switch_leaves_what_changes(looked: Looked) -> None:
    """
    What stays as it is goes out of sight.
    """
    table = looked.table("Every channel")
    before = len(names(table))

    table.get_by_label("only what changes").check()

    assert 0 < len(names(table)) < before
    assert all("→" in fee or "→" in other for fee, other in zip(*both(table), strict=True))


def both(table: Locator) -> tuple[list[str], list[str]]:
    others = table.locator("tbody tr td:nth-child(3) bdi").all_inner_texts()
    return fees(table), others


def test_a_click_on_a_heading_sorts(looked: Looked) -> None:
    """
    Once upwards, twice downwards, by what the numbers are and not how they are spelled.
    """
    table = looked.table("Every channel")
    head = table.get_by_role("columnheader", name="capacity, sat")
    button = head.get_by_role("button")

    def sizes() -> list[int]:
        cells = table.locator("tbody td:last-child").all_inner_texts()
        return [int(cell.replace(",", "")) for cell in cells]

    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert sizes() == sorted(sizes())
    button.click()
    assert head.get_attribute("aria-sort") == "descending"
    assert sizes() == sorted(sizes(), reverse=True)
    assert table.locator("th[aria-sort]").count() == 1


def test_numbers_are_sorted_as_numbers(browser: Browser, tmp_path: Path) -> None:
    """
    What begins with a number is sorted by it, and where there is none comes last both ways.
    """
    texts = ("1,000", "-", "56.6 (44 to 63)", "-3", "+864 (1 to 2)", "")
    rows = tuple(Row(cells=(Cell(text=f"row {n}"), Cell(text=t))) for n, t in enumerate(texts))
    columns = (Column(title="name"), Column(title="sat", number=True))
    sections = [Section(title="s", blocks=(Table(title="T", columns=columns, rows=rows),))]
    file = tmp_path / "numbers.html"
    file.write_text(document("numbers", [], sections), encoding="utf-8")
    looked = Looked(browser, file, WIDE, "light")
    table = looked.table("T")
    button = table.get_by_role("columnheader", name="sat").get_by_role("button")

    button.click()
    assert fees(table) == ["-3", "56.6 (44 to 63)", "+864 (1 to 2)", "1,000", "-", ""]
    button.click()
    assert fees(table) == ["1,000", "+864 (1 to 2)", "56.6 (44 to 63)", "-3", "-", ""]
    looked.page.close()


def test_a_row_opens_by_keyboard(looked: Looked) -> None:
    """
    Enter on a name shows each step of the decision, and hides it again.
    """
    table = looked.table("Every channel")
    table.get_by_label("filter").fill("drained")
    opener = table.locator(".opener")
    opener.focus()

    looked.page.keyboard.press("Enter")
    assert opener.get_attribute("aria-expanded") == "true"
    steps = table.locator(".trail").first.locator("li code").all_inner_texts()
    assert len(steps) > 2
    assert steps[0] == "bounds"
    looked.page.keyboard.press("Enter")
    assert opener.get_attribute("aria-expanded") == "false"
    assert table.locator(".trail").count() == 0


def test_another_channel_has_other_charts(looked: Looked) -> None:
    """
    By choosing, by turning to the next, or from the table: fee and balance are drawn anew.
    """
    page = looked.page
    chosen = page.get_by_label("channel", exact=True)

    def curves() -> list[list[int]]:
        plots = page.locator(".chooser .plot")
        return plots.evaluate_all("plots => plots.flatMap((plot) => plot.data.map((t) => t.y))")

    first = curves()
    page.get_by_role("button", name="next", exact=True).click()
    second = curves()
    assert second != first
    chosen.select_option(index=0)
    assert curves() == first
    table = looked.table("Every channel")
    table.get_by_label("filter").fill("drained")
    table.locator(".opener").click()
    table.get_by_role("button", name="show it over time").click()
    assert chosen.input_value() == "851370x470x1"
    assert "9,000,000 sat" in page.locator(".chooser .facts").inner_text()
    assert looked.said == []


def test_a_phone_shows_it_without_going_sideways(browser: Browser, file: Path) -> None:
    """
    At 360 pixels nothing sticks out, an opened row neither.
    """
    looked = Looked(browser, file, PHONE, "light")
    looked.table("Every channel").locator(".opener").first.click()

    outside = looked.page.evaluate("""() => [...document.querySelectorAll("body *")]
        .filter((e) => e.getBoundingClientRect().right > innerWidth && !e.closest("svg"))
        .map((e) => e.outerHTML.slice(0, 80))""")
    assert outside == []
    assert looked.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert looked.said == []
    looked.page.close()


def test_charts_are_as_wide_as_there_is_room(looked: Looked) -> None:
    """
    A window that changes its size has its charts changed.
    """
    plot = looked.page.locator(".drawn.lines .plot svg.main-svg").first
    before = plot.bounding_box()["width"]

    looked.page.set_viewport_size({"width": 500, "height": 800})
    assert looked.eventually(lambda: plot.bounding_box()["width"] < before / 2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser: Browser, file: Path, scheme: str) -> None:
    """
    In the light and in the dark, every text has the contrast that readable text needs, those of
    charts included.
    """
    looked = Looked(browser, file, WIDE, scheme)
    looked.table("Every channel").locator(".opener").first.click()
    pairs = looked.page.evaluate(COLOURS)

    assert len({ink for ink, _, _ in pairs}) > 4
    faint = [pair for pair in pairs if contrast(pair[0], pair[1]) < LEAST_CONTRAST]
    assert faint == []
    looked.page.close()


# Of each element with words of its own: their colour, the ground they stand on, the words.
COLOURS = """() => {
  const found = [];
  const behind = (element) => getComputedStyle(element).backgroundColor;
  const shown = "body *:not(script, noscript, option)";
  for (const element of document.querySelectorAll(shown)) {
    const texts = [...element.childNodes].filter((node) => node.nodeType === 3);
    const words = texts.map((text) => text.data).join("").trim();
    if (!words || !element.getClientRects().length || element.disabled) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    let ground = element;
    while (behind(ground) === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
    found.push([ink, behind(ground), words.slice(0, 40)]);
  }
  return found;
}"""


def contrast(ink: str, ground: str) -> float:
    lighter, darker = sorted(map(luminance, (ink, ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_charts_follow_the_light(looked: Looked) -> None:
    """
    When the room goes dark, lines and words of charts change with the page.
    """

    def inks() -> list[str]:
        return looked.page.evaluate("""() => [".js-line", ".xtick text"].map((what) => {
            const all = [...document.querySelectorAll(".drawn.lines " + what)];
            const style = getComputedStyle(all.pop());
            return style.stroke + style.fill;
        })""")

    light = inks()
    looked.page.emulate_media(color_scheme="dark")

    assert looked.eventually(lambda: all(map(str.__ne__, light, inks())))


def test_a_thousand_rows_are_turned_by_pages(browser: Browser, tmp_path: Path) -> None:
    """
    Only a page of a long table is drawn, and the filter looks at all of it.
    """
    rows = tuple(
        Row(cells=(Cell(text=f"channel {n}"), Cell(text=f"{n}", by=n))) for n in range(1000)
    )
    columns = (Column(title="name"), Column(title="ppm", number=True))
    table = Table(title="Long", columns=columns, rows=rows)
    file = tmp_path / "long.html"
    file.write_text(document("long", [], [Section(title="s", blocks=(table,))]), encoding="utf-8")
    looked = Looked(browser, file, WIDE, "light")
    long = looked.table("Long")

    assert long.get_by_role("status").inner_text() == "1 to 50 of 1000"
    assert long.locator("tbody tr").count() == 50
    assert long.get_by_role("button", name="previous page").is_disabled()
    long.get_by_role("button", name="next page").click()
    assert names(long)[0] == "channel 50"
    long.get_by_label("filter").fill("channel 999")
    assert names(long) == ["channel 999"]
    assert not long.get_by_role("button", name="next page").is_visible()
    looked.page.close()
