"""What external(...) refuses before any table is looked at."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from penstock import Contract, ForeignKey, Warn, column, dataset, external
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Order(Contract, name="crm.orders", version="1.0.0", owner="team:crm"):
    """One order, as others have it."""

    id: int = column(key=True)
    day: date = column()
    sent: date = column(nullable=True)


class Otherwise(Contract, name="crm.more", version="1.0.0", owner="team:crm"):
    """The same table otherwise."""

    id: int = column(key=True)


class Ours(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order."""

    id: int = column(key=True)


class Fresh(
    Contract, name="crm.fresh", version="1.0.0", owner="team:crm", freshness=timedelta(days=1)
):
    """What is promised to be new."""

    id: int = column(key=True)


class Kept(
    Contract, name="crm.kept", version="1.0.0", owner="team:crm", retention=timedelta(days=9)
):
    """What is promised to be deleted."""

    id: int = column(key=True)


class Referring(
    Contract,
    name="crm.lines",
    version="1.0.0",
    owner="team:crm",
    foreign_keys=[ForeignKey("id", "crm.orders")],
):
    """What refers to another table."""

    id: int = column(key=True)


class Warned(Contract, name="crm.warned", version="1.0.0", owner="team:crm"):
    """What only warns."""

    id: int = column(key=True, lt=10, warn=True)


@pytest.mark.parametrize(
    ("place", "said", "told"),
    [
        ((), {}, r"is at a location or in a catalog[\s\S]*found: neither"),
        (("/a",), {"catalog": "a.b"}, "found: both"),
        (("orders",), {}, r"location of an external table is malformed[\s\S]*'orders'"),
        (("gs://bucket/orders",), {}, "is malformed"),
        (("s3://bucket",), {}, "is malformed"),
        ((7,), {}, "is malformed"),
        ((), {"catalog": "orders"}, "not the name of a table in a catalog"),
        ((), {"catalog": "a.b`; DROP"}, "not the name of a table in a catalog"),
        (("/a",), {"slice_by": "dya"}, r"slice_by names a column that is not there[\s\S]*day"),
        (("/a",), {"slice_by": "id"}, "names a column that does not say which slice"),
        (("/a",), {"slice_by": "sent"}, "slice_by names a column that may be NULL"),
        (("/a",), {"time_zone": "Berlin"}, "zone"),
    ],
)
def test_what_says_nothing_is_refused(
    place: tuple[Any, ...], said: dict[str, Any], told: str
) -> None:
    with pytest.raises(DefinitionError, match=told):
        external(Order, *place, **said)


class Referred(
    Contract,
    name="bronze.lines",
    version="1.0.0",
    owner="team:shop",
    foreign_keys=[ForeignKey("id", Order)],
):
    """What refers to the others' table."""

    id: int = column(key=True)


@pytest.mark.parametrize(
    ("contract", "told"),
    [
        (Fresh, "found: freshness"),
        (Kept, "found: retention"),
        (Referring, "found: foreign key"),
        (Warned, "found: rule id:lt, which only warns"),
    ],
)
def test_a_contract_says_nothing_that_nobody_looks_at(contract: type[Contract], told: str) -> None:
    with pytest.raises(DefinitionError, match=rf"says what is not looked at[\s\S]*{told}"):
        external(contract, "/a")


def test_it_fits_the_dataset_that_reads_it() -> None:
    def same(rows: DataFrame) -> DataFrame:
        return rows

    with pytest.raises(DefinitionError, match="read by slice and the dataset has none"):
        dataset(Ours, inputs={"rows": external(Order, "/a", slice_by="day")})(same)
    with pytest.raises(DefinitionError, match=r"and Warn keeps all[\s\S]*crm.orders.id:not_null"):
        dataset(Ours, inputs={"rows": external(Order, "/a")}, bad_rows=Warn())(same)
    with pytest.raises(DefinitionError, match="refers to a table that others write outside"):
        dataset(Referred, inputs={"rows": external(Order, "/a")})(same)
    with pytest.raises(DefinitionError, match="two contracts say what one table holds"):
        dataset(Ours, inputs={"rows": external(Order, "/a"), "more": external(Otherwise, "/a")})(
            lambda rows, more: rows.join(more, "id")
        )
    with pytest.raises(DefinitionError, match="has the contract of the dataset itself"):
        dataset(Order, inputs={"rows": external(Order, "/a")})(same)


def test_the_same_words_are_the_same_definition_and_another_contract_is_another() -> None:
    class Other(Contract, name="crm.orders", version="1.0.1", owner="team:crm"):
        """One order, as others have it now."""

        id: int = column(key=True)

    assert repr(external(Order, "/a/../b/")) == repr(external(Order, "/b"))
    assert repr(external(Order, "/a")) != repr(external(Other, "/a"))
    assert repr(external(Order, catalog="a.b")) != repr(external(Order, catalog="a.c"))
