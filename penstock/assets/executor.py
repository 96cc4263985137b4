"""`run`: the only way a dataset is produced, whoever carries it.

resolve → body → gate → audit → commit → record. Nothing a reader can see changes before commit,
and the commit says whether the run happened: after a crash a retry is a no-op or a clean redo.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.assets.audit import (
    Audit,
    count_dataset_checks,
    good_rows,
    judge,
    set_aside,
    split_counts,
    strict,
    warning_rules,
)
from penstock.assets.body import Analyzed, analyze, key_id, leaving_out, refuse_other_inputs
from penstock.assets.changes_too_late import changes_too_late
from penstock.assets.commit import commit_good, commit_quarantine
from penstock.assets.fault import found_bad_row, translated
from penstock.assets.gate import check_required
from penstock.assets.heartbeat import beating
from penstock.assets.record import Record
from penstock.assets.recovery import settle_dead_runs
from penstock.assets.resolve import Resolved, resolve
from penstock.assets.runtime import Invocation, Runtime
from penstock.assets.slice import WHOLE, Slice
from penstock.errors import ConflictError, LedgerError
from penstock.events import run_id
from penstock.resources.job_group import job_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.outcome import Outcome
    from penstock.lineage.column_lineage import ColumnLineage
    from penstock.resources.table_commit import Commit

__all__ = ["run"]

logger = logging.getLogger(__name__)

_CONFLICT_TRIES = 4


def run(
    spec: Dataset,
    spark: SparkSession,
    slice_: Slice = WHOLE,
    *,
    runtime: Runtime,
    invocation: Invocation | None = None,
) -> Outcome:
    """Produce `spec` for the slice and return what was done.

    Idempotent: with unchanged inputs, code and contract nothing is written. Killed at any point
    and called again, the tables end as in an undisturbed run. Two calls at once end as one.

    Raises the errors of penstock.errors; then no reader of the table sees a difference.
    """
    began = time.monotonic()
    invocation = invocation or Invocation()
    settle_dead_runs(runtime)
    record = Record(spec, slice_, spark, runtime, invocation)
    told = str(_run_id(spec, slice_, invocation))
    try:
        with job_group(spark, told, f"{spec.name} {slice_.key}".strip()):
            done = _until_no_conflict(
                partial(_attempt, spec, spark, slice_, runtime, invocation, record)
            )
    except Exception as error:
        _tell(record.fail, error)
        raise
    except BaseException as signal:
        _tell(record.abort, f"interrupted by {type(signal).__name__}")
        raise
    # from here on the run has happened; what fails now is completed by the next call
    if done.made is None:
        outcome = record.unchanged(done.resolved)
    else:
        invocation.on_step("committed")
        outcome = record.complete(done.resolved, *done.made)
        invocation.on_step("recorded")
    return replace(outcome, seconds=time.monotonic() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What steps 1 to 5 came to: a commit and its column lineage, or nothing to do."""

    resolved: Resolved
    made: tuple[Commit, ColumnLineage] | None = None


def _until_no_conflict(attempt: Callable[[], _Done]) -> _Done:
    """`attempt`, again when another writer was first: a run on top of theirs is a clean redo."""
    for number in range(1, _CONFLICT_TRIES):
        try:
            return attempt()
        except ConflictError:  # nothing of ours was committed
            time.sleep(0.2 * 2**number)
    return attempt()


def _attempt(
    spec: Dataset,
    spark: SparkSession,
    slice_: Slice,
    runtime: Runtime,
    invocation: Invocation,
    record: Record,
) -> _Done:
    """Steps 1 to 5 once. Raises only errors that quote no value of a row."""
    resolved: Resolved | None = None
    try:
        resolved = resolve(spec, slice_, runtime, key_id=key_id(spec, runtime))
        invocation.on_step("resolved")
        if resolved.unchanged:
            # a ledger that is new must know whose data it is, or it lets personal data pass
            runtime.ledger.register_contract(spec.model)
            return _Done(resolved=resolved)
        runtime.lake.check_writable()
        if resolved.state is None:
            resolved.table.refuse_nested()
        analyzed = analyze(resolved, spark, runtime)
        invocation.on_step("analyzed")
        runtime.ledger.register_contract(spec.model)
        record.start(resolved, analyzed.lineage)
        invocation.on_step("started")
        with beating(runtime.ledger, _run_id(spec, slice_, invocation)):
            commit = _audit_and_commit(resolved, spark, runtime, invocation, analyzed)
        return _Done(resolved=resolved, made=(commit, analyzed.lineage))
    except Exception as error:
        told = (resolved and changes_too_late(error, resolved.inputs)) or translated(
            error, spec.name
        )
        if told is error:
            raise
        # the cause can quote values of rows, and must not be logged with it
        raise told from None


def _tell(event: Callable[[Any], None], what: Any) -> None:
    """Append the event of a run that ends badly; a broken ledger must not hide why it did."""
    try:
        event(what)
    except LedgerError as error:
        logger.warning("the ledger did not take the end of a run reason=%r", str(error))


def _audit_and_commit(
    resolved: Resolved,
    spark: SparkSession,
    runtime: Runtime,
    invocation: Invocation,
    analyzed: Analyzed,
) -> Commit:
    """Steps 4 and 5: one pass when the rows are clean, three when some are not."""
    spec = resolved.spec
    facts = partial(commit_facts, resolved, invocation)
    check_required(resolved, spark)
    counts = _counted(resolved, spark, analyzed.frame)
    invocation.on_step("checked")
    errors, warned = split_counts(spec, counts or {})
    if analyzed.strictly and counts is not None and not any(errors.values()):
        # the frame has been there for a Spark job
        refuse_other_inputs(resolved)
        audit = Audit(warned=warned)
        try:
            written = strict(resolved, analyzed.frame)
            return commit_good(resolved, spark, written, facts(audit), evolve=analyzed.evolve)
        except Exception as error:
            if not found_bad_row(error):
                raise
    invocation.on_step("quarantining")
    frame, rejected = analyzed.frame, analyzed.rejected
    if analyzed.strictly and rejected:
        # what stops at a row that cannot be read does not name it
        frame, rejected = leaving_out(resolved, spark, runtime)
    if counts is None and warning_rules(spec):
        warned = split_counts(spec, count_dataset_checks(resolved, spark, frame))[1]
    constants = {
        "token": resolved.token,
        "run_id": str(_run_id(spec, resolved.slice, invocation)),
        "slice": resolved.slice.key,
        "contract_version": spec.model.version,
    }
    put = partial(commit_quarantine, resolved.quarantine, token=resolved.token)
    audit = set_aside(resolved, spark, frame, rejected, constants, put)
    audit = replace(audit, warned=warned)
    invocation.on_step("quarantined")
    judge(resolved, audit)
    # what was set aside and what is written are of the same files
    refuse_other_inputs(resolved)
    good = good_rows(resolved, spark, frame, audit)
    return commit_good(resolved, spark, good, facts(audit), evolve=analyzed.evolve)


def _counted(resolved: Resolved, spark: SparkSession, frame: DataFrame) -> dict[str, int] | None:
    """Rows that break each check over several rows; None: one row cannot even be read."""
    try:
        return count_dataset_checks(resolved, spark, frame)
    except Exception as error:
        if not found_bad_row(error):
            raise
        return None


def commit_facts(resolved: Resolved, invocation: Invocation, audit: Audit) -> Mapping[str, Any]:
    """What the commit says of the run that made it; enough to complete its record after a crash."""
    spec = resolved.spec
    return {
        "penstock": 1,
        "dataset": spec.name,
        "run_id": str(_run_id(spec, resolved.slice, invocation)),
        "token": resolved.token,
        "content": resolved.content,
        "write": type(spec.write).__name__,
        "row_key": list(spec.table_key),
        "slice": resolved.slice.document(),
        "slice_column": spec.partitions.column if spec.partitions else None,
        "contract": {"version": spec.model.version, "fingerprint": spec.model.fingerprint()},
        "code_version": spec.code_version,
        "inputs": {item.name: item.document() for item in resolved.inputs},
        "references": {item.name: item.document() for item in resolved.references},
        "rows_quarantined": audit.bad,
        "quarantined_by_rule": dict(audit.by_rule),
        "warned": dict(audit.warned),
    }


def _run_id(spec: Dataset, slice_: Slice, invocation: Invocation) -> Any:
    return run_id(invocation.id, spec.name, slice_.key, invocation.attempt)
