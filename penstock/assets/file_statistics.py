"""Of which columns a table's log has minima and maxima: of none with personal data in clear.

They are values of rows, and whoever reads the log would read them. Which columns are counted is a
property of the table. A class can come to a column that is there, and columns to a table, so each
run holds the property against its contract.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from penstock.resources.session_settings import session_settings
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyspark.sql import SparkSession

    from penstock.assets.resolve import Resolved
    from penstock.schemas.model import ContractModel

__all__ = ["counted", "keep_out_of_statistics"]

_COUNTED = "delta.dataSkippingStatsColumns"
_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# Delta refuses a table that is to count a column of another type; of structs it takes what it can
_COUNTABLE = re.compile(
    r"(tinyint|smallint|int|bigint|float|double|decimal\(.*|date|timestamp|timestamp_ntz|string"
    r"|struct<.*)",
    re.DOTALL,
)


def counted(model: ContractModel, columns: Collection[str]) -> dict[str, str]:
    """The property of a table with these columns; nothing where no column is to be left out."""
    left_out = model.open_classes
    if not left_out:
        return {}
    names = [
        quoted(column.name)
        for column in model.columns
        if column.name in columns
        and column.name not in left_out
        and _COUNTABLE.fullmatch(column.type)
    ]
    return {_COUNTED: ",".join(names)}


def keep_out_of_statistics(resolved: Resolved, spark: SparkSession, run_id: str) -> None:
    """Have the live table count no column that the contract says holds personal data in clear.

    A commit of its own, and only where the table does not say so yet. What files that are there
    say of a column stays in the log until they have left it.
    """
    state = resolved.state
    if state is None or not resolved.spec.model.open_classes:
        return
    folders = state.partition_columns()
    columns = {column.name for column in state.columns() if column.name not in folders}
    (wanted,) = counted(resolved.spec.model, columns).values()
    if _alike(state.properties().get(_COUNTED), wanted):
        return
    # it says whose it is and, without a token, that it is no commit of rows
    note = json.dumps({"penstock": 1, "upkeep": "statistics", "run_id": run_id})
    with session_settings(spark, {_METADATA: note}):
        spark.sql(
            f"ALTER TABLE delta.{quoted(resolved.table.path)} "
            f"SET TBLPROPERTIES ({literal(_COUNTED)} = {literal(wanted)})"
        ).collect()


def _alike(one: str | None, other: str) -> bool:
    """Whether both name the same columns: a contract may have them in another order."""
    return one is not None and sorted(one.split(",")) == sorted(other.split(","))
