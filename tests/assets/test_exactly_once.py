"""Killed at any point and run again: the tables end as in a run that nobody disturbed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from penstock.testing import assert_frames_equal
from tests.assets import shop as datasets
from tests.assets.killed_job import die_after, run_stuck, stuck
from tests.assets.shop import DAY, VERSIONED, Shop, copied, orders, versioned
from tests.forked import forked, jvm_of
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from penstock import Dataset

BEFORE_COMMIT = ("resolved", "analyzed", "started", "committing", "quarantining", "quarantined")
# after which a new thing is on disk: what the kill leaves differs between these alone
LEAVING = ("analyzed", "committing", "quarantined")


def _killed(folder: Path, step: str) -> None:
    """A run of `stuck` in another process that SIGKILL ends, and with it a Spark of its own."""
    output = folder / "killed.log"
    with forked(output, run_stuck, folder, step) as process:
        assert process.wait() == -signal.SIGKILL, output.read_text()
    _wait_until_gone(int((folder / "jvm.pid").read_text()))


def _killed_python(shop: Shop, step: str, dataset: str) -> None:
    """A run in another Python that SIGKILL ends after `step`; its Spark is ours, and idle then."""
    output = shop.path / "killed.log"
    with forked(output, die_after, step, dataset, shop.path, jvm_of(shop.spark)) as process:
        assert process.wait() == -signal.SIGKILL, output.read_text()


def _prepare(shop: Shop, spec: Dataset) -> None:
    """A first commit, then new input with bad rows among it."""
    if spec is versioned:
        shop.land("orders-a.csv", "1,ink,1,2013-01-01", header=VERSIONED)
        shop.run(spec)
        shop.land(
            "orders-b.csv",
            "1,cup,2,2013-01-03",
            "2,pen,-1,2013-01-03",
            "3,nib,x,2013-01-03",
            "4,pad,1,2013-01-03",
            header=VERSIONED,
        )
        return
    shop.land("orders-2013-01-05-a.csv", "1,ink,1,2013-01-05")
    if spec is copied:
        shop.run(orders, DAY)
    shop.run(spec)
    lines = ["1,cup,1,2013-01-05", "4,pad,1,2013-01-05", "5,mug,7,2013-01-05"]
    if spec is not copied:
        lines += ["2,pen,-1,2013-01-05", "3,nib,x,2013-01-05"]
    shop.land("orders-2013-01-05-a.csv", *lines)
    if spec is copied:
        shop.run(orders, DAY)


def _assert_same(shop: Shop, undisturbed: Shop, spec: Dataset) -> None:
    assert_frames_equal(shop.table(spec), undisturbed.table(spec))
    entries = ("reasons", "row", "file")
    assert_frames_equal(
        shop.quarantine(spec).select(*entries), undisturbed.quarantine(spec).select(*entries)
    )


@pytest.mark.slow(seconds=400)
@pytest.mark.parametrize("dataset", ["orders", "copied", "merged_files", "versioned"])
def test_a_run_killed_at_every_step_and_run_again_ends_the_same(
    spark: SparkSession, tmp_path: Path, dataset: str
) -> None:
    spec: Dataset = getattr(datasets, dataset)
    shop, undisturbed = Shop.at(spark, tmp_path / "one"), Shop.at(spark, tmp_path / "other")
    for each in (shop, undisturbed):
        _prepare(each, spec)
    expected = undisturbed.run(spec)
    before = shop.version(spec)
    bad = expected.rows_quarantined > 0
    assert bad is (spec is not copied)
    for step in BEFORE_COMMIT if spec is orders else LEAVING if bad else LEAVING[:2]:
        _killed_python(shop, step, dataset)
        assert shop.version(spec) == before
    _killed_python(shop, "committed", dataset)
    assert shop.version(spec) == expected.version
    again = shop.run(spec)
    assert (again.committed, again.version) == (False, expected.version)
    assert (again.rows_in, again.rows_changed, again.rows_quarantined) == (
        expected.rows_in,
        expected.rows_changed,
        expected.rows_quarantined,
    )
    _assert_same(shop, undisturbed, spec)
    ended = shop.runtime.ledger.run(again.run_id)
    assert ended
    assert ended.state == "COMPLETE"
    assert shop.runtime.ledger.open_runs() == ()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["checked", "quarantined"])
def test_a_first_run_that_is_killed_and_run_again_ends_the_same(
    spark: SparkSession, tmp_path: Path, step: str
) -> None:
    """Of a table that is new nothing is known: its keys are counted before anything is written."""
    shop, undisturbed = Shop.at(spark, tmp_path / "one"), Shop.at(spark, tmp_path / "other")
    bad = ("1,pen,2,2013-01-05",) if step == "quarantined" else ()
    for each in (shop, undisturbed):
        lines = ("1,ink,1,2013-01-05", "2,pen,2,2013-01-05", "3,nib,1,2013-01-05", *bad)
        each.land("orders-2013-01-05.csv", *lines)
    expected = undisturbed.run(orders)
    _killed_python(shop, step, "orders")
    assert shop.version(orders) is None
    again = shop.run(orders)
    assert (again.rows_changed, again.rows_quarantined) == (
        expected.rows_changed,
        expected.rows_quarantined,
    )
    _assert_same(shop, undisturbed, orders)
    assert shop.runtime.ledger.open_runs() == ()


@pytest.mark.slow(seconds=400)
@pytest.mark.parametrize("step", ["quarantined", "writing", "committed"])
def test_a_process_killed_by_the_system_and_run_again_ends_the_same(
    spark: SparkSession, tmp_path: Path, step: str
) -> None:
    shop, undisturbed = Shop.at(spark, tmp_path / "one"), Shop.at(spark, tmp_path / "other")
    bad = () if step == "writing" else ("3,nib,-1,2013-01-05", "short")
    for each in (shop, undisturbed):
        each.land("orders-2013-01-05.csv", "1,ink,1,2013-01-05", "2,pen,2,2013-01-05", *bad)
    undisturbed_outcome = undisturbed.run(stuck)
    folder = tmp_path / "one"
    _killed(folder, step)
    left = list((folder / "lake" / "bronze" / "loaded").rglob("*.parquet"))
    assert (shop.version(stuck) is None) is (step != "committed")
    # a row that cannot be read stops the count of keys: before the quarantine no write is begun
    assert bool(left) is (step != "quarantined")
    outcome = shop.run(stuck)
    assert outcome.committed is (step != "committed")
    assert outcome.rows_in == undisturbed_outcome.rows_in
    _assert_same(shop, undisturbed, stuck)
    assert shop.states(stuck)[-1] == "COMPLETE"
    assert shop.runtime.ledger.open_runs() == ()


def _wait_until_gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(timeout=PATIENCE_SECONDS)
    except psutil.NoSuchProcess:
        return
