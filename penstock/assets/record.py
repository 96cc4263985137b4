"""Step 6, record: the run told as lineage events and as an Outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from penstock.assets.outcome import Outcome
from penstock.assets.resolve import PinnedFiles, Resolved
from penstock.assets.source import source_location
from penstock.lineage import (
    Assertion,
    DatasetRef,
    ProcessingEngine,
    RunFacts,
    RunIdentity,
    Runner,
    abort_event,
    complete_event,
    fail_event,
    run_id,
    start_event,
)
from penstock.lineage.run_facts import JobKind
from penstock.schemas.model import Severity
from penstock.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

    from penstock.assets.audit import Audit
    from penstock.assets.dataset import Dataset
    from penstock.assets.runtime import Invocation, Runtime
    from penstock.assets.slice import Slice
    from penstock.lineage.column_lineage import ColumnLineage
    from penstock.resources.table_log import Commit

__all__ = ["Record"]


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

    def start(self, resolved: Resolved, lineage: ColumnLineage) -> None:
        """Append START: inputs at their versions and the column lineage, before data moves.

        Once: a run that is redone on top of another writer's commit has started already.
        """
        began, self._started = self._started, self._facts(resolved, self._own_id(), lineage)
        if began is None:
            self._append_start(self._started)

    def complete(
        self, resolved: Resolved, audit: Audit, commit: Commit, lineage: ColumnLineage | None
    ) -> Outcome:
        """Append COMPLETE with what the commit says, and return the outcome."""
        outcome = self._outcome(resolved, commit, committed=True, lineage=lineage)
        self._append_complete(resolved, self._own_id(), outcome, audit.warned, lineage)
        return outcome

    def unchanged(self, resolved: Resolved) -> Outcome:
        """The outcome of the commit that is there; its record is completed if a crash cut it."""
        commit = resolved.previous
        assert commit is not None
        assert commit.facts is not None
        outcome = self._outcome(resolved, commit, committed=False, lineage=None)
        known = self._runtime.ledger.run(outcome.run_id)
        if known is None or known.state != "COMPLETE":
            warned = commit.facts.get("warned", {})
            self._append_complete(resolved, outcome.run_id, outcome, warned, None)
        if self._started is not None:
            self.abort(f"run {outcome.run_id} was first with the same result")
        return outcome

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
                identity=self._identity(self._own_id()),
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

    def _append_complete(
        self,
        resolved: Resolved,
        identity: UUID,
        outcome: Outcome,
        warned: Mapping[str, int],
        lineage: ColumnLineage | None,
    ) -> None:
        facts = self._facts(resolved, identity, lineage, outcome=outcome, warned=warned)
        self._runtime.ledger.append(complete_event(facts, at=self._runtime.clock()))

    def _own_id(self) -> UUID:
        call = self._invocation
        return run_id(call.id, self._spec.name, self._slice.key, call.attempt)

    def _identity(self, identity: UUID) -> RunIdentity:
        return RunIdentity(
            run_id=identity,
            job_namespace=self._runtime.namespace,
            job_name=self._spec.name,
            attempt=self._invocation.attempt,
            slice_key=None if self._slice.whole else self._slice.key,
            nominal_start=self._slice.start,
            nominal_end=self._slice.end,
            parent=self._invocation.parent,
        )

    def _kind(self) -> JobKind:
        return JobKind.MASKING if self._spec.masking else JobKind.DATASET

    def _engine(self) -> ProcessingEngine:
        return ProcessingEngine(
            name="spark", version=str(self._spark.version), adapter_version=VERSION
        )

    def _output(self, version: int | None = None) -> DatasetRef:
        table = self._runtime.lake.table(self._spec.name)
        return DatasetRef.at(table.uri, self._spec.name, version=version, contract=self._spec.model)

    def _inputs(self, resolved: Resolved) -> tuple[DatasetRef, ...]:
        found = []
        for item in (*resolved.inputs, *resolved.references):
            if isinstance(item, PinnedFiles):
                lake, pattern = self._runtime.lake, item.landing.pattern
                folder = f"{lake.landing.rstrip('/')}/{pattern.rpartition('/')[0]}"
                found.append(
                    DatasetRef.at(
                        folder,
                        item.dataset,
                        version=resolved.content,
                        contract=None,
                    )
                )
                continue
            name = item.table.dataset
            contract = self._runtime.ledger.latest_contract(name)
            found.append(
                DatasetRef.at(item.table.uri, name, version=item.version, contract=contract)
            )
        # a dataset that is an input and refers to itself by a foreign key is one input
        return tuple({(ref.namespace, ref.name): ref for ref in found}.values())

    def _facts(
        self,
        resolved: Resolved,
        identity: UUID,
        lineage: ColumnLineage | None,
        *,
        outcome: Outcome | None = None,
        warned: Mapping[str, int] | None = None,
    ) -> RunFacts:
        return RunFacts(
            identity=self._identity(identity),
            output=self._output(outcome.version if outcome else None),
            inputs=self._inputs(resolved),
            kind=self._kind(),
            column_lineage=lineage,
            assertions=self._assertions(outcome, warned or {}) if outcome else (),
            rows_in=outcome.rows_in if outcome else None,
            rows_committed=outcome.rows_changed if outcome else None,
            rows_quarantined=outcome.rows_quarantined if outcome else None,
            quarantined_by_rule=outcome.quarantined_by_rule if outcome else {},
            bytes=outcome.bytes if outcome else None,
            files=outcome.files if outcome else None,
            committed=outcome.committed if outcome else None,
            token=resolved.token,
            code_version=self._spec.code_version,
            source=source_location(self._spec),
            engine=self._engine(),
            tags=self._spec.tags,
        )

    def _assertions(self, outcome: Outcome, warned: Mapping[str, int]) -> tuple[Assertion, ...]:
        """One for each check of the contract: every enforced check holds for what is committed."""
        model = self._spec.model
        checks: list[tuple[str, str, str | None, Severity]] = [
            (f"{c.name}:not_null", "not_null", c.name, Severity.ERROR)
            for c in model.columns
            if not c.nullable
        ]
        checks += [(c.id, c.name, c.column or None, c.severity) for c in model.checks]
        checks += [(f.id, "foreign_key", None, f.severity) for f in model.foreign_keys]
        if model.key:
            checks.append(("key:unique", "unique", None, Severity.ERROR))
        return tuple(
            Assertion(
                check_id=rule,
                name=name,
                column=column,
                severity=Severity.WARN if rule in warned else severity,
                success=not warned.get(rule, 0),
                failed_rows=warned.get(rule, outcome.quarantined_by_rule.get(rule, 0)),
            )
            for rule, name, column, severity in checks
        )

    def _outcome(
        self,
        resolved: Resolved,
        commit: Commit,
        *,
        committed: bool,
        lineage: ColumnLineage | None,
    ) -> Outcome:
        facts: Mapping[str, Any] = commit.facts or {}
        quarantined = int(facts.get("rows_quarantined", 0))
        return Outcome(
            dataset=self._spec.name,
            slice_key=self._slice.key,
            run_id=UUID(facts["run_id"]),
            committed=committed,
            version=commit.version,
            rows_in=None if commit.good_rows is None else commit.good_rows + quarantined,
            rows_changed=commit.changed_rows,
            rows_quarantined=quarantined,
            quarantined_by_rule=facts.get("quarantined_by_rule", {}),
            warned=facts.get("warned", {}),
            inputs=facts.get("inputs", {}),
            lineage=lineage,
            files=_first(commit, "numFiles", "numTargetFilesAdded"),
            bytes=_first(commit, "numOutputBytes", "numTargetBytesAdded"),
            table_rows=log.rows() if (log := resolved.table.read()) else None,
            path=resolved.table.path,
        )


def _first(commit: Commit, *names: str) -> int | None:
    return next((value for name in names if (value := commit.metric(name)) is not None), None)
