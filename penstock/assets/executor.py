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

from penstock.assets.body import analyze, key_id
from penstock.assets.changes_too_late import changes_too_late
from penstock.assets.closed import stays_closed
from penstock.assets.fault import translated
from penstock.assets.gate import check_key, check_required
from penstock.assets.governed_write import GovernedWrite
from penstock.assets.inputs.kind import Held
from penstock.assets.record import Record
from penstock.assets.recovery import settle_dead_runs
from penstock.assets.resolve import Resolved, resolve
from penstock.assets.runtime import Invocation, Runtime
from penstock.assets.slice import WHOLE, Slice
from penstock.errors import ConflictError, LedgerError
from penstock.events import run_id
from penstock.ledger.heartbeat import beating
from penstock.resources.interruption import obeying
from penstock.resources.job_group import job_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

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
        with obeying(), job_group(spark, told, f"{spec.name} {slice_.key}".strip()):
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
    held = Held()
    try:
        resolved = resolve(spec, slice_, runtime, held, spark, key_id=key_id(spec, runtime))
        invocation.on_step("resolved")
        if resolved.unchanged or (not invocation.reopen and stays_closed(resolved, spark, runtime)):
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
            check_required(resolved, spark)
            check_key(resolved, spark)
            write = GovernedWrite(
                resolved=resolved,
                analyzed=analyzed,
                spark=spark,
                runtime=runtime,
                run_id=str(_run_id(spec, slice_, invocation)),
                on_step=invocation.on_step,
                reopen=invocation.reopen,
            )
            commit = write.commit()
        return _Done(resolved=resolved, made=(commit, analyzed.lineage))
    except Exception as error:
        told = (resolved and changes_too_late(error, resolved.inputs)) or translated(
            error, spec.name
        )
        if told is error:
            raise
        # the cause can quote values of rows, and must not be logged with it
        raise told from None
    finally:
        held.close()


def _tell(event: Callable[[Any], None], what: Any) -> None:
    """Append the event of a run that ends badly; a broken ledger must not hide why it did."""
    try:
        event(what)
    except LedgerError as error:
        logger.warning("the ledger did not take the end of a run reason=%r", str(error))


def _run_id(spec: Dataset, slice_: Slice, invocation: Invocation) -> Any:
    return run_id(invocation.id, spec.name, slice_.key, invocation.attempt)
