"""The analyzed plan of a Spark Connect frame, from what a stock server tells its clients.

A server gives no plan tree. It explains a plan as text, with the same column ids that the tree
has, and it does so for `frame.limit(0)`: the whole analyzed plan is there under the limit, while
the optimizer has nothing left to plan, so that no file is listed and no job is run. The client
knows the string literals that it sent, which makes the unquoted text readable around them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from penstock.lineage.plan_text import read_plan_text
from penstock.lineage.plan_tree import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

__all__ = ["analyzed_text", "connect_plan", "without_literals"]

_MAX_FIELDS = "spark.sql.debug.maxToStringFields"
_ANALYZED = re.compile(
    r"== Analyzed Logical Plan ==\n[^\n]*\n(.*?)\n+== Optimized Logical Plan ==", re.DOTALL
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.|'')*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_CONFUSING = re.compile(r"[(),\[\]{}#`\n\x01\x02]|\b(?:AS|CASE|WHEN|THEN|ELSE|END|if|else)\b")


def connect_plan(frame: DataFrame) -> Node:
    """The analyzed plan of a frame of a Connect session; asks the server once, runs nothing."""
    explained = _explain(frame)
    found = _ANALYZED.search(explained)
    if found is None:
        reason = "the server's explanation has no analyzed plan"
        return Node(kind="Explanation", unreadable=reason)
    return read_plan_text(without_literals(found[1], _literals(frame)))


def analyzed_text(frame: DataFrame) -> str:
    """The server's text of the analyzed plan, empty if it gave none."""
    found = _ANALYZED.search(_explain(frame))
    return found[1] if found else ""


def without_literals(text: str, literals: frozenset[str]) -> str:
    """The text with those literals replaced that could be taken for a part of the plan."""
    for literal in sorted(filter(_CONFUSING.search, literals), key=len, reverse=True):
        whole = re.compile(rf"(?<=[ (\[]){re.escape(literal)}(?=[ ,)\]])")
        text = whole.sub("literal", text)
    return text


def _explain(frame: DataFrame) -> str:
    session: SparkSession = frame.sparkSession
    before = session.conf.get(_MAX_FIELDS, None)
    session.conf.set(_MAX_FIELDS, str(2**31 - 1))
    try:
        nothing: Any = frame.limit(0)
        return str(nothing._explain_string(extended=True))  # noqa: SLF001 - `explain` prints
    finally:
        if before is None:
            session.conf.unset(_MAX_FIELDS)
        else:
            session.conf.set(_MAX_FIELDS, before)


def _literals(frame: Any) -> frozenset[str]:
    """String literals in the plan that the client sends, and quoted strings in its SQL."""
    client = frame.sparkSession.client
    found: set[str] = set()
    for name, text in _texts(frame._plan.to_proto(client)):  # noqa: SLF001 - nowhere else
        if name == "Literal":
            found.add(text)
        else:
            for match in _QUOTED.finditer(text):
                found.add((match[1] or match[2] or "").replace("''", "'"))
    return frozenset(found - {""})


def _texts(message: Any) -> Iterator[tuple[str, str]]:
    waiting = [message]
    while waiting:
        current = waiting.pop()
        kind = current.DESCRIPTOR.name
        for descriptor, value in current.ListFields():
            if descriptor.message_type is not None:
                if hasattr(value, "DESCRIPTOR"):
                    waiting.append(value)
                elif hasattr(value, "values"):
                    waiting.extend(v for v in value.values() if hasattr(v, "DESCRIPTOR"))
                else:
                    waiting.extend(v for v in value if hasattr(v, "DESCRIPTOR"))
            elif isinstance(value, str):
                yield kind, value
