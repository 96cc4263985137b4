"""Column lineage of queries in the shapes of TPC-DS, read as a tree and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.lineage.plan.frame_lineage import column_lineage, lineage_of_plan
from penstock.lineage.plan.literals import apart, set_apart_in_sql
from penstock.lineage.plan.text import read_plan_text
from tests.lineage.tpcds_queries import QUERIES, Query, seen, stated, tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

each_query = pytest.mark.parametrize(
    "query", [pytest.param(query, id=name.replace(" ", "-")) for name, query in QUERIES.items()]
)


@pytest.fixture(scope="module")
def shop(spark: SparkSession) -> SparkSession:
    own = spark.newSession()  # the views are nobody else's
    tables(own)
    return own


@each_query
def test_a_query_has_the_origins_that_were_written_down(query: Query, shop: SparkSession) -> None:
    found = seen(column_lineage(shop.sql(query.text)))
    assert found == stated(query, found)


@each_query
def test_the_text_of_its_plan_says_the_same(query: Query, shop: SparkSession) -> None:
    analyzed = shop.sql(set_apart_in_sql(query.text))._jdf.queryExecution().analyzed()
    text = apart(str(analyzed.treeString(True, False, 2**31 - 1, False, False)))
    found = seen(lineage_of_plan(read_plan_text(text, stated=True), list(query.fields)))
    assert found == stated(query, found)
