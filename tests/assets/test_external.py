"""A Delta table that others write: taken at one version, held to its contract, never touched."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal as Exact
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pyarrow as pa
import pyspark.sql.types as T
import pytest
from deltalake import DeltaTable, write_deltalake

from penstock import (
    Contract,
    Decimal,
    Deployment,
    Fail,
    Pii,
    Quarantine,
    ReplaceSlice,
    column,
    dataset,
    external,
    landing,
)
from penstock.assets.inputs.external import PinnedExternal
from penstock.assets.inputs.kind import Held
from penstock.assets.resolve import resolve
from penstock.errors import (
    DefinitionError,
    GateError,
    InputError,
    SourceError,
    ValidationError,
)
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from tests.assets.shop import DAILY, DAY, NEXT, Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspark.sql import DataFrame

    from penstock import Dataset

pytestmark = pytest.mark.slow(seconds=40)


class Address(Contract, name="crm.addresses", version="1.0.0", owner="team:crm"):
    """Where a customer lives."""

    id: int = column(key=True)
    parts: T.ArrayType(T.StringType()) = column(nullable=True)


class Order(Contract, name="crm.orders", version="2.0.0", owner="team:crm", cleared=[Pii.EMAIL]):
    """One order, as the customer system has it."""

    id: int = column(key=True)
    email: str = column(nullable=True, pii=Pii.EMAIL)
    price: Decimal(10, 2) = column(nullable=True, ge=0)
    day: date = column()


class Sold(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order of ours."""

    id: int = column(key=True)
    price: Decimal(10, 2) = column(nullable=True)
    day: date = column()


class Mailed(Contract, name="bronze.mailed", version="1.0.0", owner="team:shop"):
    """Who is written to."""

    id: int = column(key=True)
    mail: str = column(nullable=True)


class Person(Contract, name="crm.people", version="1.0.0", owner="team:crm"):
    """One customer, of whose address the city alone is asked for."""

    id: int = column(key=True)
    address: T.StructType([T.StructField("city", T.StringType())]) = column(nullable=True)


class Stamp(Contract, name="crm.stamps", version="1.0.0", owner="team:crm"):
    """A value of each kind that is read with care."""

    id: int = column(key=True)
    at: datetime = column(nullable=True)
    whole: int = column(nullable=True)
    day: date = column(nullable=True)


class Ruled(
    Contract, name="crm.ruled", version="1.0.0", owner="team:crm", rules={"odd": "no_such(id)"}
):
    """What is held to a rule that there is not."""

    id: int = column(key=True)
    day: date = column()


class Stamped(Contract, name="bronze.stamped", version="1.0.0", owner="team:shop"):
    """The same."""

    id: int = column(key=True)
    at: datetime = column(nullable=True)
    whole: int = column(nullable=True)
    day: date = column(nullable=True)


FIFTH, SIXTH = date(2013, 1, 5), date(2013, 1, 6)
ROWS: list[dict[str, Any]] = [
    {"id": 1, "email": "ann@example.org", "price": Exact("1.50"), "day": FIFTH, "note": "x"},
    {"id": 2, "email": None, "price": None, "day": FIFTH, "note": "y"},
    {"id": 3, "email": "bob@example.org", "price": Exact("3.00"), "day": SIXTH, "note": None},
]
TYPES = {
    "id": pa.int32(),
    "email": pa.string(),
    "price": pa.decimal128(8, 2),
    "day": pa.date32(),
    "note": pa.string(),
}


def plain(orders: DataFrame) -> DataFrame:
    return orders.select("id", "price", "day")


@pytest.fixture
def place(tmp_path: Path) -> str:
    folder = f"{tmp_path}/customer system/orders"
    write(folder, ROWS)
    return folder


def write(
    folder: str,
    rows: Iterable[dict[str, Any]],
    types: dict[str, pa.DataType] | None = None,
    **how: Any,
) -> None:
    """Write as a program does that is not Spark."""
    schema = pa.schema(list((types or TYPES).items()))
    write_deltalake(folder, pa.Table.from_pylist(list(rows), schema), **how)


def sold(place: str, **how: Any) -> Dataset:
    made = dataset(Sold, inputs={"orders": external(Order, place)}, **how)
    return made(plain)


def ids(shop: Shop, spec: Dataset) -> list[int]:
    return sorted(row.id for row in shop.table(spec).collect())


def test_it_is_read_whole_and_again_where_a_row_changed(shop: Shop, place: str) -> None:
    spec = sold(place)
    outcome = shop.run(spec)
    assert outcome.committed
    assert [tuple(row) for row in shop.table(spec).orderBy("id").collect()] == [
        (1, Exact("1.50"), FIFTH),
        (2, None, FIFTH),
        (3, Exact("3.00"), SIXTH),
    ]
    there = DeltaTable(place)
    said = outcome.inputs["orders"]
    assert (said["location"], said["version"]) == (place, 0)
    assert said["table_id"] == str(there.metadata().id)

    there.optimize.compact()
    write(place, [ROWS[0] | {"id": 4}], mode="append")
    assert shop.run(spec).committed
    assert ids(shop, spec) == [1, 2, 3, 4]
    DeltaTable(place).optimize.compact()  # the same rows in other files
    assert DeltaTable(place).version() > 1
    assert not shop.run(spec).committed
    DeltaTable(place).delete("id = 1")
    assert shop.run(spec).committed
    assert ids(shop, spec) == [2, 3, 4]
    told = shop.runtime.ledger.runs(spec.name)
    assert {run.state for run in told} == {"COMPLETE"}


def test_another_column_is_looked_at_though_no_row_changed(shop: Shop, place: str) -> None:
    spec = sold(place)
    shop.run(spec)
    shop.spark.sql(f"ALTER TABLE delta.`{place}` ADD COLUMN more INT")
    assert shop.run(spec).committed
    shop.spark.sql(
        f"ALTER TABLE delta.`{place}` SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"
    )
    assert not shop.run(spec).committed
    shop.spark.sql(f"ALTER TABLE delta.`{place}` RENAME COLUMN price TO amount")
    with pytest.raises(InputError, match=r"lacks columns of its contract[\s\S]*missing price"):
        shop.run(spec)
    shop.spark.sql(f"ALTER TABLE delta.`{place}` RENAME COLUMN amount TO price")
    shop.run(spec)
    assert ids(shop, spec) == [1, 2, 3]


def test_a_row_that_breaks_its_contract_is_set_aside_without_personal_data(
    shop: Shop, place: str
) -> None:
    write(
        place,
        [
            ROWS[0] | {"id": None},
            ROWS[0] | {"id": 5, "price": Exact("-1.00")},
            ROWS[0] | {"id": None, "day": None},
        ],
        mode="append",
    )
    spec = sold(place)
    outcome = shop.run(spec)
    assert (outcome.rows_in, outcome.rows_changed, outcome.rows_quarantined) == (6, 3, 3)
    assert outcome.quarantined_by_rule == {
        "crm.orders.id:not_null": 2,
        "crm.orders.price:ge": 1,
        "crm.orders.day:not_null": 1,
    }
    assert ids(shop, spec) == [1, 2, 3]
    entries = shop.quarantine(spec).collect()
    assert {entry.file for entry in entries} == {"crm.orders"}
    assert '{"id":5,"price":-1.00,"day":"2013-01-05"}' in {entry.row for entry in entries}
    assert "example.org" not in str(entries) + shop.everything_told()
    with pytest.raises(ValidationError, match="3 of 6 rows break the contract"):
        shop.run(sold(place, bad_rows=Fail()))


@pytest.mark.parametrize(
    ("types", "rows", "said"),
    [
        ({"ID": pa.int32()}, {}, r"id is written ID"),
        ({"id": pa.string()}, {}, None),  # text is a number where a cell of a file would be
        ({"id": pa.bool_()}, {"id": True}, r"expected: id bigint[\s\S]*found: id boolean"),
        ({"day": pa.timestamp("us", "UTC")}, {"day": datetime(2013, 1, 5, tzinfo=UTC)}, None),
        ({"price": pa.binary()}, {"price": b"1"}, r"found: price binary"),
    ],
)
def test_columns_are_held_against_the_contract(
    shop: Shop,
    tmp_path: Path,
    types: dict[str, pa.DataType],
    rows: dict[str, Any],
    said: str | None,
) -> None:
    folder = f"{tmp_path}/other"
    wanted = {
        name: kind for name, kind in TYPES.items() if name.lower() not in map(str.lower, types)
    }
    row = {**ROWS[0], "ID": 1, **rows}
    if types.get("id") == pa.string():
        row["id"] = "1"
    write(folder, [row], {**wanted, **types})
    spec = sold(folder)
    if said is None:
        shop.run(spec)
        assert [tuple(row) for row in shop.table(spec).collect()] == [(1, Exact("1.50"), FIFTH)]
        return
    with pytest.raises(InputError, match=said):
        shop.run(spec)
    assert shop.version(spec) is None


def test_each_value_is_the_one_that_is_there_or_set_aside(shop: Shop, tmp_path: Path) -> None:
    folder = f"{tmp_path}/stamps"
    local = datetime(2013, 7, 1, 12)  # noqa: DTZ001 - says no zone
    skipped = datetime(2013, 3, 31, 2, 30)  # noqa: DTZ001 - the clock was put forward
    write(
        folder,
        [
            {"id": 1, "at": local, "whole": 7.0, "day": datetime(2013, 7, 1, tzinfo=UTC)},
            {"id": 2, "at": skipped, "whole": 7.0, "day": None},
            {"id": 3, "at": None, "whole": 7.5, "day": None},
            {"id": 4, "at": None, "whole": None, "day": datetime(2013, 7, 1, 1, tzinfo=UTC)},
        ],
        {
            "id": pa.int64(),
            "at": pa.timestamp("us"),
            "whole": pa.float64(),
            "day": pa.timestamp("us", "UTC"),
        },
    )
    stamps = external(Stamp, folder, time_zone="Europe/Berlin")
    spec = dataset(Stamped, inputs={"stamps": stamps}, bad_rows=Quarantine(max_fraction=None))(
        lambda stamps: stamps
    )
    shop.run(spec)
    (row,) = shop.table(spec).selectExpr("id", "CAST(at AS string)", "whole", "day").collect()
    assert tuple(row) == (1, "2013-07-01 10:00:00", 7, date(2013, 7, 1))
    assert shop.reasons(spec) == [
        "crm.stamps.at:type",
        "crm.stamps.day:type",
        "crm.stamps.whole:type",
    ]


def test_a_part_that_nobody_asked_for_is_left_out_and_one_that_lacks_is_told(
    shop: Shop, tmp_path: Path
) -> None:
    folder = f"{tmp_path}/addresses"
    kinds = {"id": pa.int64(), "parts": pa.list_(pa.int32())}
    write(folder, [{"id": 1, "parts": [1, 2]}], kinds)
    spec = dataset(Mailed, inputs={"rows": external(Address, folder)})(
        lambda rows: rows.selectExpr("id", "parts[0] AS mail")
    )
    with pytest.raises(InputError, match=r"expected: parts.element string[\s\S]*int"):
        shop.run(spec)
    write(
        folder,
        [{"id": 1, "parts": ["a"]}],
        {"id": pa.int64(), "parts": pa.list_(pa.string())},
        mode="overwrite",
        schema_mode="overwrite",
    )
    shop.run(spec)
    assert [tuple(row) for row in shop.table(spec).collect()] == [(1, "a")]


def test_parts_that_nobody_asked_for_are_not_set_aside_either(shop: Shop, tmp_path: Path) -> None:
    folder = f"{tmp_path}/people"
    address = pa.struct({"city": pa.string(), "phone": pa.string()})
    here = {"city": "Ulm", "phone": "0731"}
    write(
        folder,
        [{"id": 1, "address": here}, {"id": None, "address": here}],
        {"id": pa.int64(), "address": address},
    )
    spec = dataset(Mailed, inputs={"rows": external(Person, folder)})(
        lambda rows: rows.selectExpr("id", "address.city AS mail")
    )
    shop.run(spec)
    assert [tuple(row) for row in shop.table(spec).collect()] == [(1, "Ulm")]
    (entry,) = shop.quarantine(spec).collect()
    assert entry.row == '{"id":null,"address":{"city":"Ulm"}}'


def test_another_table_of_the_same_id_and_version_is_another_content(
    shop: Shop, place: str
) -> None:
    spec = sold(place)
    write(place, [ROWS[0] | {"id": 4}], mode="append")
    shutil.copytree(place, f"{place} of yesterday")
    write(place, [ROWS[0] | {"id": 5}], mode="append")
    shop.run(spec)
    shutil.rmtree(place)
    shutil.move(f"{place} of yesterday", place)
    write(place, [ROWS[0] | {"id": 6}], mode="append")
    assert shop.run(spec).committed
    assert ids(shop, spec) == [1, 2, 3, 4, 6]


def test_upkeep_whose_log_forgets_the_last_change_of_rows_changes_nothing(
    shop: Shop, place: str
) -> None:
    write(place, [ROWS[0] | {"id": 4}], mode="append")
    spec = sold(place)
    taken = shop.run(spec).inputs["orders"]["version"]
    DeltaTable(place).optimize.compact()
    for note in range(2):
        shop.spark.sql(f"ALTER TABLE delta.`{place}` SET TBLPROPERTIES ('note' = '{note}')")
        DeltaTable(place).create_checkpoint()
        for file in Path(place, "_delta_log").glob("*.json"):
            if int(file.stem) <= taken:
                file.unlink()
        assert not shop.run(spec).committed
    write(place, [ROWS[0] | {"id": 5}], mode="append")
    assert shop.run(spec).committed
    assert ids(shop, spec) == [1, 2, 3, 4, 5]
    # now nobody knows whether a row changed since it was taken
    DeltaTable(place).optimize.compact(target_size=2**30)
    newest = DeltaTable(place).version()
    shop.spark.sql(f"ALTER TABLE delta.`{place}` SET TBLPROPERTIES ('note' = 'last')")
    DeltaTable(place).create_checkpoint()
    for file in Path(place, "_delta_log").glob("*.json"):
        if int(file.stem) <= newest:
            file.unlink()
    assert shop.run(spec).committed
    assert not shop.run(spec).committed
    assert ids(shop, spec) == [1, 2, 3, 4, 5]


def test_files_that_its_owner_takes_away_while_they_are_read_fail_the_run(
    shop: Shop, place: str
) -> None:
    spec = sold(place)

    def vacuumed(step: str) -> None:
        if step == "started":
            DeltaTable(place).delete("id = 1")
            DeltaTable(place).vacuum(0, dry_run=False, enforce_retention_duration=False)

    with pytest.raises(SourceError, match="files of the table that input orders reads are gone"):
        shop.run(spec, on_step=vacuumed)
    shop.run(spec)
    assert ids(shop, spec) == [2, 3]


def test_two_inputs_of_one_table_are_of_one_version(shop: Shop, place: str) -> None:
    spec = dataset(
        Sold,
        inputs={"days": external(Order, place, slice_by="day"), "orders": external(Order, place)},
        partitions=DAILY,
    )(
        lambda days, orders: orders.join(days.select("day").distinct(), "day").select(
            "id", "price", "day"
        )
    )
    shop.run(spec, DAY)
    assert ids(shop, spec) == [1, 2]
    with Held() as held:
        one, other = resolve(spec, DAY, shop.runtime, held, shop.spark).inputs
    assert isinstance(one, PinnedExternal)
    assert isinstance(other, PinnedExternal)
    assert one.log is other.log


def test_a_rule_that_spark_cannot_compute_is_told_with_its_contract(shop: Shop, place: str) -> None:
    spec = dataset(Stamped, inputs={"rows": external(Ruled, place)})(
        lambda rows: rows.selectExpr("id", "NULL AS at", "NULL AS whole", "day")
    )
    with pytest.raises(
        InputError, match=r"crm.ruled.rule:odd: a rule of the table's contract cannot"
    ):
        shop.run(spec)


def test_of_a_slice_only_its_rows_are_read_and_one_of_no_slice_is_refused(
    shop: Shop, place: str
) -> None:
    by_day = external(Order, place, slice_by="day")
    spec = dataset(Sold, inputs={"orders": by_day}, partitions=DAILY, write=ReplaceSlice())(plain)
    assert shop.run(spec, DAY).rows_changed == 2
    assert shop.run(spec, NEXT).rows_changed == 1
    assert ids(shop, spec) == [1, 2, 3]
    write(place, [ROWS[0] | {"id": 9, "day": None}], mode="append")
    with pytest.raises(InputError, match="rows are of no slice, and no run would read them"):
        shop.run(spec, DAY)
    shutil.rmtree(place)
    write(place, [ROWS[0] | {"day": "2013-01-05"}], {**TYPES, "day": pa.string()})
    with pytest.raises(InputError, match=r"slice by is of another type[\s\S]*found: string"):
        shop.run(spec, DAY)


def test_a_table_made_anew_while_it_is_read_is_not_taken_for_the_old_one(
    shop: Shop, place: str
) -> None:
    spec = sold(place)

    def anew(step: str) -> None:
        if step == "resolved":
            shutil.rmtree(place)
            write(place, [ROWS[0] | {"id": 8}])

    with pytest.raises(InputError, match="made anew while it was being read"):
        shop.run(spec, on_step=anew)
    assert shop.version(spec) is None
    shop.run(spec)
    assert ids(shop, spec) == [8]


class Killed(BaseException):
    """Stands for a signal."""


def test_killed_at_any_step_and_changed_meanwhile_it_ends_as_the_table_is(
    shop: Shop, place: str
) -> None:
    spec = sold(place)
    killed = 0
    while True:
        write(place, [ROWS[0] | {"id": 10 + killed}], mode="append")
        try:
            shop.run(spec, on_step=_killing(killed))
        except Killed:
            killed += 1
        else:
            break
        if killed % 2:
            DeltaTable(place).delete(f"id = {9 + killed}")
            shop.run(spec)
            assert ids(shop, spec) == sorted(row["id"] for row in _there(place))
    assert killed > 5
    assert ids(shop, spec) == sorted(row["id"] for row in _there(place))
    assert not shop.run(spec).committed


def _killing(number: int) -> Callable[[str], None]:
    left = [number]

    def on_step(_: str) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1

    return on_step


def _there(place: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = DeltaTable(place).to_pyarrow_table().to_pylist()
    return rows


def test_a_place_where_no_table_can_be_read_is_told(shop: Shop, place: str) -> None:
    nowhere = sold(f"{place}/../nowhere")
    with pytest.raises(InputError, match=r"nowhere: there is no Delta table"):
        shop.run(nowhere)
    inside = sold(f"{place}/../../lake/bronze/other")
    with pytest.raises(InputError, match=r"lies in the lake[\s\S]*by its name"):
        shop.run(inside)
    with pytest.raises(InputError, match="has no client for it"):
        shop.run(sold("s3://bucket/orders"))
    with pytest.raises(DefinitionError, match="read differently"):
        shop.run(sold(f"{place}/#1"))
    shop.run(sold(place))
    assert shop.version(sold(place)) is not None


def test_a_table_of_the_sessions_catalog_is_read_where_it_lies(
    shop: Shop, place: str, tmp_path: Path
) -> None:
    sql = shop.spark.sql
    spec = dataset(Sold, inputs={"orders": external(Order, catalog="crm.orders")})(plain)
    with pytest.raises(InputError, match=r"crm.orders: the session's catalog has no such table"):
        shop.run(spec)
    sql(f"CREATE DATABASE crm LOCATION '{tmp_path}/crm'")
    try:
        sql("CREATE VIEW crm.orders AS SELECT 1 AS id")
        with pytest.raises(InputError, match=r"has no such table|is no Delta table"):
            shop.run(spec)
        sql("DROP VIEW crm.orders")
        sql(f"CREATE TABLE crm.orders (id INT) USING parquet LOCATION '{tmp_path}/parquet'")
        with pytest.raises(InputError, match=r"is no Delta table[\s\S]*parquet"):
            shop.run(spec)
        sql("DROP TABLE crm.orders")
        sql(f"CREATE TABLE crm.orders USING delta LOCATION '{place}'")
        outcome = shop.run(spec)
        assert outcome.inputs["orders"]["location"] == place
        assert ids(shop, spec) == [1, 2, 3]
        assert not shop.run(spec).committed
    finally:
        sql("DROP DATABASE crm CASCADE")


def test_personal_data_of_it_does_not_reach_who_is_not_cleared(shop: Shop, place: str) -> None:
    spec = dataset(Mailed, inputs={"orders": external(Order, place)})(
        lambda orders: orders.selectExpr("id", "email AS mail")
    )
    with pytest.raises(GateError, match=r"email would be written in clear[\s\S]*crm.orders.email"):
        shop.run(spec)
    assert shop.version(spec) is None


def test_lineage_knows_where_it_lies_its_version_and_its_columns(shop: Shop, place: str) -> None:
    spec = sold(place)
    shop.run(spec)
    (event,) = [
        e.payload for e in shop.runtime.ledger.events() if e.payload["eventType"] == "COMPLETE"
    ]
    (read,) = event["inputs"]
    assert (read["namespace"], read["name"]) == ("file", place)
    assert read["facets"]["version"]["datasetVersion"] == "0"
    fields = {field["name"]: field["type"] for field in read["facets"]["schema"]["fields"]}
    assert fields == {"id": "bigint", "email": "string", "price": "decimal(10,2)", "day": "date"}
    (source,) = event["outputs"][0]["facets"]["columnLineage"]["fields"]["price"]["inputFields"]
    assert (source["name"], source["field"]) == (place, "price")


def test_dagster_shows_it_as_a_source(shop: Shop, place: str) -> None:
    spec = sold(place)
    resources: dict[str, Any] = {
        "lake": shop.runtime.lake,
        "ledger": LedgerResource(url=f"sqlite:///{shop.path}/ledger.db"),
        "cluster": LocalCluster(name="cluster", profile=Profile.SMALL, cores=2),
    }
    found = Deployment(datasets=(spec,), resources=resources).definitions(automation=None)
    (source,) = [a for a in found.assets or () if isinstance(a, dg.AssetSpec)]
    assert source.key == dg.AssetKey(["crm", "orders"])
    assert place in (source.description or "")
    assert found.get_implicit_global_asset_job_def().execute_in_process().success
    assert ids(shop, spec) == [1, 2, 3]

    class Made(Contract, name="crm.orders", version="1.0.0", owner="team:crm"):
        """Ours, of the same name."""

        id: int = column(key=True)

    ours = dataset(Made, inputs={"raw": landing("a/*.csv")})(lambda raw: raw)
    with pytest.raises(DefinitionError, match="has the name of one that others write elsewhere"):
        Deployment(datasets=(spec, ours), resources=resources)
    mailed = dataset(Mailed, inputs={"orders": external(Order, f"{place}2")})(
        lambda orders: orders.selectExpr("id", "'x' AS mail")
    )
    with pytest.raises(DefinitionError, match=r"two tables that others write have one name"):
        Deployment(datasets=(spec, mailed), resources=resources)
