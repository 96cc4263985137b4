"""Cells of text as values of the contract's columns, and which of them are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.assets.landing.cell import value_sql, wrong_sql
from penstock.assets.landing.numbers import is_number, plain_number
from penstock.assets.landing.records import columns_in_files, placed
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.formats import Csv, FixedWidth
    from penstock.schemas.model import ContractModel

__all__ = ["TypedCells", "typed_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCells:
    """`rows` with a column for each of the contract, TIME and PLACE; `rules`, id -> SQL test."""

    rows: DataFrame
    rules: Mapping[str, str]


def typed_cells(
    rows: DataFrame,
    item: PinnedFiles,
    contract: ContractModel,
    cells: Mapping[str, str],
    written: Csv | FixedWidth,
) -> TypedCells:
    """The cells of `rows`, which come from a reader of files, as values.

    `cells` says which column of text, a plain name, holds a column of the contract. The types are a
    projection of their own below what tests them, so that each cell is cast once.
    """
    plain, typed, rules = {}, [], {}
    for column in columns_in_files(item, contract):
        value = quoted(column.name)
        if column.name not in cells:
            typed.append(f"CAST(NULL AS {column.type}) AS {value}")
            continue
        cell, dates = cells[column.name], item.landing.dates(column.name)
        text = cell
        if is_number(column.type) and (written.decimal, written.thousands) != (".", None):
            text = f"{cell}n"
            plain[text] = plain_number(cell, written)
        typed.append(f"{value_sql(text, column.type, dates)} AS {value}")
        if column.type != "string":
            wrong = wrong_sql(text, column.type, value, dates)
            wrong = wrong if text == cell else f"{text} IS NULL OR {wrong}"
            rules[f"{column.name}:type"] = f"{cell} IS NOT NULL AND ({wrong})"
    rows = rows.selectExpr("*", *(f"{sql} AS {name}" for name, sql in plain.items()), *placed())
    return TypedCells(rows=rows.selectExpr("*", *typed), rules=rules)
