"""Names are somebody else's text: they are shown, and nothing of them is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import HOSTILE, HOSTILE_COLUMN
from tests.browser.lineage.views import SHARED, address, canvas, card, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

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
    expect(page.locator("head script")).to_have_count(1)


def test_it_is_shown_as_it_is(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/dataset", id=ID))
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.get_by_role("rowheader", name=HOSTILE_COLUMN)).to_be_visible()
    expect(page.get_by_label("About the dataset")).to_contain_text(HOSTILE)
    page.get_by_role("rowheader", name=HOSTILE_COLUMN).get_by_role("link").click()
    expect(card(page, HOSTILE)).to_be_visible()
    expect(canvas(page).locator("li.row-chosen")).to_contain_text(HOSTILE_COLUMN)


@pytest.mark.parametrize(
    ("path", "refused"), [("/dataset", True), ("/graph", True), ("/run", True), ("/search", False)]
)
def test_what_an_address_says_stays_text(
    page: Page,
    watch: Watch,
    lineage: LiveServer,
    path: str,
    refused: bool,  # noqa: FBT001
) -> None:
    watch.expected += ["status of 404", "status of 422"]
    show(page, lineage.url + address(path, id=f"|{HOSTILE_COLUMN}", q=HOSTILE_COLUMN))
    expect(page.get_by_role("alert")).to_have_count(1 if refused else 0)
    if path != "/run":
        expect(page.get_by_role("main")).to_contain_text(HOSTILE_COLUMN)
    expect(page.locator("main img, main script")).to_have_count(0)
