"""What changed in a table of the lake since a dataset last took it.

`take_changes` says which commits that are, `change_rows` makes rows of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from penstock.assets.inputs.kind import Arrived
from penstock.assets.inputs.tables import dataset_name, refuse_replaced
from penstock.assets.modes import Append, Merge, Scd2
from penstock.errors import DefinitionError
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Asked
    from penstock.resources.lake import Table
    from penstock.resources.table_log import TableLog
    from penstock.schemas.contract import Contract
    from penstock.schemas.model import ContractModel

__all__ = ["Changes", "Net", "PinnedChanges", "changes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The rows that became part of a table since this dataset last took them.

    With `key`, only the newest version of each row; under `Scd2`, of each `valid_from` of it. With
    `deletes`, rows that were taken out too, with true in that column.
    """

    dataset: str
    key: tuple[str, ...] = ()
    valid_from: str | None = None
    deletes: str | None = None

    @property
    def once(self) -> bool:
        """Always."""
        return True

    def check(self, spec: Dataset, name: str, where: str) -> None:
        """Raise DefinitionError where nothing says what becomes of the rows."""
        if self.deletes and not (isinstance(spec.write, Merge) and spec.write.deletes):
            raise DefinitionError(
                f"input {name} gives rows that were taken out, and nothing says what becomes of "
                "them",
                where=where,
                expected="write=Merge(deletes=...)",
                found=type(spec.write).__name__,
                next_step="write Merge(deletes='is_deleted') and return that column; or leave "
                "deletes= out of changes(...)",
            )
        if not isinstance(spec.write, Append | Merge | Scd2):
            raise DefinitionError(
                f"input {name} gives changes, which would replace the rows before them",
                where=where,
                expected="write=Append(), Merge() or Scd2()",
                found=type(spec.write).__name__,
                next_step="add the changes to the table, or read the whole table",
            )
        if spec.partitions:
            raise DefinitionError(
                f"input {name} gives the changes of all slices, to whichever run comes first",
                where=where,
                expected="a dataset without partitions",
                found=spec.partitions.words,
                next_step="leave partitions= out; or read the rows of the slice, with "
                "table(..., slice_by=...)",
            )

    def pin(self, asked: Asked) -> PinnedChanges:
        """The changes that the run's table has not taken yet."""
        from penstock.assets.inputs.take_changes import pin_changes

        return pin_changes(asked, self)


def changes(
    dataset: str | type[Contract], *, valid_from: str | None = None, deletes: str | None = None
) -> Changes:
    """Rows inserted or updated in the table since this dataset's last commit.

    The table must keep a change feed; every table Penstock creates does. Of a row that changed
    several times the newest version is given, if `dataset` is a contract and has a key; a row that
    was taken out again is not given.

    With `deletes`, a row that was taken out is given as it was, with true in a boolean column of
    that name, which all other rows have too, as false. It is for `Merge(deletes=...)`, and for a
    `dataset` that is a contract with a key.

    A dataset that keeps versions (`Scd2`) is given each: the newest of those with the same key and
    `valid_from`, a column of `dataset`; by default the one of the name that `Scd2` uses. Where
    there is no such column each distinct row is given, and a corrected one is set aside with what
    it corrects. Raises DefinitionError when `dataset` is a contract without the column named.
    """
    model = None if isinstance(dataset, str) else model_of(dataset)
    if model and valid_from is not None and model.column(valid_from) is None:
        raise DefinitionError(
            "valid_from is no column of the input",
            where=f"changes({model.name}, valid_from={valid_from!r})",
            expected=f"one of {', '.join(c.name for c in model.columns)}",
            next_step="name the column that says from when on a version of a row holds",
        )
    key = model.key if model else ()
    taken = {column.name.lower() for column in model.columns} if model else set()
    named = deletes is None or re.fullmatch(r"[A-Za-z]\w*", deletes, re.ASCII)
    if deletes is not None and (not key or not named or deletes.lower() in taken):
        raise DefinitionError(
            "deletes is no name that the input has no column of"
            if key
            else "of rows without a key nobody can say which was taken out",
            where=f"changes({dataset_name(dataset)}, deletes={deletes!r})",
            expected="a name that the input has no column of"
            if key
            else "a contract that has a key",
            next_step="write deletes='is_deleted', and Merge(deletes='is_deleted')"
            if key
            else "name the input by its contract, and mark its key with column(key=True)",
        )
    return Changes(dataset=dataset_name(dataset), key=key, valid_from=valid_from, deletes=deletes)


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
    `removals`: some commit may have taken rows out. `data_digest` is of the commit at `version`: a
    table that was put back from a backup and written on has other commits of the same numbers.
    """

    name: str
    table: Table
    log: TableLog = field(repr=False)
    digest: str = field(repr=False)
    table_id: str
    after: int
    version: int
    data_digest: str
    net: Net
    key: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    feed: bool = True
    deletes: str | None = None
    removals: bool = True

    @property
    def dataset(self) -> str:
        """The name of the table."""
        return self.table.dataset

    @property
    def nothing_new(self) -> bool:
        """Whether no commit came that changed rows."""
        return self.after == self.version

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        return {
            "dataset": self.table.dataset,
            "table_id": self.table_id,
            "after": self.after,
            "version": self.version,
        }

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        return {
            **self.content(),
            "data_digest": self.data_digest,
            "deletes": self.deletes is not None,
        }

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:  # noqa: ARG002
        """The rows that the changes come to."""
        from penstock.assets.inputs.change_rows import read_changes

        return Arrived(good=read_changes(spark, self))

    def refuse_other(self) -> None:
        """Raise InputError when another table lies there."""
        refuse_replaced(self)
