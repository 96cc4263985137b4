"""A literal is never taken for a part of the plan, whatever it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyspark.sql.functions as F
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.lineage.plan.frame_lineage import column_lineage
from tests.lineage.column_lineage_shapes import found, inputs

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

pytestmark = pytest.mark.slow

HOSTILE = [
    *("sha2(", "CASE WHEN ", " THEN ", " END", "if (", " else ", "cast(", "0x41"),
    *("#2", "Room #2, ", "+- Project [", " AS x#3", ", ", "(", ")", "[", "]"),
    *("'", '"', "`", "\\", "\n", "é"),
]
hostile = st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join)


def nested(column: Column, literals: list[str], depth: int) -> Column:
    """The column between literals, within as many CASE."""
    value = F.concat(*(F.lit(text) for text in literals), column, F.lit(")"))
    for level in range(depth):
        value = F.when(F.col("delay") > level, value).otherwise(F.lit(literals[0]))
    return value


@given(literals=st.lists(hostile, min_size=1, max_size=3), depth=st.sampled_from([0, 1, 12]))
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_literal_changes_what_a_column_is_made_of(
    spark: SparkSession, literals: list[str], depth: int
) -> None:
    frame = inputs(spark).flights.select(nested(F.col("carrier"), literals, depth).alias("value"))
    decides = ", flights.delay CONDITIONAL" if depth else ""
    assert found(column_lineage(frame)) == {
        "fields": {"value": f"flights.carrier TRANSFORMATION{decides}"},
        "rows": "",
        "unknown": [],
    }
