"""A server that runs for as long as a block lasts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["SECONDS", "Program", "run_once"]

SECONDS = 120.0
"""How long a server may take to answer, or to end."""

_POLL_SECONDS = 0.05
_LINES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command called `name`, with what it says in `log`.

    It ends with us, where the system has setpriv even when we are killed. `end` is the signal that
    it is asked with before it is killed.
    """

    name: str
    command: Sequence[str | Path]
    log: Path
    end: signal.Signals = signal.SIGTERM
    started: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def running(self, answers: Callable[[], bool], seconds: float = SECONDS) -> Iterator[None]:
        """The block begins when it answers, and its process is gone afterwards.

        Raises SetupError when it ends before, or does not answer within the seconds.
        """
        setpriv = shutil.which("setpriv")
        with_us = [setpriv, "--pdeathsig", self.end.name.removeprefix("SIG")] if setpriv else []
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*with_us, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us, who end it
                **self.started,
            )
        try:
            self._wait(process, answers, seconds)
            yield
        finally:
            process.send_signal(self.end)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _wait(
        self, process: subprocess.Popen[bytes], answers: Callable[[], bool], seconds: float
    ) -> None:
        deadline = time.monotonic() + seconds
        while not answers():
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                lines = self.log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:]
                raise SetupError(
                    f"{self.name} did not start",
                    where=str(self.log),
                    found=f"exit code {process.returncode}: {' | '.join(lines)}"
                    if ended
                    else f"no answer within {seconds:g} s",
                    next_step="see its log, mend that, and run this again",
                )
            time.sleep(_POLL_SECONDS)


def run_once(
    name: str, command: Sequence[str | Path], folder: Path, seconds: float, **started: Any
) -> None:
    """Run a command that prepares the folder. Raises SetupError when it fails."""
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=seconds, **started
        )
        found = done.stderr.strip().rpartition("\n")[2] if done.returncode else None
    except subprocess.TimeoutExpired:
        found = f"no end within {seconds:g} s"
    if found is not None:
        raise SetupError(
            f"{name} failed",
            where=str(folder),
            found=found,
            next_step="free space there, or remove the folder, and run this again",
        )
