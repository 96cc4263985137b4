"""Where personal data is: masked, in clear, cleared for, and tagged otherwise than it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from penstock.evidence import SigningKey, check
from penstock.resources.secrets import FileSecrets
from tests.browser.lineage import reference_story
from tests.browser.lineage.views import SILVER, address, row, show, table
from tests.server.live_server import live_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

EMAIL, PHONE = "Columns of class email", "Columns of class phone"


@pytest.fixture
def pii(page: Page, lineage: LiveServer) -> Page:
    return show(page, f"{lineage.url}/pii")


@pytest.fixture
def signing(tmp_path: Path, watch: Watch) -> Iterator[LiveServer]:
    """A server that has a key to sign with."""
    key = SigningKey.of(FileSecrets(tmp_path / "secrets"))
    with live_server(tmp_path, signing_key=lambda: key) as server:
        assert server.send(reference_story.story()).status_code in {200, 201}
        watch.origins.add(server.url)
        yield server


@pytest.mark.parametrize(
    ("caption", "column", "stands", "clearance"),
    [
        (EMAIL, "shared.bookings.email", "masked", "not needed"),
        (EMAIL, "silver.bookings.email", "in clear", "silver.bookings is cleared"),
        (EMAIL, "bronze.bookings.email", "in clear", "✕ no contract says"),
        (EMAIL, "gold.contacts.mail", "not tagged, arrives in clear", "✕ no contract says"),
        (PHONE, "gold.contacts.phone", "tagged as masked, arrives in clear", "✕ no contract says"),
    ],
)
def test_how_a_column_stands(
    pii: Page, caption: str, column: str, stands: str, clearance: str
) -> None:
    line = (
        table(pii, caption)
        .locator("tbody tr")
        .filter(has=pii.get_by_role("rowheader", name=column, exact=True))
    )
    expect(line).to_have_count(1)
    expect(line.get_by_role("cell").nth(0)).to_contain_text(stands)
    expect(line.get_by_role("cell").nth(1)).to_have_text(clearance)


def test_where_it_comes_from(pii: Page) -> None:
    shared = (
        table(pii, EMAIL)
        .locator("tbody tr")
        .filter(has=pii.get_by_role("rowheader", name="shared.bookings.email", exact=True))
    )
    expect(shared.get_by_role("listitem")).to_have_text(["silver.bookings.email masked"])


def test_the_classes_are_counted(pii: Page) -> None:
    email = row(pii, "Classes of personal data", "email").get_by_role("cell")
    expect(email).to_have_text(["4", "1", "1", "✕ 2"])


def test_only_what_stands_in_clear(pii: Page) -> None:
    pii.get_by_label("Only what stands in clear").check()
    expect(row(pii, EMAIL, "shared.bookings")).to_have_count(0)
    expect(table(pii, EMAIL).locator("tbody tr")).to_have_count(3)

    table(pii, "Classes of personal data").get_by_role("link", name="phone").click()
    expect(table(pii, EMAIL)).to_have_count(0)
    expect(table(pii, PHONE).locator("tbody tr")).to_have_count(3)
    assert pii.url.endswith("/pii?show=clear&class=PHONE") or "class=PHONE" in pii.url


def test_one_click_leads_to_signed_evidence(page: Page, signing: LiveServer) -> None:
    show(page, f"{signing.url}/pii")
    for name in (
        "Evidence of silver.bookings.email",
        "Evidence of personal data of class email",
    ):
        with page.expect_download() as taken:
            page.get_by_role("button", name=name, exact=True).click()
        assert check(taken.value.path().read_bytes()).intact
        expect(page.get_by_role("button", name=name, exact=True)).to_be_enabled()
    assert taken.value.suggested_filename == "evidence personal data of class email.zip"
    show(page, signing.url + address("/dataset", id=SILVER))
    with page.expect_download() as taken:
        page.get_by_role("button", name="Evidence of silver.bookings", exact=True).click()
    assert check(taken.value.path().read_bytes()).intact


def test_without_a_key_the_click_says_what_to_do(pii: Page, watch: Watch) -> None:
    watch.expected.append("501")
    pii.get_by_role("button", name="Evidence of silver.bookings.email", exact=True).click()
    alert = pii.get_by_role("alert")
    expect(alert).to_contain_text("No evidence: the server was started without")
