"""Every error a user of Penstock can meet.

PenstockError
├── DefinitionError  (TypeError)         a contract, dataset or function is defined wrongly
├── SetupError       (EnvironmentError)  the machine lacks something: Java, jars, a port, disk
├── SecretError      (EnvironmentError)  a key is missing, readable by others, or malformed
├── InputError       (ValueError)        an input cannot be read as declared
├── GateError        (ValueError)        a schema is not the contract's, or not the table's
├── ValidationError  (ValueError)        rows or keys break the contract; the verdict is fail
├── LakeError        (OSError)           the storage refused: permission, space, damaged log
├── ConflictError    (RuntimeError)      another writer won and the outcome is not ours
├── ClusterError     (RuntimeError)      the Spark cluster could not be had, was lost or failed
├── LedgerError      (RuntimeError)      the ledger database cannot be used
└── SourceError      (ConnectionError)   a database that is read from cannot be reached

Each subclasses the builtin a caller would expect. A message says what happened, where, what was
expected and found, and one next step. It never holds a row's value: messages reach logs, events
and screens that are not cleared for the data.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ClusterError",
    "ConflictError",
    "DefinitionError",
    "GateError",
    "InputError",
    "LakeError",
    "LedgerError",
    "PenstockError",
    "SecretError",
    "SetupError",
    "SourceError",
    "ValidationError",
]


class PenstockError(Exception):
    """Root of the tree. `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        next_step: str,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.next_step = next_step
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        facts = [
            f"{name}: {value}"
            for name, value in (("expected", self.expected), ("found", self.found))
            if value is not None
        ]
        return "\n".join([head, *(f"  {fact}" for fact in facts), f"  next: {self.next_step}"])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[PenstockError], facts: dict[str, object]) -> PenstockError:
    error = kind.__new__(kind)
    error.__dict__.update(facts)
    error.args = (error.what,)
    return error


class DefinitionError(PenstockError, TypeError):
    """A contract or dataset is defined wrongly. Raised at import, before anything runs.

    Or the function names a column that is not there: raised by a run, before any row is read.
    """

    exit_code = 2


class SetupError(PenstockError, EnvironmentError):
    """The machine lacks something Penstock needs; `next_step` is the command that mends it."""

    exit_code = 3


class SecretError(PenstockError, EnvironmentError):
    """A key is missing, readable by others, or malformed. Never shows the key."""

    exit_code = 3


class InputError(PenstockError, ValueError):
    """An input cannot be read as declared: absent, damaged, or of another shape."""

    exit_code = 4


class GateError(PenstockError, ValueError):
    """A schema is not the contract's or may not become the table's. No data has moved."""

    exit_code = 5


class ValidationError(PenstockError, ValueError):
    """Rows or keys break the contract and the verdict is fail. Nothing was committed."""

    exit_code = 6


class LakeError(PenstockError, OSError):
    """The storage refused: permission, space, or a damaged table log. The table is as before."""

    exit_code = 7


class ConflictError(PenstockError, RuntimeError):
    """Another writer changed the table first and the work could not be redone on top of it."""

    exit_code = 8


class ClusterError(PenstockError, RuntimeError):
    """The Spark cluster could not be had, was lost while working, or failed at the work."""

    exit_code = 9


class LedgerError(PenstockError, RuntimeError):
    """The ledger database cannot be used."""

    exit_code = 10


class SourceError(PenstockError, ConnectionError):
    """A database that is read from cannot be reached, or went away. Nothing was committed."""

    exit_code = 11
