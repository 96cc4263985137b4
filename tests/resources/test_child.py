from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from penstock.errors import ClusterError
from penstock.resources.child import session_members, start_child, stop_all, wait_ready
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.resources.child import Child

# Deaf to SIGTERM, and so is its own child, which sits in another process group.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"], process_group=0)
print("ready", flush=True)
signal.pause()
"""


def start(tmp_path: Path, body: str) -> Child:
    script = tmp_path / "program.py"
    script.write_text(body)
    log = tmp_path / "program.log"
    return start_child(
        "the program", [sys.executable, str(script)], env=os.environ, log=log, cwd=tmp_path
    )


def test_stopping_leaves_nothing_even_of_what_ignores_sigterm(tmp_path: Path) -> None:
    child = start(tmp_path, STUBBORN)
    wait_ready(
        child, lambda: child.log.read_text().count("ready") == 2, timeout_seconds=PATIENCE_SECONDS
    )
    assert len(session_members(child.process.pid)) == 2
    stop_all([child], grace_seconds=0.2)
    assert session_members(child.process.pid) == []
    assert not child.alive


def test_a_child_that_dies_is_an_error_that_names_its_log_and_quotes_none_of_it(
    tmp_path: Path,
) -> None:
    child = start(tmp_path, "raise SystemExit('out of luck')")
    with pytest.raises(ClusterError, match="ended by itself") as caught:
        wait_ready(child, lambda: False, timeout_seconds=PATIENCE_SECONDS)
    assert "out of luck" in child.log.read_text()
    assert "out of luck" not in str(caught.value)
    assert caught.value.found == "exit code 1"
    assert caught.value.next_step == f"read {child.log}"


def test_a_child_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    child = start(tmp_path, "import signal; print('kanarienvogel', flush=True); signal.pause()")
    wait_ready(child, lambda: "kanarien" in child.log.read_text(), timeout_seconds=PATIENCE_SECONDS)
    with pytest.raises(ClusterError, match="did not get ready") as caught:
        wait_ready(child, lambda: False, timeout_seconds=0.3)
    assert "kanarienvogel" not in str(caught.value)
    assert caught.value.next_step == f"read {child.log}"
    stop_all([child])


def test_waiting_can_be_called_off(tmp_path: Path) -> None:
    child = start(tmp_path, "import signal; signal.pause()")
    assert (
        wait_ready(child, lambda: False, timeout_seconds=PATIENCE_SECONDS, stopped=lambda: True)
        is False
    )
    stop_all([child])
