"""How a dataset is written, and what happens to rows that break its contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    """Rows are added. Inputs are `changes(...)` or `landing(...)`, so that each is taken once.

    Where the contract has a key, a row whose key is in the table already is set aside by the rule
    `key:in_table`, or, with `known="skip"`, passed over.
    """

    known: Literal["refuse", "skip"] = "refuse"

    def __post_init__(self) -> None:
        """Raise DefinitionError for another word."""
        _one_of("Append", "known", self.known, ("refuse", "skip"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Rows are matched by the contract's key: changed ones updated, new ones inserted.

    `deletes` is a boolean column of the function's result: where it is true the row is gone. If
    the contract has the column too, the row stays in the table and says so; if not, it is taken
    out, and of a row that says so only the key has to keep the contract.

    `order_by` is a column of the contract that says which of two rows of one key is newer, such as
    a sequence number: of one run's rows the newest counts, also where it is set aside (the same row
    twice is one), and a row that is older than the table's is passed over. A row that was taken out
    has left no age behind: where rows come late from one run to the next, keep the column of
    `deletes` in the contract.

    `missing="delete"` says that each run is given the whole list: a row of the table whose key is
    not in it is gone. A run that would miss more than `max_missing` (0 to 1) of the table's rows
    fails, and so does one with rows that could not be read or have no key, for they may be those
    that are missing. Of landing each file is a whole list, and the newest that is there counts.
    """

    deletes: str | None = None
    order_by: str | None = None
    missing: Literal["keep", "delete"] = "keep"
    max_missing: float = 0.1

    def __post_init__(self) -> None:
        """Raise DefinitionError for another word, or a share that none could have."""
        _one_of("Merge", "missing", self.missing, ("keep", "delete"))
        _check_share("Merge", "delete", self.max_missing)


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

    `deletes` is a boolean column of the function's result: where it is true the row is gone from
    its `valid_from` on, which ends the version before; of such a row only the key and `valid_from`
    have to keep the contract. That it ended none is forgotten: a version that comes later and
    belongs before it goes on. If the contract has the column too, being gone is a version of its
    own, and nothing is forgotten.

    `missing="close"` says that each run is given whole lists, one for each `valid_from` of its
    rows: the current version of a key that is not in the list ends at that moment. Lists come in
    order: one that is older than a list before it fails the run. `max_missing` is as of `Merge`.
    """

    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    is_current: str = "is_current"
    keep_repeated: bool = False
    deletes: str | None = None
    missing: Literal["keep", "close"] = "keep"
    max_missing: float = 0.1

    def __post_init__(self) -> None:
        """Raise DefinitionError for another word, or a share that none could have."""
        _one_of("Scd2", "missing", self.missing, ("keep", "close"))
        _check_share("Scd2", "close", self.max_missing)


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


def _one_of(mode: str, name: str, found: object, words: tuple[str, ...]) -> None:
    if found not in words:
        raise DefinitionError(
            f"{name}= says something else",
            where=f"{mode}({name}={found!r})",
            expected=" or ".join(map(repr, words)),
            found=repr(found),
            next_step=f"write {mode}({name}={words[-1]!r})",
        )


def _check_share(mode: str, missing: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise DefinitionError(
            "max_missing is no share of rows",
            where=f"{mode}(max_missing={share!r})",
            expected="a share from 0 to 1",
            found=repr(share),
            next_step=f"write {mode}(missing={missing!r}, max_missing=0.05) for 5%",
        )


def _no_limit(name: str, found: object, expected: str) -> DefinitionError:
    return DefinitionError(
        f"{name} is no limit of bad rows",
        where=f"Quarantine({name}={found!r})",
        expected=expected,
        found=repr(found),
        next_step="write Quarantine(max_rows=100) or Quarantine(max_fraction=0.05) for 5%",
    )


BadRows = Fail | Quarantine | Warn
