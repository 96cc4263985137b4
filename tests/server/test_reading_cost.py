"""What a read costs grows with its answer: the statements it takes do not grow with the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from penstock.ledger import Ledger
from penstock.server import create_app
from tests.ledger.told_events import dataset, identity, lineage, moment, run_event, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Clients = dict[int, tuple[Ledger, TestClient]]

FEW, MANY = 4, 40
OWN, MARQUEZ = "/api/penstock/v1", "/api/v1"
READS = [
    f"{OWN}/summary",
    f"{OWN}/times",
    f"{OWN}/datasets",
    f"{OWN}/graph",
    f"{OWN}/graph?at={moment(10).replace('+', '%2B')}",
    f"{OWN}/graph?id=file|/shared",
    f"{OWN}/impact?id=file|/shared",
    f"{OWN}/changes?since={moment(0).replace('+', '%2B')}",
    f"{OWN}/dataset?id=file|/shared",
    f"{OWN}/run?id={identity('0')}",
    f"{OWN}/readers?id=file|/shared",
    f"{OWN}/readers?id=file|/shared&column=k",
    f"{OWN}/search?q=a",
    f"{OWN}/pii",
    f"{MARQUEZ}/namespaces",
    f"{MARQUEZ}/sources",
    f"{MARQUEZ}/tags",
    f"{MARQUEZ}/namespaces/file/datasets",
    f"{MARQUEZ}/namespaces/file/datasets/%2Fshared/versions",
    f"{MARQUEZ}/jobs",
    f"{MARQUEZ}/jobs?lastRunStates=COMPLETED",
    f"{MARQUEZ}/namespaces/spark/jobs/job-0",
    f"{MARQUEZ}/namespaces/spark/jobs/job-0/runs",
    f"{MARQUEZ}/namespaces/spark/jobs/job-0/versions",
    f"{MARQUEZ}/lineage?nodeId=job:spark:job-0&depth=1",
    f"{MARQUEZ}/column-lineage?nodeId=dataset:file:/shared&withDownstream=true&depth=1",
    f"{MARQUEZ}/runlineage/upstream?runId={identity('last')}",
    f"{MARQUEZ}/events/lineage",
    f"{MARQUEZ}/search?q=a",
    f"{MARQUEZ}/stats/sources?period=DAY",
]


def told(count: int) -> list[dict[str, Any]]:
    """A dataset that `count` jobs read, and a job that ran `count` times and read all they made."""
    tags = {"tags": [{"key": "pii", "value": "EMAIL", "field": "k", "source": "CONTRACT"}]}
    owners = {"owners": [{"name": "team:a"}]}
    shared = dataset("/shared", schema=schema("k"), tags=tags, ownership=owners)
    made = [
        dataset(f"/made-{n}", schema=schema("k"), columnLineage=lineage("/shared.k > k"), tags=tags)
        for n in range(count)
    ]
    events = [
        run_event("COMPLETE", n, f"job-{n}", run=str(n), inputs=(shared,), outputs=(made[n],))
        for n in range(count)
    ]
    again = lineage(*(f"/made-{n}.k > k" for n in range(count)))
    again_made = dataset("/again", schema=schema("k"), columnLineage=again)
    many: dict[str, Any] = {"inputs": tuple(made), "outputs": (again_made,)}
    events += [
        run_event("COMPLETE", 100 + n, "job-0", run=f"again-{n}", **many) for n in range(count)
    ]
    return [*events, run_event("COMPLETE", 200, "last", inputs=("/again", *made))]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    found: Clients = {}
    folder: Path = tmp_path_factory.mktemp("cost")
    for count in (FEW, MANY):
        ledger = Ledger.open(f"sqlite:///{folder / f'{count}.db'}")
        ledger.append_all(told(count))
        found[count] = (ledger, TestClient(create_app(ledger), base_url="http://127.0.0.1"))
        assert found[count][1].get(f"{OWN}/summary").json()["datasets"] == count + 2
    yield found
    for ledger, _ in found.values():
        ledger.close()


def statements(ledger: Ledger, client: TestClient, path: str) -> int:
    asked: list[str] = []

    def hear(*heard: Any) -> None:
        asked.append(heard[2])

    event.listen(ledger.database.engine, "before_cursor_execute", hear)
    try:
        answer = client.get(path)
    finally:
        event.remove(ledger.database.engine, "before_cursor_execute", hear)
    assert answer.status_code == 200, answer.text
    return len(asked)


@pytest.mark.parametrize("path", READS)
def test_ten_times_as_much_is_read_by_as_many_statements(clients: Clients, path: str) -> None:
    few, many = (statements(*clients[count], path) for count in (FEW, MANY))
    assert many <= few + 2
