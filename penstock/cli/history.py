"""`penstock history`: the commits of a dataset's table, and who made each."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.words import number

if TYPE_CHECKING:
    from penstock.resources.table_commit import Commit

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    command(app, "history", example="penstock history silver.bookings --limit 5")(history)


def history(
    call: Call,
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    limit: Annotated[int, typer.Option(min=1, help="The newest so many commits.")] = 20,
) -> None:
    """Commits of a dataset's table, newest first: run, slice, rows, and who made it."""
    deployment = call.deployment()
    table = deployment.resources["lake"].table(deployment.dataset(dataset).name)
    log = table.read()
    commits = [_document(c) for c in islice(log.commits(), limit)] if log else []
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("version", "when", "operation", "by", "slice", "run"):
        shown.add_column(heading)
    for heading in ("rows", "set aside"):
        shown.add_column(heading, justify="right")
    for commit in commits:
        shown.add_row(
            str(commit["version"]),
            f"{commit['at']:%Y-%m-%d %H:%M:%S}",
            commit["operation"],
            Text(commit["by"], style="" if commit["governed"] else "yellow"),
            commit["slice"] or "-",
            (commit["run_id"] or "-")[:8],
            number(commit["rows"]),
            number(commit["rows_quarantined"]),
        )
    never = Text(f"{dataset} has not been written yet; penstock run {dataset}", style="dim")
    call.answer(commits, shown if commits else never)


def _document(commit: Commit) -> dict[str, Any]:
    from penstock.assets.slice import Slice

    facts = commit.facts or {}
    slice_ = Slice.from_document(facts["slice"]).key if "slice" in facts else None
    return {
        "version": commit.version,
        "at": commit.at,
        "operation": commit.operation,
        "governed": commit.facts is not None,
        "by": _author(commit),
        "slice": slice_,
        "reopen": facts.get("reopen", False),
        "run_id": facts.get("run_id"),
        "rows": commit.changed_rows if commit.changes_rows else None,
        "rows_quarantined": facts.get("rows_quarantined"),
        "quarantined_by_rule": facts.get("quarantined_by_rule"),
        "contract_version": (facts.get("contract") or {}).get("version"),
        "metrics": dict(commit.metrics),
    }


def _author(commit: Commit) -> str:
    if commit.facts is None:
        return "another writer"
    return "penstock" if commit.by_run else "penstock upkeep"
