"""Row rules: SQL predicates over several columns, read when the contract is defined.

The parser is sqlglot's, in Spark's dialect, since Spark's own needs a running JVM. It finds what
does not parse, names that are no columns, and what is no predicate over one row. Types and
functions are Spark's to judge: the gate asks it before any row is read.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from penstock.errors import DefinitionError
from penstock.schemas.model import CheckModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlglot.expressions import Expr

__all__ = ["cannot_fail", "kept", "row_rules"]

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "double")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_EXAMPLE = "write rules={'arrives_after_departure': 'arrived >= departed'}"


def kept(sql: str, column: str | None) -> str:
    """SQL, true for a row that keeps the rule `sql`; NULL keeps it, an error in it does not.

    Spark has no try() of any expression: `try_to_binary` is NULL whatever fails below it. And what
    several rules share Spark computes once, before all of them and outside their try. It takes
    nothing out of a lambda, which is slow, nor out of one branch of two: so a hash of `column`, a
    quoted name of a type that can be hashed, chooses between two forms of the same.
    """
    text = f"CASE WHEN coalesce({sql}, true) THEN '1' ELSE '0' END"
    tried = f"try_to_binary({text}, 'utf-8') <=> X'31'"
    hidden = f"exists(array(1), _one -> {tried})"
    return f"CASE WHEN hash({column}) = 0 THEN {hidden} ELSE {tried} END" if column else hidden


@lru_cache(maxsize=1024)
def cannot_fail(sql: str, types: tuple[tuple[str, str], ...]) -> bool:
    """Whether the rule only compares columns, and asks for NULL: no row makes an error of that.

    `types` are the columns' names and Spark types. Nothing is cast but numbers to wider ones.
    """
    from sqlglot import exp

    kinds = {name.lower(): kind for name, kind in types}

    def kind(node: Expr | None) -> str | None:
        if isinstance(node, exp.Column) and len(node.parts) == 1:
            found = kinds.get(node.name.lower())
            return "number" if found in _NUMBERS else found
        return "number" if isinstance(node, exp.Literal) and not node.is_string else None

    def sound(node: Expr | None) -> bool:
        match node:
            case exp.Paren() | exp.Not():
                return sound(node.this)
            case exp.And() | exp.Or():
                return sound(node.left) and sound(node.right)
            case exp.Is():
                return kind(node.this) is not None and isinstance(node.expression, exp.Null)
            case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
                return kind(node.left) is not None and kind(node.left) == kind(node.right)
            case _:
                return kind(node) == "boolean"

    return sound(_parsed("", sql))


def row_rules(where: str, rules: Mapping[str, str], columns: Sequence[str]) -> list[CheckModel]:
    """The checks of `rules=`, over the `columns`. Raises DefinitionError."""
    if not (isinstance(rules, dict) and all(isinstance(sql, str) for sql in rules.values())):
        raise DefinitionError(
            "rules= is no mapping of a name to SQL",
            where=where,
            expected="a dict",
            found=type(rules).__name__,
            next_step=_EXAMPLE,
        )
    for name, sql in rules.items():
        if not _NAME.fullmatch(str(name)) or not sql.strip():
            raise DefinitionError(
                f"rule {name!r} is malformed",
                where=where,
                expected="a snake_case name and a Spark SQL predicate over the row's columns",
                next_step=_EXAMPLE,
            )
        _check(f"{where}, rule {name}", sql, columns)
    return [
        CheckModel(id=f"rule:{name}", column="", name="rule", arguments={}, sql=f"({sql})")
        for name, sql in rules.items()
    ]


def _check(where: str, sql: str, columns: Sequence[str]) -> None:
    from sqlglot import exp  # a third of a second, which a contract without rules need not pay

    tree = _parsed(where, sql)
    other = tree.find(exp.Query, exp.AggFunc, exp.Window, exp.Placeholder, exp.Star)
    if other or isinstance(tree, exp.Alias | exp.Literal):
        raise DefinitionError(
            "the rule is no predicate over one row",
            where=where,
            expected="true, false or NULL from the columns of the row alone",
            found=(other or tree).sql("spark"),
            next_step="compute what needs other rows in the function, and put it into a column",
        )
    lowered = {name.lower() for name in columns}
    for found in tree.find_all(exp.Column):
        parts = [part.name for part in found.parts]
        if parts[0].lower() not in lowered:
            near = difflib.get_close_matches(parts[0], columns, 1)
            raise DefinitionError(
                "the rule names a column that is not there",
                where=where,
                expected=f"columns of the contract: {', '.join(columns)}",
                found=parts[0],
                next_step=f"did you mean {near[0]}?"
                if near
                else "correct the name, or put text into single quotes",
            )


def _parsed(where: str, sql: str) -> Expr:
    from sqlglot import parse
    from sqlglot.errors import SqlglotError

    try:
        # as it is used: in parentheses, which a comment at its end would open for good
        (statement,) = parse(f"({sql})", dialect="spark")
        problem = None if statement is not None else "nothing"
    except (SqlglotError, ValueError, RecursionError) as error:
        lines = re.sub(r"\x1b\[\d+m", "", str(error)).splitlines()
        problem = lines[0].replace("<class 'sqlglot.expressions.", "").replace("'>", "")
    if problem is not None:
        raise DefinitionError(
            "the rule is no SQL",
            where=where,
            expected="a Spark SQL predicate, without a comment",
            found=problem,
            next_step="correct it in rules={...}",
        ) from None
    assert statement is not None
    return statement.unnest()
