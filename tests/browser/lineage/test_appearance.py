"""Dark and light, narrow screens and paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.views import SILVER, VIEWS, address, show

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

WIDER_THAN_THE_SCREEN = """() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  const names = [...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
    .filter((one) => !one.closest(".table-scroll, .canvas, pre"))
    .map((one) => `${one.tagName} ${one.className}`);
  return wide > 0 ? [wide, names.slice(0, 5)] : null;
}"""


def lightness(page: Page, selector: str, of: str) -> float:
    """How light a colour of an element is, 0 to 1."""
    parts: list[int] = page.locator(selector).first.evaluate(
        """(one, of) => {
          const pixel = document.createElement("canvas").getContext("2d");
          pixel.fillStyle = getComputedStyle(one)[of];
          pixel.fillRect(0, 0, 1, 1);
          return [...pixel.getImageData(0, 0, 1, 1).data];
        }""",
        of,
    )
    return sum(parts[:3]) / 765


def test_the_colours_are_the_systems_until_others_are_chosen(
    page: Page, lineage: LiveServer
) -> None:
    page.emulate_media(color_scheme="dark")
    show(page, lineage.url)
    assert lightness(page, "body", "backgroundColor") < 0.3
    assert lightness(page, "h1", "color") > 0.7
    page.emulate_media(color_scheme="light")
    assert lightness(page, "body", "backgroundColor") > 0.8
    assert lightness(page, "h1", "color") < 0.3

    page.get_by_label("Colours").select_option("dark")
    assert lightness(page, "body", "backgroundColor") < 0.3
    page.reload()
    expect(page.get_by_label("Colours")).to_have_value("dark")
    assert lightness(page, "body", "backgroundColor") < 0.3


def test_the_canvas_too_is_dark(page: Page, lineage: LiveServer, screenshots: Path) -> None:
    page.emulate_media(color_scheme="dark")
    show(page, lineage.url + VIEWS["graph"])
    assert lightness(page, ".card", "backgroundColor") < 0.3
    assert lightness(page, ".card .row-name", "color") > 0.5
    page.screenshot(path=screenshots / "lineage-graph-dark.png")


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_a_telephone(page: Page, lineage: LiveServer, view: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, lineage.url + VIEWS[view])
    assert page.evaluate(WIDER_THAN_THE_SCREEN) is None


def test_on_paper_there_is_what_is_read_and_not_what_is_pressed(
    page: Page, lineage: LiveServer, screenshots: Path
) -> None:
    page.emulate_media(color_scheme="dark")
    show(page, lineage.url + address("/dataset", id=SILVER))

    page.emulate_media(media="print", color_scheme="dark")

    assert lightness(page, "h1", "color") < 0.3, "dark on white, whatever the screen has"
    for hidden in ("Pages", "On this page"):
        expect(page.get_by_role("navigation", name=hidden, include_hidden=True)).to_have_count(1)
    for selector in (".top nav", ".search-box", ".theme", ".actions", ".contents"):
        expect(page.locator(selector)).to_be_hidden()
    expect(page.get_by_role("heading", name="silver.bookings", level=1)).to_be_visible()
    expect(page.get_by_role("table", name="Columns of silver.bookings")).to_be_visible()
    cut = page.locator(".table-scroll").evaluate_all(
        "all => all.filter(one => getComputedStyle(one).overflowX !== 'visible').length"
    )
    assert cut == 0, "no table scrolls on paper"
    paper = page.pdf(path=screenshots / "lineage-dataset.pdf", format="A4")
    assert paper.startswith(b"%PDF")
