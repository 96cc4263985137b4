"""Steps of a Dagster run in threads: at once, in order, retried, terminated."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from penstock.testing import temporary_lake
from tests.assets import threaded_jobs as jobs
from tests.forked import forked
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


pytestmark = pytest.mark.slow(seconds=40)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    jobs.forget()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def executed(
    job: Callable[[], dg.JobDefinition],
    instance: dg.DagsterInstance,
    at_once: int | None = 2,
    **how: Any,
) -> dg.JobExecutionResult:
    config = {"execution": {"config": {"max_concurrent": at_once}}}
    return dg.execute_job(dg.reconstructable(job), instance, run_config=config, **how)


def test_steps_that_do_not_wait_for_each_other_run_at_once_and_the_next_after_both(
    instance: dg.DagsterInstance,
) -> None:
    assert executed(jobs.two_that_meet, instance).success
    assert jobs.TOLD[-2:] == ["last begins", "last ends"]
    assert sorted(jobs.TOLD[:2]) == ["left begins", "right begins"]


def test_no_more_run_at_once_than_are_allowed(instance: dg.DagsterInstance) -> None:
    assert executed(jobs.four, instance, at_once=1).success
    assert len(jobs.TOLD) == 8
    for begins, ends in zip(jobs.TOLD[::2], jobs.TOLD[1::2], strict=True):
        assert begins.split()[0] == ends.split()[0], jobs.TOLD


@pytest.mark.parametrize("at_once", [0, -1])
def test_a_run_that_allows_no_step_is_refused(instance: dg.DagsterInstance, at_once: int) -> None:
    with pytest.raises(Exception, match="max_concurrent of the executor"):
        executed(jobs.four, instance, at_once=at_once, raise_on_error=True)
    assert jobs.TOLD == []


def test_a_step_that_fails_keeps_those_after_it_and_no_others(instance: dg.DagsterInstance) -> None:
    result = executed(jobs.one_that_fails, instance)
    assert not result.success
    assert result.get_failed_step_keys() == {"bad"}
    assert "after_good ends" in jobs.TOLD
    assert "after_bad begins" not in jobs.TOLD


def test_where_errors_are_raised_what_runs_ends_first_and_nothing_else_begins(
    instance: dg.DagsterInstance,
) -> None:
    with pytest.raises(dg.Failure, match="on purpose"):
        executed(jobs.one_that_fails, instance, raise_on_error=True)
    assert "good ends" in jobs.TOLD
    assert "after_bad begins" not in jobs.TOLD


def test_a_step_is_retried_and_the_next_waits_for_it(instance: dg.DagsterInstance) -> None:
    assert executed(jobs.one_that_is_retried, instance).success
    assert jobs.TOLD == [
        "again begins", "again begins", "again ends", "after_again begins", "after_again ends",
    ]  # fmt: skip


def test_hooks_hear_of_each_step(instance: dg.DagsterInstance) -> None:
    assert not executed(jobs.hooked, instance).success
    assert {"good pleases", "bad disappoints"} <= set(jobs.TOLD)


def test_sessions_of_two_kinds_are_never_at_work_at_once(instance: dg.DagsterInstance) -> None:
    assert executed(jobs.of_two_kinds, instance, at_once=4).success
    kinds = [line.split("_")[0] for line in jobs.TOLD]
    assert kinds[:4] in (["classic"] * 4, ["connect"] * 4), jobs.TOLD
    assert len(set(kinds[4:])) == 1


def test_the_limit_of_a_pool_holds(tmp_path: Path) -> None:
    jobs.forget()
    limit = {"concurrency": {"pools": {"granularity": "op", "default_limit": 1}}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=limit) as instance:
        assert executed(jobs.pooled, instance, at_once=4).success
    for begins, ends in zip(jobs.TOLD[::2], jobs.TOLD[1::2], strict=True):
        assert begins.split()[0] == ends.split()[0], jobs.TOLD


def terminated(
    folder: Path,
    job: str,
    arguments: dict[str, str],
    grace_seconds: float,
    ready: Callable[[], Any],
    **pools: int,
) -> str:
    """Let a process run the job, terminate it as Dagster does when it is ready; what it printed."""
    output, home = folder / "output.txt", folder / "dagster"
    home.mkdir()
    # here, or two processes would make its tables at once
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        for pool, limit in pools.items():
            instance.event_log_storage.set_concurrency_slots(pool, limit)
    with forked(output, jobs.execute, folder, job, arguments, grace_seconds) as process:
        until(lambda: process.ended or ready(), "the run is at work")
        assert not process.ended, output.read_text()
        with dg.DagsterInstance.local_temp(str(home)) as instance:
            [run] = instance.get_runs()
            instance.report_run_canceling(run)
        os.kill(process.pid, signal.SIGTERM)
        until(lambda: process.ended, "the process has ended")
    return output.read_text()


def run_of(folder: Path) -> tuple[dg.DagsterRun, list[str]]:
    """The only run of the instance in the folder, and what its events say."""
    with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
        (run,) = instance.get_runs()
        return run, [entry.message for entry in instance.all_logs(run.run_id)]


def test_a_run_that_is_terminated_ends_spark_and_leaves_what_was_committed(tmp_path: Path) -> None:
    runtime = temporary_lake(tmp_path)
    orders = tmp_path / "landing" / "orders"
    orders.mkdir()
    (orders / "orders-2013-01-05.csv").write_text("id,item,price,day\n1,ink,5.00,2013-01-05\n")

    def at_work() -> bool:
        runs = {record.dataset: record for record in runtime.ledger.runs()}
        return (
            len(runs) == 2
            and runs["bronze.loaded"].is_open
            and runs["bronze.orders"].state == "COMPLETE"
        )

    output = terminated(tmp_path, "shop_job", {"folder": str(tmp_path)}, PATIENCE_SECONDS, at_work)
    run, said = run_of(tmp_path)
    assert run.status is dg.DagsterRunStatus.CANCELED, output
    assert any("Spark's jobs are cancelled" in line for line in said)
    assert not any("they end with the process" in line for line in said), "it ended by itself"
    states = {record.dataset: record.state for record in runtime.ledger.runs()}
    assert states == {"bronze.orders": "COMPLETE", "bronze.loaded": "ABORT"}
    assert runtime.lake.table("bronze.loaded").read() is None
    assert runtime.lake.table("bronze.orders").read() is not None


def begins(folder: Path, name: str) -> Callable[[], bool]:
    """Whether the step of this name has been told to begin."""

    def told() -> bool:
        with dg.DagsterInstance.local_temp(str(folder / "dagster")) as instance:
            runs = instance.get_runs()
            logs = [entry.message for run in runs for entry in instance.all_logs(run.run_id)]
        return any(f'Started execution of step "{name}"' in line for line in logs)

    return told


def test_a_step_that_nothing_ends_ends_with_the_process(tmp_path: Path) -> None:
    output = terminated(tmp_path, "deaf", {}, 0.5, begins(tmp_path, "deaf"))
    run, said = run_of(tmp_path)
    assert run.status is dg.DagsterRunStatus.CANCELED, output
    assert any("they end with the process" in line for line in said)


def test_a_step_that_is_terminated_gives_its_place_in_the_pool_back(tmp_path: Path) -> None:
    def ready() -> bool:
        return begins(tmp_path, "obedient")() and claimed() == 1

    def claimed() -> int:
        with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
            return instance.event_log_storage.get_concurrency_info("narrow").active_slot_count

    output = terminated(tmp_path, "obedient", {}, PATIENCE_SECONDS, ready, narrow=1)
    assert run_of(tmp_path)[0].status is dg.DagsterRunStatus.CANCELED, output
    assert claimed() == 0
