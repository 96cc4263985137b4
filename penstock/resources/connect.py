"""A Spark Connect server as a cluster: warm, shared, and its loss noticed in seconds."""

from __future__ import annotations

import atexit
import os
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from pydantic import PrivateAttr

from penstock.errors import ClusterError
from penstock.resources import ports
from penstock.resources.cluster import Capability, ClusterCost, ClusterHandle
from penstock.resources.connect_server import ConnectServer, start_server
from penstock.resources.driver import quiet_errors
from penstock.resources.interruption import cancelled_by
from penstock.resources.machine import SparkMachine
from penstock.resources.settings import EVERY_SESSION, session_options
from penstock.resources.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

__all__ = ["CONNECT_URL", "ConnectCluster"]

CONNECT_URL = "PENSTOCK_CONNECT_URL"
_DEFAULT_PORT = 15002
_MODE = "SPARK_CONNECT_MODE_ENABLED"


class ConnectCluster(SparkMachine):
    """Sessions on the server at `url`, or `PENSTOCK_CONNECT_URL`, or one of our own.

    The size (profile, cores, memory) is that of our own server; another's is as it is. Every
    `session()` is a session of its own on the server: settings and views of two steps never meet.
    While it is open, `pyspark.sql.functions` in this process speak Connect, so do not use a classic
    session in another thread at the same time.
    """

    name: str = "connect"
    url: str | None = None

    _server: ConnectServer | None = PrivateAttr(default=None)
    _since: float | None = PrivateAttr(default=None)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """A session in this process, on a server that others use too."""
        return frozenset({Capability.SESSION, Capability.SHARED})

    def ensure(self) -> ClusterHandle:
        """See that the server answers, or start our own. SetupError, ClusterError."""
        url = self._named() or self._own().url
        if not ports.answers(*ports.host_and_port(url, _DEFAULT_PORT)):
            raise self._lost(url)
        self._since = self._since or time.monotonic()
        return ClusterHandle(cluster=self.name, address=_shown(url), ready_at=datetime.now(UTC))

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        """A new session on the server. ClusterError within seconds when the server is gone."""
        self.ensure()
        url = self._named() or self._own().url
        address = ports.host_and_port(url, _DEFAULT_PORT)
        with _connect_mode():
            session = self._open(url)
            watchdog = Watchdog(
                lambda: ports.answers(*address),
                # Closing the channel ends every call that waits on it; there is no public way.
                session.client._channel.close,  # noqa: SLF001
            )
            try:
                with watchdog, cancelled_by(session.interruptAll):
                    yield cast("SparkSession", session)
            except Exception as error:
                if watchdog.lost or not ports.answers(*address):
                    session.release_session_on_close = False
                    raise self._lost(url) from error
                raise
            finally:
                session.stop()

    def release(self) -> None:
        """End our own server. Another's goes on."""
        if self._server is not None:
            self._server.stop()
            atexit.unregister(self._server.stop)
            self._server = None
        self._since = None

    def cost(self) -> ClusterCost:
        """CPU of our own server since its start; unknown for another's."""
        if self._since is None:
            return ClusterCost(cpu_seconds=0.0, wall_seconds=0.0)
        return ClusterCost(
            cpu_seconds=self._server.child.cpu_seconds() if self._server else None,
            wall_seconds=time.monotonic() - self._since,
        )

    def _named(self) -> str | None:
        return self.url or os.environ.get(CONNECT_URL)

    def _own(self) -> ConnectServer:
        with _starting:
            if self._server is not None and not self._server.child.alive:
                self._server = None
            if self._server is None:
                server = start_server(self.shape(), ports.free_port(), self.appended_jars())
                try:
                    server.wait()
                except BaseException:
                    server.stop()
                    raise
                self._server = server
                # Whoever forgets release() must not leave a JVM behind.
                atexit.register(server.stop)
            return self._server

    def _open(self, url: str) -> Any:
        from pyspark.sql.connect.client.retries import DefaultPolicy
        from pyspark.sql.connect.session import SparkSession as ConnectSession

        quiet_errors()
        try:
            session: Any = ConnectSession.builder.remote(url).create()
            # The stock policy retries for ten minutes; ours rides out a hiccup.
            session.client.set_retry_policies(
                [DefaultPolicy(max_retries=4, initial_backoff=100, max_backoff=1000)]
            )
            for key, value in {**EVERY_SESSION, **session_options(self.extra_conf)}.items():
                session.conf.set(key, value)
        except Exception as error:
            raise self._lost(url) from error
        return session

    def _lost(self, url: str) -> ClusterError:
        found, read = "nothing that answers there", ""
        if self._server is not None and not self._server.child.alive:
            found = f"exit code {self._server.child.process.poll()}"
            read = f"read {self._server.child.log}; "
        return ClusterError(
            "the Spark Connect server is gone",
            where=_shown(url),
            expected="a server that answers",
            found=found,
            next_step=f"{read}penstock up (it starts one), then run this again",
        )


_starting = threading.Lock()  # of two steps at once, one starts the server
_open_sessions = 0
_mode_lock = threading.Lock()


@contextmanager
def _connect_mode() -> Iterator[None]:
    """PySpark's functions build Connect columns while a Connect session is open."""
    global _open_sessions  # noqa: PLW0603  (the switch is PySpark's, and process-wide)
    with _mode_lock:
        _open_sessions += 1
        os.environ[_MODE] = "1"
    try:
        yield
    finally:
        with _mode_lock:
            _open_sessions -= 1
            if _open_sessions == 0:
                os.environ.pop(_MODE, None)


def _shown(url: str) -> str:
    host, port = ports.host_and_port(url, _DEFAULT_PORT)
    return f"sc://{host}:{port}"
