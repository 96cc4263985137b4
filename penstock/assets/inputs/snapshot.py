"""A table of the lake at one version, whole or cut to the slice."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from penstock.assets.inputs.kind import Arrived
from penstock.assets.inputs.tables import dataset_name, loaded, opened, refuse_replaced
from penstock.assets.slice import WHOLE, Slice
from penstock.errors import DefinitionError, InputError
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Asked
    from penstock.ledger.past.log_index import LogIndex
    from penstock.resources.lake import Lake, Table
    from penstock.resources.table_log import TableLog
    from penstock.schemas.contract import Contract
    from penstock.schemas.model import ContractModel

__all__ = [
    "PinnedTable",
    "Snapshot",
    "check_slice_by",
    "pin_table",
    "read_table",
    "refuse_unsliced",
    "table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A table at one version; with `slice_by`, only the rows of the slice."""

    dataset: str
    slice_by: str | None = None
    lookback: timedelta = timedelta()

    @property
    def once(self) -> bool:
        """Never: it is read whole at each run."""
        return False

    def check(self, spec: Dataset, name: str, where: str) -> None:
        """Raise DefinitionError where it is read by slice and the dataset has none."""
        if self.slice_by is not None:
            refuse_unsliced(spec, name, where)

    def pin(self, asked: Asked) -> PinnedTable:
        """The table as it is now."""
        runtime = asked.runtime
        return pin_table(asked.name, self, asked.slice, runtime.lake, runtime.ledger.logs)


def table(
    dataset: str | type[Contract], *, slice_by: str | None = None, lookback: timedelta | None = None
) -> Snapshot:
    """The whole table, or the rows whose `slice_by` column lies in the slice.

    `lookback` moves the start of the slice back, for windows that look into the past.
    """
    if lookback is not None and slice_by is None:
        raise DefinitionError(
            "lookback without slice_by",
            where=f"input {dataset_name(dataset)}",
            next_step="name the column that says which slice a row is of: slice_by=...",
        )
    if lookback is not None and not _is_duration(lookback):
        raise DefinitionError(
            "lookback is no duration",
            where=f"input {dataset_name(dataset)}",
            expected="a datetime.timedelta",
            found=repr(lookback),
            next_step="write lookback=timedelta(days=7)",
        )
    if slice_by is not None and not isinstance(dataset, str):
        check_slice_by(f"input {dataset_name(dataset)}", slice_by, model_of(dataset))
    return Snapshot(
        dataset=dataset_name(dataset), slice_by=slice_by, lookback=lookback or timedelta()
    )


def check_slice_by(where: str, name: str, model: ContractModel) -> None:
    """Raise DefinitionError when `name` is no column of the contract that says a row's day."""
    column = model.column(name)
    if column is None:
        names = [column.name for column in model.columns]
        near = difflib.get_close_matches(str(name), names, 1)
        raise DefinitionError(
            "slice_by names a column that is not there",
            where=where,
            expected=f"columns of {model.name}: {', '.join(names)}",
            found=str(name),
            next_step=f"did you mean {near[0]}?" if near else "name a date or timestamp column",
        )
    if column.type not in ("date", "timestamp"):
        raise DefinitionError(
            "slice_by names a column that has no day",
            where=where,
            expected="a date or timestamp column",
            found=f"{name} {column.type}",
            next_step="name the column that says which day a row is of",
        )


def refuse_unsliced(spec: Dataset, name: str, where: str) -> None:
    """Raise DefinitionError when input `name` is read by slice and the dataset has none."""
    if spec.partitions is None:
        raise DefinitionError(
            f"input {name} is read by slice and the dataset has none",
            where=where,
            next_step="give the dataset partitions=Daily(...), or read the input whole",
        )


def _is_duration(value: object) -> bool:
    return isinstance(value, timedelta) and value >= timedelta()


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

    @property
    def dataset(self) -> str:
        """The name of the table."""
        return self.table.dataset

    @property
    def nothing_new(self) -> bool:
        """Never known: rows may have been taken out."""
        return False

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

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:  # noqa: ARG002
        """The rows of the slice."""
        return Arrived(good=read_table(spark, self))

    def refuse_other(self) -> None:
        """Raise InputError when another table lies there."""
        refuse_replaced(self)


def pin_table(
    name: str, snapshot: Snapshot, slice_: Slice, lake: Lake, logs: LogIndex
) -> PinnedTable:
    """The table as it is now. Raises InputError when it was never written."""
    table, past = opened(name, snapshot.dataset, lake, logs)
    part = slice_.widened(snapshot.lookback) if snapshot.slice_by else WHOLE
    newest = past.newest(part, snapshot.slice_by)
    return PinnedTable(
        name=name,
        table=table,
        table_id=past.table_id,
        log=past.log,
        digest=past.digest,
        version=past.log.version,
        data_version=newest.version if newest else 0,
        slice_by=snapshot.slice_by,
        slice=part,
    )


def read_table(spark: SparkSession, item: PinnedTable) -> DataFrame:
    """The table at its pinned version, cut to the slice."""
    from pyspark.sql import functions as F

    frame = loaded(spark.read.option("versionAsOf", item.version), item)
    if item.slice_by is None:
        return frame
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    if item.slice_by not in kinds:
        raise InputError(
            "the column to slice by is not in the table",
            where=f"{item.table.dataset}.{item.slice_by}",
            expected=f"one of {sorted(kinds)}",
            next_step=f"correct slice_by of input {item.name}",
        )
    return frame.where(F.expr(item.slice.predicate(item.slice_by, kinds[item.slice_by])))
