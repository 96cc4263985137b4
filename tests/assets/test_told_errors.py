"""What Spark says of a row reaches nobody: names of conditions do, and what to do next."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from pyspark.sql import functions as F

from penstock import Append, Dataset, Overwrite, Schedule, changes, dataset, landing
from penstock.assets.asset import definitions
from penstock.errors import ClusterError, DefinitionError, GateError, InputError, ValidationError
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from tests.assets.shop import FILES, Copied, Loaded, Logged, Order, Shop, logged, orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

pytestmark = pytest.mark.slow

CANARY = "kanarienvogel"
ONCE = Schedule(max_retries=0)
ROW = f"1,{CANARY},1.50,2013-01-05"


def _same(raw: DataFrame) -> DataFrame:
    return raw


def _raises(raw: DataFrame) -> DataFrame:
    return raw.withColumn("item", F.expr("CAST(raise_error(item) AS string)"))


def _cast(raw: DataFrame) -> DataFrame:
    return raw.withColumn("id", F.expr("CAST(item AS bigint)"))


def _udf(raw: DataFrame) -> DataFrame:
    @F.udf("string")
    def quoting(item: str) -> str:
        raise KeyError(item)

    return raw.withColumn("item", quoting("item"))


def _misleading_udf(raw: DataFrame) -> DataFrame:
    @F.udf("string")
    def no_space(item: str) -> str:
        raise OSError(28, f"No space left on device for {item}")

    return raw.withColumn("item", no_space("item"))


def _own_bug(raw: DataFrame) -> DataFrame:
    raise LookupError(raw.first().item)  # type: ignore[union-attr]


BODIES: dict[str, tuple[Callable[[DataFrame], DataFrame], str]] = {
    "a constraint of the table": (_same, "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"),
    "raise_error": (_raises, "USER_RAISED_EXCEPTION"),
    "a cast": (_cast, "CAST_INVALID_INPUT"),
    "a Python function": (_udf, "an error in a Python function"),
    "a Python function that speaks of disks": (_misleading_udf, "an error in a Python function"),
}


def _appending(body: Callable[[DataFrame], DataFrame]) -> Dataset:
    return dataset(Logged, inputs={"raw": landing(FILES)}, write=Append(), schedule=ONCE)(body)


def _with_constraint(shop: Shop) -> None:
    shop.land("orders-a.csv", "7,pen,1,2013-01-05")
    shop.run(logged)
    path = shop.runtime.lake.table(logged.name).path
    constraint = f"ADD CONSTRAINT known CHECK (item <> '{CANARY}')"
    shop.spark.sql(f"ALTER TABLE delta.`{path}` {constraint}")
    shop.land("orders-b.csv", ROW)


def _materialize(shop: Shop, spec: Dataset) -> tuple[dg.ExecuteInProcessResult, str]:
    """The run, and all that Dagster stored of it."""
    resources = {
        "lake": shop.runtime.lake,
        "ledger": LedgerResource(url=f"sqlite:///{shop.path / 'ledger.db'}"),
        "cluster": LocalCluster(profile=Profile.SMALL, cores=2),
    }
    defs = definitions([spec], resources=resources)
    assets = list(defs.assets or ())
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [a for a in assets if isinstance(a, (dg.AssetsDefinition, dg.AssetSpec))],
            resources=resources,
            instance=instance,
            raise_on_error=False,
        )
        logs = instance.all_logs(done.run_id)
        stored = [e.to_json() for e in logs]  # type: ignore[no-untyped-call]
        return done, "\n".join([*map(repr, logs), *stored])


@pytest.mark.parametrize("case", BODIES, ids=str)
def test_a_value_of_a_row_reaches_no_message_event_or_log(
    shop: Shop, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    body, found = BODIES[case]
    _with_constraint(shop)
    spec = _appending(body)
    with pytest.raises(ValidationError) as caught:
        shop.run(spec)
    assert caught.value.found == found
    assert caught.value.where == spec.name
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    done, stored = _materialize(shop, spec)
    assert not done.success
    assert found in stored
    assert CANARY not in stored
    assert CANARY not in shop.everything_told()
    assert CANARY not in "".join(capfd.readouterr())
    assert shop.table(spec).count() == 1


def test_a_bug_of_the_functions_own_is_told_by_class_and_line(shop: Shop) -> None:
    shop.land("orders-a.csv", ROW)
    spec = _appending(_own_bug)
    with pytest.raises(LookupError):
        shop.run(spec)
    done, stored = _materialize(shop, spec)
    assert not done.success
    line = _own_bug.__code__.co_firstlineno + 1
    assert f"LookupError at {__file__}:{line}" in stored
    assert CANARY not in stored
    assert CANARY not in shop.everything_told()


def test_a_failure_of_the_resources_is_told_by_its_class(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> Any:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(LedgerResource, "open", broken)
    done, stored = _materialize(shop, _appending(_same))
    assert not done.success
    assert "something failed that Penstock does not know" in stored
    assert "RuntimeError" in stored
    assert CANARY not in stored


MISTAKES: dict[str, tuple[Callable[[DataFrame], DataFrame], str, str]] = {
    "a column": (
        lambda raw: raw.select("id", "itm"),
        "`itm` (UNRESOLVED_COLUMN.WITH_SUGGESTION)",
        "did you mean one of `id`, `item`, ",
    ),
    "a column in SQL": (
        lambda raw: raw.selectExpr("id", "upper(prize) AS item"),
        "`prize` (UNRESOLVED_COLUMN.WITH_SUGGESTION)",
        "did you mean one of",
    ),
    "an attribute": (
        lambda raw: raw.select(raw.itm),
        "itm (ATTRIBUTE_NOT_SUPPORTED)",
        "correct the name",
    ),
    "a function": (
        lambda raw: raw.selectExpr("uper(item)"),
        "`uper` (UNRESOLVED_ROUTINE)",
        "correct the name",
    ),
    "a wrong type": (
        lambda raw: raw.selectExpr("date_add(item, map())"),
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        "correct the function",
    ),
    "syntax": (lambda raw: raw.selectExpr("upper(item"), "PARSE_SYNTAX_ERROR", "correct the"),
    "an argument": (lambda raw: raw.limit("x"), "Py4JError", "correct the function"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", MISTAKES, ids=str)
def test_a_mistake_in_the_function_names_its_line(shop: Shop, case: str) -> None:
    body, found, next_step = MISTAKES[case]
    shop.land("orders-a.csv", ROW)
    with pytest.raises(DefinitionError) as caught:
        shop.run(_appending(body))
    where = caught.value.where or ""
    assert where.startswith(f"bronze.logged, {__file__}:{body.__code__.co_firstlineno}")
    assert (caught.value.found or "").startswith(found)
    assert caught.value.next_step.startswith(next_step)
    assert CANARY not in str(caught.value)
    assert shop.states(logged) == ["FAIL"]


def test_a_table_without_a_change_feed_is_told_how_to_get_one(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", ROW)
    shop.run(orders)
    taking = dataset(Copied, inputs={"raw": changes(Order)}, write=Append())(_same)
    shop.run(taking)
    path = shop.runtime.lake.table(orders.name).path
    off = "SET TBLPROPERTIES (delta.enableChangeDataFeed = false)"
    shop.spark.sql(f"ALTER TABLE delta.`{path}` {off}")
    shop.land("orders-2013-01-05.csv", ROW, "2,pen,1,2013-01-05")
    shop.run(orders)
    with pytest.raises(InputError, match="keeps no change feed") as caught:
        shop.run(taking)
    assert "SET TBLPROPERTIES (delta.enableChangeDataFeed = true)" in caught.value.next_step


def test_an_error_of_no_known_kind_is_told_by_spark_s_name_for_it(shop: Shop) -> None:
    shop.land("orders-a.csv", ROW, "2,pen,1,2013-01-05")

    def one_of_many(raw: DataFrame) -> DataFrame:
        return (
            raw.crossJoin(raw.sparkSession.sql("SELECT (SELECT id FROM range(2)) AS n"))
            .drop("n")
            .withColumn("item", F.expr("(SELECT id FROM range(2))").cast("string"))
        )

    with pytest.raises(ClusterError, match="Spark failed at the work") as caught:
        shop.run(_appending(one_of_many))
    assert caught.value.found == "SCALAR_SUBQUERY_TOO_MANY_ROWS"
    assert CANARY not in str(caught.value)


def test_what_spark_says_of_a_table_is_no_raw_error(shop: Shop) -> None:
    shop.land("orders-a.csv", ROW)
    spec = dataset(Loaded, inputs={"raw": landing(FILES)}, write=Overwrite())(_same)
    shop.run(spec)
    path = shop.runtime.lake.table(spec.name).path
    shop.spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES (delta.appendOnly = true)")
    shop.land("orders-a.csv", "2,pen,1,2013-01-05")
    with pytest.raises((GateError, ClusterError)) as caught:
        shop.run(spec)
    assert caught.value.found == "DELTA_CANNOT_MODIFY_APPEND_ONLY"
