"""An S3 of the tests' own, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.resources.ports import answers, free_port
from tests.patience import until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["moto_server"]


@contextmanager
def moto_server() -> Iterator[str]:
    """Where it answers. Not in this process: delta-rs keeps Python's lock while it waits for it."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as server:
        try:
            until(lambda: server.poll() is not None or answers("127.0.0.1", port), "S3 answers")
            assert server.poll() is None, "moto ended before it answered"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
