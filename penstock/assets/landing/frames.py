"""Landing files as DataFrames: rows of the contract's types, and the records that are none.

Spark runs nothing here. How files of each format are read is a file of its own, `csv_frames` and
the others; what they give has the same shape.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from penstock.assets.inputs.files import PinnedFiles
from penstock.assets.inputs.kind import Arrived
from penstock.assets.landing.columnar_frames import read_columns
from penstock.assets.landing.columnar_look import ColumnarLook
from penstock.assets.landing.csv_frames import read_cells
from penstock.assets.landing.csv_look import CsvLook
from penstock.assets.landing.file_pattern import DAY
from penstock.assets.landing.fixed_frames import read_places
from penstock.assets.landing.formats import (
    Avro,
    Csv,
    FixedWidth,
    JsonDocument,
    JsonLines,
    Orc,
    Parquet,
    Xml,
)
from penstock.assets.landing.json_frames import GONE, read_documents, read_objects
from penstock.assets.landing.line_look import LineLook
from penstock.assets.landing.records import (
    PLACE,
    TIME,
    Records,
    below_landing,
)
from penstock.assets.landing.xml_frames import check_elements, read_elements
from penstock.assets.landing.xml_look import XmlLook
from penstock.assets.row_filters import newest_of, only, raise_unless
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.kind import PinnedInput
    from penstock.assets.landing.file import Look, TakenFile
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = ["FILE", "read_files", "with_file"]

FILE = "_penstock_file"
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_WHEN = "_penstock_when"


def read_files(
    spark: SparkSession, item: PinnedFiles, contract: ContractModel, *, strict: bool
) -> Arrived:
    """The files as rows. With `strict`, running `good` raises BAD_ROW at one that cannot be read.

    Raises InputError for columns that are not the contract's.
    """
    groups: dict[tuple[Look, date | None, bool], list[TakenFile]] = defaultdict(list)
    pattern = item.landing.files
    asked = {fact for _, fact in item.landing.file_columns} & {*pattern.placeholders}
    by_day = pattern.by_day and bool(asked or item.apart)
    checked: set[XmlLook] = set()
    for file in item.files:
        look = file.look
        if isinstance(look, XmlLook):
            # what it says is checked, and files are read the same whatever it is
            if look not in checked:
                check_elements(item, contract, look, file.name)
                checked.add(look)
            look = XmlLook(columns=(), nested=())
        groups[look, file.day if by_day else None, file.is_copied].append(file)
    # in the contract's order
    columns = [c for c in contract.columns if c.name not in item.landing.derived]
    names = [quoted(column.name) for column in columns]
    newest = bool(item.apart) and len(item.files) > 1
    good, rejected = [], []
    for (look, day, _), files in groups.items():
        facts = _facts(item, contract, files, day)
        found = _as_landed(item, files, _records(spark, item, contract, look, files))
        if item.landing.rest is not None:
            facts[item.landing.rest] = found.rest
        keep = raise_unless if strict else only
        kept = keep(found.rows, f"NOT ({found.is_bad})")
        values = (
            f"CAST({facts[c.name]} AS {c.type}) AS {quoted(c.name)}"
            if c.name in facts
            else quoted(c.name)
            for c in columns
        )
        when = ", ".join(_said(item, said, day) for said in item.when)
        # by its name: paths begin otherwise where files are copied
        by = (f"concat_ws(' ', {when}) AS {_WHEN}", TIME, f"{_name(item)} AS {PLACE}")
        more = by if newest else ()
        good.append(kept.selectExpr(*values, *more))
        rejected.append(
            only(found.rows, found.is_bad).selectExpr(
                f"{found.reasons} AS reasons",
                f"{found.text} AS row",
                f"{_name(item)} AS file",
            )
        )
    if not groups:
        schema = ", ".join(f"{quoted(c.name)} {c.type}" for c in columns)
        good = [spark.createDataFrame([], schema)]
        rejected = [spark.createDataFrame([], "reasons array<string>, row string, file string")]
    frame = reduce(lambda a, b: a.unionByName(b), good)
    if newest:
        # by when the pattern says it is of, then by when the file was written, then by its name
        order = f"{_WHEN} DESC, {TIME} DESC, {PLACE} DESC"
        frame = newest_of(frame, item.apart, order).select(*names)
    return Arrived(good=frame, rejected=reduce(lambda a, b: a.unionByName(b), rejected))


def _facts(
    item: PinnedFiles, contract: ContractModel, files: list[TakenFile], day: date | None
) -> dict[str, str]:
    """By column that no file holds, the SQL of what is known of a row's file, one of `files`.

    Raises InputError for a name that does not say what the column can hold.
    """
    facts = {}
    for name, fact in item.landing.file_columns:
        column = contract.column(name)
        assert column is not None
        match fact:
            case "name":
                facts[name] = _name(item)
            case "modified":
                facts[name] = TIME
            case _:
                facts[name] = _said(item, fact, day)
                _refuse_misnamed(item, column, fact, files)
    if (events := item.landing.envelope) and events.deleted:
        facts[events.deleted] = GONE
    return facts


def _name(item: PinnedFiles) -> str:
    """SQL, the name below landing of a row's file."""
    return below_landing(_root(item.files[0]), PLACE) if item.files else "''"


def _said(item: PinnedFiles, placeholder: str, day: date | None) -> str:
    """SQL, the text that the placeholder stands for in the name of a row's file; NULL for none."""
    pattern = item.landing.files
    if placeholder == DAY and day is not None:
        return literal(day.isoformat())
    if placeholder not in pattern.placeholders:
        return "CAST(NULL AS string)"
    number = pattern.placeholders.index(placeholder) + 1
    whole = rf"\A(?:{pattern.regex(day)})\z"
    text = f"regexp_extract({_name(item)}, {literal(whole)}, {number})"
    if pattern.is_folder(placeholder):
        # as Hive writes it: what is no letter by its number, and NULL as a word
        plain = f"coalesce(try_url_decode(replace({text}, '+', '%2B')), {text})"
        text = f"nullif({plain}, {literal(_HIVE_NULL)})"
    return f"nullif({text}, '')"


def _refuse_misnamed(
    item: PinnedFiles, column: ColumnModel, placeholder: str, files: list[TakenFile]
) -> None:
    pattern = item.landing.files
    for file in files:
        text = (pattern.values(file.name, file.day) or {}).get(placeholder, "")
        if not text or (text == _HIVE_NULL and pattern.is_folder(placeholder)):
            continue  # NULL, which the contract takes or not
        if not _holds(column.type, text):
            raise InputError(
                f"the file's name says a {placeholder} that column {column.name} cannot hold",
                where=file.name,
                expected=f"{{{placeholder}}} in {pattern.text} as {column.type}",
                found=repr(text),
                next_step="rename the file, or give the column a type that holds it",
            )


def _holds(kind: str, text: str) -> bool:
    if kind == "string":
        return True
    if kind == "date":
        try:
            return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
        except ValueError:
            return False
    most = 2 ** (_BITS[kind] - 1)
    return re.fullmatch("[+-]?[0-9]{1,19}", text) is not None and -most <= int(text) < most


def _records(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    look: Look,
    files: list[TakenFile],
) -> Records:
    uris = [_escaped(_spark_reads(item, file)) for file in files]
    match item.landing.format, look:
        case Csv() as written, CsvLook():
            return read_cells(spark, item, contract, written, look, files[0].name, uris)
        case FixedWidth() as written, LineLook():
            return read_places(spark, item, contract, written, look, files[0].name, uris)
        case JsonLines(), LineLook():
            return read_objects(spark, item, contract, look, files[0].sha256, uris)
        case JsonDocument() as written, LineLook():
            return read_documents(spark, item, contract, written, uris)
        case Parquet() | Orc() | Avro(), ColumnarLook():
            return read_columns(spark, item, contract, look, files[0].name, uris)
        case Xml() as written, XmlLook():
            return read_elements(spark, item, contract, written, uris)
        case written, _:
            raise AssertionError(f"{written} is looked at otherwise")


def _spark_reads(item: PinnedFiles, file: TakenFile) -> str:
    """What Spark reads of the file: itself, or a copy."""
    if not file.is_copied:
        return file.uri
    assert item.copied is not None
    return item.copied.of(file)


def _as_landed(item: PinnedFiles, files: list[TakenFile], found: Records) -> Records:
    """The records of copies with PLACE and TIME of the files that they are of."""
    if not files[0].is_copied:
        return found
    assert item.copied is not None
    place = item.copied.as_landed(PLACE, _root(files[0]))
    known = {file.name: _millis(file.modified) for file in files}
    written = ", ".join(f"{literal(n)}, timestamp_millis({time})" for n, time in known.items())
    rows = found.rows.withColumn(PLACE, F.expr(place))
    rows = rows.withColumn(TIME, F.expr(f"element_at(map({written}), {_name(item)})"))
    return replace(found, rows=rows)


def _millis(moment: datetime) -> int:
    """Milliseconds since 1970: Spark knows no finer ones of files."""
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def with_file(frame: DataFrame, inputs: tuple[PinnedInput, ...]) -> DataFrame:
    """The frame of a function and FILE, each row's landing file by its name below landing.

    NULL where rows are not of landing alone, and where Spark no longer knows: after a join, an
    aggregate or a union.
    """
    match inputs:
        case [PinnedFiles(files=(first, *_)) as item]:
            path, copied = "_metadata.file_path", item.copied
            if copied is not None:
                path = copied.as_landed(path, _root(first))
            file = F.expr(below_landing(_root(first), path)).alias(FILE)
            try:
                named = frame.select("*", file)
                _ = named.schema  # over Connect nothing is looked at before
            except AnalysisException:
                pass
            else:
                return named
    return frame.withColumn(FILE, F.lit(None).cast("string"))


def _root(file: TakenFile) -> str:
    """The landing folder, as Spark has it in paths."""
    return file.uri.removesuffix(file.name)


def _escaped(uri: str) -> str:
    """The path of one file: Spark would take [ ] { } in its name for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", uri)
