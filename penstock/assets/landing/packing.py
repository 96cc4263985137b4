"""How a text file is compressed whole, known by the end of its name, and its content."""

from __future__ import annotations

import bz2
import io
import lzma
import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["DamagedFileError", "contents", "is_packed_otherwise", "plain_name", "unpacked"]

_CHUNK = 1 << 20
_IN_MEMORY = 64 << 20
_TITLES = {".gz": "gzip", ".bz2": "bzip2", ".zst": "Zstandard", ".zip": "zip"}
# Hadoop has no codec of zip, and one of Zstandard only where its native library is
_NOT_SPARKS = (".zst", ".zip")
# what a Mac and Windows put beside the file
_BESIDE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_ENCRYPTED = 0x1


class DamagedFileError(InputError):
    """A compressed file that cannot be unpacked to its end."""


def is_packed_otherwise(name: str) -> bool:
    """Whether it is compressed as Spark does not unpack it."""
    return name.endswith(_NOT_SPARKS)


def plain_name(name: str) -> str:
    """The name without the end that says how the file is compressed."""
    end = next((end for end in _TITLES if name.endswith(end)), "")
    return name.removesuffix(end)


def contents(
    name: str, stream: BinaryIO, seen: Callable[[bytes], Any], *, packed: bool = True
) -> Iterator[bytes]:
    """The content in chunks; `seen` is given the bytes of the file as they are.

    Without `packed` no name says that the file is compressed.

    Raises DamagedFileError for a file that is cut off or is no such archive, InputError for an
    archive that has not one file in it, or asks for a password.
    """
    if packed and name.endswith(".zip"):
        yield from _of_zip(name, stream, seen)
    elif packed and name.endswith(".zst"):
        yield from _of_zstandard(name, stream, seen)
    elif packed and name.endswith(tuple(_TITLES)):
        yield from _of_members(name, stream, seen)
    else:
        while raw := stream.read(_CHUNK):
            seen(raw)
            yield raw


@contextmanager
def unpacked(name: str, stream: BinaryIO) -> Iterator[BinaryIO]:
    """The content as a stream to read from. Raises as `contents` does, while it is read."""
    with io.BufferedReader(_Chunks(contents(name, stream, lambda _: None)), _CHUNK) as content:
        yield content


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a raw stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        taken = min(len(buffer), len(self._left))
        buffer[:taken] = self._left[:taken]
        self._left = self._left[taken:]
        return taken


def _of_members(name: str, stream: BinaryIO, seen: Callable[[bytes], Any]) -> Iterator[bytes]:
    """Of gzip or bzip2: files may hold several members, one behind the other."""

    def another() -> Any:
        return zlib.decompressobj(wbits=31) if name.endswith(".gz") else bz2.BZ2Decompressor()

    unpacker = another()
    while raw := stream.read(_CHUNK):
        seen(raw)
        while raw:
            if unpacker.eof:
                unpacker = another()
            try:
                chunk = unpacker.decompress(raw)
            except (zlib.error, OSError, ValueError) as error:
                raise _damaged(name, type(error).__name__) from error
            if chunk:
                yield chunk
            raw = unpacker.unused_data
    if not unpacker.eof:
        raise _damaged(name, "an end in the middle")


def _of_zstandard(name: str, stream: BinaryIO, seen: Callable[[bytes], Any]) -> Iterator[bytes]:
    import pyarrow as pa

    source = _Seen(stream, seen)
    content = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")
    while True:
        try:
            chunk = content.read(_CHUNK)
        except (OSError, pa.ArrowException) as error:
            if source.lost:
                raise
            raise _damaged(name, "an end in the middle, or other bytes") from error
        if not chunk:
            return
        yield chunk


class _Seen:
    """A stream whose bytes are seen as they are read; `lost` where they could not be."""

    closed = False
    lost = False

    def __init__(self, stream: BinaryIO, seen: Callable[[bytes], Any]) -> None:
        self._stream, self._seen = stream, seen

    def read(self, size: int = -1) -> bytes:
        self.lost = True
        raw = self._stream.read(size)
        self.lost = False
        self._seen(raw)
        return raw

    def close(self) -> None:
        """Who opened the stream closes it."""


def _of_zip(name: str, stream: BinaryIO, seen: Callable[[bytes], Any]) -> Iterator[bytes]:
    # its directory is at the end, and an object store's stream has no way back
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as whole:
        shutil.copyfileobj(_Seen(stream, seen), whole, _CHUNK)
        try:
            with zipfile.ZipFile(whole) as archive, _only_file(name, archive) as content:
                while chunk := content.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            raise _damaged(name, type(error).__name__) from error


def _only_file(name: str, archive: zipfile.ZipFile) -> Any:
    files = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir()
        and not entry.filename.startswith(_BESIDE[0])
        and entry.filename.rpartition("/")[2] not in _BESIDE
    ]
    if len(files) != 1:
        raise InputError(
            "the archive does not hold one file",
            where=name,
            expected="a zip archive of one file",
            found=f"{len(files)} files",
            next_step="have the sender send an archive for each file",
        )
    if files[0].flag_bits & _ENCRYPTED:
        raise InputError(
            "the archive asks for a password",
            where=name,
            expected="a zip archive that is not encrypted",
            next_step="have the sender encrypt the way it comes by, not the file",
        )
    try:
        return archive.open(files[0])
    except NotImplementedError as error:
        raise InputError(
            "the archive is compressed in a way that is not read",
            where=name,
            expected="deflate, which every program can write, bzip2 or LZMA",
            found=f"method {files[0].compress_type}",
            next_step="have the sender choose deflate",
        ) from error


def _damaged(name: str, found: str) -> DamagedFileError:
    title = next(title for end, title in _TITLES.items() if name.endswith(end))
    return DamagedFileError(
        "the compressed file is damaged or ends too early",
        where=name,
        expected=f"a whole {title} file",
        found=found,
        next_step="have the file sent again; nothing of it was loaded",
    )
