"""Upkeep as a scheduled Dagster asset: tables measured, compacted if need be, recorded."""
# no postponed annotations: dagster looks at the type of `context` itself

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from penstock.compaction.apply import apply
from penstock.compaction.facts import TableFacts
from penstock.compaction.measure import measure
from penstock.compaction.outcome import CompactionOutcome
from penstock.compaction.plan import plan_compaction
from penstock.compaction.policy import CompactionPolicy
from penstock.errors import LakeError, PenstockError
from penstock.events import (
    DatasetRef,
    JobKind,
    ParentRun,
    ProcessingEngine,
    RunFacts,
    RunIdentity,
    abort_event,
    complete_event,
    fail_event,
    run_id,
    start_event,
)
from penstock.ledger import Ledger, Runner, utc_now
from penstock.ledger.heartbeat import beating
from penstock.resources.interruption import obeying
from penstock.resources.job_group import job_group
from penstock.resources.lake import Lake, Table
from penstock.resources.neighbours import named
from penstock.resources.scratch import UNPACKED, remove_left
from penstock.resources.table_log import TableLog
from penstock.schemas.model import ContractModel
from penstock.version import VERSION

__all__ = ["compact_table", "compaction_asset"]

ROWS_CHECK = "rows_unchanged"


def compaction_asset(
    contracts: Sequence[ContractModel],
    *,
    policies: Mapping[str, CompactionPolicy] | None = None,
    default: CompactionPolicy | None = None,
    cluster: str = "cluster",
    key: Sequence[str] = ("upkeep", "compaction"),
) -> dg.AssetsDefinition:
    """One asset that keeps the tables of all contracts compact, each under its own policy.

    A table that cannot be kept does not keep the others from it; the step fails at the end and
    names it. Each table that is rewritten has a lineage event of its own.
    """
    asset_key = dg.AssetKey(list(key))

    @dg.asset(
        key=asset_key,
        description="Measures every table's files and compacts those that need it.",
        group_name=key[0],
        kinds={"spark", "delta"},
        pool=cluster,
        # numbered: `deps` makes one input of a_b.c and a.b_c
        ins={
            f"input_{number}": dg.AssetIn(
                dg.AssetKey(contract.name.split(".")), dagster_type=dg.Nothing
            )
            for number, contract in enumerate(contracts)
        },
        check_specs=[
            dg.AssetCheckSpec(
                ROWS_CHECK,
                asset=asset_key,
                blocking=True,
                description="Compaction leaves every table with the rows it had.",
            )
        ],
        required_resource_keys={"lake", "ledger", cluster},
    )
    def compaction(context: dg.AssetExecutionContext) -> Iterator[Any]:
        lake, ledger = context.resources.lake, context.resources.ledger.open()
        parent = ParentRun(
            run_id=uuid.UUID(context.run.run_id),
            job_name=context.job_name,
            job_namespace=context.resources.ledger.namespace,
        )
        outcomes: dict[str, CompactionOutcome] = {}
        failed: dict[str, str] = {}
        with getattr(context.resources, cluster).session() as spark:
            for contract in contracts:
                policy = (policies or {}).get(contract.name, default or CompactionPolicy())
                try:
                    outcome = compact_table(contract, policy, spark, lake, ledger, parent)
                except PenstockError as error:
                    failed[contract.name] = str(error)
                    continue
                if outcome is not None:
                    outcomes[contract.name] = outcome
                    context.log.info("%s: %s", contract.name, outcome)
        try:
            remove_left(lake.scratch(UNPACKED), utc_now())
        except PenstockError as error:
            failed[UNPACKED] = str(error)
        if failed:
            raise dg.Failure("\n".join(failed.values()), allow_retries=False)
        changed = [name for name, outcome in outcomes.items() if _rows_changed(outcome)]
        yield dg.MaterializeResult(
            metadata=_metadata(outcomes),
            check_results=[
                dg.AssetCheckResult(
                    check_name=ROWS_CHECK,
                    passed=not changed,
                    metadata={"tables": len(outcomes), "changed": ", ".join(changed)},
                )
            ],
        )

    return compaction


def compact_table(
    contract: ContractModel,
    policy: CompactionPolicy,
    spark: Any,
    lake: Lake,
    ledger: Ledger,
    parent: ParentRun,
) -> CompactionOutcome | None:
    """Measure, plan and compact one table; None when it was never written. Raises LakeError.

    A table that has another one inside its folder is compacted and not vacuumed; then LakeError. So
    it is, after all was done, where the table's log keeps old versions for less than was promised.
    """
    table = lake.table(contract.name)
    log = table.read()
    if log is None:
        return None
    outcome = _tended(contract, policy, spark, table, log, ledger, parent)
    if inside := outcome.after.tables_inside:
        raise LakeError(
            "another table lies inside this one: nothing was vacuumed",
            where=contract.name,
            expected=f"no other Delta table below {table.uri}",
            found=", ".join(map(named, inside)),
            next_step="move it out of the folder: VACUUM would delete its files",
        )
    kept = outcome.after.log_hours
    if kept is not None and kept < policy.promised_hours:
        raise LakeError(
            "the table's log keeps old versions for less than was promised",
            where=contract.name,
            expected=f"promised_hours of its CompactionPolicy: {policy.promised_hours}",
            found=f"{kept} hours in delta.logRetentionDuration, or Delta's own where it is not set",
            next_step="promise less, or ALTER TABLE ... SET TBLPROPERTIES "
            f"('delta.logRetentionDuration' = 'interval {policy.promised_hours} hours')",
        )
    return outcome


def _tended(
    contract: ContractModel,
    policy: CompactionPolicy,
    spark: Any,
    table: Table,
    log: TableLog,
    ledger: Ledger,
    parent: ParentRun,
) -> CompactionOutcome:
    plan = plan_compaction(_measured(table, policy), policy, contract.clustering)
    if not plan.acts:
        return apply(plan, spark, table.path, metadata={})
    facts = _facts(contract, table, spark, ledger_parent=parent, version=log.version)
    ledger.append(start_event(facts, at=utc_now()), runner=Runner.here())
    told = str(facts.identity.run_id)
    note = {"penstock": 1, "upkeep": "compaction", "run_id": told}
    try:
        with (
            beating(ledger, facts.identity.run_id),
            obeying(),
            job_group(spark, told, facts.identity.job_name),
        ):
            outcome = apply(
                plan, spark, table.path, metadata=note, remeasure=lambda: _measured(table, policy)
            )
    except Exception as error:
        ledger.append(fail_event(facts, error, at=utc_now()))
        raise
    except BaseException as signal:
        reason = f"interrupted by {type(signal).__name__}"
        ledger.append(abort_event(facts, reason, at=utc_now()))
        raise
    done = _facts(
        contract,
        table,
        spark,
        ledger_parent=parent,
        version=outcome.after.version,
        read=log.version,
        outcome=outcome,
    )
    ledger.append(complete_event(done, at=utc_now()))
    return outcome


def _measured(table: Table, policy: CompactionPolicy) -> TableFacts:
    return measure(
        table.uri, storage_options=table.options, expired_after_hours=policy.retain_hours
    )


def _facts(
    contract: ContractModel,
    table: Table,
    spark: Any,
    *,
    ledger_parent: ParentRun,
    version: int,
    read: int | None = None,
    outcome: CompactionOutcome | None = None,
) -> RunFacts:
    job = f"upkeep.compaction.{contract.name}"
    return RunFacts(
        identity=RunIdentity(
            run_id=run_id(str(ledger_parent.run_id), job, None, 1),
            job_namespace=ledger_parent.job_namespace,
            job_name=job,
            parent=ledger_parent,
        ),
        kind=JobKind.COMPACTION,
        inputs=(
            DatasetRef.at(
                table.uri,
                contract.name,
                version=version if read is None else read,
                contract=contract,
            ),
        ),
        output=DatasetRef.at(table.uri, contract.name, version=version, contract=contract),
        files=outcome.files_added if outcome else None,
        bytes=sum(commit.bytes_added for commit in outcome.commits) if outcome else None,
        upkeep=outcome.upkeep() if outcome else None,
        engine=ProcessingEngine(name="spark", version=str(spark.version), adapter_version=VERSION),
    )


def _rows_changed(outcome: CompactionOutcome) -> bool:
    """Whether rows differ although only upkeep committed in between."""
    alone = outcome.after.version - outcome.before.version == len(outcome.commits)
    before, after = _rows(outcome.before), _rows(outcome.after)
    return alone and before is not None and after is not None and before != after


def _rows(facts: TableFacts) -> int | None:
    counts = [None if f.rows is None else f.rows - f.deleted_rows for f in facts.files]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _metadata(outcomes: Mapping[str, CompactionOutcome]) -> dict[str, Any]:
    columns = ("dataset", "status", "files before", "files after", "bytes before", "bytes after")
    lines = [f"| {' | '.join(columns)} |", "|---|---|---:|---:|---:|---:|"]
    for name, o in outcomes.items():
        numbers = (
            o.before.file_count,
            o.after.file_count,
            o.before.size_bytes,
            o.after.size_bytes,
        )
        lines.append(f"| {name} | {o.status.value} | {' | '.join(map(str, numbers))} |")
    return {
        "tables": dg.MetadataValue.md("\n".join(lines)),
        "files_before": sum(o.before.file_count for o in outcomes.values()),
        "files_after": sum(o.after.file_count for o in outcomes.values()),
        "bytes_before": sum(o.before.size_bytes for o in outcomes.values()),
        "bytes_after": sum(o.after.size_bytes for o in outcomes.values()),
        "details": dg.MetadataValue.json({n: o.document() for n, o in outcomes.items()}),
    }
