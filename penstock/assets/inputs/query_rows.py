"""Rows of a database as a DataFrame: every value as text first, then as its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from penstock.assets.inputs.kind import Arrived
from penstock.assets.landing.cells import typed_cells
from penstock.assets.landing.records import reasons_sql
from penstock.assets.row_filters import only, raise_unless
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.query import PinnedRows
    from penstock.schemas.model import ContractModel

__all__ = ["read_rows"]


def read_rows(
    spark: SparkSession, item: PinnedRows, contract: ContractModel, *, strict: bool
) -> Arrived:
    """The rows that were pinned. Raises InputError over Connect."""
    if type(spark).__module__.startswith("pyspark.sql.connect"):
        raise InputError(
            "a database is not read over Spark Connect: its password would be in the plan that is "
            "sent, and the server shows plans",
            where=f"input {item.name}",
            expected="a dataset on a classic session",
            next_step="give the dataset that reads the database cluster=..., a LocalCluster",
        )
    columns = item.query.columns(contract)
    cells = {column.name: f"_{n}" for n, column in enumerate(columns)}
    typed = typed_cells(_texts(spark, item), columns, cells, item.query.dates)
    is_bad, reasons = reasons_sql({}, typed.rules)
    by_name = ", ".join(f"{literal(name)}, {cell}" for name, cell in cells.items())
    keep = raise_unless if strict else only
    return Arrived(
        good=keep(typed.rows, f"NOT ({is_bad})").select(
            *(F.col(quoted(column.name)) for column in columns)
        ),
        rejected=only(typed.rows, is_bad).selectExpr(
            f"{reasons} AS reasons",
            f"to_json(map({by_name})) AS row",
            f"{literal(item.dataset)} AS file",
        ),
    )


def _texts(spark: SparkSession, item: PinnedRows) -> DataFrame:
    """The text columns, each select read by a task of its own, all of them of the view."""
    postgres = item.view.postgres
    options = postgres.jdbc(item.password, item.view.snapshot)
    frames = []
    for select in item.selects:
        reader = spark.read.format("jdbc").options(**options).option("url", postgres.jdbc_url)
        frames.append(reader.option("dbtable", f"({select}) AS penstock").load())
    rows = frames[0]
    for other in frames[1:]:
        rows = rows.unionAll(other)
    return rows
