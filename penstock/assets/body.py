"""Step 2, body: the function is called on its inputs' frames, and what it returns is analyzed.

Frames are lazy, and the gate (step 3) looks at their schema and lineage alone: nothing runs but
what the function itself runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.assets.fault import found_bad_row
from penstock.assets.frames import input_frames
from penstock.assets.gate import check_frame, check_leaks, check_table, refuse_other
from penstock.assets.inputs.changes import Changes
from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.topic import Topic
from penstock.assets.row_filters import last_of_each
from penstock.errors import SecretError
from penstock.lineage.plan.frame_lineage import column_lineage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.resolve import Resolved
    from penstock.assets.runtime import Runtime
    from penstock.lineage.column_lineage import ColumnLineage
    from penstock.resources.secrets import Secrets

__all__ = [
    "Analyzed",
    "analyze",
    "called",
    "key_id",
    "leaving_out",
    "lineage_of",
    "refuse_other_inputs",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzed:
    """The body's result before anything runs.

    `strictly`: a landing row that cannot be read stops the frame; else it is among `rejected`.
    """

    frame: DataFrame
    rejected: list[DataFrame]
    strictly: bool
    lineage: ColumnLineage
    evolve: bool


def analyze(resolved: Resolved, spark: SparkSession, runtime: Runtime) -> Analyzed:
    """Steps 2 and 3: the body's frame, its lineage, and the gate. No Spark job of ours runs."""
    spec, strictly = resolved.spec, not resolved.expects_bad_rows
    try:
        plain, rejected = _body(resolved, spark, strictly=strictly)
    except Exception as error:
        # a function may run jobs: `pivot` asks for its values
        if not (strictly and found_bad_row(error)):
            raise
        strictly = False
        plain, rejected = _body(resolved, spark, strictly=False)
    frame = check_frame(spec, _masked(spec, spark, runtime, plain))
    # the policy says what masking does to a column, better than any plan could
    lineage = lineage_of(spec, plain if spec.masking else frame)
    check_leaks(spec, lineage, runtime.ledger.latest_contract)
    if spec.masking:
        policy = spec.masking
        lineage = lineage.masked_by(policy.masks(), policy.dropped, policy.looks_at())
    evolve = check_table(spec, resolved.state)
    return Analyzed(
        frame=_latest(spec, frame),
        rejected=rejected,
        strictly=strictly,
        lineage=lineage,
        evolve=evolve,
    )


def leaving_out(
    resolved: Resolved, spark: SparkSession, runtime: Runtime
) -> tuple[DataFrame, list[DataFrame]]:
    """(The frame without landing rows that cannot be read, those rows): the function again."""
    plain, rejected = _body(resolved, spark, strictly=False)
    frame = check_frame(resolved.spec, _masked(resolved.spec, spark, runtime, plain))
    return _latest(resolved.spec, frame), rejected


def lineage_of(spec: Dataset, frame: DataFrame) -> ColumnLineage:
    """Where the columns of the table come from, and what decides which rows it has."""
    lineage = column_lineage(frame)
    for item in spec.inputs.values():
        if isinstance(item, Changes) and item.deletes:
            # the change feed says it, and no column of the table
            lineage = lineage.without(item.dataset, item.deletes)
    for dataset, names in _sent_names(spec).items():
        lineage = lineage.renamed(dataset, names)
    for name in filter(None, (spec.order_by, spec.removes)):
        lineage = lineage.deciding(name, stays=name != spec.removes)
    return lineage


def _sent_names(spec: Dataset) -> dict[str, dict[str, str]]:
    """By source, what the sender calls columns that frames have by the contract's names.

    Readers of lineage look for the sender's. Where two inputs read one source otherwise, frames do
    not say which a column came by: then none is renamed.
    """
    found: dict[str, dict[str, str]] = {}
    differ: set[str] = set()
    for item in spec.inputs.values():
        if not isinstance(item, Landing | Query | Topic):
            continue
        names = {name: sent for sent, name in item.names}
        if isinstance(item, Landing | Topic) and item.envelope is not None:
            names |= item.envelope.paths
            if item.envelope.deleted:
                names[item.envelope.deleted] = item.envelope.operation
        if found.setdefault(item.dataset, names) != names:
            differ.add(item.dataset)
    return {dataset: names for dataset, names in found.items() if dataset not in differ}


def _latest(spec: Dataset, frame: DataFrame) -> DataFrame:
    """The newest row of each key, where the dataset says which is newer."""
    return last_of_each(frame, spec.model.key, spec.order_by) if spec.order_by else frame


def _body(
    resolved: Resolved, spark: SparkSession, *, strictly: bool
) -> tuple[DataFrame, list[DataFrame]]:
    """The function's own result, and what arrived and could not be read."""
    spec = resolved.spec
    frames, rejected = input_frames(spark, resolved.inputs, spec.arriving, strict=strictly)
    named: dict[str, Any] = dict(frames)
    if spec.wants_slice:
        named["run"] = resolved.slice
    return called(spec, named), rejected


def called(spec: Dataset, frames: Mapping[str, Any]) -> DataFrame:
    """What the function returns. Raises DefinitionError when that is no DataFrame."""
    made = spec.body(**frames)
    refuse_other(spec, made)
    return made


def refuse_other_inputs(resolved: Resolved) -> None:
    """Raise InputError when an input is not what the frames were made of."""
    for item in resolved.inputs:
        item.refuse_other()


def _masked(spec: Dataset, spark: SparkSession, runtime: Runtime, frame: DataFrame) -> DataFrame:
    """The frame as the dataset's policy masks it; the frame itself when it has none."""
    if spec.masking is None:
        return frame
    from penstock.privacy import mask, pads_file, read_pads

    if not spec.masking.needs_key:
        return mask(frame, spec.masking)
    return mask(
        frame, spec.masking, read_pads(spark, pads_file(_secrets(spec, runtime), "masking"))
    )


def key_id(spec: Dataset, runtime: Runtime) -> str | None:
    """Which key the dataset's tokens are made with, None when it makes none."""
    if spec.masking is None or not spec.masking.needs_key:
        return None
    return _secrets(spec, runtime).key("masking").id


def _secrets(spec: Dataset, runtime: Runtime) -> Secrets:
    if runtime.secrets is None:
        raise SecretError(
            "the dataset makes tokens and there is no secrets resource",
            where=spec.name,
            next_step="give the Definitions a `secrets` resource, such as FileSecrets",
        )
    return runtime.secrets
