"""Changes that come late: taken while they are there, and told of where they cannot be any more."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from penstock import Append, Contract, Merge, changes, column, dataset
from penstock.errors import InputError, LakeError
from tests.assets.shop import DAY, NEXT, Shop, copied, merged, orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from penstock import Dataset

pytestmark = pytest.mark.slow

TEA, JAM, RYE = (f"{n},{item},1,2013-01-05" for n, item in enumerate(("tea", "jam", "rye"), 1))
UNCHECKED = "spark.databricks.delta.retentionDurationCheck.enabled"


def redone_twice(shop: Shop, *, hours_ago: int = 0) -> Path:
    """bronze.orders, of which a reader took the first commit and not the two after it."""
    table = Path(shop.runtime.lake.table(orders.name).path)
    shop.land("orders-2013-01-05.csv", TEA)
    shop.run(orders)
    aged(shop, table, hours_ago)
    for spec in (copied, merged):
        shop.run(spec)
    for lines in ((TEA, JAM), (JAM, RYE)):
        shop.land("orders-2013-01-05.csv", *lines)
        shop.run(orders)
    aged(shop, table, hours_ago)
    return table


def vacuum(shop: Shop, table: Path) -> None:
    shop.spark.conf.set(UNCHECKED, "false")
    try:
        shop.spark.sql(f"VACUUM delta.`{table}` RETAIN 0 HOURS")
    finally:
        shop.spark.conf.unset(UNCHECKED)


@pytest.mark.parametrize("spec", [copied, merged], ids=["append", "merge"])
def test_a_first_run_takes_a_table_whose_files_were_compacted_away(
    shop: Shop, spec: Dataset
) -> None:
    for number, day in ((1, DAY), (2, NEXT)):
        name = f"orders-2013-01-0{4 + number}.csv"
        shop.land(name, f"{number},tea,1,2013-01-0{4 + number}")
        shop.run(orders, day)
    shop.land("orders-2013-01-05.csv", RYE)
    shop.run(orders, DAY)
    table = Path(shop.runtime.lake.table(orders.name).path)
    shop.spark.sql(f"OPTIMIZE delta.`{table}` ZORDER BY (id)").collect()
    vacuum(shop, table)
    shop.run(spec)
    assert sorted(row.id for row in shop.table(spec).collect()) == [2, 3]
    assert not shop.run(spec).committed


def aged(shop: Shop, table: Path, hours: int) -> None:
    """Every new commit of the table as if it had been made so many hours earlier."""
    if not hours:
        return
    stamp = re.compile(r'"(\w*[tT]imestamp|modificationTime)":(\d{13})')
    for commit in (table / "_delta_log").glob("*.json"):
        if time.time() - commit.stat().st_mtime > 3600:
            continue  # readers know it as it is
        earlier = stamp.sub(
            lambda found: f'"{found[1]}":{int(found[2]) - hours * 3_600_000}', commit.read_text()
        )
        commit.write_text(earlier)
        then = time.time() - hours * 3600
        os.utime(commit, (then, then))
    for checksum in {*(table / "_delta_log").glob("*.crc")}:
        checksum.unlink(missing_ok=True)
    shop.spark.catalog.refreshByPath(str(table))
    jvm: Any = shop.spark._jvm
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


@pytest.mark.parametrize("spec", [copied, merged], ids=["append", "merge"])
def test_changes_older_than_a_week_are_taken_as_long_as_they_are_there(
    shop: Shop, spec: Dataset
) -> None:
    """Delta keeps what a vacuum may delete for a week, and would refuse to read what is older."""
    redone_twice(shop, hours_ago=200)
    shop.run(spec)
    # what was taken out of the source stays
    assert sorted(row.id for row in shop.table(spec).collect()) == [1, 2, 3]
    shutil.rmtree(shop.runtime.lake.table(spec.name).path)
    shop.run(spec)  # from the beginning
    assert sorted(row.id for row in shop.table(spec).collect()) == [2, 3]


@pytest.mark.parametrize("spec", [copied, merged], ids=["append", "merge"])
def test_vacuum_past_the_reader_is_told_of_the_source(shop: Shop, spec: Dataset) -> None:
    vacuum(shop, redone_twice(shop))
    before = shop.version(spec)
    with pytest.raises(InputError, match="VACUUM deleted changes") as caught:
        shop.run(spec)
    error = caught.value
    assert error.where == orders.name
    assert error.expected == "the changes of versions 1 to 2"
    assert str(error.found).startswith("delta.deletedFileRetentionDuration = ")
    for way in ("table(...)", "move this dataset's table away", "promised_hours"):
        assert way in error.next_step
    assert "backup" not in str(error)
    assert shop.version(spec) == before
    shutil.rmtree(shop.runtime.lake.table(spec.name).path)
    shop.run(spec)
    assert sorted(row.id for row in shop.table(spec).collect()) == [2, 3]


def test_a_log_that_dropped_the_commits_is_told_of_the_source(shop: Shop) -> None:
    table = redone_twice(shop)
    log = table / "_delta_log"
    DeltaTable(table).create_checkpoint()
    for version in (0, 1):
        (log / f"{version:020}.json").unlink()
        (log / f".{version:020}.json.crc").unlink(missing_ok=True)
        (log / f"{version:020}.crc").unlink(missing_ok=True)
    with pytest.raises(InputError, match="the log dropped changes") as caught:
        shop.run(copied)
    assert caught.value.where == orders.name
    assert "delta.logRetentionDuration" in str(caught.value.found)


def test_a_file_that_is_gone_from_a_table_read_whole_is_still_damage(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", TEA)
    shop.run(orders)
    for file in Path(shop.runtime.lake.table(orders.name).path).rglob("*.parquet"):
        file.unlink()
    with pytest.raises(LakeError, match="is gone"):
        shop.run(copied)  # its first run takes the table whole


def test_a_file_of_changes_that_nobody_vacuumed_is_damage(shop: Shop) -> None:
    table = redone_twice(shop)
    for file in table.rglob("*.parquet"):
        file.unlink()
    with pytest.raises(LakeError, match="is gone"):
        shop.run(copied)


class Counted(Contract, name="silver.counted", version="1.0.0", owner="team:shop"):
    """One count, as wide as ever."""

    id: int = column(key=True)


@dataset(Counted, inputs={"counts": changes("ext.counts")}, write=Append())
def counted(counts: DataFrame) -> DataFrame:
    return counts.selectExpr("CAST(id AS BIGINT) AS id")


@dataset(Counted, inputs={"counts": changes("ext.counts")}, write=Merge())
def counted_once(counts: DataFrame) -> DataFrame:
    return counts.selectExpr("CAST(id AS BIGINT) AS id")


def widened(shop: Shop, name: str) -> None:
    shop.spark.sql(f"ALTER TABLE {name} ALTER COLUMN n TYPE BIGINT")
    shop.spark.sql(f"INSERT INTO {name} VALUES (9, 9)")


def dropped(shop: Shop, name: str) -> None:
    shop.spark.sql(f"ALTER TABLE {name} DROP COLUMN n")
    shop.spark.sql(f"INSERT INTO {name} VALUES (9)")


def renamed(shop: Shop, name: str) -> None:
    shop.spark.sql(f"ALTER TABLE {name} RENAME COLUMN n TO m")
    shop.spark.sql(f"INSERT INTO {name} VALUES (9, 9)")


def replaced(shop: Shop, name: str) -> None:
    path = name.partition(".")[2].strip("`")
    frame = shop.spark.sql("SELECT 9 AS id, 'x' AS n")
    frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(path)


def added(shop: Shop, name: str) -> None:
    shop.spark.sql(f"ALTER TABLE {name} ADD COLUMNS (x INT)")


def counts(shop: Shop, spec: Dataset, change: Callable[[Shop, str], None]) -> str:
    """The name of a table of somebody else's with two commits of rows, of which one is taken."""
    name = f"delta.`{shop.runtime.lake.table('ext.counts').path}`"
    # what needs mapped columns, and what is refused with them
    mapped = ", 'delta.columnMapping.mode' = 'name'" if change in (dropped, renamed) else ""
    shop.spark.sql(
        f"CREATE TABLE {name} (id INT, n INT) USING delta TBLPROPERTIES ("
        f"'delta.enableChangeDataFeed' = 'true', 'delta.enableTypeWidening' = 'true'{mapped})"
    )
    shop.spark.sql(f"INSERT INTO {name} VALUES (1, 1)")
    shop.run(spec)
    shop.spark.sql(f"INSERT INTO {name} VALUES (2, 2)")
    return name


@pytest.mark.parametrize(
    ("spec", "change"),
    [
        (counted, widened),
        (counted, dropped),
        (counted, renamed),
        (counted, replaced),
        (counted_once, widened),
    ],
    ids=["widened", "dropped", "renamed", "replaced", "widened, merge"],
)
def test_a_source_that_got_other_columns_is_told_with_the_version(
    shop: Shop, spec: Dataset, change: Callable[[Shop, str], None]
) -> None:
    name = counts(shop, spec, change)
    change(shop, name)
    with pytest.raises(InputError, match="got other columns before") as caught:
        shop.run(spec)
    error = caught.value
    assert error.where == "ext.counts"
    assert "up to version 2," in str(error.expected)
    found = {"widened": "n int -> bigint", "replaced": "n int -> string"}
    told = found.get(change.__name__, "n int -> gone")
    assert error.found == f"version 3: {told}; taken up to version 1"
    assert "table(...)" in error.next_step
    # the way on
    shutil.rmtree(shop.runtime.lake.table(spec.name).path)
    shop.run(spec)
    ids = {9} if change is replaced else {1, 2, 9}
    assert {row.id for row in shop.table(spec).collect()} == ids


@pytest.mark.parametrize("spec", [counted, counted_once], ids=["append", "merge"])
def test_a_column_more_stops_nobody(shop: Shop, spec: Dataset) -> None:
    name = counts(shop, spec, added)
    added(shop, name)
    shop.spark.sql(f"INSERT INTO {name} VALUES (3, 3, 3)")
    shop.run(spec)
    assert sorted(row.id for row in shop.table(spec).collect()) == [1, 2, 3]


@dataset(Counted, inputs={"tallies": changes("ext.counts")}, write=Append())
def counted_of_tallies(tallies: DataFrame) -> DataFrame:
    return tallies.selectExpr("CAST(id AS BIGINT) AS id")


@dataset(Counted, inputs={"tallies": changes("ext.counts")}, write=Append(known="skip"))
def counted_skipping(tallies: DataFrame) -> DataFrame:
    return tallies.selectExpr("CAST(id AS BIGINT) AS id")


def test_changes_that_were_taken_under_another_name_are_not_added_again(shop: Shop) -> None:
    counts(shop, counted, added)
    with pytest.raises(InputError, match="taken as another input") as caught:
        shop.run(counted_of_tallies)
    assert caught.value.where == "ext.counts"
    assert "input tallies" in str(caught.value.expected)
    assert [row.id for row in shop.table(counted).collect()] == [1]
    # what is known is skipped: nothing is added twice
    shop.run(counted_skipping)
    assert sorted(row.id for row in shop.table(counted).collect()) == [1, 2]
