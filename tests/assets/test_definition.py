"""A dataset that could never run right says so when it is defined."""

from __future__ import annotations

import types
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyspark.sql.types as T
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock import (
    Append,
    Contract,
    Csv,
    Daily,
    Deployment,
    ForeignKey,
    JsonLines,
    Merge,
    Overwrite,
    Quarantine,
    ReplaceSlice,
    Scd2,
    Schedule,
    changes,
    column,
    dataset,
    definitions,
    landing,
    table,
)
from penstock.assets.asset import build_asset
from penstock.errors import DefinitionError
from penstock.privacy import Drop, MaskingPolicy, Null, Token

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
    facts = {"name": "silver.states", "version": "1.0.0", "owner": "team:shop"}
    contract = types.new_class("States", (Contract,), facts, lambda space: space.update(body))

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


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("valid_to", datetime, {"nullable": True, "gt": datetime(2013, 1, 1, tzinfo=UTC)}),
        ("is_current", bool, {"eq": True}),
    ],
)
def test_nothing_is_promised_of_what_is_made_when_it_is_written(
    name: str, kind: type, made: dict[str, Any]
) -> None:
    with pytest.raises(DefinitionError, match="a check of a column that Scd2 makes") as caught:
        _versioned({**GOOD, name: (kind, column(**made))})
    assert caught.value.found in ("valid_to:gt", "is_current:eq")


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


class Item(Contract, name="shop.items", version="1.0.0", owner="team:shop"):
    """One item."""

    id: int = column(key=True)
    day: date = column()
    note: str = column(nullable=True)


class MaybeDated(Contract, name="shop.maybe_dated", version="1.0.0", owner="team:shop"):
    """One item, perhaps of a day."""

    id: int = column(key=True)
    day: date = column(nullable=True)


class Sale(Contract, name="shop.sales", version="1.0.0", owner="team:shop"):
    """One sale."""

    id: int = column(key=True)
    day: date = column()
    item: int = column()


def _same(items: DataFrame) -> DataFrame:
    return items


def _nothing(items: DataFrame) -> None:
    items.count()


def _forgets(items: DataFrame):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as it is forgotten
    items.select("id")


async def _later(items: DataFrame) -> DataFrame:
    return items


DAYS = Daily(column="day", start=date(2013, 1, 1))
FILES = {"items": landing("items/*.csv")}
BY_DAY = {"items": landing("items/{day}.csv")}
WRONG_DATASETS: dict[str, tuple[Callable[[], object], str, str]] = {
    "a mode's class": (
        lambda: dataset(Item, inputs=FILES, write=Merge),  # type: ignore[arg-type]
        "write= is of another kind",
        "write write=Merge()",
    ),
    "a mode's name": (
        lambda: dataset(Item, inputs=FILES, write="merge"),  # type: ignore[arg-type]
        "write= is of another kind",
        "write write=Merge()",
    ),
    "a way to write times of day": (
        lambda: landing("items/*.csv", date_formats={"day": "HH:mm"}),
        "this is no way to write a date",
        "see Spark's documentation of datetime patterns",
    ),
    "a way that Spark can write and not read": (
        lambda: landing("items/*.csv", date_formats={"day": "E dd.MM.yyyy"}),
        "this is no way to write a date",
        "see Spark's documentation of datetime patterns",
    ),
    "a way to write what is no date": (
        lambda: dataset(
            Item, inputs={"items": landing("items/*.csv", date_formats={"id": "dd.MM.yyyy"})}
        )(_same),
        "date_formats= names no date or datetime column of what is sent",
        "name the column as the contract does",
    ),
    "a format's name": (
        lambda: landing("items/*", format="json"),  # type: ignore[arg-type]
        "format= is of another kind",
        "write format=JsonLines()",
    ),
    "a text for NULL where there is one": (
        lambda: landing("items/*", format=JsonLines(), null_value="NA"),
        "null_value= says nothing of JSON lines, which has a NULL of its own",
        "leave null_value= out",
    ),
    "a file without a column of the contract": (
        lambda: dataset(Item, inputs={"items": landing("items/*", format=Csv(columns=("day",)))})(
            _same
        ),
        "input items cannot give the column: no cell of its files is called so",
        (
            "name the cells as the contract does, in the order of the files; or name the column in "
            "landing(derived=...) if the function adds it"
        ),
    ),
    "a policy's name": (
        lambda: dataset(Item, inputs=FILES, bad_rows="fail"),  # type: ignore[arg-type]
        "bad_rows= is of another kind",
        "write bad_rows=Fail()",
    ),
    "a masking that is a mapping": (
        lambda: dataset(Item, inputs=FILES, masking={"note": Null()}),  # type: ignore[arg-type]
        "masking= is of another kind",
        "write masking=MaskingPolicy.of({'email': Token('email')})",
    ),
    "a schedule that is a text": (
        lambda: dataset(Item, inputs=FILES, schedule="0 4 * * *"),  # type: ignore[arg-type]
        "schedule= is of another kind",
        "write schedule=Schedule(cron='0 4 * * *')",
    ),
    "inputs in a list": (
        lambda: dataset(Item, inputs=[Sale]),  # type: ignore[arg-type]
        "inputs= is no mapping",
        "write inputs={'bookings': Bookings}",
    ),
    "bare": (
        lambda: dataset(_same),  # type: ignore[arg-type]
        "this is no contract",
        "write class Bookings(Contract, name=..., version=..., owner=...)",
    ),
    "a dataset for its contract": (
        lambda: dataset(Sale, inputs={"items": dataset(Item, inputs=FILES)(_same)}),  # type: ignore[dict-item]
        "this is no contract",
        "name the dataset by its contract, Item",
    ),
    "a name that is none": (
        lambda: dataset(Sale, inputs={"items": "items"}),
        "this is not the name of a dataset",
        "write its contract, or landing(...) for files",
    ),
    "a function that returns None": (
        lambda: dataset(Item, inputs=FILES)(_nothing),  # type: ignore[arg-type]
        "the function returns no DataFrame",
        "return the DataFrame; Penstock writes it",
    ),
    "a function that forgets to return": (
        lambda: dataset(Item, inputs=FILES)(_forgets),
        "the function returns no DataFrame",
        "return the DataFrame; Penstock writes it",
    ),
    "a coroutine": (
        lambda: dataset(Item, inputs=FILES)(_later),  # type: ignore[arg-type]
        "the function returns no DataFrame",
        "return the DataFrame; Penstock writes it",
    ),
    "a group with a blank": (
        lambda: dataset(Item, inputs=FILES, group="my shop")(_same),
        "this is not the name of a group",
        "write group='my_shop'",
    ),
    "a tag with a blank": (
        lambda: dataset(Item, inputs=FILES, tags={"tier": "very high"})(_same),
        "this is not a tag",
        "write tags={'tier': 'gold'}",
    ),
    "files of no day": (
        lambda: dataset(Item, inputs=FILES, partitions=DAYS)(_same),
        "input items does not say which slice a file is of, and each would take all files",
        (
            "write it where the files' names say so, or load the files into a dataset without "
            "partitions, or of others, and read that"
        ),
    ),
    "sliced by a column that is not there": (
        lambda: table(Item, slice_by="dya"),
        "slice_by names a column that is not there",
        "did you mean day?",
    ),
    "sliced by a column without days": (
        lambda: table(Item, slice_by="id"),
        "slice_by names a column that does not say which slice a row is of",
        "name the column that says when a row is of, or which value it has",
    ),
    "sliced by a column that may be NULL": (
        lambda: table(MaybeDated, slice_by="day"),
        "slice_by names a column that may be NULL, and such rows are of no slice",
        (
            "require day in the contract of shop.maybe_dated; or read the table whole and say in "
            "the function what becomes of rows without it"
        ),
    ),
    "a lookback in days": (
        lambda: table(Item, slice_by="day", lookback=7),  # type: ignore[arg-type]
        "lookback is no duration",
        "write lookback=timedelta(days=7)",
    ),
    "changes of all slices": (
        lambda: dataset(Item, inputs={"items": changes(Sale)}, partitions=DAYS, write=Append())(
            _same
        ),
        "input items gives the changes of all slices, to whichever run comes first",
        ("leave partitions= out; or read the rows of the slice, with table(..., slice_by=...)"),
    ),
    "versions by a column that is not there": (
        lambda: changes(Item, valid_from="dya"),
        "valid_from is no column of the input",
        "name the column that says from when on a version of a row holds",
    ),
    "NULL where none may be": (
        lambda: dataset(Item, inputs=FILES, masking=MaskingPolicy.of({"id": Null()}))(_same),
        "masking writes NULL to a column that may not be NULL",
        "make the column nullable, or Drop() it",
    ),
    "dropped and declared": (
        lambda: dataset(Item, inputs=FILES, masking=MaskingPolicy.of({"id": Drop()}))(_same),
        "masking drops a column that the contract has",
        "take it out of the contract, or mask it with Null()",
    ),
    "a token that is a number": (
        lambda: dataset(Item, inputs=FILES, masking=MaskingPolicy.of({"id": Token("id")}))(_same),
        "Token gives another type than the contract says",
        "declare the column as what masking makes of it",
    ),
    "masked and not there": (
        lambda: dataset(Item, inputs=FILES, masking=MaskingPolicy.of({"nota": Null()}))(_same),
        "the masking policy names a column that is not there",
        "did you mean note?",
    ),
    "a cron of four fields": (
        lambda: Schedule(cron="0 4 * *"),
        "the schedule cannot be kept",
        "write cron='0 4 * * *' for four o'clock",
    ),
    "two ways to be run": (
        lambda: Schedule(cron="0 4 * * *", eager=True),
        "the schedule cannot be kept",
        "choose one",
    ),
    "retries without end": (
        lambda: Schedule(max_retries=-1),
        "the schedule cannot be kept",
        "write max_retries=2",
    ),
    "a first moment": (
        lambda: Daily(column="day", start=datetime(2013, 1, 1, tzinfo=UTC)),
        "the start of the partitions is not a date",
        "write start=date(2013, 1, 1)",
    ),
    "a first day in words": (
        lambda: Daily(column="day", start="2013-01-01"),  # type: ignore[arg-type]
        "the start of the partitions is not a date",
        "write start=date(2013, 1, 1)",
    ),
    "a last moment": (
        lambda: Daily(column="day", start=date(2013, 1, 1), end=datetime(2014, 1, 1, tzinfo=UTC)),
        "the end of the partitions is not a date",
        "write end=date(2013, 1, 1)",
    ),
    "an end before the start": (
        lambda: Daily(column="day", start=date(2013, 1, 2), end=date(2013, 1, 2)),
        "the partitions end before they start",
        "give the first day after the last one, or no end",
    ),
}


@pytest.mark.parametrize("case", WRONG_DATASETS, ids=str)
def test_a_wrong_part_is_named(case: str) -> None:
    define, what, mend = WRONG_DATASETS[case]
    with pytest.raises(DefinitionError) as caught:
        define()
    assert (caught.value.what, caught.value.next_step) == (what, mend)
    assert caught.value.where


@pytest.mark.parametrize("write", [Merge(), Scd2()], ids=repr)
def test_a_map_is_refused_where_rows_are_compared(write: Merge | Scd2) -> None:
    nested = T.ArrayType(T.MapType(T.StringType(), T.LongType()))
    body = {
        "__doc__": "One.",
        "__annotations__": {**{n: kind for n, (kind, _) in GOOD.items()}, "parts": nested},
        **{n: how for n, (_, how) in GOOD.items()},
        "parts": column(nullable=True),
    }
    facts = {"name": "silver.states", "version": "1.0.0", "owner": "team:shop"}
    contract = types.new_class("States", (Contract,), facts, lambda space: space.update(body))
    with pytest.raises(DefinitionError, match="compares no maps") as caught:
        dataset(contract, inputs={"items": table("shop.items")}, write=write)(_same)
    assert caught.value.where == "contract States.parts"
    dataset(contract, inputs={"items": table("shop.items")})(_same)
    with pytest.raises(DefinitionError, match="a cell of text holds one value") as caught:
        dataset(contract, inputs=FILES)(_same)
    assert caught.value.where == "contract States.parts"
    landed = landing("items.csv", derived=["parts"])
    dataset(contract, inputs={"items": landed})(_same)


RESOURCES: dict[str, Any] = {"lake": None, "ledger": None, "cluster": None}
items = dataset(Item, inputs=FILES)(_same)


def test_what_a_dataset_reads_is_made_by_one_of_the_deployment_or_named_as_external() -> None:
    near = dataset(Sale, inputs={"items": "shop.itms"})(_same)
    with pytest.raises(DefinitionError, match="no dataset of the deployment makes") as caught:
        Deployment(datasets=(items, near), resources=RESOURCES)
    assert caught.value.where == "dataset shop.sales"
    assert caught.value.next_step.startswith("did you mean shop.items?")
    with pytest.raises(DefinitionError, match="no dataset of the deployment makes"):
        definitions([items, near], resources=RESOURCES)
    Deployment(datasets=(items, near), resources=RESOURCES, external=("shop.itms",))


def test_what_is_read_by_name_is_held_against_the_contract_of_who_makes_it() -> None:
    by_note = dataset(
        Sale, inputs={"items": table("shop.items", slice_by="note")}, partitions=DAYS
    )(_same)
    with pytest.raises(DefinitionError, match="does not say which slice") as caught:
        Deployment(datasets=(items, by_note), resources=RESOURCES)
    assert caught.value.where == "dataset shop.sales, input items"

    class Refers(
        Contract,
        name="shop.refers",
        version="1.0.0",
        owner="team:shop",
        foreign_keys=[ForeignKey("item", "shop.items", "id")],
    ):
        """One."""

        item: str = column()

    refers = dataset(Refers, inputs={"items": Item})(_same)
    with pytest.raises(DefinitionError, match="of another type than what it refers to") as caught:
        Deployment(datasets=(items, refers), resources=RESOURCES)
    assert caught.value.where == "contract Refers.item"


def test_a_contract_is_no_dataset() -> None:
    with pytest.raises(DefinitionError, match="something that is no dataset") as caught:
        Deployment(datasets=(Item,), resources=RESOURCES)  # type: ignore[arg-type]
    assert caught.value.found == "Item"


_WRITES = st.sampled_from([None, Overwrite(), ReplaceSlice(), Append(), Merge(), Scd2()])
_TEXTS = st.sampled_from(["shop", "a b", "", "ä", "a/b", "0 4 * * *", "@daily", "61 * * * *"])


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    write=_WRITES,
    inputs=st.sampled_from([FILES, BY_DAY, {"items": Sale}, {"items": changes(Sale)}]),
    partitions=st.sampled_from([None, DAYS, Daily(column="note", start=date(2013, 1, 1))]),
    group=st.none() | _TEXTS,
    tag=_TEXTS,
    cron=st.none() | _TEXTS,
    keyed=st.booleans(),
)
def test_a_definition_is_refused_or_dagster_takes_it(**drawn: Any) -> None:
    facts = {"name": "shop.drawn", "version": "1.0.0", "owner": "team:shop"}
    columns = {"id": int, "day": date, "note": str}
    body = {
        "__doc__": "One.",
        "__annotations__": columns,
        **{name: column(key=drawn["keyed"] and name == "id") for name in columns},
    }
    contract = types.new_class("Drawn", (Contract,), facts, lambda space: space.update(body))
    try:
        spec = dataset(
            contract,
            inputs=drawn["inputs"],
            write=drawn["write"],
            partitions=drawn["partitions"],
            group=drawn["group"],
            tags={"tier": drawn["tag"]},
            schedule=Schedule(cron=drawn["cron"]),
        )(_same)
    except DefinitionError:
        return
    build_asset(spec)
