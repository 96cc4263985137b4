"""`penstock demo`: a week of real flights through the nightly job, upkeep and masking.

The runs are in the Dagster instance that `penstock up` shows. Told again, it finds the week in
the lake, writes nothing and says so.

Where `PENSTOCK_SOURCES=all` says so it is told in a home of its own, of data that arrives as
Parquet, JSON lines, rows of PostgreSQL and records of Kafka as well, and the tables are the same.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from penstock.errors import PenstockError, SetupError
from penstock.operations.up import write_dagster_home
from penstock.resources.home import home
from pipelines.data import DEMO_DAYS, unpack_flights, write_bookings
from pipelines.data.restated import restate
from pipelines.demo_summary import Summary, stories
from pipelines.senders.everything import Senders, senders
from resources.environments import Sources, environment, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from rich.console import Console

__all__ = ["demo"]

SEED = 2013
# The last days come one by one, as they would, those before them as one backfill. Each night
# leaves a small file in what is merged: with three of them upkeep has something to do.
NIGHTS = 3
_ALL, _BROKER_JARS = "all-sources", "broker-jars"
_RANGE = "dagster/asset_partition_range"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_TOLD = {"resolved", "analyzed", "started", "checked", "quarantined"}
_TOLD |= {"committing", "committed", "recorded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One run of a job."""

    title: str
    job: str
    days: tuple[date, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    by_table: bool = False  # one step that goes through all tables


def chapters(days: tuple[date, ...] = DEMO_DAYS) -> tuple[Chapter, ...]:
    """The runs, in order. Two days at least: one that is filled in, one that is a night."""
    alone = min(NIGHTS, len(days) - 1)
    earlier, nights = days[:-alone], days[-alone:]
    return (
        Chapter(
            title=f"Backfill {earlier[0]} to {earlier[-1]}",
            job="nightly",
            days=earlier,
            tags={
                f"{_RANGE}_start": earlier[0].isoformat(),
                f"{_RANGE}_end": earlier[-1].isoformat(),
            },
        ),
        *(Chapter(title=f"Nightly {day}", job="nightly", days=(day,)) for day in nights),
        Chapter(title="Masking", job="daily_masking"),
        Chapter(title="Upkeep", job="weekly_upkeep", by_table=True),
    )


def demo(console: Console, days: tuple[date, ...] = DEMO_DAYS) -> Summary:
    """Tell the whole story, with progress on the console, and return what came of it.

    `days` are two or more that follow each other, the whole week unless said otherwise.

    Raises the error of the first thing that fails, with what to do next; told again, it goes on
    from there.
    """
    began = time.monotonic()
    with _told_in(home()), _bars(console) as bars, _delivered(days, bars) as live:
        bars.say("Loading the deployment", None)
        # here, because the deployment reads the environment when it is imported
        from pipelines.definitions import defs
        from pipelines.deployment import deployment

        bars.say("Starting Spark", None)
        deployment.resources["cluster"].ensure()
        ledger = deployment.resources["ledger"].open()
        events = _event_count(ledger)
        tables = frozenset(spec.name for spec in deployment.datasets)
        told = []
        with dg.DagsterInstance.get() as instance:
            for chapter in chapters(days):
                if live:
                    live.send(chapter.days)
                job = defs.resolve_job_def(chapter.job)
                parts = tables if chapter.by_table else frozenset(job.graph.node_dict)
                told.append(_tell(chapter, job, parts, instance, bars))
        bars.end()
        return Summary(
            days=days,
            stories=stories(deployment, told),
            upkeep=_upkeep(told),
            masked={
                spec.name: tuple(c.name for c in spec.model.columns if c.masked)
                for spec in deployment.datasets
                if spec.masking
            },
            events=_event_count(ledger) - events,
            events_in_all=_event_count(ledger),
            lake=deployment.resources["lake"].root,
            seconds=time.monotonic() - began,
            home=home() if live else None,
        )


class Bars:
    """What is at work: bars on a terminal, a line when something has ended elsewhere."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: Any = None
        self._title = ""
        self._began = 0.0

    def say(self, title: str, total: int | None) -> None:
        """Ends what was at work and begins something of `total` parts."""
        self.end()
        self._title, self._began = title, time.monotonic()
        self._task = self._progress.add_task(title, total=total, detail="")

    def update(self, done: int | None = None, total: int | None = None, detail: str = "") -> None:
        """How far it is."""
        self._progress.update(self._task, completed=done, total=total, detail=detail)

    def end(self) -> None:
        """What was at work has ended."""
        if self._task is None:
            return
        total = self._progress.tasks[-1].total or 1
        self._progress.update(self._task, completed=total, total=total, detail="")
        self._progress.stop_task(self._task)
        if not self._console.is_terminal:
            seconds = time.monotonic() - self._began
            self._console.print(Text(f"{self._title}: {seconds:.1f} s"), soft_wrap=True)
        self._task = None


@contextmanager
def _bars(console: Console) -> Iterator[Bars]:
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", markup=False, style="dim"),
        console=console,
        disable=not console.is_terminal,
    )
    with progress:
        bars = Bars(console, progress)
        yield bars
        bars.end()


@contextmanager
def _told_in(folder: Path) -> Iterator[None]:
    """The environment of what is told: Penstock's home, or one within it for all sources."""
    if sources() is Sources.ALL:
        _refuse_shared()
    if sources() is Sources.ALL and folder.name != _ALL:
        outer, folder = folder, folder / _ALL
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("jars", _BROKER_JARS):
            (outer / name).mkdir(exist_ok=True)
            if not (folder / name).is_symlink():
                (folder / name).symlink_to(outer / name)
    with _environment(PENSTOCK_HOME=str(folder)):
        with _environment(DAGSTER_HOME=str(write_dagster_home(folder))):
            yield


def _refuse_shared() -> None:
    """Raise SetupError where the tables would not be apart from those that files are made to."""
    names = ("PENSTOCK_ENV", "PENSTOCK_LAKE", "PENSTOCK_LANDING", "PENSTOCK_LEDGER")
    if said := [name for name in names if os.environ.get(name)]:
        raise SetupError(
            "the demo of all sources has a lake of its own",
            where="PENSTOCK_SOURCES=all",
            expected=f"none of {', '.join(names)}",
            found=", ".join(said),
            next_step=f"unset {' '.join(said)}",
        )


@contextmanager
def _delivered(days: tuple[date, ...], bars: Bars) -> Iterator[Senders | None]:
    """The days' files in landing, those that are there left alone; and what else sends."""
    here = environment()
    if here.landing.startswith("s3://"):
        raise SetupError(
            "the demo delivers its files into a local folder",
            where=here.landing,
            next_step="unset PENSTOCK_LANDING, or set it to a folder",
        )
    landing = Path(here.landing)
    if here.sources is Sources.FILES:
        _deliver(landing, days, bars)
        yield None
        return
    delivered = home() / "delivered"
    _deliver(delivered, days, bars)
    restate(delivered, landing, days)
    bars.say("Starting PostgreSQL and Kafka", None)
    with (
        senders(home(), delivered, here.secrets, home() / _BROKER_JARS) as live,
        _environment(**live.variables),
    ):
        yield live


def _deliver(landing: Path, days: tuple[date, ...], bars: Bars) -> None:
    bars.say(f"Unpacking {len(days)} days of flights", None)
    unpack_flights(landing, days, progress=lambda what, n, of: bars.update(n, of, what))
    bars.say("Making bookings", len(days))
    write_bookings(landing, days, SEED, progress=lambda what, n, of: bars.update(n, of, what))


def _tell(
    chapter: Chapter,
    job: dg.JobDefinition,
    parts: frozenset[str],
    instance: dg.DagsterInstance,
    bars: Bars,
) -> dg.ExecuteInProcessResult:
    run_id = str(uuid.uuid4())
    bars.say(chapter.title, len(parts))
    instance.add_event_listener(run_id, _listener(parts, bars))
    result = job.execute_in_process(
        instance=instance,
        run_id=run_id,
        run_config=_QUIET,
        partition_key=None if chapter.tags or not chapter.days else chapter.days[0].isoformat(),
        tags={"penstock/demo": chapter.title.split(" ")[0].lower(), **chapter.tags},
        raise_on_error=False,
    )
    if not result.success:
        raise _failed(chapter, result)
    return result


def _listener(parts: frozenset[str], bars: Bars) -> Callable[[Any], None]:
    """Follows a run: how many of its parts (steps or tables) are done, and what is at work."""
    done: set[str] = set()

    def listen(entry: Any) -> None:
        event = entry.dagster_event
        if event is None:
            line = entry.user_message.partition("\n")[0]
            table = line.partition(": ")[0]
            if table in parts:  # upkeep has been through it
                done.add(table)
            if table in parts or line.rpartition(" ")[2] in _TOLD:
                bars.update(len(done), detail=line)
        elif event.event_type_value == "STEP_START":
            bars.update(len(done), detail=event.step_key.replace("__", "."))
        elif event.event_type_value == "STEP_SUCCESS":
            done.update({event.step_key} & parts)
            bars.update(len(done))

    return listen


def _failed(chapter: Chapter, result: dg.ExecuteInProcessResult) -> PenstockError:
    failures = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    if not failures:
        return PenstockError(
            "the run failed before its first step",
            where=chapter.title,
            found=f"Dagster run {result.run_id}",
            next_step="see its log: penstock up, then Runs",
        )
    first = failures[0]
    data: Any = first.step_failure_data
    told = data.user_failure_data.description if data.user_failure_data else None
    lines = (told or f"{data.error.cls_name if data.error else 'an error'}").splitlines()
    steps = [line.strip() for line in lines if line.strip().startswith("next: ")]
    return PenstockError(
        "the run failed",
        where=f"{chapter.title}, {(first.step_key or '').replace('__', '.')}",
        found=" ".join(line.strip() for line in lines if line.strip() not in steps),
        next_step=steps[0].removeprefix("next: ")
        if steps
        else f"see run {result.run_id[:8]} in the UI (penstock up), mend it, run the demo again",
    )


def _upkeep(told: list[dg.ExecuteInProcessResult]) -> dict[str, tuple[int, int]]:
    """(files before, files after) of each table that upkeep looked at."""
    found: dict[str, tuple[int, int]] = {}
    for event in told[-1].all_events:
        if event.event_type_value == "ASSET_MATERIALIZATION":
            details = event.materialization.metadata.get("details")
            data: Any = details.value if details else {}
            for name, outcome in data.items():
                before, after = outcome["before"], outcome["after"]
                found[name] = (before["files"], after["files"])
    return found


def _event_count(ledger: Any) -> int:
    # sequences have no gaps, so the last one is the count
    from sqlalchemy import select

    from penstock.ledger.tables import head

    with ledger.database.read() as connection:
        return int(connection.execute(select(head.c.sequence)).scalar_one())


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
