"""Bad input and bad storage: a clear error or a quarantine entry, and the next good run works."""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock import Quarantine, dataset, landing
from penstock.errors import InputError, LakeError, ValidationError
from tests.assets.shop import BY_DAY, DAILY, DAY, HEADER, Order, Shop, copied, logged, orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

#: Planted in the data: no message, event or log of ours may hold it.
CANARY = "kanarienvogel"
GOOD = f"1,{CANARY},1.50,2013-01-05"


@dataset(
    Order,
    inputs={"raw": landing(BY_DAY)},
    partitions=DAILY,
    bad_rows=Quarantine(max_fraction=None),
)
def tolerant(raw: DataFrame) -> DataFrame:
    return raw


@dataset(
    Order,
    inputs={"raw": landing(BY_DAY, extra_columns=True, null_value="NA")},
    partitions=DAILY,
)
def open_minded(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Order, inputs={"raw": landing("orders/orders-{day}*.gz")}, partitions=DAILY)
def zipped(raw: DataFrame) -> DataFrame:
    return raw


def _works_again(shop: Shop) -> None:
    """The next good run works, and nothing told so far holds a value of a row."""
    for file in (shop.path / "landing" / "orders").glob("*"):
        file.unlink()
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
    assert shop.run(tolerant, DAY).rows_in == 2
    assert sorted(row.id for row in shop.table(tolerant).collect()) == [1, 2]
    assert CANARY not in shop.everything_told()


def test_rows_that_cannot_be_read_are_set_aside_each_with_its_reasons(shop: Shop) -> None:
    shop.land(
        "orders-2013-01-05.csv",
        GOOD,
        f"2,{CANARY}",  # short
        f"3,{CANARY},1,2013-01-05,more",  # long
        f'4,"{CANARY},1,2013-01-05',  # a quote that never closes
        f"five,{CANARY},1,2013-01-05",  # a wrong type
        f"6,{CANARY},{CANARY},soon",  # two wrong types
        b"7,kanarienvogel\xff,1,2013-01-05",  # not UTF-8
        f"8,{CANARY},-1,2013-01-05",  # breaks a check
        f"9,{CANARY},,2013-01-05",  # NULL
        f"10,{CANARY},1,2013-01-06",  # another day's
        f"11,{CANARY},123456789.5,2013-01-05",  # too wide for the type
        f"12,{CANARY},1.239,2013-01-05",  # would be rounded
        "99999999999999999999,x,1,2013-01-05",  # past bigint
    )
    outcome = shop.run(tolerant, DAY)
    expected = {
        "csv:malformed": 3,
        "id:type": 2,
        "price:type": 3,
        "day:type": 1,
        "csv:encoding": 1,
        "price:ge": 1,
        "price:not_null": 1,
        "slice:outside": 1,
    }
    assert dict(outcome.quarantined_by_rule) == expected
    assert (outcome.rows_in, outcome.rows_quarantined, outcome.rows_changed) == (13, 12, 1)
    assert [row.id for row in shop.table(tolerant).collect()] == [1]
    entries = shop.quarantine(tolerant).collect()
    assert len(entries) == 12
    arrived = [e for e in entries if e.file]
    assert {e.file for e in arrived} == {"orders-2013-01-05.csv"}
    lines = [json.loads(e.row) for e in entries]
    assert {"line": f"2,{CANARY}"} in lines
    assert {"id": "five", "item": CANARY, "price": "1", "day": "2013-01-05"} in lines
    assert CANARY not in shop.everything_told()
    _works_again(shop)


def test_too_many_bad_rows_fail_and_say_how_many_of_which_kind(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD, f"x,{CANARY},1,2013-01-05", f"y,{CANARY},1,2013-01-05")
    with pytest.raises(ValidationError) as caught:
        shop.run(orders, DAY)
    assert caught.value.what == "2 of 3 rows break the contract"
    assert caught.value.found == "id:type 2"
    assert CANARY not in str(caught.value)
    assert shop.version(orders) is None
    _works_again(shop)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("id,item,price", "missing day"),
        ("id,item,price,day,color,size", "extra color, size"),
        ("id,item,Price,day", "missing price; extra Price"),
    ],
)
def test_a_header_that_is_not_the_contracts_stops_the_run(
    shop: Shop, header: str, found: str
) -> None:
    shop.land("orders-2013-01-05.csv", GOOD, header=header)
    with pytest.raises(InputError, match="header is not the contract's") as caught:
        shop.run(orders, DAY)
    assert caught.value.found == found
    assert caught.value.where == "orders/orders-2013-01-05.csv for bronze.orders 1.0.0"
    assert CANARY not in str(caught.value)
    assert shop.version(orders) is None
    _works_again(shop)


@pytest.mark.parametrize(
    "first",
    [f"7,{CANARY},1,2013-01-05", f"{CANARY},{CANARY},1,1", f"id\r7,{CANARY}\r8,{CANARY}"],
    ids=["no header", "no header and cells that repeat", "lines ended by CR"],
)
def test_a_file_without_a_header_is_refused_without_quoting_its_rows(
    shop: Shop, first: str
) -> None:
    shop.land("orders-2013-01-05.csv", GOOD, header=first)
    with pytest.raises(InputError) as caught:
        shop.run(orders, DAY)
    assert CANARY not in str(caught.value)
    assert CANARY not in shop.everything_told()
    assert shop.version(orders) is None


def test_extra_columns_and_another_order_are_read_by_name(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", "2013-01-05,red,NA,1,1.5", header="day,color,item,id,price")
    shop.land("orders-2013-01-05-b.csv", "2,pen,1,2013-01-05", header="\ufeffid, item ,price,day")
    shop.run(open_minded, DAY)
    found = sorted((r.id, r.item, str(r.price)) for r in shop.table(open_minded).collect())
    assert found == [(1, None, "1.50"), (2, "pen", "1.00")]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"id,item,item,day\n", "the header names a column twice"),
    ],
)
def test_a_file_without_content_stops_the_run(shop: Shop, content: bytes, what: str) -> None:
    file = shop.land("orders-2013-01-05.csv")
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        shop.run(orders, DAY)
    assert (caught.value.what, caught.value.where) == (what, "orders/orders-2013-01-05.csv")
    assert shop.version(orders) is None


def test_a_header_and_no_row_is_an_empty_slice(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.run(orders, DAY)
    shop.land("orders-2013-01-05.csv")
    assert shop.run(orders, DAY).rows_in == 0
    assert shop.table(orders).count() == 0


def test_a_file_name_with_signs_of_a_glob_is_that_file(shop: Shop) -> None:
    shop.land("orders-2013-01-05 [1]{a}.csv", GOOD)
    shop.land("orders-2013-01-05 1.csv", "2,pen,x,2013-01-05")
    outcome = shop.run(tolerant, DAY)
    assert (outcome.rows_in, outcome.rows_quarantined) == (2, 1)
    assert [e.file for e in shop.quarantine(tolerant).collect()] == ["orders-2013-01-05 1.csv"]


def test_the_same_name_with_other_content_is_another_file(shop: Shop) -> None:
    shop.land("orders-a.csv", GOOD)
    shop.run(logged)
    shop.land("orders-a.csv", "2,pen,1,2013-01-05")
    assert shop.run(logged).rows_changed == 1
    assert sorted(row.id for row in shop.table(logged).collect()) == [1, 2]


def test_a_gzip_that_ends_too_early_is_refused_and_a_whole_one_is_read(shop: Shop) -> None:
    text = "\n".join([HEADER, *(f"{n},{CANARY},1,2013-01-05" for n in range(500))]).encode()
    whole = gzip.compress(text[:900]) + gzip.compress(text[900:])
    file = shop.land("orders-2013-01-05.csv.gz")
    for damaged in (whole[:-20], whole[:40], b"", b"id,item,price,day\n", whole + b"junk"):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged or ends too early") as caught:
            shop.run(zipped, DAY)
        assert CANARY not in str(caught.value)
    file.write_bytes(whole)
    assert shop.run(zipped, DAY).rows_in == 500


def test_a_landing_that_is_not_there_and_a_file_that_has_not_come(shop: Shop) -> None:
    with pytest.raises(InputError, match="landing folder does not exist") as caught:
        shop.run(orders, DAY)
    assert caught.value.where
    assert caught.value.where.endswith("landing/orders")
    shop.land("orders-2013-01-04.csv", GOOD)
    with pytest.raises(InputError, match="no file has arrived for input raw") as caught:
        shop.run(orders, DAY)
    assert caught.value.expected == "at least one file for 2013-01-05"
    with pytest.raises(InputError, match="input orders has never been written"):
        shop.run(copied)
    _works_again(shop)


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
    with pytest.raises(LakeError) as caught:
        shop.run(orders, DAY)
    assert "next:" in str(caught.value)
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


@pytest.fixture
def tiny_disk(shop: Shop) -> Iterator[Path]:
    """The lake on a file system of 1 MiB, as root; else the machine cannot show a full disk."""
    lake = shop.path / "lake"
    lake.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(lake)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("this machine does not let root mount a file system")
    yield lake
    subprocess.run(["umount", "--lazy", str(lake)], check=True)


def _fill(file: Path) -> None:
    """Write until the disk is full."""
    try:
        with file.open("wb", buffering=0) as stream:
            while stream.write(bytes(4096)):
                pass
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends by it


def test_a_full_disk_leaves_the_table_as_it_was(shop: Shop, tiny_disk: Path) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.run(orders, DAY)
    filler = tiny_disk / "filler"
    _fill(filler)
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
    with pytest.raises(LakeError, match="the disk is full"):
        shop.run(orders, DAY)
    assert shop.version(orders) == 0
    filler.unlink()
    _works_again(shop)


def test_a_folder_that_is_read_only_for_this_user(shop: Shop, run_as_nobody: str) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    assert run_as_nobody.splitlines()[-1] == "LakeError: no permission to write"


@pytest.fixture
def run_as_nobody(shop: Shop) -> str:
    """What `check_writable` tells a process of a user without rights on the lake."""
    lake = shop.path / "lake"
    lake.mkdir(mode=0o755)
    program = (
        "import os, sys\n"
        "from penstock.errors import LakeError\n"
        "from penstock.resources.lake import Lake\n"
        f"lake = Lake(root={str(lake)!r}, landing='/')\n"
        "if os.geteuid() == 0:\n"
        "    os.setuid(65534)\n"
        "else:\n"
        f"    os.chmod({str(lake)!r}, 0o500)\n"
        "try:\n"
        "    lake.check_writable()\n"
        "except LakeError as error:\n"
        "    print(f'{type(error).__name__}: {error.what}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_value_that_a_function_cannot_cast_is_not_quoted(shop: Shop) -> None:
    @dataset(Order, inputs={"raw": landing(BY_DAY)}, partitions=DAILY)
    def careless(raw: DataFrame) -> DataFrame:
        return raw.selectExpr("CAST(item AS bigint) AS id", "item", "price", "day")

    shop.land("orders-2013-01-05.csv", GOOD)
    with pytest.raises(ValidationError, match="the function fails on a row") as caught:
        shop.run(careless, DAY)
    assert caught.value.found == "CAST_INVALID_INPUT"
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in str(caught.value)
    assert CANARY not in shop.everything_told()
    assert shop.version(orders) is None
