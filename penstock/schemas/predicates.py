"""Row checks as Spark SQL text: pandera's built-in checks, compiled once.

Text, not `Column` objects: it needs no session, works the same in a classic session and over
Spark Connect, and can be shown to a user or stored with the contract. NULL passes every check
(pandera's rule); whether a column may be NULL is the column's own fact. NaN breaks every check of
order and is equal to itself in the others.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from penstock.schemas.model import CheckModel, ColumnModel, ContractModel, Severity
from penstock.schemas.pattern import UnportablePatternError, java_pattern
from penstock.schemas.rule import cannot_fail, kept

__all__ = [
    "CHECK_KEYWORDS",
    "UncompilableCheckError",
    "bad_reasons_sql",
    "compile_check",
    "good_sql",
    "literal",
    "quoted",
    "reasons_sql",
    "rules",
]


_MOST_DIGITS = 38
_NUMERIC = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_TEMPORAL = ("date", "timestamp", "timestamp_ntz")


class UncompilableCheckError(Exception):
    """A check has no Spark SQL form; the message says why."""


def quoted(name: str) -> str:
    """A column name as a Spark SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: Any) -> str:
    """`value` as a Spark SQL literal. Raises UncompilableCheckError for a type without one."""
    match value:
        case None:
            raise UncompilableCheckError("None cannot be compared with; use nullable=")
        case bool():
            return "true" if value else "false"
        case int():
            if not -(2**63) <= value < 2**63:
                raise UncompilableCheckError(f"{value} does not fit bigint; give a Decimal")
            return f"{value}L" if abs(value) > 2**31 - 1 else str(value)
        case float():
            if math.isnan(value) or math.isinf(value):
                return f"double('{value}')"
            return f"{value!r}D"
        case Decimal():
            text = f"{value:f}"
            if not value.is_finite() or len(text.replace("-", "").replace(".", "")) > _MOST_DIGITS:
                raise UncompilableCheckError(f"{value} is no decimal of {_MOST_DIGITS} digits")
            return f"{text}BD"
        case str():
            escaped = value.replace("\\", "\\\\").replace("'", "\\'")
            return f"'{escaped}'"
        case bytes():
            return f"X'{value.hex()}'"
        case datetime():
            if value.tzinfo is None:
                return f"TIMESTAMP_NTZ'{value.isoformat(sep=' ')}'"
            return f"TIMESTAMP'{value.isoformat(sep=' ')}'"
        case date():
            return f"DATE'{value.isoformat()}'"
        case _:
            raise UncompilableCheckError(f"a {type(value).__name__} has no SQL literal")


def _pattern(argument: Any) -> str:
    try:
        return java_pattern(argument)
    except UnportablePatternError as error:
        raise UncompilableCheckError(str(error)) from None


def _compare(operator: str, argument: str) -> Callable[[str, Mapping[str, Any]], str]:
    return lambda c, a: f"{c} {operator} {literal(a[argument])}"


def _in_range(c: str, a: Mapping[str, Any]) -> str:
    low = ">=" if a.get("include_min", True) else ">"
    high = "<=" if a.get("include_max", True) else "<"
    return f"{c} {low} {literal(a['min_value'])} AND {c} {high} {literal(a['max_value'])}"


def _members(values: Any) -> str:
    items = sorted(values, key=repr)
    if not items:
        raise UncompilableCheckError("the list of values is empty")
    return ", ".join(literal(item) for item in items)


def _matches(c: str, a: Mapping[str, Any]) -> str:
    # Python's re.match: the text begins with the pattern, whichever of its alternatives
    begins = rf"\A(?:{_pattern(a['pattern'])})"
    return f"{c} RLIKE {literal(begins)}"


def _length(c: str, a: Mapping[str, Any]) -> str:
    if (exact := a.get("exact_value")) is not None:
        return f"length({c}) = {literal(exact)}"
    bounds = [
        f"length({c}) {operator} {literal(a[name])}"
        for name, operator in (("min_value", ">="), ("max_value", "<="))
        if a.get(name) is not None
    ]
    if not bounds:
        raise UncompilableCheckError("neither min_value nor max_value is given")
    return " AND ".join(bounds)


_ORDERED = (*_NUMERIC, *_TEMPORAL)
_FLOATING = ("float", "double")
_ORDER_CHECKS = (
    "greater_than",
    "greater_than_or_equal_to",
    "less_than",
    "less_than_or_equal_to",
    "in_range",
)
_SCALAR = (*_ORDERED, "string", "boolean", "binary")
#: What `column(...)` calls the checks.
CHECK_KEYWORDS = (
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "in_range",
    "isin",
    "notin",
    "str_matches",
    "str_contains",
    "str_startswith",
    "str_endswith",
    "str_length",
)
_Compiler = Callable[[str, Mapping[str, Any]], str]
_CHECKS: dict[str, tuple[str, tuple[str, ...], _Compiler]] = {
    "equal_to": ("eq", _SCALAR, _compare("=", "value")),
    "not_equal_to": ("ne", _SCALAR, _compare("!=", "value")),
    "greater_than": ("gt", _ORDERED, _compare(">", "min_value")),
    "greater_than_or_equal_to": ("ge", _ORDERED, _compare(">=", "min_value")),
    "less_than": ("lt", _ORDERED, _compare("<", "max_value")),
    "less_than_or_equal_to": ("le", _ORDERED, _compare("<=", "max_value")),
    "in_range": ("in_range", _ORDERED, _in_range),
    "isin": ("isin", _SCALAR, lambda c, a: f"{c} IN ({_members(a['allowed_values'])})"),
    "notin": ("notin", _SCALAR, lambda c, a: f"{c} NOT IN ({_members(a['forbidden_values'])})"),
    "str_matches": ("str_matches", ("string",), _matches),
    "str_contains": (
        "str_contains",
        ("string",),
        lambda c, a: f"{c} RLIKE {literal(_pattern(a['pattern']))}",
    ),
    "str_startswith": (
        "str_startswith",
        ("string",),
        lambda c, a: f"startswith({c}, {literal(a['string'])})",
    ),
    "str_endswith": (
        "str_endswith",
        ("string",),
        lambda c, a: f"endswith({c}, {literal(a['string'])})",
    ),
    "str_length": ("str_length", ("string",), _length),
}


def compile_check(
    column: ColumnModel, name: str, arguments: Mapping[str, Any], severity: Severity
) -> CheckModel:
    """The check `name` of pandera on `column`, compiled.

    Raises UncompilableCheckError when it has no SQL form or does not fit the column's type.
    """
    if name not in _CHECKS:
        raise UncompilableCheckError(f"{name} has no compiled form; there are {sorted(_CHECKS)}")
    short, types, compiler = _CHECKS[name]
    base = column.type.partition("(")[0].partition("<")[0]
    if base not in types:
        raise UncompilableCheckError(f"{name} does not apply to type {column.type}")
    if "pattern" not in arguments and name != "str_length":
        for value in _values(arguments):
            _check_fit(base, value)
            if base in _FLOATING and name in _ORDER_CHECKS and value != value:  # noqa: PLR0124 - NaN
                raise UncompilableCheckError("NaN is no bound: nothing is above or below it")
    sql = compiler(quoted(column.name), _as_stored(base, arguments))
    if base in _FLOATING and name in _ORDER_CHECKS:
        # Spark's order has NaN above all numbers; in a check it is no number, and keeps no bound
        sql = f"{sql} AND NOT isnan({quoted(column.name)})"
    return CheckModel(
        id=f"{column.name}:{short}",
        column=column.name,
        name=name,
        arguments={name: _plain(value) for name, value in arguments.items() if value is not None},
        sql=sql,
        severity=severity,
    )


def _as_stored(base: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments with numbers as a column of the type has them.

    Of 0.1 a float has another number than a double; and a decimal or a whole number that meets a
    double is made one, and loses digits.
    """

    def stored(value: Any) -> Any:
        if isinstance(value, list | tuple | set | frozenset):
            return [stored(item) for item in value]
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return value
        if base == "float":
            with suppress(OverflowError):  # beyond all floats it is compared as it is
                return struct.unpack("f", struct.pack("f", value))[0]
        if isinstance(value, float) and base not in _FLOATING and math.isfinite(value):
            exact = Decimal(repr(value))
            return exact if len(f"{abs(exact):f}".replace(".", "")) <= _MOST_DIGITS else value
        return value

    return {
        name: value if name.startswith("include_") else stored(value)
        for name, value in arguments.items()
    }


def _values(arguments: Mapping[str, Any]) -> Iterator[Any]:
    for name, argument in arguments.items():
        if name in ("allowed_values", "forbidden_values"):
            yield from argument
        elif not name.startswith("include_"):
            yield argument


def _check_fit(base: str, value: Any) -> None:
    """Raise UncompilableCheckError when Spark could not compare the column with the value."""
    fits: bool
    match base:
        case "boolean":
            fits = isinstance(value, bool)
        case "string":
            fits = isinstance(value, str)
        case "binary":
            fits = isinstance(value, bytes)
        case "date" | "timestamp" | "timestamp_ntz":
            fits = isinstance(value, date) or _is_instant(value)
        case _:
            fits = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not fits and value is not None:
        raise UncompilableCheckError(f"{value!r} cannot be compared with type {base}")


def _is_instant(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _plain(argument: Any) -> Any:
    """The argument as JSON-ready data in a stable order: fingerprints are made of it."""
    match argument:
        case bool() | int() | float() | str():
            return argument
        case re.Pattern():
            return argument.pattern
        case set() | frozenset() | list() | tuple():
            return [_plain(item) for item in sorted(argument, key=repr)]
        case _:
            return str(argument)


def rules(contract: ContractModel, severity: Severity) -> list[tuple[str, str]]:
    """(rule id, SQL that is true for a good row), in contract order."""
    found = []
    for column in contract.columns:
        if not column.nullable and severity is Severity.ERROR:
            found.append((f"{column.name}:not_null", f"{quoted(column.name)} IS NOT NULL"))
        for check in contract.checks:
            if check.column == column.name and check.severity is severity:
                # a column that may not be NULL has its own rule: the bare predicate can be
                # pushed into the scan
                guard = f"{quoted(column.name)} IS NULL OR " if column.nullable else ""
                found.append((check.id, f"({guard}{check.sql})"))
    scalar = (c.name for c in contract.columns if c.type.partition("(")[0] in _SCALAR)
    plain = next((quoted(name) for name in scalar), None)
    types = tuple((column.name, column.type) for column in contract.columns)
    found.extend(
        (
            check.id,
            f"coalesce({check.sql}, true)"
            if cannot_fail(check.sql, types)
            else kept(check.sql, plain),
        )
        for check in contract.checks
        if not check.column and check.severity is severity
    )
    return found


def good_sql(contract: ContractModel) -> str | None:
    """One predicate, true for exactly the rows that keep the contract; None when all do."""
    return " AND ".join(sql for _, sql in rules(contract, Severity.ERROR)) or None


def bad_reasons_sql(contract: ContractModel, severity: Severity = Severity.ERROR) -> str | None:
    """An `array<string>` of the ids of the rules a row breaks; None when there are no rules."""
    return reasons_sql(rules(contract, severity))


def reasons_sql(found: Sequence[tuple[str, str]]) -> str | None:
    """An `array<string>` of the ids of those (rule, SQL) that a row breaks; None without rules."""
    if not found:
        return None
    cases = ", ".join(f"CASE WHEN NOT ({sql}) THEN {literal(rule)} END" for rule, sql in found)
    return f"array_compact(array({cases}))"
