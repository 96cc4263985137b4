"""Walks an analyzed plan from its inputs up: which columns each node gives, from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import Subtype
from penstock.lineage.plan.expression import evaluate
from penstock.lineage.plan.scope import Scope, unknown
from penstock.lineage.plan.traces import NOTHING, Source, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.lineage.plan.tree import Expression, Node

__all__ = ["MARK", "Column", "Flow", "flow_of"]

MARK = "penstock:"

# fmt: off
_SAME_ROWS = frozenset(
    [
        "SubqueryAlias", "View", "LocalLimit", "GlobalLimit", "Limit", "LimitAll", "Offset",
        "Tail", "Sample", "Repartition", "RepartitionByExpression", "RebalancePartitions",
        "ResolvedHint", "CollectMetrics", "EventTimeWatermark", "Subquery", "CTERelationDef",
        "WithCTE", "ReturnAnswer", "UpdateEventTimeWatermarkColumn", "PipeOperator",
        "SQLFunctionNode",
    ]
)
_OPAQUE_FUNCTIONS = frozenset(
    [
        "MapInPandas", "MapInArrow", "PythonMapInArrow", "FlatMapGroupsInPandas",
        "FlatMapGroupsInArrow", "FlatMapCoGroupsInPandas", "FlatMapCoGroupsInArrow",
        "FlatMapGroupsInPandasWithState", "TransformWithStateInPySpark",
        "TransformWithStateInPandas",
    ]
)
# fmt: on
_LEFT_ONLY = frozenset(["LeftSemi", "LeftAnti"])
_GROUPING_ID = "spark_grouping_id"
_MOST_TURNS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column a node gives. `id` is None where the plan does not print one."""

    id: int | None
    name: str
    value: Value
    attribute: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What leaves a node: its columns, and what decided which rows there are and their order.

    `hidden` are columns below an aggregate, which the text of a HAVING still names.
    """

    columns: tuple[Column, ...]
    rows: Value = NOTHING
    hidden: tuple[Column, ...] = ()


def flow_of(plan: Node) -> Flow:
    """The flow out of the plan's root. Linear in the plan's size, whatever its depth."""
    return _Walk().run(plan, outer=None)


class _Walk:
    def __init__(self) -> None:
        self._shared: dict[int, Flow] = {}  # common table expressions by number
        self._loops: dict[int, Flow] = {}  # what recursive ones have given so far
        self._inputs: dict[Node, Flow] = {}  # a loop comes by several times

    def run(self, plan: Node, outer: Scope | None) -> Flow:
        flows: list[Flow] = []
        pending: list[tuple[Node, bool]] = [(plan, False)]
        while pending:
            node, ready = pending.pop()
            if not ready:
                pending.append((node, True))
                pending.extend((child, False) for child in reversed(_first(node)))
                continue
            below = flows[len(flows) - len(_first(node)) :]
            del flows[len(flows) - len(_first(node)) :]
            flows.append(self._flow(node, below, outer))
        return flows[0]

    def _subquery(self, plan: Node, scope: Scope) -> tuple[tuple[Value, ...], Value]:
        flow = self.run(plan, outer=scope)
        return tuple(column.value for column in flow.columns), flow.rows

    def _scope(self, below: Iterable[Flow], outer: Scope | None) -> Scope:
        columns: dict[int, Value] = {}
        unprinted: dict[str, Value] = {}
        for flow in below:
            for column in flow.columns:
                if column.id is not None:
                    columns[column.id] = column.value
                elif column.name in unprinted:
                    doubt = unknown("two columns that the plan prints alike")
                    both = (unprinted[column.name], column.value, doubt)
                    unprinted[column.name] = Value.merge(both)
                else:
                    unprinted[column.name] = column.value
        return Scope(columns=columns, unprinted=unprinted, outer=outer, subquery=self._subquery)

    def _flow(  # noqa: C901, PLR0911, PLR0912 - one case for each kind
        self, node: Node, below: list[Flow], outer: Scope | None
    ) -> Flow:
        if node.unreadable is not None:
            return _not_understood(node, below, node.unreadable)
        if node.kind == "SubqueryAlias" and node.name is not None and node.name.startswith(MARK):
            if node not in self._inputs:
                self._inputs[node] = _marked(node.name.removeprefix(MARK), below[0])
            return self._inputs[node]
        if node.kind == "CTERelationDef":
            if node.number is not None:
                self._shared[node.number] = below[0]
            return below[0]
        if node.kind in _SAME_ROWS:
            return below[-1]
        if not node.children:
            return self._leaf(node)
        hidden = {c.id: c.value for flow in below for c in flow.hidden if c.id is not None}
        if hidden:
            outer = Scope(columns=hidden, outer=outer, subquery=self._subquery)
        scope = self._scope(below, outer)
        rows = Value.merge(flow.rows for flow in below)
        if node.kind in _OPAQUE_FUNCTIONS:
            return _opaque(node, below, scope, rows)
        match node.kind:
            case "Project":  # of no column, where a query is of no table or only counts
                return Flow(columns=_columns(node.groups.get("projectList", ()), scope), rows=rows)
            case "Filter":
                rows = _influenced(rows, _values(node.groups["condition"], scope), Subtype.FILTER)
                return Flow(columns=below[0].columns, rows=rows)
            case "Aggregate":
                keys = _values(node.groups.get("groupingExpressions", ()), scope)
                rows = _influenced(rows, keys, Subtype.GROUP_BY)
                columns = _columns(node.groups.get("aggregateExpressions", ()), scope)
                return Flow(columns=columns, rows=rows, hidden=below[0].columns)
            case "Join":
                condition = _values(node.groups.get("condition", ()), scope)
                rows = _influenced(rows, condition, Subtype.JOIN)
                sides = below[:1] if node.join_type in _LEFT_ONLY else below
                return Flow(columns=tuple(c for side in sides for c in side.columns), rows=rows)
            case "LateralJoin":
                return self._lateral(node, below[0], scope)
            case "Sort":
                rows = _influenced(rows, _values(node.groups["order"], scope), Subtype.SORT)
                return Flow(columns=below[0].columns, rows=rows)
            case "Window":
                added = _columns(node.groups["windowExpressions"], scope)
                return Flow(columns=below[0].columns + added, rows=rows)
            case "Generate":
                return Flow(columns=below[0].columns + _generated(node, scope), rows=rows)
            case "Expand" if node.projections is not None and node.output is not None:
                return Flow(columns=_expanded(node.projections, node.output, scope), rows=rows)
            case "UnionLoop":
                return self._loop(node, below[0], outer)
            case "Union":
                return Flow(columns=_united(below), rows=rows)
            case "Intersect" | "Except":
                compared = [column.value for flow in below for column in flow.columns]
                rows = _influenced(rows, compared, Subtype.JOIN)
                return Flow(columns=below[0].columns, rows=rows)
            case "Distinct":
                kept = [column.value for column in below[0].columns]
                rows = _influenced(rows, kept, Subtype.GROUP_BY)
                return Flow(columns=below[0].columns, rows=rows)
            case "Deduplicate" | "DeduplicateWithinWatermark":
                keys = _values(node.groups.get("keys", ()), scope)
                rows = _influenced(rows, keys, Subtype.GROUP_BY)
                return Flow(columns=below[0].columns, rows=rows)
        return _not_understood(node, below, f"the plan node {node.kind}")

    def _leaf(self, node: Node) -> Flow:
        output = node.output or ()
        named = {"CTERelationRef": self._shared, "UnionLoopRef": self._loops}.get(node.kind, {})
        if node.number in named:
            shared = named[node.number]
            if len(shared.columns) == len(output):
                renamed = zip(output, shared.columns, strict=True)
                columns = tuple(_column(new, old.value) for new, old in renamed)
                return Flow(columns=columns, rows=shared.rows)
        match node.kind:
            case "OneRowRelation":
                return Flow(columns=())
            case "InlineTable" | "ResolvedInlineTable":
                return Flow(columns=tuple(_column(a, NOTHING) for a in output))
            case "Range":
                if not output:
                    return Flow(columns=(Column(id=None, name="id", value=NOTHING),))
                return Flow(columns=tuple(_column(a, NOTHING) for a in output))
            case "LocalRelation":
                reason = "rows given in memory (LocalRelation), not a marked input"
            case "LogicalRDD":
                reason = "rows whose plan was cut (LogicalRDD: made from an RDD or checkpointed)"
            case _:
                reason = f"a source that is not a marked input ({node.kind})"
        value = unknown(reason)
        return Flow(columns=tuple(_column(a, value) for a in output), rows=value)

    def _loop(self, node: Node, anchor: Flow, outer: Scope | None) -> Flow:
        """A recursive common table expression: what its turns give, until they give no more."""
        # the text prints no ids for a loop's columns, which are called as the anchor's
        ids = [a.id for a in node.output] if node.output else [None] * len(anchor.columns)
        if len(ids) != len(anchor.columns) or node.number is None:
            return _not_understood(node, [anchor], "a recursive query whose columns do not match")
        named = zip(ids, anchor.columns, strict=True)
        columns = tuple(Column(id=number, name=c.name, value=c.value) for number, c in named)
        given = Flow(columns=columns, rows=anchor.rows)
        for _ in range(_MOST_TURNS):
            self._loops[node.number] = given
            turn = self.run(node.children[1], outer)
            rows = Value.merge((given.rows, turn.rows))
            more = Flow(columns=_united((given, turn)), rows=rows)
            if _same(more, given):
                return given
            given = more
        return _not_understood(node, [given], "a recursive query that goes on finding origins")

    def _lateral(self, node: Node, left: Flow, scope: Scope) -> Flow:
        query = next((e.plan for e in node.groups.get("right", ()) if e.plan is not None), None)
        if query is None:
            return _not_understood(node, [left], "a lateral join whose right side is not readable")
        right = self.run(query, outer=scope)
        both = self._scope((left, right), scope.outer)
        condition = _values(node.groups.get("condition", ()), both)
        rows = _influenced(Value.merge((left.rows, right.rows)), condition, Subtype.JOIN)
        return Flow(columns=left.columns + right.columns, rows=rows)


def _column(attribute: Expression, value: Value) -> Column:
    return Column(id=attribute.id, name=attribute.name or "", value=value, attribute=attribute)


def _columns(expressions: Iterable[Expression], scope: Scope) -> tuple[Column, ...]:
    return tuple(_column(expression, evaluate(expression, scope)) for expression in expressions)


def _values(expressions: Iterable[Expression], scope: Scope) -> list[Value]:
    return [evaluate(expression, scope) for expression in expressions]


def _influenced(rows: Value, values: Iterable[Value], subtype: Subtype) -> Value:
    return Value.merge((rows, *(value.indirect(subtype) for value in values)))


def _first(node: Node) -> tuple[Node, ...]:
    """The children that come before the node: a loop runs its second itself."""
    return node.children[:1] if node.kind == "UnionLoop" else node.children


def _same(one: Flow, other: Flow) -> bool:
    pairs = zip(one.columns, other.columns, strict=True)
    return one.rows.same(other.rows) and all(a.value.same(b.value) for a, b in pairs)


def _marked(dataset: str, below: Flow) -> Flow:
    def column(old: Column) -> Column:
        shape = old.attribute.shape if old.attribute is not None else None
        source = Source(dataset, old.name, shape)
        return Column(id=old.id, name=old.name, value=Value.of(source), attribute=old.attribute)

    return Flow(columns=tuple(column(old) for old in below.columns))


def _united(below: Sequence[Flow]) -> tuple[Column, ...]:
    first = below[0].columns
    if any(len(flow.columns) != len(first) for flow in below):
        reason = unknown("a union of sides whose columns could not be matched")
        return tuple(Column(id=c.id, name=c.name, value=reason) for c in first)
    return tuple(
        Column(
            id=column.id,
            name=column.name,
            value=Value.merge(
                (column.value, *(flow.columns[place].value.placed() for flow in below[1:]))
            ),
            attribute=column.attribute,
        )
        for place, column in enumerate(first)
    )


def _expanded(
    projections: tuple[tuple[Expression, ...], ...], output: tuple[Expression, ...], scope: Scope
) -> tuple[Column, ...]:
    if any(len(row) != len(output) for row in projections):
        reason = unknown("an Expand whose projections do not fit its columns")
        return tuple(_column(attribute, reason) for attribute in output)
    columns = tuple(
        _column(attribute, Value.merge(_values((row[place] for row in projections), scope)))
        for place, attribute in enumerate(output)
    )
    # which columns a row is grouped by; they are those that the Expand makes anew
    keys = [column.value for column in columns if column.id not in scope.columns]
    grouped = _influenced(NOTHING, keys, Subtype.GROUP_BY)
    return tuple(
        _column(output[place], grouped)
        if column.name == _GROUPING_ID and not column.value.flat
        else column
        for place, column in enumerate(columns)
    )


def _generated(node: Node, scope: Scope) -> tuple[Column, ...]:
    output = node.output or ()
    generator = node.groups["generator"][0]
    while generator.kind == "generatorouter":
        generator = generator.children[0]
    if generator.kind in ("explode", "posexplode", "inline", "explode_outer"):
        value = evaluate(generator.children[0], scope).then(Subtype.TRANSFORMATION, whole=True)
        if generator.kind == "inline":
            return tuple(_column(a, value.field(None, i)) for i, a in enumerate(output))
        return tuple(_column(attribute, value) for attribute in output)
    values = _values(generator.children, scope)
    if generator.kind == "stack" and output:
        width = len(output)
        return tuple(
            _column(a, Value.merge(values[1 + i :: width]).then(Subtype.TRANSFORMATION, whole=True))
            for i, a in enumerate(output)
        )
    merged = Value.merge(Value(value.flat) for value in values).then(Subtype.TRANSFORMATION)
    if generator.kind == "opaque":
        merged = Value.merge((merged, unknown(generator.name or "an unreadable generator")))
    return tuple(_column(attribute, merged) for attribute in output)


def _opaque(node: Node, below: list[Flow], scope: Scope, rows: Value) -> Flow:
    function = node.groups.get("functionExpr", ())
    inputs = _values((child for call in function for child in call.children), scope)
    if not function:
        inputs = [column.value for flow in below for column in flow.columns]
    name = function[0].name if function and function[0].name else "a Python function"
    note = f"{node.kind} {name}: every column may be made of every column given to it"
    merged = Value.merge(Value(value.flat) for value in inputs)
    value = merged.then(Subtype.TRANSFORMATION, note=note)
    keys = _values(node.groups.get("groupingAttributes", ()), scope)
    rows = _influenced(rows, keys, Subtype.GROUP_BY)
    if len(below) == 2:  # noqa: PLR2004
        matched = [
            column.value
            for flow, count in zip(below, node.key_counts, strict=True)
            for column in flow.columns[:count]
        ]
        rows = _influenced(rows, matched, Subtype.JOIN)
    # the function also decides which rows there are
    rows = _influenced(rows, inputs, Subtype.FILTER)
    return Flow(columns=tuple(_column(a, value) for a in node.output or ()), rows=rows)


def _not_understood(node: Node, below: list[Flow], reason: str) -> Flow:
    """Columns from below keep what is known of them, and nothing passes without the reason."""
    doubt = unknown(reason)
    columns = {
        (column.id, column.name): Column(
            id=column.id, name=column.name, value=Value.merge((Value(column.value.flat), doubt))
        )
        for flow in below
        for column in flow.columns
    }
    everything = Value.merge([Value(column.value.flat) for column in columns.values()] or [doubt])
    for attribute in node.output or ():
        if (attribute.id, attribute.name) not in columns:
            made = everything.then(Subtype.TRANSFORMATION)
            columns[attribute.id, attribute.name or ""] = _column(attribute, made)
    rows = Value.merge((*(flow.rows for flow in below), doubt))
    return Flow(columns=tuple(columns.values()), rows=rows)
