"""The law of a table that keeps versions: what it says at each moment is what was stated.

Every key is a history of its own, so one run of many keys tries many histories at once.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from penstock import Contract, Scd2, column, dataset, landing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyspark.sql import DataFrame

    from penstock import Dataset
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow

Statements = dict[int, str | None]  # the day of January, and what holds from then on
RUNS, KEYS, DAYS = 4, 150, 6


def _versioned(name: str) -> type[Contract]:
    class Version(Contract, name=name, version="1.0.0", owner="team:shop"):
        """One tier of a customer and when it held."""

        id: int = column(key=True)
        tier: str = column(nullable=True)
        valid_from: datetime = column()
        valid_to: datetime = column(nullable=True)
        is_current: bool = column()

    return Version


Tier, Stated = _versioned("silver.tiers"), _versioned("silver.stated")
FILES = landing("orders/tiers*.csv", derived=["valid_to", "is_current"])


@dataset(Tier, inputs={"raw": FILES}, write=Scd2())
def tiers(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Stated, inputs={"raw": FILES}, write=Scd2(keep_repeated=True))
def stated(raw: DataFrame) -> DataFrame:
    return raw


def test_a_correction_back_to_the_version_before_leaves_one_current_version(shop: Shop) -> None:
    for lines in (["1,basic,2013-01-01"], ["1,gold,2013-01-02"], ["1,basic,2013-01-02"]):
        _land(shop, lines)
        shop.run(tiers)
    rows = _rows(shop, tiers)[1]
    assert rows == [(1, "basic", 2, False), (2, "basic", None, True)]
    _land(shop, ["1,gold,2013-01-02"])
    shop.run(tiers)
    assert _rows(shop, tiers)[1] == [(1, "basic", 2, False), (2, "gold", None, True)]


def test_any_order_of_new_late_repeated_and_corrected_versions(shop: Shop) -> None:
    histories = _histories(random.Random(20130101))
    for number in range(RUNS):
        lines = [
            f"{key},{tier or ''},2013-01-{day:02}"
            for key, runs in histories.items()
            for day, tier in runs[number].items()
        ]
        _land(shop, lines)
        for spec in (tiers, stated):
            assert shop.run(spec).rows_quarantined == 0
    dropped, kept = _rows(shop, tiers), _rows(shop, stated)
    for key, runs in histories.items():
        everything = _everything(runs)
        for rows in (dropped[key], kept[key]):
            ends = [start for start, *_ in rows[1:]]
            assert [until for _, _, until, _ in rows] == [*ends, None], (key, runs)
            assert [current for *_, current in rows] == [False] * len(ends) + [True], (key, runs)
        # one statement a moment, whatever the order they came in
        assert {start: tier for start, tier, *_ in kept[key]} == everything, (key, runs)
        told = {start: tier for start, tier, *_ in dropped[key]}
        if not _forgets(runs):
            assert _timeline(told) == _timeline(everything), (key, runs)
        # nothing is told that was not stated
        assert told.items() <= everything.items(), (key, runs)
    assert sum(not _forgets(runs) for runs in histories.values()) > KEYS / 2


def _histories(chance: random.Random) -> Mapping[int, Sequence[Statements]]:
    """For each key, what each run states of it."""
    histories = {}
    for key in range(KEYS):
        runs: list[Statements] = []
        for _ in range(RUNS):
            days = chance.sample(range(1, DAYS + 1), chance.choice((0, 1, 1, 2, 3)))
            runs.append({day: chance.choice(("basic", "gold", None)) for day in days})
        if any(runs):
            histories[key] = runs
    return histories


def _everything(runs: Iterable[Statements]) -> Statements:
    """Every statement at once; of two for one moment the later one."""
    return {day: tier for run in runs for day, tier in run.items()}


def _timeline(statements: Statements) -> list[tuple[int, str | None]]:
    """What holds from when, without the statements that change nothing."""
    line: list[tuple[int, str | None]] = []
    for day in sorted(statements):
        if not line or line[-1][1] != statements[day]:
            line.append((day, statements[day]))
    return line


def _forgets(runs: Sequence[Statements]) -> bool:
    """Whether a version was dropped, and one came after that which belongs before it."""
    table: Statements = {}
    gone: set[int] = set()
    for run in runs:
        if any(day < other for day in run for other in gone):
            return True
        at = {**table, **run}
        days = sorted(at)
        repeated = {b for a, b in itertools.pairwise(days) if at[a] == at[b]}
        gone = (gone - run.keys()) | (repeated & run.keys() - table.keys())
        table = {day: tier for day, tier in at.items() if day not in gone}
    return False


def _land(shop: Shop, lines: Sequence[str]) -> None:
    shop.land("tiers.csv", *lines, header="id,tier,valid_from")


def _rows(
    shop: Shop, spec: Dataset
) -> Mapping[int, list[tuple[int, str | None, int | None, bool]]]:
    """For each key (day it holds from, tier, day it holds to, whether it is current), in order."""
    found = defaultdict(list)
    frame = shop.table(spec).selectExpr(
        "id", "day(valid_from)", "tier", "day(valid_to)", "is_current"
    )
    for key, *row in sorted(tuple(row) for row in frame.collect()):
        found[key].append(tuple(row))
    return found
