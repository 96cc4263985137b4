"""Materializes assets under dagster-openlineage, in a process of its own.

Its import changes the default producer of openlineage-python for the whole process.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster_openlineage import openlineage_sensor

COLUMNS = dg.TableSchema(columns=[dg.TableColumn("k", "int"), dg.TableColumn("email", "string")])
ORDERS = dg.AssetKey(["bronze", "orders"])


@dg.asset(key=ORDERS)
def orders() -> Any:
    return dg.MaterializeResult(
        metadata={"dagster/column_schema": COLUMNS, "uri": "s3://lake/bronze/orders"}
    )


@dg.asset(key=dg.AssetKey(["silver", "orders"]), deps=[ORDERS])
def clean_orders() -> Any:
    made_of = {
        name: [dg.TableColumnDep(asset_key=ORDERS, column_name=name)] for name in ("k", "email")
    }
    lineage = dg.TableColumnLineage(deps_by_column=made_of)
    return dg.MaterializeResult(
        metadata={"dagster/column_schema": COLUMNS, "dagster/column_lineage": lineage}
    )


@dg.asset(key="report", deps=[clean_orders])
def report() -> None:
    raise ValueError("nobody reads it")


def materialize(mechanism: str) -> str:
    """The id of the Dagster run.

    The mechanism says who emits: `storage`, the wrapper of the event log that DAGSTER_HOME
    configures, or `sensor`, which reads the log afterwards.
    """
    with dg.DagsterInstance.get() as instance:
        result = dg.materialize(
            [orders, clean_orders, report], instance=instance, raise_on_error=False
        )
        if mechanism == "sensor":
            sensor = openlineage_sensor(include_asset_events=True, record_filter_limit=1000)
            context = dg.build_sensor_context(instance=instance)
            list(sensor(context))
        return result.run_id
