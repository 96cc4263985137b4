"""What a run is going to read, decided before anything is read: tables, changes, files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from penstock.assets.slice import WHOLE, Slice
from penstock.errors import InputError

if TYPE_CHECKING:
    from penstock.assets.inputs import Landing
    from penstock.assets.landing.file import TakenFile
    from penstock.resources.lake import Table
    from penstock.resources.table_log import TableLog

__all__ = [
    "Net",
    "PinnedChanges",
    "PinnedFiles",
    "PinnedInput",
    "PinnedTable",
    "refuse_replaced",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedTable:
    """A table at `version`; `data_version` is the newest commit that matters to the slice.

    `table_id` is Delta's: versions of a table that was made anew begin again at 0. `digest` is of
    the newest commit of `log`, the state that was pinned.
    """

    name: str
    table: Table
    log: TableLog = field(repr=False)
    digest: str = field(repr=False)
    table_id: str
    version: int
    data_version: int
    slice_by: str | None = None
    slice: Slice = WHOLE

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        return {
            "dataset": self.table.dataset,
            "table_id": self.table_id,
            "version": self.data_version,
        }

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        return {
            "dataset": self.table.dataset,
            "table_id": self.table_id,
            "version": self.version,
        }


class Net(StrEnum):
    """How changes of several commits become rows."""

    ADDED = "added"  # every commit only added rows: take them as they are
    BALANCE = "balance"  # rows added less rows taken out, by all columns
    NEWEST = "newest"  # the newest of the rows that `apart` does not tell apart
    VERSIONS = "versions"  # every distinct version there was


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedChanges:
    """The commits of a table after version `after` (-1: from the beginning) up to `version`.

    `net` says how the changes are taken when a commit took rows out, as a redone slice does.
    `apart` are the columns that tell rows apart, the `key` among them; empty where none is known.
    With `feed` the changes are read one by one, without it the table as it is at `version`.
    `deletes` is the column that says that a row was taken out, None where such rows are not given.
    `removals`: some commit may have taken rows out.
    """

    name: str
    table: Table
    log: TableLog = field(repr=False)
    digest: str = field(repr=False)
    table_id: str
    after: int
    version: int
    net: Net
    key: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    feed: bool = True
    deletes: str | None = None
    removals: bool = True

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        return {
            "dataset": self.table.dataset,
            "table_id": self.table_id,
            "after": self.after,
            "version": self.version,
        }

    document = content


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFiles:
    """Landing files that are taken; `copies` are those seen and not loaded that the commit names.

    It names those that no commit does which the log keeps for long enough. `apart` are the columns
    that tell rows apart where the newest file counts, else none.
    """

    name: str
    landing: Landing
    files: tuple[TakenFile, ...]
    copies: tuple[TakenFile, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The name lineage knows the folder by."""
        return self.landing.dataset

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        return {"files": sorted(" ".join(filter(None, file.identity)) for file in self.files)}

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        return {
            "dataset": self.dataset,
            "files": [file.document() for file in self.files],
            "copies": [file.document() for file in self.copies],
        }


PinnedInput = PinnedTable | PinnedChanges | PinnedFiles


def refuse_replaced(item: PinnedTable | PinnedChanges) -> None:
    """Raise InputError when the table that lies there is not the one that was pinned.

    One that is deleted and written again has versions of the same numbers, with other rows.
    """
    # one that is replaced in place keeps its old commits
    if item.log.digest(item.log.version) == item.digest:
        return
    log = item.table.read()
    raise InputError(
        "the table was made anew while it was being read",
        where=item.table.dataset,
        expected=f"the table {item.table_id} at version {item.log.version}",
        found=f"the table {log.table_id} at version {log.version}" if log else "no table",
        next_step=f"run again: input {item.name} is then the new table; nothing was committed",
    )
