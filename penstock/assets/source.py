"""Where a dataset's function stands in version control."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from penstock.events import SourceLocation

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset

__all__ = ["source_location"]


def source_location(spec: Dataset) -> SourceLocation | None:
    """The function's place in its git repository, None when it is in none."""
    path, line = spec.source
    folder = Path(path).parent
    if not folder.is_dir():
        return None
    known = _repository(folder)
    if known is None:
        return None
    root, commit, url = known
    return SourceLocation(
        repository_url=url,
        path=Path(path).resolve().relative_to(root).as_posix(),
        commit=commit,
        line=line,
    )


@cache
def _repository(folder: Path) -> tuple[Path, str, str] | None:
    """(root, commit, URL without credentials). Asked once: code does not move while it runs."""
    root = _git(folder, "rev-parse", "--show-toplevel")
    commit = _git(folder, "rev-parse", "HEAD")
    if not root or not commit:
        return None
    return Path(root), commit, _without_credentials(_git(folder, "remote", "get-url", "origin"))


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname:
        return url
    host = parts.hostname + (f":{parts.port}" if parts.port else "")
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
