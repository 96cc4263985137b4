"""Whether the rows that a Connect plan holds in memory are all the VALUES of its queries.

The server prints rows that a client sent, or that it computed to plan at all, as it prints VALUES.
Those may be data of any table; VALUES are part of the text of a query, as any literal is.
"""

from __future__ import annotations

import re
from typing import Any

from penstock.lineage.plan.literals import inner
from penstock.lineage.plan.walk import MARK

__all__ = ["only_values"]

# fmt: off
# Relations that the server plans without rows of its own.
_LAZY = frozenset(
    [
        "read", "project", "filter", "join", "set_op", "sort", "limit", "aggregate", "sql",
        "sample", "offset", "deduplicate", "range", "subquery_alias", "repartition", "to_df",
        "with_columns_renamed", "drop", "with_columns", "hint", "unpivot", "to_schema",
        "repartition_by_expression", "map_partitions", "collect_metrics", "group_map",
        "co_group_map", "with_watermark", "as_of_join", "with_relations", "lateral_join",
        "unresolved_table_valued_function", "fill_na", "drop_na", "replace",
    ]
)
# fmt: on
_RUNS = re.compile(r"\b(BEGIN|EXECUTE)\b", re.IGNORECASE)  # a script's rows are its result


def only_values(plan: Any) -> bool:
    """True when nothing in the plan, marked inputs aside, can hold other rows."""
    waiting = [plan]
    while waiting:
        message = waiting.pop()
        match message.DESCRIPTOR.name:
            case "Relation" if message.WhichOneof("rel_type") not in _LAZY:
                return False
            case "SubqueryAlias" if message.alias.startswith(MARK):
                continue
            case "SQL" if _RUNS.search(message.query):
                return False
        waiting.extend(inner(message))
    return True
