"""A shop for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.assets.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop.at(spark, tmp_path)
