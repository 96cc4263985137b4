"""The steps of a Dagster run in threads of one process, which share one Spark (ADR 17).

Dagster's own executors run one step at a time in a process, or give each step a process and so a
Spark of its own. What is imported from `dagster._core` here is what its in-process executor is made
of: Dagster's version is pinned, and nothing else of Penstock knows these names.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections import deque
from contextlib import ExitStack
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.execute_plan import (
    _trigger_hook,
    dagster_event_sequence_for_step,
)
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.retries import RetryMode
from dagster._utils.error import serializable_error_info_from_exc_info

from penstock.errors import DefinitionError
from penstock.resources.cluster import Capability, Cluster
from penstock.resources.interruption import Interruption, interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster._core.execution.context.system import (
        PlanExecutionContext,
        PlanOrchestrationContext,
        StepExecutionContext,
    )
    from dagster._core.execution.plan.active import ActiveExecution
    from dagster._core.execution.plan.plan import ExecutionPlan

__all__ = ["threaded_executor"]

_Told: TypeAlias = "tuple[_Step, DagsterEvent | None]"

_POLL_SECONDS = 0.2  # how long a signal, a retry or a place in a pool waits at most
_GRACE_SECONDS = 30.0  # that a step has to end when the run is terminated


@dg.executor(
    name="threads",
    config_schema={
        "max_concurrent": dg.Field(
            dg.Noneable(dg.Int),
            default_value=None,
            description="How many steps run at the same time; by default as many as cores.",
        ),
        "retries": dg.Field(
            dg.Selector({"enabled": {}, "disabled": {}}),  # type: ignore[no-untyped-call]
            default_value={"enabled": {}},
            description="Whether steps are run again by their retry policies; enabled by default.",
        ),
    },
)
def threaded_executor(init: dg.InitExecutorContext) -> dg.Executor:
    """Runs steps that do not wait for each other at the same time, in threads of one process.

    They share the session or the server of their cluster, and its pool's limit holds. Steps of a
    classic session and of Spark Connect are never run at the same time. When the run is
    terminated, Spark's jobs are cancelled; a step that has not ended after 30 seconds ends with
    the process. Raises DefinitionError when `max_concurrent` is less than 1.
    """
    config: Any = init.executor_config
    limit = config["max_concurrent"]
    if limit is not None and limit < 1:
        raise DefinitionError(
            "no step could ever run",
            where="max_concurrent of the executor `threads`",
            expected="1 or more, or none for as many as there are cores",
            found=f"{limit}",
            next_step="raise it, or leave it out",
        )
    return _ThreadedExecutor(
        RetryMode.from_config(config["retries"]) or RetryMode.ENABLED,
        limit or len(os.sched_getaffinity(0)),
    )


class _ThreadedExecutor(dg.Executor):
    def __init__(self, retries: RetryMode, limit: int) -> None:
        self._retries = retries
        self._limit = limit

    @property
    def retries(self) -> RetryMode:
        return self._retries

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        process = os.getpid()
        yield DagsterEvent.engine_event(
            plan_context,
            f"Executing steps in threads (pid: {process}), at most {self._limit} at once",
            EngineEventData.in_process(process, execution_plan.step_keys_to_execute),
        )
        yield from ExecuteRunWithPlanIterable(
            execution_plan=execution_plan,
            iterator=partial(_run, limit=self._limit),
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=execution_plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
            ),
        )
        yield DagsterEvent.engine_event(
            plan_context,
            f"Finished steps in threads (pid: {process})",
            EngineEventData.in_process(process, execution_plan.step_keys_to_execute),
        )


def _run(
    job_context: PlanExecutionContext, execution_plan: ExecutionPlan, limit: int
) -> Iterator[DagsterEvent]:
    """All steps of the plan, once there are resources for them."""
    keys = [step.key for step in execution_plan.get_steps_to_execute_in_topo_order()]
    threads = _Threads()
    with (
        InstanceConcurrencyContext(job_context.instance, job_context.dagster_run) as claims,
        execution_plan.start(
            retry_mode=job_context.retry_mode,
            max_concurrent=limit,
            instance_concurrency_context=claims,
        ) as active,
    ):
        with ExitStack() as output:
            yield _captured(job_context, keys, output)
            try:
                yield from _steps(job_context, active, threads)
            finally:
                threads.end()
            try:
                output.close()
            except Exception:  # noqa: BLE001 - the steps have run, and that is told
                yield _lost_output(job_context)


def _captured(
    job_context: PlanExecutionContext, keys: list[str], output: ExitStack
) -> DagsterEvent:
    """What the process prints is kept from here on, as Dagster keeps it, for all steps together."""
    manager = job_context.instance.compute_log_manager
    try:
        key = manager.build_log_key_for_run(job_context.run_id, uuid.uuid4().hex[:8])
        kept = output.enter_context(manager.capture_logs(key))
        told: DagsterEvent = DagsterEvent.capture_logs(job_context, keys, key, kept)
    except Exception:  # noqa: BLE001 - steps run without it, and it is told
        return _lost_output(job_context)
    return told


def _lost_output(job_context: PlanExecutionContext) -> DagsterEvent:
    error = serializable_error_info_from_exc_info(sys.exc_info())
    what = "What the steps print is not kept, or not all of it"
    return DagsterEvent.engine_event(job_context, what, EngineEventData(error=error))


def _steps(
    job_context: PlanExecutionContext, active: ActiveExecution, threads: _Threads
) -> Iterator[DagsterEvent]:
    """Start what can start and tell what the steps tell, until all have ended.

    Where errors are to be raised, no step starts after the first one, and it is raised when those
    that run have ended.
    """
    failed: BaseException | None = None
    while threads.running or not (failed or active.is_complete):
        if active.check_for_interrupts():
            active.mark_interrupted()
            yield from _interrupt(job_context, active, threads)
        if failed is None:
            for ready in active.get_steps_to_execute():
                threads.add(job_context.for_step(ready, active.get_known_state()))
            yield from active.concurrency_event_iterator(job_context)
            threads.start()
        for step, event in threads.told(_POLL_SECONDS):
            if event is not None:
                yield event
                active.handle_event(event)
            elif step.error is not None:
                failed = failed or step.error
            else:
                active.verify_complete(job_context, step.key)
                for skipped in active.plan_events_iterator(job_context):
                    step.events.append(skipped)
                    yield skipped
                yield from _trigger_hook(step.context, step.events)
    if failed is not None:
        raise failed


def _interrupt(
    job_context: PlanExecutionContext, active: ActiveExecution, threads: _Threads
) -> Iterator[DagsterEvent]:
    """End what runs. Raises DagsterExecutionInterruptedError."""
    keys = [step.key for step in threads.running]
    yield DagsterEvent.engine_event(
        job_context,
        "The run is terminated: Spark's jobs are cancelled",
        EngineEventData.interrupted(keys),
    )
    left = threads.end()
    for _, event in threads.told(0):
        if event is not None:
            yield event
            active.handle_event(event)  # which gives its place in a pool back
    if left:
        yield DagsterEvent.engine_event(
            job_context,
            f"Not ended after {_GRACE_SECONDS:.0f} seconds: they end with the process",
            EngineEventData.interrupted(left),
        )
    raise DagsterExecutionInterruptedError


class _Step(Thread):
    """A step in its thread. `error` is what it raised, where errors are to be raised."""

    def __init__(self, context: StepExecutionContext, told: SimpleQueue[_Told]) -> None:
        # a daemon: the process does not wait for a step that does not end
        super().__init__(name=f"step-{context.step.key}", daemon=True)
        self.context = context
        self.key = context.step.key
        self.interruption = Interruption()
        self.events: list[DagsterEvent] = []
        self.error: BaseException | None = None
        self._told = told

    @property
    def classic(self) -> bool | None:
        """Whether its cluster gives a classic session; None where it has none."""
        cluster = getattr(self.context.resources, self.context.step.pool or "", None)
        return (
            Capability.PLAN_JSON in cluster.capabilities if isinstance(cluster, Cluster) else None
        )

    def run(self) -> None:
        """Each event as it is told, and None when there are no more."""
        try:
            with interruptible(self.interruption):
                for event in dagster_event_sequence_for_step(self.context):
                    self.events.append(event)
                    self._told.put((self, event))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
            self.error = error
        finally:
            self._told.put((self, None))


class _Threads:
    """The steps that run now, and those that are to."""

    def __init__(self) -> None:
        self.running: list[_Step] = []
        self._waiting: deque[_Step] = deque()
        self._told: SimpleQueue[_Told] = SimpleQueue()

    def add(self, context: StepExecutionContext) -> None:
        """A step to be started."""
        self._waiting.append(_Step(context, self._told))

    def start(self) -> None:
        """Start the next steps, but none whose session is of another kind than those that run.

        PySpark's functions make columns for one kind at a time, in the whole process.
        """
        while self._waiting:
            kinds = {step.classic for step in (*self.running, self._waiting[0])} - {None}
            if len(kinds) > 1:
                break
            self.running.append(step := self._waiting.popleft())
            step.start()

    def told(self, seconds: float) -> Iterator[_Told]:
        """What steps have told, and None as the last of each; waits so long for the first."""
        try:
            found = self._told.get(timeout=seconds) if seconds else self._told.get_nowait()
            while True:
                step, event = found
                if event is None:
                    self.running.remove(step)
                yield found
                found = self._told.get_nowait()
        except Empty:
            return

    def end(self) -> list[str]:
        """Have all that run end, and wait for it; the keys of those that did not in time."""
        self._waiting.clear()
        there = [step for step in self.running if step.is_alive()]
        if not there:
            return []
        # a cluster that does not answer must not hold up who asks
        Thread(target=_ask, args=(there,), name="penstock-interrupt", daemon=True).start()
        deadline = time.monotonic() + _GRACE_SECONDS
        for step in there:
            step.join(max(0.0, deadline - time.monotonic()))
        return [step.key for step in there if step.is_alive()]


def _ask(steps: list[_Step]) -> None:
    """Ask the steps to end until they have: a step may start another job after one is cancelled."""
    while there := [step for step in steps if step.is_alive()]:
        for step in there:
            step.interruption.ask()
        time.sleep(_POLL_SECONDS)
