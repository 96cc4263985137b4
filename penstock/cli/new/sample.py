"""A sample of a file, and what its columns may be: each guess with its reason."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.assets.landing.packing import plain_name, unpacked
from penstock.cli.new.kinds import column_names, kind_of_json, kind_of_texts
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyspark.sql.types as T

__all__ = ["Column", "Sample", "sampled"]

_ROWS = 10_000
_BYTES = 16 * 1024**2
_DELIMITERS = ",;\t|"
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_KEYS = re.compile(r"(?i)(^|_)(id|key|no|nr|number|code|uuid)$")
_FOR_PAIRS = 8  # columns of which each pair is tried as a key
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the sample. `kind` is a Spark type, `sent` its name in the file."""

    name: str
    sent: str
    kind: T.DataType
    nullable: bool
    reasons: tuple[str, ...]
    pattern: str | None = None  # of its dates
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The first rows of a file. `written` is the format as it is written in landing(...)."""

    file: str
    rows: int
    columns: tuple[Column, ...]
    written: str | None = None
    nulls: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())


def sampled(path: Path) -> Sample:
    """What the file's first rows say: at most 10,000.

    Of text as many as are in its first 16 MiB, of Parquet and ORC those of its first part.

    Raises InputError for a file of another format than CSV with a header line, JSON lines, Parquet
    and ORC, and for one without a row.
    """
    name = plain_name(path.name)
    try:
        match Path(name).suffix:
            case ".parquet":
                return _columnar(path, "Parquet()")
            case ".orc":
                return _columnar(path, "Orc()")
            case ".json" | ".jsonl" | ".ndjson":
                return _objects(path)
            case _:
                return _cells(path)
    except OSError as error:
        raise InputError(
            "the sample cannot be read",
            where=str(path),
            found=getattr(error, "strerror", None) or type(error).__name__,
            next_step="name a file that is there and may be read",
        ) from error


def _text(path: Path) -> tuple[str, str, bool]:
    """(The text of the file's beginning, its encoding in Penstock's words, whether it is whole)."""
    with path.open("rb") as stream, unpacked(path.name, stream) as text_of:
        content = text_of.read(_BYTES + 1)
    whole = len(content) <= _BYTES
    content = content[:_BYTES]
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            said = "UTF-8" if encoding.startswith("utf-8") else "UTF-16"
            return content.decode(encoding, errors="ignore"), said, whole
    try:
        # a letter may be cut by the end of the sample
        text, _ = codecs.utf_8_decode(content, "strict", whole)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), "windows-1252", whole
    return text, "UTF-8", whole


def _cells(path: Path) -> Sample:
    text, encoding, whole = _text(path)
    records, delimiter = max(
        ((_records(text, sign), sign) for sign in _DELIMITERS), key=lambda one: _parted(one[0])
    )
    if not whole:
        records = records[:-1]
    header, *rows = records or [[]]
    if not rows or len({*header}) < len(header):
        raise _no_sample(path, "a header line with each name once, and a record")
    trailing = len(header) > 1 and not header[-1] and all(row[-1:] == [""] for row in rows)
    header = header[:-1] if trailing else header
    if any(not cell.strip() or re.fullmatch(r"[-+.,:/\d\s]+", cell) for cell in header):
        raise _no_sample(path, "a header line with a name for each column")
    width = len(header) + trailing
    same = [row for row in rows if len(row) == width]
    comma = delimiter != "," and _has_commas(same)
    options = {
        "delimiter": delimiter if delimiter != "," else None,
        "encoding": encoding if encoding != "UTF-8" else None,
        "decimal": "," if comma else None,
        "thousands": "." if comma and _has_points(same) else None,
        "trailing_delimiter": True if trailing else None,
    }
    said = ", ".join(f"{name}={value!r}" for name, value in options.items() if value is not None)
    cells = [[row[n].strip() or None for row in same] for n in range(len(header))]
    plain = [[_with_point(c) if comma and c else c for c in column] for column in cells]
    # what stands for NULL in one column does so in all
    nulls = {mark for column in plain for mark in kind_of_texts(column)[3]}
    columns = []
    for n, (sent, name) in enumerate(zip(header, column_names(header), strict=True)):
        kind, pattern, reason, _ = kind_of_texts(plain[n])
        values = [None if cell in nulls else cell for cell in cells[n]]
        columns.append(_column(name, sent, kind, values, (reason,), pattern))
    same = [[cell if cell.strip() not in nulls else "" for cell in row] for row in same]
    remarks = [f"{len(rows) - len(same)} records have another number of cells"] * (
        len(same) < len(rows)
    )
    if encoding == "windows-1252":
        remarks.append("the bytes are no UTF-8: windows-1252 is a guess")
    return _whole(path, columns, same, f"Csv({said})" if said else None, nulls, remarks)


def _records(text: str, delimiter: str) -> list[list[str]]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [row for row in islice(reader, _ROWS + 1) if row]
    except csv.Error:
        return []


def _parted(records: Sequence[Sequence[str]]) -> tuple[float, int]:
    """How well the records are parted: the share of those as wide as the header, and the width."""
    if not records or len(records[0]) == 1:
        return (0.0, 0)
    width = len(records[0])
    return (sum(len(row) == width for row in records) / len(records), width)


def _has_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column has numbers with a comma, and none with a point alone."""
    number, comma = re.compile(r"[-+]?\d{1,3}(\.\d{3})*(,\d+)?|[-+]?\d+(,\d+)?"), re.compile(r",\d")
    for cells in zip(*rows, strict=True):
        found = [cell.strip() for cell in cells if cell.strip()]
        if found and all(map(number.fullmatch, found)) and any(map(comma.search, found)):
            return True
    return False


def _has_points(rows: Sequence[Sequence[str]]) -> bool:
    return any(re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+,\d+", c.strip()) for row in rows for c in row)


def _with_point(cell: str) -> str:
    if re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})*(,\d+)?|[-+]?\d+(,\d+)?", cell):
        return cell.replace(".", "").replace(",", ".")
    return cell


def _objects(path: Path) -> Sample:
    text, encoding, whole = _text(path)
    found = text.split("\n")
    found = [line for line in (found if whole else found[:-1])[:_ROWS] if line.strip()]
    objects = []
    for line in found:
        try:
            one = json.loads(line, parse_float=Decimal)
        except ValueError:
            continue
        if isinstance(one, dict):
            objects.append(one)
    if not objects or encoding != "UTF-8":
        raise _no_sample(path, "JSON lines: one object on each line, in UTF-8")
    sent = list(dict.fromkeys(key for one in objects for key in one))
    columns = []
    for key, name in zip(sent, column_names(sent), strict=True):
        values = [one.get(key) for one in objects]
        kind, reason, pattern = kind_of_json(values)
        columns.append(_column(name, key, kind, values, (reason,), pattern))
    rows = [[_hashable(one.get(key)) for key in sent] for one in objects]
    remarks = [f"{len(found) - len(objects)} lines are no objects"] * (len(objects) < len(found))
    return _whole(path, columns, rows, "JsonLines()", set(), remarks)


def _columnar(path: Path, written: str) -> Sample:
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema

    try:
        if written == "Parquet()":
            from pyarrow import parquet

            table = pa.Table.from_batches([next(parquet.ParquetFile(path).iter_batches(_ROWS))])
        else:
            from pyarrow import orc

            file = orc.ORCFile(path)
            stripes = [file.read_stripe(0)] if file.nstripes else []
            table = pa.Table.from_batches(stripes, file.schema).slice(0, _ROWS)
        # what pandas writes of categories is text
        fields = [
            f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f
            for f in table.schema
        ]
        kinds: Any = from_arrow_schema(pa.schema(fields))
    except (pa.ArrowException, StopIteration, TypeError, ValueError) as error:
        raise _no_sample(path, f"a {written.removesuffix('()')} file with rows") from error
    if not table.num_rows:
        raise _no_sample(path, f"a {written.removesuffix('()')} file with rows")
    columns = []
    for n, (one, name) in enumerate(zip(kinds.fields, column_names(kinds.names), strict=True)):
        values = table.column(n).to_pylist()
        reason = f"{one.dataType.simpleString()} in the file"
        columns.append(_column(name, one.name, one.dataType, values, (reason,), None))
    held = [[_hashable(value) for value in row.values()] for row in table.to_pylist()]
    return _whole(path, columns, held, written, set(), [])


def _whole(
    path: Path,
    columns: list[Column],
    rows: Sequence[Sequence[Any]],
    written: str | None,
    nulls: set[str],
    remarks: list[str],
) -> Sample:
    keyed = _with_key(columns, rows)
    if not any(column.key for column in keyed):
        remarks.append("no column, and no two of the first, tell the rows apart: there is no key")
    return Sample(
        file=path.name,
        rows=len(rows),
        columns=tuple(keyed),
        written=written,
        nulls=tuple(sorted(nulls)),
        remarks=tuple(remarks),
    )


def _column(
    name: str,
    sent: str,
    kind: T.DataType,
    values: Sequence[Any],
    reasons: tuple[str, ...],
    pattern: str | None,
) -> Column:
    empty = sum(value is None for value in values)
    more = [f"{empty:,} of {len(values):,} are empty"] if empty else []
    texts = [value for value in values if isinstance(value, str)]
    if texts and all(map(_EMAIL.fullmatch, texts)):
        more.append("e-mail addresses: pii=Pii.EMAIL, and cleared=[Pii.EMAIL] of the contract")
    return Column(
        name=name,
        sent=sent,
        kind=kind,
        nullable=bool(empty),
        reasons=(*reasons, *more),
        pattern=pattern,
    )


def _with_key(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> list[Column]:
    """The columns, of which one, or the first two that do, tell the rows apart."""
    import pyspark.sql.types as T

    unfit = (T.DoubleType, T.FloatType, T.ArrayType, T.MapType, T.StructType, T.VariantType)
    able = [n for n, c in enumerate(columns) if not c.nullable and not isinstance(c.kind, unfit)]
    # by its name first: another may tell a few rows apart by chance
    able.sort(key=lambda n: (not _KEYS.search(columns[n].name), n))
    tried = [(n,) for n in able] + list(combinations(sorted(able[:_FOR_PAIRS]), 2))
    found: tuple[int, ...] = ()
    if len(rows) > 1:
        found = next(
            (k for k in tried if len({tuple(r[n] for n in k) for r in rows}) == len(rows)), ()
        )
    together = " together" if found[1:] else ""
    reason = f"{len(rows):,} different values in {len(rows):,} rows{together}"
    return [
        replace(c, key=True, reasons=(*c.reasons, reason)) if n in found else c
        for n, c in enumerate(columns)
    ]


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, dict | list) else value


def _no_sample(path: Path, expected: str) -> InputError:
    return InputError(
        "nothing can be guessed from the sample",
        where=str(path),
        expected=expected,
        next_step="name another file, or write the contract by hand: docs/landing.md says how "
        "formats are named",
    )
