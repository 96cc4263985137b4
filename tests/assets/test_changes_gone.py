"""Changes that were cleaned up before they were taken: the source is named, and both ways on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable

from penstock.errors import InputError, LakeError
from tests.assets.shop import Shop, copied, merged, orders

if TYPE_CHECKING:
    from penstock import Dataset

pytestmark = pytest.mark.slow

TEA, JAM, RYE = (f"{n},{item},1,2013-01-05" for n, item in enumerate(("tea", "jam", "rye"), 1))
UNCHECKED = "spark.databricks.delta.retentionDurationCheck.enabled"


def redone_twice(shop: Shop) -> Path:
    """bronze.orders, of which a reader took the first commit and not the two after it."""
    shop.land("orders-2013-01-05.csv", TEA)
    shop.run(orders)
    for spec in (copied, merged):
        shop.run(spec)
    for lines in ((TEA, JAM), (JAM, RYE)):
        shop.land("orders-2013-01-05.csv", *lines)
        shop.run(orders)
    return Path(shop.runtime.lake.table(orders.name).path)


def vacuum(shop: Shop, table: Path) -> None:
    shop.spark.conf.set(UNCHECKED, "false")
    try:
        shop.spark.sql(f"VACUUM delta.`{table}` RETAIN 0 HOURS")
    finally:
        shop.spark.conf.unset(UNCHECKED)


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
