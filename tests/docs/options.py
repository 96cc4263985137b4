"""The reference page of options, made from signatures and docstrings.

Write it anew with `python -m tests.docs.options`.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from penstock import (
    Append,
    Automation,
    Avro,
    Contract,
    Csv,
    Daily,
    Deployment,
    Dynamic,
    FixedWidth,
    ForeignKey,
    Hourly,
    JsonDocument,
    JsonLines,
    Merge,
    Monthly,
    Orc,
    Parquet,
    Quarantine,
    Scd2,
    Schedule,
    Static,
    Weekly,
    Xml,
    Yearly,
    changes,
    column,
    dataset,
    debezium,
    envelope,
    external,
    landing,
    query,
    table,
    topic,
)
from penstock.resources.kafka import Kafka
from penstock.resources.postgres import Postgres

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "options.md"
HEAD = """# Options

Every option of what a definition is written with, its default and what it means. This page is made
from the code's signatures and docstrings, and a test holds it to them. What is refused is in
[refused](refused.md).
"""
NAMES: dict[str, Any] = {
    "class ...(Contract, ...)": Contract,
    "column": column,
    "ForeignKey": ForeignKey,
    "dataset": dataset,
    "table": table,
    "changes": changes,
    "landing": landing,
    "query": query,
    "topic": topic,
    "external": external,
    "debezium": debezium,
    "envelope": envelope,
    "Csv": Csv,
    "FixedWidth": FixedWidth,
    "JsonLines": JsonLines,
    "JsonDocument": JsonDocument,
    "Xml": Xml,
    "Parquet": Parquet,
    "Orc": Orc,
    "Avro": Avro,
    "Hourly": Hourly,
    "Daily": Daily,
    "Weekly": Weekly,
    "Monthly": Monthly,
    "Yearly": Yearly,
    "Static": Static,
    "Dynamic": Dynamic,
    "Schedule": Schedule,
    "Quarantine": Quarantine,
    "Append": Append,
    "Merge": Merge,
    "Scd2": Scd2,
    "Postgres": Postgres,
    "Kafka": Kafka,
    "Deployment": Deployment,
    "Automation": Automation,
}


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(title, thing) for title, thing in NAMES.items())])


def _section(title: str, thing: Any) -> str:
    made_by = thing.__init_subclass__ if thing is Contract else thing
    rows = [
        f"| `{'**' if option.kind is option.VAR_KEYWORD else ''}{option.name}` | "
        f"`{str(option.annotation).replace('|', 'or')}` | {_default(option)} |"
        for option in inspect.signature(made_by).parameters.values()
        if not (thing is Contract and option.kind is option.VAR_KEYWORD)
    ]
    told = inspect.cleandoc(thing.__doc__ or "").partition("\n>>>")[0].rstrip()
    table_head = ["| option | type | default |", "|---|---|---|"]
    return "\n".join([f"## {title}", told, "", *([*table_head, *rows, ""] if rows else ())])


def _default(option: inspect.Parameter) -> str:
    if option.name == "inputs" or option.default is option.empty:
        return "checks" if option.kind is option.VAR_KEYWORD else "must be given"
    return f"`{option.default!r}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
