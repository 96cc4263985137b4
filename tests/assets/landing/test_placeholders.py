"""Columns that are told by the names of files and folders."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from penstock import Append, Contract, Daily, Merge, ReplaceSlice, Slice, column, dataset, landing
from penstock.errors import DefinitionError, InputError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock import Dataset
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=20)


class Sale(Contract, owner="team:shop", version="1.0.0", name="bronze.sales"):
    """One sale, and where its file came from."""

    id: int = column(key=True)
    land: str = column(nullable=True)
    hour: int = column(nullable=True)
    day: date = column()


SAID = {"land": "land", "hour": "hour", "day": "day"}
DAYS = Daily(column="day", start=date(2024, 1, 1))


def _same(raw: DataFrame) -> DataFrame:
    return raw


def _land(shop: Shop, name: str, *ids: int) -> None:
    file = shop.path / "landing" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["id", *map(str, ids)]) + "\n")


def _rows(shop: Shop, spec: Dataset) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in shop.table(spec).collect())


def test_folders_and_names_say_columns_of_their_rows(shop: Shop) -> None:
    files = landing("sales/land={land}/{day}/sales-{day}T{hour}.csv", file_columns=SAID)
    spec = dataset(Sale, inputs={"raw": files}, partitions=DAYS, write=ReplaceSlice())(_same)
    for number, place in enumerate(
        (
            "land=de/2024-01-05/sales-2024-01-05T07",
            "land=C%C3%B4te d%27Ivoire+/2024-01-05/sales-2024-01-05T23",
            "land=__HIVE_DEFAULT_PARTITION__/2024-01-05/sales-2024-01-05T",
            "land=50%/2024-01-05/sales-2024-01-05T",
            "land=de/2024-01-06/sales-2024-01-06T01",
            "land=de/2024-01-06/sales-2024-01-05T02",  # of no day
        )
    ):
        _land(shop, f"sales/{place}.csv", number)
    shop.run(spec, Slice.day(date(2024, 1, 5)))
    fifth = date(2024, 1, 5)
    assert _rows(shop, spec) == [
        (0, "de", 7, fifth),
        (1, "Côte d'Ivoire+", 23, fifth),
        (2, None, None, fifth),
        (3, "50%", None, fifth),
    ]
    shop.run(spec, Slice.day(date(2024, 1, 5), date(2024, 1, 6)))
    assert [row[0] for row in _rows(shop, spec)] == [0, 1, 2, 3, 4]
    assert [row[3].day for row in _rows(shop, spec)] == [5, 5, 5, 5, 6]  # type: ignore[attr-defined]


class Visit(Contract, owner="team:shop", version="1.0.0", name="bronze.visits"):
    """One visit."""

    id: int = column(key=True)
    land: str = column(key=True)


VISITS = landing("visits/{land}*.csv", file_columns={"land": "land"})


def test_the_same_bytes_of_another_land_are_another_file(shop: Shop) -> None:
    spec = dataset(Visit, inputs={"raw": VISITS}, write=Append())(_same)
    _land(shop, "visits/de.csv", 1)
    shop.run(spec)
    _land(shop, "visits/fr.csv", 1)
    outcome = shop.run(spec)
    assert _rows(shop, spec) == [(1, "de"), (1, "fr")]
    assert [f["day"] for f in outcome.inputs["raw"]["files"]] == ["land=fr"]
    # the same under a name that says the same is a copy; after the ledger is lost too
    _land(shop, "visits/again/de.csv", 1)
    (shop.path / "landing/visits/again/de.csv").rename(shop.path / "landing/visits/de.csv")
    assert not shop.run(spec).committed
    _land(shop, "visits/de.csv", 1, 2)
    outcome = shop.run(spec)
    assert (outcome.rows_changed, outcome.rows_quarantined) == (1, 1)


def test_a_placeholder_that_is_renamed_brings_no_file_back(shop: Shop) -> None:
    def spec(pattern: str) -> Dataset:
        files = landing(pattern, derived=["land"])
        return dataset(Visit, inputs={"raw": files}, write=Append())(_in_de)

    _land(shop, "visits/de.csv", 1)
    assert shop.run(spec("visits/*.csv")).rows_changed == 1
    for pattern in ("visits/{land}.csv", "visits/{town}*.csv", "visits/*.csv"):
        assert not shop.run(spec(pattern)).committed, pattern
    # a glob is wider than the pattern: the text is not the same both times
    _land(shop, "pairs/de-de.csv", 2)
    _land(shop, "pairs/de-fr.csv", 3)
    shop.run(spec("pairs/{land}-{land}.csv"))
    assert [row[0] for row in _rows(shop, spec("pairs/*"))] == [1, 2]


def _in_de(raw: DataFrame) -> DataFrame:
    return raw.selectExpr("id", "'de' AS land")


def test_a_key_is_told_by_the_name_and_the_newest_file_of_it_counts(shop: Shop) -> None:
    spec = dataset(Visit, inputs={"raw": VISITS}, write=Merge())(_same)
    for land in ("de", "fr"):
        _land(shop, f"visits/{land}.csv", 1, 2)
    assert shop.run(spec).rows_changed == 4


def test_a_name_that_the_column_cannot_hold_is_refused(shop: Shop) -> None:
    class Hour(Contract, owner="team:shop", version="1.0.0", name="bronze.hours"):
        """One row of an hour."""

        id: int = column()
        hour: int = column()
        on: date = column(nullable=True)

    said = {"hour": "hour", "on": "on"}
    files = landing("hours/{hour}_{on}.csv", file_columns=said)
    spec = dataset(Hour, inputs={"raw": files}, write=Append())(_same)
    for name, wrong in (("noon_2024-01-05", "'noon'"), ("7_2024-02-30", "'2024-02-30'")):
        _land(shop, f"hours/{name}.csv", 1)
        with pytest.raises(InputError, match="cannot hold") as caught:
            shop.run(spec)
        assert caught.value.found == wrong
        (shop.path / f"landing/hours/{name}.csv").unlink()
    _land(shop, "hours/7_20240105.csv", 1)
    with pytest.raises(InputError, match="column on cannot hold"):
        shop.run(spec)
    (shop.path / "landing/hours/7_20240105.csv").unlink()
    _land(shop, f"hours/{2**63}_.csv", 1)
    with pytest.raises(InputError, match="column hour cannot hold"):
        shop.run(spec)
    (shop.path / f"landing/hours/{2**63}_.csv").unlink()
    _land(shop, "hours/-7_.csv", 1)
    shop.run(spec)
    assert _rows(shop, spec) == [(1, -7, None)]


def test_a_placeholder_gives_what_a_name_can_say() -> None:
    with pytest.raises(DefinitionError, match="cannot give the column") as caught:
        dataset(
            Visit,
            inputs={"raw": landing("visits/{land}.csv", file_columns={"land": "town"})},
            write=Append(),
        )(_same)
    assert caught.value.found == "'town' for string"
