"""Where Penstock keeps what belongs to this machine: jars, archive, logs, Dagster's home."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["home", "project"]

_MARKS = (".penstock", "workspace.yaml", "pyproject.toml")


def project(cwd: Path | None = None) -> Path:
    """The nearest folder at or above `cwd` that looks like a project, else `cwd` itself."""
    start = (cwd or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _MARKS):
            return folder
    return start


def home(env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Path:
    """`PENSTOCK_HOME` if set, else `.penstock` in the project. The folder may not exist yet."""
    named = (os.environ if env is None else env).get("PENSTOCK_HOME")
    return Path(named).expanduser().resolve() if named else project(cwd) / ".penstock"
