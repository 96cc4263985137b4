"""Who has looked at what, for auditors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.lineage.guarded import sign_in
from tests.browser.lineage.test_accessibility import serious_findings
from tests.browser.lineage.test_appearance import WIDER_THAN_THE_SCREEN, lightness
from tests.browser.lineage.test_keyboard import tab_to
from tests.browser.lineage.views import SHARED, SILVER, address, row, settled, show, table
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.lineage.guarded import Guarded
    from tests.browser.lineage.watch import Watch

pytestmark = pytest.mark.browser

CALLS = "Calls, newest first"
OWN = "/api/penstock/v1"


@pytest.fixture(autouse=True)
def _watched(watch: Watch, guarded: Guarded) -> None:
    watch.origins.add(guarded.url)


@pytest.fixture
def log(page: Page, guarded: Guarded) -> Page:
    """The access log, read by an auditor; ben has looked at two datasets, and tried more."""

    def look(path: str, status: int, **asked: str) -> None:
        headers = {"authorization": f"Bearer {guarded.tokens['ben']}"}
        url = guarded.url + OWN + path
        answer = requests.get(url, params=asked, headers=headers, timeout=PATIENCE_SECONDS)
        assert answer.status_code == status

    look("/dataset", 200, id=SILVER)
    look("/impact", 200, id=SHARED, column="email")
    look("/access", 403)
    show(page, f"{guarded.url}/access")
    sign_in(page, guarded, "ada")
    return page


def rows(page: Page) -> Locator:
    return table(page, CALLS).locator("tbody tr")


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_calls_stand_newest_first_in_words(log: Page, screenshots: Path) -> None:
    log.screenshot(path=screenshots / "lineage-access.png")
    expect(rows(log).nth(0)).to_contain_text("sign in")
    expect(rows(log).nth(0)).to_contain_text("ada")
    expect(rows(log).nth(1)).to_contain_text("access log ✕ refused: not allowed")
    expect(rows(log).nth(2)).to_contain_text("impact of shared.bookings.email")
    third = rows(log).nth(3)
    expect(third).to_contain_text("dataset page silver.bookings")
    expect(third).to_contain_text(f"GET {OWN}/dataset?id=file%7C%2Flake%2Fsilver%2Fbookings")
    for part in ("ben", "reader", "127.0.0.1", "200"):
        expect(third).to_contain_text(part)


def test_every_filter_is_in_the_address(log: Page) -> None:
    log.get_by_label("Who").fill("ben")
    log.get_by_label("What", exact=True).fill("lake/SHARED")
    log.get_by_role("button", name="Show").click()
    expect(row(log, CALLS, "ada")).to_have_count(0)
    expect(rows(log).first).to_contain_text("impact of shared.bookings.email")
    assert asked(log) == {"who": ["ben"], "q": ["lake/SHARED"]}

    log.reload()
    settled(log)
    expect(log.get_by_label("Who")).to_have_value("ben")
    expect(rows(log).first).to_contain_text("impact of shared.bookings.email")
    log.get_by_label("What", exact=True).fill("")
    log.get_by_label("Refused only").check()
    log.get_by_role("button", name="Show").click()
    expect(row(log, CALLS, "impact")).to_have_count(0)
    expect(rows(log).first).to_contain_text("refused: not allowed")
    assert asked(log) == {"who": ["ben"], "refused": ["1"]}

    log.go_back()
    expect(log.get_by_label("Refused only")).not_to_be_checked()
    expect(rows(log).first).to_contain_text("impact")


def test_asked_again_the_log_has_what_came_meanwhile(log: Page, guarded: Guarded) -> None:
    expect(rows(log).first).to_contain_text("sign in")
    headers = {"authorization": f"Bearer {guarded.tokens['ben']}"}
    requests.get(f"{guarded.url}{OWN}/pii", headers=headers, timeout=PATIENCE_SECONDS)
    log.get_by_role("button", name="Show").click()
    expect(rows(log).first).to_contain_text("personal data, all of it")
    expect(row(log, CALLS, "ada", "access log").first).to_be_visible()


def test_a_period_without_calls_says_so(log: Page) -> None:
    log.get_by_label("From").fill("2025-01-01")
    log.get_by_label("To (UTC)").fill("2025-12-31")
    log.get_by_role("button", name="Show").click()
    expect(log.get_by_text("No call matches.")).to_be_visible()
    assert asked(log) == {"from": ["2025-01-01"], "to": ["2025-12-31"]}
    log.get_by_role("main").get_by_role("link", name="All calls").click()
    expect(rows(log).first).to_be_visible()


def test_older_calls_are_a_page_of_their_own(log: Page, guarded: Guarded) -> None:
    headers = {"authorization": f"Bearer {guarded.tokens['ben']}"}
    with requests.Session() as session:
        for _ in range(101):
            session.get(f"{guarded.url}{OWN}/times", headers=headers, timeout=PATIENCE_SECONDS)
    show(log, guarded.url + address("/access", who="ben", q="v1/times"))
    expect(rows(log)).to_have_count(100)
    pages = log.get_by_role("navigation", name="Pages of the log")
    tab_to(log, pages.get_by_role("link", name="Older"))
    log.keyboard.press("Enter")
    expect(rows(log)).to_have_count(1)
    assert asked(log).keys() == {"who", "q", "before"}
    pages.get_by_role("link", name="Newest").click()
    expect(rows(log)).to_have_count(100)


def test_from_a_dataset_one_sees_who_has_looked_at_it(log: Page, guarded: Guarded) -> None:
    show(log, guarded.url + address("/dataset", id=SHARED))
    log.get_by_role("link", name="Who has looked at this").click()
    heading = log.get_by_role("heading", level=1)
    expect(heading).to_have_text("Who has looked at shared.bookings")
    expect(rows(log).filter(has_not_text=re.compile(r"shared\.bookings"))).to_have_count(0)
    expect(row(log, CALLS, "ben", "impact of shared.bookings.email").first).to_be_visible()
    expect(row(log, CALLS, "ada", "dataset page shared.bookings").first).to_be_visible()
    assert asked(log) == {"dataset": [SHARED]}
    log.get_by_label("Who").fill("ben")
    log.get_by_role("button", name="Show").click()
    expect(row(log, CALLS, "ada")).to_have_count(0)
    expect(heading).to_have_text("Who has looked at shared.bookings")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_it_is_accessible_and_fits(log: Page, colours: str) -> None:
    log.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    log.set_viewport_size({"width": 390, "height": 844})
    assert (lightness(log, "body", "backgroundColor") < 0.3) is (colours == "dark")
    assert not serious_findings(log)
    assert log.evaluate(WIDER_THAN_THE_SCREEN) is None
    refused = log.get_by_text("refused: not allowed").first
    refused.scroll_into_view_if_needed()
    box = refused.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390, "one sees that it was refused without going sideways"


def test_on_paper_there_is_the_log_alone(log: Page) -> None:
    log.emulate_media(media="print")
    expect(table(log, CALLS)).to_be_visible()
    expect(log.get_by_role("group", name="Signed in")).to_contain_text("ada")
    for selector in (".access-filter", ".top nav", ".signed-in button"):
        expect(log.locator(selector)).to_be_hidden()
