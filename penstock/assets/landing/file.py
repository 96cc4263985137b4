"""A landing file, looked at before Spark is: its content's hash, header, quotes and damage."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from penstock.assets.landing.quoting import Quoting
from penstock.errors import InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from penstock.resources.lake import Lake, LandingFile

__all__ = ["TakenFile", "column_names", "inspect_file", "refuse_changed"]

_INSPECTION = 1  # another number where `inspect_file` finds other things in the same bytes
_CHUNK = 1 << 20
_LONGEST_HEADER = 1 << 20
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
_UNZIP = "send the CSV itself, compressed only as .csv.gz"
_MAGIC = {
    b"PK\x03\x04": ("a zip archive or an Excel workbook", _UNZIP),
    b"\x1f\x8b": ("compressed with gzip", "end its name in .gz"),
    b"PAR1": ("Parquet", "write it as CSV"),
    b"Obj\x01": ("Avro", "write it as CSV"),
    b"ORC": ("ORC", "write it as CSV"),
    b"\x28\xb5\x2f\xfd": ("compressed with Zstandard", _UNZIP),
    b"BZh": ("compressed with bzip2", _UNZIP),
    b"\xfd7zXZ\0": ("compressed with xz", _UNZIP),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _UNZIP),
    b"%PDF": ("a PDF", "send the CSV itself"),
    codecs.BOM_UTF16_LE: ("text in UTF-16", "write it as text in UTF-8"),
    codecs.BOM_UTF16_BE: ("text in UTF-16", "write it as text in UTF-8"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenFile:
    """A file as it was when it was taken. `day` is the one that the pattern says it is of."""

    name: str
    uri: str
    bytes: int
    modified: datetime
    sha256: str
    day: date | None
    header: tuple[str, ...]
    utf8: bool  # False: some bytes are not UTF-8, the rows with them must be set aside
    separator: str | None  # of records that may span lines; None: each line is a record
    goes_on: bool  # some quoted cell has text behind its closing quote

    @property
    def identity(self) -> tuple[str | None, str]:
        """What makes it this file and no copy: its day and the SHA-256 of its bytes."""
        return self.day.isoformat() if self.day else None, self.sha256

    def document(self) -> dict[str, Any]:
        """What the commit says of the file."""
        day, sha256 = self.identity
        document = {"name": self.name, "sha256": sha256, "bytes": self.bytes}
        return {**document, "day": day} if day else document

    def findings(self) -> dict[str, Any]:
        """What reading the file found, JSON-ready."""
        return {
            "by": _INSPECTION,
            "sha256": self.sha256,
            "header": list(self.header),
            "utf8": self.utf8,
            "separator": self.separator,
            "goes_on": self.goes_on,
        }

    @classmethod
    def of_findings(
        cls, file: LandingFile, day: date | None, findings: Mapping[str, Any]
    ) -> Self | None:
        """The file by an earlier look's `findings`; None where that looked for other things."""
        if findings.get("by") != _INSPECTION:
            return None
        return cls(
            name=file.name,
            uri=file.uri,
            bytes=file.bytes,
            modified=file.modified,
            sha256=findings["sha256"],
            day=day,
            header=tuple(findings["header"]),
            utf8=findings["utf8"],
            separator=findings["separator"],
            goes_on=findings["goes_on"],
        )


def inspect_file(lake: Lake, file: LandingFile, day: date | None) -> TakenFile:
    """Read the file once.

    Raises InputError for a damaged file or header, one that grows, and one that is no CSV.
    """
    if ":" in file.name and "://" not in file.uri:
        raise InputError(
            "Spark reads no local file whose name has a colon",
            where=file.name,
            expected="a name without a colon",
            next_step="have the sender write 10-15 for 10:15, or rename the file",
        )
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    quoting = Quoting()
    head, utf8 = b"", True
    with lake.open(file.name) as stream:
        try:
            for chunk in _content(stream, digest, zipped=file.name.endswith(".gz")):
                head += chunk[: _LONGEST_HEADER - len(head)]
                quoting.feed(chunk)
                utf8 = utf8 and _decodes(decoder, chunk)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                "the compressed file is damaged or ends too early",
                where=file.name,
                expected="a whole gzip file",
                found=type(error).__name__,
                next_step="have the file sent again; nothing of it was loaded",
            ) from error
    quoting.close()
    _refuse_other_formats(file.name, head)
    _refuse_endless(file.name, quoting)
    taken = TakenFile(
        name=file.name,
        uri=file.uri,
        bytes=file.bytes,
        modified=file.modified,
        sha256=digest.hexdigest(),
        day=day,
        header=_header(file.name, head),
        utf8=utf8 and _decodes(decoder, b"", final=True),
        separator=quoting.separator if quoting.spans_lines else None,
        goes_on=quoting.goes_on,
    )
    refuse_changed([taken])
    return taken


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def refuse_changed(files: Iterable[TakenFile]) -> None:
    """Raise InputError for a file that is not, or no longer, as it was when it was looked at.

    A file that still grows would be known by the content it had, and loaded again as another one.
    An object store has an object whole or not at all: only local files are looked at.
    """
    for file in files:
        if "://" in file.uri:
            continue
        try:
            now = Path(file.uri).stat()
        except FileNotFoundError:
            now = None
        if now is None or (now.st_size, _instant(now)) != (file.bytes, file.modified):
            raise InputError(
                "the file changed while it was being read",
                where=file.name,
                expected=f"{file.bytes:,} bytes, written at {file.modified.isoformat()}",
                found="no such file"
                if now is None
                else f"{now.st_size:,} bytes, written at {_instant(now).isoformat()}",
                next_step="run again when the file is whole; nothing of it was loaded",
            )


def _instant(now: os.stat_result) -> datetime:
    return datetime.fromtimestamp(now.st_mtime, tz=UTC)


def _content(stream: BinaryIO, digest: Any, *, zipped: bool) -> Iterator[bytes]:
    """The content in chunks, after decompression; `digest` takes the bytes as they are."""
    inflate = zlib.decompressobj(wbits=31) if zipped else None
    while raw := stream.read(_CHUNK):
        digest.update(raw)
        if inflate is None:
            yield raw
            continue
        while raw:
            if inflate.eof:  # gzip members may follow each other
                inflate = zlib.decompressobj(wbits=31)
            if chunk := inflate.decompress(raw):
                yield chunk
            raw = inflate.unused_data
    if inflate is not None and not inflate.eof:
        raise EOFError


def _refuse_other_formats(name: str, head: bytes) -> None:
    """Raise InputError for a file that is no CSV text, and say what it is."""
    if found := _format(head):
        what, step = found
        raise InputError(
            f"the file is {what}, not CSV",
            where=name,
            expected="CSV text in UTF-8 with a header line, or the same with gzip as .csv.gz",
            found=what,
            next_step=f"have the sender {step}",
        )


def _format(head: bytes) -> tuple[str, str] | None:
    """(What the file is, what its sender should do), None for what may be CSV."""
    binary = _CONTROL.search(head[:1024]) is not None
    for magic, found in _MAGIC.items():
        # a column may be called PAR1
        if head.startswith(magic) and (binary or not magic.isalnum()):
            return found
    if b"\0" in head[:1024]:
        return "binary, or text in UTF-16 or UTF-32", "write it as text in UTF-8"
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"{", b"[")) and _is_json(text.splitlines()[0]):
        return "JSON", "write it as CSV"
    if text.startswith(b"<"):
        return "XML or HTML", "write it as CSV, or see whether it is an error page"
    return None


def _is_json(line: bytes) -> bool:
    """Whether the line is JSON, or the beginning of such as stands on several lines."""
    try:
        json.loads(line)
    except ValueError:
        return line.strip() in (b"{", b"[")
    except RecursionError:
        pass
    return True


def _refuse_endless(name: str, quoting: Quoting) -> None:
    """Raise InputError for a file of which nobody knows where its records end."""
    if quoting.unclosed is not None:
        raise InputError(
            "a quoted cell does not end",
            where=f"{name}, line {quoting.unclosed:,}",
            expected='a second quote (") that closes the cell; a quote within a cell is doubled',
            found="the end of the file",
            next_step="have the file sent again, whole, or with its quotes doubled; nothing of it "
            "was loaded",
        )
    if quoting.spans_lines and quoting.separator is None:
        raise InputError(
            "records that span lines end in different ways",
            where=name,
            expected="records that all end in LF or CRLF, or all in CR",
            found="CR alone ends some of them, LF or CRLF others",
            next_step="have the sender end all lines in the same way; nothing of it was loaded",
        )


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """What the cells of a header line call the columns."""
    return tuple(cell.strip() or f"column {n} without a name" for n, cell in enumerate(cells, 1))


def _header(name: str, head: bytes) -> tuple[str, ...]:
    text = head.decode("utf-8-sig", errors="replace")
    try:
        first = next(csv.reader(io.StringIO(text, newline="")), [])
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
