"""Settings of one thread's statements: the old ones come back, and no other thread heeds them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from penstock.resources.session_settings import session_settings
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = "spark.databricks.delta.commitInfo.userMetadata"


def test_they_hold_in_the_block_and_the_old_ones_come_back(spark: SparkSession) -> None:
    def inside() -> None:
        with session_settings(spark, {NAME: "inner"}):
            assert spark.conf.get(NAME) == "inner"
            raise ZeroDivisionError

    for before in (None, "outer"):
        if before:
            spark.conf.set(NAME, before)
        with pytest.raises(ZeroDivisionError):
            inside()
        assert spark.conf.get(NAME, None) == before
    spark.conf.unset(NAME)


def test_a_second_thread_of_the_session_waits_and_one_of_another_session_does_not(
    spark: SparkSession,
) -> None:
    inside, others_done = threading.Event(), threading.Event()

    def first() -> None:
        with session_settings(spark, {NAME: "first"}):
            inside.set()
            assert others_done.wait(PATIENCE_SECONDS)

    def seen_by(session: SparkSession) -> str | None:
        assert inside.wait(PATIENCE_SECONDS)
        with session_settings(session, {}):
            return session.conf.get(NAME, None)

    with ThreadPoolExecutor(3) as threads:
        held = threads.submit(first)
        waiting = threads.submit(seen_by, spark)
        assert threads.submit(seen_by, spark.newSession()).result(PATIENCE_SECONDS) is None
        assert not waiting.done(), "it heeds what the first thread has set"
        others_done.set()
        held.result(PATIENCE_SECONDS)
        assert waiting.result(PATIENCE_SECONDS) is None
