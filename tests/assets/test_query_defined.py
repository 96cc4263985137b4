"""What query(...) refuses before anything is asked of a database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import types as T

from penstock import Append, Contract, Daily, Merge, Overwrite, Pii, column, dataset, query
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

DAILY = Daily(column="day", start=date(2013, 1, 1))
RELATION = "public.orders"


class Order(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order."""

    id: int = column(key=True)
    day: date = column()


class Nested(Contract, name="bronze.nested", version="1.0.0", owner="team:shop"):
    """One order and its lines."""

    id: int = column(key=True)
    lines: T.ArrayType(T.StringType()) = column()


class Personal(
    Contract,
    name="bronze.people",
    version="1.0.0",
    owner="team:shop",
    cleared=[Pii.BIRTH_DATE],
):
    """One person."""

    id: int = column(key=True)
    born: date = column(pii=Pii.BIRTH_DATE)


class Bytes(Contract, name="bronze.bytes", version="1.0.0", owner="team:shop"):
    """One order and its picture."""

    id: int = column(key=True)
    picture: bytes = column()


def _same(raw: DataFrame) -> DataFrame:
    return raw


@pytest.mark.parametrize(
    ("relation", "said", "told"),
    [
        ("orders", {}, "name of a table or view"),
        ("SELECT 1", {}, "name of a table or view"),
        ("public.orders; DROP", {}, "name of a table or view"),
        (None, {}, "name of a table or view"),
        (RELATION, {"database": "Shop 1"}, "name of a database"),
        (RELATION, {"database": "landing"}, "name of a database"),
        (RELATION, {"database": None}, "name of a database"),
        (RELATION, {"watermark": "seq", "slice_by": "day"}, "two ways"),
        (RELATION, {"overlap": 5}, "overlap without watermark"),
        (RELATION, {"watermark": "seq", "overlap": -1}, "neither a duration nor a number"),
        (RELATION, {"watermark": "seq", "overlap": "1 day"}, "neither a duration nor a number"),
        (RELATION, {"watermark": "at", "overlap": timedelta(-1)}, "neither a duration"),
        (RELATION, {"split_by": "id", "splits": 0}, "no number of readers"),
        (RELATION, {"split_by": "id", "splits": True}, "no number of readers"),
        (RELATION, {"time_zone": "Mars"}, "no such time zone"),
    ],
)
def test_what_says_nothing_is_refused(relation: Any, said: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        query(relation, **({"database": "shop"} | said))


@pytest.mark.parametrize(
    ("contract", "said", "how", "told"),
    [
        (Order, {"slice_by": "day"}, {}, "the dataset has none"),
        (Order, {}, {"partitions": DAILY}, "names no column that says which slice"),
        (Order, {"watermark": "seq"}, {"write": Overwrite()}, "which would replace"),
        (Order, {}, {"write": Append()}, "adds the same rows at every run"),
        (Order, {"watermark": "seq", "overlap": 1}, {"write": Append()}, "would be added again"),
        (Order, {"watermark": "seq"}, {"write": Merge(missing="delete")}, "gives what changed"),
        (Order, {"derived": ["dya"]}, {}, "names a column that the contract has not"),
        (Order, {"names": {"a": "b"}}, {}, "names a column that the contract has not"),
        (Order, {"names": {"a": "id", "b": "id"}}, {}, "two of the database's columns for one"),
        (Order, {"names": {"id": "day"}}, {}, "that the sender uses to two columns"),
        (Personal, {"watermark": "born"}, {"write": Merge()}, "the watermark is personal data"),
        (Nested, {}, {}, "is read as text"),
        (Bytes, {}, {}, "is read as text"),
    ],
)
def test_what_does_not_fit_the_dataset_is_refused(
    contract: type[Contract], said: dict[str, Any], how: dict[str, Any], told: str
) -> None:
    read = query(RELATION, database="shop", **said)
    with pytest.raises(DefinitionError, match=told):
        dataset(contract, inputs={"raw": read}, **how)(_same)


def test_how_rows_are_split_is_no_other_definition() -> None:
    one = query(RELATION, database="shop")
    many = query(RELATION, database="shop", split_by="id", splits=3)
    specs = [dataset(Order, inputs={"raw": read})(_same) for read in (one, many)]
    assert specs[0].definition == specs[1].definition
    assert specs[0].sources == ("shop",)
    added = dataset(
        Order,
        inputs={"raw": query(RELATION, database="shop", watermark="seq", overlap=1)},
        write=Append(known="skip"),
    )(_same)
    assert added.definition != specs[0].definition
