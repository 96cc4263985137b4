"""A real lineage server on a free port of loopback, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
import uvicorn

from penstock.ledger import Ledger, utc_now
from penstock.server import ServerSettings, create_app
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from penstock.evidence import SigningKey
    from penstock.evidence.table_histories import Histories
    from penstock.ledger.ledger import Clock


@dataclass(frozen=True, slots=True)
class LiveServer:
    url: str
    ledger: Ledger

    def send(self, events: Sequence[Any]) -> requests.Response:
        return requests.post(f"{self.url}/api/v1/lineage", json=events, timeout=PATIENCE_SECONDS)

    def get(self, path: str, **parameters: Any) -> Any:
        """The answer's body; the call must have gone well. The path is sent as it is."""
        answer = self.ask(path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, path: str, **parameters: Any) -> requests.Response:
        return requests.get(f"{self.url}/api/v1{path}", params=parameters, timeout=PATIENCE_SECONDS)


@contextmanager
def live_server(
    folder: Path | None = None,
    settings: ServerSettings | None = None,
    *,
    url: str | None = None,
    histories: Histories | None = None,
    signing_key: Callable[[], SigningKey] | None = None,
    clock: Clock = utc_now,
) -> Iterator[LiveServer]:
    """Of the ledger in the folder, or at the URL; with the tables of a lake, if there is one.

    It listens already when the block begins, and ends with the block.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    with Ledger.open(url or f"sqlite:///{folder}/ledger.db", clock=clock) as ledger:
        app = create_app(ledger, settings, histories=histories, signing_key=signing_key)
        # no connection ends between two calls, however long a test takes from one to the next
        config = uvicorn.Config(app, log_level="error", timeout_keep_alive=PATIENCE_SECONDS)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield LiveServer(f"http://127.0.0.1:{listening.getsockname()[1]}", ledger)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
            listening.close()
