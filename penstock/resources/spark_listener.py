"""OpenLineage's Spark listener beside Penstock: a second witness of what each run read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["listener_conf"]

_PLAN = "org.apache.spark.sql.catalyst.plans.logical"


def listener_conf(url: str, jar: Path | str, *, namespace: str = "spark") -> dict[str, str]:
    """Settings that make a session tell every query it executes to the lineage server at `url`.

    `jar` is openlineage-spark for Spark's Scala; `namespace` is that of the jobs it tells, which
    are best kept apart from Penstock's. For `extra_conf` of a cluster that Penstock starts.

    >>> conf = listener_conf("http://127.0.0.1:3100", "openlineage-spark_2.13-1.53.0.jar")
    >>> conf["spark.openlineage.transport.url"]
    'http://127.0.0.1:3100'
    """
    return {
        "spark.jars": str(jar),
        "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
        "spark.openlineage.transport.type": "http",
        "spark.openlineage.transport.url": url,
        "spark.openlineage.transport.compression": "gzip",
        "spark.openlineage.namespace": namespace,
        # Where it sees Delta's extension by its first name it leaves out every query with a
        # shuffle or a filter, and every job, and with it the job group that names the run.
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtensionV1",
        "spark.openlineage.filter.allowedSparkNodes": (
            f"[{_PLAN}.Project;{_PLAN}.Aggregate;{_PLAN}.Repartition]"
        ),
        # Who reads a table's log reads the table: it answers a count by itself.
        "spark.openlineage.dataset.removePath.pattern": "(.*)(?<remove>/_delta_log.*)",
    }
