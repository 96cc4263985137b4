"""The access log finds what a person looks for, on both databases."""

from __future__ import annotations

import string
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.events.name import LONGEST_NAME_BYTES
from penstock.ledger import Ledger, utc_now
from penstock.ledger.tokens import Caller, Role, Tokens
from penstock.server.access_line import access_line
from tests.ledger.told_events import AT, dataset, run_event, symlinks
from tests.server.serving import OWN, Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

AUDIT = f"{OWN}/access"
SECRET = "Qm7-xR_4vT0zKcW9yLpB2nHsJ5dGfA8eU1iO3tEaXqY"
LAKE, NAMED = "s3://lake", "penstock"
ID = f"{LAKE}|/silver/Fahrgäste & more"
NODE = f"dataset:{LAKE}:/silver/Fahrgäste & more"
PATH = "/api/v1/namespaces/penstock/datasets/silver.bookings"


@pytest.fixture
def server(url: str) -> Iterator[Serving]:
    """What was looked at: one dataset by all its names, and one whose name begins alike.

    By its clock a second goes by with each call.
    """
    ticks = count()
    with Ledger.open(url) as ledger:
        known = Tokens(ledger.database)
        tokens = {name: known.add(name, Role.AUDITOR, at=utc_now()) for name in ("ada", "ben")}
    other = symlinks((NAMED, "silver.bookings"))
    with serving(
        url, clock=lambda: AT + timedelta(seconds=next(ticks)), tokens_required=True
    ) as server:
        name = ID.partition("|")[2]
        told = dataset(name, namespace=LAKE, symlinks=other)
        alike = dataset(f"{name}_old", namespace=LAKE)
        server.ledger.append(run_event("COMPLETE", 0, "job", outputs=(told, alike)))

        def look(who: str, path: str, **asked: Any) -> None:
            headers = {"authorization": f"Bearer {tokens[who]}"}
            assert server.send("GET", path, params=asked, headers=headers).status_code == 200

        look("ada", f"{OWN}/dataset", id=ID)
        look("ada", f"{OWN}/dataset", id=f"{ID}_old")
        look("ben", f"{OWN}/dataset", id=f"{NAMED}|silver.bookings")
        look("ben", f"{OWN}/search", q="100%_sure")
        look("ben", "/api/v1/lineage", nodeId=NODE)
        look("ben", PATH)
        assert server.get(f"{OWN}/summary").status_code == 401
        server.session.headers["authorization"] = f"Bearer {tokens['ada']}"
        yield server


def found(server: Serving, **asked: Any) -> list[tuple[str, str]]:
    """Who and what, oldest first, without the reading of the log itself."""
    answer = server.get(AUDIT, **asked)
    assert answer.status_code == 200, answer.text
    return [
        (one["who"], one["path"].removeprefix(OWN))
        for one in reversed(answer.json()["accesses"])
        if one["path"] != AUDIT
    ]


@pytest.mark.parametrize(
    ("q", "calls"),
    [
        (ID, 2),
        (ID.lower(), 2),
        ("id=s3%3A%2F%2Flake%7C%2Fsilver%2FFahrg%C3%A4ste+%26+more", 2),
        (f"{OWN}/dataset?id=s3%3A%2F%2Flake%7C%2Fsilver%2FFahrg%C3%A4ste+%26+more", 2),
        ("Fahrgäste & more", 3),
        ("fahrg", 3),
        ("SILVER.BOOKINGS", 2),
        ("100%_sure", 1),
        ("100%", 1),
        ("q=100%25_sure", 1),
        ("100x", 0),
        ("no such", 0),
        ("/summary", 1),
        ("%00", 0),
        ("%", 1),
    ],
)
def test_a_text_is_found_as_it_is_written_and_as_it_was_sent(
    server: Serving, q: str, calls: int
) -> None:
    assert len(found(server, q=q)) == calls


def test_a_dataset_is_found_by_every_name_and_no_other_is(server: Serving) -> None:
    every = [
        ("ada", "/dataset"),
        ("ben", "/dataset"),
        ("ben", "/api/v1/lineage"),
        ("ben", PATH),
    ]
    assert found(server, dataset=ID) == every
    assert found(server, dataset=f"{NAMED}|silver.bookings") == every
    assert found(server, dataset=f"{ID}_old") == [("ada", "/dataset")]
    assert found(server, dataset=ID.lower()) == []
    assert found(server, dataset="no such") == []


def test_who_and_when_and_what_was_refused(server: Serving) -> None:
    assert {who for who, _ in found(server, who="ben")} == {"ben"}
    assert found(server, refused=True) == [("", "/summary")]
    assert found(server, who="", refused=True) == [("", "/summary")]
    later = server.ledger.now().isoformat()
    assert found(server, since=later) == []
    assert len(found(server, until=later)) == 7
    assert found(server, who="ben", q="sure", until=later) == [("ben", "/search")]


def test_pages_follow_each_other_without_a_gap(server: Serving) -> None:
    until = server.ledger.now().isoformat()
    ids, before = [], None
    for more in (True, True, True, False):
        answer = server.get(AUDIT, until=until, limit=2, before=before).json()
        assert answer["more"] is more
        ids += [one["id"] for one in answer["accesses"]]
        before = ids[-1]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 7


def test_datasets_are_called_what_people_call_them(server: Serving) -> None:
    answer = server.get(AUDIT).json()
    assert answer["labels"][ID] == answer["labels"][f"{NAMED}|silver.bookings"] == "silver.bookings"
    assert answer["callers"] == ["ada", "ben"]
    assert "sought" not in answer["accesses"][0]
    assert server.get(AUDIT, dataset=ID, limit=1).json()["labels"][ID] == "silver.bookings"


def test_reading_the_log_is_written_down_too(server: Serving) -> None:
    server.get(AUDIT, who="ben")
    last = server.get(AUDIT, limit=1).json()["accesses"][0]
    assert (last["who"], last["path"], last["query"]) == ("ada", AUDIT, "who=ben")


def test_a_secret_is_not_in_the_log_however_it_is_written(server: Serving) -> None:
    for token in (
        f"pst_{SECRET}",
        f"pst%5F{SECRET}",
        f"%70st_{SECRET}",
        f"pst_AbC%5F{SECRET}",
        f"pst%255F{SECRET}",
        f"pst_{SECRET[:9]}%2D{SECRET[9:]}",
        f"pss_{'0a' * 12}.{SECRET}",
        f"pss_{'0a' * 12}%2e{SECRET}",
        f"pst_x:pst%5F{SECRET}",
        f"x{'%25' * 40}70st_{SECRET}",
    ):
        server.send("GET", f"{OWN}/datasets?a=pst_{SECRET[::-1]}&q={token}&limit=5")
        last = server.get(AUDIT, q="/datasets", limit=1)
        assert last.json()["accesses"][0]["query"].endswith("...&limit=5"), token
        assert SECRET[10:] not in last.text, token
    assert found(server, q=SECRET[10:]) == []


@st.composite
def in_escapes(draw: st.DrawFn) -> tuple[str, str]:
    """A token or the key of a session, and an address that holds it."""
    alphabet = string.ascii_letters + string.digits + "_-"
    secret = draw(st.text(alphabet, min_size=43, max_size=43))
    assume(any(letter.isupper() for letter in secret))
    prefix = draw(st.sampled_from(["pst_", f"pss_{'0a' * 12}."]))
    depths = st.lists(st.integers(0, 4), min_size=80, max_size=80)
    escaped = "".join(
        f"%{'25' * (depth - 1)}{ord(letter):02x}" if depth else letter
        for letter, depth in zip(prefix + secret, draw(depths), strict=False)
    )
    around = st.sampled_from(["", "x", "%", "%2", "&", "=", "/", "%26", ".", "pst_", "\xe9", "%00"])
    return secret, f"{draw(around)}{escaped}{draw(around)}"


@given(told=in_escapes(), before=st.text(max_size=3), place=st.sampled_from(["path", "query"]))
def test_no_escapes_bring_a_secret_into_a_line(
    told: tuple[str, str], before: str, place: str
) -> None:
    secret, address = told
    path, query = (before + address, "") if place == "path" else ("/", quote(before) + address)
    scope = {"path": f"/api/{unquote(path)}", "query_string": query.encode("latin-1", "replace")}
    nobody = Caller(name="", role=Role.READER)
    line = access_line({"type": "http", "method": "GET", **scope}, nobody, 200, utc_now())
    assert not [
        name for name in ("path", "query", "sought") if secret in _decoded_wholly(line[name])
    ]


def _decoded_wholly(text: str) -> str:
    while (decoded := unquote(text)) != text:
        text = decoded
    return text


def test_a_read_is_found_whatever_the_dataset_is_called(server: Serving) -> None:
    for name in (
        "pst_orders",
        "created_pst_at",
        "pst_orders_by_customer_and_region_daily",
        "pst_OrdersByCustomerAndRegionOfTheLastTwelveMonths",
        "a\x85b",
        "a\u2028",
        "100%41",
        "a%252525b",
        f"pss_{'a' * 24}.orders",
    ):
        asked = f"s3://other|/{name}"
        server.get(f"{OWN}/dataset", id=asked)
        server.get(f"/api/v1/namespaces/s3/datasets/{quote(name, safe='')}")
        server.get("/api/v1/lineage", nodeId=f"dataset:s3:{name}")
        server.get("/api/v1/lineage", nodeId=f"datasetField:s3:{name}:x")
        assert found(server, dataset=asked) == [("ada", "/dataset")], name
        assert len(found(server, dataset=f"s3|{name}")) == 3, name


def test_a_name_that_is_no_secret_stands_in_the_log(server: Serving) -> None:
    server.get(f"{OWN}/dataset", id="file|/lake/pst_orders_by_customer", column="created_pst_at")
    last = server.get(AUDIT, q="/lake/pst_orders_by", limit=1).json()["accesses"][0]
    assert last["query"] == "id=file%7C%2Flake%2Fpst_orders_by_customer&column=created_pst_at"


def test_no_length_hides_what_was_asked(server: Serving) -> None:
    server.get(f"{OWN}/dataset", pad="x" * 9000, id=ID)
    assert found(server, dataset=ID)[-1] == ("ada", "/dataset")
    longest = "\xe9" * (LONGEST_NAME_BYTES // 2)
    told = {"source": f"{longest}|{longest}", "target": f"{longest}|a{longest[1:]}"}
    columns = {"source_column": longest, "target_column": longest}
    assert server.get(f"{OWN}/path", **told, **columns).status_code == 404
    assert found(server, dataset=told["target"]) == [("ada", "/path")]


def test_what_the_log_cannot_hold_is_refused_and_written_down(server: Serving) -> None:
    query = f"pad={'x' * 40_000}&id=file%7C%2Flake%2Fsecret"
    for method in ("GET", "POST"):
        answer = server.send(method, f"{OWN}/dataset?{query}")
        assert answer.status_code == 414
        assert {"error", "where", "next_step"} <= answer.json().keys()
        last = server.get(AUDIT, refused=True, limit=1).json()["accesses"][0]
        assert (last["who"], last["method"], last["status"]) == ("ada", method, 414)
        assert query.startswith(last["query"])
        assert len(last["query"]) > 1000


def test_bytes_that_are_no_ascii_are_read_as_the_application_reads_them() -> None:
    # some servers' parsers hand them on
    scope = {"type": "http", "method": "GET", "path": "/api", "query_string": b"id=file|caf\xe9"}
    nobody = Caller(name="", role=Role.READER)
    assert access_line(scope, nobody, 200, utc_now())["sought"] == "/api\nid=file|caf\xe9\n"
