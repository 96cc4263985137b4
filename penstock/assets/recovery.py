"""Runs whose process died: completed when their commit is in the table, else aborted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.errors import LakeError
from penstock.lineage import DatasetRef, RunFacts, RunIdentity, complete_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from uuid import UUID

    from penstock.assets.runtime import Runtime
    from penstock.lineage import RunRecord
    from penstock.resources.table_log import Commit

__all__ = ["Settled", "settle_dead_runs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The runs that were ended, by how."""

    completed: tuple[UUID, ...] = ()
    aborted: tuple[UUID, ...] = ()


def settle_dead_runs(runtime: Runtime) -> Settled:
    """End every open run whose process is gone. Truth is the commit, not the messages.

    A run that committed and died before it could say so gets its COMPLETE, made of what the commit
    says; any other gets an ABORT. Idempotent, and safe while other runs go on.
    """
    completed = []
    for record in runtime.ledger.open_runs():
        if record.runner is None or record.runner.alive() is not False:
            continue
        commit = _commit_of(record, runtime)
        if commit is not None and commit.facts is not None:
            facts = _facts(record, commit, commit.facts, runtime)
            runtime.ledger.append(complete_event(facts, at=runtime.clock()))
            completed.append(record.run_id)
    aborted = runtime.ledger.close_dead_runs(runtime.clock())
    return Settled(completed=tuple(completed), aborted=aborted)


def _commit_of(record: RunRecord, runtime: Runtime) -> Commit | None:
    try:
        log = runtime.lake.table(record.dataset).read()
        found = log.commits() if log else ()
        wanted = str(record.run_id)
        return next((c for c in found if c.facts and c.facts.get("run_id") == wanted), None)
    except LakeError:
        return None  # a log that cannot be read proves nothing; the next good run settles it


def _facts(
    record: RunRecord, commit: Commit, said: Mapping[str, Any], runtime: Runtime
) -> RunFacts:
    table = runtime.lake.table(record.dataset)
    contract = runtime.ledger.latest_contract(record.dataset)
    quarantined = int(said.get("rows_quarantined", 0))
    good = commit.good_rows
    return RunFacts(
        identity=RunIdentity(
            run_id=record.run_id,
            job_namespace=record.namespace,
            job_name=record.dataset,
            attempt=record.attempt,
            slice_key=record.slice,
        ),
        output=DatasetRef.at(table.uri, record.dataset, version=commit.version, contract=contract),
        rows_in=None if good is None else good + quarantined,
        rows_committed=commit.changed_rows,
        rows_quarantined=quarantined,
        quarantined_by_rule=said.get("quarantined_by_rule", {}),
        committed=True,
        token=said.get("token"),
        code_version=said.get("code_version"),
    )
