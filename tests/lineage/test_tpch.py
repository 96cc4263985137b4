"""Column lineage of the 22 TPC-H queries against an oracle that reads the SQL, not the plan.

sqlglot's lineage gives the leaves of each output column. They are compared with the direct
origins; where the two differ, the difference stands in DIFFERENCES with its reason. Indirect
origins it does not know: they are compared with what was written down by hand.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlglot import exp
from sqlglot.lineage import lineage as sqlglot_lineage

from penstock.lineage.column_lineage import Influence, Subtype
from penstock.lineage.plan.frame_lineage import column_lineage, lineage_of_plan, mark
from penstock.lineage.plan.literals import apart, set_apart_in_sql
from penstock.lineage.plan.text import read_plan_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

    from penstock.lineage.column_lineage import ColumnLineage

pytestmark = pytest.mark.slow(seconds=30)

QUERIES = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("tpch/*.sql"))}
OUTPUT_COLUMNS = 76
SCALE = "0.01"
# At this scale no part is of Q17's brand and container: its one row is NULL.
NO_ROWS = {"q17"}

each_query = pytest.mark.parametrize("query", QUERIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpch:
    """The tables as marked temporary views of `spark`, and the names of their columns."""

    spark: SparkSession
    columns: Mapping[str, list[str]]
    read: dict[str, ColumnLineage] = field(default_factory=dict)

    def lineage(self, query: str) -> ColumnLineage:
        if query not in self.read:
            self.read[query] = column_lineage(self.spark.sql(QUERIES[query]))
        return self.read[query]


@pytest.fixture(scope="module")
def tpch(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tpch:
    folder = tmp_path_factory.mktemp("tpch")
    generator = Path(sys.executable).with_name("tpchgen-cli")
    subprocess.run(
        [generator, "parquet", "--scale-factor", SCALE, "--output-dir", folder, "--quiet"],
        check=True,
    )
    own = spark.newSession()  # the views are nobody else's
    columns: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.parquet")):
        table = mark(own.read.parquet(str(path)), path.stem)
        table.createOrReplaceTempView(path.stem)
        columns[path.stem] = table.columns
    return Tpch(spark=own, columns=columns)


# -- direct origins ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Direct origins of one output column that only one of the two finds."""

    query: str
    column: str
    ours_only: frozenset[str] = frozenset()
    theirs_only: frozenset[str] = frozenset()


# The oracle takes every column that a SELECT expression names. OpenLineage calls what merely
# chooses between the values of a CASE indirect (CONDITIONAL), and so does Penstock:
# query, output column, origin that only the oracle calls direct, the condition.
CASE_CONDITIONS = (
    ("q08", "mkt_share", "nation.n_name", "nation = 'BRAZIL' chooses between volume and 0"),
    ("q12", "high_line_count", "orders.o_orderpriority", "the priority chooses between 1 and 0"),
    ("q12", "low_line_count", "orders.o_orderpriority", "the priority chooses between 1 and 0"),
    ("q14", "promo_revenue", "part.p_type", "p_type like 'PROMO%' chooses between a price and 0"),
)
DIFFERENCES = [
    Difference(query=query, column=column, theirs_only=frozenset({origin}))
    for query, column, origin, _ in CASE_CONDITIONS
]


def ours(lineage: ColumnLineage) -> dict[str, set[str]]:
    """The direct origins of each output column."""
    return {
        column: {f"{o.dataset}.{o.column}" for o in origins if o.type is Influence.DIRECT}
        for column, origins in lineage.fields.items()
    }


def theirs(query: str, columns: Mapping[str, list[str]]) -> dict[str, set[str]]:
    """The leaves that sqlglot finds for each output column."""
    schema = {table: dict.fromkeys(names, "string") for table, names in columns.items()}
    found: dict[str, set[str]] = {}
    for column, root in sqlglot_lineage(None, QUERIES[query], schema, dialect="spark").items():
        found[column] = set()
        for leaf in (node for node in root.walk() if not node.downstream):
            if isinstance(leaf.source, exp.Table):
                found[column].add(f"{leaf.source.name}.{leaf.name.rpartition('.')[2]}")
            else:  # an expression without columns, such as count(*), and nothing that it gave up on
                assert isinstance(leaf.source, exp.Select)
                assert leaf.expression.find(exp.Column) is None
    return found


def test_all_queries_are_here(tpch: Tpch) -> None:
    assert list(QUERIES) == [f"q{number:02}" for number in range(1, 23)]
    assert sum(len(tpch.lineage(query).fields) for query in QUERIES) == OUTPUT_COLUMNS


@each_query
def test_a_query_is_valid_and_returns_rows(query: str, tpch: Tpch) -> None:
    rows = tpch.spark.sql(QUERIES[query]).collect()

    assert (query in NO_ROWS) == (not rows or rows == [(None,) * len(rows[0])])


@each_query
def test_direct_origins_are_the_oracles_but_for_what_is_explained(query: str, tpch: Tpch) -> None:
    found, oracle = ours(tpch.lineage(query)), theirs(query, tpch.columns)

    assert list(found) == list(oracle)
    assert [
        Difference(
            query=query,
            column=column,
            ours_only=frozenset(found[column] - oracle[column]),
            theirs_only=frozenset(oracle[column] - found[column]),
        )
        for column in found
        if found[column] != oracle[column]
    ] == [difference for difference in DIFFERENCES if difference.query == query]


@pytest.mark.parametrize(("query", "column", "origin", "condition"), CASE_CONDITIONS)
def test_what_only_the_oracle_calls_direct_decides_a_case(
    query: str, column: str, origin: str, condition: str, tpch: Tpch
) -> None:
    deciding = tpch.lineage(query).fields[column]

    assert origin in {
        f"{o.dataset}.{o.column}" for o in deciding if o.subtype is Subtype.CONDITIONAL
    }, condition


# -- indirect origins ----------------------------------------------------------------------

# What WHERE, ON, HAVING, GROUP BY and ORDER BY name. The joins of TPC-H are written in WHERE: only
# Q13 has an ON. What decides the rows of a subquery in a WHERE filters, whatever it does inside.
ROWS = {
    "q03": {
        "FILTER": "customer.c_mktsegment customer.c_custkey orders.o_custkey lineitem.l_orderkey"
        " orders.o_orderkey orders.o_orderdate lineitem.l_shipdate",
        "GROUP_BY": "lineitem.l_orderkey orders.o_orderdate orders.o_shippriority",
        "SORT": "lineitem.l_extendedprice lineitem.l_discount orders.o_orderdate",
    },
    "q05": {
        "FILTER": "customer.c_custkey orders.o_custkey lineitem.l_orderkey orders.o_orderkey"
        " lineitem.l_suppkey supplier.s_suppkey customer.c_nationkey supplier.s_nationkey"
        " nation.n_nationkey nation.n_regionkey region.r_regionkey region.r_name"
        " orders.o_orderdate",
        "GROUP_BY": "nation.n_name",
        "SORT": "lineitem.l_extendedprice lineitem.l_discount",
    },
    "q13": {
        "JOIN": "customer.c_custkey orders.o_custkey orders.o_comment",
        "GROUP_BY": "customer.c_custkey orders.o_orderkey",
        "SORT": "orders.o_orderkey",
    },
    "q18": {
        "FILTER": "orders.o_orderkey lineitem.l_orderkey lineitem.l_quantity customer.c_custkey"
        " orders.o_custkey",
        "GROUP_BY": "customer.c_name customer.c_custkey orders.o_orderkey orders.o_orderdate"
        " orders.o_totalprice",
        "SORT": "orders.o_totalprice orders.o_orderdate",
    },
    "q20": {
        "FILTER": "supplier.s_suppkey partsupp.ps_suppkey partsupp.ps_partkey part.p_partkey"
        " part.p_name partsupp.ps_availqty lineitem.l_quantity lineitem.l_partkey"
        " lineitem.l_suppkey lineitem.l_shipdate supplier.s_nationkey nation.n_nationkey"
        " nation.n_name",
        "SORT": "supplier.s_name",
    },
    "q21": {
        "FILTER": "supplier.s_suppkey lineitem.l_suppkey orders.o_orderkey lineitem.l_orderkey"
        " orders.o_orderstatus lineitem.l_receiptdate lineitem.l_commitdate supplier.s_nationkey"
        " nation.n_nationkey nation.n_name",
        "GROUP_BY": "supplier.s_name",
        "SORT": "supplier.s_name",
    },
}


@pytest.mark.parametrize("query", ROWS)
def test_what_decides_the_rows_is_what_was_written_down(query: str, tpch: Tpch) -> None:
    found: dict[str, set[str]] = {}
    for origin in tpch.lineage(query).dataset:
        found.setdefault(origin.subtype, set()).add(f"{origin.dataset}.{origin.column}")

    assert found == {subtype: set(names.split()) for subtype, names in ROWS[query].items()}


@each_query
def test_every_column_that_a_query_names_takes_part_and_no_other(query: str, tpch: Tpch) -> None:
    words = set(re.findall(r"\w+", QUERIES[query]))
    named = {table: words.intersection(columns) for table, columns in tpch.columns.items()}

    assert tpch.lineage(query).inputs() == {table: names for table, names in named.items() if names}


@each_query
def test_nothing_is_left_unknown(query: str, tpch: Tpch) -> None:
    assert tpch.lineage(query).unknown == ()


# -- the plan's text -----------------------------------------------------------------------


@each_query
def test_the_text_of_the_plan_says_the_same(query: str, tpch: Tpch) -> None:
    """The text is what a Spark Connect server gives, asked with the literals set apart."""
    frame = tpch.spark.sql(set_apart_in_sql(QUERIES[query]))
    analyzed = frame._jdf.queryExecution().analyzed()
    text = str(analyzed.treeString(True, False, 2**31 - 1, False, False))

    read = lineage_of_plan(read_plan_text(apart(text)), tpch.spark.sql(QUERIES[query]).columns)

    assert read == tpch.lineage(query)
