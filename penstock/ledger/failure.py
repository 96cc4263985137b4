"""What went wrong with the ledger's database, as a LedgerError with one next step.

The database's own message is never shown: it can quote the statement and what it held.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from penstock.errors import LedgerError

__all__ = ["ledger_failure"]

LOCKED = "the ledger is locked by another process"
FULL = "the disk is full: the event was not recorded"
UNWRITABLE = "the ledger cannot be written"
DISK = "the ledger's disk failed to read or write"
APPEND_ONLY = (
    "the ledger is append-only: no event and no contract is ever changed or deleted",
    "append a correcting event, or register the contract that holds, instead",
)
SQLITE_FAILURES = {
    "SQLITE_BUSY": (
        LOCKED,
        "end the process that holds it (`lsof` names it), or raise the busy timeout",
    ),
    "SQLITE_LOCKED": (
        "the ledger is locked within this process",
        "close the transaction that holds it",
    ),
    "SQLITE_FULL": (
        FULL,
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
        UNWRITABLE,
        "give this user write permission on the file and its folder",
    ),
    "SQLITE_CANTOPEN": (
        "the ledger cannot be opened",
        "make the folder it lies in, and give this user write permission on it",
    ),
    "SQLITE_IOERR": (
        DISK,
        "check the disk; a ledger on a network drive must move to PostgreSQL or a local disk",
    ),
    "SQLITE_CONSTRAINT_TRIGGER": APPEND_ONLY,
}
LOCK_HELD = (LOCKED, "end the session that holds it (pg_stat_activity names it), or try again")
UNREACHABLE = (
    "the ledger's server cannot be reached, or ended the connection",
    "start the server (`pg_isready` asks it), or correct host and port in the ledger's URL",
)
REFUSED = (
    "the ledger's server does not let this user in",
    "correct user and password in the ledger's URL, or the server's pg_hba.conf",
)
DAMAGED = ("the ledger's database is damaged", "restore it from a backup")
POSTGRESQL_FAILURES = {
    "08": UNREACHABLE,
    "0A": ("the ledger's server is too old or cannot do this", "use PostgreSQL 12 or newer"),
    "22": (
        "the ledger's database cannot keep this value",
        "make the ledger's database anew with the encoding UTF8",
    ),
    "25006": (
        UNWRITABLE,
        "give the URL of the server that takes writes: this one, or this user, only reads",
    ),
    "28": REFUSED,
    "3D000": ("the ledger's database does not exist", "make it: createdb, with the URL's name"),
    "40": LOCK_HELD,
    "42501": (
        "the ledger's user lacks a permission",
        "make this user the owner of the ledger's database and of its tables",
    ),
    "53100": (
        FULL,
        "free space on the server's disk and run again; nothing recorded before is lost",
    ),
    "53300": (
        "the ledger's server has no connection left",
        "end sessions that idle, or raise max_connections",
    ),
    "55P03": LOCK_HELD,
    "57014": (
        "the ledger's server ended a statement that took too long",
        "raise the server's statement_timeout for this user",
    ),
    "57P": UNREACHABLE,
    "58": (DISK, "check the server's disk and its log"),
    "P0001": APPEND_ONLY,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
"""By SQLSTATE, or the beginning of it; the longest that fits counts."""

NO_SESSION = {
    "authentication failed": "28",
    "no pg_hba.conf entry": "28",
    "no password supplied": "28",
    "does not exist": "3D000",
    "too many clients": "53300",
    "remaining connection slots": "53300",
}
"""Words of a server that lets nobody in, and the SQLSTATE that libpq does not hand on."""

UNKNOWN_NEXT_STEP = "check that the database is reachable and that this user may write to it"


def ledger_failure(error: Exception, where: str) -> LedgerError:
    """The LedgerError that tells of `error`, raised by the database at `where`."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = _code(cause)
    if told := _told(cause, code):
        what, next_step = told
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


def _code(cause: BaseException | None) -> str:
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", None) or ""
    state = getattr(cause, "sqlstate", None)
    return f"SQLSTATE {state}" if state else ""


def _told(cause: BaseException | None, code: str) -> tuple[str, str] | None:
    if isinstance(cause, sqlite3.Error):
        for name, told in SQLITE_FAILURES.items():
            # extended codes lengthen the primary one: SQLITE_BUSY_SNAPSHOT, SQLITE_IOERR_WRITE
            if code == name or code.startswith(f"{name}_"):
                return told
        return None
    if code:
        state = code.removeprefix("SQLSTATE ")
        fits = [known for known in POSTGRESQL_FAILURES if state.startswith(known)]
        return POSTGRESQL_FAILURES[max(fits, key=len)] if fits else None
    # what libpq says before there is a session has no SQLSTATE, and its text may name secrets
    if type(cause).__name__ in {"OperationalError", "ConnectionTimeout"}:
        for words, state in NO_SESSION.items():
            if words in str(cause):
                return POSTGRESQL_FAILURES[state]
        return UNREACHABLE
    return None
