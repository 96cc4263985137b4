"""CSV files as records: every cell as text first, then as its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from penstock.assets.landing.cells import typed_cells
from penstock.assets.landing.names import check_names, folded
from penstock.assets.landing.quoting import record_pattern
from penstock.assets.landing.records import NO_REST, Records, columns_sent, placed, reasons_sql
from penstock.errors import InputError
from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.csv_look import CsvLook
    from penstock.assets.landing.formats import Csv
    from penstock.schemas.model import ContractModel

__all__ = ["read_cells"]

_TRAILING = "_trailing"


def read_cells(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    written: Csv,
    look: CsvLook,
    first: str,
    uris: list[str],
) -> Records:
    """The records of files of one look, of which `first` is one.

    Raises InputError for a header that is not the contract's.
    """
    _check_header(item, contract, look, first, written)
    header = look.header
    cells = [f"_{n}" for n in range(len(header))]
    in_file = [*cells, *([_TRAILING] if written.trailing_delimiter else [])]
    rows = _read(spark, item.landing.null_values, written, look, in_file, uris)
    # never true; Spark refuses to read files for the sake of `_damaged` alone
    never = "coalesce(left(_0, 0), '') != ''"
    damaged = f"(_damaged IS NOT NULL OR {never})"
    if look.by_grammar:
        # NULL for a record of one cell too many
        record = literal(record_pattern(len(in_file), written))
        damaged = f"NOT coalesce(_damaged RLIKE {record}, {never})"
    if written.trailing_delimiter:
        damaged = f"({damaged} OR {_TRAILING} IS NOT NULL)"
    rules: dict[str, str] = {}
    if not look.decodes:
        unreadable = " OR ".join(f"contains({cell}, '\ufffd')" for cell in cells)
        rules["csv:encoding"] = f"coalesce({unreadable}, false)"
    place = dict(zip(map(item.landing.column_of, header), cells, strict=True))
    typed = typed_cells(
        rows, columns_sent(item.landing, contract), place, item.landing.dates, written, placed()
    )
    rules |= typed.rules
    # by the contract's names, for by them it is known whose values are personal data
    by_name = ", ".join(f"{literal(name)}, {cell}" for name, cell in place.items())
    in_order = ", ".join([*in_file, *(["_more"] if look.by_grammar else [])])
    # the cells of a record that cannot be split say nothing
    is_bad, reasons = reasons_sql({"csv:malformed": damaged}, rules)
    # as it came when it cannot be split, else its cells by name
    text = (
        f"CASE WHEN NOT ({damaged}) THEN to_json(map({by_name})) "
        "WHEN _damaged IS NOT NULL THEN to_json(map('line', _damaged)) "
        f"ELSE to_json(map('cells', array({in_order}))) END"
    )
    known = {column.name for column in columns_sent(item.landing, contract)}
    more = [f"{literal(n)}, {cell}" for n, cell in sorted(place.items()) if n not in known]
    rest = f"map_filter(map({', '.join(more)}), (k, v) -> v IS NOT NULL)"
    return Records(
        rows=typed.rows,
        is_bad=is_bad,
        reasons=reasons,
        text=text,
        rest=f"nullif(to_json({rest}), '{{}}')" if more else NO_REST,
    )


def _read(
    spark: SparkSession,
    nulls: Sequence[str],
    written: Csv,
    look: CsvLook,
    cells: list[str],
    uris: list[str],
) -> DataFrame:
    """The records as cells of text, empty ones NULL; `_damaged` has those of another number.

    Records that are held against the grammar are all in `_damaged`: with one cell more than there
    are, `_more`, the parser gives each back as it came.
    """
    names = [*cells, "_more", "_damaged"] if look.by_grammar else [*cells, "_damaged"]
    reader = (
        spark.read.schema(", ".join(f"{name} string" for name in names))
        .option("header", str(not written.columns).lower())
        .option("enforceSchema", "true")
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", "_damaged")
        .option("columnPruning", "false")
        # Spark takes a backslash for the beginning of an escape
        .option("sep", written.delimiter.replace("\\", "\\\\"))
        .option("quote", written.quote or "")
        .option("escape", written.escapes or written.quote or "\0")
        .option("nullValue", nulls[0])
        .option("encoding", written.encoding)
    )
    if written.comment:
        reader = reader.option("comment", written.comment)
    if look.separator is not None:
        # without a separator Spark turns a CRLF within quotes into a LF
        reader = reader.option("multiLine", "true").option("lineSep", look.separator)
    rows = reader.csv(uris)
    if look.separator is not None:
        # lines of nothing but blanks, which Spark leaves out itself where each line is a record
        sign = f"&&[^\\x{ord(written.delimiter):02x}]" if written.delimiter <= " " else ""
        blank = literal(rf"\A[\x00-\x20{sign}]*\z")
        rows = rows.where(F.expr(f"NOT coalesce(_damaged RLIKE {blank}, false)"))
    if look.separator == "\n":
        # the CR of a CRLF is left in the last cell, if that is not quoted
        last = cells[-1]
        ends = f"endswith({last}, '\r')"
        if written.quote:
            ends += f" AND NOT endswith(_damaged, {literal(chr(13) + written.quote)})"
        text = f"CASE WHEN {ends} THEN left({last}, length({last}) - 1) ELSE {last} END"
        text = f"nullif({text}, '')"
        for null in nulls:
            text = f"nullif({text}, {literal(null)})"
        rows = rows.withColumn(last, F.expr(text))
    others = [null for null in ("", *nulls[1:]) if null != nulls[0]]
    if others:
        among = ", ".join(literal(null) for null in others)
        rows = rows.withColumns(
            {cell: F.expr(f"CASE WHEN {cell} NOT IN ({among}) THEN {cell} END") for cell in cells}
        )
    return rows


def _check_header(
    item: PinnedFiles, contract: ContractModel, look: CsvLook, first: str, written: Csv
) -> None:
    """Raise InputError for a header that is not the contract's, and say why as far as is known."""
    expected = [column.name for column in columns_sent(item.landing, contract)]
    where = f"{first} for {contract.name} {contract.version}"
    header = [item.landing.column_of(name) for name in look.header]
    names = {folded(name) for sent in expected for name in (sent, item.landing.sent_as(sent))}
    if not {*header} >= {*expected} and (
        separator := _other_separator(look.header, names, written)
    ):
        raise InputError(
            f"the cells of the file are not separated by {_SEPARATORS[written.delimiter]}"
            if written.delimiter in _SEPARATORS
            else f"the cells of the file are not separated by {written.delimiter!r}",
            where=where,
            expected=f"a {written.delimiter!r} between two cells",
            found=_SEPARATORS[separator],
            next_step=f"say so: landing(format=Csv(delimiter={separator!r})); or have the sender "
            f"write {written.delimiter!r}",
        )
    if expected and {*header}.isdisjoint(expected) and names.isdisjoint(map(folded, look.header)):
        raise InputError(
            "the file has no header line",
            where=where,
            expected=", ".join(expected),
            # the first line may be a row: its cells are values
            found=f"{len(look.header)} other cells in the first line",
            next_step="have the sender put the column names in the first line, or name its cells "
            "in order: landing(format=Csv(columns=[...]))",
        )
    check_names(item, contract, header, where)


_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def _other_separator(header: tuple[str, ...], names: set[str], written: Csv) -> str | None:
    """What parts the names of a line that is not parted by the delimiter agreed on."""
    line = written.delimiter.join(header)
    for separator in _SEPARATORS:
        cells = [cell.strip().strip('"') for cell in line.split(separator)]
        if separator != written.delimiter and cells[1:] and {*map(folded, cells)} & names:
            return separator
    return None
