"""Elements of XML as records: what each holds as text first, then as its column's type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.assets.landing.cells import typed_cells
from penstock.assets.landing.names import check_names
from penstock.assets.landing.records import Records, columns_sent, placed, reasons_sql
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.formats import Xml
    from penstock.assets.landing.xml_look import XmlLook
    from penstock.schemas.model import ContractModel

__all__ = ["check_elements", "read_elements"]

_SENT = "_sent"
# whatever the session says
_OPTIONS = {
    "attributePrefix": "@",
    "valueTag": "#text",
    "wildcardColName": "#any",
    "ignoreSurroundingSpaces": "false",
    "ignoreCorruptFiles": "false",
    "ignoreMissingFiles": "false",
    "useLegacyXMLParser": "false",
    "encoding": "UTF-8",
    "mode": "FAILFAST",  # the look has seen that all of it is XML
}


def check_elements(item: PinnedFiles, contract: ContractModel, look: XmlLook, file: str) -> None:
    """Raise InputError for elements and attributes of the file that nobody asked for.

    So for an element that holds others where a column is to be made of it, and for names that
    Spark would take for the column's, since they differ in letter case alone.
    """
    where = f"{file} for {contract.name} {contract.version}"
    wanted = columns_sent(item.landing, contract)
    sent = {item.landing.sent_as(column.name) for column in wanted}
    alike = {name.casefold() for name in sent}
    other = [n for n in look.columns if n not in sent and n.casefold() in alike]
    nested = sorted({*look.nested} & sent)
    if other or nested:
        raise InputError(
            "an element holds others, where a column is to have one value"
            if nested
            else "the file writes names in another way than the contract",
            where=where,
            expected="text alone in each" if nested else ", ".join(sorted(sent)),
            found=", ".join(nested or other),
            next_step="say Xml(row=...) of the inner element, or have the sender write a value"
            if nested
            else "have the sender write them letter by letter, or say names= of landing(...)",
        )
    there = [item.landing.column_of(name) for name in look.columns]
    lacking = [column.name for column in wanted if column.name not in there]
    check_names(item, contract, [*there, *lacking], where)


def read_elements(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    written: Xml,
    uris: list[str],
) -> Records:
    """The records of files that were checked; an element or attribute that lacks is NULL."""
    wanted = columns_sent(item.landing, contract)
    sent = {column.name: item.landing.sent_as(column.name) for column in wanted}
    # a list, so that an element that is there twice is seen: Spark would take the last
    kinds = (
        f"{quoted(name)} {'string' if name.startswith('@') else 'array<string>'}"
        for name in sent.values()
    )
    reader = spark.read.format("xml").options(rowTag=written.row, **_OPTIONS)
    rows = reader.schema(", ".join(kinds)).load(uris)
    cells, made, fields, rules = {}, [], [], {}
    for n, (column, name) in enumerate(sent.items()):
        value = text = quoted(name)
        if not name.startswith("@"):
            twice = f"coalesce(size({value}) > 1, false)"
            text = f"CASE WHEN {twice} THEN to_json({value}) ELSE try_element_at({value}, 1) END"
            value = f"try_element_at({value}, 1)"
            made.append(f"{twice} AS _twice{n}")
            rules[f"{column}:repeated"] = f"_twice{n}"
        made.append(f"nullif({value}, '') AS _{n}")
        cells[column] = f"_{n}"
        # by the contract's names, for by them it is known whose values are personal data
        fields.append(f"{literal(column)}, {text}")
    rows = rows.selectExpr(f"named_struct({', '.join(fields)}) AS {_SENT}", *made, *placed())
    typed = typed_cells(rows, wanted, cells, item.landing.dates, written)
    is_bad, reasons = reasons_sql({}, {**rules, **typed.rules})
    return Records(rows=typed.rows, is_bad=is_bad, reasons=reasons, text=f"to_json({_SENT})")
