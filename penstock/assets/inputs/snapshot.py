"""A table of the lake at one version, whole or cut to the slice."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from penstock.assets.inputs.kind import Arrived
from penstock.assets.inputs.tables import dataset_name, loaded, opened, refuse_replaced
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.assets.slice import WHOLE, Slice
from penstock.errors import DefinitionError, InputError
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Asked
    from penstock.assets.partitions.grid import Partitions
    from penstock.assets.past import Past
    from penstock.ledger.past.log_index import LogIndex
    from penstock.resources.lake import Lake, Table
    from penstock.resources.table_log import TableLog
    from penstock.schemas.contract import Contract
    from penstock.schemas.model import ContractModel

__all__ = [
    "PinnedTable",
    "Snapshot",
    "as_slice_by",
    "check_slice_by",
    "cut_by",
    "pin_table",
    "read_table",
    "refuse_unsliced",
    "table",
]

_DIMENSIONS = 2
_GAPS_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A table at one version; with `slice_by`, only the rows of the slice."""

    dataset: str
    slice_by: str | tuple[str, ...] | None = None
    lookback: timedelta = timedelta()
    # whether a run goes on says nothing of what it writes
    gaps: Literal["refuse", "read"] = field(default="refuse", repr=False)

    @property
    def cut_by(self) -> tuple[str, ...]:
        """The columns that say which slice a row is of, none where it is read whole."""
        return cut_by(self.slice_by)

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
        # what a dataset reads of itself is what came before
        own = self.dataset == asked.spec.name
        snapshot = replace(self, gaps="read") if own else self
        return pin_table(asked.name, snapshot, asked.slice, runtime.lake, runtime.ledger.logs)


def table(
    dataset: str | type[Contract],
    *,
    slice_by: str | Sequence[str] | None = None,
    lookback: timedelta | None = None,
    gaps: Literal["refuse", "read"] = "refuse",
) -> Snapshot:
    """The whole table, or the rows whose `slice_by` column lies in the slice.

    `slice_by` names a date or timestamp column, for a slice of values a column of text, or one of
    each. Slices may be of another grain than the table's. A run whose slice has parts of which the
    table was never made fails, for it would take them for empty; with `gaps="read"` it reads what
    is there. `lookback` moves the start of the slice back, for windows that look into the past:
    what is missing there is taken for empty.
    """
    if gaps not in ("refuse", "read"):
        raise DefinitionError(
            "gaps= says something else",
            where=f"input {dataset_name(dataset)}",
            expected="'refuse' or 'read'",
            found=repr(gaps),
            next_step="write gaps='read' to read a slice of which parts were never made",
        )
    by = as_slice_by(slice_by, f"input {dataset_name(dataset)}")
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
    found = Snapshot(
        dataset=dataset_name(dataset), slice_by=by, lookback=lookback or timedelta(), gaps=gaps
    )
    if not isinstance(dataset, str):
        check_slice_by(f"input {found.dataset}", found.cut_by, model_of(dataset))
    return found


def as_slice_by(slice_by: str | Sequence[str] | None, where: str) -> str | tuple[str, ...] | None:
    """What `slice_by` says. Raises DefinitionError for no columns, or more than can be."""
    if slice_by is None or isinstance(slice_by, str):
        return slice_by
    names = tuple(slice_by)
    if len(names) != _DIMENSIONS or len(set(names)) != _DIMENSIONS:
        raise DefinitionError(
            "slice_by names too few columns or too many",
            where=where,
            expected="one, or two in a tuple: one that says when, and one of values",
            found=str(names),
            next_step="write slice_by='day', or slice_by=('day', 'country')",
        )
    return names


def cut_by(slice_by: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns that `slice_by` names."""
    if slice_by is None:
        return ()
    return (slice_by,) if isinstance(slice_by, str) else tuple(slice_by)


def check_slice_by(
    where: str, names: Sequence[str], model: ContractModel, partitions: Partitions | None = None
) -> None:
    """Raise DefinitionError when `names` are no columns of the contract that say a row's slice.

    That is one of the `partitions`, where they are known.
    """
    for name in names:
        _check_says_slice(where, name, model, partitions)
    texts = [name for name in names if (c := model.column(name)) and c.type == "string"]
    if len(names) > 1 and len(texts) != 1:
        raise DefinitionError(
            "slice_by names two columns that say the same of a slice",
            where=where,
            expected="one that says when, and one of values",
            found=" and ".join(names),
            next_step="choose one of the two; filter by the other in the function",
        )


def _check_says_slice(
    where: str, name: str, model: ContractModel, partitions: Partitions | None
) -> None:
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
    kinds = ["date", "timestamp", "string"]
    if partitions is not None:
        windows = windows_of(partitions)
        hours = windows is not None and windows.grain == "hour"
        times = ["timestamp"] if hours else ["date", "timestamp"]
        kinds = (times if windows else []) + (["string"] if values_of(partitions) else [])
    if column.type not in kinds:
        raise DefinitionError(
            "slice_by names a column that does not say which slice a row is of",
            where=where,
            expected=f"a column of type {' or '.join(kinds)}",
            found=f"{name} {column.type}",
            next_step="name the column that says when a row is of, or which value it has",
        )
    if column.nullable:
        raise DefinitionError(
            "slice_by names a column that may be NULL, and such rows are of no slice",
            where=where,
            expected="a column that says of each row which slice it is of",
            found=f"{name} {column.type}, nullable",
            next_step=f"require {name} in the contract of {model.name}; or read the table whole "
            "and say in the function what becomes of rows without it",
        )


def refuse_unsliced(spec: Dataset, name: str, where: str) -> None:
    """Raise DefinitionError when input `name` is read by slice and the dataset has none."""
    if spec.partitions is None:
        raise DefinitionError(
            f"input {name} is read by slice and the dataset has none",
            where=where,
            next_step="give the dataset partitions=Daily(...) or others, or read the input whole",
        )


def _is_duration(value: object) -> bool:
    return isinstance(value, timedelta) and value >= timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedTable:
    """A table at `version`; `data_version` is the newest commit that matters to the slice.

    `table_id` is Delta's: versions of a table that was made anew begin again at 0. `digest` is of
    the newest commit of `log`, the state that was pinned: a table put back from a backup and
    written on has other commits of the same numbers.
    """

    name: str
    table: Table
    log: TableLog = field(repr=False)
    digest: str = field(repr=False)
    table_id: str
    version: int
    data_version: int
    cut_by: tuple[str, ...] = ()
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
            "digest": self.digest,
        }

    def goes_on(self, said: Mapping[str, Any]) -> bool:
        """Whether the version that a `document` says was read is still that commit of the log.

        Of one that has left the log, or was made before this was noted, it is believed.
        """
        version = said["version"]
        if version > self.version:
            return False
        now = self.digest if version == self.version else self.log.digest(version)
        return now is None or said.get("digest") in (None, "", now)

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:  # noqa: ARG002
        """The rows of the slice."""
        return Arrived(good=read_table(spark, self))

    def refuse_other(self) -> None:
        """Raise InputError when another table lies there."""
        refuse_replaced(self)


def pin_table(
    name: str, snapshot: Snapshot, slice_: Slice, lake: Lake, logs: LogIndex
) -> PinnedTable:
    """The table as it is now.

    Raises InputError when it was never written, or not for a part of the slice that is read.
    """
    table, past = opened(name, snapshot.dataset, lake, logs)
    when, which = _cut(snapshot, past, slice_)
    part = slice_.widened(snapshot.lookback) if when else slice_.of_values()
    part = part if which else part.of_times()
    newest = past.newest(part, when, which)
    if snapshot.gaps == "refuse" and (when or which):
        wanted = slice_ if when else slice_.of_values()
        gaps = past.gaps(wanted if which else wanted.of_times(), when, which)
        _refuse_gaps(name, snapshot, slice_, gaps)
    return PinnedTable(
        name=name,
        table=table,
        table_id=past.table_id,
        log=past.log,
        digest=past.digest,
        version=past.log.version,
        data_version=newest.version if newest else 0,
        cut_by=snapshot.cut_by,
        slice=part,
    )


def _cut(snapshot: Snapshot, past: Past, slice_: Slice) -> tuple[str | None, str | None]:
    """The column that says when a row is of, and the one of values.

    Raises InputError where they do not say of which slice: each would be of all rows.
    """
    names = snapshot.cut_by
    if slice_.start is None or not slice_.values:  # a read finds out whether the type is another
        when, which = ([*names], []) if slice_.start else ([], [*names])
    else:  # the table's state is read: only where both may be
        kinds = {column.name: column.type for column in past.log.columns()} if names else {}
        when = [by for by in names if kinds.get(by) != "string"]
        which = [by for by in names if kinds.get(by) == "string"]
    if when[1:] or which[1:]:
        raise InputError(
            "two columns to slice by do not say which slice a row is of",
            where=f"{snapshot.dataset}.{(when[1:] or which[1:])[0]}",
            expected="one column that says when, for slices of time, and one of text for values",
            found=f"{' and '.join(names)}, for the slice {slice_.key}",
            next_step="correct slice_by of the input",
        )
    return when[0] if when else None, which[0] if which else None


def _refuse_gaps(name: str, snapshot: Snapshot, slice_: Slice, gaps: Sequence[Slice]) -> None:
    """Raise InputError where the table was never made for a part of the slice."""
    if gaps:
        more = f" and {len(gaps) - _GAPS_NAMED} more" if gaps[_GAPS_NAMED:] else ""
        raise InputError(
            f"input {name} was never made for a part of the slice",
            where=snapshot.dataset,
            expected=f"runs of all that is in {slice_.key}",
            found=f"none of {'; '.join(gap.span for gap in gaps[:_GAPS_NAMED])}{more}",
            next_step=f"run {snapshot.dataset} for these first, or with penstock run --upstream; "
            "or write gaps='read' where there is nothing to come",
        )


def read_table(spark: SparkSession, item: PinnedTable) -> DataFrame:
    """The table at its pinned version, cut to the slice."""
    from pyspark.sql import functions as F

    frame = loaded(spark.read.option("versionAsOf", item.version), item)
    if not item.cut_by:
        return frame
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    for name in item.cut_by:
        if name not in kinds:
            raise InputError(
                "the column to slice by is not in the table",
                where=f"{item.table.dataset}.{name}",
                expected=f"one of {sorted(kinds)}",
                next_step=f"correct slice_by of input {item.name}",
            )
        frame = frame.where(F.expr(item.slice.predicate(name, kinds[name])))
    return frame
