"""The graph as of an instant, and two instants compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import id_of
from tests.browser.lineage.views import address, canvas, card, expect_cards, row, settled, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

FLIGHTS = id_of("silver.flights")
STEPS = "Column lineage of the graph"
# the last change of the first day, and the first one of the second
BEFORE, AFTER = 5, 6


def test_an_earlier_instant_shows_the_lineage_of_then(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/graph", id=FLIGHTS))
    expect(row(page, STEPS, "bronze.flights.departure_delay")).to_have_count(1)
    expect(row(page, STEPS, "bronze.flights.arrival_delay")).to_have_count(0)

    page.get_by_role("slider", name="As of").fill(str(BEFORE))

    expect(page.get_by_role("group", name="Time")).to_contain_text("2026-01-01 00:41:00 UTC")
    expect(row(page, STEPS, "bronze.flights.arrival_delay")).to_have_count(1)
    expect(row(page, STEPS, "bronze.flights.departure_delay")).to_have_count(0)
    title = canvas(page).locator("g.line-column title")
    expect(title.filter(has_text="arrival_delay → delay_minutes")).to_have_count(1)
    expect(title.filter(has_text="departure_delay → delay_minutes")).to_have_count(0)
    assert "at=2026-01-01T00%3A41" in page.url

    page.get_by_role("button", name="As of: change after").click()
    expect(row(page, STEPS, "bronze.flights.departure_delay")).to_have_count(1)


def test_what_was_not_there_yet_is_not_shown(page: Page, lineage: LiveServer) -> None:
    show(page, f"{lineage.url}/graph")
    expect(card(page, "gold.contacts")).to_be_visible()

    page.get_by_role("slider", name="As of").fill("0")

    expect(card(page, "gold.contacts")).to_have_count(0)
    settled(page)
    expect_cards(page, {"landing.bookings", "bronze.bookings"})


def test_two_instants_compared_mark_what_came_and_what_went(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=FLIGHTS))

    page.get_by_role("button", name="Compare two instants").click()
    page.get_by_role("slider", name="Compare", exact=True).fill(str(BEFORE))

    came = row(page, STEPS, "bronze.flights.departure_delay")
    went = row(page, STEPS, "bronze.flights.arrival_delay")
    expect(came).to_contain_text("+ added")
    expect(went).to_contain_text("− removed")  # noqa: RUF001
    expect(row(page, STEPS, "added")).to_have_count(1)
    expect(row(page, STEPS, "removed")).to_have_count(1)
    # not by colour alone
    expect(canvas(page).locator("g.line-added .change-mark")).to_have_text("+")
    expect(canvas(page).locator("g.line-removed .change-mark")).to_have_text("−")  # noqa: RUF001

    page.get_by_role("slider", name="with").fill(str(AFTER))
    expect(page.get_by_role("status").filter(has_text="column step")).to_contain_text(
        "2026-01-02 00:23 UTC"
    )
    expect(came).to_contain_text("+ added")


def test_a_dataset_that_came_between_the_instants_is_marked_on_its_card(
    page: Page, lineage: LiveServer
) -> None:
    since = "2026-01-01T12:00:00+00:00"
    show(page, lineage.url + address("/graph", id=id_of("silver.bookings"), since=since))

    expect(card(page, "gold.contacts")).to_contain_text("+ added")
    expect(card(page, "shared.bookings")).not_to_contain_text("added")
    expect(row(page, "Datasets of the graph", "+ added")).to_have_count(1)
    expect(row(page, "Datasets of the graph", "+ added")).to_contain_text("gold.contacts")
