"""What a dataset says of rows that leave it, refused when it is defined where it cannot be kept."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    Append,
    Contract,
    Daily,
    Merge,
    Scd2,
    changes,
    column,
    dataset,
    landing,
)
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from penstock import Dataset


class Order(Contract, name="shop.orders", version="1.0.0", owner="team:shop"):
    """One order."""

    id: int = column(key=True)
    seq: int = column()
    at: datetime = column(nullable=True)
    share: float = column()
    note: str = column()
    gone: bool = column()
    perhaps: bool = column(nullable=True)
    day: date = column()


class Log(Contract, name="shop.log", version="1.0.0", owner="team:shop"):
    """One thing that happened."""

    id: int = column()


class State(Contract, name="shop.states", version="1.0.0", owner="team:shop"):
    """One state of an order."""

    id: int = column(key=True)
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


class Told(Contract, name="shop.told", version="1.0.0", owner="team:shop"):
    """One state of an order, and when it was gone."""

    id: int = column(key=True)
    gone: bool = column()
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


FILES = {"raw": landing("orders/*.csv")}
DAYS = Daily(column="day", start=date(2013, 1, 1))


def _same(raw: DataFrame) -> DataFrame:
    return raw


def _merged(inputs: dict[str, Any] = FILES, **mode: Any) -> Callable[[], Dataset]:
    return lambda: dataset(Order, inputs=inputs, write=Merge(**mode))(_same)


NO_ORDER = "order_by= names no column of the contract that says which row is newer"
NO_FLAG = "deletes= names no column that says that a row is gone"
FLAG = "the column of deletes= cannot say that a row is gone"
WHOLE = "missing='delete' is of what a run is not given, and no run is given everything"
WRONG: dict[str, tuple[Callable[[], object], str, str | None]] = {
    "another word": (lambda: Merge(missing="drop"), "missing= says something else", "'drop'"),  # type: ignore[arg-type]
    "a word of Append": (lambda: Append(known="ignore"), "known= says something else", "'ignore'"),  # type: ignore[arg-type]
    "a share in percent": (
        lambda: Merge(missing="delete", max_missing=5),
        "max_missing is no share of rows",
        "5",
    ),
    "no number": (
        lambda: Merge(max_missing=float("nan")),
        "max_missing is no share of rows",
        "nan",
    ),
    "no order": (_merged(order_by="note"), NO_ORDER, "string NOT NULL"),
    "an order that has NaN": (_merged(order_by="share"), NO_ORDER, "double NOT NULL"),
    "an order that may be NULL": (_merged(order_by="at"), NO_ORDER, "timestamp"),
    "the key as its own order": (_merged(order_by="id"), NO_ORDER, "bigint NOT NULL, in the key"),
    "an order that is not there": (_merged(order_by="lsn"), NO_ORDER, None),
    "a flag that is text": (_merged(deletes="note"), FLAG, "string NOT NULL"),
    "a flag that may be NULL": (_merged(deletes="perhaps"), FLAG, "boolean"),
    "a flag in other letters": (
        _merged(deletes="Gone"),
        NO_FLAG,
        "'Gone', and the contract has gone",
    ),
    "no name of a flag": (_merged(deletes="is gone"), NO_FLAG, "'is gone'"),
    "a flag of ours": (
        lambda: dataset(State, inputs=FILES, write=Scd2(deletes="is_current"))(_same),
        NO_FLAG,
        "'is_current'",
    ),
    "a list of a day": (
        lambda: dataset(
            Order,
            inputs={"raw": landing("orders/{day}.csv")},
            partitions=DAYS,
            write=Merge(missing="delete"),
        )(_same),
        WHOLE,
        "a list of one slice says nothing of the others",
    ),
    "a list of changes": (
        _merged({"raw": changes(Order)}, missing="delete"),
        WHOLE,
        "input raw gives what changed, and not what there is",
    ),
    "versions that say they are gone": (
        lambda: dataset(Told, inputs=FILES, write=Scd2(deletes="gone", missing="close"))(_same),
        "what is missing has no row that could say it is gone",
        None,
    ),
    "a list in two folders": (
        lambda: dataset(
            Order,
            inputs={"a": landing("a/*.csv"), "b": landing("b/*.csv")},
            write=Merge(missing="delete"),
        )(lambda a, b: a.unionByName(b)),
        WHOLE,
        "inputs a and b have new files at different times",
    ),
    "deletes that nobody takes": (
        _merged({"raw": changes(Order, deletes="is_deleted")}),
        "input raw gives rows that were taken out, and nothing says what becomes of them",
        "Merge",
    ),
    "deletes of rows without a key": (
        lambda: changes(Log, deletes="is_deleted"),
        "of rows without a key nobody can say which was taken out",
        None,
    ),
    "deletes of a name alone": (
        lambda: changes("shop.log", deletes="is_deleted"),
        "of rows without a key nobody can say which was taken out",
        None,
    ),
    "deletes under a column's name": (
        lambda: changes(Order, deletes="gone"),
        "deletes is no name that the input has no column of",
        None,
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_what_cannot_be_kept_is_refused(case: str) -> None:
    define, what, found = WRONG[case]
    with pytest.raises(DefinitionError) as caught:
        define()
    assert caught.value.what == what
    assert found is None or caught.value.found == found
    assert caught.value.where
    assert caught.value.next_step


def test_the_flag_of_rows_that_are_taken_out_is_no_column_of_the_table() -> None:
    spec = _merged(deletes="is_deleted", order_by="seq")()
    assert [c.name for c in spec.returned.columns] == [*Order.to_schema().columns, "is_deleted"]
    assert (spec.removes, spec.model.column("is_deleted")) == ("is_deleted", None)
    kept = _merged(deletes="gone")()
    assert (kept.removes, kept.returned) == (None, kept.model)
