"""A run whose events were moved to the archive: told whole, or told that something is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from penstock.ledger import Ledger
from penstock.ledger.archive import archive_events
from penstock.ledger.archived import archived_files
from penstock.server import create_app
from tests.ledger.told_events import identity, run_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = {"id": identity("long")}


class Archived:
    """A ledger of which the first events are in files of two."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.folder = ledger, folder
        self.client = TestClient(create_app(ledger), base_url="http://127.0.0.1")
        told = [
            run_event("START", 1, "a", run="long", outputs=("/x",)),
            run_event("START", 2, "b", run="other", outputs=("/y",)),
            run_event("RUNNING", 3, "a", run="long", outputs=("/x",)),
            # some producers give one id to runs of several jobs
            run_event("RUNNING", 4, "c", run="long", outputs=("/z",)),
            run_event("COMPLETE", 5, "a", run="long", outputs=("/x",)),
            run_event("COMPLETE", 6, "b", run="other", outputs=("/y",)),
        ]
        assert self.client.post("/api/v1/lineage", json=told).status_code == 201

    def run(self) -> Any:
        answer = self.client.get("/api/penstock/v1/run", params={**RUN, "job": "spark|a"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def archive(self, before: int) -> list[Path]:
        archive_events(self.ledger, self.folder, before=before, file_events=2)
        with self.ledger.database.read() as connection:
            return [file.path for file in archived_files(connection)]


@pytest.fixture
def archived(url: str, tmp_path: Path) -> Iterator[Archived]:
    with Ledger.open(url) as ledger:
        yield Archived(ledger, tmp_path / "archive")


@pytest.mark.parametrize("before", [2, 4, 7])
def test_a_run_has_the_events_it_had_with_their_links_and_says_where_they_are(
    archived: Archived, before: int
) -> None:
    whole = archived.run()
    assert [event["sequence"] for event in whole["events"]] == [1, 3, 5]
    assert whole["events_complete"]
    assert {event["archive"] for event in whole["events"]} == {None}
    files = archived.archive(before)
    now = archived.run()
    assert [event | {"archive": None} for event in now["events"]] == whole["events"]
    assert now["events_complete"]
    assert now["events_unread"] == []
    names = {event["sequence"]: event["archive"] for event in now["events"]}
    assert names == {
        sequence: files[(sequence - 1) // 2].name if sequence < before else None
        for sequence in (1, 3, 5)
    }


def test_a_file_that_is_gone_or_was_changed_is_said_and_the_rest_is_told(
    archived: Archived,
) -> None:
    first, second = archived.archive(5)
    second.write_bytes(second.read_bytes() + b"\0")
    told = archived.run()
    assert [event["sequence"] for event in told["events"]] == [1, 5]
    assert not told["events_complete"]
    [unread] = told["events_unread"]
    assert (unread["first"], unread["last"], unread["archive"]) == (3, 4, second.name)
    assert "was changed" in unread["why"]
    first.unlink()
    assert [u["why"] for u in archived.run()["events_unread"]] == [
        "is not there",
        "was changed: its SHA-256 is another",
    ]


def test_the_list_of_raw_events_says_how_many_it_lacks(archived: Archived) -> None:
    archived.archive(5)
    for path in ("/api/v1/events/lineage", "/api/v1/namespaces/spark/events/lineage"):
        told = archived.client.get(path).json()
        assert (told["totalCount"], told["archivedCount"]) == (2, 4)
    none = archived.client.get("/api/v1/namespaces/nobody/events/lineage").json()
    assert (none["totalCount"], none["archivedCount"]) == (0, 0)
