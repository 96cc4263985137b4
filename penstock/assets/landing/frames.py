"""Landing files as DataFrames: every cell as text first, then as its type. Nothing runs here."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from penstock.assets.landing.cell import value_sql, wrong_sql
from penstock.assets.landing.quoting import record_pattern
from penstock.assets.pinned import PinnedFiles
from penstock.assets.row_filters import newest_of, raise_unless
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing.file import TakenFile
    from penstock.assets.pinned import PinnedInput
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = ["FILE", "Arrived", "read_files", "with_file"]

FILE = "_penstock_file"
DAY = "_penstock_day"
TIME = "_penstock_time"
PLACE = "_penstock_place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A landing input as read: `good` rows with the contract's types, `rejected` ones raw.

    `rejected` has columns reasons (array<string>), row (JSON text), file (name below landing).
    """

    good: DataFrame
    rejected: DataFrame


def read_files(
    spark: SparkSession, item: PinnedFiles, contract: ContractModel, *, strict: bool
) -> Arrived:
    """The files as rows. With `strict`, running `good` raises BAD_ROW at one that cannot be read.

    Raises InputError for a header that is not the contract's.
    """
    groups: dict[_Kind, list[TakenFile]] = defaultdict(list)
    for file in item.files:
        _check_header(item, file, contract)
        groups[_Kind.of(file, item)].append(file)
    names = [quoted(column.name) for column in _in_files(item, contract)]
    newest = bool(item.apart) and len(item.files) > 1
    good, rejected = [], []
    for kind, files in groups.items():
        rows, is_bad, entry = _read_group(spark, item, contract, kind, files)
        kept = raise_unless(rows, f"NOT ({is_bad})") if strict else rows.where(f"NOT ({is_bad})")
        good.append(kept.select(*names, *((DAY, TIME, PLACE) if newest else ())))
        rejected.append(rows.where(is_bad).selectExpr(*entry))
    if not groups:
        columns = [f"{quoted(c.name)} {c.type}" for c in _in_files(item, contract)]
        good = [spark.createDataFrame([], ", ".join(columns))]
        rejected = [spark.createDataFrame([], "reasons array<string>, row string, file string")]
    frame = reduce(lambda a, b: a.unionByName(b), good)
    if newest:
        # by the pattern's day, then by the time the file was written, then by its name
        order = f"{DAY} DESC, {TIME} DESC, {PLACE} DESC"
        frame = newest_of(frame, item.apart, order).select(*names)
    return Arrived(good=frame, rejected=reduce(lambda a, b: a.unionByName(b), rejected))


def with_file(frame: DataFrame, inputs: tuple[PinnedInput, ...]) -> DataFrame:
    """The frame of a function and FILE, each row's landing file by its name below landing.

    NULL where rows are not of landing alone, and where Spark no longer knows: after a join, an
    aggregate or a union.
    """
    match inputs:
        case [PinnedFiles(files=(first, *_))]:
            file = F.expr(_below_landing(first, "_metadata.file_path")).alias(FILE)
            try:
                named = frame.select("*", file)
                _ = named.schema  # over Connect nothing is looked at before
            except AnalysisException:
                pass
            else:
                return named
    return frame.withColumn(FILE, F.lit(None).cast("string"))


def _in_files(item: PinnedFiles, contract: ContractModel) -> list[ColumnModel]:
    """The contract's columns that the files hold."""
    return [column for column in contract.columns if column.name not in item.landing.derived]


def _check_header(item: PinnedFiles, file: TakenFile, contract: ContractModel) -> None:
    expected = [column.name for column in _in_files(item, contract)]
    missing = [name for name in expected if name not in file.header]
    extra = [name for name in file.header if name not in expected]
    where = f"{file.name} for {contract.name} {contract.version}"
    if missing and (separator := _other_separator(file.header, expected)):
        raise InputError(
            "the cells of the file are not separated by commas",
            where=where,
            expected="a comma between two cells",
            found=separator,
            next_step="have the sender write commas, and quotes around cells that hold one",
        )
    alike = {_folded(name): name for name in extra}
    if other := [
        f"{name} is written {alike[_folded(name)]}" for name in missing if _folded(name) in alike
    ]:
        raise InputError(
            "the file's header writes columns in another way than the contract",
            where=where,
            expected=", ".join(expected),
            found="; ".join(ascii(text)[1:-1] if not text.isascii() else text for text in other),
            next_step="have the sender write the names letter by letter as the contract does, or "
            "name the contract's columns as the sender does",
        )
    if len(missing) == len(expected):
        raise InputError(
            "the file has no header line",
            where=where,
            expected=", ".join(expected),
            # the first line may be a row: its cells are values
            found=f"{len(file.header)} other cells in the first line",
            next_step="have the sender put the column names in the first line",
        )
    if missing or (extra and not item.landing.extra_columns):
        found = [f"missing {', '.join(missing)}"] if missing else []
        found += [f"extra {', '.join(extra)}"] if extra and not item.landing.extra_columns else []
        raise InputError(
            "the file's header is not the contract's",
            where=where,
            expected=", ".join(expected),
            found="; ".join(found),
            next_step="have the sender mend the file"
            + (
                ""
                if missing
                else ", add the column to the contract, or landing(extra_columns=True)"
            ),
        )


def _other_separator(header: tuple[str, ...], expected: list[str]) -> str | None:
    line = ",".join(header)
    for separator, name in {";": "semicolons", "\t": "tabs", "|": "vertical bars"}.items():
        cells = [cell.strip().strip('"') for cell in line.split(separator)]
        if cells[1:] and {*map(_folded, cells)} & {*map(_folded, expected)}:
            return name
    return None


def _folded(name: str) -> str:
    """The name without its letter case, Unicode form and what cannot be seen of it."""
    seen = "".join(c for c in name if unicodedata.category(c) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What files have in common that are read as one."""

    header: tuple[str, ...]
    utf8: bool
    separator: str | None
    goes_on: bool
    day: date | None

    @classmethod
    def of(cls, file: TakenFile, item: PinnedFiles) -> _Kind:
        return cls(
            header=file.header,
            utf8=file.utf8,
            separator=file.separator,
            goes_on=file.goes_on,
            day=file.day if item.apart else None,
        )

    @property
    def by_grammar(self) -> bool:
        """Whether each record is held against the grammar of quotes, not left to the parser."""
        return self.separator is not None or self.goes_on


def _read_group(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    kind: _Kind,
    files: list[TakenFile],
) -> tuple[DataFrame, str, tuple[str, ...]]:
    """(Rows of every cell as text and as its type, SQL true for bad ones, their entry's columns).

    The types are a projection of their own below what tests them, so that each cell is cast once.
    """
    cells = [f"_{n}" for n in range(len(kind.header))]
    rows = _read_cells(spark, item, kind, cells, files)
    # never true; Spark refuses to read files for the sake of `_damaged` alone
    never = "coalesce(left(_0, 0), '') != ''"
    damaged = f"(_damaged IS NOT NULL OR {never})"
    if kind.by_grammar:
        # NULL for a record of one cell too many
        pattern = literal(record_pattern(len(cells)))
        damaged = f"NOT coalesce(_damaged RLIKE {pattern}, {never})"
    rules = {"csv:malformed": damaged}
    if not kind.utf8:
        unreadable = " OR ".join(f"contains({cell}, '\ufffd')" for cell in cells)
        rules["csv:encoding"] = f"coalesce({unreadable}, false)"
    place = dict(zip(kind.header, cells, strict=True))
    typed, formats = [], dict(item.landing.formats)
    for column in _in_files(item, contract):
        cell, value = place[column.name], quoted(column.name)
        written = formats.get(column.name)
        typed.append(f"{value_sql(cell, column.type, written)} AS {value}")
        if column.type != "string":
            wrong = wrong_sql(cell, column.type, value, written)
            rules[f"{column.name}:type"] = f"{cell} IS NOT NULL AND ({wrong})"
    rows = rows.selectExpr(
        "*",
        *typed,
        f"DATE {literal(str(kind.day))} AS {DAY}" if kind.day else f"CAST(NULL AS date) AS {DAY}",
        f"_metadata.file_modification_time AS {TIME}",
        f"_metadata.file_path AS {PLACE}",
    )
    # the cells of a record that cannot be split say nothing
    others = (
        f"CASE WHEN NOT ({damaged}) AND {test} THEN {literal(rule)} END"
        for rule, test in rules.items()
        if rule != "csv:malformed"
    )
    first = f"CASE WHEN {damaged} THEN 'csv:malformed' END"
    by_name = ", ".join(f"{literal(name)}, {place[name]}" for name in kind.header)
    in_order = ", ".join([*cells, *(["_more"] if kind.by_grammar else [])])
    text = (
        # as it came when it cannot be split, else its cells by name
        f"CASE WHEN NOT ({damaged}) THEN to_json(map({by_name})) "
        "WHEN _damaged IS NOT NULL THEN to_json(map('line', _damaged)) "
        f"ELSE to_json(map('cells', array({in_order}))) END"
    )
    entry = (
        f"array_compact(array({', '.join([first, *others])})) AS reasons",
        f"{text} AS row",
        f"{_below_landing(files[0], PLACE)} AS file",
    )
    return rows, " OR ".join(f"({test})" for test in rules.values()), entry


def _read_cells(
    spark: SparkSession, item: PinnedFiles, kind: _Kind, cells: list[str], files: list[TakenFile]
) -> DataFrame:
    """The records as cells of text, empty ones NULL; `_damaged` has those of another number.

    Records that are held against the grammar are all in `_damaged`: with one cell more than there
    are, `_more`, the parser gives each back as it came.
    """
    null = item.landing.null_value
    names = [*cells, "_more", "_damaged"] if kind.by_grammar else [*cells, "_damaged"]
    reader = (
        spark.read.schema(", ".join(f"{name} string" for name in names))
        .option("header", "true")
        .option("enforceSchema", "true")
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", "_damaged")
        .option("columnPruning", "false")
        .option("quote", '"')
        .option("escape", '"')
        .option("nullValue", null)
        .option("encoding", "UTF-8")
    )
    if kind.separator is not None:
        # without a separator Spark turns a CRLF within quotes into a LF
        reader = reader.option("multiLine", "true").option("lineSep", kind.separator)
    rows = reader.csv([_escaped(file.uri) for file in files])
    if kind.separator is not None:
        # lines of nothing but blanks, which Spark leaves out itself where each line is a record
        blank = literal(r"\A[\x00-\x20]*\z")
        rows = rows.where(F.expr(f"NOT coalesce(_damaged RLIKE {blank}, false)"))
    if kind.separator == "\n":
        # the CR of a CRLF is left in the last cell, if that is not quoted
        last = cells[-1]
        ends = f"endswith({last}, '\r') AND NOT endswith(_damaged, '\r\"')"
        text = f"CASE WHEN {ends} THEN left({last}, length({last}) - 1) ELSE {last} END"
        rows = rows.withColumn(last, F.expr(f"nullif(nullif({text}, ''), {literal(null)})"))
    if null:
        rows = rows.withColumns({cell: F.expr(f"nullif({cell}, '')") for cell in cells})
    return rows


def _below_landing(file: TakenFile, path: str) -> str:
    """SQL, the name below landing of the file at `path`, as `_metadata` has it."""
    root = file.uri.removesuffix(file.name)
    # percent-encoded by Spark; url_decode would take a plus for a blank
    plain = f"url_decode(replace({path}, '+', '%2B'))"
    return f"substring({plain}, locate({literal(root)}, {plain}) + {len(root)})"


def _escaped(uri: str) -> str:
    """The path of one file: Spark would take [ ] { } in its name for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", uri)
