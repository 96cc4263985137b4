"""How a text file is compressed whole, known by the end of its name, and its content."""

from __future__ import annotations

import bz2
import io
import tempfile
import zipfile
import zlib
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "DamagedFileError",
    "contents",
    "is_packed_otherwise",
    "plain_name",
    "refuse_misnamed",
    "unpacked",
]

_CHUNK = 1 << 20
_MONSTROUS, _MOST_TIMES = 1 << 30, 10_000
_END_BYTES = 22  # of the record at the end of a zip archive
_TITLES = {".gz": "gzip", ".bz2": "bzip2", ".zst": "Zstandard", ".zip": "zip"}
# Hadoop has no codec of zip, and one of Zstandard only where its native library is
_NOT_SPARKS = (".zst", ".zip")
# by which Hadoop unpacks a file, whatever the letter case; some end the JVM on other bytes
_BY_NAME = (".gz", ".gzip", ".bz2", ".zst", ".zstd", ".zip", ".deflate", ".snappy", ".lz4", ".lzo")
# what a Mac and Windows put beside the file
_BESIDE_ALL = "__MACOSX/"
_BESIDE = (".DS_Store", "Thumbs.db", "desktop.ini")
_ENCRYPTED = 0x1


class DamagedFileError(InputError):
    """A compressed file that cannot be unpacked to its end."""


def is_packed_otherwise(name: str) -> bool:
    """Whether it is compressed as Spark does not unpack it."""
    return name.endswith(_NOT_SPARKS)


def refuse_misnamed(name: str) -> None:
    """Raise InputError for a name that says that it is compressed, in a way that is not read.

    Spark would unpack the file by its name, and find nothing.
    """
    if name.lower().endswith(_BY_NAME) and not name.endswith(tuple(_TITLES)):
        raise InputError(
            "the file's name says that it is compressed, in a way that is not read",
            where=name,
            expected=f"a name that ends in {', '.join(_TITLES)}, in small letters, or says nothing",
            found=name[name.rindex(".") :],
            next_step="have the sender compress with gzip, or call the file what it is",
        )


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
    archive that has not one file in it, or asks for a password, and for a file that would be of a
    monstrous size.
    """
    source = _Seen(stream, seen)
    if packed and name.endswith(".zip"):
        chunks = _of_zip(name, source)
    elif packed and name.endswith(".zst"):
        chunks = _of_zstandard(name, source)
    elif packed and name.endswith(tuple(_TITLES)):
        chunks = _of_members(name, source)
    else:
        chunks = iter(lambda: source.read(_CHUNK), b"")
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _MONSTROUS and size > _MOST_TIMES * source.size:
            raise InputError(
                "the file unpacks to more than a file of rows would",
                where=name,
                expected=f"at most {_MOST_TIMES:,} times its {source.size:,} bytes",
                next_step="ask the sender what it is; nothing of it was loaded",
            )
        yield chunk


@contextmanager
def unpacked(
    name: str, stream: BinaryIO, seen: Callable[[bytes], Any] = lambda _: None
) -> Iterator[BinaryIO]:
    """The content as a stream to read from. Raises as `contents` does, while it is read."""
    with io.BufferedReader(_Chunks(contents(name, stream, seen)), _CHUNK) as content:
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


class _Seen(io.RawIOBase):
    """A stream whose bytes are seen as they are read; `lost` where they could not be."""

    lost = False
    size = 0

    def __init__(self, stream: BinaryIO, seen: Callable[[bytes], Any]) -> None:
        self.stream, self._seen = stream, seen

    def read(self, size: int = -1) -> bytes:
        self.lost = True
        raw = self.stream.read(size)
        self.lost = False
        self.size += len(raw)
        self._seen(raw)
        return raw

    def readable(self) -> bool:
        return True


def _of_members(name: str, source: _Seen) -> Iterator[bytes]:
    """Of gzip or bzip2: files may hold several members, one behind the other."""
    gzip = name.endswith(".gz")

    def another() -> Any:
        return zlib.decompressobj(wbits=31) if gzip else bz2.BZ2Decompressor()

    unpacker = another()
    while raw := source.read(_CHUNK):
        while raw:
            if unpacker.eof:
                unpacker = another()
            yield from _unpacked(name, unpacker, raw)
            raw = unpacker.unused_data
    if not unpacker.eof:
        raise _damaged(name, "an end in the middle")


def _unpacked(name: str, unpacker: Any, raw: bytes) -> Iterator[bytes]:
    """What the bytes unpack to, up to the end of the member; a little of them may be a lot."""
    while not unpacker.eof:
        try:
            chunk = unpacker.decompress(raw, _CHUNK)
        except (zlib.error, OSError, ValueError) as error:
            raise _damaged(name, type(error).__name__) from error
        raw = getattr(unpacker, "unconsumed_tail", b"")  # bz2 keeps it
        if chunk:
            yield chunk
        elif not raw:
            return


def _of_zstandard(name: str, source: _Seen) -> Iterator[bytes]:
    import pyarrow as pa

    content = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")
    while True:
        try:
            chunk = content.read(_CHUNK)
        except (OSError, pa.ArrowException) as error:
            if source.lost:
                raise
            if "too much memory" in str(error):
                raise InputError(
                    "the file is compressed with a window that is not read",
                    where=name,
                    expected="a window of up to 128 MB, as zstd has it unless told otherwise",
                    next_step="have the sender compress without --long and --ultra",
                ) from error
            raise _damaged(name, "an end in the middle, or other bytes") from error
        if not chunk:
            if not source.size:
                raise _damaged(name, "no byte")
            return
        yield chunk


def _of_zip(name: str, source: _Seen) -> Iterator[bytes]:
    # its directory is at the end, and an object store's stream has no way back
    with tempfile.TemporaryFile() if not source.stream.seekable() else nullcontext() as kept:
        while raw := source.read(_CHUNK):
            if kept:
                kept.write(raw)
        whole = kept or source.stream
        try:
            with zipfile.ZipFile(whole) as archive:
                _refuse_other_bytes(name, archive, whole, source.size)
                with _only_file(name, archive) as content:
                    while chunk := content.read(_CHUNK):
                        yield chunk
        except InputError:
            raise
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            EOFError,
            OSError,
            ValueError,
            zlib.error,
        ) as error:
            raise _damaged(name, type(error).__name__) from error


def _refuse_other_bytes(name: str, archive: zipfile.ZipFile, whole: Any, size: int) -> None:
    """Raise DamagedFileError for bytes before and behind the archive, which may be another one.

    Of two archives, one behind the other, zipfile reads the second.
    """
    begins = min((entry.header_offset for entry in archive.infolist()), default=0)
    whole.seek(size - len(archive.comment) - _END_BYTES)
    end = whole.read(_END_BYTES)
    ends = end.startswith(b"PK\x05\x06") and int.from_bytes(end[-2:], "little") == len(
        archive.comment
    )
    if begins != 0 or not ends:
        raise _damaged(name, "other bytes before or behind the archive")


def _only_file(name: str, archive: zipfile.ZipFile) -> Any:
    files = [
        entry
        for entry in archive.infolist()
        if not entry.filename.endswith(("/", "\\"))
        and not entry.filename.startswith(_BESIDE_ALL)
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
    if files[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            "the archive is compressed in a way that is not read",
            where=name,
            expected="deflate, which every program can write",
            found=f"method {files[0].compress_type}",
            next_step="have the sender choose deflate",
        )
    return archive.open(files[0])


def _damaged(name: str, found: str) -> DamagedFileError:
    title = next(title for end, title in _TITLES.items() if name.endswith(end))
    return DamagedFileError(
        "the compressed file is damaged or ends too early",
        where=name,
        expected=f"a whole {title} file",
        found=found,
        next_step="have the file sent again; nothing of it was loaded",
    )
