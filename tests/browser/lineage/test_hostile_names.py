"""Names are somebody else's text: they are shown, and nothing of them is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import HOSTILE, HOSTILE_COLUMN
from tests.browser.lineage.views import SHARED, address, canvas, card, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.lineage.server.live_server import LiveServer

pytestmark = pytest.mark.browser

ID = f"kafka://broker:9092|{HOSTILE}"
PAGES = {
    "home": "/",
    "graph": address("/graph", id=ID),
    "its-source": address("/graph", id=SHARED, dataset=SHARED, column="email"),
    "whole-graph": "/graph",
    "dataset": address("/dataset", id=ID),
    "search": address("/search", q="<script"),
    "no-such": address("/search", q=HOSTILE_COLUMN),
}


@pytest.mark.parametrize("where", PAGES)
def test_a_name_stays_text(page: Page, lineage: LiveServer, where: str) -> None:
    show(page, lineage.url + PAGES[where])

    expect(page.get_by_role("main")).to_contain_text("alert(")
    expect(page.locator("main script, main img, main iframe, main [onerror]")).to_have_count(0)
    assert "alert(" not in (page.locator("head").inner_html())


def test_it_is_shown_as_it_is(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/dataset", id=ID))
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.get_by_role("rowheader", name=HOSTILE_COLUMN)).to_be_visible()
    expect(page.get_by_label("About the dataset")).to_contain_text(HOSTILE)
    page.get_by_role("rowheader", name=HOSTILE_COLUMN).get_by_role("link").click()
    expect(card(page, HOSTILE)).to_be_visible()
    expect(canvas(page).locator("li.row-chosen")).to_contain_text(HOSTILE_COLUMN)


@pytest.mark.parametrize("path", ["/dataset", "/graph", "/run", "/search", "/pii"])
def test_what_an_address_says_stays_text(page: Page, lineage: LiveServer, path: str) -> None:
    page.goto(lineage.url + address("/search", q=HOSTILE_COLUMN + path))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Search: {HOSTILE_COLUMN}{path}")
    expect(page.locator("main img")).to_have_count(0)
