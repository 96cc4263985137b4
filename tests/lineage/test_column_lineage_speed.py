"""Large plans: no limit is hit, and work grows with the size of the plan only.

Work is counted in calls of functions: seconds are not as long on every machine.
"""

from __future__ import annotations

import sys
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import pyspark.sql.functions as F
import pytest

from penstock.lineage.plan.frame_lineage import column_lineage, lineage_of_plan, mark
from penstock.lineage.plan.tree import Expression, Node
from tests.lineage.column_lineage_shapes import inputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.slow


def _attribute(number: int, name: str) -> Expression:
    return Expression(kind="attributereference", id=number, name=name)


def _calls(work: Callable[[], Any]) -> tuple[Any, int]:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        found = work()
    finally:
        sys.setprofile(None)
    return found, calls


def _wide(spark: SparkSession, columns: int, steps: int) -> DataFrame:
    schema = ", ".join(f"c{n} int" for n in range(columns))
    frame = mark(spark.createDataFrame([], schema), "bronze.wide")
    for step in range(steps):
        frame = frame.withColumn(f"c{step}", F.col(f"c{step}") + F.col(f"c{step + 1}"))
    return frame


def test_two_hundred_columns_through_a_hundred_steps_cost_what_they_are(
    spark: SparkSession,
) -> None:
    narrow, short, whole = (_wide(spark, *size) for size in ((100, 99), (200, 50), (200, 100)))
    lineage, many = _calls(partial(column_lineage, whole))
    for half in (narrow, short):
        _, few = _calls(partial(column_lineage, half))
        assert many < 2.2 * few
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


def _nested(steps: int) -> Node:
    leaf = Node(kind="LocalRelation", output=(_attribute(0, "a"),))
    plan = Node(kind="SubqueryAlias", name="penstock:bronze.x", children=(leaf,))
    for step in range(1, steps):
        below = _attribute(step - 1, "a")
        named = (Expression(kind="literal", name="l"), below)
        pair = Expression(
            kind="named_struct", children=(*named, Expression(kind="literal", name="r"), below)
        )
        either = Expression(kind="coalesce", children=(pair, pair))
        column = Expression(kind="alias", id=step, name="a", children=(either,))
        plan = Node(kind="Project", children=(plan,), groups={"projectList": (column,)})
    return plan


def test_structs_built_of_structs_do_not_double_the_work() -> None:
    plans = [_nested(steps) for steps in (10, 20, 200)]
    few, more = (_calls(partial(lineage_of_plan, plan, ["a"]))[1] for plan in plans[:2])
    assert more < 2.2 * few
    lineage = lineage_of_plan(plans[2], ["a"])
    assert {origin.column for origin in lineage.fields["a"]} == {"a"}
