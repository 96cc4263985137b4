"""The analyzed plan of a Spark Connect frame, from what a stock server tells its clients.

A server gives no plan tree. It explains a plan as text, with the same column ids that the tree
has, and it does so for `frame.limit(0)`: the whole analyzed plan is there under the limit, while
the optimizer has nothing left to plan, so that no file is listed and no job is run. The text
quotes nothing: the literals that could be misread are asked for in hexadecimal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException

from penstock.lineage.plan.literals import apart, odd_names, set_apart
from penstock.lineage.plan.rows import only_values
from penstock.lineage.plan.text import read_plan_text
from penstock.lineage.plan.tree import Node

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["connect_plan"]

_MAX_FIELDS = "spark.sql.debug.maxToStringFields"
_ANALYZED = re.compile(
    r"== Analyzed Logical Plan ==\n[^\n]*\n(.*?)\n+== Optimized Logical Plan ==", re.DOTALL
)


def connect_plan(frame: DataFrame) -> Node:
    """The analyzed plan of a frame of a Connect session; asks the server once, runs nothing."""
    nothing: Any = frame.limit(0)
    client = nothing.sparkSession.client
    plan = nothing._plan.to_proto(client)  # noqa: SLF001 - `explain` prints
    try:
        explained = _explain(frame.sparkSession, set_apart(plan))
    except AnalysisException:
        reason = "the server could not be asked for the plan with its literals apart"
        return Node(kind="Explanation", unreadable=reason)
    found = _ANALYZED.search(explained)
    if found is None:
        reason = "the server's explanation has no analyzed plan"
        return Node(kind="Explanation", unreadable=reason)
    return read_plan_text(apart(found[1], odd_names(plan)), stated=only_values(plan))


def _explain(session: SparkSession, plan: Any) -> str:
    before = session.conf.get(_MAX_FIELDS, None)
    session.conf.set(_MAX_FIELDS, str(2**31 - 1))
    try:
        return str(session.client.explain_string(plan, "extended"))
    finally:
        if before is None:
            session.conf.unset(_MAX_FIELDS)
        else:
            session.conf.set(_MAX_FIELDS, before)
