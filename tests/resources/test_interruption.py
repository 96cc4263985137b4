"""Work of a thread that another asks to end: its own jobs are cancelled, and nobody else's."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from penstock.resources.interruption import (
    Interrupted,
    Interruption,
    cancelled_by,
    interruptible,
    obeying,
)
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from tests.patience import until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENDLESS = "SELECT count(*) FROM range(100000000000) WHERE hash(id, id) % 7 = rand()"


class Endless(Thread):
    """A query that does not end by itself."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.interruption = Interruption()
        self.ended_with: BaseException | None = None

    def run(self) -> None:
        cluster = LocalCluster(profile=Profile.SMALL, cores=2)
        try:
            with interruptible(self.interruption), cluster.session() as spark:
                spark.sql(ENDLESS).collect()
        except BaseException as error:  # noqa: BLE001 - which it is, is looked at
            self.ended_with = error

    def interrupt(self) -> None:
        def over() -> bool:
            self.interruption.ask()
            return not self.is_alive()

        until(over, "the query is cancelled")


def test_the_jobs_of_one_thread_are_cancelled_and_no_others(spark: SparkSession) -> None:
    def jobs() -> int:
        return len(spark.sparkContext.statusTracker().getActiveJobsIds())

    first, second = Endless(), Endless()
    first.start()
    second.start()
    try:
        until(lambda: jobs() == 2, "both are at work")
        first.interrupt()
        assert isinstance(first.ended_with, Interrupted)
        assert first.ended_with.__suppress_context__, "Spark's own words may quote rows"
        assert jobs() == 1
        assert second.is_alive()
    finally:
        first.interrupt()
        second.interrupt()
    assert jobs() == 0
    assert spark.range(3).count() == 3


def test_who_was_asked_begins_nothing_new() -> None:
    interruption = Interruption()
    interruption.ask()
    begun = []
    with pytest.raises(Interrupted), interruptible(interruption), cancelled_by(lambda: None):
        begun.append(1)
    assert not begun


def test_an_error_is_told_as_it_is_unless_the_work_was_asked_to_end() -> None:
    interruption = Interruption()
    with pytest.raises(ZeroDivisionError), interruptible(interruption), obeying():
        raise ZeroDivisionError
    interruption.ask()
    with pytest.raises(Interrupted), interruptible(interruption), obeying():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), obeying():
        raise ZeroDivisionError


def test_what_cannot_be_cancelled_does_not_keep_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    interruption, cancelled = Interruption(), []

    def refuses() -> None:
        raise OSError("a row: 4711")

    with (
        interruptible(interruption),
        cancelled_by(refuses),
        cancelled_by(lambda: cancelled.append(1)),
    ):
        interruption.ask()
    interruption.ask()
    assert cancelled == [1], "after its block it is not called"
    assert "(OSError)" in caplog.text
    assert "4711" not in caplog.text
