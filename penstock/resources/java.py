"""The Java that Spark will take, found the way Spark's own scripts find it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SUPPORTED_MAJORS", "Java", "find_java", "parse_version", "require_java"]

SUPPORTED_MAJORS = (17, 21)

_NEXT_STEP = (
    "install a Java 17 or 21 (Debian: apt-get install openjdk-17-jre-headless), "
    "or set JAVA_HOME to one"
)
_VERSION = re.compile(r'version "(?P<version>(?P<major>\d+)[^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """One Java: its executable, version, major version (0 if it named none) and full banner."""

    path: Path
    version: str
    major: int
    banner: str

    @property
    def supported(self) -> bool:
        """Whether Spark 4.2 runs on it."""
        return self.major in SUPPORTED_MAJORS


def parse_version(banner: str) -> tuple[str, int]:
    """(full version, major) from what `java -version` prints; ("", 0) if it is not there."""
    found = _VERSION.search(banner)
    return (found["version"], int(found["major"])) if found else ("", 0)


def find_java(env: Mapping[str, str] | None = None) -> Java | None:
    """The Java that `spark-submit` would start under `env`: JAVA_HOME first, then PATH."""
    names = os.environ if env is None else env
    if java_home := names.get("JAVA_HOME"):
        path = Path(java_home) / "bin" / "java"
        return _ask(path) if path.is_file() and os.access(path, os.X_OK) else None
    # An empty PATH is "nowhere": shutil.which would fall back to the system's default path.
    found = shutil.which("java", path=names.get("PATH") or os.devnull)
    return _ask(Path(found)) if found else None


def require_java(env: Mapping[str, str] | None = None) -> Java:
    """A supported Java, or SetupError with one sentence that says what to install."""
    java = find_java(env)
    if java is None:
        stale = (os.environ if env is None else env).get("JAVA_HOME")
        raise SetupError(
            "no Java was found, and Spark needs one",
            expected="Java 17 or 21",
            found=f"JAVA_HOME={stale}, which has no bin/java" if stale else "no java on PATH",
            next_step=_NEXT_STEP,
        )
    if not java.supported:
        raise SetupError(
            "this Java does not run Spark 4.2",
            where=str(java.path),
            expected="Java 17 or 21",
            found=f"Java {java.version}" if java.version else "a java that names no version",
            next_step=_NEXT_STEP,
        )
    return java


@cache
def _ask(path: Path) -> Java:
    answer = subprocess.run(  # the path comes from JAVA_HOME or PATH, as Spark's would
        [str(path), "-version"], capture_output=True, text=True, check=False
    )
    banner = answer.stderr + answer.stdout
    version, major = parse_version(banner)
    return Java(path=path, version=version, major=major, banner=banner)
