"""What is looked for in a CSV file: its header, its quotes, and bytes of another encoding."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.landing.empty_records import EmptyRecords
from penstock.assets.landing.magic import refuse_other_text
from penstock.assets.landing.quoting import Quoting
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock.assets.landing.formats import Csv

__all__ = ["CsvLook", "CsvLooker", "column_names", "records"]

_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvLook:
    """What a CSV file is like. `header` names its cells."""

    header: tuple[str, ...]
    decodes: bool  # False: some bytes are not of the encoding, the rows with them are set aside
    separator: str | None  # of records that may span lines; None: each line is a record
    by_grammar: bool  # each record is held against the grammar of quotes, not left to the parser

    def findings(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {
            "header": list(self.header),
            "decodes": self.decodes,
            "separator": self.separator,
            "by_grammar": self.by_grammar,
        }

    @classmethod
    def of_findings(cls, findings: Mapping[str, Any]) -> Self:
        """The look of which these are the `findings`."""
        return cls(**{**findings, "header": tuple(findings["header"])})


@dataclass(slots=True)
class CsvLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    written: Csv
    _quoting: Quoting = field(init=False)
    _decoder: codecs.IncrementalDecoder = field(init=False)
    _head: bytes = b""
    _decodes: bool = True
    _has_nul: bool = False
    _empties: EmptyRecords = field(init=False)

    def __post_init__(self) -> None:
        self._quoting = Quoting(self.written)
        self._empties = EmptyRecords(self.written.delimiter)
        self._decoder = codecs.getincrementaldecoder(self.written.encoding)(
            "replace" if self.written.wide else "strict"
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self._head += chunk[: _LONGEST_HEADER - len(self._head)]
        text = self._decoded(chunk)
        # quotes and line ends are the same bytes in all encodings but the wide ones
        self._take(text.encode(errors="surrogatepass") if self.written.wide else chunk)

    def _take(self, chunk: bytes) -> None:
        self._has_nul |= self.written.quote is None and b"\0" in chunk
        self._empties.feed(chunk)
        self._quoting.feed(chunk)

    def look(self) -> CsvLook:
        """What was found. Raises InputError for what is no CSV, or has no end or no header."""
        written, name = self.written, self.name
        rest = self._decoded(b"", final=True)
        if written.wide:
            self._take(rest.encode(errors="surrogatepass"))
        self._quoting.close()
        refuse_other_text(
            name,
            self._head,
            written.title,
            expected=f"CSV text in {written.encoding}"
            + ("" if written.columns else " with a header line")
            + ", or the same with gzip as .csv.gz",
            wide=written.wide,
        )
        quoting = self._quoting
        # of wide characters Spark finds the line ends only where it reads a file whole, and a line
        # of nothing but blanks, though blanks part cells, is else none for it
        whole = quoting.spans_lines or self._empties.found or written.wide
        _refuse_endless(name, written, quoting, whole=whole)
        if self._has_nul:
            raise InputError(
                "the file has NUL characters, and Spark would take them for quotes",
                where=name,
                expected="text without them where quote=None",
                next_step="have the sender leave them out, or quote cells",
            )
        if written.escapes and quoting.goes_on and whole:
            raise InputError(
                "text stands behind the quote that closes a cell, in a file that is read whole",
                where=name,
                expected=f"a delimiter or a line end behind it; a quote within a cell is behind a "
                f"{written.escapes}",
                next_step="have the sender mend the file: nobody knows where its records end, for "
                "some span lines or are of empty cells, or it is in UTF-16; nothing was loaded",
            )
        return CsvLook(
            header=self._header(whole=whole),
            decodes=self._decodes,
            separator=quoting.separator if whole else None,
            by_grammar=whole or quoting.goes_on or quoting.escapes,
        )

    def _decoded(self, chunk: bytes, *, final: bool = False) -> str:
        if not self._decodes and not self.written.wide:
            return ""
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self._decodes = False
            return ""
        except UnicodeError as error:  # nothing says which byte is first
            raise InputError(
                "the file is no UTF-16, or does not say which of its bytes is first",
                where=self.name,
                expected="a byte order mark, which Csv(encoding='UTF-16') asks for",
                next_step="say which: Csv(encoding='UTF-16LE') or 'UTF-16BE'; or another encoding",
            ) from error
        if "\ufffd" in text and self.written.wide:
            self._decodes = False
        return text

    def _header(self, *, whole: bool) -> tuple[str, ...]:
        text = self._head.decode(self.written.encoding, errors="replace").removeprefix("\ufeff")
        if self.written.columns and text.strip("\r\n" if self.written.delimiter <= " " else None):
            return tuple(self.written.columns)
        return _header_cells(self.name, text, self.written, whole=whole)


def records(lines: Iterable[str], written: Csv) -> Iterator[list[str]]:
    """The records in lines of such a file, as Python's reader has them; it knows no comments."""
    quote = written.quote
    return csv.reader(
        lines,
        delimiter=written.delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        escapechar=written.escapes,
        doublequote=written.escapes is None,
    )


def _header_cells(name: str, text: str, written: Csv, *, whole: bool) -> tuple[str, ...]:
    """The names in the first line of `text` that is no comment. Raises InputError for none.

    Of a file that Spark reads whole a line of blanks is one, too.
    """
    lines = io.StringIO(text, newline="")
    if written.comment:
        rest = lines.readlines()
        none = "\r\n" if whole else None
        while rest and (rest[0].startswith(written.comment) or not rest[0].strip(none)):
            rest.pop(0)
        lines = io.StringIO("".join(rest), newline="")
    try:
        first = next(records(lines, written), [])
    except csv.Error as error:
        raise InputError(
            "the first line is not a CSV header",
            where=name,
            expected="a header line that names the columns",
            found=f"{len(text.splitlines()[0]):,} characters that are no list of names",
            next_step="have the sender send the CSV itself, compressed only as .csv.gz",
        ) from error
    if not any(cell.strip() for cell in first):
        raise InputError(
            "the first line is empty" if text.strip() else "the file is empty",
            where=name,
            expected="a header line that names the columns",
            found="nothing",
            next_step="have the file sent again, or remove it from landing",
        )
    if written.trailing_delimiter and not first[-1].strip():
        first = first[:-1]
    header = column_names(first)
    if twice := [str(n) for n, cell in enumerate(header, 1) if cell in header[: n - 1]]:
        raise InputError(
            "the header names a column twice",
            where=name,
            # by place: without a header line, the names would be values
            found=f"columns {', '.join(twice)} are called the same as one before",
            next_step="have the sender give each column a name of its own",
        )
    return header


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """What the cells of a header line call the columns."""
    return tuple(cell.strip() or f"column {n} without a name" for n, cell in enumerate(cells, 1))


def _refuse_endless(name: str, written: Csv, quoting: Quoting, *, whole: bool) -> None:
    """Raise InputError for a file of which nobody knows where its records end."""
    if quoting.unclosed is not None:
        how = f"behind a {written.escapes}" if written.escapes else "doubled"
        raise InputError(
            "a quoted cell does not end",
            where=f"{name}, line {quoting.unclosed:,}",
            expected=f"a second quote ({written.quote}) that closes the cell; a quote within a "
            f"cell is {how}",
            found="the end of the file",
            next_step="have the file sent again, whole, or with the quotes within its cells "
            f"{how}; nothing of it was loaded",
        )
    if whole and quoting.separator is None:
        raise InputError(
            "records that span lines end in different ways"
            if quoting.spans_lines
            else "records end in different ways, in a file that must be read whole",
            where=name,
            expected="records that all end in LF or CRLF, or all in CR",
            found="CR alone ends some of them, LF or CRLF others",
            next_step="have the sender end all lines in the same way; nothing of it was loaded",
        )
