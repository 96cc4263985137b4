"""`@dataset`: a pure function and a contract become a dataset that Penstock can produce."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from penstock.assets.inputs import Changes, Input, Landing, Snapshot, table
from penstock.assets.modes import (
    Append,
    BadRows,
    Merge,
    Overwrite,
    Quarantine,
    ReplaceSlice,
    Scd2,
    WriteMode,
)
from penstock.assets.source_text import sources_of
from penstock.errors import DefinitionError
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock.assets.slice import Daily
    from penstock.privacy import MaskingPolicy
    from penstock.schemas.contract import Contract
    from penstock.schemas.model import ContractModel

__all__ = ["Dataset", "Schedule", "dataset", "refuse_nested_names"]

Body = Callable[..., "DataFrame"]
_PYTHON = {"date": "date", "timestamp": "datetime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How Dagster runs the dataset by itself, and what it does when a run fails."""

    eager: bool = False  # materialize as soon as an input has
    cron: str | None = None
    max_retries: int = 2
    retry_delay: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Everything needed to produce one dataset, whoever runs it. Made by `@dataset`."""

    contract: type[Contract]
    body: Body
    inputs: Mapping[str, Input]
    write: WriteMode
    bad_rows: BadRows
    partitions: Daily | None
    cluster: str
    group: str
    tags: Mapping[str, str]
    schedule: Schedule
    masking: MaskingPolicy | None = None
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
    def definition(self) -> str:
        """What the decorator says that the result depends on, the same for the same words."""
        column = self.partitions.column if self.partitions else None
        inputs = sorted(self.inputs.items())
        return repr((inputs, self.write, self.bad_rows, column))

    @property
    def wants_slice(self) -> bool:
        """Whether the function has a parameter `run` for the slice."""
        return "run" in inspect.signature(self.body).parameters

    @property
    def source(self) -> tuple[str, int]:
        """(file, line) of the function."""
        code = inspect.unwrap(self.body).__code__
        return code.co_filename, code.co_firstlineno

    def __call__(self, *frames: DataFrame, **named: DataFrame) -> DataFrame:
        """The function itself, so that a test can call it on a few rows."""
        return self.body(*frames, **named)


def dataset(  # noqa: PLR0913 - one keyword for each decision
    contract: type[Contract],
    *,
    inputs: Mapping[str, str | type[Contract] | Input],
    write: WriteMode | None = None,
    bad_rows: BadRows | None = None,
    partitions: Daily | None = None,
    cluster: str = "cluster",
    group: str | None = None,
    tags: Mapping[str, str] | None = None,
    schedule: Schedule | None = None,
    masking: MaskingPolicy | None = None,
) -> Callable[[Body], Dataset]:
    """Make a dataset of a function that takes DataFrames and returns one.

    `inputs` maps the function's parameters to what they are bound to: a contract, a dataset's
    name, `table(...)`, `changes(...)` or `landing(...)`. A parameter called `run` is given the
    `Slice`. `write` defaults to `ReplaceSlice()` with partitions and `Overwrite()` without,
    `bad_rows` to `Quarantine()`. `cluster` is the key of the Dagster resource to run on. With
    `masking` the function's result is masked by the policy before the gate.

    Raises DefinitionError when the pieces do not fit together.
    """
    bound = {
        name: item if isinstance(item, get_args(Input)) else table(item)  # type: ignore[arg-type]
        for name, item in inputs.items()
    }
    write = write or (ReplaceSlice() if partitions else Overwrite())

    def decorate(body: Body) -> Dataset:
        spec = Dataset(
            contract=contract,
            body=body,
            inputs=bound,
            write=write,
            bad_rows=bad_rows or Quarantine(),
            partitions=partitions,
            cluster=cluster,
            group=group or model_of(contract).name.partition(".")[0],
            tags=dict(tags or {}),
            schedule=schedule or Schedule(),
            masking=masking,
        )
        check_dataset(spec)
        return spec

    return decorate


def refuse_nested_names(names: Sequence[str]) -> None:
    """Raise DefinitionError when a name goes on where another ends: `a.b` and `a.b.c`.

    Their folders would lie in each other, and VACUUM of the outer table would delete the inner one.
    """
    inner = {name: [n for n in names if n.startswith(f"{name}.")] for name in names}
    nested = [f"{name} lies inside {outer}" for outer in inner for name in inner[outer]]
    if nested:
        raise DefinitionError(
            "the table of one dataset would lie inside that of another",
            where=", ".join(sorted(name for name in inner if inner[name])),
            found="; ".join(sorted(nested)),
            next_step="rename one of the two, such as shop.orders and shop.order_lines",
        )


def check_dataset(spec: Dataset) -> None:
    """Raise DefinitionError when the parts of the dataset do not fit together."""
    where = f"dataset {spec.name}"
    parameters = set(inspect.signature(spec.body).parameters) - {"run"}
    if parameters != set(spec.inputs):
        raise DefinitionError(
            "the function's parameters are not its inputs",
            where=where,
            expected=f"{sorted(spec.inputs)}, and `run` for the slice",
            found=str(sorted(parameters)),
            next_step="give each input a parameter of the same name",
        )
    _check_inputs(spec, where)
    _check_write(spec, where)
    if spec.partitions and spec.model.column(spec.partitions.column) is None:
        raise DefinitionError(
            "the partition column is not in the contract",
            where=f"{where}.{spec.partitions.column}",
            expected=f"one of {[c.name for c in spec.model.columns]}",
            next_step="name the date or timestamp column that says which day a row is of",
        )
    if spec.partitions:
        kind = spec.model.column(spec.partitions.column).type  # type: ignore[union-attr]
        if kind not in ("date", "timestamp"):
            raise DefinitionError(
                "the partition column has no day",
                where=f"{where}.{spec.partitions.column}",
                expected="date or timestamp",
                found=kind,
                next_step="use a date or timestamp column",
            )


def _check_inputs(spec: Dataset, where: str) -> None:
    for name, item in spec.inputs.items():
        by_day = isinstance(item, Landing) and "{day}" in item.pattern
        sliced = isinstance(item, Snapshot) and item.slice_by is not None
        if (by_day or sliced) and spec.partitions is None:
            raise DefinitionError(
                f"input {name} is read by slice and the dataset has none",
                where=where,
                next_step="give the dataset partitions=Daily(...), or read the input whole",
            )
        if isinstance(item, Changes) and not isinstance(spec.write, Append | Merge | Scd2):
            raise DefinitionError(
                f"input {name} gives changes, which would replace the rows before them",
                where=where,
                expected="write=Append(), Merge() or Scd2()",
                found=type(spec.write).__name__,
                next_step="add the changes to the table, or read the whole table",
            )


def _check_write(spec: Dataset, where: str) -> None:
    match spec.write:
        case Overwrite() if spec.partitions is not None:
            raise DefinitionError(
                "Overwrite with partitions: a run of one slice replaces the other slices too",
                where=where,
                expected="write=ReplaceSlice(), or no partitions",
                next_step="drop write=Overwrite(): ReplaceSlice() is what partitions default to",
            )
        case ReplaceSlice() if spec.partitions is None:
            raise DefinitionError(
                "ReplaceSlice without partitions",
                where=where,
                next_step="give partitions=Daily(column=..., start=...)",
            )
        case Append() if any(isinstance(i, Snapshot) for i in spec.inputs.values()) and not any(
            isinstance(i, Changes | Landing) for i in spec.inputs.values()
        ):
            raise DefinitionError(
                "Append of whole tables adds the same rows at every run",
                where=where,
                next_step="take the input as changes(...), or use Merge() or Overwrite()",
            )
        case Merge() | Scd2() if not spec.model.key:
            raise DefinitionError(
                f"{type(spec.write).__name__} needs a key to match rows by",
                where=where,
                next_step="mark the key columns of the contract with column(key=True)",
            )
        case Scd2() as scd2:
            _check_versions(spec, scd2, where)
        case _:
            pass


def _check_versions(spec: Dataset, scd2: Scd2, where: str) -> None:
    """Raise DefinitionError when the contract's columns cannot say when a version holds."""
    names = (scd2.valid_from, scd2.valid_to, scd2.is_current)
    missing = [n for n in names if spec.model.column(n) is None]
    in_key = [n for n in names if n in spec.model.key]
    if missing or in_key or len(set(names)) < len(names):
        raise DefinitionError(
            f"the contract lacks {missing}"
            if missing
            else "a column of Scd2 has two parts to play",
            where=where,
            expected=f"three columns {names}, none of them in the key",
            found=f"in the key: {in_key}" if in_key else None,
            next_step="declare them: timestamp, nullable timestamp, bool",
        )
    kinds = {column.name: (column.type, column.nullable) for column in spec.model.columns}
    start, _ = kinds[scd2.valid_from]
    moment = start if start in ("date", "timestamp") else "timestamp"
    for name, wanted, write in (
        (scd2.valid_from, (moment, False), f"{_PYTHON[moment]} = column()"),
        (scd2.valid_to, (moment, True), f"{_PYTHON[moment]} = column(nullable=True)"),
        (scd2.is_current, ("boolean", False), "bool = column()"),
    ):
        if kinds[name] != wanted:
            raise DefinitionError(
                "the column cannot hold what Scd2 writes to it",
                where=f"contract {spec.contract.__name__}.{name}",
                expected=_kind(*wanted),
                found=_kind(*kinds[name]),
                next_step=f"write {name}: {write}",
            )


def _kind(kind: str, nullable: bool) -> str:  # noqa: FBT001 - a column's two facts, unpacked
    return f"{kind}{'' if nullable else ' NOT NULL'}"


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
