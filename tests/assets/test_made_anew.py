"""A source that was deleted and written again is another table, whatever its versions say."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock import (
    Contract,
    Decimal,
    ForeignKey,
    Merge,
    changes,
    column,
    dataset,
    landing,
    table,
)
from penstock.errors import GateError, InputError
from penstock.events.run_facts import physical_name
from tests.assets.shop import DAILY, DAY, FILES, NEXT, Order, Shop, copied, merged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock import Dataset

pytestmark = pytest.mark.slow

TEA, JAM, RYE, OIL = ((n, item) for n, item in enumerate(("tea", "jam", "rye", "oil"), 1))


class Shown(Contract, name="gold.shown", version="1.0.0", owner="team:shop"):
    """One order as it is now."""

    id: int = column(key=True)
    item: str = column(nullable=True)


class Reviewed(
    Contract,
    name="gold.reviewed",
    version="1.0.0",
    owner="team:shop",
    foreign_keys=[ForeignKey("id", references=Order)],
):
    """One order that was looked at."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column()
    day: date = column()


@dataset(Shown, inputs={"orders": table(Order)})
def shown(orders: DataFrame) -> DataFrame:
    return orders.select("id", "item")


@dataset(Reviewed, inputs={"raw": landing(FILES)})
def reviewed(raw: DataFrame) -> DataFrame:
    return raw


def source(shop: Shop) -> Path:
    """Where bronze.orders is."""
    return Path(shop.runtime.lake.table("bronze.orders").path)


def write(shop: Shop, *commits: tuple[tuple[int, str], ...], how: str = "append") -> None:
    """Commits of somebody who writes bronze.orders without Penstock."""
    for rows in commits:
        frame = shop.spark.createDataFrame(rows, "id bigint, item string").selectExpr(
            "*", "CAST(1 AS DECIMAL(10, 2)) AS price", "DATE'2013-01-05' AS day"
        )
        writer = frame.coalesce(1).write.format("delta").mode(how)
        writer.option("delta.enableChangeDataFeed", "true").save(str(source(shop)))


def make_anew(shop: Shop, *commits: tuple[tuple[int, str], ...]) -> None:
    """Delete bronze.orders and write it again."""
    shutil.rmtree(source(shop))
    write(shop, *commits)


def items(shop: Shop, spec: Dataset) -> list[str]:
    return sorted(row.item.lower() for row in shop.table(spec).select("item").collect())


@pytest.mark.parametrize("commits", [((RYE,),), ((RYE,), (OIL,)), ((RYE,), (OIL,), (TEA,))])
def test_a_reader_of_the_whole_table_takes_the_new_one(
    shop: Shop, commits: tuple[tuple[tuple[int, str], ...], ...]
) -> None:
    write(shop, (TEA,), (JAM,))
    shop.run(shown)
    assert items(shop, shown) == ["jam", "tea"]
    make_anew(shop, *commits)  # with fewer, as many, and more versions
    assert shop.run(shown).committed
    assert items(shop, shown) == sorted(item for rows in commits for _, item in rows)
    assert not shop.run(shown).committed


@pytest.mark.parametrize("spec", [copied, merged], ids=["append", "merge"])
@pytest.mark.parametrize("commits", [((RYE,),), ((RYE,), (OIL,)), ((RYE,), (OIL,), (TEA,))])
def test_a_reader_of_changes_says_so_and_begins_anew_when_its_table_is_moved_away(
    shop: Shop, spec: Dataset, commits: tuple[tuple[tuple[int, str], ...], ...]
) -> None:
    write(shop, (TEA,), (JAM,))
    shop.run(spec)
    make_anew(shop, *commits)
    with pytest.raises(InputError, match="it was made anew") as caught:
        shop.run(spec)
    assert caught.value.where == "bronze.orders"
    assert "version 1" in str(caught.value.expected)
    assert items(shop, spec) == ["jam", "tea"]
    shutil.rmtree(shop.runtime.lake.table(spec.name).path)
    shop.run(spec)
    assert items(shop, spec) == sorted(item for rows in commits for _, item in rows)


def put_back(shop: Shop, backup: Path, *commits: tuple[tuple[int, str], ...]) -> None:
    """Have the backup of bronze.orders in its place, and write on."""
    shutil.rmtree(source(shop))
    shutil.copytree(backup, source(shop))
    write(shop, *commits)


@pytest.mark.parametrize("spec", [shown, copied, merged], ids=["whole", "append", "merge"])
def test_one_that_is_put_back_and_written_on_has_other_commits_of_the_same_numbers(
    shop: Shop, spec: Dataset
) -> None:
    write(shop, (TEA,))
    backup = shop.path / "backup"
    shutil.copytree(source(shop), backup)
    write(shop, (JAM,))
    shop.run(spec)
    put_back(shop, backup, (RYE,))
    if spec is shown:
        assert shop.run(spec).committed
        assert items(shop, spec) == ["rye", "tea"]
        assert not shop.run(spec).committed
        return
    for _ in range(2):
        with pytest.raises(InputError, match="it was made anew") as caught:
            shop.run(spec)
        assert str(caught.value.found).endswith(", put back and written on")
        write(shop, (OIL,))
    assert items(shop, spec) == ["jam", "tea"]
    shutil.rmtree(source(shop))
    shutil.copytree(backup, source(shop))
    with pytest.raises(InputError, match="it was made anew"):
        shop.run(spec)
    shutil.rmtree(shop.runtime.lake.table(spec.name).path)
    shop.run(spec)
    assert items(shop, spec) == ["tea"]


def test_a_closed_slice_of_a_table_that_was_put_back_is_not_taken_for_the_same(shop: Shop) -> None:
    late = dataset(
        merged.contract,
        inputs={"orders": table(Order, slice_by="day", gaps="read")},
        partitions=DAILY,
        closes_after=timedelta(days=1),
    )(lambda orders: orders.select("id", "item", "price", "day"))
    write(shop, (TEA,))
    backup = shop.path / "backup"
    shutil.copytree(source(shop), backup)
    write(shop, (JAM,))
    assert shop.run(late, DAY).committed
    assert not shop.run(late, DAY).committed
    put_back(shop, backup, (RYE,))
    with pytest.raises(GateError, match="the slice is closed") as caught:
        shop.run(late, DAY)
    assert caught.value.found == "other orders"


def test_a_table_that_is_referred_to_and_goes_on_is_nothing_to_do(shop: Shop) -> None:
    """Rows that are taken once are not asked again whether they refer to something."""
    refers = dataset(Reviewed, inputs={"raw": landing(FILES)}, write=Merge())(lambda raw: raw)
    write(shop, (TEA,), (JAM,))
    shop.land("orders-a.csv", "1,ink,1.50,2013-01-05")
    assert shop.run(refers).committed
    write(shop, (RYE,))
    assert not shop.run(refers).committed


def test_what_was_read_by_slice_does_not_count_as_taken(shop: Shop) -> None:
    def body(orders: DataFrame) -> DataFrame:
        return orders.select("id", "item", "price", "day")

    by_day = dataset(
        merged.contract,
        inputs={"orders": table(Order, slice_by="day", gaps="read")},
        partitions=DAILY,
        write=Merge(),
    )(body)
    at_once = dataset(merged.contract, inputs={"orders": changes(Order)}, write=Merge())(body)
    write(shop, (TEA, JAM))
    shop.run(by_day, NEXT)
    assert items(shop, by_day) == []
    assert shop.run(at_once).committed
    assert items(shop, by_day) == ["jam", "tea"]


@pytest.mark.parametrize(
    ("spec", "commits", "after"),
    [
        pytest.param(shown, (), "resolved", id="whole, with fewer versions"),
        pytest.param(shown, ((RYE,),), "resolved", id="whole, with as many"),
        pytest.param(shown, ((RYE,), (OIL,)), "resolved", id="whole, with more"),
        pytest.param(copied, ((RYE,),), "resolved", id="append"),
        pytest.param(merged, ((RYE,),), "resolved", id="merge"),
        pytest.param(shown, ((RYE,),), "committing", id="whole, just before it is written"),
        pytest.param(shown, ((RYE,),), "checked", id="whole, after its keys were counted"),
    ],
)
def test_one_that_is_made_anew_after_it_was_pinned_is_not_taken_for_the_old_one(
    shop: Shop,
    spec: Dataset,
    commits: tuple[tuple[tuple[int, str], ...], ...],
    after: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if after == "checked":  # only many rows are counted before they are written
        monkeypatch.setattr("penstock.assets.resolve._FEW_BYTES", -1)
    write(shop, (TEA,), (JAM,))
    shop.run(spec)
    write(shop, (OIL,))
    before = shop.version(spec)

    def on_step(step: str) -> None:
        if step == after:
            make_anew(shop, (RYE,), (OIL,), *commits)

    with pytest.raises(InputError, match="made anew while it was being read") as caught:
        shop.run(spec, on_step=on_step)
    assert caught.value.where == "bronze.orders"
    assert shop.version(spec) == before
    assert items(shop, spec) == ["jam", "tea"]


def test_a_reference_that_was_made_anew_is_checked_again(shop: Shop) -> None:
    write(shop, (TEA, JAM))
    shop.land("orders-1.csv", "1,tea,1.00,2013-01-05", "2,jam,1.00,2013-01-05")
    shop.run(reviewed)
    make_anew(shop, (TEA,))
    assert shop.run(reviewed).rows_quarantined == 1
    assert items(shop, reviewed) == ["tea"]


def test_a_source_that_was_restored_is_the_same_table(shop: Shop) -> None:
    write(shop, (TEA,), (JAM,))
    shop.run(merged)
    shop.run(shown)
    shop.spark.sql(f"RESTORE delta.`{source(shop)}` TO VERSION AS OF 0")
    shop.run(merged)
    shop.run(shown)
    assert items(shop, merged) == ["jam", "tea"]  # Merge deletes nothing
    assert items(shop, shown) == ["tea"]


def test_a_source_that_was_replaced_in_place_goes_on(shop: Shop) -> None:
    write(shop, (TEA,), (JAM,))
    shop.run(merged)
    before = shop.runtime.lake.table("bronze.orders").read()
    shop.spark.sql(
        f"CREATE OR REPLACE TABLE delta.`{source(shop)}` USING delta "
        "TBLPROPERTIES (delta.enableChangeDataFeed = true) AS SELECT CAST(3 AS BIGINT) AS id, "
        "'rye' AS item, CAST(1 AS DECIMAL(10, 2)) AS price, DATE'2013-01-05' AS day"
    )
    after = shop.runtime.lake.table("bronze.orders").read()
    assert before
    assert after
    assert before.table_id != after.table_id
    assert after.id_at(1) == before.table_id
    shop.run(merged)
    assert items(shop, merged) == ["jam", "rye", "tea"]


def test_a_commit_from_before_ids_were_noted_goes_by_its_version(shop: Shop) -> None:
    write(shop, (TEA,), (JAM,))
    shop.run(copied)
    log = Path(shop.runtime.lake.table(copied.name).path) / "_delta_log" / f"{0:020}.json"
    lines = []
    for line in log.read_text().splitlines():
        action = json.loads(line)
        if "commitInfo" in action:
            facts = json.loads(action["commitInfo"]["userMetadata"])
            del facts["inputs"]["orders"]["table_id"]
            action["commitInfo"]["userMetadata"] = json.dumps(facts)
        lines.append(json.dumps(action))
    log.write_text("\n".join(lines) + "\n")
    log.with_name(f".{log.name}.crc").unlink(missing_ok=True)
    write(shop, (RYE,))
    shop.run(copied)
    assert items(shop, copied) == ["jam", "rye", "tea"]


def test_commit_and_lineage_say_which_table_was_read_and_written(shop: Shop) -> None:
    write(shop, (TEA,))
    read = shop.runtime.lake.table("bronze.orders").read()
    done = shop.run(merged)
    made = shop.runtime.lake.table(merged.name).read()
    assert read
    assert made
    assert done.inputs["orders"]["table_id"] == read.table_id
    (event,) = shop.runtime.ledger.events(event_type="COMPLETE")
    told = {
        item["name"]: {tag["key"]: tag["value"] for tag in item["facets"]["tags"]["tags"]}
        for side in ("inputs", "outputs")
        for item in event.payload[side]
    }
    names = {spec: physical_name(shop.runtime.lake.table(spec).uri)[1] for spec in _TOLD}
    assert told[names["bronze.orders"]]["table_id"] == read.table_id
    assert told[names["silver.merged"]]["table_id"] == made.table_id


_TOLD = ("bronze.orders", "silver.merged")
