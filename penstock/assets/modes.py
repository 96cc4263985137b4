"""How a dataset is written, and what happens to rows that break its contract."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.errors import DefinitionError

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
    while current) and `is_current`. The contract declares all three columns. A late version is
    put in its place, and one that comes again with other values is corrected.

    A version that equals the one before it is dropped, and that it was there is forgotten: a
    version that comes later and belongs before it holds beyond it, up to the next that was kept.
    With `keep_repeated` none is dropped, and the table is the same whatever the order in which
    versions arrive.
    """

    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    is_current: str = "is_current"
    keep_repeated: bool = False


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

    def __post_init__(self) -> None:
        """Raise DefinitionError for a limit that no number of rows could have."""
        rows, share = self.max_rows, self.max_fraction
        if rows is not None and rows < 0:
            raise _no_limit("max_rows", rows, "a whole number from 0, or None for no limit")
        if share is not None and not 0 <= share <= 1:
            raise _no_limit("max_fraction", share, "a share from 0 to 1, or None for no limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn:
    """Rows are kept whatever their checks say, and counted. Keys are still enforced by Merge."""


def _no_limit(name: str, found: object, expected: str) -> DefinitionError:
    return DefinitionError(
        f"{name} is no limit of bad rows",
        where=f"Quarantine({name}={found!r})",
        expected=expected,
        found=repr(found),
        next_step="write Quarantine(max_rows=100) or Quarantine(max_fraction=0.05) for 5%",
    )


BadRows = Fail | Quarantine | Warn
