"""Signing in and out, and what somebody sees whose role may not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from penstock.ledger.tokens import Role, Tokens
from tests.browser.lineage.guarded import show_token, sign_in
from tests.browser.lineage.test_accessibility import serious_findings
from tests.browser.lineage.test_appearance import WIDER_THAN_THE_SCREEN
from tests.browser.lineage.test_keyboard import tab_to
from tests.browser.lineage.views import SILVER, address, settled, show

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.lineage.guarded import Guarded
    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

DEEP = address("/dataset", id=SILVER, column="email")
ELSEWHERE = """() => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])"""


@pytest.fixture(autouse=True)
def _watched(watch: Watch, guarded: Guarded) -> None:
    watch.origins.add(guarded.url)


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_who_follows_a_link_signs_in_and_is_there(
    page: Page, guarded: Guarded, screenshots: Path
) -> None:
    show(page, guarded.url + DEEP)
    heading(page, "Sign in")
    for hidden in ("navigation", "search"):
        expect(page.get_by_role(hidden)).to_have_count(0)
    page.screenshot(path=screenshots / "lineage-sign-in.png")

    sign_in(page, guarded, "ben")

    heading(page, "silver.bookings")
    assert page.url == guarded.url + DEEP
    expect(page.get_by_role("group", name="Signed in")).to_contain_text("reader")
    assert "pst_" not in page.evaluate(ELSEWHERE)
    assert "pss_" not in page.evaluate(ELSEWHERE)
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert guarded.tokens["ben"] not in cookie["value"]
    page.reload()
    settled(page)
    heading(page, "silver.bookings")


def test_a_wrong_token_is_said_to_be_wrong_and_can_be_mended(
    page: Page, watch: Watch, guarded: Guarded
) -> None:
    watch.expected.append("status of 401")
    show(page, guarded.url)
    show_token(page, "pst_mistyped")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("this is no token of this server, or it was revoked")
    expect(alert).to_contain_text("Next step:")
    expect(page.get_by_label("Token", exact=True)).to_have_value("")
    sign_in(page, guarded, "ben")
    heading(page, "Datasets")


def test_who_signs_out_is_out(page: Page, guarded: Guarded) -> None:
    show(page, guarded.url + DEEP)
    sign_in(page, guarded, "ben")
    (before,) = page.context.cookies()

    out = page.get_by_role("button", name="Sign out")
    tab_to(page, out)
    page.keyboard.press("Enter")

    heading(page, "Sign in")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(page.get_by_role("main")).not_to_contain_text("silver.bookings")
    assert page.context.cookies() == []
    page.context.add_cookies([{**before}])  # type: ignore[typeddict-item]
    page.reload()
    heading(page, "Sign in")


def test_who_cannot_sign_out_is_told_that_they_are_signed_in(
    page: Page, watch: Watch, guarded: Guarded
) -> None:
    watch.expected.append("ERR_INTERNET_DISCONNECTED")
    show(page, guarded.url)
    sign_in(page, guarded, "ben")
    page.context.set_offline(True)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("alert")).to_contain_text("still signed in")
    heading(page, "Datasets")
    page.context.set_offline(False)


@pytest.mark.parametrize("how", ["time", "revoked"])
def test_when_a_session_ends_one_signs_in_again_where_one_was(
    page: Page, watch: Watch, guarded: Guarded, how: str
) -> None:
    watch.expected.append("status of 401")
    known = Tokens(guarded.server.ledger.database)
    token = known.add(f"guest {how}", Role.READER, at=guarded.clock())
    show(page, guarded.url)
    sign_in(page, guarded, f"guest {how}", token=token)
    try:
        if how == "time":
            guarded.clock.ahead = timedelta(hours=12)
        else:
            known.revoke(f"guest {how}", at=guarded.clock())
        page.get_by_role("link", name="Personal data").click()
        expect(page.get_by_text("Your session has ended.")).to_be_visible()
        heading(page, "Sign in")
        if how == "revoked":
            show_token(page, token)
            expect(page.get_by_role("alert")).to_contain_text("it was revoked")
        sign_in(page, guarded, "ben")
    finally:
        guarded.clock.ahead = timedelta()
    heading(page, "Personal data")


@pytest.mark.parametrize(("name", "path"), [("ben", "/access"), ("nightly", "/pii")])
def test_whose_role_may_not_is_told_so(
    page: Page, watch: Watch, guarded: Guarded, name: str, path: str
) -> None:
    watch.expected.append("status of 403")
    show(page, guarded.url + path)
    sign_in(page, guarded, name)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Your role may not see")
    expect(alert).to_contain_text(f"You are signed in as {name}")
    expect(alert).to_contain_text("Next step:")
    expect(page.get_by_role("link", name="Access log")).to_have_count(0)
    expect(page.get_by_role("form")).to_have_count(0)
    assert not serious_findings(page)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_page_is_accessible_and_fits(
    page: Page, watch: Watch, guarded: Guarded, colours: str
) -> None:
    watch.expected.append("status of 401")
    page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, guarded.url)
    show_token(page, "pst_mistyped")
    expect(page.get_by_role("alert")).to_be_visible()
    assert not serious_findings(page)
    assert page.evaluate(WIDER_THAN_THE_SCREEN) is None
    sign_in(page, guarded, "ada")
    assert page.evaluate(WIDER_THAN_THE_SCREEN) is None


def test_where_no_tokens_are_asked_for_nothing_of_it_is_seen(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url)
    heading(page, "Datasets")
    expect(page.get_by_role("group", name="Signed in")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    assert page.context.cookies() == []
