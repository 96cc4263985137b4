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

    from penstock.schemas.model import ColumnModel

__all__ = ["cannot_fail", "kept", "row_rules"]

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "double")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Spark asks the clock anew for each of a run's plans: a row could be in none of them, or in two
_ASKS = re.compile(
    r"\b(current_\w+|now|localtimestamp|rand|randn|random|uuid"
    r"|monotonically_increasing_id|spark_partition_id|input_file_\w+|shuffle|curdate|uniform|randstr"
    r")\b(?=\s*\()|\bunix_timestamp\b(?=\s*\(\s*\))"
    r"|\b(current_timestamp|current_date|current_time|localtimestamp)\b"
    r"|\b(date|timestamp|timestamp_ntz|timestamp_ltz)\s*['\"]\s*(now|today|tomorrow|yesterday)\s*['\"]",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"\s*(now|today|tomorrow|yesterday)\b.*", re.IGNORECASE | re.DOTALL)
# a literal, with the word before it that says that it is a day or moment
_LITERAL = re.compile(
    r"""(\b(?:date|timestamp(?:_ntz|_ltz)?)\s*)?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|`[^`]*`""",
    re.IGNORECASE | re.DOTALL,
)
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


def row_rules(
    where: str, rules: Mapping[str, str], columns: Sequence[ColumnModel]
) -> list[CheckModel]:
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
        _check(f"{where}, rule {name}", sql, {column.name: column.type for column in columns})
    return [
        CheckModel(id=f"rule:{name}", column="", name="rule", arguments={}, sql=f"({sql})")
        for name, sql in rules.items()
    ]


def _check(where: str, sql: str, columns: Mapping[str, str]) -> None:
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
    lowered = {name.lower(): kind for name, kind in columns.items()}
    if asked := _asks(sql, tree, lowered):
        raise DefinitionError(
            "the rule asks the clock or chance, and a row is looked at more than once",
            where=where,
            expected="the same answer for a row each time: it is kept, or set aside",
            found=asked,
            next_step="compare with a column of the row, like the time its file was written, or "
            "write a day into the rule",
        )
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


def _asks(sql: str, tree: Expr, kinds: Mapping[str, str]) -> str | None:
    """What in the rule is another thing each time it is asked: `kinds` are the columns' types."""
    from sqlglot import exp

    # texts and names are no questions, but a day or a moment may be
    if found := _ASKS.search(_LITERAL.sub(lambda found: found[0] if found[1] else "''", sql)):
        return found[0]
    for text in tree.find_all(exp.Literal):
        # Spark reads such a word as a day wherever it casts it to one
        if not text.is_string or not _MOMENT.fullmatch(text.name):
            continue
        test = text.parent
        other = [node for node in test.iter_expressions() if node is not text] if test else []
        texts = exp.Literal | exp.Lower | exp.Upper | exp.Trim | exp.Substring | exp.Concat
        compared = isinstance(test, exp.Predicate) and all(
            isinstance(node, texts)
            or (isinstance(node, exp.Column) and kinds.get(node.name.lower()) == "string")
            for node in other
        )
        if not compared:
            return f"'{text.name}'"
    return None


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
