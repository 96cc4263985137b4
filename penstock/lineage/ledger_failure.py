"""What went wrong with the ledger's database, as a LedgerError with one next step.

The database's own message is never shown: it can quote the statement and what it held.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from penstock.errors import LedgerError

__all__ = ["ledger_failure"]

SQLITE_FAILURES = {
    "SQLITE_BUSY": (
        "the ledger is locked by another process",
        "end the process that holds it (`lsof` names it), or raise the busy timeout",
    ),
    "SQLITE_LOCKED": (
        "the ledger is locked within this process",
        "close the transaction that holds it",
    ),
    "SQLITE_FULL": (
        "the disk is full: the event was not recorded",
        "free space on the ledger's disk and run again; nothing recorded before is lost",
    ),
    "SQLITE_NOTADB": (
        "the file is not a ledger: it is no SQLite database",
        "give the ledger's own file, or move this one away and a new ledger is made",
    ),
    "SQLITE_CORRUPT": (
        "the ledger's file is damaged",
        "restore it from a backup, or save what can be read with `sqlite3 FILE .recover`",
    ),
    "SQLITE_READONLY": (
        "the ledger cannot be written",
        "give this user write permission on the file and its folder",
    ),
    "SQLITE_CANTOPEN": (
        "the ledger cannot be opened",
        "make the folder it lies in, and give this user write permission on it",
    ),
    "SQLITE_IOERR": (
        "the ledger's disk failed to read or write",
        "check the disk; a ledger on a network drive must move to PostgreSQL or a local disk",
    ),
    "SQLITE_CONSTRAINT_TRIGGER": (
        "the ledger's events are append-only: an event is never changed or deleted",
        "append a correcting event instead",
    ),
}
UNKNOWN_NEXT_STEP = "check that the database is reachable and that this user may write to it"


def ledger_failure(error: Exception, where: str) -> LedgerError:
    """The LedgerError that tells of `error`, raised by the database at `where`."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorname", "") if isinstance(cause, sqlite3.Error) else ""
    if isinstance(cause, sqlite3.Error):
        for name, (what, next_step) in SQLITE_FAILURES.items():
            # extended codes lengthen the primary one: SQLITE_BUSY_SNAPSHOT, SQLITE_IOERR_WRITE
            if code == name or code.startswith(f"{name}_"):
                return LedgerError(what, where=where, found=code, next_step=next_step)
    if isinstance(error, SQLAlchemyError) and not isinstance(error, DBAPIError):
        return LedgerError(
            "the ledger's address cannot be used",
            where=where,
            expected="sqlite:////absolute/path or postgresql://user@host/database",
            found=type(error).__name__,
            next_step="correct the ledger's URL",
        )
    return LedgerError(
        "the ledger's database refused",
        where=where,
        found=code or type(cause).__name__,
        next_step=UNKNOWN_NEXT_STEP,
    )
