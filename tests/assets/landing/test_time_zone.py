"""Datetimes of a sender whose clock is put forward and back, held against Python's zoneinfo."""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet
import pytest

from penstock import Contract, FixedWidth, JsonLines, Orc, Parquet, column, landing
from penstock.errors import DefinitionError
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.assets.landing.arriving import Read

pytestmark = pytest.mark.slow(seconds=25)

TEXT = "%Y-%m-%d %H:%M:%S.%f"


class Call(Contract, owner="team:shop", version="1.0.0", name="bronze.calls"):
    """One call."""

    id: int = column()
    at: datetime = column()


def _around_changes(zone: str) -> list[datetime]:
    """Times of the clock before, at and after each change of 2007 and 2024, and some others."""
    chance, found = random.Random(zone), []
    for year in (2007, 2024):
        at = datetime(year, 1, 1, tzinfo=UTC)
        while at.year == year:
            there, later = (t.astimezone(ZoneInfo(zone)) for t in (at, at + timedelta(minutes=30)))
            if there.utcoffset() != later.utcoffset():
                change = later.replace(tzinfo=None)
                found += [change + timedelta(minutes=15 * n) for n in range(-14, 15)]
            at += timedelta(minutes=30)
        found += [
            at.replace(tzinfo=None) - timedelta(microseconds=chance.randrange(31_000_000_000_000))
            for _ in range(40)
        ]
    return found


def _instants(local: datetime, zone: str) -> set[datetime]:
    """The instants at which the clock of the zone shows the time: none, one or two."""
    there = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    instants = {at.astimezone(UTC) for at in there}
    return {at for at in instants if at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local}


def _check(read: Read, times: Sequence[datetime], zone: str) -> None:
    taken = {row[0]: row[1].replace(tzinfo=UTC) for row in read.rows}
    expected = {n: _instants(local, zone) for n, local in enumerate(times)}
    assert taken == {n: at for n, (at, *others) in _known(expected).items() if not others}
    assert read.reasons == [("at:type",)] * (len(times) - len(taken))


def _known(expected: dict[int, set[datetime]]) -> dict[int, list[datetime]]:
    return {n: [*found] for n, found in expected.items() if found}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll"])
def test_a_time_of_the_clock_is_its_instant_or_none(
    spark: SparkSession, tmp_path: Path, zone: str
) -> None:
    times = _around_changes(zone)
    cells = "\n".join(["id,at", *(f"{n},{at.strftime(TEXT)}" for n, at in enumerate(times))])
    read = arrive(spark, tmp_path, Call, landing("*.csv", time_zone=zone), a__csv=cells)
    _check(read, times, zone)
    assert 0 < len(read.reasons) < len(times) / 3


@pytest.mark.parametrize(
    ("written", "unit"),
    [(JsonLines(), ""), (Parquet(), "us"), (Parquet(), "ns")],
    ids=["JSON", "Parquet", "Parquet by pandas"],
)
def test_so_it_is_in_other_formats(
    spark: SparkSession, tmp_path: Path, written: JsonLines | Parquet, unit: str
) -> None:
    zone, rows = "America/New_York", io.BytesIO()
    times = _around_changes(zone)
    if isinstance(written, Parquet):
        table = pa.table({"id": range(len(times)), "at": pa.array(times, pa.timestamp(unit))})
        pa.parquet.write_table(table, rows)
    else:
        for n, at in enumerate(times):
            rows.write(json.dumps({"id": n, "at": at.isoformat()}).encode() + b"\n")
    landed = landing("*", format=written, time_zone=zone)
    _check(arrive(spark, tmp_path, Call, landed, a__data=rows.getvalue()), times, zone)


def test_a_time_that_says_its_zone_is_of_that(spark: SparkSession, tmp_path: Path) -> None:
    zoned = [
        *("2024-03-31T02:30:00Z", "2024-10-27 02:30:00+01:00 ", "2024-03-31 02:30+02:00"),
        *("2024-03-31 12:00:00+02", "2024-03-31 12:00-0730", "2024-07-01", "2024-07-01 12:00"),
    ]
    lines = "\n".join(["id,at", *(f"{n},{text}" for n, text in enumerate(zoned))])
    landed = landing("*.csv", time_zone="Europe/Berlin")
    read = arrive(spark, tmp_path, Call, landed, a__csv=lines)
    assert [row[1].isoformat() for row in read.rows] == [
        "2024-03-31T02:30:00",
        "2024-10-27T01:30:00",
        "2024-03-31T00:30:00",
        "2024-03-31T10:00:00",
        "2024-03-31T19:30:00",
        "2024-06-30T22:00:00",
        "2024-07-01T10:00:00",
    ]


@pytest.mark.parametrize(
    ("pattern", "text", "instant"),
    [
        ("dd.MM.yyyy HH:mm", "05.07.2024 12:00", "2024-07-05T10:00:00"),
        ("dd.MM.yyyy HH:mm", "31.03.2024 02:30", None),
        ("dd.MM.yyyy HH:mmXXX", "05.07.2024 12:00+05:00", "2024-07-05T07:00:00"),
    ],
)
def test_a_pattern_says_the_zone_or_the_clock_does(
    spark: SparkSession, tmp_path: Path, pattern: str, text: str, instant: str | None
) -> None:
    landed = landing(
        "*.txt",
        format=FixedWidth({"id": (1, 2), "at": (3, 25)}),
        time_zone="Europe/Berlin",
        date_formats={"at": pattern},
    )
    read = arrive(spark, tmp_path, Call, landed, a__txt=f"7 {text:25}\n")
    assert [row[1].isoformat() for row in read.rows] == ([instant] if instant else [])


def test_times_of_a_column_that_has_a_zone_are_of_that(spark: SparkSession, tmp_path: Path) -> None:
    rows, at = io.BytesIO(), datetime(2024, 3, 31, 2, 30, tzinfo=UTC)
    pa.parquet.write_table(
        pa.table({"id": [1], "at": pa.array([at], pa.timestamp("ns", "UTC"))}), rows
    )
    landed = landing("*", format=Parquet(), time_zone="Europe/Berlin")
    read = arrive(spark, tmp_path, Call, landed, a__data=rows.getvalue())
    assert [row[1].isoformat() for row in read.rows] == ["2024-03-31T02:30:00"]


def test_orc_has_no_times_without_a_zone() -> None:
    with pytest.raises(DefinitionError, match="says nothing of ORC"):
        landing("*.orc", format=Orc(), time_zone="Europe/Berlin")


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(DefinitionError, match="there is no such time zone") as caught:
        landing("*.csv", time_zone="Europe/Berln")
    assert caught.value.next_step == "did you mean Europe/Berlin?"
