"""A process of its own without a new Python: forked from one that has imported everything.

A new Python takes five CPU-seconds to import pyspark, dagster and pandera, and a new JVM twelve to
its first commit. A test whose subject is a Python process that dies, or one beside another, forks
it (`forked`) and lets it work in the JVM of this process (`attached`). One whose subject is the
JVM, or how a program starts, starts its own.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.context import ForkServerProcess

    from pyspark.sql import SparkSession

__all__ = ["Forked", "Jvm", "attached", "forked", "jvm_of"]

ROOT = Path(__file__).parents[1]
_IMPORTED = ("dagster", "pandera.pyspark", "pyspark.sql", "delta", "penstock.assets.executor")
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([*_IMPORTED, "tests.assets.shop"])


@dataclass(frozen=True, slots=True)
class Forked:
    """A process that was forked: the leader of a session of its own."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        """Its process id, and that of its session and group."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self.process.exitcode is not None

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code, negative for the signal that ended it; None while it runs."""
        self.process.join(seconds)
        return self.process.exitcode


@contextmanager
def forked(
    output: Path,
    target: Callable[..., object],
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    errors: Path | None = None,
) -> Iterator[Forked]:
    """Calls a function of a module in a process of its own; gone with the block, and its children.

    What it writes to its standard output is in `output`, and so is its standard error unless there
    is a file for that. It finds this process's environment and working directory, or those given.
    """
    _ensure_server()
    place = _Place(output, errors or output, dict(env or os.environ), cwd or Path.cwd())
    process = _context.Process(target=_call, args=(place, target, arguments))
    process.start()
    started = Forked(process)
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        process.kill()
        process.join()


@dataclass(frozen=True, slots=True)
class _Place:
    output: Path
    errors: Path
    env: dict[str, str]
    cwd: Path


def _ensure_server() -> None:
    """It looks for what it is to import on PYTHONPATH, and not where this process is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        forkserver.ensure_running()


def _call(place: _Place, target: Callable[..., object], arguments: tuple[object, ...]) -> None:
    os.setsid()
    for number, file in ((1, place.output), (2, place.errors)):
        with file.open("ab", buffering=0) as stream:
            os.dup2(stream.fileno(), number)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ.clear()
    os.environ.update(place.env)
    os.chdir(place.cwd)
    try:
        target(*arguments)
    finally:
        # a program's end, which multiprocessing leaves out
        atexit._run_exitfuncs()


@dataclass(frozen=True, slots=True)
class Jvm:
    """How another process reaches a JVM: PySpark's gateway."""

    port: int
    secret: str


def jvm_of(spark: SparkSession) -> Jvm:
    """The JVM of a session of this process."""
    gateway: Any = spark.sparkContext._gateway
    java = gateway.java_parameters
    return Jvm(port=java.port, secret=java.auth_token)


def attached(jvm: Jvm) -> SparkSession:
    """A session of its own in a JVM that another process started, and that outlives this one."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    from penstock.resources.driver import quiet_errors

    quiet_errors()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_GATEWAY_PORT", str(jvm.port))
        patch.setenv("PYSPARK_GATEWAY_SECRET", jvm.secret)
        gateway: Any = launch_gateway()  # type: ignore[no-untyped-call]
    java: Any = gateway.jvm.org.apache.spark
    context = java.SparkContext.getOrCreate()
    shared = java.api.java.JavaSparkContext(context)
    SparkContext._ensure_initialized(gateway=gateway)
    conf = SparkConf(_jconf=context.conf())
    return SparkSession(SparkContext(gateway=gateway, jsc=shared, conf=conf)).newSession()
