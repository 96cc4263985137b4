"""The embedded cluster: a classic Spark session in this process, jars already on disk."""

from __future__ import annotations

import logging
import time
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pydantic import PrivateAttr

from penstock.errors import ClusterError
from penstock.resources import driver
from penstock.resources.cluster import Capability, ClusterCost, ClusterHandle
from penstock.resources.interruption import cancelled_by
from penstock.resources.machine import SparkMachine
from penstock.resources.settings import session_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

__all__ = ["LocalCluster"]

_log = logging.getLogger(__name__)

_LISTENERS = "spark.extraListeners"


class LocalCluster(SparkMachine):
    """A local session with Delta, and s3a where `extra_conf` asks for it.

    A process has one driver: a second LocalCluster in the same process shares it, with a warning in
    the log if it asked for another size. Every `session()` is a session of its own in it: settings
    and views of two steps never meet. Python's exit ends the JVM.

    >>> cluster = LocalCluster(profile=Profile.SMALL)
    >>> with cluster.session() as spark:  # doctest: +SKIP
    ...     spark.range(3).count()
    3
    """

    name: str = "local"

    _since: tuple[float, float] | None = PrivateAttr(default=None)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """A session in this process, whose plan can be read as JSON."""
        return frozenset({Capability.SESSION, Capability.PLAN_JSON})

    def ensure(self) -> ClusterHandle:
        """Start the driver or find it. SetupError for Java or jars, ClusterError for the JVM."""
        live = self._driver()
        if self._since is None:
            self._since = (time.monotonic(), live.cpu_seconds())
        return ClusterHandle(
            cluster=self.name,
            address=f"local[{live.shape.cores}], JVM process {live.process.pid}",
            ready_at=datetime.now(UTC),
        )

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        """A new session of the driver. If its JVM dies inside the block, ClusterError says so."""
        self.ensure()
        live = self._driver()
        try:
            own = live.session.newSession()
            for key, value in session_options(self.extra_conf).items():
                own.conf.set(key, value)
            with _cancellable(own):
                yield own
        except Exception as error:
            if live.survived():
                raise
            raise live.lost() from error

    def release(self) -> None:
        """End the session and its JVM."""
        driver.stop()
        self._since = None

    def cost(self) -> ClusterCost:
        """CPU of the JVM and its workers since `ensure`."""
        live = driver.current()
        if self._since is None or live is None:
            return ClusterCost(cpu_seconds=0.0, wall_seconds=0.0)
        wall, cpu = self._since
        return ClusterCost(
            cpu_seconds=max(0.0, live.cpu_seconds() - cpu), wall_seconds=time.monotonic() - wall
        )

    def _driver(self) -> driver.Driver:
        live = driver.current()
        if live is None:
            return driver.start(self.shape(), self.appended_jars())
        self._fit(live)
        return live

    def _fit(self, live: driver.Driver) -> None:
        """Whether the process's driver can serve this cluster. Raises ClusterError."""
        if live.shape.profile != self.profile or self.cores not in (None, live.shape.cores):
            _log.warning(
                "cluster %s asked for profile %s and shares the driver that runs: %s, %d cores",
                self.name,
                self.profile,
                live.shape.profile,
                live.shape.cores,
            )
        if self.wants_s3 and not live.has_s3:
            raise ClusterError(
                "the driver of this process was started without the s3a jars",
                where=self.name,
                expected="the jar set 's3' on its class path",
                found="a driver that another cluster started before they were there",
                next_step="penstock jars --resolve, then run in a new process",
            )
        if self.extra_conf.get(_LISTENERS, "") != live.shape.extra.get(_LISTENERS, ""):
            _log.warning(
                "cluster %s shares a driver that was started with other listeners", self.name
            )


@contextmanager
def _cancellable(session: SparkSession) -> Iterator[None]:
    """Spark's jobs of this thread are cancelled when it is asked to end."""
    context, tag = session.sparkContext, f"penstock-{uuid.uuid4()}"
    with cancelled_by(partial(context.cancelJobsWithTag, tag)):
        context.addJobTag(tag)
        try:
            yield
        finally:
            with suppress(Exception):  # a JVM that is gone knows no tag, and why it went counts
                context.removeJobTag(tag)
