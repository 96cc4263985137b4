"""What the text of a landing cell may be, for each type; Spark's own casts guess."""

from __future__ import annotations

import re

from penstock.schemas.predicates import literal

__all__ = ["grammar", "value_sql", "wrong_sql"]

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?"
_NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)"
_WHOLE = r"[+-]?[0-9]+"
_REAL = rf"{_NUMBER}([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity"
_GRAMMARS = {
    "tinyint": _WHOLE,
    "smallint": _WHOLE,
    "int": _WHOLE,
    "bigint": _WHOLE,
    "float": _REAL,
    "double": _REAL,
    "boolean": "(?i)(true|false|t|f|yes|no|y|n|1|0)",
    "date": _DATE,
    "timestamp": rf"{_DATE}([T ]{_TIME} ?(Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?",
    "timestamp_ntz": rf"{_DATE}([T ]{_TIME})?",
}


def grammar(kind: str) -> str | None:
    """The regular expression that a whole cell of the type matches; None: any text.

    A decimal has no more digits after the point than its type, trailing zeros aside.
    """
    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", kind):
        scale = found[2]
        return rf"[+-]?([0-9]+([.][0-9]{{0,{scale}}}0*)?|[.](?=[0-9])[0-9]{{0,{scale}}}0*)"
    return _GRAMMARS.get(kind)


def value_sql(cell: str, kind: str) -> str:
    """SQL, the value of the cell; NULL where it is not of the type."""
    return cell if kind == "string" else f"try_cast(trim({cell}) AS {kind})"


def wrong_sql(cell: str, kind: str) -> str:
    """SQL, true for the text of a cell that is not of the type; the cell is not NULL."""
    value = value_sql(cell, kind)
    wrong = f"{value} IS NULL"
    if (pattern := grammar(kind)) is not None:
        wrong += f" OR NOT trim({cell}) RLIKE {literal(f'^(?:{pattern})$')}"
    if kind in ("float", "double"):
        # a number too large for the type is read as infinity
        wrong += f" OR (abs({value}) = CAST('Infinity' AS {kind}) AND NOT contains({cell}, 'Inf'))"
    return wrong
