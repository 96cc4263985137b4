"""What the demo did, for people and for scripts."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from penstock.cli.entries import Fate, fates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import dagster as dg

    from penstock import Dataset, Deployment
    from penstock.resources.lake import Lake

__all__ = ["DatasetStory", "Summary", "stories"]

_MATERIALIZED = "ASSET_MATERIALIZATION"
_RULES_SHOWN = 3


@dataclass(slots=True, kw_only=True)
class DatasetStory:
    """One dataset: the rows its table stands on, and what the demo's runs of it did."""

    dataset: str
    rows_in: int = 0
    rows_good: int = 0
    rows_quarantined: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    runs_committed: int = 0
    runs_unchanged: int = 0

    def document(self) -> dict[str, Any]:
        """The story as JSON-ready data."""
        return {
            "dataset": self.dataset,
            "rows_in": self.rows_in,
            "rows_committed": self.rows_good,
            "rows_quarantined": self.rows_quarantined,
            "quarantined_by_rule": dict(self.by_rule),
            "warned": dict(self.warned),
            "runs_committed": self.runs_committed,
            "runs_unchanged": self.runs_unchanged,
        }


def stories(
    deployment: Deployment, results: Iterable[dg.ExecuteInProcessResult]
) -> tuple[DatasetStory, ...]:
    """Each dataset's story, in the order they are made.

    Rows are those of the commits that the table stands on now, so a second telling says the same;
    which runs committed is from the events. A run of several days is one run.
    """
    runs: dict[tuple[str, str], str] = {}
    for result in results:
        for event in result.all_events:
            if event.event_type_value == _MATERIALIZED:
                name = ".".join(event.materialization.asset_key.path)
                status = event.materialization.metadata.get("status")
                runs[result.run_id, name] = str(status.value) if status else ""
    return tuple(
        _story(
            spec,
            deployment.resources["lake"],
            [status for (_, name), status in runs.items() if name == spec.name],
        )
        for spec in deployment.in_order()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What came of the demo. `upkeep` is (files before, files after) by dataset."""

    days: tuple[date, ...]
    stories: tuple[DatasetStory, ...]
    upkeep: Mapping[str, tuple[int, int]]
    masked: Mapping[str, tuple[str, ...]]
    events: int
    events_in_all: int
    lake: str
    seconds: float
    home: Path | None = None  # Penstock's, where it is not the usual one

    @property
    def unchanged(self) -> bool:
        """Whether the lake held all of it already."""
        return not any(story.runs_committed for story in self.stories)

    @property
    def files(self) -> tuple[int, int]:
        """(files before upkeep, files after it) of all tables."""
        counts = self.upkeep.values()
        return sum(before for before, _ in counts), sum(after for _, after in counts)

    def document(self) -> dict[str, Any]:
        """The summary as JSON-ready data."""
        before, after = self.files
        return {
            "days": [day.isoformat() for day in self.days],
            "unchanged": self.unchanged,
            "datasets": [story.document() for story in self.stories],
            "files_before_upkeep": before,
            "files_after_upkeep": after,
            "masked_columns": {name: list(columns) for name, columns in self.masked.items()},
            "lineage_events": self.events,
            "lineage_events_in_all": self.events_in_all,
            "lake": self.lake,
            "seconds": round(self.seconds, 1),
        }

    def __rich__(self) -> RenderableType:
        """A table of datasets, the facts, and what to try next."""
        return Group(Text(), self._datasets(), Text(), self._facts(), self._next())

    def _datasets(self) -> Table:
        first, last = self.days[0], self.days[-1]
        table = Table(
            title=f"{len(self.stories)} datasets, {first} to {last}",
            title_justify="left",
            title_style="bold",
            box=None,
            pad_edge=False,
            header_style="bold",
        )
        table.add_column("dataset")
        for heading in ("rows in", "committed", "set aside"):
            table.add_column(heading, justify="right")
        table.add_column("why", overflow="fold")
        table.add_column("runs")
        for story in self.stories:
            why = _words(story.by_rule)
            warned = _words(story.warned)
            table.add_row(
                story.dataset,
                f"{story.rows_in:,}",
                f"{story.rows_good:,}",
                Text(f"{story.rows_quarantined:,}", style="red" if story.by_rule else "dim"),
                Text.assemble(
                    (why, "red"),
                    "; " if why and warned else "",
                    (f"only warned: {warned}" if warned else "", "yellow"),
                ),
                Text(_runs(story), style="dim"),
            )
        return table

    def _facts(self) -> Table:
        before, after = self.files
        grid = Table.grid(padding=(0, 2))
        masked = [f"{name}: {', '.join(columns)}" for name, columns in self.masked.items()]
        files = f"{before:,} files before upkeep, {after:,} after"
        events = f"{self.events:,} told now, {self.events_in_all:,} in the ledger"
        grid.add_row("lineage events", events)
        grid.add_row("compaction", files if before != after else f"{files}: nothing to compact")
        for line in masked:
            grid.add_row("masked columns", line)
        grid.add_row("lake", self.lake)
        grid.add_row("seconds", f"{self.seconds:.0f}")
        if self.unchanged:
            line = "Nothing had changed, so nothing was written: every table is as it was."
            grid.add_row("", Text(line, style="green"))
        return grid

    def _next(self) -> Panel:
        penstock, again = _penstock(), "make demo"
        lines = []
        if self.home:
            there = f"export PENSTOCK_SOURCES=all PENSTOCK_HOME={_short(self.home)}"
            lines = [(there, "so that what follows is said of this lake")]
            again = "make demo SOURCES=all"
        lines += [
            ("make up", "Dagster's UI with these runs, graph, checks and column lineage"),
            (f"{penstock} quarantine show silver.bookings", "the rows set aside, and why"),
            (f"{penstock} lineage shared.bookings --column email", "where a masked column is from"),
            (f"{penstock} history silver.flights", "who made each version of a table"),
            (again, "again: nothing has changed, so nothing is written"),
        ]
        grid = Table.grid(padding=(0, 2))
        for command, what in lines:
            grid.add_row(Text(command, style="bold cyan"), Text(what, style="dim"))
        return Panel(grid, title="try next", title_align="left", border_style="green", expand=False)


def _story(spec: Dataset, lake: Lake, runs: list[str]) -> DatasetStory:
    story = DatasetStory(
        dataset=spec.name,
        runs_committed=runs.count("committed"),
        runs_unchanged=runs.count("unchanged"),
    )
    log = lake.table(spec.name).read()
    commits = list(log.commits()) if log else []
    fate = fates(spec, commits)
    for commit in commits:
        facts = commit.facts or {}
        if fate.get(facts.get("token", "")) is not Fate.SET_ASIDE:
            continue
        metric = "numSourceRows" if commit.operation == "MERGE" else "numOutputRows"
        good = commit.metric(metric) or 0
        story.rows_good += good
        story.rows_in += good + facts["rows_quarantined"]
        story.rows_quarantined += facts["rows_quarantined"]
        story.by_rule.update(facts["quarantined_by_rule"])
        story.warned.update({rule: rows for rule, rows in facts["warned"].items() if rows})
    return story


def _penstock() -> str:
    """How `penstock` is typed here: `make demo` runs it from an environment nobody activated."""
    if shutil.which("penstock"):
        return "penstock"
    # not resolved: an environment's python may be a link to the system's
    return _short(Path(sys.executable).with_name("penstock"))


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _words(counts: Counter[str]) -> str:
    shown = [f"{rule} {count:,}" for rule, count in counts.most_common(_RULES_SHOWN)]
    more = len(counts) - len(shown)
    return ", ".join([*shown, *([f"and {more} more rules"] if more > 0 else [])])


def _runs(story: DatasetStory) -> str:
    parts = [f"{story.runs_committed} committed"] if story.runs_committed else []
    parts += [f"{story.runs_unchanged} unchanged"] if story.runs_unchanged else []
    return ", ".join(parts)
