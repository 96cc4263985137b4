"""The Spark of this machine: what the local session and our own Connect server have in common."""

from __future__ import annotations

import os
from pathlib import Path

from dagster import ConfigurableResource
from pydantic import Field

from penstock.resources.archive import archive_path, archive_whole
from penstock.resources.cluster import ClientMode
from penstock.resources.home import home
from penstock.resources.jars import JarSet, class_path, load_lock, verify
from penstock.resources.java import require_java
from penstock.resources.log_store import log_store_made, make_log_store
from penstock.resources.settings import Profile, SessionShape

__all__ = ["SparkMachine"]

_MEMORY = {Profile.STANDARD: "2g", Profile.SMALL: "1g"}


class SparkMachine(ClientMode, ConfigurableResource):  # type: ignore[type-arg]
    """How a Spark on this machine is sized and where its jars are.

    `cores`: all of the machine's unless told. `driver_memory`: as Spark writes it, "2g".
    `jars_folder`: `jars` in Penstock's home unless told. `extra_conf`: settings on top of ours,
    such as what a lake on S3 needs; keys and passwords belong in the environment, never here.
    """

    name: str
    profile: Profile = Profile.STANDARD
    cores: int | None = None
    driver_memory: str | None = None
    jars_folder: str | None = None
    extra_conf: dict[str, str] = Field(default_factory=dict)

    @property
    def cluster_name(self) -> str:
        """The configured name."""
        return self.name

    def shape(self) -> SessionShape:
        """What a session started now would look like. SetupError for Java or jars."""
        java, lock, folder = require_java(), load_lock(), self._jars()
        delta = class_path(folder, JarSet.DELTA, lock)
        archive = archive_path(folder, java, lock)
        return SessionShape(
            app_name="penstock",
            cores=self.cores or len(os.sched_getaffinity(0)),
            driver_memory=self.driver_memory or _MEMORY[self.profile],
            profile=self.profile,
            warehouse=home() / "warehouse",
            logs=home() / "logs",
            log_config=Path(__file__).with_name("log4j2.properties"),
            class_path=delta,
            archive=archive if archive_whole(archive) else None,
            extra=self.extra_conf,
        )

    @property
    def wants_s3(self) -> bool:
        """Whether a lake on S3 is among the settings."""
        return any(name.startswith("spark.hadoop.fs.s3a.") for name in self.extra_conf)

    def appended_jars(self) -> tuple[Path, ...]:
        """What not every session needs, if it is wanted or there: a later user may want it."""
        folder, lock = self._jars(), load_lock()
        found: list[Path] = []
        there = log_store_made(folder, lock) and not verify(folder, (JarSet.S3,), lock)
        if self.wants_s3 or there:
            found += [*class_path(folder, JarSet.S3, lock), make_log_store(folder)]
        for sources in (JarSet.JDBC, JarSet.KAFKA, JarSet.AVRO):
            if not verify(folder, (sources,), lock):
                found += class_path(folder, sources, lock)
        return tuple(found)

    def _jars(self) -> Path:
        return Path(self.jars_folder) if self.jars_folder else home() / "jars"
