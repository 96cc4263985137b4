"""Reads the text that Spark prints for an analyzed plan, where its JSON cannot be had.

A line is a node, indented by three characters a level; subqueries hang two levels below theirs.
Columns are printed as `name#id`. Nothing is quoted, so a node whose line does not come apart
cleanly is handed on as unreadable rather than guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from penstock.lineage.plan.literals import restored
from penstock.lineage.plan.text_expression import read_expression
from penstock.lineage.plan.tree import Expression, Node

__all__ = ["read_plan_text"]

_LINE = re.compile(r"((?:   |:  )*)(\+- |:- )?(.*)", re.DOTALL)
_IDENTIFIED = re.compile(r"#(\d+)L?(?:-T\d+ms)?")
_OUTPUT = re.compile(r"\s*(.+?)#(\d+)L?(?:-T\d+ms)?(?:,\s*|$)", re.DOTALL)
_ALIASED = re.compile(r"(.*)#(\d+)L?(?:-T\d+ms)?", re.DOTALL)
_ALIASED_TWICE = re.compile(r"#\d+L? AS ")
_CUT = re.compile(r"\.\.\. \d+ more fields")
_SOURCE = re.compile(r"SubqueryAlias `?penstock:")
_OF_THE_QUERY = "(`_pyspark_connect_temp_view_"  # a frame given to `sql`, with its literals
_STORED = re.compile(r"View |SQLFunctionNode ")
_PLAIN_NODE = re.compile(r"(?:SubqueryAlias|View|Relation) .*|Project \[(?:\w+#\d+L?(?:, )?)*\]")
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(slots=True, kw_only=True, eq=False)
class _Line:
    depth: int
    text: str
    children: list[_Line] = field(default_factory=list)
    inner: list[_Line] = field(default_factory=list)
    node: Node | None = None
    stated: bool = False


class _UnreadableError(Exception):
    """The line does not come apart."""


def read_plan_text(text: str, *, stated: bool = False) -> Node:
    """The plan of an analyzed plan's tree string. Linear in its length, whatever its depth.

    `stated` says that rows held in memory, outside of views, are the VALUES of a query.
    """
    root = _lines(text, stated=stated)
    names: dict[int, str] = {}
    ranges = re.search(r"^[ :+-]*Range \(", text, re.MULTILINE) is not None
    pending: list[tuple[_Line, bool]] = [(root, False)]
    while pending:
        line, ready = pending.pop()
        if ready:
            line.node = _node(line, names, ranges=ranges)
            continue
        pending.append((line, True))
        # subqueries after the children, whose columns they may refer to
        pending.extend((below, False) for below in reversed([*line.children, *line.inner]))
    assert root.node is not None  # the loop ends with the root
    return root.node


def _lines(text: str, *, stated: bool) -> _Line:
    open_lines: list[_Line] = []
    for raw in text.strip("\n").split("\n"):
        match = _LINE.match(raw)
        assert match is not None  # the pattern takes anything
        depth = len(match[1]) // 3 + (1 if match[2] else 0)
        if open_lines and not match[2]:
            open_lines[-1].text += "\n" + raw  # a line break inside a literal
            continue
        line = _Line(depth=depth, text=match[3].lstrip("!~"))
        while len(open_lines) > 1 and open_lines[-1].depth >= depth:
            open_lines.pop()
        if open_lines:
            parent = open_lines[-1]
            (parent.children if depth == parent.depth + 1 else parent.inner).append(line)
            line.stated = parent.stated and _STORED.match(parent.text) is None
        else:
            line.stated = stated
        open_lines.append(line)
    return open_lines[0]


def _node(line: _Line, names: dict[int, str], *, ranges: bool) -> Node:
    kind, _, rest = line.text.partition(" ")
    if not kind.isidentifier():
        kind = re.split(r"\W", line.text, maxsplit=1)[0]
    children = tuple(child.node for child in line.children if child.node is not None)
    subqueries = [inner.node for inner in line.inner if inner.node is not None]
    if kind == "LocalRelation" and line.stated:
        kind = "InlineTable"
    stored = _STORED.match(line.text) is not None
    if stored and not (rest.startswith(_OF_THE_QUERY) or _plain(line)):
        named = "a view" if kind == "View" else "a function"
        reason = f"{named} over a marked input, whose literals only the server knows"
        return Node(kind=kind, children=children, unreadable=reason)
    try:
        return _NodeText(kind, children, names, subqueries, ranges=ranges).read(rest)
    except _UnreadableError:
        return Node(
            kind=kind,
            children=children + tuple(subqueries),
            unreadable=f"the plan's text for {kind} could not be taken apart",
        )


def _plain(view: _Line) -> bool:
    """Whether nothing in the view above its inputs could hold a literal."""
    waiting = list(view.children)
    while waiting:
        line = waiting.pop()
        if _SOURCE.match(line.text) or not (line.children or line.inner):
            continue
        if line.inner or _PLAIN_NODE.fullmatch(line.text) is None:
            return False
        waiting += line.children
    return True


class _NodeText:
    """One node's text with what is known when it is read."""

    def __init__(
        self,
        kind: str,
        children: tuple[Node, ...],
        names: dict[int, str],
        subqueries: list[Node],
        *,
        ranges: bool,
    ) -> None:
        self.ranges = ranges  # Range does not print the id of its only column, `id`
        self.kind = kind
        self.children = children
        self.names = names
        self.subqueries = subqueries
        self.all_subqueries = tuple(subqueries)

    def read(self, rest: str) -> Node:  # noqa: C901, PLR0911, PLR0912 - one case for each kind
        if _CUT.search(rest):
            raise _UnreadableError
        match self.kind:
            case "SubqueryAlias":
                return self._made(name=_unquoted(rest))
            case "Project":
                return self._made(projectList=self._list(rest) if rest else ())
            case "Filter":
                return self._made(condition=(self._one(rest),))
            case "Aggregate":
                *grouping, results = self._arguments(rest, 1)  # empty lists are not printed
                return self._made(
                    groupingExpressions=self._list(grouping[0]) if grouping else (),
                    aggregateExpressions=self._list(results),
                )
            case "Join":
                join_type, *more = self._arguments(rest, 1)
                conditions = [m for m in more if not re.match(r"(left|right)Hint=", m)]
                condition = tuple(self._one(part) for part in conditions[:1])
                return self._made(join_type=join_type, condition=condition)
            case "LateralJoin":
                if len(self.subqueries) != 1:
                    raise _UnreadableError
                _, join_type, *more = self._arguments(rest, 2)
                lateral = (Expression(kind="lateralsubquery", plan=self.subqueries.pop()),)
                condition = tuple(self._one(part) for part in more[:1])
                return self._made(join_type=join_type, right=lateral, condition=condition)
            case "Sort":
                return self._made(order=self._list(self._arguments(rest, 1)[0]))
            case "Window":
                return self._made(windowExpressions=self._list(self._arguments(rest, 1)[0]))
            case "Deduplicate" | "DeduplicateWithinWatermark":
                return self._made(keys=self._list(self._arguments(rest, 1)[0]))
            case "Generate":
                generator, *more = self._arguments(rest, 2)
                return self._made(generator=(self._one(generator),), output=self._new(more[-1]))
            case "Expand":
                rows, output = self._arguments(rest, 2)[:2]
                projections = tuple(self._list(row) for row in self._split(_inside(rows)))
                return self._made(projections=projections, output=self._new(output))
            case "CTERelationDef" | "UnionLoop":
                return self._made(number=_number(rest))
            case "CTERelationRef":
                number, _, output, *_ = self._arguments(rest, 3)
                return self._made(number=_number(number), output=self._new(output))
            case "ResolvedInlineTable":
                return self._made(output=self._new(self._arguments(rest, 2)[-1]))
            case "UnionLoopRef":
                number, output, *_ = self._arguments(rest, 2)
                return self._made(number=_number(number), output=self._new(output))
            case "MapInPandas" | "MapInArrow" | "PythonMapInArrow":
                function, output, *_ = self._arguments(rest, 2)
                return self._made(functionExpr=(self._one(function),), output=self._new(output))
            case "FlatMapGroupsInPandas" | "FlatMapGroupsInArrow":
                keys, function, output, *_ = self._arguments(rest, 3)
                return self._made(
                    groupingAttributes=self._list(keys),
                    functionExpr=(self._one(function),),
                    output=self._new(output),
                )
            case "FlatMapCoGroupsInPandas" | "FlatMapCoGroupsInArrow":
                left, right, function, output, *_ = self._arguments(rest, 4)
                return self._made(
                    key_counts=(_number(left), _number(right)),
                    functionExpr=(self._one(function),),
                    output=self._new(output),
                )
        if not self.children:
            listed = re.search(r"\[(.*?)\]", rest, re.DOTALL)
            if self.kind.startswith("StreamingRelation"):  # the source is told before
                listed = re.search(r"\[[^\[\]]*#\d[^\[\]]*\](?=[^\[\]]*$)", rest)
            return self._made(output=self._new(listed[0]) if listed else ())
        return self._made()

    def _made(
        self,
        *,
        output: tuple[Expression, ...] | None = None,
        projections: tuple[tuple[Expression, ...], ...] | None = None,
        name: str | None = None,
        number: int | None = None,
        join_type: str | None = None,
        key_counts: tuple[int, int] = (0, 0),
        **groups: tuple[Expression, ...],
    ) -> Node:
        if self.subqueries:  # which of them is whose is not to be told either
            groups = {key: tuple(map(self._doubted, group)) for key, group in groups.items()}
        return Node(
            kind=self.kind,
            children=self.children,
            groups=groups,
            output=output,
            projections=projections,
            name=name,
            number=number,
            join_type=join_type,
            key_counts=key_counts,
        )

    def _doubted(self, expression: Expression) -> Expression:
        """The expression, which may call a function whose body is one of the subqueries."""
        if expression.kind == "alias":
            return replace(expression, children=tuple(map(self._doubted, expression.children)))
        if expression.kind == "attributereference":
            return expression
        bodies = (Expression(kind="listquery", plan=plan) for plan in self.all_subqueries)
        reason = "what a function written in SQL reads"
        return Expression(kind="opaque", children=(expression, *bodies), name=reason)

    def _arguments(self, text: str, least: int) -> list[str]:
        found = self._split(text)
        if len(found) < least:
            raise _UnreadableError
        return found

    def _list(self, text: str) -> tuple[Expression, ...]:
        return tuple(self._one(part) for part in self._split(_inside(text)))

    def _one(self, text: str) -> Expression:
        marked = self._mark(text)
        alias, body = self._alias(marked)
        aggregates = self.kind in ("Aggregate", "Window")
        expression = read_expression(
            body, names=self.names, subqueries=self.subqueries, aggregates=aggregates
        )
        if expression is None:
            raise _UnreadableError
        if alias is None:
            if self.kind in ("Project", "Aggregate") and expression.kind in ("several", "literal"):
                raise _UnreadableError  # a piece of something that held a comma
            return expression
        number, name = alias
        self.names[number] = name
        return Expression(kind="alias", children=(expression,), name=restored(name), id=number)

    def _alias(self, text: str) -> tuple[tuple[int, str] | None, str]:
        place = _at_top(text, " AS ")
        if place is None:
            return None, text
        named = _ALIASED.fullmatch(self._plain(text[place + 4 :]))
        if named is None or _ALIASED_TWICE.search(named[1]):
            raise _UnreadableError
        return (int(named[2]), named[1]), text[:place]

    def _new(self, text: str) -> tuple[Expression, ...]:
        found = []
        for match in _OUTPUT.finditer(self._plain(_inside(text))):
            number, name = int(match[2]), match[1]
            self.names[number] = name
            found.append(Expression(kind="attributereference", id=number, name=restored(name)))
        return tuple(found)

    def _mark(self, text: str) -> str:
        """The text with each known attribute, whatever its name, replaced by its marked id."""
        pieces: list[str] = []
        start = 0
        for match in _IDENTIFIED.finditer(text):
            before = text[start : match.start()]
            if self.ranges and re.search(r"\bid$", before):
                self.names.setdefault(int(match[1]), "id")
            name = self.names.get(int(match[1]))
            # a column is printed as it was typed, in whatever letter case
            if name is None or not before.lower().endswith(name.lower()):
                continue
            pieces += [before[: len(before) - len(name)], f"\x01{match[1]}\x02"]
            start = match.end()
        return "".join((*pieces, text[start:]))

    def _plain(self, text: str) -> str:
        return re.sub("\x01(\\d+)\x02", lambda m: f"{self.names[int(m[1])]}#{m[1]}", text)

    def _split(self, text: str) -> list[str]:
        """The parts between commas that no bracket encloses."""
        marked = self._mark(text)
        parts, depth, start = [], 0, 0
        for place, letter in enumerate(marked):
            if letter in _OPEN:
                depth += 1
            elif letter in _CLOSE:
                depth -= 1
                if depth < 0:
                    raise _UnreadableError
            elif letter == "," and depth == 0 and marked.startswith(", ", place):
                parts.append(marked[start:place])
                start = place + 2
        if depth:
            raise _UnreadableError
        last = marked[start:]
        return [*parts, last] if last or parts else []


def _at_top(text: str, wanted: str) -> int | None:
    depth = 0
    for place, letter in enumerate(text):
        if letter in _OPEN:
            depth += 1
        elif letter in _CLOSE:
            depth -= 1
        elif depth == 0 and letter == " " and text.startswith(wanted, place):
            return place
    return None


def _inside(text: str) -> str:
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        raise _UnreadableError
    return text[1:-1]


def _number(text: str) -> int:
    match = re.match(r"\d+", text)
    if match is None:
        raise _UnreadableError
    return int(match[0])


def _unquoted(text: str) -> str:
    if text.startswith("`") and text.endswith("`"):
        return text[1:-1].replace("``", "`")
    return text
