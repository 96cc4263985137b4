"""Live progress of runs on stderr: slice, step, Spark stage, rows."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from penstock.cli.words import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from penstock.assets.outcome import Outcome

__all__ = ["Stage", "active_stage", "outcome_words", "run_progress"]

_POLL_SECONDS = 0.25
_QUIET_SECONDS = 2.0  # shorter work needs no bar
_LINE_SECONDS = 5.0  # between lines about a stage, where lines stay

#: (stage, tasks done, tasks in all)
Stage = tuple[int, int, int]


def active_stage(spark: Any) -> Stage | None:
    """The newest Spark stage at work in a classic session; None when none is, or over Connect."""
    context = getattr(spark, "_sc", None)
    if context is None:
        return None
    tracker = context.statusTracker()
    for stage in sorted(tracker.getActiveStageIds(), reverse=True):
        info = tracker.getStageInfo(stage)
        if info is not None:
            return stage, info.numCompletedTasks, info.numTasks
    return None


@contextmanager
def run_progress(console: Console, title: str, spark: Any) -> Iterator[Callable[[str], None]]:
    """Shows a run while it is at work; gives what is to be called with each step that ended."""
    shown = _Bar(console, title) if console.is_terminal else _Lines(console, title)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_POLL_SECONDS):
            try:
                shown.stage(active_stage(spark))
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

    def step(self, step: str) -> None:
        self._progress.update(self._task, description=f"{self._title} · {step}")

    def stage(self, stage: Stage | None) -> None:
        if not self._drawn and time.monotonic() - self._began > _QUIET_SECONDS:
            self._progress.start()
            self._drawn = True
        if stage is None:
            self._progress.update(self._task, total=None, detail="")
            return
        number_, done, tasks = stage
        detail = f"stage {number_}: {done}/{tasks} tasks"
        self._progress.update(self._task, total=tasks, completed=done, detail=detail)

    def close(self) -> None:
        if self._drawn:
            self._progress.stop()


class _Lines:
    """A line for each step, and one now and then for a stage that takes long."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._last = time.monotonic()

    def step(self, step: str) -> None:
        self._say(step)

    def stage(self, stage: Stage | None) -> None:
        if stage is not None and time.monotonic() - self._last > _LINE_SECONDS:
            self._say(f"stage {stage[0]}: {stage[1]}/{stage[2]} tasks")

    def close(self) -> None:
        pass

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        self._console.print(Text(f"{self._title}: {text}"), soft_wrap=True)
