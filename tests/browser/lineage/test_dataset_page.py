"""The page of a dataset: what it is, its contract, where its columns come from, who read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import OWNER, SILVER_RUNS, UNKNOWN_FACET, id_of
from tests.browser.lineage.views import SILVER, address, row, show, table

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture
def silver(page: Page, lineage: LiveServer) -> Page:
    return show(page, lineage.url + address("/dataset", id=SILVER))


def test_what_it_is(silver: Page) -> None:
    expect(silver.get_by_role("heading", level=1)).to_have_text("silver.bookings")
    about = silver.get_by_label("About the dataset")
    for part in (
        OWNER,
        "silver.bookings 2.0.0",
        "2026-01-01 00:20 UTC",
        "penstock silver.bookings",
    ):
        expect(about).to_contain_text(part)


def test_what_changed_between_two_versions_of_its_contract(silver: Page) -> None:
    changes = "Changes between the two contract versions"
    expect(table(silver, "Contract versions").locator("tbody tr")).to_have_count(2)

    expect(row(silver, changes, "phone")).to_contain_text("+ added")
    expect(row(silver, changes, "channel")).to_contain_text("− removed")  # noqa: RUF001
    expect(row(silver, changes, "amount:lt")).to_contain_text("+ added")
    expect(row(silver, changes, "retention")).to_contain_text("30 days")
    expect(table(silver, changes).locator("tbody tr")).to_have_count(4)

    silver.locator("#contract").get_by_role("combobox").last.select_option("0")
    expect(silver.get_by_text("The two versions say the same.")).to_be_visible()


def test_where_its_columns_come_from_and_go_to(silver: Page) -> None:
    email = (
        table(silver, "Columns of silver.bookings")
        .get_by_role("row")
        .filter(has=silver.get_by_role("rowheader", name="email"))
    )
    expect(email).to_contain_text("personal data: email")
    expect(email).to_contain_text("in clear")
    expect(email.get_by_role("link", name="bronze.bookings.email")).to_be_visible()
    masked = email.get_by_role("listitem").filter(has_text="shared.bookings.email")
    expect(masked).to_contain_text("masked")
    clear = email.get_by_role("listitem").filter(has_text="gold.contacts.mail")
    expect(clear).not_to_contain_text("masked")
    amount = (
        table(silver, "Columns of silver.bookings")
        .get_by_role("row")
        .filter(has=silver.get_by_role("rowheader", name="amount"))
    )
    expect(amount).to_contain_text("EUR")
    expect(amount).to_contain_text("amount:ge")
    expect(silver.locator("#columns > .plain-list")).to_contain_text("bronze.bookings.status")

    email.get_by_role("link", name="bronze.bookings.email").click()
    expect(silver.get_by_role("heading", level=1)).to_have_text("bronze.bookings")
    expect(silver.locator("tr.row-at")).to_contain_text("email")


def test_its_checks_and_their_history(silver: Page) -> None:
    failing = row(silver, "Checks and their history", "amount:lt")
    expect(failing).to_contain_text("✕ failed, 2 rows")
    expect(failing).to_contain_text("1 of 2 failed")
    expect(failing).to_contain_text("counts only")
    expect(row(silver, "Checks and their history", "amount:ge")).to_contain_text("2 passed")


def test_its_runs(silver: Page) -> None:
    caption = "Runs that wrote silver.bookings"
    runs = table(silver, caption).locator("tbody tr")
    expect(runs).to_have_count(3)
    expect(runs.nth(0)).to_contain_text("failed")
    expect(runs.nth(1)).to_contain_text("complete")
    for part in ("1,000", "998", "4.1 kB", "2013-02-08"):
        expect(runs.nth(1)).to_contain_text(part)

    runs.nth(1).get_by_role("link", name=f"Run {SILVER_RUNS[1]}").click()
    expect(silver.get_by_role("heading", level=1)).to_have_text("silver.bookings, 2013-02-08")


def test_who_has_read_it(silver: Page) -> None:
    readers = "Runs that have read it"
    expect(row(silver, readers, "shared.bookings")).to_have_count(1)
    silver.get_by_role("combobox", name="Column", exact=True).select_option("email")
    expect(row(silver, readers, "shared.bookings")).to_contain_text("masked")
    expect(row(silver, readers, "gold.contacts")).to_contain_text("gold.contacts.mail")
    expect(row(silver, readers, "gold.contacts")).to_contain_text("no")

    silver.get_by_label("From", exact=True).last.fill("2026-01-02")
    expect(row(silver, readers, "shared.bookings")).to_have_count(0)
    expect(row(silver, readers, "gold.contacts")).to_have_count(1)


def test_a_facet_that_nobody_here_knows_is_shown_whole(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/dataset", id=id_of("bronze.bookings")))
    facet = page.locator("#facets details").filter(has_text=UNKNOWN_FACET)

    facet.get_by_text(UNKNOWN_FACET, exact=True).click()

    expect(facet.locator("pre")).to_be_visible()
    expect(facet.locator("pre")).to_contain_text('"celsius": 21')


def test_its_columns_as_of_an_earlier_instant(page: Page, lineage: LiveServer) -> None:
    then = "2026-01-01T12:00:00+00:00"
    show(page, lineage.url + address("/dataset", id=id_of("silver.flights"), at=then))
    delay = row(page, "Columns of silver.flights", "delay_minutes")
    expect(delay).to_contain_text("bronze.flights.arrival_delay")

    page.get_by_role("link", name="As it is now").click()

    expect(delay).to_contain_text("bronze.flights.departure_delay")
