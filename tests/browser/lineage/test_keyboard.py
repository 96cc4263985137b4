"""The graph without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.views import SILVER, address, card, column, show

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

MOST_TABS = 80


def tab_to(page: Page, wanted: Locator) -> None:
    """Presses Tab until `wanted` has the focus."""
    target = wanted.element_handle()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("target => document.activeElement === target", target):
            return
    pytest.fail(f"{MOST_TABS} times Tab do not lead to {wanted}")


def test_a_card_is_reached_with_tab_and_expanded_with_enter(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    more = card(page, "bronze.bookings").get_by_role("button", name="Show 1 more source of")
    tab_to(page, more)
    outline = more.evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline != "none", "one sees where the focus is"

    page.keyboard.press("Enter")

    expect(card(page, "landing.bookings")).to_be_visible()


def test_a_column_is_chosen_with_the_keyboard(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    email = column(page, "silver.bookings", "email")
    tab_to(page, email)

    page.keyboard.press("Enter")

    expect(email).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("complementary", name="Chosen column")).to_be_visible()
    expect(email).to_be_focused()


def test_the_first_tab_offers_to_skip_to_the_content(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_the_time_is_moved_with_arrow_keys(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    slider = page.get_by_role("slider", name="As of")
    tab_to(page, slider)
    expect(slider).to_have_attribute("aria-valuetext", "now")
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "2026-01-02 01:00:00 UTC")
    page.wait_for_url("**at=2026-01-02T01%3A00*")
