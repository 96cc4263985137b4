"""Builds of Penstock that are measured beside each other: this one, and a clone of an older one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["builds", "commit_of", "measured_by"]


def builds(before: Path | None) -> dict[str, Path]:
    """The folder of each build by its name: `now`, and `before` where there is one."""
    return {"now": Path(__file__).parents[1]} | ({"before": before} if before else {})


def commit_of(clone: Path) -> str:
    """The commit that is checked out there."""
    command = ["git", "-C", str(clone), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def measured_by(clone: Path, script: Path, *words: str) -> Any:
    """What the script prints as JSON in its last line, with the clone's code and environment."""
    python = clone / ".venv" / "bin" / "python"
    command = [str(python) if python.exists() else sys.executable, str(script), *words]
    where = {**os.environ, "PYTHONPATH": str(clone.absolute())}
    done = subprocess.run(
        command, cwd=clone, env=where, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.strip().splitlines()[-1])
