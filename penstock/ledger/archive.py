"""The ledger's first events moved out of the database, into Parquet files.

A file is on the disk, read back and walked along the chain before anything is deleted; the events
go in the transaction that says where they are. Killed anywhere nothing is lost, and the next call
goes on: a file that no row of the ledger names is replaced.
"""

from __future__ import annotations

import fcntl
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import delete, func, insert, select

from penstock.errors import LedgerError
from penstock.events.instant import instant
from penstock.ledger.append_only import append_only_lifted
from penstock.ledger.archive_file import rows_of, sha256_of, sync_folder, write_rows
from penstock.ledger.archived import ArchivedFile, archived_files
from penstock.ledger.chain_walk import ChainWalk, ends_document
from penstock.ledger.database import lock_head
from penstock.ledger.graph.projector import catch_up
from penstock.ledger.graph.tables import graph_cursor
from penstock.ledger.ledger import OPEN_STATES, Clock, Ledger, utc_now
from penstock.ledger.tables import archive, archived_event, delivery, event, head, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from penstock.ledger.database import LedgerDatabase

__all__ = ["ArchiveReport", "archive_events"]

_BATCH = 1000
_FILE_EVENTS = 200_000  # deleting more at once would keep appends waiting for many seconds
_NAMED = re.compile(r"events-(\d{12})-(\d{12})-([0-9a-f]{16})\.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReport:
    """What was moved. `held_by` says why it ended before what was asked for, if it did."""

    files: tuple[ArchivedFile, ...]
    held_by: str | None

    @property
    def events(self) -> int:
        """How many events were moved."""
        return sum(file.events for file in self.files)


def archive_events(
    ledger: Ledger,
    folder: Path,
    *,
    before: datetime | int,
    file_events: int = _FILE_EVENTS,
    clock: Clock = utc_now,
) -> ArchiveReport:
    """Moves the events before a moment of their arrival, or before a sequence, to `folder`.

    Always a whole prefix of the ledger, and never what a destination has not been told, what the
    graph has not taken, or anything since the START of a run of ours that is open. Raises
    LedgerError; what was moved until then stays moved.
    """
    database = ledger.database
    catch_up(database)
    with database.read() as connection:
        last, held_by = _cut(connection, before)
    moved: list[ArchivedFile] = []
    with _alone(folder):
        while file := _next_file(database, folder, last, file_events):
            superseded = _superseded(folder, file)
            _move(database, file, clock())
            moved.append(file)
            for path in superseded:
                path.unlink()
    return ArchiveReport(files=tuple(moved), held_by=held_by)


def _cut(connection: Connection, before: datetime | int) -> tuple[int, str | None]:
    """The last event to move, and what keeps those after it that were asked for."""
    latest = int(connection.execute(select(head.c.sequence)).scalar_one())
    asked = min(latest, _asked(connection, before, latest))
    bounds = [
        (row.cursor, f"{row.destination} has been told events up to {row.cursor} only")
        for row in connection.execute(select(delivery.c.destination, delivery.c.cursor))
    ]
    taken = int(connection.execute(select(graph_cursor.c.sequence)).scalar_one())
    bounds.append((taken, f"the graph has taken events up to {taken} only"))
    opened = connection.execute(
        select(func.min(event.c.sequence))
        .join(run, run.c.run_id == event.c.run_id)
        .where(run.c.state.in_(OPEN_STATES), run.c.host.is_not(None))
    ).scalar()
    if opened is not None:
        bounds.append((opened - 1, f"the run that began with event {opened} is open"))
    bound, why = min(bounds)
    return (bound, why) if bound < asked else (asked, None)


def _asked(connection: Connection, before: datetime | int, latest: int) -> int:
    if not isinstance(before, datetime):
        return before - 1
    instant(before)  # a naive moment names no instant
    query = select(func.min(event.c.sequence)).where(event.c.recorded_at >= before)
    first_kept = connection.execute(query).scalar()
    return latest if first_kept is None else int(first_kept) - 1


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One archive at a time in a folder; what a killed one left half-written is removed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise _unwritable(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerError(
                "another archive is being made in this folder",
                where=str(folder),
                next_step="wait until it has ended, and call again",
            ) from error
        for left in folder.glob("*.part"):
            left.unlink()
        yield


def _next_file(
    database: LedgerDatabase, folder: Path, last: int, file_events: int
) -> ArchivedFile | None:
    """The next events as a file under its own name, on the disk and read back; None at the end."""
    part = folder.resolve() / "events.parquet.part"
    with database.read() as connection:
        walk, first = _end_of_archive(connection)
        last = min(last, first + file_events - 1)
        if last < first:
            return None
        links: list[str] = []
        try:
            write_rows(part, _walked(_batches(connection, first, last), walk, links))
        except (OSError, pa.ArrowException) as error:
            raise _unwritable(folder, error) from error
    file = ArchivedFile(
        first=first,
        last=last,
        path=part.with_name(f"events-{first:012d}-{last:012d}-{links[-1][:16]}.parquet"),
        sha256=sha256_of(part),
        ends=dict(walk.ends),
    )
    _read_back(database, part, file)
    part.replace(file.path)
    sync_folder(file.path.parent)
    return file


def _end_of_archive(connection: Connection) -> tuple[ChainWalk, int]:
    """A walk that stands where the archive ends, and the sequence after it."""
    walk, files = ChainWalk(), archived_files(connection)
    if files:
        walk.jump(files[-1].last, files[-1].ends)
    return walk, walk.sequence + 1


def _batches(connection: Connection, first: int, last: int) -> Iterator[list[dict[str, Any]]]:
    for begin in range(first, last + 1, _BATCH):
        end = min(begin + _BATCH - 1, last)
        query = select(event).where(event.c.sequence.between(begin, end)).order_by(event.c.sequence)
        yield [dict(row) for row in connection.execute(query).mappings()]


def _walked(
    batches: Iterator[list[dict[str, Any]]], walk: ChainWalk, links: list[str]
) -> Iterator[Sequence[dict[str, Any]]]:
    for batch in batches:
        for row in batch:
            walk.take(row)
            links[:] = [row["link"]]
        if walk.faults:
            raise LedgerError(
                "the events are not as they were taken, and were left where they are",
                found=f"sequence {walk.faults[0].sequence}: {walk.faults[0].what}",
                next_step="penstock ledger verify",
            )
        yield batch


def _read_back(database: LedgerDatabase, part: Path, file: ArchivedFile) -> None:
    with database.read() as connection:
        walk, _ = _end_of_archive(connection)
    try:
        for row in rows_of(part):
            walk.take(row)
    except (OSError, pa.ArrowException) as error:
        raise _unlike(file, type(error).__name__) from error
    if walk.faults or (walk.sequence, walk.ends) != (file.last, file.ends):
        raise _unlike(file, "other events than were written")


def _superseded(folder: Path, file: ArchivedFile) -> list[Path]:
    """Files that killed calls left and of which every event is in `file`."""
    found = {}
    for path in folder.resolve().iterdir():
        named = _NAMED.fullmatch(path.name)
        if named and path != file.path and int(named[1]) == file.first:
            found[int(named[2]), named[3]] = path
    if not found:
        return []
    rows = ((row["sequence"], row["link"][:16]) for row in rows_of(file.path))
    return [found[place] for place in rows if place in found]


def _move(database: LedgerDatabase, file: ArchivedFile, at: datetime) -> None:
    """The events go, and where they are is written down, in one transaction."""
    moved = event.c.sequence.between(file.first, file.last)
    with database.write() as connection:
        lock_head(connection)
        # whoever takes events into the graph sees all of this or nothing
        connection.execute(select(graph_cursor.c.sequence).with_for_update())
        if _end_of_archive(connection)[1] != file.first:
            raise LedgerError(
                "these events were archived meanwhile, elsewhere",
                where=database.where,
                next_step=f"remove {file.path.name}: no row of the ledger names it",
            )
        connection.execute(
            insert(archive).values(
                first_sequence=file.first,
                last_sequence=file.last,
                location=str(file.path),
                sha256=file.sha256,
                chains=ends_document(file.ends),
                archived_at=at,
            )
        )
        remembered = select(event.c.payload_hash, event.c.sequence).where(moved)
        connection.execute(
            insert(archived_event).from_select(["payload_hash", "sequence"], remembered)
        )
        with append_only_lifted(connection):
            gone = connection.execute(delete(event).where(moved)).rowcount
        if gone != file.events:
            raise LedgerError(
                "the events changed while they were archived, and were left where they are",
                where=database.where,
                next_step="penstock ledger verify",
            )


def _unwritable(folder: Path, error: Exception) -> LedgerError:
    return LedgerError(
        "the archive cannot be written; the events are where they were",
        where=str(folder),
        found=type(error).__name__,
        next_step="give this user a folder with free space that it may write to",
    )


def _unlike(file: ArchivedFile, found: str) -> LedgerError:
    return LedgerError(
        "the archive reads otherwise than it was written; the events are where they were",
        where=str(file.path.parent),
        found=found,
        next_step="check that disk, or archive to another",
    )
