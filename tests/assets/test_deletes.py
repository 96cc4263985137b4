"""Rows that leave a table: told by the source, given by another table's changes, or missing."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from penstock import (
    Append,
    Contract,
    Fail,
    Merge,
    Scd2,
    Warn,
    changes,
    column,
    dataset,
    landing,
    table,
)
from penstock.errors import InputError, ValidationError
from penstock.lineage.column_lineage import Subtype
from penstock.schemas.contract import model_of
from tests.assets.shop import DAY, NEXT, Order, orders

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock import Dataset
    from penstock.assets.inputs.kind import Input
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow


class Customer(Contract, name="bronze.customers", version="1.0.0", owner="team:shop"):
    """One customer."""

    id: int = column(key=True)
    tier: str = column(isin=["basic", "gold"])


class Marked(Contract, name="silver.marked", version="1.0.0", owner="team:shop"):
    """One customer, gone ones too."""

    id: int = column(key=True)
    tier: str = column(isin=["basic", "gold"])
    gone: bool = column()


class Copied(Contract, name="silver.customers", version="1.0.0", owner="team:shop"):
    """One customer of bronze.customers."""

    id: int = column(key=True)
    tier: str = column()


class Late(Contract, name="silver.late", version="1.0.0", owner="team:shop"):
    """The same, taken now and then."""

    id: int = column(key=True)
    tier: str = column()


class Ordered(Contract, name="silver.ordered", version="1.0.0", owner="team:shop"):
    """One order of bronze.orders."""

    id: int = column(key=True)
    item: str = column(nullable=True)


class State(Contract, name="silver.states", version="1.0.0", owner="team:shop"):
    """One tier of a customer, and when it held."""

    id: int = column(key=True)
    tier: str = column()
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


FILES = landing("orders/customers*.csv")
HEADER = "id,tier,gone"
LIST = "id,tier"


def _same(raw: DataFrame) -> DataFrame:
    return raw


customers = dataset(Customer, inputs={"raw": FILES}, write=Merge(deletes="gone"))(_same)
marked = dataset(Marked, inputs={"raw": FILES}, write=Merge(deletes="gone"))(_same)
TAKEN = {"raw": changes(Customer, deletes="gone")}
copied = dataset(Copied, inputs=TAKEN, write=Merge(deletes="gone"))(_same)
late = dataset(Late, inputs=TAKEN, write=Merge(deletes="gone"))(_same)


@dataset(Ordered, inputs={"raw": changes(Order, deletes="gone")}, write=Merge(deletes="gone"))
def ordered(raw: DataFrame) -> DataFrame:
    return raw.select("id", "item", "gone")


def _listed(contract: type[Contract] = Customer, share: float = 0.4, **mode: object) -> Dataset:
    write = Merge(missing="delete", max_missing=share, **mode)  # type: ignore[arg-type]
    derived = ["gone"] if mode else []
    files = landing("orders/customers*.csv", derived=derived)
    body = _alive if mode else _same
    return dataset(contract, inputs={"raw": files}, write=write)(body)


def _alive(raw: DataFrame) -> DataFrame:
    return raw.selectExpr("*", "false AS gone")


def _rows(shop: Shop, spec: Dataset) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in shop.table(spec).collect())


def test_a_row_that_is_gone_is_taken_out_or_marked(shop: Shop) -> None:
    shop.land("customers-1.csv", "1,gold,false", "2,basic,false", "9,gold,true", header=HEADER)
    for spec in (customers, marked):
        shop.run(spec)
    assert _rows(shop, customers) == [(1, "gold"), (2, "basic")]
    assert _rows(shop, marked) == [(1, "gold", False), (2, "basic", False), (9, "gold", True)]
    shop.land("customers-2.csv", "1,gold,true", "3,basic,false", header=HEADER)
    outcome = shop.run(customers)
    assert (outcome.rows_in, outcome.rows_changed, outcome.rows_removed) == (2, 1, 1)
    # the table has no column that says it; which rows it has is decided by that of the files
    assert outcome.lineage
    assert outcome.lineage.fields.keys() == {"id", "tier"}
    assert [(o.column, o.subtype) for o in outcome.lineage.dataset] == [("gone", Subtype.FILTER)]
    assert _rows(shop, customers) == [(2, "basic"), (3, "basic")]
    outcome = shop.run(marked)
    assert (outcome.rows_in, outcome.rows_changed, outcome.rows_removed) == (2, 2, 0)
    shop.land("customers-3.csv", "1,basic,false", header=HEADER)
    shop.run(customers)
    assert _rows(shop, customers) == [(1, "basic"), (2, "basic"), (3, "basic")]


def test_of_a_row_that_is_taken_out_only_the_key_must_keep_the_contract(shop: Shop) -> None:
    shop.land("customers-1.csv", "1,gold,false", "2,gold,false", header=HEADER)
    shop.run(customers)
    shop.run(marked)
    lines = ("1,,true", ",gold,true", "3,tin,false", "2,gold,", "4,gold,false", "5,gold,false")
    shop.land("customers-2.csv", *lines, header=HEADER)
    outcome = shop.run(customers)
    assert _rows(shop, customers) == [(2, "gold"), (4, "gold"), (5, "gold")]
    assert shop.reasons(customers) == ["gone:not_null", "id:not_null", "tier:isin"]
    assert (outcome.rows_in, outcome.rows_quarantined, outcome.rows_removed) == (6, 3, 1)
    # a row that stays keeps all of it
    with pytest.raises(ValidationError, match="4 of 6 rows"):
        shop.run(marked)


def test_with_warnings_alone_a_row_without_its_flag_is_still_set_aside(shop: Shop) -> None:
    warns = dataset(Customer, inputs={"raw": FILES}, write=Merge(deletes="gone"), bad_rows=Warn())(
        _same
    )
    shop.land("customers-1.csv", "1,tin,false", "2,gold,", "3,,true", header=HEADER)
    outcome = shop.run(warns)
    assert _rows(shop, warns) == [(1, "tin")]
    assert shop.reasons(warns) == ["gone:not_null"]
    assert dict(outcome.warned)["tier:isin"] == 1


def test_the_table_gains_a_column_and_not_the_one_that_says_what_is_gone(shop: Shop) -> None:
    shop.land("customers-1.csv", "1,gold,false", "2,gold,false", header=HEADER)
    shop.run(customers)
    more = type(
        "More",
        (Customer,),
        {"__annotations__": {"note": str}, "note": column(nullable=True), "__doc__": "One."},
        name="bronze.customers",
        version="1.1.0",
        owner="team:shop",
    )
    spec = dataset(more, inputs={"raw": FILES}, write=Merge(deletes="gone"))(_same)
    shop.land("customers-2.csv", "1,gold,true,", "3,gold,false,new", header="id,tier,gone,note")
    shop.run(spec)
    assert shop.table(spec).columns == ["id", "tier", "note"]
    assert _rows(shop, spec) == [(2, "gold", None), (3, "gold", "new")]


def test_changes_give_what_was_taken_out(shop: Shop) -> None:
    path = shop.runtime.lake.table(customers.name).path
    for step in (
        ("1,gold,false", "2,basic,false", "3,gold,false"),
        ("1,gold,true", "4,gold,false"),
        ("4,gold,true", "1,basic,false"),
        "DELETE FROM {} WHERE id = 2",
        "UPDATE {} SET id = 30 WHERE id = 3",
        "OPTIMIZE {}",
        ("30,gold,true", "5,gold,false"),
    ):
        if isinstance(step, str):
            shop.spark.sql(step.format(f"delta.`{path}`"))
        else:
            shop.land("customers.csv", *step, header=HEADER)
            shop.run(customers)
        shop.run(copied)
        assert _rows(shop, copied) == _rows(shop, customers), step
    assert _rows(shop, customers) == [(1, "basic"), (5, "gold")]
    first = shop.run(late)  # a first run of what has changed before
    assert first.lineage
    assert first.lineage.inputs() == {"bronze.customers": frozenset({"id", "tier"})}
    assert _rows(shop, late) == _rows(shop, customers)
    shop.land("customers.csv", "1,gold,true", "6,gold,false", header=HEADER)
    shop.run(customers)
    shop.land("customers.csv", "6,gold,true", "1,gold,false", header=HEADER)
    shop.run(customers)
    shop.run(late)
    assert _rows(shop, late) == _rows(shop, customers) == [(1, "gold"), (5, "gold")]


def test_a_slice_that_is_made_anew_without_a_row_takes_it_out_below(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", "1,ink,1.50,2013-01-05", "2,pen,2.50,2013-01-05")
    shop.land("orders-2013-01-06.csv", "3,cup,3.50,2013-01-06")
    shop.run(orders, DAY)
    shop.run(orders, NEXT)
    shop.run(ordered)
    shop.land("orders-2013-01-05.csv", "2,pen,2.50,2013-01-05", "4,nib,1,2013-01-05")
    shop.run(orders, DAY)
    outcome = shop.run(ordered)
    assert (outcome.rows_removed, outcome.rows_changed) == (1, 1)
    assert _rows(shop, ordered) == [(2, "pen"), (3, "cup"), (4, "nib")]


def test_a_row_that_moved_to_another_slice_is_not_gone(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", "1,ink,1.50,2013-01-05", "2,pen,2.50,2013-01-05")
    shop.land("orders-2013-01-06.csv", "3,cup,3.50,2013-01-06")
    shop.run(orders, DAY)
    shop.run(orders, NEXT)
    shop.run(ordered)
    shop.land("orders-2013-01-06.csv", "3,cup,3.50,2013-01-06", "1,ink,1.50,2013-01-06")
    shop.land("orders-2013-01-05.csv", "2,pen,2.50,2013-01-05")
    # the day that it went to is made first: what came last is that it left the other
    shop.run(orders, NEXT)
    shop.run(orders, DAY)
    outcome = shop.run(ordered)
    assert (outcome.rows_removed, outcome.rows_quarantined) == (0, 0)
    assert _rows(shop, ordered) == [(1, "ink"), (2, "pen"), (3, "cup")]


def test_an_input_whose_past_is_not_known_is_read_from_the_first_change_on(shop: Shop) -> None:
    shop.land("customers.csv", "1,gold,false", "2,gold,false", header=HEADER)
    shop.run(customers)
    shop.run(dataset(Copied, inputs={"old": table(Customer)}, write=Merge())(lambda old: old))
    shop.land("customers.csv", "1,gold,true", header=HEADER)
    shop.run(customers)
    shop.run(copied)
    assert _rows(shop, copied) == [(2, "gold")]
    path = shop.runtime.lake.table(customers.name).path
    shop.spark.sql(f"VACUUM delta.`{path}` RETAIN 1000 HOURS")
    renamed = {"other": changes(Customer, deletes="gone")}
    spec = dataset(Copied, inputs=renamed, write=Merge(deletes="gone"))(lambda other: other)
    with pytest.raises(InputError, match="is not known from the beginning"):
        shop.run(spec)


def test_what_was_taken_out_before_anybody_asked_is_taken_out_when_somebody_does(
    shop: Shop,
) -> None:
    kept = dataset(Copied, inputs={"raw": changes(Customer)}, write=Merge())(lambda raw: raw)
    shop.land("customers.csv", "1,gold,false", "2,gold,false", "3,gold,false", header=HEADER)
    shop.run(customers)
    shop.run(kept)
    shop.land("customers.csv", "1,gold,true", "2,basic,false", header=HEADER)
    shop.run(customers)
    shop.run(kept)
    assert _rows(shop, kept) == [(1, "gold"), (2, "basic"), (3, "gold")]
    assert shop.run(copied).committed
    assert _rows(shop, copied) == [(2, "basic"), (3, "gold")]
    assert not shop.run(copied).committed
    shop.land("customers.csv", "3,gold,true", header=HEADER)
    shop.run(customers)
    shop.run(copied)
    assert _rows(shop, copied) == [(2, "basic")]


def test_what_is_missing_of_a_whole_list_is_gone(shop: Shop) -> None:
    removing, marking = _listed(), _listed(Marked, deletes="gone")
    lines = ["1,gold", "2,basic", "3,gold"]
    shop.land("customers.csv", *lines, header=LIST)
    shop.run(removing)
    shop.run(marking)
    shop.land("customers.csv", *lines[1:], "4,gold", header=LIST)
    outcome = shop.run(removing)
    assert (outcome.rows_in, outcome.rows_changed, outcome.rows_removed) == (3, 1, 1)
    assert _rows(shop, removing) == [(2, "basic"), (3, "gold"), (4, "gold")]
    outcome = shop.run(marking)
    assert (outcome.rows_in, outcome.rows_changed, outcome.rows_removed) == (3, 2, 0)
    assert _rows(shop, marking)[0] == (1, "gold", True)
    # what is marked is not missing once more, and comes back
    shop.land("customers.csv", *lines[1:], "4,basic", header=LIST)
    assert shop.run(marking).rows_changed == 1
    shop.land("customers.csv", *lines, "4,basic", header=LIST)
    assert shop.run(marking).rows_changed == 1
    assert _rows(shop, marking)[0] == (1, "gold", False)


@pytest.mark.parametrize("lines", [(), ("1,gold",)], ids=["empty", "truncated"])
def test_a_list_that_was_cut_empties_no_table(shop: Shop, lines: tuple[str, ...]) -> None:
    spec = _listed()
    shop.land("customers.csv", *(f"{n},gold" for n in range(1, 6)), header=LIST)
    shop.run(spec)
    shop.land("customers.csv", *lines, header=LIST)
    with pytest.raises(ValidationError, match="not in the list that the run was given") as caught:
        shop.run(spec)
    assert "max_missing" in str(caught.value)
    assert (len(_rows(shop, spec)), shop.version(spec)) == (5, 0)
    shop.land("customers.csv", *(f"{n},gold" for n in range(2, 6)), header=LIST)
    assert shop.run(spec).rows_removed == 1


def test_a_row_that_is_set_aside_is_not_missing(shop: Shop) -> None:
    spec = _listed()
    gold = [f"{n},gold" for n in range(1, 8)]
    shop.land("customers.csv", *gold, header=LIST)
    shop.run(spec)
    shop.land("customers.csv", "1,tin", *gold[1:5], "5,basic", "6,gold", header=LIST)
    outcome = shop.run(spec)
    assert shop.reasons(spec) == ["key:unique", "key:unique", "tier:isin"]
    assert (outcome.rows_quarantined, outcome.rows_removed) == (3, 1)
    assert _rows(shop, spec) == [(n, "gold") for n in range(1, 7)]


def test_a_row_that_cannot_be_read_may_be_one_that_is_missing(shop: Shop) -> None:
    spec = _listed()
    shop.land("customers.csv", *(f"{n},gold" for n in range(1, 6)), header=LIST)
    shop.run(spec)
    shop.land("customers.csv", *(f"{n},gold" for n in range(1, 6)), "x,gold", header=LIST)
    assert shop.run(spec).rows_quarantined == 1
    shop.land("customers.csv", *(f"{n},gold" for n in range(2, 6)), "x,gold", header=LIST)
    with pytest.raises(ValidationError, match="or have no key: they may be the same"):
        shop.run(spec)
    assert len(_rows(shop, spec)) == 5


def test_a_row_without_its_key_may_be_one_that_is_missing(shop: Shop) -> None:
    spec = _listed()
    shop.land("customers.csv", *(f"{n},gold" for n in range(1, 6)), header=LIST)
    shop.run(spec)
    shop.land("customers.csv", *(f"{n},gold" for n in range(1, 5)), ",gold", header=LIST)
    with pytest.raises(ValidationError, match="or have no key: they may be the same"):
        shop.run(spec)
    assert len(_rows(shop, spec)) == 5


def test_of_several_lists_the_newest_says_what_there_is(shop: Shop) -> None:
    spec = _listed(share=0.5)
    shop.land("customers-1.csv", "1,gold", "2,gold", header=LIST)
    shop.run(spec)
    shop.land("customers-2.csv", "1,gold", "3,gold", header=LIST)
    shop.land("customers-3.csv", "1,basic", "4,gold", header=LIST)
    outcome = shop.run(spec)
    assert _rows(shop, spec) == [(1, "basic"), (4, "gold")]
    assert [f["name"] for f in outcome.inputs["raw"]["copies"]] == ["orders/customers-2.csv"]
    assert not shop.run(spec).committed
    # one that was written before the newest and comes late says nothing
    late = shop.land("customers-0.csv", "2,gold", header=LIST)
    os.utime(late, (1, 1))
    assert not shop.run(spec).committed or _rows(shop, spec) == [(1, "basic"), (4, "gold")]
    # after another writer the list is held against the table once more; it is not empty
    path = shop.runtime.lake.table(spec.name).path
    shop.spark.sql(f"DELETE FROM delta.`{path}` WHERE id = 4")
    shop.run(spec)
    assert _rows(shop, spec) == [(1, "basic"), (4, "gold")]


def test_a_run_without_a_new_list_finds_nothing_missing(shop: Shop) -> None:
    both: dict[str, Input] = {"raw": landing("orders/customers*.csv"), "more": table(Marked)}
    spec = dataset(Customer, inputs=both, write=Merge(missing="delete", max_missing=1.0))(
        lambda raw, more: raw.join(more.select("id"), "id", "left_anti")
    )
    shop.land("customers-1.csv", "1,gold,false", "9,gold,true", header=HEADER)
    shop.run(marked)
    (shop.path / "landing" / "orders" / "customers-1.csv").unlink()
    shop.land("customers-2.csv", "2,gold", "3,gold", header=LIST)
    shop.run(spec)
    shop.spark.sql(
        f"UPDATE delta.`{shop.runtime.lake.table(marked.name).path}` SET id = 3 WHERE id = 1"
    )
    assert shop.run(spec).rows_removed == 1
    assert _rows(shop, spec) == [(2, "gold")]


def test_versions_end_where_a_list_lacks_them_and_lists_come_in_order(shop: Shop) -> None:
    files = landing("orders/customers*.csv", derived=["valid_to", "is_current"])
    spec = dataset(State, inputs={"raw": files}, write=Scd2(missing="close", max_missing=0.5))(
        _same
    )

    def land(day: int, *keys: int) -> None:
        lines = (f"{key},gold,2013-01-{day:02}" for key in keys)
        shop.land(f"customers-{day}.csv", *lines, header="id,tier,valid_from")

    def found() -> list[tuple[object, ...]]:
        rows = shop.table(spec).selectExpr("id", "day(valid_from)", "day(valid_to)")
        return sorted(tuple(row) for row in rows.collect())

    land(2, 1, 2, 3, 4)
    shop.run(spec)
    land(4, 1, 2, 3)
    land(5, 1, 2, 5)
    shop.run(spec)
    right = [(1, 2, None), (2, 2, None), (3, 2, 5), (4, 2, 4), (5, 5, None)]
    assert found() == right
    land(3, 1, 2, 3, 4)
    with pytest.raises(ValidationError, match="a list came late"):
        shop.run(spec)
    (shop.path / "landing" / "orders" / "customers-3.csv").unlink()
    land(6, 1)
    with pytest.raises(ValidationError, match="2 of the table's 3 rows are not in the list"):
        shop.run(spec)
    assert found() == right
    land(6)
    with pytest.raises(ValidationError, match="3 of the table's 3 rows are not in the list"):
        shop.run(spec)
    land(6, 1)
    shop.land(
        "customers-6b.csv", "1,gold,2013-01-06", "2,gold,2013-01-06", header="id,tier,valid_from"
    )
    shop.run(spec)  # of one moment the newest file has the list
    land(7, 5, 1, 2)
    shop.run(spec)
    assert found() == [*right[:-1], (5, 5, 6), (5, 7, None)]


def test_a_table_is_a_whole_list_too(shop: Shop) -> None:
    spec = dataset(
        Copied, inputs={"raw": table(Customer)}, write=Merge(missing="delete", max_missing=1.0)
    )(_same)
    shop.land("customers.csv", "1,gold,false", "2,gold,false", header=HEADER)
    shop.run(customers)
    shop.run(spec)
    shop.land("customers.csv", "1,gold,true", "2,gold,true", header=HEADER)
    shop.run(customers)
    assert shop.run(spec).rows_removed == 2
    assert _rows(shop, spec) == []


def test_a_key_that_the_table_has_is_not_appended_twice(shop: Shop) -> None:
    spec = _appended()
    shop.land("customers-1.csv", "1,gold", "2,gold", header=LIST)
    shop.run(spec)
    shop.land("customers-2.csv", "2,basic", "3,gold", header=LIST)
    outcome = shop.run(spec)
    assert (outcome.rows_in, outcome.rows_changed, outcome.rows_quarantined) == (2, 1, 1)
    assert shop.reasons(spec) == ["key:in_table"]
    assert _rows(shop, spec) == [(1, "gold"), (2, "gold"), (3, "gold")]
    # bad rows are expected now; the flags are another pass
    shop.land("customers-3.csv", "3,basic", "4,gold", header=LIST)
    assert shop.run(spec).rows_quarantined == 1
    assert len(_rows(shop, spec)) == 4


def test_a_key_that_the_table_has_is_passed_over_where_that_is_said(shop: Shop) -> None:
    spec = _appended(Append(known="skip"))
    shop.land("customers-1.csv", "1,gold", "2,gold", header=LIST)
    shop.run(spec)
    shop.land("customers-2.csv", "2,basic", "3,gold", header=LIST)
    outcome = shop.run(spec)
    assert (outcome.rows_changed, outcome.rows_quarantined) == (1, 0)
    assert _rows(shop, spec) == [(1, "gold"), (2, "gold"), (3, "gold")]


def test_a_key_that_the_table_has_fails_the_run_or_is_counted(shop: Shop) -> None:
    shop.land("customers-1.csv", "1,gold", "2,gold", header=LIST)
    strict, warns = _appended(bad_rows=Fail()), _appended(bad_rows=Warn())
    shop.run(strict)
    shop.land("customers-2.csv", "2,basic", "3,gold", header=LIST)
    with pytest.raises(ValidationError, match="1 of 2 rows") as caught:
        shop.run(strict)
    assert caught.value.found == "key:in_table 1"
    assert dict(shop.run(warns).warned)["key:in_table"] == 1
    assert len(_rows(shop, warns)) == 4


def _appended(write: Append | None = None, **more: object) -> Dataset:
    return dataset(Customer, inputs={"raw": FILES}, write=write or Append(), **more)(_same)  # type: ignore[arg-type]


def test_what_a_reader_needs_is_in_the_contract_alone() -> None:
    assert customers.returned.columns[-1].name == "gone"
    assert marked.returned == model_of(Marked)
