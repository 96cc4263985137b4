"""How long a test waits for what must come true, before it says that it did not.

It is spent only when something is wrong: so it is long enough for the slowest machine, and no test
has a shorter one of its own. pytest's limit for a whole test, in `pyproject.toml`, is longer still.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PAGE_MILLISECONDS", "PATIENCE_MILLISECONDS", "PATIENCE_SECONDS", "until"]

PATIENCE_SECONDS = 600
PATIENCE_MILLISECONDS = PATIENCE_SECONDS * 1000
# what a page has only to draw; a page that is wrong must not cost each of its tests ten minutes
PAGE_MILLISECONDS = 180_000


def until(condition: Callable[[], Any], what: str, *, poll_seconds: float = 0.02) -> None:
    """Wait for the condition; fail with `what` when it does not come true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(poll_seconds)
