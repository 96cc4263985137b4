"""On which lines of a landing file the records stand that rows were made of, found by their cells.

Spark's CSV reader tells no row its place in the file. So the file is read once more, by Python's
`csv` module, for those rows alone that somebody looks at.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from penstock.assets.landing.cell import grammar
from penstock.assets.landing.csv_look import column_names, records
from penstock.assets.landing.formats import Csv, FixedWidth, JsonLines
from penstock.assets.landing.packing import DamagedFileError, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from penstock.assets.inputs.files import Landing
    from penstock.resources.lake import Lake

__all__ = ["MOST_LINES", "Cells", "Record", "is_compared", "lines_of"]

MOST_LINES = 3  # told of one row
_Read = Callable[[str], Hashable]
_IN_MILLIS = re.compile(r":\d\d\.\d{3}(?!\d)")
_BLANK = "".join(map(chr, (*range(0x21), 0x7F)))  # around a value, as Spark's casts have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A record by some of its cells: column -> (type, value as text, None for NULL)."""

    by_column: Mapping[str, tuple[str, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record whole: its cells in the file's order, None for NULL."""

    cells: tuple[str | None, ...]

    @classmethod
    def parse(cls, text: str, written: Csv | FixedWidth | JsonLines) -> Record:
        """The record as it stands in the file."""
        if not isinstance(written, Csv):
            return cls(cells=(text,))
        return cls(cells=tuple(next(records(io.StringIO(text, newline=""), written), ())))


def is_compared(kind: str) -> bool:
    """Whether cells of this type can be told apart by their values."""
    return kind.partition("(")[0] in _VALUES


def lines_of(
    lake: Lake, name: str, landing: Landing, sought: Sequence[Cells | Record]
) -> list[tuple[int, ...]]:
    """For each of `sought` the lines, from 1, on which such records begin; the first MOST_LINES.

    None are found in a file that was mended since, of a record that csv reads otherwise than
    Spark, and in a format without lines. Raises InputError when the file cannot be read.
    """
    found: list[list[int]] = [[] for _ in sought]
    written = landing.format
    if not isinstance(written, Csv | FixedWidth | JsonLines):
        return [() for _ in sought]
    encoding = "UTF-8" if isinstance(written, JsonLines) else written.encoding
    with (
        suppress(csv.Error, DamagedFileError),
        lake.open(name) as stream,
        unpacked(name, stream) as raw,
    ):
        text = io.TextIOWrapper(
            raw,
            "utf-8-sig" if encoding == "UTF-8" else encoding,
            errors="replace",
            newline="" if isinstance(written, Csv) else "\n",
        )
        records = _records(text, written) if isinstance(written, Csv) else _whole_lines(text)
        header: tuple[str, ...] = ()
        if isinstance(written, Csv):
            header = tuple(written.columns) or column_names(next(records, (0, []))[1])
        nulls = frozenset(("", *landing.null_values))
        whole = _Whole(sought, nulls)
        by_cells = _ByCells(sought, header, nulls)
        for line, record in records:
            for n in (*whole.like(record), *by_cells.like(record[: len(header)])):
                if len(found[n]) < MOST_LINES:
                    found[n].append(line)
    return [tuple(lines) for lines in found]


def _whole_lines(text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    """(number, the line as its only cell) of each line."""
    for number, line in enumerate(text, 1):
        yield number, [line.removesuffix("\n").removesuffix("\r")]


def _records(text: io.TextIOWrapper, written: Csv) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of each record, the header first."""
    lines = _Lines(text, written.comment)
    for record in records(lines, written):
        if record:
            yield lines.begins or 0, record
        lines.begins = None


class _Lines:
    """The lines of a file without its comments; `begins` is the first of the record at hand."""

    def __init__(self, text: io.TextIOWrapper, comment: str | None) -> None:
        self._text, self._comment = text, comment
        self._number = 0
        self.begins: int | None = None

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self._number += 1
            if self.begins is None:
                if self._comment and line.startswith(self._comment):
                    continue
                self.begins = self._number
            yield line


class _Whole:
    """Those that are known by all of their cells."""

    def __init__(self, sought: Sequence[Cells | Record], nulls: frozenset[str]) -> None:
        self._nulls = nulls
        self._known: dict[tuple[str | None, ...], list[int]] = {}
        for n, row in enumerate(sought):
            if isinstance(row, Record):
                self._known.setdefault(self._nulled(row.cells), []).append(n)

    def like(self, record: list[str]) -> Sequence[int]:
        """Which of them such a record is."""
        return self._known.get(self._nulled(record), ()) if self._known else ()

    def _nulled(self, cells: Sequence[str | None]) -> tuple[str | None, ...]:
        return tuple(None if cell in self._nulls else cell for cell in cells)


class _ByCells:
    """Those that are known by some of their cells, looked up by the one that differs most."""

    def __init__(
        self, sought: Sequence[Cells | Record], header: tuple[str, ...], nulls: frozenset[str]
    ) -> None:
        self._width, self._nulls = len(header), nulls
        self._rows: dict[int, dict[int, tuple[_Read, Hashable]]] = {}
        for n, row in enumerate(sought):
            if isinstance(row, Cells) and row.by_column and row.by_column.keys() <= set(header):
                self._rows[n] = {}
                for column, (kind, value) in row.by_column.items():
                    read = _reader(kind, in_millis=_IN_MILLIS.search(value or "") is not None)
                    known = None if value is None else read(value)
                    self._rows[n][header.index(column)] = read, known
        rows = self._rows.values()
        common = [n for n in range(len(header)) if all(n in row for row in rows)]
        self._place = max(common, key=lambda n: len({row[n] for row in rows}), default=0)
        # place 0 may not be common: those without it are looked at each time
        self._index: dict[_Read | None, dict[Hashable, list[int]]] = {}
        for n, values in self._rows.items():
            how, value_there = values.get(self._place, (None, None))
            self._index.setdefault(how, {}).setdefault(value_there, []).append(n)

    def like(self, record: list[str]) -> list[int]:
        """Which of them such a record may be."""
        if not self._rows or len(record) != self._width:
            return []
        cell = record[self._place]
        return [
            n
            for read, known in self._index.items()
            for n in known.get(read and self._value(cell, read), ())
            if all(self._value(record[p], how) == v for p, (how, v) in self._rows[n].items())
        ]

    def _value(self, cell: str, read: _Read) -> Hashable:
        return None if cell in self._nulls else read(cell)


@cache
def _reader(kind: str, *, in_millis: bool) -> _Read:
    """How a cell of the type is read: as its value, or as text where it is none of the type's.

    A time as exactly as the quarantine holds it: `in_millis` in rows that were set aside before
    times were kept whole.
    """
    if kind == "string":
        return str
    value, whole = _VALUES[kind.partition("(")[0]], re.compile(grammar(kind) or "")
    if value is _moment and in_millis:
        value = _moment_in_millis

    def read(text: str) -> Hashable:
        plain = text.strip(_BLANK)
        if not whole.fullmatch(plain):
            return text
        try:
            return value(plain)
        except ValueError:  # the 30th of February
            return text

    return read


def _real(text: str) -> Hashable:
    value = float(text)
    return "NaN" if math.isnan(value) else value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text[:11] + text[11:].replace(" ", ""))
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment


def _moment_in_millis(text: str) -> Hashable:
    moment = _moment(text)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


_VALUES: Mapping[str, _Read] = {
    "string": str,
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), int),
    "decimal": Decimal,
    "float": lambda text: _real(str(np.float32(text))),
    "double": _real,
    "boolean": lambda text: text.lower() in ("true", "t", "yes", "y", "1"),
    **dict.fromkeys(("date", "timestamp", "timestamp_ntz"), _moment),
}
