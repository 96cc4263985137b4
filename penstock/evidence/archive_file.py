"""The zip of a bundle. Of the same files it is the same bytes, on every machine.

Nothing is compressed: what a deflate makes differs between libraries, and a reader would have to
trust what it unpacks to. So a reader can write the zip again and compare it byte by byte.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_BYTES", "MOST_FILES", "RefusedError", "packed", "unpacked"]

MOST_BYTES = 1 << 30
MOST_FILES = 20_000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_LONGEST_NAME = 240
_FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_UNIX = 3
_ENCRYPTED = 0x1


class RefusedError(Exception):
    """The bytes are no zip that `packed` could have made."""


def packed(files: Mapping[str, bytes]) -> bytes:
    """The zip of these files, sorted by name. Raises InputError when they are too much."""
    size = sum(map(len, files.values()))
    if size > MOST_BYTES or len(files) > MOST_FILES:
        raise InputError(
            "there is more evidence than one bundle holds",
            where="evidence",
            expected=f"at most {MOST_BYTES} bytes in {MOST_FILES} files",
            found=f"{size} bytes in {len(files)} files",
            next_step="ask for a shorter period, or for one column",
        )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _FIRST_MOMENT)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, files[name])
    return stream.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a zip. Nothing is written anywhere and nothing is decompressed.

    Raises RefusedError that says what is wrong.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _look_at(entries, len(content))
            return {entry.filename: archive.read(entry) for entry in entries}
    except RefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged zip makes zipfile raise many kinds
        raise RefusedError(f"is no whole zip ({type(error).__name__})") from None


def _look_at(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MOST_FILES:
        raise RefusedError(f"holds {len(entries)} files, more than {MOST_FILES}")
    names = [entry.filename for entry in entries]
    for entry in entries:
        name = entry.filename
        if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
            raise RefusedError(f"has a file of a name that no bundle has: {name[:80]!r}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise RefusedError(f"has a compressed file: {name}")
        if entry.flag_bits & _ENCRYPTED:
            raise RefusedError(f"has an encrypted file: {name}")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RefusedError(f"has a file twice: {twice}")
    if sum(entry.file_size for entry in entries) > size:
        raise RefusedError("says that its files are larger than it is")
