"""What a reader of changes is given of a row that changed before it was taken.

Every key is a history of its own, so one run of many keys tries many histories at once.
"""

from __future__ import annotations

import random
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from penstock import (
    Contract,
    Daily,
    Merge,
    ReplaceSlice,
    Scd2,
    changes,
    column,
    dataset,
    landing,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame

    from penstock import Dataset
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow

KEYS = 60
FILES = landing("orders/tiers.csv")


def _tiers(name: str) -> type[Contract]:
    class Tier(Contract, name=name, version="1.0.0", owner="team:shop"):
        """One tier of a customer."""

        id: int = column(key=True)
        tier: str = column()
        since: date = column()

    return Tier


class Ever(Contract, name="gold.ever", version="1.0.0", owner="team:shop"):
    """One tier of a customer and when it held."""

    id: int = column(key=True)
    tier: str = column()
    since: datetime = column()
    until: datetime = column(nullable=True)
    is_current: bool = column()


class EverLate(Contract, name="gold.ever_late", version="1.0.0", owner="team:shop"):
    """The same, taken now and then, under other names."""

    id: int = column(key=True)
    tier: str = column()
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


Told = _tiers("bronze.told")
Now, Late = _tiers("silver.now"), _tiers("silver.late")  # late is taken now and then
Latest = _tiers("gold.latest")
ByDay = _tiers("bronze.by_day")
KEPT = Scd2(valid_from="since", valid_to="until", keep_repeated=True)
PLAIN = ("id", "tier", "since")
VERSION = ("id", "tier", "CAST(since AS timestamp) AS since")


@dataset(Told, inputs={"raw": FILES}, write=Merge())
def told(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Now, inputs={"told": changes(Told)}, write=Merge())
def now(told: DataFrame) -> DataFrame:
    return told


@dataset(Late, inputs={"told": changes(Told)}, write=Merge())
def late(told: DataFrame) -> DataFrame:
    return told


@dataset(Ever, inputs={"now": changes(Now)}, write=KEPT)
def ever(now: DataFrame) -> DataFrame:
    return now.selectExpr(*VERSION)


@dataset(
    EverLate,
    inputs={"now": changes(Now, valid_from="since")},
    write=Scd2(keep_repeated=True),
)
def ever_late(now: DataFrame) -> DataFrame:
    return now.selectExpr("id", "tier", "CAST(since AS timestamp) AS valid_from")


@dataset(Latest, inputs={"ever": changes(Ever)}, write=Merge())
def latest(ever: DataFrame) -> DataFrame:
    return ever.where("is_current").selectExpr("id", "tier", "CAST(since AS date) AS since")


def test_the_newest_of_each_key_and_of_each_version_in_any_cut_into_runs(shop: Shop) -> None:
    chance = random.Random(20130105)
    newest: dict[int, tuple[str, int]] = {}
    versions: dict[tuple[int, int], str] = {}
    for number in range(3):
        said = {
            key: (chance.choice(("basic", "gold", "none")), chance.randint(1, 3))
            for key in range(KEYS)
            if chance.random() < 0.7
        }
        newest |= said
        versions |= {(key, day): tier for key, (tier, day) in said.items()}
        lines = [f"{key},{tier},2013-01-0{day}" for key, (tier, day) in said.items()]
        shop.land("tiers.csv", *lines, header=",".join(PLAIN))
        _clean(shop, told)
        _clean(shop, now)
        _clean(shop, ever)
        _clean(shop, latest)
        if number > 0:  # nothing was taken of the run before
            _clean(shop, late)
            _clean(shop, ever_late)
    expected = {key: (tier, day) for key, (tier, day) in newest.items()}
    assert _current(shop, now) == expected
    assert _current(shop, late) == expected
    assert _versions(shop, ever) == versions
    assert _versions(shop, ever_late, "valid_from") == versions
    last = {key: max(day for other, day in versions if other == key) for key in newest}
    assert _current(shop, latest) == {key: (versions[key, day], day) for key, day in last.items()}


@dataset(
    ByDay,
    inputs={"raw": landing("orders/tiers-{day}.csv")},
    partitions=Daily(column="since", start=date(2013, 1, 1)),
    write=ReplaceSlice(),
)
def by_day(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Ever, inputs={"days": changes(ByDay)}, write=KEPT)
def of_days(days: DataFrame) -> DataFrame:
    return days.selectExpr(*VERSION)


def test_a_version_that_was_taken_out_again_is_not_given(shop: Shop) -> None:
    header = ",".join(PLAIN)
    for lines in (
        ["3,basic,2013-01-05"],
        ["1,basic,2013-01-05", "2,basic,2013-01-05", "3,basic,2013-01-05"],
        ["1,gold,2013-01-05", "3,basic,2013-01-05"],
    ):
        shop.land("tiers-2013-01-05.csv", *lines, header=header)
        _clean(shop, by_day)
        if len(lines) != 3:  # what came in between was not taken
            _clean(shop, of_days)
    assert _versions(shop, of_days) == {(1, 5): "gold", (3, 5): "basic"}


def _clean(shop: Shop, spec: Dataset) -> None:
    outcome = shop.run(spec)
    assert (outcome.rows_quarantined, dict(outcome.quarantined_by_rule)) == (0, {})


def _current(shop: Shop, spec: Dataset) -> Mapping[int, tuple[str, int]]:
    rows = shop.table(spec).selectExpr("id", "tier", "day(since)").collect()
    assert len({row[0] for row in rows}) == len(rows)
    return {key: (tier, day) for key, tier, day in rows}


def _versions(shop: Shop, spec: Dataset, start: str = "since") -> Mapping[tuple[int, int], str]:
    rows = shop.table(spec).selectExpr("id", f"day({start})", "tier").collect()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(key, day): tier for key, day, tier in rows}
