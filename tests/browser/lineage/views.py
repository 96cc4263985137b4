"""Where the views are, and when they have settled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from playwright.sync_api import expect

from tests.browser.lineage.reference_story import SILVER_RUNS, id_of
from tests.patience import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_BUSY = re.compile(r"^(Loading|Laying out) ")
SILVER = id_of("silver.bookings")
SHARED = id_of("shared.bookings")


def address(path: str, *repeated: tuple[str, str], **query: str | int) -> str:
    """A path of the lineage browser and its query."""
    return f"{path}?{urlencode([*query.items(), *repeated])}" if query or repeated else path


VIEWS = {
    "home": "/",
    "whole-graph": "/graph",
    "graph": address("/graph", id=SILVER, dataset=SILVER, column="email"),
    "compared": address("/graph", id=SILVER, since="2026-01-01T12:00:00+00:00"),
    "dataset": address("/dataset", id=SILVER),
    "run": address("/run", id=SILVER_RUNS[1]),
    "failed-run": address("/run", id=SILVER_RUNS[2]),
    "search": address("/search", q="bookings"),
    "personal-data": "/pii",
}


def show(page: Page, url: str) -> Page:
    """Goes there and waits until all of it is there."""
    page.goto(url)
    settled(page)
    return page


def settled(page: Page) -> None:
    """Nothing is being loaded or laid out any more."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(_BUSY)).to_have_count(0)
    canvas = page.locator(".canvas")
    if canvas.count():
        expect(canvas.get_by_role("article").first).to_be_visible()


def canvas(page: Page) -> Locator:
    """The drawn graph."""
    return page.get_by_role("region", name=re.compile("^Canvas: "))


def card(page: Page, label: str) -> Locator:
    """A dataset on the canvas."""
    return canvas(page).get_by_role("article", name=f"Dataset {label}", exact=True)


def cards(page: Page) -> set[str]:
    """The datasets on the canvas."""
    names = canvas(page).get_by_role("article").all()
    return {(one.get_attribute("aria-label") or "").removeprefix("Dataset ") for one in names}


def expect_cards(page: Page, labels: set[str]) -> None:
    """These datasets come to stand on the canvas, and no other."""
    until(lambda: cards(page) == labels, f"{sorted(labels)} on the canvas")


def column(page: Page, label: str, name: str) -> Locator:
    """A column's button on its dataset's card."""
    pattern = re.compile(rf"^Column {re.escape(name)} of {re.escape(label)}\b")
    return card(page, label).get_by_role("button", name=pattern)


def table(page: Page, caption: str) -> Locator:
    """A table by its caption."""
    return page.get_by_role("table", name=caption, exact=True)


def row(page: Page, caption: str, *parts: str) -> Locator:
    """Rows of a table that hold every one of `parts`."""
    found = table(page, caption).locator("tbody tr")
    for part in parts:
        found = found.filter(has_text=part)
    return found
