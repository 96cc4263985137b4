"""`penstock coverage`: what was written to the tables that no run told of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.failure import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.lineage.coverage_report import CoverageReport, CoveredDataset

__all__ = ["register"]

_UNGOVERNED = 3


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    command(app, "coverage", example="penstock coverage silver.bookings")(coverage)


def coverage(
    call: Call,
    dataset: Annotated[
        str | None, typer.Argument(help="Name of the dataset; all of them if not given.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Commits from this moment on, in UTC.")
    ] = None,
) -> int:
    """Delta's history against the ledger. Ends with 3 when a commit is not in the ledger."""
    from penstock.lineage.coverage_report import coverage_report
    from penstock.lineage.graph.projector import catch_up
    from penstock.lineage.table_histories import TableHistories

    deployment = call.deployment()
    specs = [deployment.dataset(dataset)] if dataset else deployment.datasets
    tables = [deployment.resources["lake"].table(spec.name) for spec in specs]
    database = deployment.resources["ledger"].open().database
    moment = since and since.replace(tzinfo=since.tzinfo or UTC)
    with call.busy("Reading the tables' logs"):
        catch_up(database)
        with database.read() as connection:
            report = coverage_report(connection, TableHistories(tables), since=moment)
    call.answer(report.document(), _table(report), *_lines(report))
    return 0 if report.whole else _UNGOVERNED


def _table(report: CoverageReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("dataset")
    for heading in ("commits", "governed", "%"):
        table.add_column(heading, justify="right")
    for item in report.datasets:
        told = item.coverage
        share = item.document()["percent"]
        table.add_row(
            Text(item.label, style="" if told.whole else "bold red"),
            str(told.commits),
            str(told.governed),
            "-" if share is None else f"{share:.1f}",
        )
    return table


def _lines(report: CoverageReport) -> Iterator[Text]:
    for item in report.datasets:
        yield from _of(item)
    if report.whole:
        yield Text("Every commit is in the ledger.", style="green")


def _of(item: CoveredDataset) -> Iterator[Text]:
    told = item.coverage
    for write in told.ungoverned:
        who = printable(write.who or "it does not say")
        what = (
            f"version {write.version}, {write.at:%Y-%m-%d %H:%M:%S}, {printable(write.operation)}"
        )
        yield Text(f"{item.label} {what}, by {who}: no run told of it", style="red")
    for write in told.missing_in_ledger:
        what = f"version {write.version} says that run {printable(write.run_id or '')} made it"
        yield Text(f"{item.label} {what}; the ledger has no COMPLETE of it", style="yellow")
    for claim in told.unknown_to_table:
        what = f"version {claim.version} is told of by run {claim.run_id}"
        yield Text(f"{item.label} {what}; the table has no such commit of it", style="yellow")
