"""What a Spark session of ours is configured with, as a pure function of a few facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from penstock.resources.log_store import LOG_STORE_CLASS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Profile", "SessionShape", "java_options", "session_options", "settings"]


_AT_START = ("spark.jars", "spark.extraListeners", "spark.openlineage.", "spark.sql.extensions")


class Profile(StrEnum):
    """How the JVM and the shuffles are sized.

    SMALL compiles with C1 only and shuffles into one partition: a third of the start-up cost, and
    three times slower on heavy work. For tests and for slices known to be small.
    """

    STANDARD = "standard"
    SMALL = "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionShape:
    """Everything that decides a session's settings."""

    app_name: str
    cores: int
    driver_memory: str
    profile: Profile
    warehouse: Path
    logs: Path
    log_config: Path
    class_path: tuple[Path, ...]
    archive: Path | None = None
    archive_to_make: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def partitions(self) -> int:
        """Partitions after a shuffle."""
        return 1 if self.profile is Profile.SMALL else self.cores

    @property
    def tables_kept(self) -> int:
        """Tables whose snapshot the driver keeps, the last used first: 2 to 3 MB each, and more."""
        return 50 if self.profile is Profile.SMALL else 100


def java_options(shape: SessionShape) -> str:
    """JVM flags. A class-data archive that does not fit is ignored in silence, never an error."""
    flags = [
        # One line on stdout per flag that no longer fits would break tools that read our output.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        f'"-Dlog4j2.configurationFile={shape.log_config.as_uri()}"',
        f'"-XX:ErrorFile={shape.logs}/jvm-crash-%p.log"',
        # Spark descends into an expression by recursion. How deep the JVM's own 1 MiB reaches
        # depends on what it has compiled by then: at times three hundred additions are too many.
        "-Xss4m",
        # Off UTC, Delta reads a table's state again after each commit to verify its checksum.
        "-Duser.timezone=UTC",
    ]
    # What Avro's bytes say of a length is believed before it is looked at: in a value that is read
    # by the schema of another it may be all the memory there is.
    for part, most in (("string", 1 << 28), ("bytes", 1 << 28), ("collectionItems", 1 << 24)):
        flags.append(f"-Dorg.apache.avro.limits.{part}.maxLength={most}")
    if shape.profile is Profile.SMALL:
        # With C1 alone Java reserves 48 MB for compiled code, and Spark with Delta needs 105: it
        # would throw code out and compile it again, all day. 240 MB is what it reserves with C2.
        flags += [
            "-XX:TieredStopAtLevel=1",
            "-XX:ReservedCodeCacheSize=240m",
            "-XX:+UseSerialGC",
        ]
    if shape.archive_to_make:
        flags += [f'"-XX:ArchiveClassesAtExit={shape.archive_to_make}"']
    elif shape.archive:
        flags += ["-Xshare:auto", f'"-XX:SharedArchiveFile={shape.archive}"']
    return " ".join(flags)


def session_options(extra: Mapping[str, str]) -> dict[str, str]:
    """The same settings as a session that already runs takes them.

    There `spark.hadoop.` is not stripped any more: Hadoop sees session settings by their own name.
    What decides how a JVM starts is left out: a session would refuse it.
    """
    return {
        name.removeprefix("spark.hadoop."): value
        for name, value in extra.items()
        if not name.startswith(_AT_START)
    }


#: What every session says, on this machine and on a Connect server.
EVERY_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # files come in windows-1252, too
    "spark.sql.legacy.javaCharsets": "true",
    # and with times in nanoseconds, which Spark has no type for
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # What the parser learns of each new kind of statement it keeps for good: six hundred that are
    # unlike each other are 630 MB. Above a tenth of the memory it learns anew.
    "spark.sql.parser.manageParserCaches": "true",
    "spark.sql.parser.parserDfaCacheFlushRatio": "10",
    # A version, and the changes since, are read as long as their files are there: Delta refuses
    # what is older than a vacuum may remove, a week, though none did.
    "spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration": "false",
}


def settings(shape: SessionShape) -> dict[str, str]:
    """The complete Spark configuration of a session or a Connect server on this machine."""
    delta = "spark.databricks.delta"
    spark = {
        "spark.app.name": shape.app_name,
        "spark.master": f"local[{shape.cores}]",
        "spark.driver.memory": shape.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraClassPath": ":".join(map(str, shape.class_path)),
        "spark.driver.extraJavaOptions": java_options(shape),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.delta.logStore.s3a.impl": LOG_STORE_CLASS,
        "spark.sql.warehouse.dir": shape.warehouse.as_uri(),
        **EVERY_SESSION,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # The stock numbers are for clusters: 50 tasks to read a log of ten lines, 10000 to list.
        f"{delta}.snapshotPartitions": "1",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(shape.cores),
        "spark.sql.shuffle.partitions": str(shape.partitions),
        "spark.default.parallelism": str(shape.partitions),
        # Delta keeps the plans of ten thousand tables, Spark a thousand for a page that is not
        # shown: four hundred small tables in an hour are more than the small profile has memory.
        f"{delta}.delta.log.cacheSize": str(shape.tables_kept),
        "spark.sql.ui.retainedExecutions": "50",
        # A night of fifteen datasets compiles more classes than the stock 100, and then all anew.
        "spark.sql.codegen.cache.maxEntries": "2000",
    }
    return spark | dict(shape.extra)
