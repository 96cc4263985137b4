"""Elements of XML as records: what each holds as text first, then as its column's type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.assets.landing.cells import typed_cells
from penstock.assets.landing.names import check_names
from penstock.assets.landing.records import Records, columns_sent, placed, reasons_sql
from penstock.assets.landing.xml_look import TEXT
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.formats import Xml
    from penstock.assets.landing.xml_look import XmlLook
    from penstock.schemas.model import ContractModel

__all__ = ["read_elements"]

_SENT = "_sent"


def read_elements(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    written: Xml,
    look: XmlLook,
    first: str,
    uris: list[str],
) -> Records:
    """The records of files of one look, of which `first` is one; an element that lacks is NULL.

    Raises InputError for elements and attributes that nobody asked for, and for an element that
    holds others where a column is to be made of it.
    """
    where = f"{first} for {contract.name} {contract.version}"
    wanted = columns_sent(item.landing, contract)
    sent = {column.name: item.landing.sent_as(column.name) for column in wanted}
    there = [item.landing.column_of(name) for name in look.columns]
    lacking = [column.name for column in wanted if column.name not in there]
    check_names(item, contract, [*there, *lacking], where)
    if nested := sorted({*look.nested} & {*sent.values()}):
        raise InputError(
            "an element holds others, where a column is to have one value",
            where=where,
            expected="text alone in each",
            found=", ".join(nested),
            next_step="say Xml(row=...) of the inner element, or have the sender write a value",
        )
    # a list, so that an element that is there twice is seen: Spark would take the last
    once = {name for name in sent.values() if name.startswith("@") or name == TEXT}
    kinds = (f"{quoted(n)} {'string' if n in once else 'array<string>'}" for n in sent.values())
    options = {
        "rowTag": written.row,
        "attributePrefix": "@",
        "valueTag": TEXT,
        "ignoreSurroundingSpaces": "false",
        "mode": "FAILFAST",  # the look has seen that all of it is XML
        "encoding": "UTF-8",
    }
    reader = spark.read.format("xml").options(**options)
    rows = reader.schema(", ".join(kinds)).load(uris)
    cells, made, rules = {}, [], {}
    for n, (column, name) in enumerate(sent.items()):
        value = quoted(name) if name in once else f"try_element_at({quoted(name)}, 1)"
        made.append(f"nullif({value}, '') AS _{n}")
        cells[column] = f"_{n}"
        if name not in once:
            rules[f"{column}:repeated"] = f"coalesce(size({_SENT}.{quoted(name)}) > 1, false)"
    fields = ", ".join(f"{literal(name)}, {quoted(name)}" for name in sent.values())
    rows = rows.selectExpr(f"named_struct({fields}) AS {_SENT}", *made, *placed())
    typed = typed_cells(rows, wanted, cells, item.landing.dates, written)
    is_bad, reasons = reasons_sql({}, {**rules, **typed.rules})
    return Records(rows=typed.rows, is_bad=is_bad, reasons=reasons, text=f"to_json({_SENT})")
