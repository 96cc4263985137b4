"""Whose work a Spark job is: the job group, which Spark's listeners see with every job."""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

__all__ = ["job_group"]

logger = logging.getLogger(__name__)

_GROUP = "spark.jobGroup.id"
_DESCRIPTION = "spark.job.description"


@contextmanager
def job_group(spark: SparkSession, group: str, description: str) -> Iterator[None]:
    """Every job that this thread starts in the block belongs to `group`; what was set comes back.

    A group of the caller's own is replaced meanwhile: `cancelJobGroup` of it does not reach the
    block. A Spark that takes none is no error, and said in the log.

    In a classic session it holds for the thread and for an `InheritableThread` of it, so two runs
    in two threads of one session are told apart. Over Spark Connect there are no thread's
    properties: it holds for the session, which is the run's own where a `ConnectCluster` gave it.
    """
    names = {_GROUP: group, _DESCRIPTION: description}
    read, write = _classic(spark) if _is_classic(spark) else _connect(spark)
    before: dict[str, str | None] = {}
    try:
        try:
            before = {name: read(name) for name in names}
            for name, value in names.items():
                write(name, value)
        except Exception as error:  # noqa: BLE001 - who reads what is told without it too
            kind = type(error).__name__
            logger.warning(
                "Spark takes no job group (%s): nobody can see whose jobs these are", kind
            )
        yield
    finally:
        # a session that is gone has nothing to put back, and what the block said counts
        with suppress(Exception):
            for name, old in before.items():
                write(name, old)


def _is_classic(spark: SparkSession) -> bool:
    return hasattr(spark, "_jsparkSession")


def _classic(spark: SparkSession) -> tuple[Any, Any]:
    context = spark.sparkContext
    return context.getLocalProperty, context.setLocalProperty


def _connect(spark: SparkSession) -> tuple[Any, Any]:
    def write(name: str, value: str | None) -> None:
        if value is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, value)

    # Spark hands the settings of a session on to its jobs as their properties
    return lambda name: spark.conf.get(name, None), write
