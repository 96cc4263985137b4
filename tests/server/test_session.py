"""Signing in: what the browser is given, what ends it, and who may not use it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from penstock.ledger import Ledger, utc_now
from penstock.ledger.tokens import Role, Tokens
from penstock.server.buckets import Buckets
from penstock.server.session_cookie import cookie_name
from tests.ledger.told_events import run_event
from tests.patience import PATIENCE_SECONDS
from tests.server.serving import LINEAGE, OWN, Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SESSION, READ, AUDIT = f"{OWN}/session", f"{OWN}/summary", f"{OWN}/access"
NOBODY = {"name": None, "role": None, "tokens_required": True}
EVENT = run_event("COMPLETE", 0, "nightly", outputs=("b",))
NAME = cookie_name(tls=False)


class Clock:
    """The ledger's, which a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(sqlite_url: str) -> dict[str, str]:
    with Ledger.open(sqlite_url) as ledger:
        known = Tokens(ledger.database)
        return {role.value: known.add(f"the {role}", role, at=utc_now()) for role in Role}


@pytest.fixture
def server(sqlite_url: str, tokens: dict[str, str], clock: Clock) -> Iterator[Serving]:
    assert tokens
    with serving(sqlite_url, clock=clock, tokens_required=True) as server:
        yield server


class Browser:
    """Keeps cookies as a browser does, and says whose page asks."""

    def __init__(self, server: Serving) -> None:
        self.url, self.kept = server.url, requests.Session()
        self.kept.trust_env = False

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"origin": self.url, **more.pop("headers", {})}
        return self.kept.request(
            method, self.url + path, headers=headers, timeout=PATIENCE_SECONDS, **more
        )

    def sign_in(self, token: str, **more: Any) -> requests.Response:
        return self.send("POST", SESSION, json={"token": token}, **more)

    @property
    def key(self) -> str | None:
        return self.kept.cookies.get(NAME)


@pytest.fixture
def browser(server: Serving) -> Browser:
    return Browser(server)


def test_who_signs_in_is_known_until_they_sign_out(url: str) -> None:
    with Ledger.open(url) as ledger:
        token = Tokens(ledger.database).add("ada", Role.AUDITOR, at=utc_now())
    with serving(url, tokens_required=True) as server:
        browser = Browser(server)
        assert browser.send("GET", SESSION).json() == NOBODY
        assert browser.send("GET", READ).status_code == 401

        answer = browser.sign_in(token)

        assert answer.status_code == 200
        ada = {"name": "ada", "role": "auditor", "tokens_required": True}
        assert answer.json() == ada == browser.send("GET", SESSION).json()
        assert browser.send("GET", AUDIT).status_code == 200
        key = browser.key
        assert browser.send("DELETE", SESSION).status_code == 204
        assert browser.key is None
        assert browser.send("GET", READ).status_code == 401
        held = {"cookie": f"{NAME}={key}"}
        assert browser.send("GET", READ, headers=held).status_code == 401, "ended here too"


def test_the_cookie_is_out_of_reach_and_holds_no_token(
    browser: Browser, tokens: dict[str, str]
) -> None:
    answer = browser.sign_in(tokens["reader"])
    given = answer.headers["set-cookie"].lower()
    parts = {part.strip() for part in given.split(";")}
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= parts
    assert not parts & {"secure"} and "domain" not in given  # noqa: PT018
    assert tokens["reader"].lower() not in given + answer.text.lower()


def test_with_tls_the_cookie_is_the_hosts_alone(browser: Browser, tokens: dict[str, str]) -> None:
    # a proxy on this machine that has TLS says so
    behind = {"x-forwarded-proto": "https"}
    given = browser.sign_in(tokens["reader"], headers=behind).headers["set-cookie"]
    assert given.startswith(f"__Host-{NAME}=pss_")
    assert "; Secure" in given
    key = given.partition("=")[2].partition(";")[0]
    for name, status in ((f"__Host-{NAME}", 200), (NAME, 401)):
        headers = {**behind, "cookie": f"{name}={key}"}
        assert browser.send("GET", READ, headers=headers).status_code == status


def test_a_session_ends_with_its_token_and_with_its_time(
    server: Serving, browser: Browser, tokens: dict[str, str], clock: Clock
) -> None:
    browser.sign_in(tokens["reader"])
    clock.now += timedelta(hours=11, minutes=59)
    assert browser.send("GET", READ).status_code == 200
    held = {"cookie": f"{NAME}={browser.key}"}
    clock.now += timedelta(minutes=1)
    assert browser.send("GET", READ, headers=held).status_code == 401
    assert browser.send("GET", SESSION, headers=held).json() == NOBODY

    assert browser.sign_in(tokens["reader"]).status_code == 200
    assert browser.send("GET", READ).status_code == 200
    assert Tokens(server.ledger.database).revoke("the reader", at=utc_now())
    assert browser.send("GET", READ).status_code == 401


def test_signing_in_again_ends_the_session_before(browser: Browser, tokens: dict[str, str]) -> None:
    browser.sign_in(tokens["reader"])
    before = {"cookie": f"{NAME}={browser.key}"}
    assert browser.sign_in(tokens["auditor"]).json()["role"] == "auditor"
    assert browser.send("GET", READ, headers=before).status_code == 401
    assert browser.send("GET", READ).status_code == 200


def test_the_ledger_keeps_hashes_of_open_sessions_alone(
    server: Serving, browser: Browser, tokens: dict[str, str], clock: Clock
) -> None:
    browser.sign_in(tokens["reader"])
    key = browser.key or ""
    secret = key.partition(".")[2]
    assert len(secret) > 40
    clock.now += timedelta(hours=13)
    Browser(server).sign_in(tokens["auditor"])
    file = str(server.ledger.database.engine.url.database)
    with closing(sqlite3.connect(file)) as raw:
        kept = raw.execute("SELECT * FROM session").fetchall()
        everything = json.dumps([kept, raw.execute("SELECT * FROM access").fetchall()])
    assert len(kept) == 1, "what is over is forgotten"
    assert not [one for one in (secret, *tokens.values()) if one in everything]


@pytest.mark.parametrize("change", ["", "x", "other secret", "other name", "no secret", "nul"])
def test_what_is_no_session_is_nobodys(
    browser: Browser, tokens: dict[str, str], change: str
) -> None:
    browser.sign_in(tokens["reader"])
    name, _, secret = (browser.key or "").partition(".")
    keys = {
        "x": f"{name}.{secret}x",
        "other secret": f"{name}.{secret[::-1]}",
        "other name": f"{name[:-1]}.{secret}",
        "no secret": name,
        "nul": f'"{name}\\000.{secret}x"',
    }
    headers = {"cookie": f"{NAME}={keys.get(change, '')}"}
    assert browser.send("GET", READ, headers=headers).status_code == 401
    token = {"cookie": f"{NAME}={tokens['admin']}"}
    assert browser.send("GET", READ, headers=token).status_code == 401, "the token itself"


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"token": "pst_guessed"}, 401),
        ({"token": "\ud800"}, 401),
        ({"token": ""}, 422),
        ({"token": 5}, 422),
        ({}, 422),
        ([], 422),
        (None, 422),
    ],
)
def test_what_is_no_token_signs_nobody_in(browser: Browser, told: Any, status: int) -> None:
    headers = {"content-type": "application/json"}
    answer = browser.send("POST", SESSION, data=json.dumps(told), headers=headers)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert {"error", "where", "next_step"} <= answer.json().keys()
    assert "guessed" not in answer.text


@pytest.mark.parametrize(
    ("whose", "reads", "sends"),
    [
        ({"origin": "{own}"}, 200, 201),
        ({"sec-fetch-site": "same-origin"}, 200, 201),
        ({"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy"}, 200, 201),
        ({}, 200, 403),
        ({"sec-fetch-site": "none"}, 200, 403),
        ({"sec-fetch-site": "same-site", "origin": "{own}"}, 403, 403),
        ({"sec-fetch-site": "cross-site"}, 403, 403),
        ({"origin": "http://127.0.0.1:1"}, 403, 403),
        ({"origin": "{own}.evil.example"}, 403, 403),
        ({"origin": "null"}, 403, 403),
        ({"origin": "http://["}, 403, 403),
    ],
)
def test_a_page_of_another_site_cannot_use_the_cookie(
    server: Serving, tokens: dict[str, str], whose: dict[str, str], reads: int, sends: int
) -> None:
    browser = Browser(server)
    browser.sign_in(tokens["admin"])
    told = {name: value.format(own=server.url) for name, value in whose.items()}
    told["cookie"] = f"{NAME}={browser.key}"

    def call(method: str, path: str, **more: Any) -> int:
        headers = {**told, **more.pop("headers", {})}
        answer = requests.request(
            method, server.url + path, headers=headers, timeout=PATIENCE_SECONDS, **more
        )
        return answer.status_code

    assert call("GET", READ) == reads
    assert call("POST", LINEAGE, json=EVENT) == sends
    # a token in the header is shown by who has it, and by no page
    shown = {"authorization": f"Bearer {tokens['admin']}"}
    assert call("POST", LINEAGE, json=EVENT, headers=shown) == 201
    foreign = reads == 403
    assert call("DELETE", SESSION) == (403 if foreign else 204)


def test_what_a_page_of_another_site_asks_for_is_written_under_no_name(
    browser: Browser, tokens: dict[str, str]
) -> None:
    browser.sign_in(tokens["auditor"])
    foreign = {"sec-fetch-site": "same-site"}
    long = {"pad": "x" * 40_000}
    assert browser.send("GET", READ, headers=foreign).status_code == 403
    assert browser.send("GET", READ, headers=foreign, params=long).status_code == 414
    assert browser.send("DELETE", SESSION, headers=foreign).status_code == 403
    unsaid = {"sec-fetch-site": "none"}
    assert browser.send("POST", LINEAGE, json=EVENT, headers=unsaid).status_code == 403
    found = browser.send("GET", AUDIT, params={"refused": "true"}).json()["accesses"]
    assert [(one["who"], one["client"], one["status"]) for one in found] == [
        ("", "127.0.0.1", status) for status in (403, 403, 414, 403)
    ]


def test_cookies_of_other_servers_of_the_host_are_passed_over(
    browser: Browser, tokens: dict[str, str]
) -> None:
    browser.sign_in(tokens["reader"])
    ours = f"{NAME}={browser.key}"
    for other in (
        'prefs={"a":1}',
        "flag",
        "a[b]=1",
        "a=b c",
        "a=\xe9",
        'a="b',
        f"x{NAME}=1",
        f"{NAME}=pss_of.another",
        f"{NAME}=",
    ):
        for cookie in (f"{other}; {ours}", f"{ours}; {other}"):
            headers = {"cookie": cookie.encode("latin-1")}
            assert browser.send("GET", READ, headers=headers).status_code == 200, cookie


def test_a_session_that_another_server_of_the_host_sets_does_not_win(
    server: Serving, browser: Browser, tokens: dict[str, str]
) -> None:
    other = Browser(server)
    other.sign_in(tokens["auditor"])
    browser.sign_in(tokens["reader"])
    for keys in ((browser.key, other.key), (other.key, browser.key)):
        held = {"cookie": "; ".join(f"{NAME}={key}" for key in keys)}
        assert browser.send("GET", READ, headers=held).status_code == 401
    assert browser.send("DELETE", SESSION, headers=held).status_code == 204
    for one in (browser, other):
        held = {"cookie": f"{NAME}={one.key}"}
        assert one.send("GET", READ, headers=held).status_code == 401


def test_no_page_of_another_site_signs_anybody_in(server: Serving, tokens: dict[str, str]) -> None:
    body = {"token": tokens["reader"]}
    for headers in ({"origin": "http://127.0.0.1:1"}, {"sec-fetch-site": "cross-site"}):
        assert server.send("POST", SESSION, json=body, headers=headers).status_code == 403
    form = json.dumps(body)
    plain = server.send("POST", SESSION, data=form, headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    assert server.send("POST", SESSION, json=body).status_code == 200, "a script has no page"


def test_who_guesses_is_asked_to_wait_and_others_are_not(
    sqlite_url: str, tokens: dict[str, str]
) -> None:
    now = 0.0
    with serving(
        sqlite_url, seconds=lambda: now, tokens_required=True, sign_ins_per_minute=5
    ) as server:
        for _ in range(20):
            assert Browser(server).sign_in(tokens["reader"]).status_code == 200
        guesses = [Browser(server).sign_in("pst_guessed").status_code for _ in range(7)]
        assert guesses == [401] * 5 + [429] * 2
        right = Browser(server).sign_in(tokens["reader"])
        assert right.status_code == 429
        asked_to_wait = int(right.headers["retry-after"])
        assert asked_to_wait > 0
        elsewhere = {"x-forwarded-for": "192.0.2.7"}
        assert Browser(server).sign_in(tokens["reader"], headers=elsewhere).status_code == 200
        now += asked_to_wait
        assert Browser(server).sign_in(tokens["reader"]).status_code == 200


def test_who_keeps_asking_waits_no_longer() -> None:
    now = 0.0
    buckets = Buckets(60, lambda: now)
    assert [buckets.take("ada") for _ in range(61)] == [True] * 60 + [False]
    taken = 0
    for _ in range(40):
        now += 0.25
        taken += buckets.take("ada")
    assert taken == 10
    assert buckets.take("ben")


def test_signing_in_and_out_is_written_down_without_the_secret(
    server: Serving, browser: Browser, tokens: dict[str, str]
) -> None:
    browser.send("GET", SESSION)
    browser.sign_in("pst_guessed")
    browser.sign_in(tokens["reader"])
    browser.send("GET", SESSION)
    browser.send("POST", LINEAGE, json=EVENT)
    browser.send("DELETE", SESSION)
    headers = {"authorization": f"Bearer {tokens['auditor']}"}
    answer = requests.get(server.url + AUDIT, headers=headers, timeout=PATIENCE_SECONDS)
    found = [
        (one["who"], one["role"], one["method"], one["path"], one["status"])
        for one in reversed(answer.json()["accesses"])
    ]
    assert found == [
        ("", "reader", "POST", SESSION, 401),
        ("the reader", "reader", "POST", SESSION, 200),
        ("the reader", "reader", "POST", LINEAGE, 403),
        ("the reader", "reader", "DELETE", SESSION, 204),
    ]
    assert "pst_" not in answer.text
    assert "pss_" not in answer.text


def test_an_emitter_signs_in_and_reads_nothing(browser: Browser, tokens: dict[str, str]) -> None:
    assert browser.sign_in(tokens["emitter"]).json()["role"] == "emitter"
    assert browser.send("GET", READ).status_code == 403
    assert browser.send("GET", SESSION).json()["name"] == "the emitter"


@pytest.mark.parametrize("path", ["/api/penstock%2Fv1/session", "/api/penstock/v1/%73ession"])
def test_the_call_for_signing_in_written_otherwise_is_any_call(server: Serving, path: str) -> None:
    lines = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert server.raw(lines.encode()).split(b" ")[1] == b"401"


def test_where_no_tokens_are_asked_for_nobody_signs_in(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/ledger.db") as server:
        local = {"name": "local", "role": "admin", "tokens_required": False}
        assert server.get(SESSION).json() == local
        assert server.post({"token": "pst_any"}, SESSION).status_code == 409
        assert server.send("DELETE", SESSION).status_code == 204
