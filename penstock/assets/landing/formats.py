"""The formats of files that arrive, and what their senders write in their own way."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from penstock.errors import DefinitionError

__all__ = [
    "Avro",
    "Csv",
    "FixedWidth",
    "Format",
    "JsonDocument",
    "JsonLines",
    "Orc",
    "Parquet",
    "Xml",
]

_ELEMENT = re.compile(r"[^\W\d][\w.-]*(:[^\W\d][\w.-]*)?")
# Python's name -> Java's
_ENCODINGS = {
    "utf-8": "UTF-8",
    "ascii": "US-ASCII",
    "iso8859-1": "ISO-8859-1",
    "iso8859-2": "ISO-8859-2",
    "iso8859-15": "ISO-8859-15",
    "cp1250": "windows-1250",
    "cp1252": "windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Csv:
    """Records of cells that a delimiter parts, one to a line where no quoted cell spans lines.

    `delimiter`, `quote` and `escape` are one ASCII character each. A quoted cell ends at the next
    quote that is not doubled, or not behind `escape` where there is one; `quote=None` says that
    quotes are text like any other. In a cell without quotes an `escape` is text like any other,
    unless a quote or another one follows: of two programs one means it so and one does not, and the
    record is set aside. `encoding` is UTF-8, US-ASCII, ISO-8859-1, -2 or -15,
    windows-1250 or -1252, or UTF-16 (with a mark that says which, else UTF-16LE or UTF-16BE). With
    `columns` the files have no header line: these are the names of their cells in order. Lines that
    begin with `comment` are no records. `decimal` is what stands before the decimals, `thousands`
    what may stand between groups of three digits. `trailing_delimiter` says that each line ends
    with one more delimiter, behind which nothing stands.

    Raises DefinitionError for what no file can be written by.
    """

    kind: ClassVar = "csv"
    title: ClassVar = "CSV"
    packs: ClassVar = True

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    encoding: str = "UTF-8"
    columns: Sequence[str] = ()
    comment: str | None = None
    decimal: str = "."
    thousands: str | None = None
    trailing_delimiter: bool = False

    def __post_init__(self) -> None:
        """Raise DefinitionError for what no file can be written by."""
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "encoding", _encoding(self.encoding))
        structural = {
            "delimiter": self.delimiter,
            "quote": self.quote,
            "escape": self.escape,
            "comment": self.comment,
        }
        for name, sign in structural.items():
            if sign is None and name != "delimiter":
                continue
            if not _is_sign(sign, blank=name == "delimiter"):
                raise DefinitionError(
                    f"{name} is no character that files are taken apart by",
                    where=f"Csv({name}={sign!r})",
                    expected="one ASCII character that is no letter, digit or line end",
                    next_step="write it as the sender does, like delimiter=';' or delimiter='\\t'",
                )
        if self.quote is None and self.escape is not None:
            raise DefinitionError(
                "an escape stands before quotes, and no cell is quoted",
                where=f"Csv(quote=None, escape={self.escape!r})",
                expected="quote and escape, or neither",
                next_step="leave escape out: every character is text then. A sender that writes "
                "\\, for a delimiter in a cell (Python's QUOTE_NONE) is not read: have it quote",
            )
        used = [sign for sign in structural.values() if sign is not None]
        if self.escape is not None and self.escape == self.quote:
            used.remove(self.escape)
        if len({*used}) < len(used):
            raise DefinitionError(
                "one character cannot mean two things",
                where=f"Csv({', '.join(f'{k}={v!r}' for k, v in structural.items() if v)})",
                expected="delimiter, quote, escape and comment that differ",
                next_step="leave out those that the sender does not use",
            )
        _check_numbers("Csv", self.decimal, self.thousands)
        if len({*self.columns}) < len(self.columns) or not all(self.columns):
            raise DefinitionError(
                "columns without names of their own",
                where=f"Csv(columns={list(self.columns)!r})",
                expected="one name for each cell, all different",
                next_step="name the cells in the order of the files",
            )

    @property
    def wide(self) -> bool:
        """Whether a character is more than a byte, those that part cells too."""
        return self.encoding.startswith("UTF-16")

    @property
    def escapes(self) -> str | None:
        """The character that stands before a quote within a quoted cell, if it is no quote."""
        return None if self.escape == self.quote else self.escape


@dataclass(frozen=True, slots=True, init=False)
class FixedWidth:
    """Lines of text in which each column has its place.

    `columns` are names with (the first character, from 1, and the number of characters). Blanks at
    the end of a column fill it up and are no part of it. A line that ends before the last column
    does is none, unless its sender takes blanks off the ends of lines (`stripped`); text that no
    column has may stand between them, and behind the last there may only be blanks. `encoding`,
    `decimal` and `thousands` are those of `Csv`, but for UTF-16.

    Raises DefinitionError for columns that overlap or have no place.
    """

    kind: ClassVar = "text"
    title: ClassVar = "text of fixed width"
    packs: ClassVar = True

    columns: tuple[tuple[str, int, int], ...]
    encoding: str = "UTF-8"
    stripped: bool = False
    decimal: str = "."
    thousands: str | None = None

    def __init__(
        self,
        columns: Mapping[str, tuple[int, int]],
        *,
        encoding: str = "UTF-8",
        stripped: bool = False,
        decimal: str = ".",
        thousands: str | None = None,
    ) -> None:
        """Raise DefinitionError for columns that overlap or have no place."""
        places = _places(columns)
        _check_numbers("FixedWidth", decimal, thousands)
        said = _encoding(encoding)
        if said.startswith("UTF-16"):
            raise DefinitionError(
                "lines of fixed width are not read in UTF-16",
                where=f"FixedWidth(encoding={encoding!r})",
                expected="UTF-8, or an encoding of one byte a character",
                next_step="have the sender write UTF-8",
            )
        for name, value in {
            "columns": places,
            "encoding": said,
            "stripped": stripped,
            "decimal": decimal,
            "thousands": thousands,
        }.items():
            object.__setattr__(self, name, value)

    @property
    def width(self) -> int:
        """The characters of a line up to the end of its last column."""
        return max(start + width - 1 for _, start, width in self.columns)


def _places(columns: object) -> tuple[tuple[str, int, int], ...]:
    """(name, first character, number of characters) of each column, by place."""
    places: list[tuple[str, int, int]] = []
    for name, place in columns.items() if isinstance(columns, Mapping) else ():
        match place:
            case (int(start), int(width)) if name and start >= 1 and width >= 1:
                places.append((str(name), start, width))
            case _:
                raise _no_place(name, place)
    places.sort(key=lambda place: place[1])
    for (_, start, width), (name, *place) in pairwise(places):
        if place[0] < start + width:
            raise _no_place(name, (*place,))
    if not places:
        raise DefinitionError(
            "lines of fixed width without columns",
            where="FixedWidth",
            expected="the place of each column",
            next_step='write FixedWidth({"id": (1, 8), "name": (9, 20)})',
        )
    return tuple(places)


def _no_place(name: object, place: object) -> DefinitionError:
    return DefinitionError(
        "a column has no place of its own",
        where=f"FixedWidth, column {name!r}",
        expected="(the first character, from 1, and how many there are), behind the column before",
        found=repr(place),
        next_step='write FixedWidth({"id": (1, 8), "name": (9, 20)})',
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLines:
    """A JSON object on each line, its keys the columns' names; lines of blanks are no records.

    A key that is missing is NULL like `null`. Dates and datetimes are strings.
    """

    kind: ClassVar = "json"
    title: ClassVar = "JSON lines"
    packs: ClassVar = True
    encoding: ClassVar = "UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonDocument:
    """One JSON document a file with a list of objects: all of it, or at a path, `records`.

    `records="data.items"` is the list in `{"data": {"items": [...]}}`. Objects are read as those of
    JSON lines are. A file has 32 MB at most, unpacked: it is read in one piece.
    """

    records: str | None = None

    kind: ClassVar = "json"
    title: ClassVar = "a JSON document"
    packs: ClassVar = True

    def __post_init__(self) -> None:
        said: object = self.records
        if said is not None and not (isinstance(said, str) and all(said.split("."))):
            raise DefinitionError(
                "records= is no path in a JSON document",
                where=f"JsonDocument(records={self.records!r})",
                expected="names with points between, like data.items",
                next_step="write JsonDocument(records='items'), or leave it out for a list",
            )

    @property
    def path(self) -> tuple[str, ...]:
        """The names on the way to the list."""
        return tuple(self.records.split(".")) if self.records else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet:
    """Parquet, held against the contract column by column."""

    kind: ClassVar = "parquet"
    title: ClassVar = "Parquet"
    packs: ClassVar = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Orc:
    """ORC, held against the contract column by column."""

    kind: ClassVar = "orc"
    title: ClassVar = "ORC"
    packs: ClassVar = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Avro:
    """Avro object container files, held against the contract column by column."""

    kind: ClassVar = "avro"
    title: ClassVar = "Avro"
    packs: ClassVar = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Xml:
    """XML in UTF-8: each element called `row` is a record, wherever it stands.

    Its elements are the columns, each with a text as a cell of CSV has it; an attribute of the
    record is the column `@name`. An element that is missing or empty is NULL. A prefix of a
    namespace is part of the name. `decimal` and `thousands` are how numbers are written.
    """

    row: str
    decimal: str = "."
    thousands: str | None = None

    kind: ClassVar = "xml"
    title: ClassVar = "XML"
    packs: ClassVar = True

    def __post_init__(self) -> None:
        """Raise DefinitionError for what no element can be called."""
        said: object = self.row
        if not isinstance(said, str) or not _ELEMENT.fullmatch(said):
            raise DefinitionError(
                "no element of XML is called so",
                where=f"Xml(row={self.row!r})",
                expected="the name of the element that holds a record, as the file writes it",
                next_step="write Xml(row='booking') for <booking>...</booking>",
            )
        _check_numbers("Xml", self.decimal, self.thousands)


Format = Csv | FixedWidth | JsonLines | JsonDocument | Parquet | Orc | Avro | Xml
"""How files are written: `kind` as Spark calls it; with `packs` they may be compressed whole."""


def _check_numbers(kind: str, decimal: object, thousands: object) -> None:
    where = f"{kind}(decimal={decimal!r}, thousands={thousands!r})"
    if decimal not in (".", ",") or thousands not in (None, ".", ",", " ", "'", "_"):
        raise DefinitionError(
            "numbers are not written so",
            where=where,
            expected="a point or a comma before the decimals; a point, a comma, a blank, an "
            "apostrophe or an underscore between thousands",
            next_step="write it as the sender does, like decimal=',', thousands='.'",
        )
    if decimal == thousands:
        raise DefinitionError(
            "decimals and thousands cannot be told apart",
            where=where,
            expected="another character between thousands than before the decimals",
            next_step="write it as the sender does, like decimal=',', thousands='.'",
        )


def _is_sign(sign: object, *, blank: bool) -> bool:
    return (
        isinstance(sign, str)
        and len(sign) == 1
        and sign.isascii()
        and not sign.isalnum()
        and sign not in "\r\n\0"
        and (blank or not sign.isspace())
    )


def _encoding(name: object) -> str:
    """The encoding as Spark calls it."""
    try:
        return _ENCODINGS[codecs.lookup(str(name)).name]
    except (LookupError, ValueError) as error:
        raise DefinitionError(
            "this is no encoding that files are read in",
            where=f"encoding={name!r}",
            expected=f"one of {', '.join(_ENCODINGS.values())}",
            next_step="have the sender write UTF-8, or one of these",
        ) from error
