"""The gate: what is not the contract's stops before any data moves."""

from __future__ import annotations

import types
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from penstock import Contract, Dataset, Decimal, Merge, Overwrite, Pii, column, dataset, landing
from penstock.assets.gate import check_leaks
from penstock.errors import DefinitionError, GateError
from penstock.lineage.column_lineage import ColumnLineage, Unknown
from penstock.schemas.contract import model_of
from penstock.testing import assert_frames_equal, count_jobs
from tests.assets.shop import FILES, Loaded, Shop, loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame

pytestmark = pytest.mark.slow(seconds=25)

GOOD = "1,ink,1.50,2013-01-05"
FRAMES: dict[str, tuple[Callable[[DataFrame], DataFrame], str]] = {
    "wrong type": (
        lambda raw: raw.selectExpr("id", "item", "CAST(price AS double) AS price", "day"),
        "price: expected decimal(10,2), found double",
    ),
    "narrower type": (
        lambda raw: raw.selectExpr("CAST(id AS int) AS id", "item", "price", "day"),
        "id: expected bigint, found int",
    ),
    "missing": (lambda raw: raw.drop("item"), "item: expected string, the function does not"),
    "misspelt": (
        lambda raw: raw.withColumnRenamed("price", "prize"),
        "price: expected decimal(10,2), the function does not return it; did you mean prize?",
    ),
    "extra": (
        lambda raw: raw.selectExpr("*", "1 AS more"),
        "more: not in the contract (found int)",
    ),
    "recased": (
        lambda raw: raw.withColumnRenamed("price", "Price"),
        "price: the function spells it Price",
    ),
    "twice": (lambda raw: raw.selectExpr("*", "id"), "id"),
}


@pytest.mark.parametrize("case", FRAMES, ids=str)
def test_a_frame_that_is_not_the_contracts_is_refused(shop: Shop, case: str) -> None:
    body, found = FRAMES[case]

    @dataset(Loaded, inputs={"raw": landing(FILES)})
    def wrong(raw: DataFrame) -> DataFrame:
        return body(raw)

    shop.land("orders-a.csv", GOOD)
    with count_jobs(shop.spark) as jobs, pytest.raises(GateError) as caught:
        shop.run(wrong)
    assert caught.value.found
    assert caught.value.found.startswith(found)
    assert caught.value.where == "bronze.loaded 1.0.0"
    assert len(jobs) == 0
    assert shop.version(wrong) is None
    assert shop.states(wrong) == ["FAIL"]


def _contract(version: str, **columns: tuple[Any, Any]) -> type[Contract]:
    body = {
        "__doc__": "One order.",
        "__module__": __name__,
        "__annotations__": {name: kind for name, (kind, _) in columns.items()},
        **{name: how for name, (_, how) in columns.items()},
    }
    facts = {"name": "bronze.loaded", "version": version, "owner": "team:shop"}
    return types.new_class("Changed", (Contract,), facts, lambda space: space.update(body))


PLAIN: dict[str, tuple[Any, Any]] = {
    "id": (int, column(key=True)),
    "item": (str, column(nullable=True)),
    "price": (Decimal(10, 2), column(ge=0)),
    "day": (date, column()),
}
CHANGES: dict[str, tuple[dict[str, tuple[Any, Any]], str]] = {
    "retyped": (
        {**PLAIN, "price": (Decimal(12, 2), column())},
        "price: old decimal(10,2), new decimal(12,2)",
    ),
    "dropped": ({k: v for k, v in PLAIN.items() if k != "item"}, "item: string is gone"),
    "renamed": (
        {k.replace("item", "items"): v for k, v in PLAIN.items()},
        "item: string is gone (renamed to items?)",
    ),
    "recased": (
        {k.replace("item", "Item"): v for k, v in PLAIN.items()},
        "item: spelled Item now",
    ),
    "required": (
        {**PLAIN, "color": (str, column())},
        "color: new column string that may not be NULL",
    ),
}


@pytest.mark.parametrize("case", CHANGES, ids=str)
def test_a_contract_that_would_break_the_table_is_refused(shop: Shop, case: str) -> None:
    columns, found = CHANGES[case]
    shop.land("orders-a.csv", GOOD)
    shop.run(loaded)
    changed = _dataset(_contract("2.0.0", **columns))
    shop.land("orders-a.csv", "1,ink,1,2013-01-05", header=",".join(list(columns)[:4]))
    if len(columns) != len(PLAIN):
        shop.land(
            "orders-a.csv",
            ",".join(dict(zip(PLAIN, GOOD.split(","), strict=True)).get(n, "red") for n in columns),
            header=",".join(columns),
        )
    with pytest.raises(GateError) as caught:
        shop.run(changed)
    assert caught.value.where == "bronze.loaded 2.0.0, table at version 0"
    assert caught.value.found
    assert caught.value.found.startswith(found)
    assert shop.version(loaded) == 0


def _dataset(contract: type[Contract]) -> Dataset:
    @dataset(contract, inputs={"raw": landing(FILES)})
    def changed(raw: DataFrame) -> DataFrame:
        return raw

    return changed


def test_a_rule_that_does_not_fit_the_columns_is_named(shop: Shop) -> None:
    class Ruled(
        Contract,
        name="bronze.loaded",
        version="1.0.0",
        owner="team:shop",
        rules={"dear": "price > 0", "known": "lookup(item) > 0", "broken": "price + 1"},
    ):
        """One order."""

        id: int = column(key=True)
        item: str = column(nullable=True)
        price: Decimal(10, 2) = column()
        day: date = column()

    shop.land("orders-a.csv", GOOD)
    with pytest.raises(GateError, match="rules cannot be computed") as caught:
        shop.run(_dataset(Ruled))
    assert caught.value.found == "rule:known, rule:broken"
    assert shop.version(loaded) is None


def test_a_function_that_returns_nothing_is_named(shop: Shop) -> None:
    shop.land("orders-a.csv", GOOD)
    spec = dataset(Loaded, inputs={"raw": landing(FILES)})(lambda raw: raw.printSchema())
    with pytest.raises(DefinitionError, match="the function returns no DataFrame") as caught:
        shop.run(spec)
    assert caught.value.found == "None"


def test_a_rule_that_fails_on_a_row_sets_it_aside(shop: Shop) -> None:
    class Ruled(
        Contract,
        name="bronze.ruled",
        version="1.0.0",
        owner="team:shop",
        rules={"dear": "id / (price - 1) > 0", "dearer": "id / (price - 1) < 100"},
    ):
        """One order."""

        id: int = column(key=True)
        item: str = column(nullable=True)
        price: Decimal(10, 2) = column()
        day: date = column()

    shop.land("orders-a.csv", "1,a,1.00,2013-01-05", "2,b,2.00,2013-01-05", "3,c,3,2013-01-05")
    spec = _dataset(Ruled)
    outcome = shop.run(spec)
    assert (outcome.rows_quarantined, shop.reasons(spec)) == (1, ["rule:dear+rule:dearer"])
    assert sorted(row.id for row in shop.table(spec).collect()) == [2, 3]


class Person(
    Contract, name="bronze.persons", version="1.0.0", owner="team:shop", cleared=[Pii.EMAIL]
):
    """One person."""

    id: int = column(key=True)
    mail: str = column(nullable=True, pii=Pii.EMAIL)


class Shared(Contract, name="shared.persons", version="1.0.0", owner="team:shop"):
    """One person for everybody."""

    id: int = column(key=True)
    label: str = column(nullable=True)


@dataset(Person, inputs={"raw": landing("orders/*.csv")})
def persons(raw: DataFrame) -> DataFrame:
    return raw


@pytest.mark.parametrize(
    "label", ["mail", "upper(mail)", "substring(mail, 1, 3)", "concat('x', mail)"]
)
def test_personal_data_does_not_leave_through_another_column(shop: Shop, label: str) -> None:
    shop.land("persons.csv", "1,kanarienvogel@example.com", header="id,mail")
    shop.run(persons)

    @dataset(Shared, inputs={"raw": Person})
    def leak(raw: DataFrame) -> DataFrame:
        return raw.selectExpr("id", f"{label} AS label")

    with pytest.raises(GateError, match="email would be written in clear") as caught:
        shop.run(leak)
    assert caught.value.where == "shared.persons.label"
    assert caught.value.found == "comes unmasked from bronze.persons.mail"
    assert shop.version(leak) is None
    assert "kanarienvogel" not in shop.everything_told()


class Veiled(Contract, name="shared.persons", version="1.0.0", owner="team:shop"):
    """One person for everybody, under a veil."""

    id: int = column(key=True)
    label: str = column(nullable=True, pii=Pii.EMAIL, masked=True)


class Known(
    Contract, name="shared.persons", version="1.0.0", owner="team:shop", cleared=[Pii.EMAIL]
):
    """One person for those who may know."""

    id: int = column(key=True)
    label: str = column(nullable=True, pii=Pii.EMAIL)


IN_THE_DARK = ColumnLineage(
    fields={"id": (), "label": ()},
    unknown=(Unknown(column="label", reason="made by a Python generator"),),
)


def _reading(contract: type[Contract]) -> Dataset:
    @dataset(contract, inputs={"raw": Person})
    def reading(raw: DataFrame) -> DataFrame:
        return raw

    return reading


def test_a_column_of_unknown_origin_counts_as_made_of_all_personal_data() -> None:
    contracts = {"bronze.persons": model_of(Person)}.get
    with pytest.raises(GateError, match="email would be written in clear") as caught:
        check_leaks(_reading(Shared), IN_THE_DARK, contracts)
    assert caught.value.where == "shared.persons.label"
    assert caught.value.found
    assert caught.value.found.endswith("cannot be followed, perhaps from bronze.persons.mail")


@pytest.mark.parametrize("contract", [Veiled, Known])
def test_an_unknown_origin_is_no_matter_where_the_column_is_masked_or_cleared(
    contract: type[Contract],
) -> None:
    check_leaks(_reading(contract), IN_THE_DARK, {"bronze.persons": model_of(Person)}.get)


def _cleared(**said: Any) -> type[Contract]:
    body = {
        "__doc__": "One person.",
        "__module__": __name__,
        "__annotations__": {"id": int, "label": str},
        "id": column(key=True),
        "label": column(nullable=True, **said),
    }
    facts = {"name": "shared.persons", "version": "1.0.0", "owner": "team:shop", "cleared": [*Pii]}
    return types.new_class("Cleared", (Contract,), facts, lambda space: space.update(body))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "no class"),
        ({"pii": Pii.PHONE}, "Pii.PHONE"),
        ({"pii": Pii.EMAIL, "masked": True}, "Pii.EMAIL, masked"),
    ],
)
def test_who_is_cleared_says_what_it_gives_on(shop: Shop, said: dict[str, Any], told: str) -> None:
    """Who reads the column is asked for no more than it says."""
    shop.land("persons.csv", "1,kanarienvogel@example.com", header="id,mail")
    shop.run(persons)

    def body(raw: DataFrame) -> DataFrame:
        return raw.selectExpr("id", "upper(mail) AS label")

    for contract in (_cleared(pii=Pii.EMAIL), _cleared(pii=Pii.FREE_TEXT)):
        assert shop.run(dataset(contract, inputs={"raw": Person})(body)).version is not None
    with pytest.raises(GateError, match="email would be written in clear to a column that") as no:
        shop.run(dataset(_cleared(**said), inputs={"raw": Person})(body))
    assert no.value.found == f"comes unmasked from bronze.persons.mail; the column says {told}"


def test_a_column_of_unknown_origin_says_that_it_holds_personal_data() -> None:
    contracts = {"bronze.persons": model_of(Person)}.get
    check_leaks(_reading(_cleared(pii=Pii.PHONE)), IN_THE_DARK, contracts)
    with pytest.raises(GateError, match="to a column that does not say so"):
        check_leaks(_reading(_cleared()), IN_THE_DARK, contracts)


def test_rows_of_unknown_origin_say_nothing_of_a_column() -> None:
    rows = ColumnLineage(
        fields={"id": (), "label": ()}, unknown=(Unknown(column=None, reason="which rows"),)
    )
    check_leaks(_reading(Shared), rows, {"bronze.persons": model_of(Person)}.get)


def test_personal_data_is_in_no_statistics_of_the_log(shop: Shop) -> None:
    shop.land("persons.csv", "1,kanarienvogel@example.com", header="id,mail")
    shop.run(persons)
    log = shop.path / "lake" / "bronze" / "persons" / "_delta_log"
    entries = "".join(file.read_text() for file in log.glob("*.json"))
    assert '"numRecords' in entries.replace("\\", "")
    assert "kanarienvogel" not in entries


class Unclassed(Contract, name="bronze.persons", version="0.9.0", owner="team:shop"):
    """One person, before somebody saw what the column holds."""

    id: int = column(key=True)
    mail: str = column(nullable=True)


class Noted(
    Contract,
    name="bronze.persons",
    version="1.1.0",
    owner="team:shop",
    cleared=[Pii.EMAIL, Pii.FREE_TEXT],
):
    """One person, and what somebody noted."""

    id: int = column(key=True)
    mail: str = column(nullable=True, pii=Pii.EMAIL)
    note: str = column(nullable=True, pii=Pii.FREE_TEXT)
    tags: T.ArrayType(T.StringType()) = column(nullable=True)
    active: bool = column(nullable=True)


class Secret(
    Contract,
    name="bronze.persons",
    version="1.2.0",
    owner="team:shop",
    cleared=[Pii.EMAIL, Pii.FREE_TEXT, Pii.IDENTIFIER],
):
    """One person, of whom nothing is to be in a log."""

    id: int = column(key=True, pii=Pii.IDENTIFIER)
    mail: str = column(nullable=True, pii=Pii.EMAIL)
    note: str = column(nullable=True, pii=Pii.FREE_TEXT)
    tags: T.ArrayType(T.StringType()) = column(nullable=True, pii=Pii.FREE_TEXT)
    active: bool = column(nullable=True, pii=Pii.FREE_TEXT)


@pytest.mark.parametrize("write", [Overwrite(), Merge()], ids=["overwrite", "merge"])
def test_a_column_that_gets_its_class_later_has_no_statistics_from_then_on(
    shop: Shop, write: Overwrite | Merge
) -> None:
    derived = {"note": "concat('vogel by ', mail)", "tags": "array('vogel')", "active": "true"}

    def of(contract: type[Contract], number: int, more: Mapping[str, str] = {}) -> Dataset:
        raw = landing("orders/*.csv", derived=list(more))

        @dataset(contract, inputs={"raw": raw}, write=write)
        def persons(raw: DataFrame) -> DataFrame:
            return raw.withColumns({name: F.expr(sql) for name, sql in more.items()})

        shop.land("persons.csv", f"{number},vogel{number}@example.com", header="id,mail")
        return persons

    first = of(Unclassed, 1)
    shop.run(first)
    shop.run(of(Person, 2))
    assert shop.version(first) == 2, "the table's property, and the rows"
    shop.run(of(Person, 3))
    assert shop.version(first) == 3, "what the table says already is not said again"
    shop.run(of(Noted, 4, derived))
    shop.run(of(Noted, 5, derived))
    shop.run(of(Secret, 6, derived))
    folder = shop.path / "lake" / "bronze" / "persons" / "_delta_log"
    log = [file.read_text() for file in sorted(folder.glob("*.json"))]
    assert "vogel1" in log[0]
    assert '"numRecords' in "".join(log).replace("\\", "")
    assert not [number for number, said in enumerate(log[1:], 1) if "vogel" in said]
    assert "minValues" not in log[-1]
    assert max(row.id for row in shop.table(first).collect()) == 6
    assert shop.states(first) == ["COMPLETE"] * 6


def test_a_frame_in_another_order_is_written_by_name(shop: Shop) -> None:
    @dataset(Loaded, inputs={"raw": landing(FILES)})
    def mixed(raw: DataFrame) -> DataFrame:
        return raw.select("day", "price", "item", "id")

    shop.land("orders-a.csv", GOOD)
    shop.run(mixed)
    assert_frames_equal(shop.table(mixed), [(1, "ink", "1.50", "2013-01-05")])
    assert shop.table(mixed).columns == ["id", "item", "price", "day"]
