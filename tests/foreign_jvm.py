"""A JVM that Penstock does not configure, started as cheaply as one that it does."""

from __future__ import annotations

from penstock.resources.archive import archive_path, archive_whole
from penstock.resources.home import home
from penstock.resources.jars import JarSet, class_path, load_lock
from penstock.resources.java import require_java

__all__ = ["foreign_jvm"]


def foreign_jvm() -> dict[str, str]:
    """Spark's settings for Delta on the class path, the class archive, and little compiling."""
    jars = home() / "jars"
    archive = archive_path(jars, require_java(), load_lock())
    flags = [
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        "-XX:TieredStopAtLevel=1",
        "-XX:ReservedCodeCacheSize=240m",
        "-XX:+UseSerialGC",
    ]
    if archive_whole(archive):
        flags += ["-Xshare:auto", f'"-XX:SharedArchiveFile={archive}"']
    return {
        "spark.driver.extraClassPath": ":".join(map(str, class_path(jars, JarSet.DELTA))),
        "spark.driver.extraJavaOptions": " ".join(flags),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
    }
