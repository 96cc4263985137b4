"""A dataset that could never run right says so when it is defined."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyspark.sql.types as T
import pytest

from penstock import Contract, Quarantine, Scd2, column, dataset, landing
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

GOOD: dict[str, tuple[Any, Any]] = {
    "id": (int, column(key=True)),
    "valid_from": (datetime, column()),
    "valid_to": (datetime, column(nullable=True)),
    "is_current": (bool, column()),
}
WRONG: dict[str, tuple[dict[str, tuple[Any, Any]], str, str, str, str]] = {
    "a text to begin with": (
        {"valid_from": (str, column())},
        "valid_from",
        "timestamp NOT NULL",
        "string NOT NULL",
        "datetime = column()",
    ),
    "a beginning that may be NULL": (
        {"valid_from": (datetime, column(nullable=True))},
        "valid_from",
        "timestamp NOT NULL",
        "timestamp",
        "datetime = column()",
    ),
    "an end of another type": (
        {"valid_from": (date, column()), "valid_to": (datetime, column(nullable=True))},
        "valid_to",
        "date",
        "timestamp",
        "date = column(nullable=True)",
    ),
    "an end that may not be NULL": (
        {"valid_to": (datetime, column())},
        "valid_to",
        "timestamp",
        "timestamp NOT NULL",
        "datetime = column(nullable=True)",
    ),
    "a flag that is a number": (
        {"is_current": (T.IntegerType(), column())},
        "is_current",
        "boolean NOT NULL",
        "int NOT NULL",
        "bool = column()",
    ),
    "a flag that may be NULL": (
        {"is_current": (bool, column(nullable=True))},
        "is_current",
        "boolean NOT NULL",
        "boolean",
        "bool = column()",
    ),
}


def _versioned(columns: dict[str, tuple[Any, Any]], mode: Scd2 | None = None) -> None:
    body = {
        "__doc__": "One state.",
        "__module__": __name__,
        "__annotations__": {name: kind for name, (kind, _) in columns.items()},
        **{name: how for name, (_, how) in columns.items()},
    }
    contract = type(Contract)(
        "States", (Contract,), body, name="silver.states", version="1.0.0", owner="team:shop"
    )

    @dataset(contract, inputs={"raw": landing("states/*.csv")}, write=mode or Scd2())
    def states(raw: DataFrame) -> DataFrame:
        return raw


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_column_that_cannot_hold_what_scd2_writes(case: str) -> None:
    changed, name, expected, found, mend = WRONG[case]
    with pytest.raises(DefinitionError, match="cannot hold what Scd2 writes") as caught:
        _versioned({**GOOD, **changed})
    assert caught.value.where == f"contract States.{name}"
    assert (caught.value.expected, caught.value.found) == (expected, found)
    assert caught.value.next_step == f"write {name}: {mend}"


def test_versions_by_day_are_as_good_as_by_the_second() -> None:
    _versioned(GOOD)
    _versioned({**GOOD, "valid_from": (date, column()), "valid_to": (date, column(nullable=True))})


def test_a_column_has_one_part_to_play() -> None:
    with pytest.raises(DefinitionError, match="two parts to play"):
        _versioned(GOOD, Scd2(valid_to="valid_from"))
    with pytest.raises(DefinitionError, match="two parts to play"):
        _versioned({**GOOD, "is_current": (bool, column(key=True))})
    with pytest.raises(DefinitionError, match="lacks"):
        _versioned({**GOOD}, Scd2(valid_to="until"))


@pytest.mark.parametrize(
    ("limit", "where"),
    [
        (lambda: Quarantine(max_fraction=5), "Quarantine(max_fraction=5)"),
        (lambda: Quarantine(max_fraction=-0.1), "Quarantine(max_fraction=-0.1)"),
        (lambda: Quarantine(max_fraction=float("nan")), "Quarantine(max_fraction=nan)"),
        (lambda: Quarantine(max_rows=-1), "Quarantine(max_rows=-1)"),
    ],
    ids=["percent", "negative", "nan", "rows"],
)
def test_a_limit_that_is_none(limit: Callable[[], Quarantine], where: str) -> None:
    with pytest.raises(DefinitionError, match="is no limit of bad rows") as caught:
        limit()
    assert caught.value.where == where
    assert "Quarantine(max_" in caught.value.next_step


def test_the_ends_of_the_range_are_limits() -> None:
    assert Quarantine(max_fraction=0, max_rows=0) != Quarantine(max_fraction=1.0)
