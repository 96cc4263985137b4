"""The page of a run: what it read and wrote, why it failed, what differs from the one before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from penstock.ledger.archive import archive_events
from penstock.ledger.tables import event
from tests.browser.lineage.reference_story import (
    COMMIT,
    ERROR,
    PARENT,
    REPOSITORY,
    SILVER_RUNS,
    story,
)
from tests.browser.lineage.views import address, row, settled, show, table
from tests.server.live_server import live_server

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

DIFFERENCES = "Differences between the two runs"


@pytest.fixture
def second(page: Page, lineage: LiveServer) -> Page:
    return show(page, lineage.url + address("/run", id=SILVER_RUNS[1]))


def test_which_versions_it_read_and_wrote(second: Page) -> None:
    expect(row(second, "Inputs of the run", "bronze.bookings")).to_contain_text("12")
    written = row(second, "Outputs of the run", "silver.bookings")
    expect(written).to_contain_text("998 rows, 4.1 kB, 2 files")


def test_where_its_source_is_and_what_it_is_part_of(second: Page) -> None:
    about = second.get_by_label("About the run")
    source = about.get_by_role("link", name="assets/silver/bookings.py")
    expect(source).to_have_attribute(
        "href", f"{REPOSITORY}/blob/{COMMIT}/assets/silver/bookings.py#L7"
    )
    expect(source).to_have_attribute("rel", "noreferrer noopener")
    expect(about).to_contain_text(COMMIT[:10])
    expect(about).to_contain_text("nightly")
    expect(about.get_by_role("link", name=f"Run {PARENT}")).to_be_visible()


def test_the_runs_to_compare_with_are_loading_until_they_are_there(
    page: Page, lineage: LiveServer
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:  # Playwright takes no method of a list
        held.append(route)

    page.route(re.compile(r"/api/penstock/v1/dataset\?"), hold)
    page.goto(lineage.url + address("/run", id=SILVER_RUNS[1]))
    loading = page.get_by_text("Loading the other runs")
    expect(loading).to_be_visible()
    expect(page.get_by_label("Compare with")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page.get_by_label("Compare with")).to_be_visible()
    expect(loading).to_have_count(0)


def test_what_differs_from_the_run_before(second: Page) -> None:
    for what, before, after in (
        ("code", "code-1", "code-2"),
        ("contract", "1.0.0", "2.0.0"),
        ("rows committed", "999", "998"),
        ("input version", "11", "12"),
    ):
        found = (
            table(second, DIFFERENCES)
            .locator("tbody tr")
            .filter(has=second.get_by_role("rowheader", name=what, exact=True))
        )
        expect(found).to_have_count(1)
        expect(found).to_contain_text(before)
        expect(found).to_contain_text(after)

    second.get_by_label("Compare with").select_option(SILVER_RUNS[2])
    expect(row(second, DIFFERENCES, "state")).to_contain_text("FAIL")
    assert SILVER_RUNS[2] in second.url

    second.get_by_role("link", name="Run before").click()
    settled(second)
    expect(second.get_by_text("It is the first run of its job and slice.")).to_be_visible()


def test_why_it_failed(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/run", id=SILVER_RUNS[2]))
    expect(page.get_by_label("About the run")).to_contain_text("failed")
    expect(page.locator("#error pre")).to_have_text(ERROR)


def test_all_its_events_and_facets_are_there(second: Page) -> None:
    events = table(second, "Events of the run").locator("tbody tr")
    expect(events).to_have_count(2)
    expect(events.nth(0)).to_contain_text("started")
    expect(events.nth(1)).to_contain_text("complete")
    facet = second.locator("#facets details").filter(has_text="penstock_run").first
    facet.get_by_text("penstock_run", exact=True).click()
    expect(facet.locator("pre")).to_contain_text('"codeVersion": "code-2"')


def test_events_in_the_archive_are_told_and_a_file_that_is_gone_is_said(
    page: Page, watch: Watch, tmp_path: Path
) -> None:
    with live_server(tmp_path) as server:
        watch.origins.add(server.url)
        assert server.send(story()).json()["summary"]["failed"] == 0
        with server.ledger.database.read() as connection:
            query = select(event.c.sequence).where(event.c.run_id == SILVER_RUNS[1])
            begun = int(connection.execute(query.order_by(event.c.sequence)).scalars().all()[0])
        moved = archive_events(server.ledger, tmp_path / "archive", before=begun + 1)
        (file,) = moved.files
        url = server.url + address("/run", id=SILVER_RUNS[1])

        show(page, url)
        events = table(page, "Events of the run").locator("tbody tr")
        expect(events).to_have_count(2)
        expect(events.nth(0)).to_contain_text(file.path.name)
        expect(events.nth(1)).to_contain_text("s table")
        expect(page.get_by_text("1 event was moved")).to_be_visible()

        file.path.unlink()
        show(page, url)
        expect(events).to_have_count(1)
        unread = page.get_by_text("There may be more events of this run than are shown.")
        expect(unread).to_be_visible()
        gone = f"s events 1 to {begun} are in the archive file {file.path.name}"
        expect(page.locator("#events")).to_contain_text(gone)
