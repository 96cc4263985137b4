"""CPU-seconds of whole process trees: Python, JVM and every process they started.

`python cpu.py COMMAND...` runs a command to the end of its last descendant, orphans included, and
prints a JSON line with its CPU-seconds and exit code.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["measured_command", "tree_cpu_seconds"]

_PR_SET_CHILD_SUBREAPER = 36


def tree_cpu_seconds() -> float:
    """User and system time so far of this process, its live descendants and those it outlived."""
    me = psutil.Process()
    total = 0.0
    for process in (me, *me.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def measured_command(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> tuple[float, str]:
    """(CPU-seconds of the command and all that it started, its standard output).

    Raises RuntimeError with the end of the output when the command fails.
    """
    with (
        log.open("ab") as sink,
        subprocess.Popen(
            [sys.executable, __file__, *command],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
        ) as child,
    ):
        try:
            told_text, _ = child.communicate()
        finally:
            _end(child.pid)
    if child.returncode:
        raise RuntimeError(f"the command could not be measured; see {log}")
    *lines, last = told_text.strip().splitlines()
    told = json.loads(last)
    output = "\n".join(lines)
    if told["exit"]:
        raise RuntimeError(f"{' '.join(command)}\n{output[-3000:]}\nsee {log}")
    return float(told["cpu_seconds"]), output


def _end(pid: int) -> None:
    """End the process and all it started: it is still there when we are told to stop."""
    if psutil.pid_exists(pid):
        top = psutil.Process(pid)
        for process in (*top.children(recursive=True), top):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _main(command: list[str]) -> None:
    # a JVM whose step process has gone comes to us, so its time is not lost
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    code = subprocess.run(command, check=False).returncode
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    sys.stdout.write(json.dumps({"cpu_seconds": used.ru_utime + used.ru_stime, "exit": code}))


if __name__ == "__main__":
    _main(sys.argv[1:])
