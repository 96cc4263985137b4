"""Two runs at once: ends right, and nobody's rows are lost or doubled."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from penstock.assets import commit
from penstock.assets.commit import commit_quarantine
from penstock.assets.slice import Slice
from penstock.resources.lake import Table
from tests.assets.killed_job import meet, run_stuck, stuck
from tests.assets.shop import DAY, NEXT, Shop, copied, logged, merged, merged_files, orders
from tests.forked import forked
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock import Dataset, Outcome

pytestmark = pytest.mark.slow

BOTH = Slice.day(date(2013, 1, 5), date(2013, 1, 6))
FIRST = ("1,ink,1.50,2013-01-05", "2,pen,2.50,2013-01-05")


def _overtaken(shop: Shop, spec: Dataset, overtake: Callable[[], object]) -> Outcome:
    """A run that is overtaken by another after its inputs are pinned, before it commits."""
    left = [overtake]

    def on_step(step: str) -> None:
        if step == "committing" and left:
            left.pop()()

    return shop.run(spec, on_step=on_step)


def _ids(shop: Shop, spec: Dataset) -> list[int]:
    return sorted(row.id for row in shop.table(spec).collect())


@pytest.mark.parametrize("created", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("spec", [orders, logged, merged_files], ids=lambda s: s.name)
def test_a_run_overtaken_by_one_that_saw_more_is_done_again(
    shop: Shop, spec: Dataset, *, created: bool
) -> None:
    if created:
        shop.land("orders-2013-01-05-a.csv", "7,old,1,2013-01-05")
        shop.run(spec)
    shop.land("orders-2013-01-05.csv", *FIRST)

    def overtake() -> None:
        shop.land("orders-2013-01-05-late.csv", "3,cup,1,2013-01-05")
        assert shop.run(spec).committed

    _overtaken(shop, spec, overtake)
    assert _ids(shop, spec) == ([1, 2, 3, 7] if created else [1, 2, 3])
    # being overtaken is no failure, and leaves no run open
    assert set(shop.states(spec)) <= {"COMPLETE", "ABORT"}
    assert not shop.run(spec).committed


@pytest.mark.parametrize("spec", [copied, merged], ids=lambda s: s.name)
def test_changes_are_not_taken_twice_by_a_run_that_was_overtaken(shop: Shop, spec: Dataset) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST)
    shop.land("orders-2013-01-06.csv", "3,cup,1,2013-01-06")
    shop.run(orders, DAY)

    def overtake() -> None:
        shop.run(orders, NEXT)
        assert shop.run(spec).rows_in == 3

    _overtaken(shop, spec, overtake)
    assert _ids(shop, spec) == [1, 2, 3]
    assert not shop.run(spec).committed


def test_the_same_slice_twice_at_once_is_one_commit(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST, "9,bad,-1,2013-01-05")
    together = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def one(_: int) -> Outcome:
        met: list[str] = []

        def on_step(step: str) -> None:
            if step == "started" and not met:
                met.append(step)
                together.wait()

        return shop.run(orders, DAY, on_step=on_step)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(one, range(2)))
    assert sorted(o.committed for o in outcomes) in ([False, True], [True, True])
    assert {o.version for o in outcomes} == {0}
    assert _ids(shop, orders) == [1, 2]
    assert shop.reasons(orders) == ["price:ge"]
    # whoever was second did nothing, and does not stay open
    assert set(shop.states(orders)) <= {"COMPLETE", "ABORT"}
    assert not shop.run(orders, DAY).committed


def test_two_slices_at_once_both_arrive(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", *FIRST, "9,bad,-1,2013-01-05")
    shop.land("orders-2013-01-06.csv", "3,cup,1,2013-01-06", "8,bad,-1,2013-01-06")
    together = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def one(slice_: object) -> Outcome:
        met: list[str] = []

        def on_step(step: str) -> None:
            if step == "started" and not met:
                met.append(step)
                together.wait()

        return shop.run(orders, slice_, on_step=on_step)  # type: ignore[arg-type]

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(one, (DAY, NEXT)))
    assert all(o.committed for o in outcomes)
    assert _ids(shop, orders) == [1, 2, 3]
    assert shop.reasons(orders) == ["price:ge", "price:ge"]
    assert not shop.run(orders, DAY).committed
    assert not shop.run(orders, NEXT).committed


@pytest.mark.parametrize("seen", [True, False], ids=["before the write", "by the write alone"])
@pytest.mark.parametrize("created", [False, True], ids=["first", "later"])
@pytest.mark.parametrize(("late", "early"), [(DAY, BOTH), (BOTH, DAY)], ids=["day", "range"])
def test_a_run_does_not_put_older_rows_in_place_of_those_of_an_overlapping_slice(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    late: Slice,
    early: Slice,
    *,
    created: bool,
    seen: bool,
) -> None:
    shop.land("orders-2013-01-05-a.csv", "7,old,1,2013-01-05")
    shop.land("orders-2013-01-06.csv", "4,mug,1,2013-01-06")
    if created:
        shop.run(orders, BOTH)
    shop.land("orders-2013-01-05.csv", *FIRST)
    left = [early]

    def overtake() -> None:
        if left:
            slice_ = left.pop()
            shop.land("orders-2013-01-05-late.csv", "3,cup,1,2013-01-05")
            assert shop.run(orders, slice_).committed

    def on_step(step: str) -> None:
        if seen and step == "committing":
            overtake()

    def write(*args: Any, **kwargs: Any) -> None:
        overtake()
        written(*args, **kwargs)

    written = commit._write
    if not seen:
        monkeypatch.setattr(commit, "_write", write)
    shop.run(orders, late, on_step=on_step)
    assert _ids(shop, orders) == [1, 2, 3, 4, 7]
    assert set(shop.states(orders)) <= {"COMPLETE", "ABORT"}
    assert not shop.run(orders, late).committed


def test_two_processes_that_create_the_same_table_make_one_commit(shop: Shop) -> None:
    shop.land("orders-a.csv", *FIRST, "9,bad,-1,2013-01-05")
    output = shop.path / "child.log"
    with forked(output, run_stuck, shop.path, "meet") as child:

        def on_step(name: str) -> None:
            if name == "started":
                meet(shop.path, "parent.met", "child.met")

        outcome = shop.run(stuck, on_step=on_step)
        assert child.wait() == 0, output.read_text()
    assert outcome.version == 0
    assert shop.version(stuck) == 0
    assert _ids(shop, stuck) == [1, 2]
    assert shop.reasons(stuck) == ["price:ge"]
    assert not shop.run(stuck).committed


class Early(Table):
    """A table as a driver saw it that looked before another made it."""

    def read(self) -> None:
        return None


def test_two_drivers_that_make_the_quarantine_at_once_set_a_row_aside_once(shop: Shop) -> None:
    table = shop.runtime.lake.quarantine(orders.name)
    early = Early(dataset=table.dataset, uri=table.uri, path=table.path, options=table.options)
    schema = "reasons array<string>, row string, file string, run_id string, token string"
    for run in ("first", "second"):
        rows = [(["price:ge"], "{}", "orders.csv", run, "same")]
        commit_quarantine(early, shop.spark.createDataFrame(rows, schema), "same")
    commit_quarantine(early, shop.spark.createDataFrame([], schema), "other")
    left = shop.spark.read.format("delta").load(table.path)
    assert [(row.run_id, row.token) for row in left.collect()] == [("second", "same")]


def test_a_quarantine_has_few_partitions_and_an_old_one_keeps_its_own(shop: Shop) -> None:
    schema = "reasons array<string>, row string, file string, run_id string, token string"

    def put(table: Table, token: str, run: str) -> None:
        rows = [(["price:ge"], "{}", "orders.csv", run, token)]
        commit_quarantine(table, shop.spark.createDataFrame(rows, schema), token)

    new, old = (shop.runtime.lake.quarantine(name) for name in (orders.name, stuck.name))
    shop.spark.createDataFrame([], schema).write.format("delta").partitionBy("token").save(old.path)
    for table, partitions in ((new, ("bucket",)), (old, ("token",))):
        for token, run in (("ab12", "1"), ("ab34", "2"), ("cd56", "3"), ("ab12", "4")):
            put(table, token, run)
        log = table.read()
        assert log
        assert log.partition_columns() == partitions
        left = shop.spark.read.format("delta").load(table.path)
        assert sorted((row.token, row.run_id) for row in left.collect()) == [
            *(("ab12", "4"), ("ab34", "2"), ("cd56", "3"))
        ]
