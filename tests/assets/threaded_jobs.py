"""Jobs whose steps run in threads, for Dagster to find by name; and a process that runs one.

Steps without Spark say what they do in `TOLD`, and wait for each other in `meet`.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from penstock import dataset, definitions, landing
from penstock.assets import threaded_executor as module
from penstock.assets.threaded_executor import threaded_executor
from penstock.resources.connect import ConnectCluster
from penstock.resources.interruption import cancelled_by
from penstock.resources.lake import Lake
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from tests.assets.shop import BY_DAY, DAILY, Loaded, orders
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TOLD: list[str] = []  # by the steps, in the order in which it happened
_there: dict[str, threading.Event] = {}
_lock = threading.Lock()


def forget() -> None:
    """Before each test."""
    TOLD.clear()
    _there.clear()


def came(name: str) -> threading.Event:
    """Set when the step of this name is there."""
    with _lock:
        return _there.setdefault(name, threading.Event())


def meet(me: str, other: str) -> None:
    """Wait until the other step is there: only steps that run at the same time can meet."""
    came(me).set()
    assert came(other).wait(PATIENCE_SECONDS), f"{me} and {other} never ran at the same time"


def step(name: str, do: Any = lambda: None, *, after: tuple[str, ...] = (), **others: Any) -> Any:
    """An asset that says when it begins and ends."""

    def asset() -> None:
        TOLD.append(f"{name} begins")
        do()
        TOLD.append(f"{name} ends")

    return dg.asset(name=name, deps=list(after), **others)(asset)


def job_of(
    *assets: Any, hooks: set[dg.HookDefinition] | None = None, **resources: Any
) -> dg.JobDefinition:
    """The assets as one job, in threads."""
    defs = dg.Definitions(
        assets=assets,
        resources=resources,
        jobs=[dg.define_asset_job("all", hooks=hooks)],
        executor=threaded_executor,
    )
    return defs.resolve_job_def("all")


def two_that_meet() -> dg.JobDefinition:
    """Two at once, and one after both."""
    return job_of(
        step("left", lambda: meet("left", "right")),
        step("right", lambda: meet("right", "left")),
        step("last", after=("left", "right")),
    )


def four() -> dg.JobDefinition:
    """Four steps that need nothing."""
    return job_of(*(step(f"step_{number}") for number in range(4)))


def pooled() -> dg.JobDefinition:
    """Four steps of one pool."""
    return job_of(*(step(f"step_{number}", pool="narrow") for number in range(4)))


def _fail() -> None:
    raise dg.Failure("on purpose", allow_retries=False)


def _meet_and_fail() -> None:
    meet("bad", "good")
    _fail()


def one_that_fails() -> dg.JobDefinition:
    return job_of(
        step("good", lambda: meet("good", "bad")),
        step("bad", _meet_and_fail),
        step("after_bad", after=("bad",)),
        step("after_good", after=("good",)),
    )


def _fail_once() -> None:
    if TOLD.count("again begins") == 1:
        raise ZeroDivisionError


def one_that_is_retried() -> dg.JobDefinition:
    policy = dg.RetryPolicy(max_retries=1, delay=0.1)
    return job_of(
        step("again", _fail_once, retry_policy=policy), step("after_again", after=("again",))
    )


@dg.success_hook
def pleased(context: dg.HookContext) -> None:
    TOLD.append(f"{context.op.name} pleases")


@dg.failure_hook
def sorry(context: dg.HookContext) -> None:
    TOLD.append(f"{context.op.name} disappoints")


def hooked() -> dg.JobDefinition:
    return job_of(step("good"), step("bad", _fail), hooks={pleased, sorry})


def of_two_kinds() -> dg.JobDefinition:
    """Two steps of each kind of session that meet their like; nobody opens a session."""

    def of(kind: str, number: int) -> Any:
        return step(
            f"{kind}_{number}",
            lambda: meet(f"{kind}_{number}", f"{kind}_{1 - number}"),
            pool=kind,
            required_resource_keys={kind},
        )

    return job_of(
        of("classic", 0), of("classic", 1), of("connect", 0), of("connect", 1),
        classic=LocalCluster(profile=Profile.SMALL), connect=ConnectCluster(url="sc://127.0.0.1:9"),
    )  # fmt: skip


@dataset(Loaded, inputs={"raw": landing(BY_DAY)}, partitions=DAILY)
def slow(raw: DataFrame) -> DataFrame:
    nap = "coalesce(java_method('java.lang.Thread', 'sleep', 3600000L), '')"
    return raw.selectExpr("id", f"concat(item, {nap}) AS item", "price", "day")


def shop_job(folder: str) -> dg.JobDefinition:
    """Two datasets of one day's file, of which one takes an hour."""
    here = Path(folder)
    defs = definitions(
        [orders, slow],
        resources={
            "lake": Lake(root=str(here / "lake"), landing=str(here / "landing")),
            "ledger": LedgerResource(url=f"sqlite:///{here / 'ledger.db'}"),
            "cluster": LocalCluster(profile=Profile.SMALL, cores=2),
        },
        jobs=[dg.define_asset_job("all")],
    )
    return defs.resolve_job_def("all")


def deaf() -> dg.JobDefinition:
    """A step that nothing can end."""
    return job_of(step("deaf", lambda: threading.Event().wait(PATIENCE_SECONDS)))


def _wait_to_be_asked() -> None:
    asked = threading.Event()
    with cancelled_by(asked.set):
        assert asked.wait(PATIENCE_SECONDS)
        raise ZeroDivisionError


def obedient() -> dg.JobDefinition:
    """A step of a pool that ends when it is asked to."""
    return job_of(step("obedient", _wait_to_be_asked, pool="narrow"))


def execute(folder: Path, job: str, arguments: dict[str, str], grace_seconds: float) -> None:
    """What a process does that runs the job, and that is terminated."""
    module._GRACE_SECONDS = grace_seconds
    target = dg.build_reconstructable_job(__name__, job, reconstructable_kwargs=arguments)
    by_step = {"concurrency": {"pools": {"granularity": "op"}}}
    with dg.DagsterInstance.local_temp(str(folder / "dagster"), overrides=by_step) as instance:
        dg.execute_job(target, instance, tags={"dagster/partition": "2013-01-05"})
