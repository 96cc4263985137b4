"""What a cluster does to a whole process is seen from a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


class RunScript(Protocol):
    def __call__(self, body: str, **env: str) -> subprocess.CompletedProcess[str]: ...


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "PYSPARK" not in name}
    return kept | {"PYTHONPATH": str(ROOT)} | dict(extra)


@pytest.fixture
def run_script(tmp_path: Path) -> RunScript:
    """Run Python source in a new process, in the project's folder."""

    def run(body: str, **env: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "script.py"
        script.write_text(body)
        return subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=clean_environment(env),
            timeout=PATIENCE_SECONDS,
        )

    return run
