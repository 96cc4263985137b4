"""Search: by dataset, column, personal data, owner and run; and the key that leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import OWNER, SILVER_RUNS
from tests.browser.lineage.views import address, settled, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("text", "kind", "found", "opens"),
    [
        ("punctuality", "Datasets", "gold.daily_punctuality", "gold.daily_punctuality"),
        ("delayed_share", "Columns", "delayed_share", "gold.daily_punctuality"),
        ("PHONE", "Tags", "PHONE", "bronze.bookings"),
        ("bookings team", "Owners", OWNER, "silver.bookings"),
        (SILVER_RUNS[2], "Runs", SILVER_RUNS[2], "silver.bookings, 2013-02-08"),
    ],
)
def test_what_is_searched_for_is_found_and_opens(
    page: Page, lineage: LiveServer, text: str, kind: str, found: str, opens: str
) -> None:
    show(page, lineage.url)
    box = page.get_by_role("searchbox")
    box.fill(text)
    box.press("Enter")

    results = page.get_by_role("region", name=kind)
    results.get_by_role("link", name=found, exact=True).first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text(opens)


def test_a_slash_leads_to_the_search_and_is_not_written_into_it(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url)
    box = page.get_by_role("searchbox")
    expect(box).not_to_be_focused()

    page.keyboard.press("/")

    expect(box).to_be_focused()
    expect(box).to_have_value("")
    page.keyboard.type("a/b")
    expect(box).to_have_value("a/b")


def test_what_is_not_there_is_said_to_be_not_there(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/search", q="no such thing"))
    expect(page.get_by_text("Nothing is called “no such thing”.")).to_be_visible()


def test_the_address_without_a_text_asks_for_one(page: Page, lineage: LiveServer) -> None:
    show(page, f"{lineage.url}/search")
    page.get_by_label("What to search for").fill("contacts")
    page.get_by_role("button", name="Search").click()
    settled(page)
    expect(page.get_by_role("region", name="Datasets")).to_contain_text("gold.contacts")
