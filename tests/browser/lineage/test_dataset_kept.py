"""The page of a dataset: is it fresh, who keeps its files, what was set aside, who wrote it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.kept_story import CURIOUS, NAME, NIGHTS, QUARANTINE, REASONS, Kept
from tests.browser.lineage.test_accessibility import AXE, FINDINGS, GRAVE
from tests.browser.lineage.test_appearance import WIDER_THAN_THE_SCREEN
from tests.browser.lineage.views import SILVER, address, row, show, table
from tests.ledger.told_events import identity
from tests.server.live_server import LiveServer, live_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.lineage.watch import Watch

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    """A server of a lake with one table, and the address of its page."""
    folder = tmp_path_factory.mktemp("kept")
    kept = Kept(folder)
    with live_server(folder, histories=kept.histories, clock=lambda: kept.now) as server:
        told = server.send(kept.told())
        assert told.json()["summary"]["failed"] == 0, told.text
        assert server.ledger.register_contract(kept.contract())
        yield server, server.url + address("/dataset", id=kept.id)


@pytest.fixture
def page_of_orders(page: Page, watch: Watch, orders: tuple[LiveServer, str]) -> Page:
    server, url = orders
    watch.origins.add(server.url)
    return show(page, url)


def fact(page: Page, label: str, term: str) -> Locator:
    pattern = re.compile(f"^{re.escape(term)}$")
    return (
        page.get_by_label(label, exact=True)
        .locator("div")
        .filter(has=page.locator("dt", has_text=pattern))
        .locator("dd")
    )


def test_it_is_fresh_by_the_run_that_wrote_rows_not_by_those_after_it(
    page_of_orders: Page,
) -> None:
    page = page_of_orders
    expect(page.locator("#freshness .verdict")).to_contain_text("✓ fresh")
    expect(page.locator("#freshness .verdict")).to_contain_text("4 h 0 min old")
    expect(fact(page, "Freshness", "Promised")).to_have_text("rows no older than 1 day")
    expect(fact(page, "Freshness", "By")).to_have_text("contract 1.2.0")
    last = fact(page, "Freshness", "Rows last committed")
    expect(last).to_contain_text("156 rows")
    expect(last.get_by_role("link", name=f"Run {identity(f'night {NIGHTS}')}")).to_be_visible()
    since = fact(page, "Freshness", "Looked at since, no row written")
    expect(since.get_by_role("link", name=f"Run {identity('unchanged')}")).to_be_visible()
    expect(fact(page, "Freshness", "Failed or aborted since")).to_have_text("1 run")
    expect(fact(page, "Freshness", "Newest slice")).to_have_text("2026-02-26")


def test_it_is_late_when_its_last_run_that_wrote_is_too_long_ago(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/dataset", id=SILVER))
    verdict = page.locator("#freshness .verdict")
    expect(verdict).to_contain_text("✕ late by 2 d 10 h")
    expect(fact(page, "Freshness", "Judged as of")).to_have_text("2026-01-05 10:39:45 UTC")
    expect(verdict).to_contain_text("the contract promises none older than 1 day")
    expect(fact(page, "Freshness", "Failed or aborted since")).to_have_text("1 run")


def test_a_promise_that_was_not_made_yet_is_none(page: Page, lineage: LiveServer) -> None:
    then = "2026-01-02T00:00:00+00:00"
    show(page, lineage.url + address("/dataset", id=SILVER, at=then))
    expect(page.locator("#freshness .verdict")).to_contain_text("no promise")
    expect(fact(page, "Freshness", "By")).to_have_text("no contract at that time")


def test_what_upkeep_did_and_why_and_the_files_on_both_sides(page_of_orders: Page) -> None:
    kept = row(page_of_orders, f"Upkeep of {NAME}", "merged small files")
    expect(kept).to_have_count(1)
    for part in (*REASONS, "40 →to 1", "180.0 kB →to 41.0 kB", "0 →to 40"):
        expect(kept).to_contain_text(part)
    files = table(page_of_orders, f"Files written to {NAME}").locator("tbody tr")
    expect(files.nth(0)).to_contain_text("no row")
    expect(files.nth(0)).to_contain_text("not measured")
    expect(page_of_orders.locator(".sparkline")).to_contain_text(f"{NIGHTS + 1} runs")


def test_what_was_set_aside_by_check_and_run_and_where_it_lies(page_of_orders: Page) -> None:
    page = page_of_orders
    expect(fact(page, "Quarantine", "Set aside, in all runs")).to_have_text("7 rows")
    # one of the runs that completed does not say which slice it was of
    latest = fact(page, "Quarantine", "In the latest run of each slice")
    expect(latest).to_have_text("not known")
    expect(fact(page, "Quarantine", "Runs that do not")).to_contain_text("2; they may have")
    expect(fact(page, "Quarantine", "Where they lie")).to_have_text(QUARANTINE)
    checks = f"Rows of {NAME} set aside by check"
    expect(row(page, checks, "amount:ge")).to_contain_text("7")
    expect(row(page, checks, "order_id:not_null")).to_contain_text("2")
    by_run = table(page, f"Rows of {NAME} set aside by run").locator("tbody tr")
    expect(by_run.filter(has_text="amount:ge: 2, order_id:not_null: 1")).to_have_count(1)


def test_who_wrote_past_us_and_how_much_is_known_by_day(page_of_orders: Page) -> None:
    page = page_of_orders
    expect(page.locator("#coverage .verdict").first).to_contain_text("✕ 98.2 %")
    past = table(page, f"Ungoverned writes of {NAME}").locator("tbody tr")
    expect(past).to_have_count(1)
    for part in (str(NIGHTS + 1), "write", "eve"):
        expect(past).to_contain_text(part)
    days = table(page, f"Coverage of {NAME} by day").locator("tbody tr")
    expect(days.first).to_contain_text("%")


def test_what_a_run_read_and_did_not_tell(page_of_orders: Page) -> None:
    page = page_of_orders
    coverage = page.locator("#coverage")
    expect(coverage).to_contain_text(
        f"saw 2 of the {NIGHTS + 3} runs that set out to write or keep the table"
    )
    expect(coverage).to_contain_text("of the others nothing is known")
    reads = table(page, f"Undeclared reads of runs for {NAME}").locator("tbody tr")
    expect(reads).to_have_count(1)
    expect(reads.get_by_role("link", name=f"Run {identity(f'night {CURIOUS}')}")).to_be_visible()
    for part in ("/lake/silver/customers", "not known", "penstock.scan"):
        expect(reads).to_contain_text(part)


def test_without_a_lake_coverage_is_said_to_be_unknown_and_not_asked_for(
    page: Page, lineage: LiveServer
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    show(page, lineage.url + address("/dataset", id=SILVER))
    expect(page.locator("#coverage")).to_contain_text("This server knows no lake")
    assert not [url for url in asked if "/coverage" in url]
    assert [url for url in asked if "/dataset/history" in url]


def test_older_runs_come_on_request_until_all_are_there(page_of_orders: Page) -> None:
    page = page_of_orders
    runs = table(page, f"Runs that wrote {NAME}").locator("tbody tr")
    expect(page.get_by_text("These are the latest 50 runs; there are older ones.")).to_be_visible()
    page.get_by_role("button", name="Load older runs").click()
    expect(runs).to_have_count(NIGHTS + 3)
    everyone = page.get_by_text(f"These are all {NIGHTS + 3} runs on record.")
    expect(everyone).to_be_visible()
    expect(page.get_by_role("button", name="Load older runs")).to_have_count(0)
    first = runs.last.get_by_role("link", name=f"Run {identity('night 1')}")
    expect(first).to_be_visible()


def test_when_the_server_is_gone_what_was_loaded_stays_and_the_rest_is_said(
    page_of_orders: Page, watch: Watch
) -> None:
    page = page_of_orders
    watch.expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.get_by_role("button", name="Load older runs").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Could not load the older runs")
    page.context.set_offline(False)
    alert.get_by_role("button", name="Try again").click()
    runs = table(page, f"Runs that wrote {NAME}").locator("tbody tr")
    expect(runs).to_have_count(NIGHTS + 3)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_is_for_everybody_and_every_screen(
    page_of_orders: Page, colours: str, screenshots: Path
) -> None:
    page = page_of_orders
    page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    page.evaluate(AXE.read_text())
    assert not [found for found in page.evaluate(FINDINGS) if found[0] in GRAVE]
    page.screenshot(path=screenshots / f"lineage-dataset-kept-{colours}.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(WIDER_THAN_THE_SCREEN) is None
    page.screenshot(path=screenshots / f"lineage-dataset-kept-{colours}-390.png", full_page=True)
