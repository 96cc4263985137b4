"""Pinned inputs as DataFrames. Nothing runs here: frames are lazy."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, assert_never

from pyspark.sql import functions as F

from penstock.assets.cell import value_sql, wrong_sql
from penstock.assets.pinned import Net, PinnedChanges, PinnedFiles, PinnedInput, PinnedTable
from penstock.errors import InputError
from penstock.lineage.plan_lineage import mark
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing_file import TakenFile
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = ["BAD_ROW", "Arrived", "input_frames", "raise_unless", "read_table"]

BAD_ROW = "penstock:bad-row"  # the message of the error a strict frame raises
REJECTED = "_penstock_rejected"
RAW = "_penstock_raw"
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

    `rejected` has columns reasons (array<string>), row (JSON text), file (name).
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
    groups: dict[tuple[tuple[str, ...], bool, date | None], list[TakenFile]] = defaultdict(list)
    for file in item.files:
        _check_header(item, file, contract)
        groups[file.header, file.utf8, file.day if item.apart else None].append(file)
    if not groups:
        empty = spark.createDataFrame([], _arrival_schema(item, contract))
        parts = [empty]
    else:
        parts = [
            _read_group(spark, item, contract, header, files, utf8=utf8).withColumn(
                DAY, F.lit(day).cast("date")
            )
            for (header, utf8, day), files in groups.items()
        ]
    everything = reduce(lambda a, b: a.unionByName(b), parts)
    names = [column.name for column in _in_files(item, contract)]
    ok = f"size({REJECTED}) = 0"
    kept = raise_unless(everything, ok) if strict else everything.where(F.expr(ok))
    rejected = everything.where(F.expr(f"NOT ({ok})"))
    if item.apart and len(item.files) > 1:
        kept = _of_newest_file(kept, item.apart)
    return Arrived(
        good=kept.select(*(quoted(name) for name in names)),
        rejected=rejected.select(
            F.col(REJECTED).alias("reasons"), F.col(RAW).alias("row"), F.col(FILE).alias("file")
        ),
    )


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


def _arrival_schema(item: PinnedFiles, contract: ContractModel) -> str:
    columns = [f"{quoted(c.name)} {c.type}" for c in _in_files(item, contract)]
    return ", ".join([*columns, f"{REJECTED} array<string>", f"{RAW} string", f"{FILE} string"])


def _check_header(item: PinnedFiles, file: TakenFile, contract: ContractModel) -> None:
    expected = [column.name for column in _in_files(item, contract)]
    missing = [name for name in expected if name not in file.header]
    extra = [name for name in file.header if name not in expected]
    if len(missing) == len(expected):
        raise InputError(
            "the file has no header line",
            where=f"{file.name} for {contract.name} {contract.version}",
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
            where=f"{file.name} for {contract.name} {contract.version}",
            expected=", ".join(expected),
            found="; ".join(found),
            next_step="have the sender mend the file"
            + (
                ""
                if missing
                else ", add the column to the contract, or landing(extra_columns=True)"
            ),
        )


def _read_group(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    header: tuple[str, ...],
    files: list[TakenFile],
    *,
    utf8: bool,
) -> DataFrame:
    """Files with one header: every cell as text first, so that a wrong type names its column."""
    names = [f"_{n}" for n in range(len(header))]
    schema = ", ".join(f"{name} string" for name in [*names, "_damaged"])
    raw = (
        spark.read.schema(schema)
        .option("header", "true")
        .option("enforceSchema", "true")
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", "_damaged")
        .option("columnPruning", "false")
        .option("quote", '"')
        .option("escape", '"')
        .option("nullValue", item.landing.null_value)
        .option("encoding", "UTF-8")
        .csv([_escaped(file.uri) for file in files])
    )
    place = dict(zip(header, names, strict=True))
    damaged = "_damaged IS NOT NULL"
    rules = [f"CASE WHEN {damaged} THEN 'csv:malformed' END"]
    if not utf8:
        unreadable = " OR ".join(f"contains({name}, '\\ufffd')" for name in names)
        rules.append(f"CASE WHEN coalesce({unreadable}, false) THEN 'csv:encoding' END")
    typed = []
    for column in _in_files(item, contract):
        cell = place[column.name]
        typed.append(f"{value_sql(cell, column.type)} AS {quoted(column.name)}")
        if column.type == "string":
            continue
        wrong = wrong_sql(cell, column.type)
        rules.append(
            f"CASE WHEN NOT ({damaged}) AND {cell} IS NOT NULL AND ({wrong}) "
            f"THEN {literal(column.name + ':type')} END"
        )
    cells = ", ".join(f"{literal(name)}, {place[name]}" for name in header)
    # the line as it came when it cannot be split, else its cells by name
    text = f"CASE WHEN {damaged} THEN to_json(map('line', _damaged)) ELSE to_json(map({cells})) END"
    return raw.selectExpr(
        *typed,
        f"array_compact(array({', '.join(rules)})) AS {REJECTED}",
        f"{text} AS {RAW}",
        # percent-encoded by Spark; url_decode would take a plus for a blank
        f"url_decode(replace(_metadata.file_name, '+', '%2B')) AS {FILE}",
        f"_metadata.file_modification_time AS {TIME}",
        f"_metadata.file_path AS {PLACE}",
    )


def _escaped(uri: str) -> str:
    """The path of one file: Spark would take [ ] { } in its name for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", uri)


def files_by_name(files: Iterable[TakenFile]) -> Mapping[str, TakenFile]:
    """The files by the last part of their name, as Spark's `_metadata.file_name` gives it."""
    return {file.name.rpartition("/")[2]: file for file in files}
