"""Lines of fixed width as records: each column's characters as text first, then as its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from penstock.assets.landing.cells import typed_cells
from penstock.assets.landing.names import check_names
from penstock.assets.landing.records import Records, columns_sent, lines, placed, reasons_sql
from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.formats import FixedWidth
    from penstock.assets.landing.line_look import LineLook
    from penstock.schemas.model import ContractModel

__all__ = ["read_places"]


def read_places(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    written: FixedWidth,
    look: LineLook,
    first: str,
    uris: list[str],
) -> Records:
    """The records of files of one look, of which `first` is one."""
    names = [item.landing.column_of(name) for name, _, _ in written.columns]
    check_names(item, contract, names, f"{first} for {contract.name} {contract.version}")
    rows = lines(spark, uris)
    rules = {}
    if written.encoding == "UTF-8":
        mark = "CASE WHEN startswith(_line, '\ufeff') THEN substring(_line, 2) ELSE _line END"
        rows = rows.withColumn("_line", F.expr(mark))
        if not look.decodes:
            rules["fixed:encoding"] = "NOT is_valid_utf8(_line)"
    else:
        # the bytes of a line are not looked at by Spark's reader of text
        text = f"decode(CAST(_line AS binary), {literal(written.encoding)})"
        if not look.decodes:
            # of a byte that is none decode() fails; any byte is a character of ISO-8859-1
            bytes_as_they_are = "decode(CAST(_line AS binary), 'ISO-8859-1')"
            rows = rows.withColumn("_bytes", F.expr(bytes_as_they_are))
            none = f"_bytes RLIKE {literal(_no_characters(written.encoding))}"
            rules["fixed:encoding"] = none
            text = f"CASE WHEN {none} THEN _bytes ELSE {text} END"
        rows = rows.withColumn("_line", F.expr(text))
    rows = rows.where(r"NOT (_line RLIKE '\\A[\\x00-\\x20]*\\z')")
    cells = {}
    for n, (_, start, width) in enumerate(written.columns):
        cell = f"nullif(rtrim(substring(_line, {start}, {width})), '')"
        for null in item.landing.null_values:
            cell = f"nullif({cell}, {literal(null)})"
        cells[f"_{n}"] = F.expr(cell)
    rows = rows.withColumns(cells)
    length = "char_length(_line)"
    malformed = f"{length} > {written.width} AND rtrim(substring(_line, {written.width + 1})) != ''"
    if not written.stripped:
        malformed = f"{length} < {written.width} OR ({malformed})"
    typed = typed_cells(
        rows,
        columns_sent(item.landing, contract),
        dict(zip(names, cells, strict=True)),
        item.landing.dates,
        written,
        placed(),
    )
    is_bad, reasons = reasons_sql({"fixed:malformed": malformed}, {**rules, **typed.rules})
    line = "to_json(map('line', make_valid_utf8(_line)))"
    return Records(rows=typed.rows, is_bad=is_bad, reasons=reasons, text=line)


def _no_characters(encoding: str) -> str:
    """The regular expression, Java's, of the bytes that are no character of the encoding."""
    none = [byte for byte in range(256) if not bytes([byte]).decode(encoding, errors="ignore")]
    signs = "".join(rf"\x{byte:02x}" for byte in none)
    return f"[{signs}]" if none else "(?!)"
