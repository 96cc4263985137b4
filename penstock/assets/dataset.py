"""`@dataset`: a pure function and a contract become a dataset that Penstock can produce."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.assets.definition import check_dataset, check_schedule, refuse_parts
from penstock.assets.inputs.changes import Changes
from penstock.assets.inputs.external import External
from penstock.assets.inputs.kind import Input
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.snapshot import Snapshot, table
from penstock.assets.inputs.topic import Topic
from penstock.assets.modes import (
    Append,
    BadRows,
    Merge,
    Overwrite,
    Quarantine,
    ReplaceSlice,
    Scd2,
    Warn,
    WriteMode,
)
from penstock.assets.partitions.grid import partitions_from
from penstock.assets.source_text import sources_of
from penstock.errors import DefinitionError
from penstock.schemas.contract import model_of
from penstock.schemas.model import ColumnModel

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock.assets.layout import Layout
    from penstock.assets.partitions.grid import Partitions
    from penstock.assets.partitions.values import Dynamic, Static
    from penstock.assets.partitions.windows import Windows
    from penstock.assets.slice import Slice
    from penstock.privacy import MaskingPolicy
    from penstock.schemas.contract import Contract
    from penstock.schemas.model import ContractModel

__all__ = ["Dataset", "Schedule", "dataset"]

Body = Callable[..., "DataFrame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How Dagster runs the dataset by itself, and what it does when a run fails.

    `eager` runs it as soon as an input is new, `cron` at the times of a cron expression; not both.
    A failed run is tried again `max_retries` times, the first time after `retry_delay`.
    """

    eager: bool = False
    cron: str | None = None
    max_retries: int = 2
    retry_delay: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        """Raise DefinitionError for what Dagster could not keep."""
        check_schedule(
            self.cron,
            eager=self.eager,
            max_retries=self.max_retries,
            retry_delay=self.retry_delay,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Everything needed to produce one dataset, whoever runs it. Made by `@dataset`."""

    contract: type[Contract]
    body: Body
    inputs: Mapping[str, Input]
    write: WriteMode
    bad_rows: BadRows
    partitions: Partitions | None
    cluster: str
    group: str
    tags: Mapping[str, str]
    schedule: Schedule
    masking: MaskingPolicy | None = None
    layout: Layout | None = None
    closes_after: timedelta | None = None
    code_version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "code_version", _code_version(self.body, self.model))

    @property
    def model(self) -> ContractModel:
        """The contract as plain data."""
        return model_of(self.contract)

    @property
    def name(self) -> str:
        """The dataset's name, which is its contract's."""
        return self.model.name

    @property
    def upstream(self) -> tuple[str, ...]:
        """Names of the datasets it reads, those of its foreign keys included, sorted."""
        read = {i.dataset for i in self.inputs.values() if isinstance(i, Snapshot | Changes)}
        read |= {key.references for key in self.model.foreign_keys}
        return tuple(sorted(read - {self.name}))

    @property
    def removes(self) -> str | None:
        """The boolean column of the function's rows that has a row taken out of the table.

        None where the contract has it: then it is a column like others.
        """
        deletes = self.write.deletes if isinstance(self.write, Merge | Scd2) else None
        return deletes if deletes and self.model.column(deletes) is None else None

    @property
    def order_by(self) -> str | None:
        """The column that says which of two rows of one key is newer, None where none does."""
        return self.write.order_by if isinstance(self.write, Merge) else None

    @property
    def whole_list(self) -> bool:
        """Whether each run is given all rows that there are to be, and what is missing is gone."""
        return isinstance(self.write, Merge | Scd2) and self.write.missing != "keep"

    @property
    def arriving(self) -> ContractModel:
        """What files are held against: the contract, and the column that has rows taken out."""
        if self.removes is None:
            return self.model
        gone = ColumnModel(name=self.removes, type="boolean")
        return replace(self.model, columns=(*self.model.columns, gone))

    @property
    def returned(self) -> ContractModel:
        """What the function's rows are held against: the same, without what the mode adds."""
        write = self.write
        added = {write.valid_to, write.is_current} if isinstance(write, Scd2) else set()
        return self.arriving.only(
            tuple(c.name for c in self.arriving.columns if c.name not in added)
        )

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that tell rows of one run apart; a row's versions differ in valid_from."""
        key = self.model.key
        return (*key, self.write.valid_from) if key and isinstance(self.write, Scd2) else key

    @property
    def table_key(self) -> tuple[str, ...]:
        """The columns that tell the table's rows apart; none where two runs may write the same."""
        match self.write:
            case Overwrite() if not isinstance(self.bad_rows, Warn):
                return self.row_key
            case Merge() | Scd2():
                return self.row_key
            case _:
                return ()

    @property
    def kept_key(self) -> tuple[str, ...]:
        """The columns that tell the table's rows apart when one run wrote after the other."""
        adds = isinstance(self.write, Append) and not isinstance(self.bad_rows, Warn)
        return self.row_key if adds else self.table_key

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the databases and brokers it reads from, sorted."""
        inputs = self.inputs.values()
        return tuple(sorted({i.source for i in inputs if isinstance(i, Query | Topic)}))

    @property
    def contracts_of_others(self) -> dict[str, ContractModel]:
        """By the dataset's name, the contracts that it declares for tables of others."""
        return {i.dataset: i.model for i in self.inputs.values() if isinstance(i, External)}

    @property
    def needs_secrets(self) -> bool:
        """Whether it makes tokens or asks a source, and needs a key or a password."""
        return bool(self.sources) or (self.masking is not None and self.masking.needs_key)

    @property
    def definition(self) -> str:
        """What the decorator says that the result depends on, the same for the same words."""
        columns = self.partitions.columns if self.partitions else (None,)
        inputs = sorted(self.inputs.items())
        cut_by = columns if columns[1:] else columns[0]
        return repr((inputs, self.write, self.bad_rows, cut_by))

    @property
    def wants_slice(self) -> bool:
        """Whether the function has a parameter `run` for the slice."""
        return "run" in inspect.signature(self.body).parameters

    @property
    def source(self) -> tuple[str, int]:
        """(file, line) of the function."""
        code = inspect.unwrap(self.body).__code__
        return code.co_filename, code.co_firstlineno

    def __call__(self, *given: DataFrame | Slice, **named: DataFrame | Slice) -> DataFrame:
        """The function itself, so that a test can call it on a few rows."""
        return self.body(*given, **named)


def dataset(  # noqa: PLR0913 - one keyword for each decision
    contract: type[Contract],
    *,
    # always given; the default has bare @dataset end in the error that says what it lacks
    inputs: Mapping[str, str | type[Contract] | Input] | None = None,
    write: WriteMode | None = None,
    bad_rows: BadRows | None = None,
    partitions: Partitions | tuple[Windows, Static | Dynamic] | None = None,
    cluster: str = "cluster",
    group: str | None = None,
    tags: Mapping[str, str] | None = None,
    schedule: Schedule | None = None,
    masking: MaskingPolicy | None = None,
    layout: Layout | None = None,
    closes_after: timedelta | None = None,
) -> Callable[[Body], Dataset]:
    """Make a dataset of a function that takes DataFrames and returns one.

    `inputs` maps the function's parameters to what they are bound to: a contract, a dataset's name,
    `table(...)`, `changes(...)`, `landing(...)`, `query(...)`, `topic(...)` or `external(...)`. A
    parameter called `run` is given the `Slice`. `partitions` is `Hourly`, `Daily`, `Weekly`,
    `Monthly`, `Yearly`, `Static` or `Dynamic`, or one of time and one of values in a tuple. `write`
    defaults to `ReplaceSlice()` with partitions and `Overwrite()` without, `bad_rows` to
    `Quarantine()`. `group` and `tags` are Dagster's; the group defaults to the first part of the
    dataset's name, the schedule to none. `cluster` is the key of the Dagster resource to run on.
    With `masking` the function's result is masked by the policy before the gate.

    `layout` is of a table that is made from now on: `"folders"` gives each day, or value of the
    slices, a folder of its own; in a `"plain"` table upkeep joins what small slices wrote, and a
    slice rewrites the files that it shares with others. The default is folders for days by a date
    and for slices of values, and plain for others.

    With `closes_after` a slice of time that is replaced is closed so long after its end: a run that
    would change it, for a late file or other code, fails unless it is told to reopen it.

    Raises DefinitionError when the pieces do not fit together.
    """
    model = model_of(contract)
    where = f"dataset {model.name}"
    refuse_parts(
        where,
        inputs=inputs,
        write=write,
        bad_rows=bad_rows,
        cluster=cluster,
        group=group,
        tags=tags,
        masking=masking,
    )
    cut = partitions_from(partitions, where)
    if not isinstance(schedule, Schedule | None):
        raise DefinitionError(
            "schedule= is of another kind",
            where=where,
            expected="Schedule",
            found=repr(schedule),
            next_step="write schedule=Schedule(cron='0 4 * * *')",
        )
    bound = {
        name: item if isinstance(item, Input) else table(item)
        for name, item in (inputs or {}).items()
    }
    write = write or (ReplaceSlice() if cut else Overwrite())

    def decorate(body: Body) -> Dataset:
        spec = Dataset(
            contract=contract,
            body=body,
            inputs=bound,
            write=write,
            bad_rows=bad_rows or Quarantine(),
            partitions=cut,
            cluster=cluster,
            group=model.name.partition(".")[0] if group is None else group,
            tags=dict(tags or {}),
            schedule=schedule or Schedule(),
            masking=masking,
            layout=layout,
            closes_after=closes_after,
        )
        check_dataset(spec)
        return spec

    return decorate


def _code_version(body: Body, model: ContractModel) -> str:
    """Twelve hex digits that change with the function, what it calls, or the contract."""
    sources = sources_of(inspect.unwrap(body))
    digest = hashlib.sha256("\0".join([*sources, model.fingerprint()]).encode())
    return digest.hexdigest()[:12]


def source_path(spec: Dataset, root: Path | None = None) -> str:
    """The function's file, relative to `root` when it lies in it."""
    path = Path(spec.source[0])
    if root and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.name
