"""A body that is packed, cut off or too long."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
import requests

from penstock.server import ServerSettings
from tests.ledger.told_events import run_event
from tests.patience import PATIENCE_SECONDS
from tests.server.live_server import LiveServer, live_server

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 10_000
EVENT = json.dumps(run_event("COMPLETE", 1, "job")).encode()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(
        tmp_path_factory.mktemp("body"), ServerSettings(most_body_bytes=MOST)
    ) as server:
        yield server


def status(server: LiveServer, body: bytes, encoding: str | None) -> int:
    headers = {"Content-Type": "application/json"}
    if encoding:
        headers["Content-Encoding"] = encoding
    answer = requests.post(
        f"{server.url}/api/v1/lineage", data=body, headers=headers, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code == 201 or answer.json()["next_step"]
    return answer.status_code


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (EVENT, None, 201),
        (EVENT, "identity", 201),
        (gzip.compress(EVENT), "gzip", 201),
        (gzip.compress(EVENT), "GZIP", 201),
        (EVENT + b" " * (MOST - len(EVENT)), None, 201),
        (EVENT + b" " * (MOST - len(EVENT) + 1), None, 413),
        (gzip.compress(EVENT + b" " * (MOST - len(EVENT))), "gzip", 201),
        (gzip.compress(EVENT + b" " * (MOST - len(EVENT) + 1)), "gzip", 413),
        # a megabyte in a kilobyte
        (gzip.compress(b" " * 1_000_000), "gzip", 413),
        (EVENT, "gzip", 400),
        (gzip.compress(EVENT)[:-1], "gzip", 400),
        (gzip.compress(EVENT) + b"more", "gzip", 400),
        (b"", "gzip", 400),
        (EVENT, "br", 415),
    ],
)
def test_a_body_is_taken_whole_or_not_at_all(
    small: LiveServer, body: bytes, encoding: str | None, expected: int
) -> None:
    assert status(small, body, encoding) == expected
    assert small.get("/events/lineage")["totalCount"] <= 1
