"""Bad storage: a clear error, the table as it was, and the next good run works."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock.errors import LakeError, PenstockError
from tests.assets.shop import DAY, Shop, copied, orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
#: Planted in the data: no message, event or log of ours may hold it.
CANARY = "kanarienvogel"
GOOD = f"1,{CANARY},1.50,2013-01-05"


def _works_again(shop: Shop) -> None:
    """The next good run works, and nothing told so far holds a value of a row."""
    for file in (shop.path / "landing" / "orders").glob("*"):
        file.unlink()
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
    assert shop.run(orders, DAY).rows_in == 2
    assert sorted(row.id for row in shop.table(orders).collect()) == [1, 2]
    assert CANARY not in shop.everything_told()


def test_a_lake_root_that_cannot_be_a_folder(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    (shop.path / "lake").write_text("a file where the folder should be")
    with pytest.raises(LakeError, match="no permission to write"):
        shop.run(orders, DAY)
    (shop.path / "lake").unlink()
    _works_again(shop)


def test_a_table_folder_that_cannot_be_written(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    (shop.path / "lake").mkdir()
    (shop.path / "lake" / "bronze").write_text("a file where the folder should be")
    with pytest.raises(LakeError, match="folder cannot be made") as caught:
        shop.run(orders, DAY)
    assert "a file lies where" in caught.value.next_step
    assert CANARY not in str(caught.value)
    (shop.path / "lake" / "bronze").unlink()
    _works_again(shop)


def _last_log_entry(shop: Shop) -> Path:
    log = Path(shop.runtime.lake.table(orders.name).path) / "_delta_log"
    return max(log.glob("*.json"))


def test_a_corrupt_log_entry_is_told_and_the_table_is_left_alone(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
    shop.run(orders, DAY)
    entry = _last_log_entry(shop)
    whole = entry.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"\x00" * 64, whole.replace(b'"add"', b'"add')):
        entry.write_bytes(damaged)
        for crc in entry.parent.glob(".*.crc"):
            crc.unlink()
        with pytest.raises(LakeError, match="log cannot be read") as caught:
            shop.run(orders, DAY)
        assert CANARY not in str(caught.value)
        assert entry.read_bytes() == damaged
    entry.write_bytes(whole)
    assert CANARY not in shop.everything_told()
    _works_again(shop)


def test_a_commit_of_no_bytes_is_told_and_healing_it_works(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.run(orders, DAY)
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
    shop.run(orders, DAY)
    newest = _last_log_entry(shop)
    whole, kept = newest.read_bytes(), sorted(newest.parent.parent.rglob("*.parquet"))
    newest.write_bytes(b"")
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05", "3,ink,1,2013-01-05")
    with pytest.raises(LakeError, match="a commit of the table is an empty file") as caught:
        shop.run(orders, DAY)
    assert CANARY not in str(caught.value)
    assert newest.read_bytes() == b""
    assert sorted(newest.parent.parent.rglob("*.parquet")) == kept
    newest.write_bytes(whole)
    assert sorted(row.id for row in shop.table(orders).collect()) == [1, 2]
    assert shop.run(orders, DAY).rows_in == 3
    assert shop.version(orders) == 2
    _works_again(shop)


def test_a_data_file_that_is_gone_is_told(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.run(orders, DAY)
    table = Path(shop.runtime.lake.table(orders.name).path)
    file = next(table.rglob("*.parquet"))
    kept = shop.path / "kept.parquet"
    shutil.move(file, kept)
    for crc in file.parent.glob(".*.crc"):
        crc.unlink()
    with pytest.raises(LakeError, match="is gone"):
        shop.run(copied)
    assert shop.version(copied) is None
    shutil.move(kept, file)
    assert shop.run(copied).rows_in == 1
    _works_again(shop)


@contextmanager
def _disk(folder: Path, size: str) -> Iterator[None]:
    """A small file system, as root; else the machine cannot show a full disk."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(file: Path) -> None:
    """Write until the disk is full."""
    try:
        with file.open("wb", buffering=0) as stream:
            while stream.write(bytes(4096)):
                pass
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends by it


@pytest.mark.parametrize(
    ("small", "size"), [("lake", "1m"), (".", "4m")], ids=["of the lake", "of lake and ledger"]
)
def test_a_full_disk_leaves_the_table_as_it_was(
    spark: SparkSession, tmp_path: Path, small: str, size: str
) -> None:
    folder = tmp_path / "shop"
    on_disk = folder / small
    if small != ".":
        folder.mkdir()
    with _disk(on_disk, size):
        shop = Shop.at(spark, folder)
        shop.land("orders-2013-01-05.csv", GOOD)
        shop.run(orders, DAY)
        shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
        filler = on_disk / "filler"
        _fill(filler)
        with pytest.raises(PenstockError, match="the disk is full") as caught:
            shop.run(orders, DAY)
        assert CANARY not in str(caught.value)
        assert shop.version(orders) == 0
        assert [row.id for row in shop.table(orders).collect()] == [1]
        filler.unlink()
        _works_again(shop)


def test_a_folder_that_this_user_may_not_write(tmp_path: Path) -> None:
    # root may write anywhere: the process has to do without that right
    humble = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() != 0:
        humble = []
    elif shutil.which("setpriv") is None:
        pytest.skip("root cannot lay down its rights without setpriv")
    done = subprocess.run(
        [*humble, sys.executable, "-m", "tests.assets.unwritable_job", str(tmp_path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["lake"] == ["LakeError: no permission to write", None, []]
    assert told["open lake"] == ["committed", 0, [1]]
    assert told["table"][0].startswith("LakeError: ")
    assert "permission" in told["table"][0]
    assert told["table"][1:] == [0, [1]]
    assert told["open table"] == ["committed", 1, [1, 2]]
    assert CANARY not in done.stdout
