"""The formats of files that arrive, and what their senders write in their own way."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import ClassVar

from penstock.errors import DefinitionError

__all__ = ["Csv", "Format", "JsonLines", "Orc", "Parquet"]

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
    quotes are text like any other. `encoding` is UTF-8, US-ASCII, ISO-8859-1, -2 or -15,
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
    columns: tuple[str, ...] = ()
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
        if self.decimal not in (".", ",") or self.thousands not in (None, ".", ",", " ", "'", "_"):
            raise DefinitionError(
                "numbers are not written so",
                where=f"Csv(decimal={self.decimal!r}, thousands={self.thousands!r})",
                expected="a point or a comma before the decimals; a point, a comma, a blank, an "
                "apostrophe or an underscore between thousands",
                next_step="write it as the sender does, like decimal=',', thousands='.'",
            )
        if self.decimal == self.thousands:
            raise DefinitionError(
                "decimals and thousands cannot be told apart",
                where=f"Csv(decimal={self.decimal!r}, thousands={self.thousands!r})",
                expected="another character between thousands than before the decimals",
                next_step="write it as the sender does, like decimal=',', thousands='.'",
            )
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


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLines:
    """A JSON object on each line, its keys the columns' names; lines of blanks are no records.

    A key that is missing is NULL like `null`. Dates and datetimes are strings.
    """

    kind: ClassVar = "json"
    title: ClassVar = "JSON lines"
    packs: ClassVar = True


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


Format = Csv | JsonLines | Parquet | Orc
"""How files are written: `kind` as Spark calls it; with `packs` they may be compressed whole."""


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
            where=f"Csv(encoding={name!r})",
            expected=f"one of {', '.join(_ENCODINGS.values())}",
            next_step="have the sender write UTF-8, or one of these",
        ) from error
