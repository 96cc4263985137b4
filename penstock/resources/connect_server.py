"""A warm Spark Connect server of our own: one JVM that many steps share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.resources import ports
from penstock.resources.child import Child, start_child, stop_all, wait_ready
from penstock.resources.driver import launch_environment
from penstock.resources.settings import settings
from penstock.resources.spark_home import spark_home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from penstock.resources.settings import SessionShape

__all__ = ["ConnectServer", "start_server"]

# of a slow machine: one that ends before it is ready is noticed at once
_START_SECONDS = 600.0
# Its shutdown hook removes its temporary files at once and then waits for ever.
_GRACE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectServer:
    """A started server."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"sc://{ports.LOOPBACK}:{self.port}"

    def wait(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Wait until it takes connections; False if `stopped()` came first. ClusterError."""
        return wait_ready(
            self.child,
            lambda: ports.answers(ports.LOOPBACK, self.port),
            timeout_seconds=_START_SECONDS,
            stopped=stopped,
        )

    def stop(self) -> None:
        """End it and everything it started."""
        stop_all([self.child], _GRACE_SECONDS)


def start_server(shape: SessionShape, port: int, appended: tuple[Path, ...] = ()) -> ConnectServer:
    """Start a server with a session's settings. It is not ready until `wait` says so."""
    options = settings(shape) | {
        "spark.connect.grpc.binding.address": ports.LOOPBACK,
        "spark.connect.grpc.binding.port": str(port),
    }
    command = [str(spark_home() / "bin" / "spark-submit")]
    for name, value in options.items():
        command += ["--conf", f"{name}={value}"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    child = start_child(
        "the Spark Connect server",
        [*command, "spark-internal"],
        env=os.environ | launch_environment(appended),
        log=shape.logs / f"spark-connect-{port}.log",
        cwd=shape.logs,
    )
    return ConnectServer(child=child, port=port)
