"""The process that carries a run, told apart from every other: host, process id and start mark."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Runner"]

PROC = Path("/proc")
START_TIME_FIELD = 19  # of /proc/<pid>/stat counted after the command's closing parenthesis
STATE_FIELD = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A process.

    `started` keeps a recycled process id from being taken for it; it is empty on systems without
    /proc, where the process id alone must do.
    """

    host: str
    pid: int
    started: str = ""

    @classmethod
    def here(cls) -> Runner:
        """This process."""
        pid = os.getpid()
        return cls(host=socket.gethostname(), pid=pid, started=_started(pid) or "")

    def alive(self) -> bool | None:
        """Whether the process still runs; None when it is on another host and cannot be asked."""
        if self.host != socket.gethostname():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it exists and is somebody else's
        return not PROC.is_dir() or _started(self.pid) == self.started


def _started(pid: int) -> str | None:
    # boot id and clock ticks since boot: unique to one process of one host
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[STATE_FIELD] in "ZX" else f"{boot}:{fields[START_TIME_FIELD]}"
