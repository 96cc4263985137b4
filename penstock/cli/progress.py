"""Live progress of runs on stderr: slice, step, Spark stage, rows."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from penstock.cli.words import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console

    from penstock.assets.outcome import Outcome

__all__ = ["Pace", "Stage", "active_stage", "outcome_words", "run_progress"]

_POLL_SECONDS = 0.25
_QUIET_SECONDS = 2.0  # shorter work needs no bar
_LINE_SECONDS = 5.0  # between lines about a stage, where lines stay
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A Spark stage at work. Rows are None where Spark does not tell them: over Connect."""

    number: int
    done: int
    tasks: int
    rows_read: int | None = None
    rows_written: int | None = None

    def __str__(self) -> str:
        rows = {"read": self.rows_read, "written": self.rows_written}
        told = [f", {number(count)} rows {what}" for what, count in rows.items() if count]
        return f"stage {self.number}: {self.done}/{self.tasks} tasks{''.join(told)}"


class Pace:
    """How much of the stage at work is done, and when it will be, at the pace it has had."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: Stage | None = None
        self._since = 0.0

    def words(self, stage: Stage) -> str:
        """`40 % of the stage, 25 s left`; without the time before a task has ended."""
        now = self._clock()
        if self._first is None or self._first.number != stage.number:
            self._first, self._since = stage, now
        share = f"{100 * stage.done // max(stage.tasks, 1)} % of the stage"
        ended = stage.done - self._first.done
        if ended <= 0:
            return share
        seconds = (now - self._since) / ended * (stage.tasks - stage.done)
        left = f"{seconds:.0f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.0f} min"
        return f"{share}, {left} left"


def active_stage(spark: Any) -> Stage | None:
    """The newest stage at work in a classic session; None when none is."""
    # pyspark has no name of its own for the counts that the Spark UI shows
    found = spark._sc._jsc.sc().statusStore().activeStages()  # noqa: SLF001
    stages = [found.apply(n) for n in range(found.size())]
    if not stages:
        return None
    newest = max(stages, key=lambda stage: stage.stageId())
    return Stage(
        number=newest.stageId(),
        done=newest.numCompleteTasks(),
        tasks=newest.numTasks(),
        rows_read=newest.inputRecords(),
        rows_written=newest.outputRecords(),
    )


class _ToldStages:
    """The newest stage that a Connect server told of."""

    def __init__(self) -> None:
        self._newest: Stage | None = None

    def __call__(
        self,
        stages: Iterable[Any] | None,
        inflight_tasks: int,  # noqa: ARG002 - pyspark passes it by name
        operation_id: str | None,  # noqa: ARG002
        done: bool,  # noqa: FBT001
    ) -> None:
        active = [] if done else [stage for stage in stages or () if not stage.done]
        newest = max(active, key=lambda stage: stage.stage_id, default=None)
        self._newest = newest and Stage(
            number=newest.stage_id, done=newest.num_completed_tasks, tasks=newest.num_tasks
        )

    def newest(self) -> Stage | None:
        return self._newest


@contextmanager
def _stages(spark: Any) -> Iterator[Callable[[], Stage | None]]:
    """Gives what to ask for the stage at work."""
    if getattr(spark, "_sc", None) is not None:
        yield partial(active_stage, spark)
        return
    told = _ToldStages()
    spark.registerProgressHandler(told)
    try:
        yield told.newest
    finally:
        spark.removeProgressHandler(told)


@contextmanager
def run_progress(console: Console, title: str, spark: Any) -> Iterator[Callable[[str], None]]:
    """Shows a run while it is at work; gives what is to be called with each step that ended."""
    shown = _Bar(console, title) if console.is_terminal else _Lines(console, title)
    ended = threading.Event()
    with _stages(spark) as stage:

        def watch() -> None:
            while not ended.wait(_POLL_SECONDS):
                try:
                    shown.stage(stage())
                except Exception:  # noqa: BLE001 - a session may end at any moment; the run tells
                    return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield shown.step
        finally:
            ended.set()
            thread.join()
            shown.close()


def outcome_words(outcome: Outcome) -> str:
    """What a run did, in one line."""
    where = f"{outcome.dataset} {outcome.slice_key}"
    if not outcome.committed:
        return f"{where}: unchanged, version {outcome.version} holds it already"
    rows = [f"{number(outcome.rows_changed)} rows changed"]
    if outcome.rows_in is not None:
        good = outcome.rows_in - outcome.rows_quarantined
        rows = [f"{number(outcome.rows_in)} rows in", f"{number(good)} good"]
    rows += [f"{number(outcome.rows_removed)} taken out"] if outcome.rows_removed else []
    parts = [
        *rows,
        f"{number(outcome.rows_quarantined)} set aside",
        f"version {outcome.version}",
        f"{outcome.seconds:.1f} s",
    ]
    return f"{where}: {', '.join(parts)}"


class _Bar:
    """One line that is drawn anew, on a terminal, once the run has taken two seconds."""

    def __init__(self, console: Console, title: str) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[detail]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._title = title
        self._task = self._progress.add_task(title, total=None, detail="")
        self._began = time.monotonic()
        self._drawn = False
        self._pace = Pace()

    def step(self, step: str) -> None:
        self._progress.update(self._task, description=f"{self._title} · {step}")

    def stage(self, stage: Stage | None) -> None:
        if not self._drawn and time.monotonic() - self._began > _QUIET_SECONDS:
            self._progress.start()
            self._drawn = True
        if stage is None:
            self._progress.update(self._task, total=None, detail="")
            return
        detail = f"{stage}, {self._pace.words(stage)}"
        self._progress.update(self._task, total=stage.tasks, completed=stage.done, detail=detail)

    def close(self) -> None:
        if self._drawn:
            self._progress.stop()


class _Lines:
    """A line for each step, and one now and then for a stage that takes long."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._last = time.monotonic()
        self._pace = Pace()

    def step(self, step: str) -> None:
        self._say(step)

    def stage(self, stage: Stage | None) -> None:
        if stage is None:
            return
        words = self._pace.words(stage)
        if time.monotonic() - self._last > _LINE_SECONDS:
            self._say(f"{stage}, {words}")

    def close(self) -> None:
        pass

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        self._console.print(Text(f"{self._title}: {text}"), soft_wrap=True)
