"""Content as other programs compress it."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile

import zstandard

__all__ = ["PACKED", "archive", "pack", "pack_wide"]

PACKED = ("", ".gz", ".bz2", ".zst", ".zip")
"""How a name ends of what `pack` makes."""


def pack(end: str, content: bytes) -> bytes:
    """The content as a file whose name ends so."""
    match end:
        case ".gz":
            return gzip.compress(content)
        case ".bz2":
            return bz2.compress(content)
        case ".zst":
            # two frames one behind the other, as parallel compressors write them
            half = len(content) // 2
            packer = zstandard.ZstdCompressor(write_checksum=True)
            return packer.compress(content[:half]) + packer.compress(content[half:])
        case ".zip":
            return archive({"in a folder/rows": content})
        case _:
            return content


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return written.getvalue()


def pack_wide(content: bytes) -> bytes:
    """As `zstd --long=28` writes it: its reader would need 256 MB."""
    wide = zstandard.ZstdCompressionParameters.from_level(1, window_log=28)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    return packer.compress(content) + packer.flush()
