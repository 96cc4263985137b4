"""Whether what every process imports is compiled, or each compiles it anew.

dagster, pyspark, pandas and pandera are four thousand files. Compiled, they load in five
CPU-seconds; else in twelve, at every start, where nothing may write byte code: as under
PYTHONDONTWRITEBYTECODE, which most container images set, or from a folder that is read only.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER, cache_from_source, find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HEAVY_PACKAGES", "ByteCode", "byte_code", "compiled"]

HEAVY_PACKAGES = ("dagster", "pandas", "pandera", "penstock", "pyspark")

_HEADER_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteCode:
    """What was found: source files, those without valid byte code, and where those are.

    `kept` says whether a process would write down what it compiles, for all after it.
    """

    files: int
    missing: int
    folders: tuple[Path, ...]
    kept: bool

    @property
    def command(self) -> str:
        """What compiles all that is missing, with all cores."""
        return " ".join([sys.executable, "-m compileall -qq -j 0", *map(str, self.folders)])


def byte_code(packages: Iterable[str] = HEAVY_PACKAGES) -> ByteCode:
    """Look at every source file of the installed packages; imports none. About 0.2 seconds."""
    files = missing = 0
    folders: set[Path] = set()
    kept = not sys.dont_write_bytecode
    for folder in _folders(packages):
        sources = list(folder.rglob("*.py"))
        lacking = sum(not compiled(source) for source in sources)
        files += len(sources)
        missing += lacking
        if lacking:
            folders.add(_installed_in(folder))
            kept = kept and (sys.pycache_prefix is not None or os.access(folder, os.W_OK))
    return ByteCode(files=files, missing=missing, folders=tuple(sorted(folders)), kept=kept)


def compiled(source: Path) -> bool:
    """Whether an import of the file would take its byte code: of this Python, of this source."""
    try:
        with Path(cache_from_source(source)).open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
        status = source.stat()
    except OSError:
        return False
    if len(header) < _HEADER_BYTES or header[:4] != MAGIC_NUMBER:
        return False
    # PEP 552: flags, then what the source must still be: its time and size, or its hash
    if int.from_bytes(header[4:8], "little"):
        return True
    seconds, size = (int.from_bytes(header[n : n + 4], "little") for n in (8, 12))
    return (seconds, size) == (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)


def _folders(packages: Iterable[str]) -> Iterator[Path]:
    for package in packages:
        found = find_spec(package)
        yield from map(Path, (found and found.submodule_search_locations) or ())


def _installed_in(folder: Path) -> Path:
    """The folder that holds all packages, if it holds this one too; an editable one is alone."""
    together = Path(sysconfig.get_path("purelib"))
    return together if folder.is_relative_to(together) else folder
