"""The first page: figures, datasets by layer, a filter, and a way to every other view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.views import settled, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.lineage.server.live_server import LiveServer

pytestmark = pytest.mark.browser


def test_datasets_stand_by_layer_in_the_order_data_takes(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url)

    names = [one.get_attribute("aria-label") for one in page.locator("section.layer").all()]

    layers = ["landing", "bronze", "silver", "gold", "shared", "kafka://broker:9092"]
    assert names == [f"Layer {layer}" for layer in layers]
    gold = page.get_by_role("region", name="Layer gold")
    expect(gold).to_contain_text("gold.daily_punctuality")
    expect(gold).not_to_contain_text("silver.flights")
    silver = page.get_by_role("row", name="silver.bookings")
    expect(silver).to_contain_text("in clear email, phone")
    expect(silver).to_contain_text("Bookings team")


def test_the_figures_are_those_of_the_ledger(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url)
    figures = page.get_by_label("Summary")
    for title, value in (("Datasets", "10"), ("Runs", "12"), ("Events", "24")):
        expect(figures.locator("div").filter(has_text=title)).to_contain_text(value)
    expect(figures).to_contain_text("2026-01-01 00:10 UTC to 2026-01-02 01:01 UTC")


def test_the_list_is_filtered(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url)
    page.get_by_label("Filter the list").fill("partners")
    expect(page.locator("section.layer tbody tr")).to_have_count(1)
    expect(page.locator("section.layer")).to_contain_text("shared.bookings")
    page.get_by_label("Filter the list").fill("nothing of the kind")
    expect(page.get_by_text("No dataset in the list matches")).to_be_visible()


def test_pages_are_reached_and_left_by_the_browsers_own_way_back(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url)
    for name, title in (("Graph", "Whole graph"), ("Personal data", "Personal data")):
        link = page.get_by_role("navigation", name="Pages").get_by_role("link", name=name)
        link.click()
        settled(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(link).to_have_attribute("aria-current", "page")
        expect(page).to_have_title(f"{title} · Penstock lineage")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Whole graph")
