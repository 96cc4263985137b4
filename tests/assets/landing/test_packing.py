"""Files that are compressed whole: what Spark does not unpack is unpacked for it, for a while."""

from __future__ import annotations

import io
import json
import os
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from penstock import (
    Append,
    Contract,
    Csv,
    FixedWidth,
    JsonDocument,
    JsonLines,
    Merge,
    column,
    dataset,
    landing,
)
from penstock.assets.landing import packing
from penstock.assets.landing.file import inspect_file
from penstock.errors import InputError, LakeError
from penstock.resources.lake import Lake
from tests.assets.landing.arriving import arrive
from tests.packed import PACKED, archive, pack, pack_wide

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing.formats import Format
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=20)


class Sale(Contract, name="bronze.sales", version="1.0.0", owner="team:shop"):
    """One sale, and the file that says so."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    file: str = column()
    sent: datetime = column()


FACTS = {"file": "name", "sent": "modified"}
ITEM = 'a "b", +%20 ü'
OBJECTS = [json.dumps({"id": 1, "item": ITEM}), json.dumps({"id": "x", "item": "y"})]
WRITTEN: dict[str, tuple[Format, bytes]] = {
    "csv": (Csv(), f'id,item\n1,"{ITEM.replace(chr(34), chr(34) * 2)}"\nx,y\n'.encode()),
    "csv over lines": (Csv(), b'id,item\n1,"a\nb"\nx,y\n'),
    "jsonl": (JsonLines(), "\n".join(OBJECTS).encode()),
    "json": (JsonDocument(), f"[{', '.join(OBJECTS)}]".encode()),
    "txt": (FixedWidth({"id": (1, 1), "item": (2, 14)}), f"1{ITEM:14}\nx{'y':14}\n".encode()),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_what_is_in_it_is_read_and_of_the_file_that_came(
    spark: SparkSession, tmp_path: Path, written: str
) -> None:
    format_, content = WRITTEN[written]
    files = {f"s [{n}] +%41 {end[1:]}{end}": pack(end, content) for n, end in enumerate(PACKED)}
    landed = landing("s *", format=format_, file_columns=FACTS)
    read = arrive(spark, tmp_path, Sale, landed, **files)
    item = "a\nb" if written == "csv over lines" else ITEM
    assert [row[:3] for row in read.rows] == [(1, item, name) for name in sorted(files)]
    for row in read.rows:
        stat = (tmp_path / "landing" / row[2]).stat()
        assert row[3].replace(tzinfo=UTC).timestamp() == stat.st_mtime_ns // 10**6 / 1000
    assert sorted(file for _, _, file in read.rejected) == sorted(files)
    assert set(read.reasons) == {("id:type",)}
    assert not any((tmp_path / "lake").rglob("*~"))


WHOLE = pack(".csv", b"id,item\n1,a\n" * 5000)
ENCRYPTED = bytearray(archive({"a.csv": WHOLE}))
ENCRYPTED[6] |= 1  # the flag, here and in the directory
ENCRYPTED[ENCRYPTED.rindex(b"PK\x01\x02") + 8] |= 1
OTHERWISE = bytearray(archive({"a.csv": WHOLE}))
OTHERWISE[OTHERWISE.rindex(b"PK\x01\x02") + 10] = 9  # Deflate64
DAMAGED = bytearray(archive({"a.csv": WHOLE}))
DAMAGED[100] ^= 1


@pytest.mark.parametrize(
    ("end", "content", "said"),
    [
        (".zip", archive({"a.csv": WHOLE})[:-30], "damaged or ends too early"),
        (".zip", bytes(DAMAGED), "damaged or ends too early"),
        (".zip", WHOLE, "damaged or ends too early"),
        (".zip", archive({"a.csv": WHOLE}) * 2, "damaged or ends too early"),
        (".zip", archive({"a.csv": WHOLE}) + b"more", "damaged or ends too early"),
        (".zip", b"before" + archive({"a.csv": WHOLE}), "damaged or ends too early"),
        (".zip", archive({"a.csv": WHOLE})[20:], "damaged or ends too early"),
        (".zip", archive({"a.csv": WHOLE}, zipfile.ZIP_LZMA), r"not read[\s\S]*method 14"),
        (".zip", archive({}), r"does not hold one file[\s\S]*0 files"),
        (".zip", archive({"a.csv": WHOLE, "b/c.csv": WHOLE}), r"hold one file[\s\S]*2 files"),
        (".zip", bytes(ENCRYPTED), "asks for a password"),
        (".zip", bytes(OTHERWISE), r"in a way that is not read[\s\S]*method 9"),
        (".zst", pack(".zst", WHOLE)[:-9], "damaged or ends too early"),
        (".zst", pack(".zst", WHOLE) + b"more", "damaged or ends too early"),
        (".zst", WHOLE, "damaged or ends too early"),
        (".zst", pack_wide(WHOLE), "with a window that is not read"),
        (".zst", b"", "damaged or ends too early"),
        (".csv", archive({"a.csv": WHOLE}), r"zip archive[\s\S]*end its name in .zip"),
        (".csv", pack(".zst", WHOLE), r"Zstandard[\s\S]*end its name in .zst"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(
    tmp_path: Path, end: str, content: bytes, said: str
) -> None:
    (tmp_path / f"a{end}").write_bytes(content)
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path))
    (file,) = lake.landing_files("a*")
    with pytest.raises(InputError, match=said) as caught:
        inspect_file(lake, file, None, Csv())
    assert caught.value.where == f"a{end}"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_a_mac_puts_beside_the_file_is_none(tmp_path: Path, method: int) -> None:
    files = {"sales/a.csv": WHOLE, "__MACOSX/sales/._a.csv": b"\0\5", "sales/.DS_Store": b"\0"}
    (tmp_path / "a.zip").write_bytes(archive(files, method))
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path))
    (file,) = lake.landing_files("a*")
    assert inspect_file(lake, file, None, Csv()).is_copied


class Sold(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One sale."""

    id: int = column(key=True)
    item: str = column(nullable=True)


def _same(raw: DataFrame) -> DataFrame:
    return raw


added = dataset(Sold, inputs={"raw": landing("orders/*")}, write=Append())(_same)
merged = dataset(Sold, inputs={"raw": landing("orders/*")}, write=Merge())(_same)


class Killed(BaseException):
    """Stands for a signal."""


def land(shop: Shop, name: str, *rows: str, minute: int = 0) -> None:
    content = "\n".join(("id,item", *rows, "")).encode()
    file = shop.path / "landing" / "orders" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(pack(file.suffix, content))
    at = datetime(2013, 1, 5, 12, minute, tzinfo=UTC).timestamp()
    os.utime(file, (at, at))


def left(shop: Shop) -> list[str]:
    """The folders of runs that still have copies."""
    folder = shop.path / "lake" / "_unpacked"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_row_that_breaks_a_rule_is_known_by_the_archive_and_nothing_is_left(shop: Shop) -> None:
    land(shop, "a.zip", "1,a", "2,b", ",c")
    land(shop, "b.zst", "3,c")
    outcome = shop.run(added)
    assert (outcome.rows_changed, outcome.rows_quarantined) == (3, 1)
    (entry,) = shop.quarantine(added).collect()
    assert (entry.file, entry.reasons) == ("orders/a.zip", ["id:not_null"])
    (_, said) = sorted(outcome.inputs["raw"]["files"], key=lambda file: file["name"], reverse=True)
    assert said["name"] == "orders/a.zip"
    assert left(shop) == []
    assert not shop.run(added).committed
    land(shop, "c.zst", "4,d")
    assert shop.run(added).rows_changed == 1
    assert left(shop) == []


def test_of_a_key_the_newest_file_counts_however_it_is_compressed(shop: Shop) -> None:
    land(shop, "a.zip", "1,second", minute=2)
    land(shop, "b.csv", "1,third", "2,first", minute=3)
    land(shop, "c.zst", "1,first", "2,third", minute=4)
    land(shop, "d.zip", "1,fourth", minute=5)
    shop.run(merged)
    rows = {row.id: row["item"] for row in shop.table(merged).collect()}
    assert rows == {1: "fourth", 2: "third"}


def test_of_files_of_one_moment_the_last_name_counts_however_it_is_compressed(shop: Shop) -> None:
    land(shop, "a.csv", "1,first", "2,first")
    land(shop, "b.zip", "1,second", "2,second", "3,second")
    land(shop, "c.csv", "2,third")
    shop.run(merged)
    rows = {row.id: row["item"] for row in shop.table(merged).collect()}
    assert rows == {1: "second", 2: "third", 3: "second"}


def test_a_copy_is_of_the_bytes_that_were_looked_at(shop: Shop) -> None:
    land(shop, "a.zip", "1,a")

    def replaced(step: str) -> None:
        if step == "resolved":
            land(shop, "a.zip", "1,b")  # of the same length and moment, as an object store may do

    with pytest.raises(InputError, match="the file changed while it was being read"):
        shop.run(added, on_step=replaced)
    assert shop.version(added) is None
    assert left(shop) == []
    shop.run(added)
    assert [row["item"] for row in shop.table(added).collect()] == ["b"]


def test_what_unpacks_to_a_monstrous_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MONSTROUS", 1 << 20)
    monkeypatch.setattr(packing, "_MOST_TIMES", 50)
    for end in PACKED[1:]:
        content = pack(end, b"id,item\n" + b"1,a\n" * 1_000_000)
        with pytest.raises(InputError, match="unpacks to more than a file of rows would"):
            list(packing.contents(f"a{end}", io.BytesIO(content), lambda _: None))


def test_copies_of_a_run_that_was_killed_are_removed_by_a_later_one(shop: Shop) -> None:
    land(shop, "a.zip", "1,a")

    def killed(step: str) -> None:
        if step == "started":
            assert len(left(shop)) == 1
            raise Killed

    with pytest.raises(Killed):
        shop.run(added, on_step=killed)
    assert left(shop) == []
    now = shop.runtime.clock()
    old, young = (f"{now - timedelta(days=days):%Y%m%dT%H%M%SZ}-{0:032x}" for days in (3, 1))
    for run in (old, young, "of somebody else"):
        file = shop.path / "lake" / "_unpacked" / run / "orders" / "a.zip~"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
    assert shop.run(added).rows_changed == 1
    assert left(shop) == [young, "of somebody else"]


def test_a_lake_without_room_says_so_and_the_next_run_works(shop: Shop) -> None:
    land(shop, "a.zip", "1,a")
    (shop.path / "lake").mkdir(exist_ok=True)
    blocked = shop.path / "lake" / "_unpacked"
    blocked.write_text("in the way")
    with pytest.raises(LakeError, match="cannot be kept in the lake"):
        shop.run(added)
    assert shop.version(added) is None
    blocked.unlink()
    assert shop.run(added).rows_changed == 1
