"""A small Spark session for tests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

__all__ = ["small_session"]


@contextmanager
def small_session(cores: int = 2) -> Iterator[SparkSession]:
    """A classic local session with Delta, started in the cheapest way; it ends with the block.

    Make one for the whole suite: a session costs seconds, a test on it tenths of one.

    >>> @pytest.fixture(scope="session")  # doctest: +SKIP
    ... def spark():
    ...     with small_session() as spark:
    ...         yield spark
    """
    cluster = LocalCluster(profile=Profile.SMALL, cores=cores)
    try:
        with cluster.session() as spark:
            yield spark
    finally:
        cluster.release()
