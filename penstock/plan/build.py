"""How a plan is made: contracts against those that hold, functions on empty frames, tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.assets.inputs.changes import Changes
from penstock.assets.inputs.external import External
from penstock.assets.inputs.snapshot import Snapshot
from penstock.lineage.column_lineage import ColumnLineage, Origin, Subtype
from penstock.plan.empty_frames import Tried, try_body
from penstock.plan.plan import DatasetPlan, Plan, Problem
from penstock.plan.readers import Readers
from penstock.schemas.evolution import (
    columns_difference,
    deserved,
    difference,
    judge,
    problem_of,
    raised,
)
from penstock.schemas.evolution.columns import Dropped
from penstock.schemas.evolution.promises import DatasetDropped
from penstock.schemas.model import ColumnModel, ContractModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.plan.standing import Standing
    from penstock.schemas.evolution import Bump, Operation

__all__ = ["build_plan"]


def build_plan(datasets: Iterable[Dataset], spark: SparkSession, standing: Standing) -> Plan:
    """The plan of the `datasets`, each after those it reads, against what holds."""
    specs = list(datasets)
    # of what others write the contract says more than the table, where there is one
    new = {name: _table(name, columns) for name, columns in standing.tables.items() if columns}
    new |= {**standing.contracts, **{spec.name: spec.model for spec in specs}}
    tried = {spec.name: try_body(spec, spark, new) for spec in specs}
    readers = _readers(specs, spark, new, standing, tried)
    planned = [_plan(spec, standing, tried[spec.name], readers) for spec in specs]
    dropped = [_dropped(name, standing.contracts[name], readers) for name in sorted(standing.gone)]
    return Plan(datasets=(*planned, *dropped), unseen=standing.unseen)


def _dropped(name: str, before: ContractModel, readers: Readers) -> DatasetPlan:
    operation = DatasetDropped(dataset=name)
    return DatasetPlan(
        dataset=name,
        before=before.version,
        version=None,
        bump=operation.meaning.bump,
        judgements=(judge(operation, readers.of(name, operation)),),
    )


def _table(name: str, columns: Mapping[str, str]) -> ContractModel:
    """What is known of a table of which no contract says anything."""
    return ContractModel(
        name=name,
        version="0.0.0",
        owner="",
        description="",
        columns=tuple(ColumnModel(name=n, type=kind, nullable=True) for n, kind in columns.items()),
    )


def _plan(spec: Dataset, standing: Standing, tried: Tried, readers: Readers) -> DatasetPlan:
    before = standing.contracts.get(spec.name)
    operations = difference(before, spec.model) if before else ()
    # the table may lack what is registered: that asks for no other version
    bump = deserved(operations)
    table = standing.tables.get(spec.name)
    if table is not None:
        operations = (*operations, *_drift(spec, table, operations))
    has_table = table is not None or spec.name not in standing.tables
    error = tried.error
    problems = list(_misnamed(spec, before, bump))
    if error is not None:
        problems.append(
            Problem(
                what=error.what,
                where=error.where,
                found=error.found,
                next_step=error.next_step,
            )
        )
    return DatasetPlan(
        dataset=spec.name,
        before=before.version if before else None,
        version=spec.model.version,
        bump=bump,
        judgements=tuple(
            judge(each, readers.of(spec.name, each), has_table=has_table) for each in operations
        ),
        problems=tuple(problems),
        unknown=tried.unknown,
        doubts=_doubts(tried),
    )


def _misnamed(spec: Dataset, before: ContractModel | None, bump: Bump) -> Iterator[Problem]:
    """The version where it does not say what changes."""
    if before is None:
        return
    found = problem_of(before.version, spec.model.version, bump)
    if found is not None:
        yield Problem(
            what="the version does not say what changes",
            where=None,
            found=found,
            next_step=f'write version="{raised(before.version, bump)}" in the contract',
        )


def _drift(
    spec: Dataset, table: Mapping[str, str], known: tuple[Operation, ...]
) -> Iterator[Operation]:
    """How the table differs from the contract, without what is known from the contract."""
    wanted = {column.name: column.type for column in spec.model.columns}
    required = [column.name for column in spec.model.columns if not column.nullable]
    said = {_plainly(operation) for operation in known}
    for operation in columns_difference(table, wanted, required, spec.model.open_classes):
        if _plainly(operation) not in said:
            yield operation


def _plainly(operation: Operation) -> Operation:
    """Without the guess."""
    return replace(operation, near=None) if isinstance(operation, Dropped) else operation


def _doubts(tried: Tried) -> str | None:
    """What could not be followed of the function; None: all of it was."""
    if tried.lineage is None or tried.lineage.complete:
        return None
    return "; ".join(dict.fromkeys(doubt.reason for doubt in tried.lineage.unknown))


def _readers(
    specs: list[Dataset],
    spark: SparkSession,
    new: Mapping[str, ContractModel],
    standing: Standing,
    tried: Mapping[str, Tried],
) -> Readers:
    """Who reads which column: of what is gone, too, for whoever still asks for it breaks."""
    both = {name: _with_gone(model, standing.contracts.get(name)) for name, model in new.items()}
    wider = {name for name, model in both.items() if model is not new[name]}
    lineages = dict(standing.outside.lineages)
    unknown = {name: set(readers) for name, readers in standing.outside.unknown.items()}
    reads = {}
    for spec in specs:
        read = {item.dataset for item in spec.inputs.values()}
        reads[spec.name] = {*read, *spec.upstream}
        found = tried[spec.name]
        if wider & read or found.error is not None:
            found = try_body(spec, spark, both, gate=False)
        if found.lineage is None or not found.lineage.complete:
            for name in read:
                unknown.setdefault(name, set()).add(spec.name)
        lineage = found.lineage or ColumnLineage(fields={})
        own = {column.name for column in spec.model.columns}
        fields = {n: origins for n, origins in lineage.fields.items() if n in own}
        rows = (*lineage.dataset, *_beside_the_function(spec))
        lineages[spec.name] = replace(lineage, fields=fields, dataset=rows)
    return Readers(lineages, reads, unknown)


def _beside_the_function(spec: Dataset) -> Iterator[Origin]:
    """What a run reads of other tables before the function has its frames, or after."""
    for item in spec.inputs.values():
        match item:
            case Snapshot() | External():
                columns = item.cut_by
            case Changes():
                columns = (*item.key, *filter(None, [item.valid_from]))
            case _:
                columns = ()
        for column in columns:
            yield Origin(dataset=item.dataset, column=column, subtype=Subtype.FILTER)
    for key in spec.model.foreign_keys:
        for column in key.references_columns:
            yield Origin(dataset=key.references, column=column, subtype=Subtype.FILTER)


def _with_gone(new: ContractModel, before: ContractModel | None) -> ContractModel:
    """The contract and the columns that it had before; the same one where there are none."""
    known = {column.name.lower() for column in new.columns}
    gone = [c for c in (before.columns if before else ()) if c.name.lower() not in known]
    return replace(new, columns=(*new.columns, *gone)) if gone else new
