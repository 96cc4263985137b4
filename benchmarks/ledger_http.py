"""Events posted to the lineage server over HTTP: one at a time and in lists, by several clients.

The server is a process of its own, with the ledger in a file; each client keeps its connection.
What is measured is from the post until the answer that says that the event is on disk, while the
server also keeps its graph up to date, as it does in use. The limit of calls is lifted.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from ledger_events import bare_per_second, run_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["posting", "print_posting", "served"]

_CLIENTS = (1, 4, 16)
_BATCH = 100
_SINGLE_GOAL, _BATCH_GOAL = 300, 1500
_CREATED = 201


def posting(folder: Path, count: int) -> dict[str, Any]:
    """Rates and waits of `count` events, one in a post and in lists, by each number of clients."""
    print(f"http: {count} events for each number of clients", flush=True)
    found = []
    with served(f"sqlite:///{folder / 'http.db'}") as port:
        for size in (1, _BATCH):
            for clients in _CLIENTS:
                events = [_fresh(number) for number in range(count)]
                bare = bare_per_second(folder / "http-bare.db", events, size)
                row = _posted(port, events, size, clients)
                found.append({"events_in_a_post": size, "clients": clients, **row, "bare": bare})
    return {"events": count, "posts": found}


def print_posting(told: dict[str, Any]) -> None:
    """A table of it."""
    print("| events in a post | clients | events /s | of a bare insert | wait, ms: median, p95 |")
    print("|---|---|---|---|---|")
    for row in told["posts"]:
        ratio = row["events_per_second"] / row["bare"]
        print(
            f"| {row['events_in_a_post']} | {row['clients']} | {row['events_per_second']:.0f} "
            f"| {ratio:.2f} | {row['median_ms']:.1f}, {row['p95_ms']:.1f} |"
        )
    for size, goal in ((1, _SINGLE_GOAL), (_BATCH, _BATCH_GOAL)):
        best = max(
            row["events_per_second"] for row in told["posts"] if row["events_in_a_post"] == size
        )
        verdict = "met" if best >= goal else "missed"
        print(f"events/s, {size} in a post: {best:.0f}, goal ≥ {goal}: {verdict}")


@contextmanager
def served(url: str) -> Iterator[int]:
    """The port of a server of the ledger at `url`, in a process of its own."""
    command = [sys.executable, __file__, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(60)


def _fresh(number: int) -> dict[str, Any]:
    event = run_event(number, jobs=200)
    event["run"]["runId"] = str(uuid.uuid4())
    return event


def _posted(port: int, events: Sequence[dict[str, Any]], size: int, clients: int) -> dict[str, Any]:
    lists = [events[at : at + size] for at in range(0, len(events), size)]
    bodies = [json.dumps(some if size > 1 else some[0]).encode() for some in lists]
    begin = threading.Barrier(clients + 1)

    def post(mine: Sequence[bytes]) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        waits = []
        begin.wait()
        for body in mine:
            asked = time.perf_counter()
            connection.request(
                "POST", "/api/v1/lineage", body, {"content-type": "application/json"}
            )
            answer = connection.getresponse()
            answer.read()
            waits.append(time.perf_counter() - asked)
            assert answer.status == _CREATED, answer.status
        connection.close()
        return waits

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(post, bodies[client::clients]) for client in range(clients)]
        begin.wait()
        began = time.perf_counter()
        waits = [wait for each in running for wait in each.result()]
        seconds = time.perf_counter() - began
    return {
        "events_per_second": len(events) / seconds,
        "median_ms": median(waits) * 1000,
        "p95_ms": quantiles(waits, n=20)[-1] * 1000,
        "worst_ms": max(waits) * 1000,
    }


def _serve(url: str) -> None:
    import uvicorn

    from penstock.ledger import Ledger
    from penstock.server import ServerSettings, create_app
    from penstock.server.listening import listen

    with Ledger.open(url) as ledger, listen("127.0.0.1", 0) as listening:
        app = create_app(ledger, ServerSettings(calls_per_minute=10**9))
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    _serve(sys.argv[1])
