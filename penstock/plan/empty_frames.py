"""What a dataset's function makes of empty frames: its lineage, or why a run would fail."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.assets.body import called, lineage_of
from penstock.assets.fault import translated
from penstock.assets.gate import check_frame, check_leaks
from penstock.assets.inputs.changes import Changes
from penstock.assets.inputs.external import External
from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.slice import WHOLE
from penstock.assets.source_text import sources_of
from penstock.errors import DefinitionError, GateError
from penstock.lineage.plan.frame_lineage import mark
from penstock.privacy import empty_pads, mask
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Input
    from penstock.errors import PenstockError
    from penstock.lineage.column_lineage import ColumnLineage
    from penstock.schemas.model import ContractModel

__all__ = ["Tried", "try_body"]

# with what a function asks for rows while it is being called; `F.first("a")` asks for none
_LOOKS = re.compile(
    r"\.(pivot|head|take|tail)\(|\.(collect|first|isEmpty|toArrow|toLocalIterator|toPandas)\(\)"
)
_WITHOUT_ROWS = "the function, called on frames without rows,"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The lineage; or `error`, what a run would end with; or `unknown`, why neither is known."""

    lineage: ColumnLineage | None = None
    error: PenstockError | None = None
    unknown: str | None = None


def try_body(
    spec: Dataset,
    spark: SparkSession,
    contracts: Mapping[str, ContractModel],
    *,
    gate: bool = True,
) -> Tried:
    """The function called on a frame without rows for each input.

    `contracts` says by the dataset's name which columns its table has. With `gate` the result is
    held against the contract, and classes of personal data against its clearance, as a run does.
    No Spark job of ours runs; of the function's own there may be some.
    """
    try:
        frames: dict[str, Any] = {}
        for name, item in spec.inputs.items():
            frame = _empty(spec, item, spark, contracts)
            if frame is None:
                return Tried(unknown=f"input {name}: nobody says which columns {item.dataset} has")
            frames[name] = mark(frame, item.dataset)
        if spec.wants_slice:
            parts = spec.partitions
            frames["run"] = parts.slice(parts.example) if parts else WHOLE
        made = called(spec, frames)
        masked = mask(made, spec.masking, empty_pads(spark)) if spec.masking else made
        if gate:
            try:
                frame = check_frame(spec, masked)
            except GateError:
                if _looks(spec):
                    return Tried(unknown=f"{_WITHOUT_ROWS} returns other columns than its contract")
                raise
        else:
            frame = masked
        lineage = lineage_of(spec, made if spec.masking else frame)
        if gate:
            check_leaks(spec, lineage, contracts.get)
        if spec.masking:
            lineage = lineage.masked_by(
                spec.masking.masks(), spec.masking.dropped, spec.masking.looks_at()
            )
    except (NameError, ImportError) as error:  # with rows it would be the same
        return Tried(
            error=DefinitionError(
                "the function raises an error",
                where=f"{spec.name}, {spec.source[0]}:{spec.source[1]}",
                found=type(error).__name__,
                next_step="see it with: python -m pytest, and penstock.testing.run_body",
            )
        )
    except Exception as error:  # noqa: BLE001 - the function is the user's, and may do anything
        told = translated(error, spec.name)
        if isinstance(told, DefinitionError | GateError):
            return Tried(error=told)
        # it may stumble over what it asks of rows
        return Tried(unknown=f"{_WITHOUT_ROWS} fails: {type(error).__name__}")
    return Tried(lineage=lineage)


def _looks(spec: Dataset) -> bool:
    """Whether the function seems to ask for rows: then it may do otherwise where there are some."""
    return any(_LOOKS.search(text) for text in sources_of(inspect.unwrap(spec.body)))


def _empty(
    spec: Dataset, item: Input, spark: SparkSession, contracts: Mapping[str, ContractModel]
) -> DataFrame | None:
    match item:
        case External():
            columns = _columns(item.model)
        case Snapshot() | Changes():
            model = contracts.get(item.dataset)
            if model is None:
                return None
            columns = _columns(model)
            if isinstance(item, Changes) and item.deletes:
                columns[item.deletes] = "boolean"
        case _:
            derived: Iterable[str] = getattr(item, "derived", ())
            columns = _columns(spec.arriving)
            columns = {name: kind for name, kind in columns.items() if name not in derived}
    schema = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    return spark.createDataFrame([], schema)


def _columns(model: ContractModel) -> dict[str, str]:
    return {column.name: column.type for column in model.columns}
