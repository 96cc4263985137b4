"""A child process in a session of its own, so that ending it leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from penstock.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Child", "session_members", "start_child", "stop_all", "wait_ready"]

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One started program. Its output goes to `log`; its process id is its session's."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        """Whether the program itself still runs."""
        return self.process.poll() is None

    def cpu_seconds(self) -> float:
        """CPU that the living processes of its session have used."""
        total = 0.0
        for member in session_members(self.process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = member.cpu_times()
                total += times.user + times.system
        return total

    def died(self) -> ClusterError:
        """The error for a program that ended although it should not have."""
        return ClusterError(
            f"{self.name} ended by itself",
            expected="a program that runs until it is told to stop",
            found=f"exit code {self.process.poll()}",
            next_step=f"read {self.log}",
        )


def start_child(
    name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path
) -> Child:
    """Start a program in a new session, deaf to the terminal's Ctrl-C, which is its parent's."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name=name, process=process, log=log)


def wait_ready(
    child: Child,
    ready: Callable[[], bool],
    *,
    timeout_seconds: float,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Wait until `ready()`; False if `stopped()` came first.

    Raises ClusterError, with the path of the log, when the child ends or the time is over.
    """
    deadline = time.monotonic() + timeout_seconds
    while not ready():
        if stopped():
            return False
        if not child.alive:
            raise child.died()
        if time.monotonic() > deadline:
            raise ClusterError(
                f"{child.name} did not get ready",
                expected=f"an answer within {timeout_seconds:.0f} s",
                next_step=f"read {child.log}",
            )
        time.sleep(_POLL_SECONDS)
    return True


def stop_all(children: Sequence[Child], grace_seconds: float = 5.0) -> None:
    """End every session: SIGTERM to all, and SIGKILL to what is left after the grace.

    When it returns, no process of theirs runs.
    """
    for child in children:
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while _left(children) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    while _left(children):
        for child in children:
            _signal(child, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def session_members(leader: int) -> list[psutil.Process]:
    """The processes of a session that still run; one that only waits to be reaped does not.

    A session holds every process group that a child may have made inside it.
    """
    members = []
    for process in psutil.process_iter(["pid"]):
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
            running = process.status() != psutil.STATUS_ZOMBIE
            if running and os.getsid(process.pid) == leader:
                members.append(process)
    return members


def _left(children: Sequence[Child]) -> bool:
    # `alive` reaps the program itself, which would else stay in the table as a zombie.
    return any(child.alive or session_members(child.process.pid) for child in children)


def _signal(child: Child, number: signal.Signals) -> None:
    for member in session_members(child.process.pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            member.send_signal(number)
