"""The lineage server over real HTTP on loopback: in a thread, and as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
import uvicorn

from penstock.ledger import Ledger, utc_now
from penstock.server import ServerSettings, create_app
from tests.forked import Forked, forked
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from penstock.ledger.ledger import Clock

__all__ = [
    "LINEAGE",
    "OWN",
    "Serving",
    "ServingProcess",
    "penstock",
    "serving",
    "serving_process",
]

LINEAGE = "/api/v1/lineage"
OWN = "/api/penstock/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    url: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, **parameters: Any) -> requests.Response:
        """GET `path` with these parameters."""
        return self.session.get(self.url + path, params=parameters, timeout=PATIENCE_SECONDS)

    def post(self, told: Any, path: str = LINEAGE) -> requests.Response:
        """POST an event, or a list of them."""
        return self.session.post(self.url + path, json=told, timeout=PATIENCE_SECONDS)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """Any call."""
        return self.session.request(method, self.url + path, timeout=PATIENCE_SECONDS, **more)

    def raw(self, request: bytes) -> bytes:
        """What comes back on a connection of its own for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as connection:
            connection.sendall(request)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving(_Reached):
    """A server in this process."""

    ledger: Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingProcess(_Reached):
    """A server in a process of its own. `output` holds what it wrote."""

    process: Forked
    output: Path

    def kill(self) -> None:
        """SIGKILL to it and all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def penstock(*arguments: str) -> None:
    """The command line, in a process that was forked."""
    from penstock.cli import main

    sys.argv = ["penstock", *arguments]
    main()


@contextmanager
def serving(
    url: str,
    *,
    clock: Clock = utc_now,
    seconds: Callable[[], float] = time.monotonic,
    busy_timeout_seconds: float = PATIENCE_SECONDS,
    **settings: Any,
) -> Iterator[Serving]:
    """The server of the ledger at `url`, on a free port."""
    with (
        Ledger.open(url, clock=clock, busy_timeout_seconds=busy_timeout_seconds) as ledger,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        app = create_app(ledger, ServerSettings(**settings), seconds=seconds)
        # no connection ends between two calls, however long a test takes from one to the next
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_keep_alive=PATIENCE_SECONDS
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started, "the server is up")
        port = listening.getsockname()[1]
        with requests.Session() as session:
            try:
                yield Serving(url=f"http://127.0.0.1:{port}", session=session, ledger=ledger)
            finally:
                server.should_exit = True
                thread.join(PATIENCE_SECONDS)
                assert not thread.is_alive()


@contextmanager
def serving_process(
    folder: Path, url: str, *arguments: str, verify: Any = True
) -> Iterator[ServingProcess]:
    """`penstock serve` of the ledger at `url` on a free port; ended with all that it started."""
    folder.mkdir(parents=True, exist_ok=True)
    output, errors = folder / "serve.out", folder / "serve.err"
    command = ["serve", "--json", "--port", "0", "--ledger", url, *arguments]
    with forked(output, penstock, *command, cwd=folder, errors=errors) as process:
        until(
            lambda: process.ended or (output.exists() and output.read_text().endswith("}\n")),
            "the server says where it is",
        )
        assert not process.ended, errors.read_text()
        told = json.loads(output.read_text())["url"].replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        with requests.Session() as session:
            # the environment may name other certificates, and a proxy
            session.trust_env, session.verify = False, verify
            reached = ServingProcess(url=told, session=session, process=process, output=errors)
            until(lambda: _answers(reached), "the server answers")
            yield reached
        if not process.ended:
            os.killpg(process.pid, signal.SIGTERM)
            until(lambda: process.ended, "the server ends when it is told to")


def _answers(reached: ServingProcess) -> bool:
    try:
        return reached.get("/").ok
    except requests.ConnectionError:
        return False
