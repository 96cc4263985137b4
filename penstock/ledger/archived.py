"""The archived part of the ledger: the files that its first events were moved to."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import select

from penstock.errors import LedgerError
from penstock.ledger.archive_file import rows_after, rows_of_run, rows_where, sha256_of
from penstock.ledger.chain_walk import ChainEnd, ends_of
from penstock.ledger.tables import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow.compute as pc
    from sqlalchemy import Connection, Select

__all__ = [
    "ArchivedEvents",
    "ArchivedFile",
    "archived_after",
    "archived_count",
    "archived_files",
    "archived_of_run",
    "archived_where",
    "check_archives",
    "fault_of",
]

_FILES_REMEMBERED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """A file with the events `first` to `last`, and where the chains stand at its end."""

    first: int
    last: int
    path: Path
    sha256: str
    ends: Mapping[str, ChainEnd]

    @property
    def events(self) -> int:
        """How many there are in it."""
        return self.last - self.first + 1

    def rows(self, wanted: pc.Expression, *, payload: bool = True) -> Iterator[dict[str, Any]]:
        """Its events that the expression chooses. Raises LedgerError, as `archived_where`."""
        _check(self)
        return rows_where(self.path, wanted, payload=payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedEvents:
    """Archived events in order, and the files that may hold more and cannot be read, with why."""

    rows: tuple[tuple[ArchivedFile, Mapping[str, Any]], ...]
    unread: tuple[tuple[ArchivedFile, str], ...]


def archived_files(connection: Connection) -> tuple[ArchivedFile, ...]:
    """All of them, in order."""
    return _files(connection, select(archive).order_by(archive.c.first_sequence))


def archived_count(connection: Connection, namespace: str | None = None) -> int:
    """How many events are in the archive, by the ledger's word: of a namespace, or of all."""
    files = archived_files(connection)
    if not files:
        return 0
    if namespace is None:
        return files[-1].last
    end = files[-1].ends.get(namespace)
    return end.position if end else 0


def check_archives(connection: Connection) -> None:
    """Raises LedgerError that names the first file that is missing or was changed."""
    for file in archived_files(connection):
        _check(file)


def archived_after(connection: Connection, sequence: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` archived events above the sequence, in order; none when all are.

    Raises LedgerError when a file that is needed is missing or was changed.
    """
    query = select(archive).where(archive.c.last_sequence > sequence)
    found: list[dict[str, Any]] = []
    for file in _files(connection, query.order_by(archive.c.first_sequence)):
        if len(found) >= limit:
            break
        _check(file)
        passed = max(sequence - file.first + 1, 0)
        found += rows_after(file.path, passed, limit - len(found))
    return found


def archived_of_run(connection: Connection, run_id: str, columns: Sequence[str]) -> ArchivedEvents:
    """These columns of every archived event of a run. A file that was changed tells nothing.

    Looks into every file, since a run may be told of at any time.
    """
    rows: list[tuple[ArchivedFile, Mapping[str, Any]]] = []
    unread: list[tuple[ArchivedFile, str]] = []
    for file in archived_files(connection):
        wrong = _fault(file, _known_sha256)
        try:
            found = [] if wrong else rows_of_run(file.path, run_id, columns)
        except (OSError, pa.ArrowException) as error:
            wrong, found = f"cannot be read ({type(error).__name__})", []
        if wrong:
            unread.append((file, wrong))
        rows += [(file, row) for row in found]
    return ArchivedEvents(rows=tuple(rows), unread=tuple(unread))


def archived_where(connection: Connection, wanted: pc.Expression) -> Iterator[dict[str, Any]]:
    """The archived events that the expression chooses by any column but the payload, in order.

    Raises LedgerError when a file is missing or was changed.
    """
    for file in archived_files(connection):
        yield from file.rows(wanted)


def fault_of(file: ArchivedFile) -> str | None:
    """What is wrong with the file as a whole: not there, not readable, not the one written."""
    return _fault(file, sha256_of)


def _fault(file: ArchivedFile, hashed: Callable[[Path], str]) -> str | None:
    try:
        found = hashed(file.path)
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"cannot be read ({type(error).__name__})"
    return None if found == file.sha256 else "was changed: its SHA-256 is another"


def _check(file: ArchivedFile) -> None:
    if wrong := _fault(file, _known_sha256):
        raise LedgerError(
            f"the file of the archived events {file.first} to {file.last} {wrong}",
            where=f"archive {file.path}",
            expected=f"SHA-256 {file.sha256}",
            next_step="bring the file back from a backup, to where it was",
        )


def _known_sha256(path: Path) -> str:
    state = path.stat()
    return _sha256(path, state.st_mtime_ns, state.st_size, state.st_ino)


@functools.lru_cache(maxsize=_FILES_REMEMBERED)
def _sha256(path: Path, _changed: int, _size: int, _inode: int) -> str:
    # a file is read in many small parts, and hashed once as long as it is the same
    return sha256_of(path)


def _files(connection: Connection, query: Select[Any]) -> tuple[ArchivedFile, ...]:
    return tuple(
        ArchivedFile(
            first=row["first_sequence"],
            last=row["last_sequence"],
            path=Path(row["location"]),
            sha256=row["sha256"],
            ends=ends_of(row["chains"]),
        )
        for row in connection.execute(query).mappings()
    )
