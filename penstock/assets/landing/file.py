"""A landing file as it was when it was taken, looked at before Spark is: its hash, and its format.

What is looked for in a format is a file of its own beside this one, `csv_look` and the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, assert_never

from penstock.assets.landing.avro_look import AvroLooker
from penstock.assets.landing.columnar_look import ColumnarLook, ColumnarLooker
from penstock.assets.landing.csv_look import CsvLook, CsvLooker
from penstock.assets.landing.document_look import DocumentLooker
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
from penstock.assets.landing.line_look import LineLook, LineLooker
from penstock.assets.landing.packing import contents, is_packed_otherwise, refuse_misnamed
from penstock.assets.landing.xml_look import XmlLook, XmlLooker
from penstock.errors import InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from datetime import date

    from penstock.assets.landing.formats import Format
    from penstock.resources.lake import Lake, LandingFile

__all__ = ["Look", "TakenFile", "inspect_file", "refuse_changed"]

_INSPECTION = 4  # another number where looking finds other things in the same bytes

Look = CsvLook | LineLook | ColumnarLook | XmlLook


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenFile:
    """A file as it was when it was taken. `day` is the one that the pattern says it is of.

    `said` is what its name says besides, by the placeholders of the pattern.
    """

    name: str
    uri: str
    bytes: int
    modified: datetime
    sha256: str
    day: date | None
    look: Look
    said: str | None = None

    @property
    def is_copied(self) -> bool:
        """Whether Spark reads an unpacked copy of it."""
        return is_packed_otherwise(self.name) and not isinstance(self.look, ColumnarLook)

    @property
    def identity(self) -> tuple[str | None, str]:
        """What makes it this file and no copy: what its name says, and the SHA-256 of its bytes."""
        day = self.day.isoformat() if self.day else None
        return " ".join(filter(None, (day, self.said))) or None, self.sha256

    def document(self) -> dict[str, Any]:
        """What the commit says of the file."""
        named, sha256 = self.identity
        document = {"name": self.name, "sha256": sha256, "bytes": self.bytes}
        return {**document, "day": named} if named else document

    def findings(self, written: Format) -> dict[str, Any]:
        """What looking at the file found, JSON-ready."""
        return {"by": _by(written), "sha256": self.sha256, "look": self.look.findings()}

    @classmethod
    def of_findings(
        cls, file: LandingFile, day: date | None, written: Format, findings: Mapping[str, Any]
    ) -> Self | None:
        """The file by an earlier look's `findings`; None where that looked for other things."""
        if findings.get("by") != _by(written):
            return None
        return cls(
            name=file.name,
            uri=file.uri,
            bytes=file.bytes,
            modified=file.modified,
            sha256=findings["sha256"],
            day=day,
            look=_look_of(written).of_findings(findings["look"]),
        )


@cache
def _by(written: Format) -> str:
    return f"{_INSPECTION} {written}"


def _look_of(written: Format) -> type[Look]:
    match written:
        case Csv():
            return CsvLook
        case FixedWidth() | JsonLines() | JsonDocument():
            return LineLook
        case Parquet() | Orc() | Avro():
            return ColumnarLook
        case Xml():
            return XmlLook
        case _:
            assert_never(written)


def _looker(
    name: str, written: Format
) -> CsvLooker | LineLooker | DocumentLooker | ColumnarLooker | AvroLooker | XmlLooker:
    match written:
        case Csv():
            return CsvLooker(name, written)
        case FixedWidth() | JsonLines():
            return LineLooker(name, written)
        case JsonDocument():
            return DocumentLooker(name, written)
        case Parquet() | Orc():
            return ColumnarLooker(name, written)
        case Avro():
            return AvroLooker(name)
        case Xml():
            return XmlLooker(name, written)
        case _:
            assert_never(written)


def inspect_file(lake: Lake, file: LandingFile, day: date | None, written: Format) -> TakenFile:
    """Read the file once.

    Raises InputError for a damaged file or header, one that grows, one of another format, and one
    that Spark would take for another by its name.
    """
    if ":" in file.name and "://" not in file.uri:
        raise InputError(
            "Spark reads no local file whose name has a colon",
            where=file.name,
            expected="a name without a colon",
            next_step="have the sender write 10-15 for 10:15, or rename the file",
        )
    if written.packs:
        refuse_misnamed(file.name)
    digest = hashlib.sha256()
    looker = _looker(file.name, written)
    with lake.open(file.name) as stream:
        for chunk in contents(file.name, stream, digest.update, packed=written.packs):
            looker.feed(chunk)
    taken = TakenFile(
        name=file.name,
        uri=file.uri,
        bytes=file.bytes,
        modified=file.modified,
        sha256=digest.hexdigest(),
        day=day,
        look=looker.look(),
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
