"""How many Spark jobs something costs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

__all__ = ["CountedJobs", "count_jobs"]


@dataclass(slots=True)
class CountedJobs:
    """The jobs that ran in a block, filled in when it ends: where each was started from."""

    started_from: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.started_from)


@contextmanager
def count_jobs(spark: SparkSession) -> Iterator[CountedJobs]:
    """The Spark jobs started in the block, by any thread. For a classic session only.

    >>> with count_jobs(spark) as jobs:
    ...     spark.range(3).collect()
    >>> len(jobs)
    1
    """
    counted = CountedJobs()
    before = {number for number, _ in _jobs(spark)}
    try:
        yield counted
    finally:
        after = sorted(job for job in _jobs(spark) if job[0] not in before)
        counted.started_from = tuple(name for _, name in after)


def _jobs(spark: SparkSession) -> list[tuple[int, str]]:
    context: Any = spark.sparkContext._jsc.sc()  # noqa: SLF001 - PySpark lists jobs by group only
    context.listenerBus().waitUntilEmpty()
    found = context.statusStore().jobsList(None).iterator()
    jobs = []
    while found.hasNext():
        job = found.next()
        jobs.append((int(job.jobId()), str(job.name())))
    return jobs
