"""The log store for S3, compiled from its thirty lines with the Scala compiler that Spark ships.

Delta's stock store can lose a commit when two drivers write one table at the same moment. This one
asks S3 to create a version only if it is not there (`ConditionalLogStore.scala` says how).
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

from penstock.errors import SetupError
from penstock.resources.jars import JarSet, class_path, load_lock
from penstock.resources.java import require_java
from penstock.resources.spark_home import spark_jars

if TYPE_CHECKING:
    from penstock.resources.jars import JarLock
    from penstock.resources.java import Java

__all__ = ["LOG_STORE_CLASS", "log_store_made", "log_store_path", "make_log_store"]

LOG_STORE_CLASS = "penstock.ConditionalLogStore"

_SOURCE = "ConditionalLogStore.scala"


def log_store_path(folder: Path, lock: JarLock) -> Path:
    """Where the jar for this source, this Delta and this Spark is, or would be."""
    delta = "".join(jar.sha256 for jar in lock.of((JarSet.DELTA,)))
    key = hashlib.sha256(f"{_source()}{_jar('scala-library').name}{delta}".encode())
    return folder / f"penstock_log-store-{key.hexdigest()[:12]}.jar"


def log_store_made(folder: Path, lock: JarLock) -> bool:
    """Whether the jar is there, and whole."""
    return is_zipfile(log_store_path(folder, lock))


def make_log_store(folder: Path) -> Path:
    """Compile the jar, unless it is there. About 6 seconds. SetupError if that fails.

    It is put in place whole or not at all, and older ones are removed.
    """
    java, lock = require_java(), load_lock()
    target = log_store_path(folder, lock)
    if log_store_made(folder, lock):
        return target
    scala = [_jar(f"scala-{part}") for part in ("compiler", "library", "reflect")]
    known = [*class_path(folder, JarSet.DELTA, lock), _jar("hadoop-client-api"), scala[1]]
    try:
        with tempfile.TemporaryDirectory(prefix=".log-store-", dir=folder) as scratch:
            jar = _compiled(java, known, scala, Path(scratch), target)
            for old in folder.glob("penstock_log-store-*.jar"):
                if old != target:
                    old.unlink(missing_ok=True)
            jar.replace(target)
    except OSError as error:
        if isinstance(error, SetupError):
            raise
        raise SetupError(
            "the log store for S3 cannot be put with the jars",
            where=str(folder),
            expected="a folder that can be written, once",
            found=error.strerror or type(error).__name__,
            next_step="penstock jars --resolve as the user who owns the folder",
        ) from error
    return target


def _compiled(
    java: Java, known: list[Path], scala: list[Path], scratch: Path, target: Path
) -> Path:
    """The jar, in `scratch`."""
    source, jar = scratch / _SOURCE, scratch / "made.jar"
    source.write_text(_source())
    command = [str(java.path), "-cp", _joined(scala), "scala.tools.nsc.Main", "-release", "17"]
    command += ["-cp", _joined(known), "-d", str(jar), str(source)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0 or not jar.is_file():
        raise SetupError(
            "the log store for S3 could not be compiled",
            where=str(target),
            found=((made.stdout + made.stderr).strip().splitlines() or ["no word"])[0],
            next_step="penstock doctor, then penstock jars --resolve",
        )
    return jar


def _source() -> str:
    return resources.files("penstock.resources").joinpath(_SOURCE).read_text()


def _jar(name: str) -> Path:
    """A jar that Spark ships, whatever its version."""
    found = next(spark_jars().glob(f"{name}[-_][0-9]*.jar"), None)
    if found is None:
        raise SetupError(
            "pyspark is not whole",
            where=str(spark_jars()),
            expected=f"{name}-<version>.jar",
            found="no such file",
            next_step="install pyspark again (make clean setup)",
        )
    return found


def _joined(jars: list[Path]) -> str:
    return ":".join(map(str, jars))
