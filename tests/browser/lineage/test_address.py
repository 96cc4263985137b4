"""What is shown is in the address: copied into another window, it shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import id_of
from tests.browser.lineage.views import (
    SILVER,
    VIEWS,
    address,
    canvas,
    card,
    column,
    expect_cards,
    settled,
    show,
)
from tests.patience import PAGE_MILLISECONDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser


def test_a_graph_put_together_by_hand_is_the_same_in_another_window(
    page: Page, browser: Browser, watch: Watch, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    card(page, "bronze.bookings").get_by_role("button", name="Show 1 more source of").click()
    expect(card(page, "landing.bookings")).to_be_visible()
    column(page, "silver.bookings", "email").click()
    panel = page.get_by_role("complementary", name="Chosen column")
    panel.get_by_label("Path to another column").select_option("landing.bookings.email")
    expect(panel.get_by_role("heading", name="Path: 2 steps")).to_be_visible()
    page.get_by_label("Group by").select_option("namespace")
    page.get_by_label("Indirect influence").uncheck()
    settled(page)
    shown = {f"{layer}.bookings" for layer in ("landing", "bronze", "silver", "shared")}
    shown.add("gold.contacts")
    expect_cards(page, shown)

    other = browser.new_page(viewport={"width": 1600, "height": 1000})
    other.set_default_timeout(PAGE_MILLISECONDS)
    watch.over(other)
    show(other, page.url)

    expect_cards(other, shown)
    copy = other.get_by_role("complementary", name="Chosen column")
    expect(copy).to_have_text(panel.text_content() or "")
    expect(other.get_by_label("Group by")).to_have_value("namespace")
    expect(other.get_by_label("Indirect influence")).not_to_be_checked()
    for each in (page, other):
        expect(canvas(each).locator("g.line-strong")).to_have_count(2)
    other.close()


def test_every_view_is_the_same_when_its_address_is_opened_again(
    page: Page, lineage: LiveServer
) -> None:
    for name, path in VIEWS.items():
        show(page, lineage.url + path)
        said = page.get_by_role("main").text_content() or ""
        assert len(said) > 100, name

        page.reload()
        settled(page)

        expect(page.get_by_role("main")).to_have_text(said)


def test_a_dataset_is_found_by_its_other_name(page: Page, lineage: LiveServer) -> None:
    page.goto(lineage.url + address("/graph", id="penstock|silver.bookings"))
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Graph of silver.bookings")
    expect(card(page, "shared.bookings")).to_be_visible()
    show(page, lineage.url + address("/dataset", id="penstock|silver.bookings"))
    expect(page.get_by_role("heading", level=1)).to_have_text("silver.bookings")


def test_the_way_back_leads_through_what_was_chosen(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    column(page, "silver.bookings", "email").click()
    expect(page.get_by_role("complementary", name="Chosen column")).to_be_visible()
    card(page, "shared.bookings").get_by_role("button", name="Put shared.bookings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Graph of shared.bookings")
    assert id_of("shared.bookings").replace("|", "%7C").replace("/", "%2F") in page.url

    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Graph of silver.bookings")
    expect(page.get_by_role("complementary", name="Chosen column")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("complementary", name="Chosen column")).to_have_count(0)
