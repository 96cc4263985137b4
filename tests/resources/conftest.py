"""What a cluster does to a whole process is seen from a process of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.forked import forked
from tests.moto_server import moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process said, and its exit code."""

    stdout: str
    stderr: str
    returncode: int | None


class RunScript(Protocol):
    def __call__(self, body: str, **env: str) -> Ended: ...


def execute(body: str) -> None:
    """Run Python source as a program."""
    exec(compile(body, "<script>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a test's own


@pytest.fixture
def run_script(tmp_path: Path) -> RunScript:
    """Run Python source in a process that has imported much and started nothing."""
    kept = {name: value for name, value in os.environ.items() if "PYSPARK" not in name}

    def run(body: str, **env: str) -> Ended:
        out, err = tmp_path / "script.out", tmp_path / "script.err"
        for file in (out, err):
            file.unlink(missing_ok=True)
        with forked(out, execute, body, env=kept | env, errors=err) as process:
            code = process.wait()
        return Ended(out.read_text(), err.read_text(), code)

    return run


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Where an S3 answers that is empty at first."""
    with moto_server() as endpoint:
        yield endpoint
