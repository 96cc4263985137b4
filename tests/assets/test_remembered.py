"""What a run remembers may be lost, left behind or copied: the commits decide what was taken."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from penstock import Slice
from penstock.errors import LakeError
from penstock.ledger import Ledger
from penstock.resources.lake import Lake
from tests.assets.shop import (
    DAY,
    NEXT,
    Shop,
    copied,
    logged,
    merged_files,
    orders,
)
from tests.patience import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock import Dataset, Outcome

pytestmark = pytest.mark.slow

# what these took, they do not take again; Scd2 knows what it took as Merge does
ONCE = [logged, copied, merged_files]


def arrives(shop: Shop, spec: Dataset, number: int) -> None:
    """A file with one more row, and where the dataset reads a table, that table's run."""
    shop.land(f"orders-2013-01-05-{number}.csv", f"{number},ink,1.50,2013-01-05")
    if spec is copied:
        shop.run(orders, DAY)


def taken(shop: Shop, spec: Dataset) -> list[int]:
    """Which rows are in the table; one that was taken twice is in the list twice."""
    return sorted(row.id for row in shop.table(spec).collect())


def after_three(shop: Shop, spec: Dataset) -> None:
    for number in (1, 2, 3):
        arrives(shop, spec, number)
        assert shop.run(spec).committed


def goes_on(shop: Shop, spec: Dataset, number: int) -> None:
    """Nothing is taken again, and what is new is taken once."""
    assert not shop.run(spec).committed
    arrives(shop, spec, number)
    outcome = shop.run(spec)
    assert outcome.committed
    assert taken(shop, spec) == [*range(1, number + 1)]
    if spec is copied:
        assert outcome.rows_in == 1
    elif spec is not orders:  # which replaces its slice by all of it
        assert _named(outcome)[0] == [str(number)]


def with_ledger(shop: Shop, file: Path) -> Shop:
    return replace(shop, runtime=replace(shop.runtime, ledger=Ledger.open(f"sqlite:///{file}")))


@pytest.mark.parametrize("spec", [*ONCE, orders], ids=lambda spec: spec.name)
def test_what_is_remembered_may_be_lost_or_left_behind(
    shop: Shop, tmp_path: Path, spec: Dataset
) -> None:
    path = Path(shop.runtime.lake.table(spec.name).path)
    arrives(shop, spec, 1)
    shop.run(spec)
    first = shop.commits(spec)[0]
    shutil.copytree(path, tmp_path / "backup")
    with sqlite3.connect(shop.path / "ledger.db") as now, sqlite3.connect(tmp_path / "old") as then:
        now.backup(then)
    for number in (2, 3):
        arrives(shop, spec, number)
        assert shop.run(spec).committed
    # a ledger that is lost, and one from a backup
    goes_on(with_ledger(shop, tmp_path / "new"), spec, 4)
    goes_on(with_ledger(shop, tmp_path / "old"), spec, 5)
    # and this one has not seen what these two told
    assert not shop.run(spec).committed
    # a copy of the lake goes its own way
    shutil.copytree(shop.path / "lake", tmp_path / "copy")
    lake = Lake(root=str(tmp_path / "copy"), landing=shop.runtime.lake.landing)
    copy = replace(shop, runtime=replace(shop.runtime, lake=lake))
    goes_on(copy, spec, 6)
    assert taken(shop, spec) == [1, 2, 3, 4, 5]
    if spec is copied:
        shop.run(orders, DAY)
    assert shop.run(spec).committed
    assert taken(shop, spec) == [1, 2, 3, 4, 5, 6]
    # what a RESTORE undid is taken again
    shop.spark.sql(f"RESTORE delta.`{path}` TO VERSION AS OF {first}").collect()
    assert taken(shop, spec) == [1]
    assert shop.run(spec).committed
    assert taken(shop, spec) == [1, 2, 3, 4, 5, 6]
    assert not shop.run(spec).committed
    # and what a table from a backup lacks
    shutil.rmtree(path)
    shutil.copytree(tmp_path / "backup", path)
    assert taken(shop, spec) == [1]
    assert shop.run(spec).committed
    assert taken(shop, spec) == [1, 2, 3, 4, 5, 6]
    assert not shop.run(spec).committed


def _cloned(shop: Shop, spec: Dataset) -> None:
    """A shallow clone of the table is put in its place; the table itself is moved aside."""
    path, aside = Path(shop.runtime.lake.table(spec.name).path), shop.path / "aside"
    path.rename(aside)
    shop.spark.sql(f"CREATE TABLE delta.`{path}` SHALLOW CLONE delta.`{aside}`").collect()


@pytest.mark.parametrize("spec", [logged, copied], ids=lambda spec: spec.name)
def test_a_clone_does_not_say_what_was_taken_and_is_refused(shop: Shop, spec: Dataset) -> None:
    after_three(shop, spec)
    _cloned(shop, spec)
    assert taken(shop, spec) == [1, 2, 3]
    for attempt in range(2):
        if attempt:  # what another writer adds does not tell either
            path = shop.runtime.lake.table(spec.name).path
            shop.spark.sql(f"DELETE FROM delta.`{path}` WHERE id = 3").collect()
        with pytest.raises(LakeError, match="made by CLONE") as caught:
            shop.run(spec)
        assert caught.value.where == spec.name
    made_of = Path(shop.runtime.lake.table(spec.name).path)
    shutil.rmtree(made_of)
    (shop.path / "aside").rename(made_of)
    assert not shop.run(spec).committed


def test_a_clone_whose_rows_are_replaced_goes_on(shop: Shop) -> None:
    after_three(shop, orders)
    _cloned(shop, orders)
    assert shop.run(orders).committed  # another writer's commit: the slice is made anew
    assert taken(shop, orders) == [1, 2, 3]
    assert not shop.run(orders).committed


@pytest.mark.parametrize("spec", [logged, copied], ids=lambda spec: spec.name)
def test_two_drivers_with_ledgers_of_their_own_take_a_row_once(
    shop: Shop, tmp_path: Path, spec: Dataset
) -> None:
    other = with_ledger(shop, tmp_path / "other.db")
    after_three(shop, spec)
    assert not other.run(spec).committed
    arrives(shop, spec, 4)
    left = [other]

    def overtake(step: str) -> None:
        if step == "committing" and left:
            left.pop()
            arrives(other, spec, 5)
            assert other.run(spec).committed

    shop.run(spec, on_step=overtake)
    assert taken(shop, spec) == [1, 2, 3, 4, 5]
    for driver in (shop, other):
        assert not driver.run(spec).committed


def _ages(shop: Shop, spec: Dataset) -> None:
    """Its commits are 30 days old, and the next one cleans the log of what is older than 10."""
    table = shop.runtime.lake.table(spec.name)
    shop.spark.sql(
        f"ALTER TABLE delta.`{table.path}` SET TBLPROPERTIES ("
        "'delta.logRetentionDuration' = 'interval 10 days', 'delta.checkpointInterval' = '1')"
    ).collect()
    old = (datetime.now(UTC) - timedelta(days=30)).timestamp()
    for file in _log(shop, spec).iterdir():
        if file.is_file():
            os.utime(file, (old, old))


def _log(shop: Shop, spec: Dataset) -> Path:
    return Path(shop.runtime.lake.table(spec.name).path) / "_delta_log"


def _are_there(shop: Shop, spec: Dataset, versions: list[int]) -> bool:
    return any((_log(shop, spec) / f"{version:020}.json").exists() for version in versions)


@pytest.mark.parametrize("spec", ONCE, ids=lambda spec: spec.name)
def test_a_log_that_was_cleaned_up_has_forgotten_no_row(
    shop: Shop, tmp_path: Path, spec: Dataset
) -> None:
    after_three(shop, spec)
    before = shop.commits(spec)
    _ages(shop, spec)
    # a run after more than half of the time that a commit is kept
    later = replace(
        shop, runtime=replace(shop.runtime, clock=lambda: datetime.now(UTC) + timedelta(days=6))
    )
    arrives(later, spec, 4)
    assert later.run(spec).committed
    assert not _are_there(later, spec, before)
    for known in (shop, with_ledger(shop, tmp_path / "new.db")):
        assert not known.run(spec).committed
        assert taken(known, spec) == [1, 2, 3, 4]


@pytest.mark.parametrize("lost", [False, True], ids=["kept", "lost"])
def test_a_slice_whose_commits_have_left_the_log_is_made_anew_again_and_again(
    shop: Shop, tmp_path: Path, *, lost: bool
) -> None:
    after = Slice.day(date(2013, 1, 7))
    for slice_ in (NEXT, DAY):  # the slice is not the one that made the table
        shop.land(f"orders-{slice_.key}.csv", f"1,ink,1.50,{slice_.key}")
        assert shop.run(orders, slice_).committed
    known = with_ledger(shop, tmp_path / "new.db") if lost else shop
    for number in (2, 3):
        before = shop.commits(orders)
        _ages(shop, orders)
        shop.land(f"orders-{after.key}.csv", f"{number},ink,1.50,{after.key}")
        assert shop.run(orders, after).committed
        assert not _are_there(shop, orders, before)
        shop.land(f"orders-{DAY.key}.csv", f"{number},pen,2.50,{DAY.key}")
        assert known.run(orders, DAY).committed
        assert not known.run(orders, DAY).committed
        assert taken(shop, orders) == [1, number, number]


def test_a_table_knows_few_transactions_however_many_runs_wrote_it(shop: Shop) -> None:
    after_three(shop, logged)
    entries = (
        json.loads(line)
        for file in _log(shop, logged).glob("*.json")
        for line in file.read_text().splitlines()
    )
    told = [entry["txn"] for entry in entries if "txn" in entry]
    assert len(told) == 3
    assert len({txn["appId"] for txn in told}) == 2, "one of its making, and one of what follows"


def _named(outcome: Outcome) -> tuple[list[str], list[str]]:
    raw = outcome.inputs["raw"]
    files, copies = (
        [Path(file["name"]).stem.rsplit("-", 1)[-1] for file in raw.get(kind, ())]
        for kind in ("files", "copies")
    )
    return files, copies


@pytest.mark.parametrize("spec", [logged, merged_files], ids=lambda spec: spec.name)
def test_a_commit_names_what_is_new_and_what_the_log_is_about_to_lose(
    shop: Shop, spec: Dataset
) -> None:
    arrives(shop, spec, 1)
    assert _named(shop.run(spec)) == (["1"], [])
    arrives(shop, spec, 2)
    assert _named(shop.run(spec)) == (["2"], [])
    # tables that Penstock makes keep their log for 400 days
    later = replace(
        shop, runtime=replace(shop.runtime, clock=lambda: datetime.now(UTC) + timedelta(days=201))
    )
    assert not later.run(spec).committed
    arrives(later, spec, 3)
    assert _named(later.run(spec)) == (["3"], ["1", "2"])
    arrives(later, spec, 4)
    # Spark's clock stamped the commit that repeated them, and it did so today
    assert _named(shop.run(spec)) == (["4"], [])


class Counted(Lake):
    """A lake that counts how often a landing file is read on the driver."""

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with (Path(self.landing).parent / "opened").open("a") as stream:
            stream.write(f"{name}\n")
        with super().open(name) as stream:
            yield stream


def test_a_file_that_did_not_change_is_read_once(shop: Shop) -> None:
    lake = Counted(root=shop.runtime.lake.root, landing=shop.runtime.lake.landing)
    counted = replace(shop, runtime=replace(shop.runtime, lake=lake))
    opened = shop.path / "opened"

    def settled() -> bool:
        return all(file.state for file in lake.landing_files("orders/*"))

    def reads() -> int:
        count = len(opened.read_text().splitlines()) if opened.exists() else 0
        opened.unlink(missing_ok=True)
        return count

    file = shop.land("orders-1.csv", "1,ink,1.50,2013-01-05")
    shop.land("orders-2.csv", "2,ink,1.50,2013-01-05")
    until(settled, "the files are settled")
    counted.run(logged)
    assert reads() == 2
    assert not counted.run(logged).committed
    assert reads() == 0
    # as long, at the same time, and another content
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    shop.land("orders-1.csv", "3,ink,1.50,2013-01-05")
    os.utime(file, ns=times)
    until(settled, "the files are settled")
    assert counted.run(logged).committed
    assert reads() == 1
    assert taken(shop, logged) == [1, 2, 3]


def test_a_file_that_was_written_just_now_is_read_again(shop: Shop) -> None:
    lake = shop.runtime.lake
    file = shop.land("orders-1.csv", "1,ink,1.50,2013-01-05")
    (listed,) = lake.landing_files("orders/*")
    # unless the machine slept between the two
    fresh = datetime.now(UTC).timestamp() - file.stat().st_ctime < 1
    assert listed.state is None or not fresh
    shop.run(logged)
    shop.land("orders-1.csv", "2,ink,1.50,2013-01-05")
    assert shop.run(logged).committed
    assert taken(shop, logged) == [1, 2]
