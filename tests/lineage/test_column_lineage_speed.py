"""Large plans: no limit is hit, and processor time grows with the size of the plan only."""

from __future__ import annotations

import time
from functools import reduce
from typing import TYPE_CHECKING

import pyspark.sql.functions as F

from penstock.lineage.plan_lineage import column_lineage, lineage_of_plan, mark
from penstock.lineage.plan_tree import Expression, Node
from tests.lineage.column_lineage_shapes import inputs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def _attribute(number: int, name: str) -> Expression:
    return Expression(kind="attributereference", id=number, name=name)


def test_two_hundred_columns_through_a_hundred_steps_in_two_seconds(spark: SparkSession) -> None:
    schema = ", ".join(f"c{n} int" for n in range(200))
    frame = mark(spark.createDataFrame([], schema), "bronze.wide")
    for step in range(100):
        frame = frame.withColumn(f"c{step}", F.col(f"c{step}") + F.col(f"c{step + 1}"))
    started = time.process_time()
    lineage = column_lineage(frame)
    assert time.process_time() - started < 2
    assert {origin.column for origin in lineage.fields["c7"]} == {"c7", "c8"}
    assert lineage.complete


def test_a_very_deep_expression(spark: SparkSession) -> None:
    columns = [F.col("id"), F.col("distance").cast("long")] * 150
    frame = inputs(spark).flights.select(reduce(lambda a, b: a + b, columns).alias("sum"))
    lineage = column_lineage(frame)
    assert {origin.column for origin in lineage.fields["sum"]} == {"id", "distance"}


def test_depth_is_not_limited_by_the_call_stack() -> None:
    leaf = Node(kind="LocalRelation", output=(_attribute(0, "a"),))
    plan = Node(kind="SubqueryAlias", name="penstock:bronze.x", children=(leaf,))
    for step in range(1, 5_000):
        plus = Expression(kind="add", children=(_attribute(step - 1, "a"),))
        column = Expression(kind="alias", id=step, name="a", children=(plus,))
        plan = Node(kind="Project", children=(plan,), groups={"projectList": (column,)})
    deep = _attribute(4_999, "a")
    for _ in range(20_000):
        deep = Expression(kind="upper", children=(deep,))
    top = Expression(kind="alias", id=9_999, name="z", children=(deep,))
    plan = Node(kind="Project", children=(plan,), groups={"projectList": (top,)})
    (origin,) = lineage_of_plan(plan, ["z"]).fields["z"]
    assert (origin.dataset, origin.column, origin.subtype) == ("bronze.x", "a", "TRANSFORMATION")


def test_structs_built_of_structs_do_not_double_the_work() -> None:
    leaf = Node(kind="LocalRelation", output=(_attribute(0, "a"),))
    plan = Node(kind="SubqueryAlias", name="penstock:bronze.x", children=(leaf,))
    for step in range(1, 200):
        below = _attribute(step - 1, "a")
        named = (Expression(kind="literal", name="l"), below)
        pair = Expression(
            kind="named_struct", children=(*named, Expression(kind="literal", name="r"), below)
        )
        either = Expression(kind="coalesce", children=(pair, pair))
        column = Expression(kind="alias", id=step, name="a", children=(either,))
        plan = Node(kind="Project", children=(plan,), groups={"projectList": (column,)})
    started = time.process_time()
    lineage = lineage_of_plan(plan, ["a"])
    assert time.process_time() - started < 2
    assert {origin.column for origin in lineage.fields["a"]} == {"a"}
