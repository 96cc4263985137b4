"""One small Spark session for the whole suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A classic local session with Delta. Ends with the test process."""
    cluster = LocalCluster(profile=Profile.SMALL, cores=2)
    with cluster.session() as session:
        yield session
    cluster.release()
