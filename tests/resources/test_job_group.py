"""The job group is the thread's, and what was set before comes back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, ClassVar, cast

import pytest

from penstock.resources.job_group import job_group
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GROUP = "spark.jobGroup.id"


def test_it_holds_in_the_block_and_the_old_one_comes_back(spark: SparkSession) -> None:
    context = spark.sparkContext
    context.setLocalProperty(GROUP, "mine")
    try:
        inside = []

        def fail() -> None:
            with job_group(spark, "run-1", "shop.orders"):
                inside.append(context.getLocalProperty(GROUP))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert inside == ["run-1"]
        assert context.getLocalProperty(GROUP) == "mine"
    finally:
        context.setLocalProperty(GROUP, None)  # type: ignore[arg-type]
    with job_group(spark, "run-1", "shop.orders"):
        pass
    assert context.getLocalProperty(GROUP) is None


def test_two_threads_of_one_session_have_their_own(spark: SparkSession) -> None:
    meet = Barrier(2, timeout=PATIENCE_SECONDS)

    def seen(group: str) -> str | None:
        with job_group(spark, group, "shop.orders"):
            meet.wait()
            found = spark.sparkContext.getLocalProperty(GROUP)
            meet.wait()
        return found

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(seen, ("one", "two"))) == ["one", "two"]


def test_a_spark_that_takes_no_group_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    class Settings:
        kept: ClassVar[dict[str, str | None]] = {GROUP: "mine"}

        def get(self, name: str, default: str | None) -> str | None:
            return self.kept.get(name, default)

        def set(self, name: str, value: str | None) -> None:
            if name != GROUP:
                raise ValueError("cannot be changed")
            self.kept[name] = value

        unset = kept.pop  # as Spark forgets a setting

    class Refusing:
        conf = Settings()

    with job_group(cast("SparkSession", Refusing()), "run-1", "shop.orders"):
        assert Settings.kept[GROUP] == "run-1"
    assert "takes no job group (ValueError)" in caplog.text
    assert Settings.kept[GROUP] == "mine"
