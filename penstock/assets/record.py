"""Step 6, record: the run told as lineage events and as an Outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from penstock.assets.account import Account, input_refs
from penstock.assets.freshness import freshness_assertions
from penstock.assets.modes import Scd2
from penstock.assets.outcome import Outcome
from penstock.assets.past import Past
from penstock.assets.recovery import recovered_event
from penstock.assets.source import source_location
from penstock.events import (
    DatasetRef,
    ProcessingEngine,
    RunFacts,
    RunIdentity,
    abort_event,
    complete_event,
    fail_event,
    run_id,
    start_event,
)
from penstock.events.run_facts import JobKind, physical_name
from penstock.ledger import Runner
from penstock.ledger.told_lineage import told_lineage
from penstock.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.resolve import Resolved
    from penstock.assets.runtime import Invocation, Runtime
    from penstock.assets.slice import Slice
    from penstock.lineage.column_lineage import ColumnLineage
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog

__all__ = ["Record"]


class _Made(NamedTuple):
    """A commit, the table since, and what is told of it."""

    commit: Commit
    past: Past | None
    account: Account


class Record:
    """Tells the ledger about one run, as it goes on."""

    def __init__(
        self,
        spec: Dataset,
        slice_: Slice,
        spark: SparkSession,
        runtime: Runtime,
        invocation: Invocation,
    ) -> None:
        self._spec = spec
        self._slice = slice_
        self._spark = spark
        self._runtime = runtime
        self._invocation = invocation
        self._started: RunFacts | None = None
        self._began = runtime.clock()

    def start(self, resolved: Resolved, lineage: ColumnLineage) -> None:
        """Append START: inputs at their versions and the column lineage, before data moves.

        Once: a run that is redone on top of another writer's commit has started already.
        """
        began, self._started = self._started, self._facts(resolved, lineage)
        if began is None:
            self._append_start(self._started)

    def complete(self, resolved: Resolved, commit: Commit, lineage: ColumnLineage) -> Outcome:
        """Append COMPLETE with what the commit says, and return the outcome."""
        made = self._made(resolved, commit)
        facts = self._facts(resolved, lineage, made)
        self._runtime.ledger.append(complete_event(facts, at=self._runtime.clock()))
        return self._outcome(resolved, made, committed=True, lineage=lineage)

    def unchanged(self, resolved: Resolved) -> Outcome:
        """The outcome of the commit that is there, with the column lineage its run told.

        Its record is completed if a crash cut it.
        """
        commit, ledger = resolved.previous, self._runtime.ledger
        assert commit is not None
        assert commit.facts is not None
        identity = UUID(commit.facts["run_id"])
        known = ledger.run(identity)
        if known is None or known.state != "COMPLETE":
            ledger.append(recovered_event(commit, self._spec.name, self._runtime))
        if self._started is not None:
            self.abort(f"run {identity} was first with the same result")
        lineage = told_lineage(ledger, identity)
        made = self._made(resolved, commit, columns=False)
        return self._outcome(resolved, made, committed=False, lineage=lineage)

    def fail(self, error: Exception) -> None:
        """Append FAIL, after a START when the run did not get to it."""
        facts = self._begun()
        self._runtime.ledger.append(fail_event(facts, error, at=self._runtime.clock()))

    def abort(self, reason: str) -> None:
        """Append ABORT, after a START when the run did not get to it."""
        facts = self._begun()
        self._runtime.ledger.append(abort_event(facts, reason, at=self._runtime.clock()))

    def _begun(self) -> RunFacts:
        facts = self._started
        if facts is None:
            facts = RunFacts(
                identity=self._identity(),
                output=self._output(),
                kind=self._kind(),
                code_version=self._spec.code_version,
                engine=self._engine(),
            )
            self._append_start(facts)
        return facts

    def _append_start(self, facts: RunFacts) -> None:
        event = start_event(facts, at=self._runtime.clock())
        self._runtime.ledger.append(event, runner=Runner.here())

    def _identity(self) -> RunIdentity:
        call = self._invocation
        return RunIdentity(
            run_id=run_id(call.id, self._spec.name, self._slice.key, call.attempt),
            job_namespace=self._runtime.namespace,
            job_name=self._spec.name,
            attempt=call.attempt,
            slice_key=None if self._slice.whole else self._slice.key,
            nominal_start=self._slice.start,
            nominal_end=self._slice.end,
            parent=call.parent,
        )

    def _made(self, resolved: Resolved, commit: Commit, *, columns: bool = True) -> _Made:
        past = Past.of(resolved.table, self._runtime.ledger.logs)
        versions = isinstance(self._spec.write, Scd2)
        log = past.log if past else None
        account = Account.of(commit, log, versions=versions, columns=columns)
        return _Made(commit=commit, past=past, account=account)

    def _kind(self) -> JobKind:
        return JobKind.MASKING if self._spec.masking else JobKind.DATASET

    def _also_reads(self, resolved: Resolved) -> tuple[tuple[str, str], ...]:
        """What a listener of Spark may see being read that is no input."""
        found = [physical_name(resolved.quarantine.uri)]
        secrets = self._runtime.secrets
        if secrets is not None and self._spec.masking and self._spec.masking.needs_key:
            from penstock.privacy import pads_file

            found.append(physical_name(str(pads_file(secrets, "masking").absolute())))
        return tuple(found)

    def _engine(self) -> ProcessingEngine:
        return ProcessingEngine(
            name="spark", version=str(self._spark.version), adapter_version=VERSION
        )

    def _output(self, version: int | None = None, log: TableLog | None = None) -> DatasetRef:
        return DatasetRef.at(
            self._runtime.lake.table(self._spec.name).uri,
            self._spec.name,
            version=version,
            table_id=log.id_at(version) if log and version is not None else None,
            contract=self._spec.model,
        )

    def _facts(
        self,
        resolved: Resolved,
        lineage: ColumnLineage,
        made: _Made | None = None,
    ) -> RunFacts:
        commit, past, account = made or (None, None, None)
        log = past.log if past else None
        read = [item.document() for item in (*resolved.inputs, *resolved.references)]
        return RunFacts(
            identity=self._identity(),
            output=self._output(commit.version if commit else None, log),
            inputs=input_refs(
                read, resolved.content, self._runtime, self._spec.contracts_of_others
            ),
            also_reads=self._started.also_reads if self._started else self._also_reads(resolved),
            began=self._began,
            spark_application=self._started.spark_application
            if self._started
            else self._spark.conf.get("spark.app.id", None),
            kind=self._kind(),
            column_lineage=lineage,
            assertions=(
                *account.assertions(self._spec.model),
                *freshness_assertions(log, self._spec.model, commit.at),
            )
            if account and commit
            else (),
            rows_in=account.rows_in if account else None,
            rows_committed=account.rows_changed if account else None,
            rows_quarantined=account.rows_quarantined if account else None,
            quarantined_by_rule=account.quarantined_by_rule if account else {},
            quarantine=resolved.quarantine.uri if account and account.rows_quarantined else None,
            column_metrics=account.column_metrics if account else {},
            bytes=account.bytes if account else None,
            files=account.files if account else None,
            committed=True if commit else None,
            token=resolved.token,
            code_version=self._spec.code_version,
            source=source_location(self._spec),
            engine=self._engine(),
            tags=self._spec.tags,
        )

    def _outcome(
        self,
        resolved: Resolved,
        made: _Made,
        *,
        committed: bool,
        lineage: ColumnLineage | None,
    ) -> Outcome:
        commit, past, account = made
        facts: Mapping[str, Any] = commit.facts or {}
        return Outcome(
            dataset=self._spec.name,
            slice_key=self._slice.key,
            run_id=UUID(facts["run_id"]),
            committed=committed,
            version=commit.version,
            rows_in=account.rows_in,
            rows_changed=account.rows_changed,
            rows_removed=account.rows_removed,
            rows_quarantined=account.rows_quarantined,
            quarantined_by_rule=account.quarantined_by_rule,
            warned=account.warned,
            inputs=facts.get("inputs", {}),
            lineage=lineage,
            files=account.files,
            bytes=account.bytes,
            table_rows=past.rows() if past else None,
            path=resolved.table.path,
        )
