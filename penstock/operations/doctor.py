"""What this machine lacks for Penstock, each with the one command that mends it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from penstock.errors import SetupError
from penstock.resources.archive import archive_fits, archive_path, archive_whole
from penstock.resources.byte_code import byte_code, loaded_sources
from penstock.resources.home import home
from penstock.resources.jars import JarSet, load_lock, verify
from penstock.resources.java import find_java, require_java
from penstock.resources.ports import is_free

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from penstock.resources.byte_code import ByteCode

__all__ = ["Examined", "Finding", "diagnose"]

# A file or two that was edited since is no reason to complain.
_MAY_LACK = 0.02
_MIN_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `mend` is the command or the deed that puts it right."""

    what: str
    ok: bool
    detail: str
    mend: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What `diagnose` looks at. A place on S3 or in a database server is not a folder: None."""

    home: Path = field(default_factory=home)
    lake: Path | None = None
    ledger: Path | None = None
    secrets: Path | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    min_free_bytes: int = _MIN_FREE_BYTES


def diagnose(examined: Examined | None = None) -> list[Finding]:
    """Look at everything; changes nothing. About a second, most of it asking the JVM."""
    these = examined or Examined()
    return [
        python_finding(sys.version_info[:2]),
        java_finding(os.environ),
        versions_finding(_installed("pyspark"), _installed("delta-spark")),
        byte_code_finding(byte_code(loaded_sources())),
        jars_finding(these.home / "jars"),
        archive_finding(these.home / "jars"),
        *(port_finding(purpose, port) for purpose, port in these.ports.items()),
        *(disk_finding(folder, these.min_free_bytes) for folder in _one_a_disk(these)),
        *(
            folder_finding(name, folder)
            for name, folder in (("lake", these.lake), ("ledger", these.ledger))
            if folder is not None
        ),
        *([secrets_finding(these.secrets)] if these.secrets else []),
    ]


def python_finding(running: tuple[int, ...]) -> Finding:
    """Whether Penstock supports this Python."""
    return Finding(
        what="python",
        ok=(3, 11) <= running < (3, 14),
        detail=".".join(map(str, running)),
        mend="remove .venv, then make setup PYTHON=python3.11 (or 3.12, 3.13)",
    )


def java_finding(env: Mapping[str, str]) -> Finding:
    """Whether Spark would find a Java it can run on."""
    try:
        java = require_java(env)
    except SetupError as error:
        detail = f"{error.what} ({error.found})"
        return Finding(what="java", ok=False, detail=detail, mend=error.next_step)
    return Finding(what="java", ok=True, detail=f"{java.version} at {java.path}")


def versions_finding(pyspark: str | None, delta: str | None) -> Finding:
    """Whether pyspark, delta-spark and the Delta jar belong together.

    The jar's name carries both versions: delta-spark_<Spark minor>_<Scala>:<Delta>.
    """
    jar = next(jar for jar in load_lock().jars if ":delta-spark_" in jar.coordinate)
    _, name, jar_delta = jar.coordinate.split(":")
    jar_spark = name.split("_")[1]
    return Finding(
        what="versions",
        ok=delta == jar_delta and (pyspark or "").startswith(f"{jar_spark}."),
        detail=f"pyspark {pyspark}, delta-spark {delta}, jar for Spark {jar_spark} {jar_delta}",
        mend="make clean setup",
    )


def byte_code_finding(found: ByteCode) -> Finding:
    """Whether processes find their packages compiled. One that may write mends it by itself."""
    few = found.missing <= found.files * _MAY_LACK
    modules = f"{found.files:,} modules that this process loaded are"
    if few:
        detail = f"{modules} compiled"
    elif found.kept:
        detail = f"{found.missing:,} of {modules} not compiled: the next process finds them so"
    else:
        detail = f"{found.missing:,} of {modules} not compiled: every process does it anew"
    return Finding(what="byte code", ok=few or found.kept, detail=detail, mend=found.command)


def jars_finding(folder: Path) -> Finding:
    """Whether every jar is there and has the sum of the lock."""
    problems = verify(folder)
    count = len(load_lock().jars)
    detail = "; ".join(map(str, problems[:3])) + (" ..." if problems[3:] else "")
    return Finding(
        what="jars",
        ok=not problems,
        detail=detail or f"{count} intact in {folder}",
        mend="penstock jars --resolve",
    )


def archive_finding(folder: Path) -> Finding:
    """Whether sessions start from the class-data archive. Without it they work, only slower."""
    java, lock = find_java(), load_lock()
    mend = "penstock jars --resolve (sessions work without it, but start slower)"
    if java is None or verify(folder, (JarSet.DELTA,), lock):
        detail = "cannot be looked at before Java and the jars are right"
        return Finding(what="class archive", ok=False, detail=detail, mend=mend)
    archive = archive_path(folder, java, lock)
    if not archive_whole(archive):
        return Finding(what="class archive", ok=False, detail="not made, or damaged", mend=mend)
    fits = archive_fits(archive, folder, lock)
    detail = "in use" if fits else f"the JVM refuses {archive.name}: it is of another class path"
    return Finding(what="class archive", ok=fits, detail=detail, mend=mend)


def port_finding(purpose: str, port: int) -> Finding:
    """Whether a port can be had."""
    free = is_free(port)
    return Finding(
        what=f"port for {purpose}",
        ok=free,
        detail=f"{port} is {'free' if free else 'taken'}",
        mend=f"penstock up --port {port + 1}, or end what listens on {port}",
    )


def disk_finding(folder: Path, min_free_bytes: int) -> Finding:
    """Whether there is room where Penstock writes."""
    free = shutil.disk_usage(_nearest(folder)).free
    return Finding(
        what="disk",
        ok=free >= min_free_bytes,
        detail=f"{free / 1e9:.1f} GB free at {folder}, {min_free_bytes / 1e9:.1f} GB wanted",
        mend=f"make room on the disk of {folder}, or set PENSTOCK_HOME to another",
    )


def folder_finding(name: str, folder: Path) -> Finding:
    """Whether a folder can be written, seen by making a file there: modes do not tell all."""
    nearest = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        detail = f"{nearest}: {error.strerror}"
        mend = f"give yourself write permission: chmod u+rwx {nearest}"
        return Finding(what=f"{name} folder", ok=False, detail=detail, mend=mend)
    return Finding(what=f"{name} folder", ok=True, detail=f"{folder} is writable")


def secrets_finding(folder: Path) -> Finding:
    """Whether keys are their owner's alone. Never opens one."""
    files = [folder, *folder.rglob("*")] if folder.is_dir() else []
    open_to_others = [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]
    detail = f"{len(files)} private" if files else "none yet; made on first use"
    if open_to_others:
        detail = f"{open_to_others[0]} is readable by others"
    return Finding(
        what="secrets",
        ok=not open_to_others,
        detail=detail,
        mend=f"chmod -R go-rwx {folder}",
    )


def _one_a_disk(these: Examined) -> list[Path]:
    """The folders that are written to, one of each disk."""
    folders = [folder for folder in (these.lake, these.home) if folder is not None]
    return list({_nearest(folder).stat().st_dev: folder for folder in folders}.values())


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
