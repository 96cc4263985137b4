"""The access log finds what a person looks for, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock.lineage import Ledger, utc_now
from penstock.lineage.tokens import Role, Tokens
from tests.lineage.server.serving import OWN, Serving, serving
from tests.lineage.told_events import dataset, run_event, symlinks

if TYPE_CHECKING:
    from collections.abc import Iterator

AUDIT = f"{OWN}/access"
LAKE, NAMED = "s3://lake", "penstock"
ID = f"{LAKE}|/silver/Fahrgäste & more"
NODE = f"dataset:{LAKE}:/silver/Fahrgäste & more"
PATH = "/api/v1/namespaces/penstock/datasets/silver.bookings"


@pytest.fixture
def server(url: str) -> Iterator[Serving]:
    """What was looked at: one dataset by all its names, and one whose name begins alike."""
    with Ledger.open(url) as ledger:
        known = Tokens(ledger.database)
        tokens = {name: known.add(name, Role.AUDITOR, at=utc_now()) for name in ("ada", "ben")}
    other = symlinks((NAMED, "silver.bookings"))
    with serving(url, tokens_required=True) as server:
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
    later = utc_now().isoformat()
    assert found(server, since=later) == []
    assert len(found(server, until=later)) == 7
    assert found(server, who="ben", q="sure", until=later) == [("ben", "/search")]


def test_pages_follow_each_other_without_a_gap(server: Serving) -> None:
    until = utc_now().isoformat()
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


@pytest.mark.parametrize("token", ["pst_abc-DEF_1", "pst%5Fabc-DEF_1", "pss_0123.abc", "%70st_abc"])
def test_a_secret_is_not_in_the_log_however_it_is_written(server: Serving, token: str) -> None:
    server.send("GET", f"{OWN}/datasets?q={token}&limit=5")
    last = server.get(AUDIT, q="/datasets", limit=1)
    assert last.json()["accesses"][0]["query"].endswith("_...&limit=5")
    assert "abc" not in last.text
    assert found(server, q="abc") == []
