"""JSON objects as records, each on a line of a file or by itself, held against the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyspark.sql.types as T
from pyspark.sql import functions as F

from penstock.assets.landing.cell import Dates, value_sql, wrong_sql
from penstock.assets.landing.columnar_frames import wanted_types
from penstock.assets.landing.fit import Readings, extra_keys, fit
from penstock.assets.landing.json_value import cell_sql, is_text_sql, wrong_kind_sql
from penstock.assets.landing.records import PLACE, TIME, Records, Sent, lines, placed, reasons_sql
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.envelope import Envelope
    from penstock.assets.landing.formats import JsonDocument
    from penstock.assets.landing.line_look import LineLook
    from penstock.schemas.model import ContractModel

__all__ = ["GONE", "objects", "read_documents", "read_objects"]

_OPTIONS = "map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')"
_EVENT, _RECORD = "_event", "_record"
#: Over the records of change events: whether the row was deleted.
GONE = "_gone"
_INNER, _OPERATION = "_inner", "_operation"


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
    return objects(
        spark,
        rows,
        item.landing,
        contract,
        sha256,
        decodes=look.decodes,
        removes=item.removes is not None,
    )


def objects(
    spark: SparkSession,
    rows: DataFrame,
    sent_by: Sent,
    contract: ContractModel,
    mark: str,
    *,
    decodes: bool,
    removes: bool,
) -> Records:
    """The records of `rows`, each an object in the text `_line`; `decodes`: all of it is UTF-8.

    `mark` is a text of letters and digits that no record holds. A record is parsed once, as a map,
    so that keys which nobody asked for and keys that are there twice are seen; its values are
    variants, in which a decimal is what was written. Other columns of `rows` stay. `removes`: rows
    that change events delete leave the table.
    """
    # Spark's parser stops behind the first value of a text, whatever follows. So each text is one
    # of two values of an array, of which the second is this
    end = f'{{"{mark}":0}}'
    parsed = (
        f"from_json(concat('[', _line, ',', {literal(end)}, ']'), "
        f"'array<map<string,variant>>', {_OPTIONS})"
    )
    rows = rows.selectExpr("*", f"{parsed} AS _parsed")
    whole = f"size(_parsed) = 2 AND map_contains_key(_parsed[1], {literal(mark)})"
    rows = rows.selectExpr("*", f"CASE WHEN {whole} THEN _parsed[0] END AS {_EVENT}")
    return _records(spark, rows, sent_by, contract, decodes=decodes, removes=removes)


def read_documents(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    written: JsonDocument,
    uris: list[str],
) -> Records:
    """The records of documents, each parsed in one piece: of it there is all or nothing."""
    kind = "array<map<string,variant>>"
    for name in reversed(written.path):
        kind = f"struct<{quoted(name)}:{kind}>"
    parsed = f"from_json(value, {literal(kind)}, {_OPTIONS})"
    listed = ".".join([parsed, *map(quoted, written.path)])
    # as an argument: as an option it is overruled
    rows = spark.read.text(uris, wholetext=True)
    mark = "CASE WHEN startswith(value, '\ufeff') THEN substring(value, 2) ELSE value END"
    rows = rows.selectExpr(f"{mark} AS value", *placed())
    # the look has seen that it is one
    all_of_it = f"coalesce({listed}, raise_error('a JSON document that Spark does not read'))"
    rows = rows.selectExpr(f"explode({all_of_it}) AS {_EVENT}", TIME, PLACE)
    rows = rows.withColumn("_line", F.expr(f"to_json({_EVENT})"))
    return _records(
        spark, rows, item.landing, contract, decodes=True, removes=item.removes is not None
    )


def _records(
    spark: SparkSession,
    rows: DataFrame,
    sent_by: Sent,
    contract: ContractModel,
    *,
    decodes: bool,
    removes: bool,
) -> Records:
    """The records of objects that are parsed, `_event`, of which `_line` is the text.

    `removes`: rows that change events delete leave the table.
    """
    removes = removes and sent_by.envelope is not None
    wanted = wanted_types(spark, sent_by, contract)
    events = sent_by.envelope
    rows = rows.withColumn(_RECORD, F.col(_EVENT)) if events is None else _opened(rows, events)
    beside = events.paths if events else {}
    keys = f"map_keys({_RECORD})"
    # most files name the contract's columns in its order, which is told much faster
    sent = [sent_by.sent_as(name) for name in wanted if name not in beside]
    as_usual = f"{keys} = array({', '.join(map(literal, sent))})"
    twice = f"size(array_distinct({keys})) < size({keys})"
    broken = {
        "json:malformed": f"{_EVENT} IS NULL",
        **({} if events is None else _no_change(events)),
        "json:repeated": f"coalesce(NOT ({as_usual}) AND {twice}, false)"
        if events is None
        else f"size(array_distinct(map_keys({_EVENT}))) < size(map_keys({_EVENT}))",
    }
    rules = {}
    if not decodes:
        rules["json:encoding"] = "NOT is_valid_utf8(_line)"
    # a name of the contract's that is not sent under it would be another thing
    not_sent = [column.name for column in contract.columns if column.name not in sent]
    if not sent_by.extra_columns and sent_by.rest is None:
        extra = f"size({extra_keys(_RECORD, sent)}) > 0"
        rules["json:extra"] = f"NOT ({as_usual}) AND {extra}"
    elif sent_by.rest is not None and not_sent:
        known = f"arrays_overlap(map_keys({_RECORD}), array({', '.join(map(literal, not_sent))}))"
        rules["json:extra"] = f"NOT ({as_usual}) AND {known}"
    rows = rows.selectExpr(
        "*",
        *(
            f"{_at(beside[name]) if name in beside else _value(sent_by.sent_as(name))} AS _v{n}"
            for n, name in enumerate(wanted)
        ),
    )
    # each a projection of its own, so that each is computed once
    rows = rows.selectExpr("*", *(f"to_json(_v{n}) AS _j{n}" for n in range(len(wanted))))
    rows = rows.selectExpr("*", *(f"{cell_sql(f'_j{n}')} AS _t{n}" for n in range(len(wanted))))
    typed = []
    for n, (name, kind) in enumerate(wanted.items()):
        made, wrong = _column(n, name, kind, sent_by.dates(name), extra=sent_by.extra_columns)
        typed.append(f"{made} AS {quoted(name)}")
        # of a row that leaves the table no more is asked than what finds it
        asked = not removes or name in contract.key or name in beside
        rules[f"{name}:type"] = wrong if asked else f"NOT {GONE} AND ({wrong})"
    if events is not None:
        keys_sent = [sent_by.sent_as(k) for k in contract.key if k in wanted and k not in beside]
        rules |= _no_whole_change(events, keys_sent)
        if signs := [literal(f'"{sign}"') for sign in events.unavailable]:
            own = [f"_j{n}" for n, name in enumerate(wanted) if name not in beside]
            own += [_rest(sent)] if sent_by.rest is not None else []
            held = " OR ".join(f"contains({json}, {sign})" for json in own for sign in signs)
            unknown = f"coalesce({held or 'false'}, false)"
            rules["event:unavailable"] = f"NOT {GONE} AND {unknown}" if removes else unknown
    rows = rows.selectExpr("*", *typed)
    is_bad, reasons = reasons_sql(broken, rules)
    text = "to_json(map('line', make_valid_utf8(_line)))"
    return Records(rows=rows, is_bad=is_bad, reasons=reasons, text=text, rest=_rest(sent))


def _rest(sent: list[str]) -> str:
    """SQL, a JSON object of what a record has beside `sent`, by name; NULL for nothing."""
    others = f"NOT array_contains(array({', '.join(map(literal, sent))}), k)" if sent else "true"
    more = f"map_filter({_RECORD}, (k, v) -> {others} AND NOT coalesce(is_variant_null(v), true))"
    # in one order, whatever the sender's: it is compared
    entries = f"transform(array_sort(map_keys({more})), k -> struct(k, {_RECORD}[k]))"
    return f"nullif(to_json(map_from_entries({entries})), '{{}}')"


def _opened(rows: DataFrame, events: Envelope) -> DataFrame:
    """`rows` with the row that each event holds, and what the event says of it."""
    inner = _EVENT
    if events.wrapped is not None:
        # the converter's schema beside it
        both = f"map_contains_key({_EVENT}, 'schema') AND cardinality({_EVENT}) = 2"
        within = f"try_cast({_EVENT}[{literal(events.wrapped)}] AS map<string,variant>)"
        inner = f"CASE WHEN {both} THEN {within} ELSE {_EVENT} END"
    rows = rows.withColumn(_INNER, F.expr(inner))
    said = f"try_cast({_at(events.operation)} AS string)"
    rows = rows.withColumn(_OPERATION, F.expr(said))
    rows = rows.withColumn(GONE, F.expr(f"coalesce({_one_of(events.deletes)}, false)"))
    image = f"CASE WHEN {GONE} THEN {_at(events.before)} ELSE {_at(events.after)} END"
    return rows.withColumn(_RECORD, F.expr(f"try_cast({image} AS map<string,variant>)"))


def _no_change(events: Envelope) -> dict[str, str]:
    """The rules that a change event keeps, each with its test."""
    known = f"coalesce({_one_of((*events.writes, *events.deletes))}, false)"
    return {
        "event:operation": f"{_EVENT} IS NOT NULL AND NOT {known}",
        "event:row": f"{_EVENT} IS NOT NULL AND {known} AND {_RECORD} IS NULL",
    }


def _no_whole_change(events: Envelope, key: list[str]) -> dict[str, str]:
    """Rules of events that say something of a row, and not all that is to be done."""
    rules = {}
    if key:
        before = f"try_cast({_at(events.before)} AS map<string,variant>)"
        told = (f"to_json({before}[{literal(k)}])" for k in key)
        new = (f"to_json({_value(k)})" for k in key)
        others = (f"{a} <> 'null' AND {a} <> {b}" for a, b in zip(told, new, strict=True))
        either = " OR ".join(f"coalesce({other}, false)" for other in others)
        rules["event:key"] = f"NOT {GONE} AND ({either})"
    return rules


def _one_of(operations: tuple[str, ...]) -> str:
    return f"{_OPERATION} IN ({', '.join(map(literal, operations)) or 'NULL'})"


def _value(key: str) -> str:
    """SQL, the variant under the key of the row."""
    return f"{_RECORD}[{literal(key)}]"


def _at(path: str) -> str:
    """SQL, the variant at the path of the event."""
    first, *rest = path.split(".")
    value = f"{_INNER}[{literal(first)}]"
    for name in rest:
        value = f"try_cast({value} AS map<string,variant>)[{literal(name)}]"
    return value


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
        made_text = f"CASE WHEN {is_text_sql(value, json)} THEN CAST({value} AS string) END"
        return made_text, f"{json} IS NOT NULL AND ({wrong})"
    others = wrong_sql(cell, words, quoted(name), dates)
    return value_sql(cell, words, dates), f"{cell} IS NOT NULL AND ({others} OR {wrong})"
