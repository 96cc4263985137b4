"""The one classic Spark driver of this process: a JVM, its session and its log file.

PySpark keeps one JVM and one active session per process whatever one asks for, so this is
process-wide state on purpose, and the only one.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
from dagster_pyspark import LazyPySparkResource

from penstock.errors import ClusterError
from penstock.resources.ports import LOOPBACK
from penstock.resources.settings import settings
from penstock.resources.spark_home import spark_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from penstock.resources.settings import SessionShape

__all__ = ["Driver", "current", "launch_environment", "quiet_errors", "start", "stop"]

_KEPT_LOGS = 20
_DYING_SECONDS = 10.0
_lock = threading.RLock()
_current: Driver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A running driver. `process` is the JVM itself."""

    shape: SessionShape
    session: SparkSession
    process: subprocess.Popen[bytes]
    log: Path
    has_s3: bool

    @property
    def alive(self) -> bool:
        """Whether the JVM is still there."""
        return self.process.poll() is None

    def survived(self) -> bool:
        """Whether the JVM is still there after an error: one that was killed takes its time."""
        from py4j.protocol import Py4JError

        try:
            jvm: Any = self.session._jvm  # noqa: SLF001 - the cheapest question there is
            jvm.System.nanoTime()
        except (Py4JError, OSError):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_DYING_SECONDS)
        return self.alive

    def cpu_seconds(self) -> float:
        """CPU the JVM and its Python workers have used since it started; 0 when it is gone."""
        try:
            jvm = psutil.Process(self.process.pid)
            times = [jvm.cpu_times(), *(child.cpu_times() for child in jvm.children())]
        except psutil.NoSuchProcess:
            return 0.0
        return sum(time.user + time.system for time in times)

    def lost(self) -> ClusterError:
        """The error for a JVM that died under its work."""
        return ClusterError(
            "the local Spark driver is gone",
            where=f"JVM process {self.process.pid}",
            expected="a running JVM",
            found=f"exit code {self.process.poll()}",
            next_step=f"read {self.log}; if it ran out of memory, raise driver_memory; run again",
        )


def current() -> Driver | None:
    """The live driver of this process. One whose JVM died is forgotten."""
    with _lock:
        if _current is not None and not _current.alive:
            _forget()
        return _current


def start(shape: SessionShape, appended: tuple[Path, ...] = ()) -> Driver:
    """The live driver, or a new one of this shape.

    `appended` jars go to the end of the class path, where they cannot invalidate the class-data
    archive. Raises ClusterError when the JVM does not come up, with the path of its log.
    """
    global _current  # noqa: PLW0603  (PySpark itself allows one per process)
    with _lock:
        live = current()
        if live is None:
            live = _current = _launch(shape, appended)
        return live


def quiet_errors() -> None:
    """Keep PySpark from printing errors, which quote rows, to standard error: they are raised."""
    from pyspark.logger import PySparkLogger

    # at DEBUG it logs each call with its arguments, passwords among them
    py4j = logging.getLogger("py4j")
    if py4j.level == logging.NOTSET:
        py4j.setLevel(logging.INFO)

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True


def stop(timeout_seconds: float = 30.0) -> None:
    """End the session and its JVM, if there is one; by force when the time is over. Idempotent."""
    with _lock:
        live = current()
        if live is None:
            return
        live.session.stop()
        _forget()
        if live.process.stdin:
            live.process.stdin.close()
        try:
            live.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            live.process.kill()
            live.process.wait()


def _launch(shape: SessionShape, appended: tuple[Path, ...]) -> Driver:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if SparkSession.getActiveSession() is not None or SparkContext._active_spark_context:  # noqa: SLF001
        raise ClusterError(
            "this process already has a Spark session that Penstock did not start",
            next_step="stop it first, or run in a process of its own",
        )
    quiet_errors()
    options = settings(shape)
    conf = SparkConf(loadDefaults=False).setAll(list(options.items()))
    log = _new_log(shape.logs)
    # Workers of UDFs would otherwise be the python3 of PATH, without our packages.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    try:
        with log.open("ab") as sink, _environment(launch_environment(appended)):
            gateway: Any = launch_gateway(conf, {"stdout": sink, "stderr": sink})  # type: ignore[no-untyped-call]
        SparkContext(conf=conf, gateway=gateway)
        session = LazyPySparkResource(spark_config=options).spark_session
    except Exception as error:
        raise ClusterError(
            "the local Spark driver did not start",
            found=type(error).__name__,
            next_step=f"penstock doctor; read {log}",
        ) from error
    return Driver(
        shape=shape,
        session=session,
        process=gateway.proc,
        log=log,
        has_s3=any("hadoop-aws" in jar.name for jar in appended),
    )


def launch_environment(appended: tuple[Path, ...]) -> dict[str, str]:
    """What Spark's launch scripts must find in the environment to start our Spark, and no other."""
    return {
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_DIST_CLASSPATH": ":".join(map(str, appended)),
        # Spark asks a JVM for the command line of the JVM: it need not be a quick one
        "SPARK_LAUNCHER_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


@contextmanager
def _environment(names: dict[str, str]) -> Iterator[None]:
    """Set variables for the time of a launch: PySpark hands on the environment it finds."""
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _forget() -> None:
    """Leave no trace of a dead JVM in PySpark, so that the next session gets a new one."""
    global _current  # noqa: PLW0603
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    _current = None
    if SparkContext._gateway is not None:  # noqa: SLF001
        SparkContext._gateway.shutdown()  # noqa: SLF001
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
    SparkContext._active_spark_context = None  # noqa: SLF001
    SparkSession._instantiatedSession = None  # noqa: SLF001


def _new_log(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    logs = sorted(folder.glob("spark-driver-*.log"), key=_written)
    for old in logs[: -_KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    log = folder / f"spark-driver-{os.getpid()}.log"
    log.write_bytes(b"")
    return log


def _written(log: Path) -> float:
    """When the log was last written; one that another driver has just removed is the oldest."""
    try:
        return log.stat().st_mtime
    except FileNotFoundError:
        return 0.0
