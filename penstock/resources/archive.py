"""The class-data archive: Spark's and Delta's parsed classes, mapped instead of loaded.

It takes two thirds off the CPU of a session's start. It belongs to one Java and one class path;
where it does not fit, the JVM goes on without it, only slower.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from penstock.errors import SetupError
from penstock.resources.jars import JarSet, class_path, load_lock
from penstock.resources.java import require_java
from penstock.resources.spark_home import spark_home, spark_jars

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.resources.jars import JarLock
    from penstock.resources.java import Java

__all__ = ["archive_fits", "archive_path", "archive_whole", "make_archive"]


def archive_path(folder: Path, java: Java, lock: JarLock) -> Path:
    """Where the archive for this Java, these jars and this Spark is, or would be."""
    facts = [java.banner, str(java.path.resolve()), str(spark_home()), str(folder)]
    facts += [path.name for path in sorted(spark_jars().glob("spark-core_*.jar"))]
    facts += [jar.sha256 for jar in lock.of((JarSet.DELTA,))]
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return folder / f"classes-{java.major}-{key}.jsa"


def make_archive(folder: Path) -> Path:
    """Make the archive for the jars in `folder`, unless it is there. About 30 seconds.

    Older archives in the folder are removed. Raises SetupError when it could not be made; sessions
    work without it.
    """
    java, lock = require_java(), load_lock()
    class_path(folder, JarSet.DELTA, lock)
    target = archive_path(folder, java, lock)
    if archive_fits(target, folder, lock):
        return target
    made = subprocess.run(
        [sys.executable, "-m", "penstock.resources.training", str(target), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0 or not target.is_file():
        raise SetupError(
            "the class-data archive could not be made; sessions work without it, but start slower",
            where=str(target),
            found=(made.stderr.strip().splitlines() or ["no word"])[-1],
            next_step="penstock doctor, then penstock jars --resolve",
        )
    _size_file(target).write_text(str(target.stat().st_size))
    _remove_others(target)
    return target


def _remove_others(archive: Path) -> None:
    """Archives of another Java or other jars take 190 MB each, and nothing will map them again."""
    for other in archive.parent.glob("classes-*"):
        if other not in (archive, _size_file(archive)):
            other.unlink(missing_ok=True)


def archive_whole(archive: Path) -> bool:
    """Whether the archive has the size it was made with: a JVM that maps a shorter one crashes."""
    recorded = _size_file(archive)
    if not (archive.is_file() and recorded.is_file()):
        return False
    return recorded.read_text() == str(archive.stat().st_size)


def _size_file(archive: Path) -> Path:
    return archive.with_suffix(".size")


def archive_fits(archive: Path, folder: Path, lock: JarLock) -> bool:
    """Whether a JVM started by Spark's own launcher maps its classes from the archive. 1 second."""
    if not archive_whole(archive):
        return False
    delta = ":".join(str(folder / jar.file) for jar in lock.of((JarSet.DELTA,)))
    flags = f'-Xshare:auto -Xlog:disable -Xlog:class+load:stdout "-XX:SharedArchiveFile={archive}"'
    asked = subprocess.run(
        [
            str(spark_home() / "bin" / "spark-submit"),
            *("--conf", f"spark.driver.extraClassPath={delta}"),
            *("--conf", f"spark.driver.extraJavaOptions={flags}"),
            "--version",
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SPARK_HOME": str(spark_home())},
    )
    return any("deploy.SparkSubmit source: shared" in line for line in asked.stdout.splitlines())
