"""Runs whose process died: completed when their commit is in the table, else aborted."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from penstock.assets.account import Account, input_refs
from penstock.assets.freshness import freshness_assertions
from penstock.assets.slice import Slice
from penstock.errors import LakeError
from penstock.events import DatasetRef, RunFacts, RunIdentity, complete_event, event_payload

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from penstock.assets.runtime import Runtime
    from penstock.ledger import RunRecord
    from penstock.resources.table_commit import Commit

__all__ = ["Settled", "recovered_event", "settle_dead_runs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The runs that were ended, by how."""

    completed: tuple[UUID, ...] = ()
    aborted: tuple[UUID, ...] = ()


def settle_dead_runs(runtime: Runtime) -> Settled:
    """End every open run whose process is gone. Truth is the commit, not the messages.

    A run that committed rows and died before it could say so gets its COMPLETE, made of what the
    commit says; any other gets an ABORT, upkeep too: its commits do not say whether it was done.
    One whose table cannot be read stays open: nothing is known of it yet. Idempotent, and safe
    while other runs go on. Raises LedgerError.
    """
    moment, completed, unknown = runtime.clock(), [], []
    for record, _ in runtime.ledger.dead_runs(moment):
        try:
            commit = _commit_of(record, runtime)
        except LakeError:
            unknown.append(record.run_id)
            continue
        if commit is not None:
            runtime.ledger.append(recovered_event(commit, record.dataset, runtime))
            completed.append(record.run_id)
    aborted = runtime.ledger.close_dead_runs(moment, spare=unknown)
    return Settled(completed=tuple(completed), aborted=aborted)


def recovered_event(commit: Commit, dataset: str, runtime: Runtime) -> Mapping[str, Any]:
    """The COMPLETE of the run that made `commit`, as the run would have told it.

    What only the run knew (its parent, the column lineage, its code) is taken over from its START;
    without one the event says what the commit knows. The same run gives the same event until
    something else is told of it. Raises LedgerError, ValueError for a commit without facts.
    """
    if commit.facts is None:
        raise ValueError(f"version {commit.version} of {dataset} is another writer's")
    identity = UUID(commit.facts["run_id"])
    known = runtime.ledger.run(identity)
    facts = _facts(identity, known.attempt if known else 1, commit, commit.facts, dataset, runtime)
    # not before the last word on the run, which would make it old news
    at = max(commit.at, known.last_event_time) if known else commit.at
    ended = event_payload(complete_event(facts, at=at))
    starts = runtime.ledger.events(run_id=identity, event_type="START")
    return _completed(starts[-1].payload, ended) if starts else ended


def _commit_of(record: RunRecord, runtime: Runtime) -> Commit | None:
    log = runtime.lake.table(record.dataset).read()
    found = log.commits() if log else ()
    wanted = str(record.run_id)
    # what a run set in its table before it wrote bears its name as well
    return next((c for c in found if c.by_run and (c.facts or {}).get("run_id") == wanted), None)


def _facts(
    identity: UUID,
    attempt: int,
    commit: Commit,
    said: Mapping[str, Any],
    dataset: str,
    runtime: Runtime,
) -> RunFacts:
    table = runtime.lake.table(dataset)
    log = table.read()
    account = Account.of(commit, log, versions=said.get("write") == "Scd2")
    slice_ = Slice.from_document(said.get("slice"))
    fingerprint = said.get("contract", {}).get("fingerprint")
    contracts = runtime.ledger.contracts(dataset)
    contract = next((c for c in contracts if c.fingerprint() == fingerprint), None)
    documents = (*said.get("inputs", {}).values(), *said.get("references", {}).values())
    return RunFacts(
        identity=RunIdentity(
            run_id=identity,
            job_namespace=runtime.namespace,
            job_name=dataset,
            attempt=attempt,
            slice_key=None if slice_.whole else slice_.key,
            nominal_start=slice_.start,
            nominal_end=slice_.end,
        ),
        output=DatasetRef.at(
            table.uri,
            dataset,
            version=commit.version,
            table_id=log.id_at(commit.version) if log else None,
            contract=contract,
        ),
        inputs=input_refs(documents, said.get("content"), runtime),
        assertions=(
            *account.assertions(contract),
            *freshness_assertions(log, contract, commit.at),
        )
        if contract
        else (),
        rows_in=account.rows_in,
        rows_committed=account.rows_changed,
        rows_quarantined=account.rows_quarantined,
        quarantined_by_rule=account.quarantined_by_rule,
        quarantine=runtime.lake.quarantine(dataset).uri if account.rows_quarantined else None,
        column_metrics=account.column_metrics,
        files=account.files,
        bytes=account.bytes,
        committed=True,
        token=said.get("token"),
        code_version=said.get("code_version"),
    )


def _completed(start: Mapping[str, Any], ended: Mapping[str, Any]) -> dict[str, Any]:
    """The START become a COMPLETE by what the commit says, where the commit says anything."""
    event = copy.deepcopy(dict(start))
    event |= {"eventType": ended["eventType"], "eventTime": ended["eventTime"]}
    mine, new = event["run"]["facets"], ended["run"]["facets"]
    event["run"]["facets"] = {
        **new,
        **mine,
        "penstock_run": {**mine.get("penstock_run", {}), **new["penstock_run"]},
    }
    event["inputs"] = event.get("inputs") or ended["inputs"]
    event["outputs"] = ended["outputs"]
    for mine, new in zip(start.get("outputs") or (), event["outputs"], strict=False):
        new["facets"] = {**mine.get("facets", {}), **new["facets"]}
    return event
