"""Numbers as senders write them in their own country: 1.234.567,89 and the like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from penstock.assets.landing.formats import Csv, FixedWidth, Xml

__all__ = ["is_number", "plain_number"]

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


def is_number(kind: str) -> bool:
    """Whether values of the type are numbers."""
    return kind.partition("(")[0] in _NUMBERS


def plain_number(cell: str, written: Csv | FixedWidth | Xml) -> str:
    """SQL, the number in the cell with a point and without thousands; NULL where it is none.

    Groups have three digits each, the first begins with no 0, and no exponent follows them: of
    1.23, 0.125 and 1.234E20 nobody knows what is meant where a point parts thousands.
    """
    point = re.escape(written.decimal)
    grouped, text = "", cell
    if written.thousands:
        # a blank between thousands is most often one that does not break
        groups = "[ \u00a0\u202f]" if written.thousands == " " else re.escape(written.thousands)
        grouped = rf"[+-]?[1-9][0-9]{{0,2}}(?:{groups}[0-9]{{3}})+(?:{point}[0-9]*)?|"
        text = f"translate({text}, {literal(' ' + chr(0xA0) + chr(0x202F))}, '')"
        if written.thousands != " ":
            text = f"replace({cell}, {literal(written.thousands)}, '')"
    around = r"[\x00-\x20\x7f]*"
    number = rf"[+-]?[0-9]*(?:{point}[0-9]*)?(?:[eE][+-]?[0-9]+)?|[+-]?Infinity|NaN"
    whole_cell = rf"\A{around}(?:{grouped}{number}){around}\z"
    return (
        f"CASE WHEN {cell} RLIKE {literal(whole_cell)} "
        f"THEN replace({text}, {literal(written.decimal)}, '.') END"
    )
