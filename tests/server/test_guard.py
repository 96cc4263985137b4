"""Who may call the server, what is written down of it, and what no answer and no log may hold."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from penstock.events.instant import instant
from penstock.ledger import Ledger, utc_now
from penstock.ledger.tokens import Role, Tokens
from penstock.server import ServerSettings, create_app
from penstock.server.browser import STATIC
from penstock.server.session_cookie import cookie_name
from tests.forked import forked
from tests.ledger.told_events import AT, run_event
from tests.patience import PATIENCE_SECONDS, until
from tests.server.serving import (
    LINEAGE,
    OWN,
    Serving,
    penstock,
    serving,
    serving_process,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

READ, AUDIT, SEND = f"{OWN}/summary", f"{OWN}/access", LINEAGE
HEADERS = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "x-frame-options",
    "cross-origin-resource-policy",
    "cache-control",
}
EVENT = run_event("COMPLETE", 0, "nightly", inputs=("a",), outputs=("b",))
PASSWORD = "hunter2"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def open_server(url: str) -> Iterator[Serving]:
    """On this machine, no tokens."""
    with serving(url) as server:
        yield server


@pytest.fixture
def tokens(url: str) -> dict[str, str]:
    """One of each role."""
    with Ledger.open(url) as ledger:
        known = Tokens(ledger.database)
        return {role.value: known.add(f"the {role}", role, at=utc_now()) for role in Role}


@pytest.fixture
def server(url: str, tokens: dict[str, str]) -> Iterator[Serving]:
    """Asks for tokens. By its clock nothing takes any time."""
    assert tokens
    with serving(url, clock=lambda: AT, tokens_required=True) as server:
        yield server


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def signed_in(server: Serving, token: str) -> dict[str, str]:
    """What a browser sends for a page of the server, once it has shown the token."""
    told = {"token": token}
    answer = requests.post(f"{server.url}{OWN}/session", json=told, timeout=PATIENCE_SECONDS)
    key = answer.cookies.get(cookie_name(tls=False)) or "pss_of.nobody"
    return {"cookie": f"other=1; {cookie_name(tls=False)}={key}", "origin": server.url}


def accesses(server: Serving, auditor: str, **asked: Any) -> list[dict[str, Any]]:
    answer = server.send("GET", AUDIT, params=asked, headers=bearer(auditor))
    found: list[dict[str, Any]] = answer.json()["accesses"]
    return found


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:3100", 200),
        ("localhost:3100", 200),
        ("LOCALHOST", 200),
        ("[::1]:3100", 200),
        ("127.0.0.2", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:3100", 421),
        ("192.168.1.5", 421),
        ("0.0.0.0", 421),  # noqa: S104
        ("", 421),
        ("[::]", 421),
        ("[", 421),
    ],
)
def test_without_tokens_only_the_machine_itself_is_answered(
    open_server: Serving, host: str, status: int
) -> None:
    for path in (READ, "/", "/openapi.json"):
        answer = open_server.send("GET", path, headers={"host": host})
        assert answer.status_code == status, path
    sent = open_server.send("POST", SEND, json=EVENT, headers={"host": host})
    assert sent.status_code == (201 if status == 200 else status)
    assert len(open_server.ledger.events()) == (1 if status == 200 else 0)


@pytest.mark.parametrize(
    ("role", "sends", "reads", "audits"),
    [
        (None, 401, 401, 401),
        ("wrong", 401, 401, 401),
        ("emitter", 201, 403, 403),
        ("reader", 403, 200, 403),
        ("auditor", 403, 200, 200),
        ("admin", 201, 200, 200),
    ],
)
@pytest.mark.parametrize("by", ["header", "cookie"])
def test_a_token_may_do_what_its_role_may(
    server: Serving,
    tokens: dict[str, str],
    role: str | None,
    sends: int,
    reads: int,
    audits: int,
    by: str,
) -> None:
    token = tokens.get(role or "", "pst_of-nobody")
    shown = bearer(token) if by == "header" else signed_in(server, token)
    headers = shown if role else {}
    assert server.send("POST", SEND, json=EVENT, headers=headers).status_code == sends
    for method in ("GET", "HEAD"):
        assert server.send(method, READ, headers=headers).status_code == reads
        assert server.send(method, AUDIT, headers=headers).status_code == audits
    assert server.send("GET", "/openapi.json", headers=headers).status_code == (
        401 if reads == 401 else reads
    )
    for method in ("PUT", "DELETE", "PATCH", "POST", "OPTIONS", "PROPFIND"):
        refused = server.send(method, AUDIT, headers=headers)
        assert refused.status_code in {401, 403, 405}, method


@pytest.mark.parametrize("path", ["//api/penstock/v1/access", "/api/penstock/v1//access"])
@pytest.mark.parametrize("escape", [False, True])
def test_no_other_way_to_write_a_path_goes_around_the_roles(
    server: Serving, tokens: dict[str, str], path: str, *, escape: bool
) -> None:
    written = path.replace("access", "%61ccess") if escape else path
    lines = f"GET {written} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    for headers in ("", f"Authorization: Bearer {tokens['reader']}\r\n"):
        answer = server.raw(f"{lines}{headers}\r\n".encode())
        assert b'"accesses"' not in answer


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {0}",
        "{0}",
        "Bearer {0}x",
        "Bearer x{0}",
        "Bearer \xe4\xf6",
        "Bearer " + "x" * 20_000,
    ],
)
def test_what_is_no_token_is_refused(server: Serving, tokens: dict[str, str], header: str) -> None:
    value = header.format(tokens["admin"]).encode("latin-1")
    answer = server.send("GET", READ, headers={"authorization": value})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert tokens["admin"] not in answer.text


@pytest.mark.parametrize(
    "cookie",
    ["penstock_session", "=", ";;;", "\xff", "a b=c; penstock_session=", "penstock_session=pss_."],
)
def test_whatever_a_browser_holds_is_no_token(server: Serving, cookie: str) -> None:
    headers = {"cookie": cookie.encode("latin-1")}
    assert server.send("GET", READ, headers=headers).status_code == 401


def test_a_token_that_was_ended_is_refused_at_once(server: Serving, tokens: dict[str, str]) -> None:
    headers = bearer(tokens["reader"])
    assert server.send("GET", READ, headers=headers).status_code == 200
    assert Tokens(server.ledger.database).revoke("the reader", at=utc_now())
    assert server.send("GET", READ, headers=headers).status_code == 401


def test_tokens_are_compared_in_constant_time_and_kept_as_hashes(
    server: Serving, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import hmac

    compared = []
    real = hmac.compare_digest

    def counted(one: Any, other: Any) -> bool:
        compared.append(1)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    for token in (tokens["emitter"], "pst_wrong"):
        compared.clear()
        server.send("GET", READ, headers=bearer(token))
        assert len(compared) == len(tokens)
    file = str(server.ledger.database.engine.url.database)
    with closing(sqlite3.connect(file)) as raw:
        kept = json.dumps(raw.execute("SELECT * FROM token").fetchall())
    assert not [token for token in tokens.values() if token in kept]


def test_who_calls_too_often_is_asked_to_wait(url: str, tokens: dict[str, str]) -> None:
    now = 0.0
    with serving(url, seconds=lambda: now, tokens_required=True, calls_per_minute=20) as server:

        def call(token: str) -> requests.Response:
            return server.send("GET", READ, headers=bearer(token))

        answers = [call(tokens["reader"]) for _ in range(30)]
        assert [a.status_code for a in answers] == [200] * 20 + [429] * 10
        asked_to_wait = int(answers[-1].headers["retry-after"])
        assert asked_to_wait > 0
        assert call(tokens["auditor"]).status_code == 200  # another's bucket
        wrong = [call("pst_guessed").status_code for _ in range(30)]
        assert wrong == [401] * 20 + [429] * 10
        assert {entry["status"] for entry in accesses(server, tokens["auditor"])} == {200, 401, 429}
        now += asked_to_wait
        assert call(tokens["reader"]).status_code == 200


def test_every_answer_has_the_headers(server: Serving, tokens: dict[str, str]) -> None:
    admin = bearer(tokens["admin"])
    calls: list[tuple[int, requests.Response]] = [
        (200, server.send("GET", READ, headers=admin)),
        (200, server.send("HEAD", READ, headers=admin)),
        (200, server.send("GET", "/openapi.json", headers=admin)),
        (200, server.send("GET", "/")),
        (200, server.send("GET", "/any/page")),
        (201, server.send("POST", SEND, headers=admin, json=EVENT)),
        (400, server.send("POST", SEND, headers={**admin, "content-type": "application/json"})),
        (401, server.send("GET", READ)),
        (403, server.send("GET", READ, headers=bearer(tokens["emitter"]))),
        (404, server.send("GET", "/api/none", headers=admin)),
        (404, server.send("GET", f"{OWN}/dataset", params={"id": "a|b"}, headers=admin)),
        (405, server.send("POST", READ, headers=admin)),
        (405, server.send("DELETE", "/")),
        (415, server.send("POST", SEND, headers=admin, data="{}")),
        (422, server.send("GET", f"{OWN}/dataset", headers=admin)),
        (422, server.send("POST", SEND, headers=admin, json={})),
    ]
    for status, answer in calls:
        assert answer.status_code == status, answer.url
        assert {name.lower() for name in answer.headers} >= HEADERS, answer.url
        if status >= 400 and answer.request.method != "HEAD":
            assert {"error", "where", "next_step"} <= answer.json().keys(), answer.url


def test_a_failure_of_the_server_tells_no_stack_and_no_value(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    from starlette.testclient import TestClient

    with Ledger.open(url) as ledger:
        app = create_app(ledger, ServerSettings())

        @app.get("/api/penstock/v1/broken")
        def broken() -> None:
            raise KeyError("ada@example.com")

        app.router.routes.insert(0, app.router.routes.pop())
        client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        answer = client.get("/api/penstock/v1/broken")
    assert answer.status_code == 500
    assert {"error", "where", "next_step"} <= answer.json().keys()
    assert {name.lower() for name in answer.headers} >= HEADERS
    assert "KeyError at test_guard.py" in caplog.text
    assert "ada@example.com" not in caplog.text + answer.text


@pytest.mark.parametrize("path", [READ, "/"])
def test_a_ledger_that_cannot_be_written_ends_a_read_with_503(url: str, path: str) -> None:
    with serving(url, busy_timeout_seconds=0.2) as server:

        def is_read() -> bool:
            # the graph is written too, and on a slow disk for longer than the server waits here
            return server.get(READ).status_code == 200

        until(is_read, "the ledger is free")
        file = str(server.ledger.database.engine.url.database)
        with closing(sqlite3.connect(file, PATIENCE_SECONDS, isolation_level=None)) as raw:
            raw.execute("BEGIN IMMEDIATE")
            answer = server.get(path)
            if path == READ:  # nobody could write down who read it
                assert answer.status_code == 503
                assert "locked by another process" in answer.json()["error"]
                assert "lineages" not in answer.text
            assert {name.lower() for name in answer.headers} >= HEADERS
            raw.execute("ROLLBACK")
        until(is_read, "the ledger is free again")


def test_each_read_is_written_down(server: Serving, tokens: dict[str, str]) -> None:
    server.send("POST", SEND, json=EVENT, headers=bearer(tokens["emitter"]))
    server.send("GET", f"{OWN}/dataset", params={"id": "file|b"}, headers=bearer(tokens["reader"]))
    server.send("HEAD", READ, headers=bearer(tokens["reader"]))
    server.send("GET", READ, headers=bearer(tokens["emitter"]))
    server.send("GET", AUDIT, headers=bearer(tokens["reader"]))
    server.send("GET", f"{OWN}/none", headers=bearer(tokens["admin"]))
    server.send("GET", READ)
    server.send("GET", READ, headers=bearer("pst_guessed"))
    found = accesses(server, tokens["auditor"])
    assert [(e["who"], e["method"], e["path"], e["status"]) for e in reversed(found)] == [
        ("the reader", "GET", f"{OWN}/dataset", 200),
        ("the reader", "HEAD", READ, 200),
        ("the emitter", "GET", READ, 403),
        ("the reader", "GET", AUDIT, 403),
        ("the admin", "GET", f"{OWN}/none", 404),
        ("", "GET", READ, 401),
        ("", "GET", READ, 401),
    ]
    assert found[-1]["query"] == "id=file%7Cb"
    assert {entry["at"] for entry in found} == {instant(AT)}
    (last,) = accesses(server, tokens["auditor"], limit=1)
    assert (last["who"], last["path"]) == ("the auditor", AUDIT)


def test_many_reads_at_once_are_all_written_down(server: Serving, tokens: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        reads = [
            pool.submit(
                requests.get,
                server.url + READ,
                headers=bearer(tokens["reader"]),
                timeout=PATIENCE_SECONDS,
            )
            for _ in range(64)
        ]
        assert {read.result().status_code for read in reads} == {200}
    assert len(accesses(server, tokens["auditor"], who="the reader", limit=1000)) == 64


def test_a_token_in_an_address_is_not_written_down(server: Serving, tokens: dict[str, str]) -> None:
    reader = tokens["reader"]
    answer = server.send("GET", READ, params={"token": reader}, headers=bearer(reader))
    assert answer.status_code == 200
    server.send("GET", f"{OWN}/{reader}", headers=bearer(reader))
    found = accesses(server, tokens["auditor"])
    assert [(e["path"], e["query"]) for e in found] == [
        (f"{OWN}/pst_...", ""),
        (READ, "token=pst_..."),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/../app.py",
        "/../../../../../../../../etc/passwd",
        "/..%2f..%2fapp.py",
        "/%2e%2e/%2e%2e/app.py",
        "/..%5c..%5capp.py",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/%2Fetc%2Fpasswd",
        "/%00",
        "/a%00b",
        "/" + "a" * 5000,
        "/" + "a/" * 3000,
        "/%ff%fe",
        "/%252e%252e/app.py",
        "/file:///etc/passwd",
    ],
)
def test_a_path_leads_to_files_of_the_browser_alone(open_server: Serving, path: str) -> None:
    lines = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    head, _, body = open_server.raw(lines.encode()).partition(b"\r\n\r\n")
    assert int(head.split()[1]) in {200, 404}, head
    assert b"content-security-policy" in head.lower()
    assert b"create_app" not in body
    assert b"root:" not in body


def test_a_link_out_of_the_folder_is_not_followed(
    open_server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penstock.server import browser

    static = tmp_path / "static"
    static.mkdir()
    (tmp_path / "secret").write_text("secret")
    (static / "index.html").write_text("the browser")
    (static / "inside.js").write_text("1")
    (static / "out").symlink_to(tmp_path / "secret")
    (static / "ring").symlink_to(static / "ring")
    monkeypatch.setattr(browser, "STATIC", static)
    assert open_server.get("/inside.js").text == "1"
    assert {name.lower() for name in open_server.get("/inside.js").headers} >= HEADERS
    for path in ("/out", "/ring", "/ring/x", "/inside.js/x", "/"):
        assert open_server.get(path).text == "the browser"
    assert static != STATIC


def test_what_has_a_hash_in_its_name_is_loaded_once(
    open_server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penstock.server import browser

    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-4f2a.js").write_text("1")
    (tmp_path / "index.html").write_text("the browser")
    monkeypatch.setattr(browser, "STATIC", tmp_path)
    hashed = open_server.get("/assets/index-4f2a.js")
    assert hashed.text == "1"
    assert "immutable" in hashed.headers["cache-control"]
    assert open_server.get("/").headers["cache-control"] == "no-store"
    # a page from before an upgrade asks for a file that is no more: HTML would be run as a script
    gone = open_server.get("/assets/index-0000.js")
    assert gone.status_code == 404
    assert "immutable" not in gone.headers["cache-control"]


def test_head_is_answered_like_get_without_a_body(open_server: Serving) -> None:
    for path in (READ, "/", "/openapi.json", f"{OWN}/none"):
        got, headed = open_server.get(path), open_server.send("HEAD", path)
        assert headed.status_code == got.status_code
        assert headed.headers["content-type"] == got.headers["content-type"]
        assert headed.content == b""
    raw = open_server.raw(
        f"HEAD {READ} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    )
    assert raw.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X"])
@pytest.mark.parametrize("path", [READ, SEND, "/"])
def test_other_methods_are_refused(open_server: Serving, method: str, path: str) -> None:
    headers = {
        "origin": "http://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    answer = open_server.send(method, path, headers=headers)
    # a server's parser may refuse a method that nobody knows before the application is asked
    assert answer.status_code == 405 or (method == "X" and answer.status_code == 400)
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/lineage HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"GET /api/penstock/v1/summary HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(open_server: Serving, request_: bytes) -> None:
    assert open_server.raw(request_).split(b" ")[1] in {b"400", b"413", b"421"}
    assert open_server.get(READ).status_code == 200


def serve_refused(folder: Path, url: str, *arguments: str) -> dict[str, Any]:
    """What `penstock serve` says when it does not start."""
    output, errors = (folder / f"refused-{uuid.uuid4()}.{kind}" for kind in ("out", "err"))
    command = ("serve", "--json", "--ledger", url, *arguments)
    # no deployment is there to be loaded first
    with forked(output, penstock, *command, cwd=Path("/"), errors=errors) as process:
        assert process.wait() != 0
    said, told = output.read_text(), errors.read_text()
    assert "Traceback" not in told
    assert PASSWORD not in said + told
    found: dict[str, Any] = json.loads(said)
    return found


@pytest.mark.slow
def test_off_the_machine_it_does_not_start_without_a_token(url: str, tmp_path: Path) -> None:
    told = serve_refused(tmp_path, url, "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert "asks for tokens" in json.dumps(told)
    assert "penstock token add" in json.dumps(told)
    with Ledger.open(url) as ledger:
        Tokens(ledger.database).add("gone", Role.ADMIN, at=utc_now())
        Tokens(ledger.database).revoke("gone", at=utc_now())
    assert "asks for tokens" in json.dumps(serve_refused(tmp_path, url, "--host", "::"))


@pytest.mark.parametrize(
    "ledger",
    [
        f"nosuchdb://user:{PASSWORD}@127.0.0.1/x",
        f"postgresql://127.0.0.1:1/x?user=u&password={PASSWORD}",
        f"postgresql://user:{PASSWORD}@127.0.0.1:1/x",
    ],
)
def test_a_password_of_the_ledger_is_never_told(ledger: str, tmp_path: Path) -> None:
    serve_refused(tmp_path, ledger)


@pytest.mark.slow
def test_a_port_that_is_taken_and_an_address_of_another_are_told(
    url: str, tmp_path: Path, tokens: dict[str, str]
) -> None:
    assert tokens
    with serving_process(tmp_path / "one", url) as server:
        assert "listen" in json.dumps(serve_refused(tmp_path, url, "--port", str(server.port)))
    assert "listen" in json.dumps(serve_refused(tmp_path, url, "--host", "192.0.2.1"))
    assert "listen" in json.dumps(serve_refused(tmp_path, url, "--host", "no.such.host.invalid"))


def certificate(folder: Path, *, passphrase: bytes | None = None) -> tuple[Path, Path]:
    """A self-made certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "penstock test")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - dt.timedelta(days=1))
        .not_valid_after(utc_now() + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    chain_file, key_file = folder / "chain.pem", folder / "key.pem"
    chain_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    locked = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, locked))
    return chain_file, key_file


@pytest.mark.slow
def test_off_the_machine_with_tokens_and_tls(
    url: str, tmp_path: Path, tokens: dict[str, str]
) -> None:
    chain_file, key_file = certificate(tmp_path)
    with serving_process(
        tmp_path / "out",
        url,
        "--host",
        "0.0.0.0",  # noqa: S104
        "--tls-certificate",
        str(chain_file),
        "--tls-key",
        str(key_file),
        verify=str(chain_file),
    ) as server:
        assert server.url.startswith("https://")
        assert server.get(READ).status_code == 401
        answer = server.send("POST", SEND, json=EVENT, headers=bearer(tokens["emitter"]))
        assert answer.status_code == 201
        assert server.send("GET", READ, headers=bearer(tokens["reader"])).json()["events"] == 1
        assert server.get(READ, token=tokens["reader"]).status_code == 401
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(server.url, timeout=PATIENCE_SECONDS)
        signed = server.send("POST", f"{OWN}/session", json={"token": tokens["reader"]})
        given = signed.headers["set-cookie"]
        assert given.startswith(cookie_name(tls=True))
        assert "; Secure" in given
        assert server.get(READ).status_code == 200
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert not re.search(r"ps[st]_[\w-]{20,}", written)
    assert "Traceback" not in written


def test_off_the_machine_without_tls_it_says_so(
    url: str, tmp_path: Path, tokens: dict[str, str]
) -> None:
    with serving_process(tmp_path / "out", url, "--host", "0.0.0.0") as server:  # noqa: S104
        assert "tokens travel in clear" in server.output.read_text()
        assert server.send("GET", READ, headers=bearer(tokens["reader"])).status_code == 200


@pytest.mark.parametrize("case", ["no key", "missing", "no certificate", "another's key", "locked"])
def test_a_certificate_that_does_not_serve_is_told(url: str, tmp_path: Path, case: str) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    chain_file, key_file = certificate(one, passphrase=b"x" if case == "locked" else None)
    match case:
        case "no key":
            given = ["--tls-certificate", str(chain_file)]
        case "missing":
            given = ["--tls-certificate", str(tmp_path / "none"), "--tls-key", str(key_file)]
        case "no certificate":
            given = ["--tls-certificate", str(key_file), "--tls-key", str(key_file)]
        case "another's key":
            given = ["--tls-certificate", str(chain_file), "--tls-key", str(certificate(two)[1])]
        case _:
            given = ["--tls-certificate", str(chain_file), "--tls-key", str(key_file)]
    told = json.dumps(serve_refused(tmp_path, url, *given))
    assert "certificate" in told
    assert "does not know" not in told
