"""The first page: figures, datasets by layer, a filter, and a way to every other view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from penstock.ledger.graph.projector import catch_up
from penstock.ledger.graph.statement import Statement
from tests.browser.lineage.test_accessibility import serious_findings
from tests.browser.lineage.test_keyboard import tab_to
from tests.browser.lineage.views import settled, show, table
from tests.ledger.told_events import run_event
from tests.server.live_server import live_server

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

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


def test_events_that_the_graph_could_not_take_are_said_and_named(
    page: Page, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(*_: Any) -> Statement:
        raise KeyError("ada@example.com")

    with live_server(tmp_path) as server:
        watch.origins.add(server.url)
        show(page, server.url)
        expect(page.get_by_text("could not be understood")).to_have_count(0)
        with monkeypatch.context() as broken:
            broken.setattr(Statement, "of", of)
            server.ledger.append(run_event("COMPLETE", 0, "job"))
            server.ledger.append(run_event("COMPLETE", 1, "job"))
            catch_up(server.ledger.database)
        show(page, server.url)
        warning = page.get_by_text("2 events could not be understood")
        tab_to(page, page.locator("summary"))
        page.keyboard.press("Enter")
        events = table(page, "Events that could not be understood").locator("tbody tr")
        expect(events).to_have_count(2)
        for part in ("spark", "2", "KeyError"):
            expect(events.first).to_contain_text(part)
        expect(page.get_by_role("main")).not_to_contain_text("ada@example.com")
        expect(warning).to_be_visible()
        assert not serious_findings(page)


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
