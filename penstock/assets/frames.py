"""Pinned inputs as DataFrames. Nothing runs here: frames are lazy."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, assert_never

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from penstock.assets.cell import value_sql, wrong_sql
from penstock.assets.pinned import Net, PinnedChanges, PinnedFiles, PinnedInput, PinnedTable
from penstock.assets.quoting import record_pattern
from penstock.errors import InputError
from penstock.lineage.plan_lineage import mark
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing_file import TakenFile
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = [
    "BAD_ROW",
    "FILE",
    "Arrived",
    "input_frames",
    "raise_unless",
    "read_table",
    "with_file",
]

BAD_ROW = "penstock:bad-row"  # the message of the error a strict frame raises
FILE = "_penstock_file"
DAY = "_penstock_day"
TIME = "_penstock_time"
PLACE = "_penstock_place"
RANK = "_penstock_rank"
ROW = "_penstock_row"
_CHANGE_COLUMNS = ("_change_type", "_commit_version", "_commit_timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A landing input as read: `good` rows with the contract's types, `rejected` ones raw.

    `rejected` has columns reasons (array<string>), row (JSON text), file (name below landing).
    """

    good: DataFrame
    rejected: DataFrame


def input_frames(
    spark: SparkSession,
    inputs: Iterable[PinnedInput],
    contract: ContractModel,
    *,
    strict: bool,
) -> tuple[dict[str, DataFrame], list[Arrived]]:
    """A frame for each input, and what arrived from landing.

    With `strict`, a landing row that cannot be read raises BAD_ROW instead of being left out.
    """
    frames: dict[str, DataFrame] = {}
    arrived = []
    for item in inputs:
        match item:
            case PinnedTable():
                frame, dataset = read_table(spark, item), item.table.dataset
            case PinnedChanges():
                frame, dataset = _read_changes(spark, item), item.table.dataset
            case PinnedFiles():
                files = _read_files(spark, item, contract, strict=strict)
                arrived.append(files)
                frame, dataset = files.good, item.dataset
        frames[item.name] = mark(frame, dataset)
    return frames, arrived


def raise_unless(frame: DataFrame, predicate: str) -> DataFrame:
    """The frame; running it fails with BAD_ROW when a row does not keep `predicate`.

    Exactly the frame's rows are tested, each once: a filter does not move below a column whose
    value depends on where it is computed. Moved, it would compute what it tests a second time, and
    see rows that a join drops.
    """
    alarm = f"CAST(raise_error({literal(BAD_ROW)}) AS boolean)"
    test = f"{ROW} >= 0 AND CASE WHEN {predicate} THEN true ELSE {alarm} END"
    numbered = frame.withColumn(ROW, F.monotonically_increasing_id())
    return numbered.where(F.expr(test)).drop(ROW)


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


def read_table(spark: SparkSession, item: PinnedTable) -> DataFrame:
    """The table at its pinned version, cut to the slice."""
    frame = spark.read.format("delta").option("versionAsOf", item.version).load(item.table.path)
    if item.slice_by is None:
        return frame
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    if item.slice_by not in kinds:
        raise InputError(
            "the column to slice by is not in the table",
            where=f"{item.table.dataset}.{item.slice_by}",
            expected=f"one of {sorted(kinds)}",
            next_step=f"correct slice_by of input {item.name}",
        )
    return frame.where(F.expr(item.slice.predicate(item.slice_by, kinds[item.slice_by])))


def _read_changes(spark: SparkSession, item: PinnedChanges) -> DataFrame:
    reader = spark.read.format("delta")
    if not item.feed:
        return reader.option("versionAsOf", item.version).load(item.table.path)
    feed = (
        reader.option("readChangeFeed", "true")
        .option("startingVersion", item.after + 1)
        .option("endingVersion", item.version)
        .load(item.table.path)
    )
    added = "_change_type IN ('insert', 'update_postimage')"
    match item.net:
        case Net.ADDED:
            return feed.where(F.expr(added)).drop(*_CHANGE_COLUMNS)
        case Net.VERSIONS:
            return feed.where(F.expr(added)).drop(*_CHANGE_COLUMNS).distinct()
        case Net.NEWEST:
            return _newest(feed, item, added).where(F.expr(added)).drop(*_CHANGE_COLUMNS)
        case Net.BALANCE:
            return _balance(feed, added)
        case _:
            assert_never(item.net)


def _newest(feed: DataFrame, item: PinnedChanges, added: str) -> DataFrame:
    """The last thing that happened to each row; within a commit what was added is last.

    Two that a commit added at once are both given, for nobody knows which is right.
    """
    events = feed.where(F.expr("_change_type != 'update_preimage'"))
    apart = ", ".join(quoted(name) for name in item.apart)
    if item.apart != item.key:
        # a version that gives way to another one of its key was not taken out: it is history
        key = ", ".join(quoted(name) for name in item.key)
        came = f"CASE WHEN {added} THEN 1 ELSE -1 END"
        balance = F.expr(f"sum({came}) OVER (PARTITION BY {apart}, _commit_version)")
        comes = F.expr(f"max(_penstock_balance) OVER (PARTITION BY {key}, _commit_version)")
        events = events.withColumn("_penstock_balance", balance)
        events = events.withColumn("_penstock_comes", comes).where(
            F.expr("NOT (_change_type = 'delete' AND _penstock_comes > 0)")
        )
        events = events.drop("_penstock_balance", "_penstock_comes")
    order = "_commit_version DESC, CASE _change_type WHEN 'delete' THEN 1 ELSE 0 END"
    rank = F.expr(f"rank() OVER (PARTITION BY {apart} ORDER BY {order})")
    # rows without a key are no versions of each other: all of them must be set aside
    nameless = " OR ".join(f"{quoted(name)} IS NULL" for name in item.apart)
    return events.withColumn(RANK, rank).where(F.expr(f"{RANK} = 1 OR {nameless}")).drop(RANK)


def _balance(feed: DataFrame, added: str) -> DataFrame:
    """Each row as often as it was added more than taken out."""
    names = [F.col(quoted(name)) for name in feed.columns if name not in _CHANGE_COLUMNS]
    more = F.sum(F.expr(f"CASE WHEN {added} THEN 1 ELSE -1 END")).alias("_penstock_more")
    times = F.explode(F.expr("sequence(1L, _penstock_more)")).alias("_penstock_time")
    counted = feed.groupBy(*names).agg(more).where(F.expr("_penstock_more > 0"))
    return counted.select(*names, times).drop("_penstock_time")


def _read_files(
    spark: SparkSession, item: PinnedFiles, contract: ContractModel, *, strict: bool
) -> Arrived:
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
        frame = _of_newest_file(frame, item.apart).select(*names)
    return Arrived(good=frame, rejected=reduce(lambda a, b: a.unionByName(b), rejected))


def _of_newest_file(rows: DataFrame, apart: tuple[str, ...]) -> DataFrame:
    """Of the rows that `apart` does not tell apart those of the newest file, all of them.

    By the pattern's day, then by the time the file was written, then by its name.
    """
    names = ", ".join(quoted(name) for name in apart)
    order = f"{DAY} DESC, {TIME} DESC, {PLACE} DESC"
    rank = F.expr(f"rank() OVER (PARTITION BY {names} ORDER BY {order})")
    # rows without a key are no versions of each other: all of them must be set aside
    nameless = " OR ".join(f"{quoted(name)} IS NULL" for name in apart)
    return rows.withColumn(RANK, rank).where(F.expr(f"{RANK} = 1 OR {nameless}"))


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
