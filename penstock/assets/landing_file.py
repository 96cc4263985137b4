"""A landing file, looked at before Spark is: its content's hash, header and damage."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.errors import InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from datetime import date

    from penstock.resources.lake import Lake, LandingFile

__all__ = ["TakenFile", "inspect_file", "refuse_changed"]

_CHUNK = 1 << 20
_LONGEST_HEADER = 1 << 20


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

    @property
    def identity(self) -> tuple[str | None, str]:
        """What makes it this file and no copy: its day and the SHA-256 of its bytes."""
        return self.day.isoformat() if self.day else None, self.sha256

    def document(self) -> dict[str, Any]:
        """What the commit says of the file."""
        day, sha256 = self.identity
        document = {"name": self.name, "sha256": sha256, "bytes": self.bytes}
        return {**document, "day": day} if day else document


def inspect_file(lake: Lake, file: LandingFile, day: date | None) -> TakenFile:
    """Read the file once. Raises InputError for a damaged file or header, or one that grows."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    head, utf8 = b"", True
    with lake.open(file) as stream:
        try:
            for chunk in _content(stream, digest, zipped=file.name.endswith(".gz")):
                if b"\n" not in head and len(head) < _LONGEST_HEADER:
                    head += chunk
                if utf8:
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError:
                        utf8 = False
            if utf8:
                try:
                    decoder.decode(b"", final=True)
                except UnicodeDecodeError:
                    utf8 = False
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                "the compressed file is damaged or ends too early",
                where=file.name,
                expected="a whole gzip file",
                found=type(error).__name__,
                next_step="have the file sent again; nothing of it was loaded",
            ) from error
    taken = TakenFile(
        name=file.name,
        uri=file.uri,
        bytes=file.bytes,
        modified=file.modified,
        sha256=digest.hexdigest(),
        day=day,
        header=_header(file.name, head),
        utf8=utf8,
    )
    refuse_changed([taken])
    return taken


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


def _header(name: str, head: bytes) -> tuple[str, ...]:
    # where Spark ends a line: a lone CR counts
    line = re.split(rb"\r\n|\r|\n", head, maxsplit=1)[0].decode("utf-8-sig", errors="replace")
    try:
        header = tuple(cell.strip() for cell in next(csv.reader([line]), []))
    except csv.Error as error:
        raise InputError(
            "the first line is not a CSV header",
            where=name,
            expected="a header line that names the columns",
            found=f"{len(line):,} characters that are no list of names",
            next_step="have the sender send the CSV itself, compressed only as .csv.gz",
        ) from error
    if not any(header):
        raise InputError(
            "the file is empty",
            where=name,
            expected="a header line that names the columns",
            found="nothing",
            next_step="have the file sent again, or remove it from landing",
        )
    if twice := [str(n) for n, cell in enumerate(header, 1) if cell in header[: n - 1]]:
        raise InputError(
            "the header names a column twice",
            where=name,
            # by place: without a header line, the names would be values
            found=f"columns {', '.join(twice)} are called the same as one before",
            next_step="have the sender give each column a name of its own",
        )
    return header
