"""Nothing recorded yet, nothing of that name, and nobody who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.views import SILVER, VIEWS, address, settled, show
from tests.ledger.told_events import identity
from tests.server.live_server import live_server

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

NO_SUCH = {
    "dataset": address("/dataset", id="file|/no/such"),
    "graph": address("/graph", id="file|/no/such"),
    "column": address("/graph", id=SILVER, dataset=SILVER, column="no_such"),
    "run": address("/run", id=identity("no such")),
}


def test_an_empty_ledger_says_what_will_fill_it(
    page: Page, watch: Watch, tmp_path: Path, screenshots: Path
) -> None:
    with live_server(tmp_path) as server:
        watch.origins.add(server.url)
        for path, said in (
            ("/graph", "Nothing was known at this instant."),
            ("/pii", "No column is marked as personal data."),
            (VIEWS["search"], "Nothing is called “bookings”."),
            ("/", "No dataset has been recorded yet."),
        ):
            show(page, server.url + path)
            expect(page.get_by_text(said)).to_be_visible()
            expect(page.get_by_role("alert")).to_have_count(0)
        page.screenshot(path=screenshots / "lineage-empty.png")


@pytest.mark.parametrize("what", NO_SUCH)
def test_what_there_is_not_is_said_with_a_next_step(
    page: Page, watch: Watch, lineage: LiveServer, what: str
) -> None:
    watch.expected.append("status of 404")
    show(page, lineage.url + NO_SUCH[what])

    alert = page.get_by_role("alert")

    expect(alert).to_contain_text("Not found")
    kind = "dataset" if what == "graph" else what
    expect(alert).to_contain_text(f"there is no such {kind}")
    expect(alert).to_contain_text("Next step: look it up by name")


def test_an_id_that_is_none_is_refused_in_words(
    page: Page, watch: Watch, lineage: LiveServer
) -> None:
    watch.expected.append("status of 422")
    show(page, lineage.url + address("/run", id="no-uuid"))
    expect(page.get_by_role("alert")).to_contain_text("Could not load the run")
    expect(page.get_by_role("alert")).to_contain_text("Next step:")


def test_an_address_without_a_page_leads_home(page: Page, lineage: LiveServer) -> None:
    show(page, f"{lineage.url}/no/such/page")
    expect(page.get_by_text("Nothing is kept at this address.")).to_be_visible()
    page.get_by_role("link", name="All datasets").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")


def test_a_server_that_has_gone_is_said_to_be_gone(
    page: Page, watch: Watch, tmp_path: Path
) -> None:
    watch.expected.append("ERR_CONNECTION_REFUSED")
    with live_server(tmp_path) as server:
        watch.origins.add(server.url)
        show(page, server.url)
    page.get_by_role("link", name="Personal data").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Could not load the personal data")
    expect(alert).to_contain_text("The server does not answer.")
    expect(alert).to_contain_text("Next step: Look whether it still runs")


def test_when_the_way_to_the_server_is_back_trying_again_helps(
    page: Page, watch: Watch, lineage: LiveServer
) -> None:
    watch.expected.append("ERR_INTERNET_DISCONNECTED")
    show(page, lineage.url)
    page.context.set_offline(True)
    page.get_by_role("link", name="Personal data").click()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")

    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()

    settled(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("table", name="Classes of personal data")).to_be_visible()
