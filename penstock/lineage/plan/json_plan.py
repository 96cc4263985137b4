"""Reads the JSON of an analyzed plan, in the shape of Spark's `TreeNode.toJSON`.

A tree is a list of its nodes in pre-order, each saying how many children follow; expressions are
such lists inside plan nodes, and subqueries are plan lists inside expressions.
"""

from __future__ import annotations

from typing import Any

from penstock.lineage.plan.tree import Expression, Node, Shape

__all__ = ["read_plan"]

_OUTPUTS = ("output", "generatorOutput")
_NUMBERS = ("cteId", "loopId", "id")


def read_plan(tree: list[dict[str, Any]]) -> Node:
    """The plan of a parsed JSON."""
    stack: list[Node] = []
    for raw in reversed(tree):
        children = tuple(stack.pop() for _ in range(raw["num-children"]))
        stack.append(_node(raw, children))
    return stack[0]


def _node(raw: dict[str, Any], children: tuple[Node, ...]) -> Node:
    kind = _short(raw)
    groups: dict[str, tuple[Expression, ...]] = {}
    output: tuple[Expression, ...] | None = None
    expanded: tuple[tuple[Expression, ...], ...] | None = None
    for key, content in raw.items():
        if not isinstance(content, list) or not content:
            continue
        if kind == "Expand" and key == "projections":
            expanded = tuple(tuple(read_expression(e) for e in row) for row in content)
        elif _is_tree(content):
            groups[key] = (read_expression(content),)
        elif isinstance(content[0], list) and all(_is_tree(entry) for entry in content):
            found = tuple(read_expression(entry) for entry in content)
            if key in _OUTPUTS:
                output = found
            else:
                groups[key] = found
    if kind == "UnionLoop":
        output = tuple(_numbered(identity) for identity in raw["outputAttrIds"])
    elif kind == "LocalRelation" and "stated" in raw:
        kind = "InlineTable"
    identifier = raw.get("identifier")
    join_type = raw.get("joinType")
    return Node(
        kind=kind,
        children=children,
        groups=groups,
        output=output,
        projections=expanded,
        name=identifier.get("name") if isinstance(identifier, dict) else None,
        number=next((raw[key] for key in _NUMBERS if key in raw), None) if _numbers(kind) else None,
        join_type=_join_type(join_type) if isinstance(join_type, dict) else None,
        key_counts=(int(raw.get("leftGroupingLen") or 0), int(raw.get("rightGroupingLen") or 0)),
    )


def _numbers(kind: str) -> bool:
    return kind.startswith(("CTE", "UnionLoop"))


def _numbered(identity: dict[str, Any]) -> Expression:
    return Expression(kind="attributereference", id=identity["id"])


def read_expression(tree: list[dict[str, Any]]) -> Expression:
    """One expression tree."""
    stack: list[Expression] = []
    for raw in reversed(tree):
        children = tuple(stack.pop() for _ in range(raw["num-children"]))
        stack.append(_expression(raw, children))
    return stack[0]


def _expression(raw: dict[str, Any], children: tuple[Expression, ...]) -> Expression:
    kind = _short(raw).lower()
    identity = raw.get("exprId")
    nested = raw.get("plan")
    name = raw.get("name")
    if kind == "literal":
        name = raw.get("value")
    elif kind == "outerreference":
        children = (read_expression(raw["e"]),)
    elif kind == "getarraystructfields":
        name = raw["field"]["name"]
    elif kind == "windowspecdefinition":
        children = children[:-1]  # the last is the frame, which holds no columns of its own
    elif "replacement" in raw and len(children) == 1:
        kind = "transparent"
    return Expression(
        kind=kind,
        children=children,
        name=name if isinstance(name, str) else None,
        id=identity["id"] if isinstance(identity, dict) else None,
        ordinal=raw.get("ordinal") if "structfield" in kind else None,
        shape=_shape(raw.get("dataType")) if kind == "attributereference" else None,
        plan=read_plan(nested) if isinstance(nested, list) and _is_tree(nested) else None,
    )


def _shape(data_type: Any) -> Shape:
    while isinstance(data_type, dict):
        match data_type.get("type"):
            case "struct":
                return tuple((f["name"], _shape(f["type"])) for f in data_type["fields"])
            case "array":
                data_type = data_type["elementType"]
            case "map":
                data_type = data_type["valueType"]
            case _:
                return None
    return None


def _is_tree(content: object) -> bool:
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and "num-children" in content[0]
    )


def _short(raw: dict[str, Any]) -> str:
    return str(raw["class"]).rsplit(".", 1)[-1].rsplit("$", 1)[-1] or str(raw["class"])


def _join_type(raw: dict[str, Any]) -> str:
    named = raw.get("object") or raw.get("product-class") or ""
    return str(named).rsplit(".", 1)[-1].rstrip("$")
