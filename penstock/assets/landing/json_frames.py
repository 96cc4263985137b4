"""JSON objects as records, each on a line of a file or by itself, held against the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyspark.sql.types as T
from pyspark.sql import functions as F

from penstock.assets.landing.cell import Dates, value_sql, wrong_sql
from penstock.assets.landing.columnar_frames import wanted_types
from penstock.assets.landing.fit import Readings, extra_keys, fit
from penstock.assets.landing.json_value import cell_sql, is_text_sql, wrong_kind_sql
from penstock.assets.landing.records import Records, Sent, lines, placed, reasons_sql
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.line_look import LineLook
    from penstock.schemas.model import ContractModel

__all__ = ["objects", "read_objects"]

_OPTIONS = "map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')"
_RECORD = "_record"


def read_objects(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    look: LineLook,
    sha256: str,
    uris: list[str],
) -> Records:
    """The records of files of one look, of which one has the hash `sha256`."""
    mark = "CASE WHEN startswith(_line, '\ufeff') THEN substring(_line, 2) ELSE _line END"
    rows = lines(spark, uris).selectExpr("_line", *placed())
    rows = rows.where(r"NOT (_line RLIKE '\\A[\\x00-\\x20\\ufeff]*\\z')")
    rows = rows.withColumn("_line", F.expr(mark))
    # no file can hold its own hash
    return objects(spark, rows, item.landing, contract, sha256, decodes=look.decodes)


def objects(
    spark: SparkSession,
    rows: DataFrame,
    sent_by: Sent,
    contract: ContractModel,
    mark: str,
    *,
    decodes: bool,
) -> Records:
    """The records of `rows`, each an object in the text `_line`; `decodes`: all of it is UTF-8.

    `mark` is a text of letters and digits that no record holds. A record is parsed once, as a map,
    so that keys which nobody asked for and keys that are there twice are seen; its values are
    variants, in which a decimal is what was written. Other columns of `rows` stay.
    """
    wanted = wanted_types(spark, sent_by, contract)
    # Spark's parser stops behind the first value of a text, whatever follows. So each text is one
    # of two values of an array, of which the second is this
    end = f'{{"{mark}":0}}'
    parsed = (
        f"from_json(concat('[', _line, ',', {literal(end)}, ']'), "
        f"'array<map<string,variant>>', {_OPTIONS})"
    )
    rows = rows.selectExpr("*", f"{parsed} AS _parsed")
    whole = f"size(_parsed) = 2 AND map_contains_key(_parsed[1], {literal(mark)})"
    rows = rows.selectExpr("*", f"CASE WHEN {whole} THEN _parsed[0] END AS {_RECORD}")
    keys = f"map_keys({_RECORD})"
    # most files name the contract's columns in its order, which is told much faster
    sent = [sent_by.sent_as(name) for name in wanted]
    as_usual = f"{keys} = array({', '.join(map(literal, sent))})"
    twice = f"size(array_distinct({keys})) < size({keys})"
    broken = {
        "json:malformed": f"{_RECORD} IS NULL",
        "json:repeated": f"coalesce(NOT ({as_usual}) AND {twice}, false)",
    }
    rules = {}
    if not decodes:
        rules["json:encoding"] = "NOT is_valid_utf8(_line)"
    if not sent_by.extra_columns:
        extra = f"size({extra_keys(_RECORD, sent)}) > 0"
        rules["json:extra"] = f"NOT ({as_usual}) AND {extra}"
    rows = rows.selectExpr(
        "*", *(f"{_RECORD}[{literal(name)}] AS _v{n}" for n, name in enumerate(sent))
    )
    # each a projection of its own, so that each is computed once
    rows = rows.selectExpr("*", *(f"to_json(_v{n}) AS _j{n}" for n in range(len(wanted))))
    rows = rows.selectExpr("*", *(f"{cell_sql(f'_j{n}')} AS _t{n}" for n in range(len(wanted))))
    typed = []
    for n, (name, kind) in enumerate(wanted.items()):
        made, wrong = _column(n, name, kind, sent_by.dates(name), extra=sent_by.extra_columns)
        typed.append(f"{made} AS {quoted(name)}")
        rules[f"{name}:type"] = wrong
    rows = rows.selectExpr("*", *typed)
    is_bad, reasons = reasons_sql(broken, rules)
    text = "to_json(map('line', make_valid_utf8(_line)))"
    return Records(rows=rows, is_bad=is_bad, reasons=reasons, text=text)


def _column(n: int, name: str, kind: T.DataType, dates: Dates, *, extra: bool) -> tuple[str, str]:
    """SQL of (the value of a column, whether what was sent is none), over _v, _j and _t of it."""
    value, json, cell = f"_v{n}", f"_j{n}", f"_t{n}"
    if isinstance(kind, T.StructType | T.ArrayType | T.MapType | T.VariantType):
        readings = Readings(extra=extra, dates=dates)
        made = fit(value, T.VariantType(), kind, name, readings)
        return made.value, f"NOT {made.test}"
    words = kind.simpleString()
    wrong = wrong_kind_sql(value, json, words)
    if words == "string":
        made_text = f"CASE WHEN {is_text_sql(json)} THEN CAST({value} AS string) END"
        return made_text, f"{json} IS NOT NULL AND ({wrong})"
    others = wrong_sql(cell, words, quoted(name), dates)
    return value_sql(cell, words, dates), f"{cell} IS NOT NULL AND ({others} OR {wrong})"
