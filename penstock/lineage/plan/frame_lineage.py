"""Column lineage of a DataFrame from its analyzed plan, before anything runs.

Mark the inputs, build the frame, ask:

    raw = mark(spark.read.format("delta").load(path), "bronze.flights")
    lineage = column_lineage(raw.select("carrier", raw.distance * 1.6))

Nothing is executed: no Spark job, only analysis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql.classic.dataframe import DataFrame as ClassicDataFrame

from penstock.lineage.column_lineage import ColumnLineage, Origin, Unknown
from penstock.lineage.plan.classic import classic_plan
from penstock.lineage.plan.connect import connect_plan
from penstock.lineage.plan.scope import unknown
from penstock.lineage.plan.walk import MARK, Flow, flow_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pyspark.sql import DataFrame

    from penstock.lineage.plan.traces import Trace, Value
    from penstock.lineage.plan.tree import Node

__all__ = ["column_lineage", "lineage_of_plan", "mark"]


def mark(frame: DataFrame, dataset: str) -> DataFrame:
    """The same frame, found again as `dataset` in every plan built on it.

    Its columns answer as before (`frame["a"]`, `col("a")`, a later `alias`, self-joins); only
    a qualifier that the frame had before, such as a table's name, no longer does.
    """
    return frame.alias(MARK + dataset)


def column_lineage(
    frame: DataFrame, *, classic_twin: Callable[[], DataFrame] | None = None
) -> ColumnLineage:
    """Where every column of `frame` comes from, without running it.

    Over Spark Connect the server's text of the analyzed plan is read: it names no struct fields
    that the plan does not (a struct unpacked by position is taken whole), and what it leaves
    open is in `unknown`. `classic_twin` builds the same frame in a classic session, on empty
    inputs if need be; where given it is taken instead of a Connect frame.
    """
    twin = frame if isinstance(frame, ClassicDataFrame) or classic_twin is None else classic_twin()
    if isinstance(twin, ClassicDataFrame):
        return lineage_of_plan(classic_plan(twin), twin.columns)
    return lineage_of_plan(connect_plan(twin), twin.columns)


def lineage_of_plan(plan: Node, names: Sequence[str]) -> ColumnLineage:
    """The lineage of a plan whose output columns are called `names`, in that order."""
    flow = flow_of(plan)
    values = _by_position(flow, names)
    traces: dict[str, set[Trace]] = {}
    for name, value in zip(names, values, strict=True):
        traces.setdefault(name, set()).update(value.flat)
    doubts = [Unknown(column=name, reason=r) for name in traces for r in _reasons(traces[name])]
    doubts += [Unknown(column=None, reason=r) for r in _reasons(flow.rows.flat)]
    return ColumnLineage(
        fields={name: _origins(found) for name, found in traces.items()},
        dataset=_origins(flow.rows.flat),
        unknown=tuple(doubts),
    )


def _by_position(flow: Flow, names: Sequence[str]) -> list[Value]:
    found = [column.name.lower() for column in flow.columns]
    if found == [name.lower() for name in names]:
        return [column.value for column in flow.columns]
    return [unknown("the plan's columns could not be matched with the frame's")] * len(names)


def _origins(traces: Iterable[Trace]) -> tuple[Origin, ...]:
    origins = {
        Origin(
            dataset=trace.source.dataset,
            column=trace.source.path,
            subtype=trace.subtype,
            masking=trace.masking,
            description=trace.note,
        )
        for trace in traces
        if trace.source.dataset is not None
    }
    return tuple(sorted(origins, key=_order))


def _order(origin: Origin) -> tuple[str, str, str, bool, str]:
    return origin.dataset, origin.column, origin.subtype, origin.masking, origin.description


def _reasons(traces: Iterable[Trace]) -> list[str]:
    return sorted({trace.source.path for trace in traces if trace.source.dataset is None})
