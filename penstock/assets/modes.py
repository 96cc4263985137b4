"""How a dataset is written, and what happens to rows that break its contract."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Append",
    "BadRows",
    "Fail",
    "Merge",
    "Overwrite",
    "Quarantine",
    "ReplaceSlice",
    "Scd2",
    "Warn",
    "WriteMode",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """The whole table is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSlice:
    """The rows of the slice are replaced, the others stay. Needs `partitions`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Rows are added. Inputs are `changes(...)` or `landing(...)`, so that each is taken once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Rows are matched by the contract's key: changed ones updated, new ones inserted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scd2:
    """Every version of a row is kept (slowly changing dimension, type 2).

    The function returns the key, `valid_from` and the attributes; Penstock adds `valid_to` (NULL
    while current) and `is_current`. A version that equals the one before it is dropped, a late
    one is put in its place. The contract declares all three columns.
    """

    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    is_current: str = "is_current"


WriteMode = Overwrite | ReplaceSlice | Append | Merge | Scd2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """One bad row fails the run; nothing is committed, the bad rows are in quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Bad rows are set aside with their reasons; too many of them fail the run.

    `max_rows` and `max_fraction` (0 to 1) are the most that may be set aside; None is no limit.
    """

    max_rows: int | None = None
    max_fraction: float | None = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn:
    """Rows are kept whatever their checks say, and counted. Keys are still enforced by Merge."""


BadRows = Fail | Quarantine | Warn
