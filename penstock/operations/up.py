"""`penstock up`: Dagster, the lineage browser and a warm Spark behind them, as one thing.

Each program has a process group of its own. They come up together, and whatever ends the
supervisor - Ctrl-C, SIGTERM, an error, one of them dying - ends all of them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import SetupError
from penstock.resources import ports
from penstock.resources.child import Child, start_child, stop_all, wait_ready
from penstock.resources.connect import CONNECT_URL
from penstock.resources.connect_server import start_server
from penstock.resources.home import home
from penstock.resources.local import LocalCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from penstock.resources.connect_server import ConnectServer
    from penstock.resources.machine import SparkMachine

__all__ = ["Deployment", "Up", "run_up", "write_dagster_home"]

_DAGSTER_YAML = """\
# Written by `penstock up` on first use; yours to change.
telemetry:
  enabled: false
nux:
  enabled: false
# a schedule that finds a year of days must not start a year of processes
concurrency:
  runs:
    max_concurrent_runs: 2
    # days go in the order they arrived, one at a time: what looks back needs those before
    tag_concurrency_limits:
      - key: penstock/landed
        limit: 1
"""
# of a slow machine: one that ends before it is ready is noticed at once
_READY_SECONDS = 600.0
_WATCH_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What to bring up. A port of None is any free one; Spark is sized as `cluster` says.

    `ledger_url` is what the lineage server serves.
    """

    workspace: Path = Path("workspace.yaml")
    home: Path = field(default_factory=home)
    web_port: int | None = 3000
    connect_port: int | None = None
    lineage_port: int | None = 3100
    ledger_url: str | None = None
    cluster: SparkMachine = field(default_factory=LocalCluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """What is up."""

    web_url: str
    lineage_url: str
    connect_url: str
    dagster_home: Path
    logs: Path


def run_up(
    deployment: Deployment,
    announce: Callable[[Up], None],
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Bring the deployment up, call `announce` when all of it answers, and stay until told to end.

    Ctrl-C and SIGTERM return normally. Raises SetupError (Java, jars, a taken port, no workspace)
    or ClusterError (a program died: the message names its log). In every case no process of
    ours is left when it returns. `progress` gets the name of what is being waited for.
    """
    workspace = deployment.workspace.resolve()
    if not workspace.is_file():
        raise SetupError(
            "there is no workspace file",
            where=str(workspace),
            next_step="run this in the project's folder, or name the file with --workspace",
        )
    web_port = ports.take_port(deployment.web_port, "the web server")
    connect_port = ports.take_port(deployment.connect_port, "Spark Connect")
    lineage_port = ports.take_port(deployment.lineage_port, "the lineage server")
    logs = deployment.home / "logs"
    shape = replace(deployment.cluster.shape(), logs=logs)
    appended = deployment.cluster.appended_jars()
    dagster_home = write_dagster_home(deployment.home)
    children: list[Child] = []
    with _told_to_end() as told:
        try:
            _make_databases(dagster_home)
            logs.mkdir(parents=True, exist_ok=True)
            server = start_server(shape, connect_port, appended)
            children.append(server.child)
            up = Up(
                web_url=f"http://{ports.LOOPBACK}:{web_port}",
                lineage_url=f"http://{ports.LOOPBACK}:{lineage_port}",
                connect_url=server.url,
                dagster_home=dagster_home,
                logs=logs,
            )
            ledger = deployment.ledger_url or f"sqlite:///{deployment.home / 'ledger.db'}"
            children.append(_start_lineage(workspace, up, lineage_port, ledger))
            children.append(_start_dagster(workspace, up, web_port))
            if _all_ready(server, children, up, told.is_set, progress):
                announce(up)
                _stay(children, told)
        finally:
            stop_all(children)


def write_dagster_home(folder: Path) -> Path:
    """Dagster's home under Penstock's: no telemetry and no sign-up dialog, unless changed."""
    dagster_home = folder / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    settings = dagster_home / "dagster.yaml"
    if not settings.exists():
        settings.write_text(_DAGSTER_YAML)
    return dagster_home


def _make_databases(dagster_home: Path) -> None:
    """Dagster's databases, made before its programs start: at once they would collide."""
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(dagster_home)) as instance:
        instance.get_runs(limit=1)


def _start_lineage(workspace: Path, up: Up, port: int, ledger: str) -> Child:
    return start_child(
        "the lineage server",
        [
            *(sys.executable, "-m", "penstock.cli", "serve"),
            *("--port", str(port), "--dagster-url", up.web_url),
        ],
        # not as an argument, which everybody on the machine can read: it may hold a password
        env=os.environ | {"PENSTOCK_SERVE_LEDGER": ledger},
        log=up.logs / "lineage-server.log",
        cwd=workspace.parent,
    )


def _start_dagster(workspace: Path, up: Up, web_port: int) -> Child:
    """Web server and daemon over one code server, which the UI's "Reload" loads anew.

    Started by themselves each has a code server of its own, and the daemon makes a new one every
    minute: it would import the deployment all day.
    """
    env = os.environ | {
        "DAGSTER_HOME": str(up.dagster_home),
        CONNECT_URL: up.connect_url,
        "PENSTOCK_BROWSER_URL": up.lineage_url,
        "PENSTOCK_HOME": str(up.logs.parent),
    }
    address = ("-h", ports.LOOPBACK, "-p", str(web_port))
    return start_child(
        "Dagster",
        [sys.executable, "-m", "dagster", "dev", *address, "-w", str(workspace)],
        env=env,
        log=up.logs / "dagster.log",
        cwd=workspace.parent,
    )


def _all_ready(
    server: ConnectServer,
    children: list[Child],
    up: Up,
    stopped: Callable[[], bool],
    progress: Callable[[str], None],
) -> bool:
    progress(server.child.name)
    if not server.wait(stopped):
        return False
    _, lineage, web = children
    waited_for = ((lineage, f"{up.lineage_url}/openapi.json"), (web, f"{up.web_url}/server_info"))
    for child, url in waited_for:
        progress(child.name)
        if not wait_ready(
            child, partial(_serves, url), timeout_seconds=_READY_SECONDS, stopped=stopped
        ):
            return False
    return True


def _serves(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _stay(children: list[Child], told: threading.Event) -> None:
    while not told.wait(_WATCH_SECONDS):
        for child in children:
            if not child.alive:
                raise child.died()


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and a closed terminal set. Handlers are put back after."""
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, tell) for number in numbers}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
