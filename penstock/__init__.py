"""Penstock: governed lakehouse pipelines.

A pure DataFrame function and a contract run as a Dagster asset on any Spark cluster, commit
exactly once to Delta Lake, and say what happened. Importing this package starts no JVM and loads
neither pyspark nor dagster: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.assets.asset import datasets_of, definitions
    from penstock.assets.automation.automation import Automation
    from penstock.assets.dataset import Dataset, Schedule, dataset
    from penstock.assets.deployment import Deployment
    from penstock.assets.executor import run
    from penstock.assets.inputs.changes import changes
    from penstock.assets.inputs.external import external
    from penstock.assets.inputs.files import landing
    from penstock.assets.inputs.query import query
    from penstock.assets.inputs.snapshot import table
    from penstock.assets.inputs.topic import topic
    from penstock.assets.landing.envelope import debezium, envelope
    from penstock.assets.landing.formats import (
        Avro,
        Csv,
        FixedWidth,
        JsonDocument,
        JsonLines,
        Orc,
        Parquet,
        Xml,
    )
    from penstock.assets.modes import (
        Append,
        Fail,
        Merge,
        Overwrite,
        Quarantine,
        ReplaceSlice,
        Scd2,
        Warn,
    )
    from penstock.assets.outcome import Outcome
    from penstock.assets.partitions.values import Dynamic, Static
    from penstock.assets.partitions.windows import Daily, Hourly, Monthly, Weekly, Yearly
    from penstock.assets.runtime import Invocation, Runtime
    from penstock.assets.slice import Slice
    from penstock.assets.threaded_executor import threaded_executor
    from penstock.schemas.contract import Contract, Decimal, ForeignKey, column
    from penstock.schemas.model import Pii

_HOMES = {
    "penstock.assets.asset": ("datasets_of", "definitions"),
    "penstock.assets.automation.automation": ("Automation",),
    "penstock.assets.deployment": ("Deployment",),
    "penstock.assets.dataset": ("Dataset", "Schedule", "dataset"),
    "penstock.assets.executor": ("run",),
    "penstock.assets.inputs.changes": ("changes",),
    "penstock.assets.inputs.external": ("external",),
    "penstock.assets.inputs.files": ("landing",),
    "penstock.assets.inputs.query": ("query",),
    "penstock.assets.inputs.snapshot": ("table",),
    "penstock.assets.inputs.topic": ("topic",),
    "penstock.assets.landing.envelope": ("debezium", "envelope"),
    "penstock.assets.landing.formats": (
        "Avro",
        "Csv",
        "FixedWidth",
        "JsonDocument",
        "JsonLines",
        "Orc",
        "Parquet",
        "Xml",
    ),
    "penstock.assets.modes": (
        "Append",
        "Fail",
        "Merge",
        "Overwrite",
        "Quarantine",
        "ReplaceSlice",
        "Scd2",
        "Warn",
    ),
    "penstock.assets.outcome": ("Outcome",),
    "penstock.assets.partitions.values": ("Dynamic", "Static"),
    "penstock.assets.partitions.windows": ("Daily", "Hourly", "Monthly", "Weekly", "Yearly"),
    "penstock.assets.runtime": ("Invocation", "Runtime"),
    "penstock.assets.slice": ("Slice",),
    "penstock.assets.threaded_executor": ("threaded_executor",),
    "penstock.schemas.contract": ("Contract", "Decimal", "ForeignKey", "column"),
    "penstock.schemas.model": ("Pii",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Append",
    "Automation",
    "Avro",
    "Contract",
    "Csv",
    "Daily",
    "Dataset",
    "Decimal",
    "Deployment",
    "Dynamic",
    "Fail",
    "FixedWidth",
    "ForeignKey",
    "Hourly",
    "Invocation",
    "JsonDocument",
    "JsonLines",
    "Merge",
    "Monthly",
    "Orc",
    "Outcome",
    "Overwrite",
    "Parquet",
    "Pii",
    "Quarantine",
    "ReplaceSlice",
    "Runtime",
    "Scd2",
    "Schedule",
    "Slice",
    "Static",
    "Warn",
    "Weekly",
    "Xml",
    "Yearly",
    "changes",
    "column",
    "dataset",
    "datasets_of",
    "debezium",
    "definitions",
    "envelope",
    "external",
    "landing",
    "query",
    "run",
    "table",
    "threaded_executor",
    "topic",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
