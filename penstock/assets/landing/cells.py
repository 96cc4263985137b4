"""Cells of text as values of the contract's columns, and which of them are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.assets.landing.cell import value_sql, wrong_sql
from penstock.assets.landing.numbers import is_number, plain_number
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyspark.sql import DataFrame

    from penstock.assets.landing.cell import Dates
    from penstock.assets.landing.formats import Csv, FixedWidth, Xml
    from penstock.schemas.model import ColumnModel

__all__ = ["TypedCells", "typed_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCells:
    """`rows` with a column for each of the contract's; `rules`, id -> SQL test."""

    rows: DataFrame
    rules: Mapping[str, str]


def typed_cells(
    rows: DataFrame,
    columns: Iterable[ColumnModel],
    cells: Mapping[str, str],
    dates_of: Callable[[str], Dates],
    written: Csv | FixedWidth | Xml | None = None,
    placed: Iterable[str] = (),
) -> TypedCells:
    """The cells of `rows` as values of the contract's `columns`.

    `cells` says which column of text, a plain name, holds which of them. `written` says how numbers
    are; `placed` are columns that the reader of the rows knows. The types are a projection of their
    own below what tests them, so that each cell is cast once.
    """
    plain, typed, rules = {}, [], {}
    for column in columns:
        value = quoted(column.name)
        if column.name not in cells:
            typed.append(f"CAST(NULL AS {column.type}) AS {value}")
            continue
        cell, dates = cells[column.name], dates_of(column.name)
        text = cell
        if (
            written
            and is_number(column.type)
            and (written.decimal, written.thousands) != (".", None)
        ):
            text = f"{cell}n"
            plain[text] = plain_number(cell, written)
        typed.append(f"{value_sql(text, column.type, dates)} AS {value}")
        if column.type != "string":
            wrong = wrong_sql(text, column.type, value, dates)
            wrong = wrong if text == cell else f"{text} IS NULL OR {wrong}"
            rules[f"{column.name}:type"] = f"{cell} IS NOT NULL AND ({wrong})"
    rows = rows.selectExpr("*", *(f"{sql} AS {name}" for name, sql in plain.items()), *placed)
    return TypedCells(rows=rows.selectExpr("*", *typed), rules=rules)
