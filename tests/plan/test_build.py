"""A plan of a small deployment: what changes, who breaks, and what a run would refuse."""

from __future__ import annotations

import types
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from penstock import (
    Append,
    Contract,
    Daily,
    Decimal,
    ForeignKey,
    Merge,
    Pii,
    Scd2,
    Slice,
    changes,
    column,
    dataset,
    external,
    landing,
    query,
    table,
    topic,
)
from penstock.plan import Standing, build_plan
from penstock.plan.words import markdown, summary
from penstock.privacy import MaskingPolicy, Token
from penstock.schemas.contract import model_of
from penstock.schemas.evolution import Verdict
from penstock.schemas.model import ColumnModel

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset
    from penstock.plan import DatasetPlan, Plan
    from penstock.schemas.model import ContractModel

pytestmark = pytest.mark.slow(seconds=20)

DAYS = Daily(column="day", start=date(2013, 1, 1))


class Sale(Contract, name="bronze.sale", version="1.0.0", owner="team:shop", cleared={Pii.EMAIL}):
    """One sale."""

    id: int = column(key=True)
    day: date = column()
    fare: Decimal(10, 2) = column(ge=0)
    email: str = column(pii=Pii.EMAIL)
    note: str = column(nullable=True)


class Day(Contract, name="silver.day", version="1.0.0", owner="team:shop"):
    """The turnover of a day."""

    day: date = column(key=True)
    turnover: Decimal(20, 2) = column()


class Month(Contract, name="gold.month", version="1.0.0", owner="team:shop"):
    """The turnover of a month."""

    month: date = column(key=True)
    turnover: Decimal(30, 2) = column(nullable=True)


@dataset(Sale, inputs={"raw": landing("sales-{day}.csv")}, partitions=DAYS)
def sale(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Day, inputs={"sales": table(Sale, slice_by="day")}, partitions=DAYS)
def day(sales: DataFrame, run: Slice) -> DataFrame:
    assert run.start
    return sales.groupBy("day").agg(F.sum("fare").cast("decimal(20,2)").alias("turnover"))


@dataset(Month, inputs={"days": Day})
def month(days: DataFrame) -> DataFrame:
    by = F.trunc("day", "month").alias("month")
    return days.groupBy(by).agg(F.sum("turnover").cast("decimal(30,2)").alias("turnover"))


ALL = (sale, day, month)
REGISTERED = {spec.name: spec.model for spec in ALL}


def planned(
    spark: SparkSession,
    *specs: Dataset,
    live: dict[str, dict[str, str] | None] | None = None,
    **before: ContractModel,
) -> Plan:
    """The plan of the datasets; `before` are contracts as registered, `bronze__sale`."""
    named = {name.replace("__", "."): model for name, model in before.items()}
    standing = Standing(contracts={**REGISTERED, **named}, tables=live or {})
    return build_plan(specs or ALL, spark, standing)


def one(plan: Plan, name: str) -> DatasetPlan:
    (found,) = [each for each in plan.datasets if each.dataset == name]
    return found


def was(spec: Dataset, *more: ColumnModel, **otherwise: dict[str, Any]) -> ContractModel:
    """The dataset's contract with columns as they were before."""
    model = spec.model
    columns = [replace(c, **otherwise.get(c.name, {})) for c in model.columns]
    return replace(model, columns=(*columns, *more))


def anew(spec: Dataset, **facts: Any) -> Dataset:
    """The dataset with another version of its contract, and what else is said of it."""
    body = {"__doc__": "Anew.", "__module__": __name__, "__annotations__": {}}
    base: Any = spec.contract
    model = spec.model
    said = {
        "name": model.name,
        "version": "2.0.0",
        "owner": model.owner,
        "cleared": model.cleared,
    } | facts
    contract = types.new_class("Anew", (base,), said, lambda space: space.update(body))
    return replace(spec, contract=contract)


def test_what_is_as_it_was_says_nothing(spark: SparkSession) -> None:
    plan = planned(spark)
    assert plan.verdict is Verdict.FINE
    assert [each.says_something for each in plan.datasets] == [False] * 3
    assert summary(plan) == "3 datasets: 3 as before"
    new = build_plan(ALL, spark, Standing())
    assert new.verdict is Verdict.FINE
    assert summary(new) == "3 datasets: 3 new"


def test_a_column_that_somebody_reads_is_told_with_all_who_do(spark: SparkSession) -> None:
    plan = planned(spark, bronze__sale=was(sale, fare={"unit": "cent"}))
    # which the version does not say
    assert plan.verdict is Verdict.BLOCKED
    (judged,) = one(plan, "bronze.sale").judgements
    assert judged.verdict is Verdict.AGREED
    assert [(r.depth, r.dataset, r.column) for r in judged.readers] == [
        (1, "silver.day", "turnover"),
        (2, "gold.month", "turnover"),
    ]
    (wrong,) = one(plan, "bronze.sale").problems
    assert wrong.found == "this is a major change: version 2.0.0 after 1.0.0 at least, not 1.0.0"


def test_a_column_that_nobody_reads_is_not(spark: SparkSession) -> None:
    plan = planned(spark, bronze__sale=was(sale, note={"nullable": False}))
    (judged,) = one(plan, "bronze.sale").judgements
    assert (judged.verdict, judged.readers) == (Verdict.FINE, ())


def test_a_function_that_still_asks_for_what_is_gone_is_told(spark: SparkSession) -> None:
    gone = ColumnModel(name="tax", type="int")

    @dataset(Day, inputs={"sales": table(Sale, slice_by="day")}, partitions=DAYS)
    def taxed(sales: DataFrame) -> DataFrame:
        made = sales.groupBy("day").agg(F.sum(F.col("fare") + F.col("tax")).alias("turnover"))
        return made.withColumn("turnover", F.col("turnover").cast("decimal(20,2)"))

    plan = planned(spark, sale, taxed, month, bronze__sale=was(sale, gone))
    (judged,) = one(plan, "bronze.sale").judgements
    assert judged.verdict is Verdict.BLOCKED
    assert [(r.depth, r.dataset) for r in judged.readers] == [(1, "silver.day"), (2, "gold.month")]
    (wrong,) = one(plan, "silver.day").problems
    assert "names a column that is not there" in wrong.what
    # who reads all columns and keeps those of its contract asks for none that is gone
    plan = planned(spark, bronze__sale=was(sale, gone))
    (judged,) = one(plan, "bronze.sale").judgements
    assert judged.readers == ()
    assert not one(plan, "silver.day").problems


def test_what_a_function_returns_is_held_against_its_contract(spark: SparkSession) -> None:
    @dataset(Day, inputs={"sales": table(Sale, slice_by="day")}, partitions=DAYS)
    def wide(sales: DataFrame) -> DataFrame:
        return sales.groupBy("day").agg(F.sum("fare").cast("double").alias("turnover"))

    plan = planned(spark, sale, wide, month)
    (wrong,) = one(plan, "silver.day").problems
    assert wrong.found == "turnover: expected decimal(20,2), found double"
    assert plan.verdict is Verdict.BLOCKED


def test_personal_data_that_would_arrive_in_clear_blocks(spark: SparkSession) -> None:
    class Written(Contract, name="gold.written", version="1.0.0", owner="team:shop"):
        """Who wrote."""

        id: int = column(key=True)
        who: str = column()

    @dataset(Written, inputs={"sales": Sale})
    def written(sales: DataFrame) -> DataFrame:
        return sales.select("id", F.lower("email").alias("who"))

    plan = planned(spark, sale, written)
    (wrong,) = one(plan, "gold.written").problems
    assert wrong.what.startswith("email would be written in clear")
    assert "bronze.sale.email" in (wrong.found or "")
    masked = replace(written, masking=MaskingPolicy.of({"who": Token(domain="who")}))
    assert not one(planned(spark, sale, masked), "gold.written").problems
    # and the class is given to a column from which it is already made
    unclassed = planned(spark, sale, written, bronze__sale=was(sale, email={"pii": None}))
    (judged,) = one(unclassed, "bronze.sale").judgements
    assert [r.dataset for r in judged.readers] == ["gold.written"]


def test_each_kind_of_input_has_its_columns(spark: SparkSession) -> None:
    class Other(Contract, name="other.rates", version="1.0.0", owner="team:shop"):
        """One rate."""

        day: date = column(key=True)
        rate: float = column()

    class Kept(Contract, name="silver.kept", version="1.0.0", owner="team:shop"):
        """One sale, and when it was."""

        id: int = column(key=True)
        fare: Decimal(10, 2) = column(nullable=True)
        valid_from: date = column()
        valid_to: date = column(nullable=True)
        is_current: bool = column()

    @dataset(Kept, inputs={"said": changes(Sale, valid_from="day")}, write=Scd2())
    def kept(said: DataFrame) -> DataFrame:
        return said.select("id", "fare", F.col("day").alias("valid_from"))

    plain: Any = {"derived": ["note"]}
    reads: list[Any] = [
        query("public.sale", database="shop", **plain),
        topic("sale", broker="events", **plain),
        landing("sale.csv", **plain),
    ]
    for read in reads:
        write = Append() if read is reads[1] else None
        made = dataset(Sale, inputs={"raw": read}, write=write)(
            lambda raw: raw.withColumn("note", F.lit("a"))
        )
        assert not one(planned(spark, made), "bronze.sale").problems
    gone = changes(Sale, deletes="gone")
    merged = dataset(Sale, inputs={"raw": gone}, write=Merge(deletes="gone"))(lambda raw: raw)
    assert not one(planned(spark, merged), "bronze.sale").problems
    assert not one(planned(spark, sale, kept), "silver.kept").problems
    rated = dataset(Day, inputs={"sales": Sale, "rates": external(Other, location="/elsewhere")})(
        lambda sales, rates: (
            sales.join(rates, "day")
            .groupBy("day")
            .agg(F.sum(F.col("fare") * F.col("rate")).cast("decimal(20,2)").alias("turnover"))
        )
    )
    assert not one(planned(spark, sale, rated), "silver.day").problems


def test_a_function_that_nobody_can_follow_may_read_all(spark: SparkSession) -> None:
    @dataset(Month, inputs={"days": Day})
    def asks(days: DataFrame) -> DataFrame:
        first = days.first()
        assert first is not None  # there are no rows
        return days

    before = was(day, turnover={"unit": "euro"})
    plan = planned(spark, sale, day, asks, silver__day=before)
    assert one(plan, "gold.month").unknown == (
        "the function, called on frames without rows, fails: AssertionError"
    )
    (judged,) = one(plan, "silver.day").judgements
    assert [(r.dataset, r.unknown) for r in judged.readers] == [("gold.month", True)]
    assert judged.verdict is Verdict.AGREED
    # of a table that nobody knows nothing can be tried
    stranger = dataset(Day, inputs={"sales": "other.sale"})(lambda sales: sales)
    unknown = one(planned(spark, stranger), "silver.day").unknown
    assert unknown == "input sales: nobody says which columns other.sale has"
    live: Any = {"other.sale": {"day": "date", "turnover": "decimal(20,2)"}}
    assert one(planned(spark, stranger, live=live), "silver.day").unknown is None


def test_a_table_that_is_not_as_its_contract_blocks(spark: SparkSession) -> None:
    columns = {c.name: c.type for c in model_of(Day).columns}
    assert planned(spark, live={"silver.day": columns}).verdict is Verdict.FINE
    drifted = planned(spark, live={"silver.day": {**columns, "turnover": "double", "more": "int"}})
    said = [str(each.operation) for each in one(drifted, "silver.day").judgements]
    assert said[0].startswith("turnover: old double, new decimal(20,2). ")
    assert said[1].startswith("more: int is gone. ")
    assert drifted.verdict is Verdict.BLOCKED
    # what the register says too is said once
    both = planned(
        spark,
        live={"silver.day": {**columns, "more": "int"}},
        silver__day=was(day, ColumnModel(name="more", type="int")),
    )
    assert len(one(both, "silver.day").judgements) == 1


def test_a_version_that_says_what_changes_is_no_problem(spark: SparkSession) -> None:
    plan = planned(spark, anew(sale), day, month)
    found = one(plan, "bronze.sale")
    assert (found.before, found.version, found.problems) == ("1.0.0", "2.0.0", ())
    assert [str(each.operation) for each in found.judgements] == ["described otherwise"]
    below = planned(spark, anew(sale, version="0.9.0"), day, month)
    (wrong,) = one(below, "bronze.sale").problems
    assert wrong.next_step == 'write version="1.0.1" in the contract'


def test_the_report_is_markdown_that_nothing_in_it_can_break(spark: SparkSession) -> None:
    evil = replace(sale.model, owner="team:<b>|`x` @all", version="0.1.0", description="# no")
    report = markdown(planned(spark, bronze__sale=evil, silver__day=was(day, day={"unit": "d"})))
    assert report.startswith("## ⛔ penstock plan: blocked\n\n3 datasets: ")
    assert "- **fine**: ``owner: team:<b>|`x` @all before, team:shop now``\n" in report
    assert "  - `read by gold.month (month, which rows)`\n" in report
    assert report.count("\n### ") == 2


def test_what_is_read_beside_the_function_is_read(spark: SparkSession) -> None:
    class Refund(
        Contract,
        name="silver.refund",
        version="1.0.0",
        owner="team:shop",
        foreign_keys=(ForeignKey("sale", Sale, "id"),),
    ):
        """One refund."""

        sale: int = column(key=True)
        day: date = column()

    @dataset(Refund, inputs={"sales": table(Sale, slice_by="day")}, partitions=DAYS)
    def refund(sales: DataFrame) -> DataFrame:
        today = F.to_date(F.lit("2013-01-05")).alias("day")
        return sales.select(F.lit(1).cast("bigint").alias("sale"), today)

    before = was(sale, day={"unit": "day"}, id={"unit": "row"}, note={"unit": "word"})
    judged = one(planned(spark, sale, refund, bronze__sale=before), "bronze.sale").judgements
    assert {each.operation.path: [r.dataset for r in each.readers] for each in judged} == {
        "id": ["silver.refund"],
        "day": ["silver.refund"],
        "note": [],
    }


def test_who_counts_rows_alone_is_a_reader_of_the_dataset(spark: SparkSession) -> None:
    class Count(Contract, name="gold.count", version="1.0.0", owner="team:shop"):
        """How many there are."""

        rows: int = column()

    counted = dataset(Count, inputs={"sales": Sale})(
        lambda sales: sales.agg(F.count("*").alias("rows"))
    )
    before = replace(sale.model, freshness=timedelta(days=1))
    (judged,) = one(planned(spark, sale, counted, bronze__sale=before), "bronze.sale").judgements
    assert [(r.dataset, r.column) for r in judged.readers] == [("gold.count", "which rows")]
    assert judged.verdict is Verdict.AGREED


def test_a_function_that_fails_whatever_rows_there_are_blocks(spark: SparkSession) -> None:
    @dataset(Month, inputs={"days": Day})
    def misspelled(days: DataFrame) -> DataFrame:
        return days.groupBy(dayz).count()  # type: ignore[name-defined]  # noqa: F821

    @dataset(Month, inputs={"days": Day})
    def wrong(days: DataFrame) -> DataFrame:
        return days.withColumn("month", 3)  # type: ignore[arg-type]

    for spec in (misspelled, wrong):
        (told,) = one(planned(spark, sale, day, spec), "gold.month").problems
        assert told.where
        assert "test_build.py" in f"{told.where} {told.found}"


def test_a_function_that_asks_for_rows_is_not_known_and_to_be_agreed(spark: SparkSession) -> None:
    @dataset(Month, inputs={"days": Day})
    def turned(days: DataFrame) -> DataFrame:
        by = days.groupBy(F.trunc("day", "month").alias("month")).pivot("day")
        return by.agg(F.sum("turnover").alias("turnover"))

    plan = planned(spark, sale, day, turned)
    found = one(plan, "gold.month")
    assert found.unknown == (
        "the function, called on frames without rows, returns other columns than its contract"
    )
    assert (found.verdict, plan.verdict) == (Verdict.AGREED, Verdict.AGREED)
    # nor is it fine because something else of it is
    before = replace(month.model, owner="team:other", version="0.9.0")
    told = one(planned(spark, sale, day, turned, gold__month=before), "gold.month")
    assert [each.verdict for each in told.judgements] == [Verdict.FINE]
    assert told.verdict is Verdict.AGREED


def test_an_aggregate_called_as_a_look_at_rows_is_none(spark: SparkSession) -> None:
    @dataset(Month, inputs={"days": Day})
    def first(days: DataFrame) -> DataFrame:
        by = days.groupBy(F.trunc("day", "month").alias("month"))
        return by.agg(F.first("turnover").alias("total"), F.count("day").alias("days"))

    assert one(planned(spark, sale, day, first), "gold.month").problems


def test_a_leak_is_one_also_in_a_function_that_asks_for_rows(spark: SparkSession) -> None:
    class Written(Contract, name="gold.written", version="1.0.0", owner="team:shop"):
        """Who wrote."""

        who: str = column()

    @dataset(Written, inputs={"sales": Sale})
    def written(sales: DataFrame) -> DataFrame:
        sales.collect()
        return sales.select(F.lower("email").alias("who"))

    (wrong,) = one(planned(spark, sale, written), "gold.written").problems
    assert wrong.what.startswith("email would be written in clear")


def test_a_table_that_could_not_be_looked_at_is_to_be_agreed(spark: SparkSession) -> None:
    plan = build_plan(ALL, spark, Standing(contracts=REGISTERED, unseen=("no lake",)))
    assert plan.verdict is Verdict.AGREED
    assert "- **to be agreed**: `no lake`" in markdown(plan)
    assert plan.document()["unseen"] == ["no lake"]


def test_without_a_table_a_run_refuses_nothing(spark: SparkSession) -> None:
    before = was(sale, ColumnModel(name="tax", type="int"))
    plan = planned(spark, live={"bronze.sale": None}, bronze__sale=before)
    (judged,) = one(plan, "bronze.sale").judgements
    assert judged.verdict is Verdict.FINE
    (judged,) = one(planned(spark, bronze__sale=before), "bronze.sale").judgements
    assert judged.verdict is Verdict.BLOCKED


def test_a_table_that_lacks_what_was_registered_asks_for_no_other_version(
    spark: SparkSession,
) -> None:
    # the run that registered the contract did not come to its commit
    columns = {c.name: c.type for c in sale.model.columns if c.name != "note"}
    found = one(planned(spark, live={"bronze.sale": columns}), "bronze.sale")
    assert [str(each.operation) for each in found.judgements] == ["note: new column string"]
    assert found.problems == ()
