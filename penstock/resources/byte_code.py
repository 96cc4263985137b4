"""Whether what every process imports is compiled, or each compiles it anew.

dagster, pyspark, pandas and pandera are some three thousand modules. Compiled, they cost five
CPU-seconds; else twelve, at every start, where nothing may write byte code: under
PYTHONDONTWRITEBYTECODE, which most container images set, or from a folder that is read only.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

__all__ = ["ByteCode", "byte_code", "compiled", "loaded_sources"]

_HEADER_BYTES = 16
_PENSTOCK = Path(__file__).parents[1]


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
        """What compiles all that is in those folders, with all cores."""
        return " ".join([sys.executable, "-m compileall -qq -j 0", *map(str, self.folders)])


def loaded_sources(modules: Mapping[str, ModuleType] | None = None) -> tuple[Path, ...]:
    """The installed files that this process has imported, and Penstock's own; `sys.modules`."""
    loaded = dict(sys.modules if modules is None else modules).values()
    files = {Path(name) for module in loaded if (name := getattr(module, "__file__", None))}
    places = (_together(), _PENSTOCK)
    return tuple(
        sorted(
            file
            for file in files
            if file.suffix == ".py" and any(file.is_relative_to(place) for place in places)
        )
    )


def byte_code(sources: Iterable[Path]) -> ByteCode:
    """Look at the byte code of each source file. About 0.3 seconds for three thousand."""
    files = tuple(sources)
    lacking = [file for file in files if not compiled(file)]
    return ByteCode(
        files=len(files),
        missing=len(lacking),
        folders=tuple(sorted({_folder_to_compile(file) for file in lacking})),
        kept=not sys.dont_write_bytecode
        and (sys.pycache_prefix is not None or all(os.access(f.parent, os.W_OK) for f in lacking)),
    )


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


def _together() -> Path:
    """The folder that holds all installed packages."""
    return Path(sysconfig.get_path("purelib"))


def _folder_to_compile(source: Path) -> Path:
    """All installed packages together; what lies elsewhere, such as an editable install, alone."""
    for place in (_together(), _PENSTOCK):
        if source.is_relative_to(place):
            return place
    return source.parent
