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

    from penstock.evidence.coverage_report import CoverageReport, CoveredDataset

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
    """Delta's history against the ledger, and what runs were seen reading and did not tell.

    Ends with 3 when a commit is not in the ledger, or a read was not told.
    """
    from penstock.evidence.coverage_report import coverage_report
    from penstock.evidence.table_histories import TableHistories
    from penstock.ledger.graph.projector import catch_up

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
    return 0 if report.whole and not report.undeclared else _UNGOVERNED


def _table(report: CoverageReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("dataset")
    for heading in ("commits", "governed", "%", "runs", "corroborated", "undeclared reads"):
        table.add_column(heading, justify="right")
    for item in report.datasets:
        told = item.coverage
        share = item.document()["percent"]
        seen = item.reads
        reads = "not known" if seen.undeclared is None else str(len(seen.undeclared))
        table.add_row(
            Text(item.label, style="" if told.whole else "bold red"),
            str(told.commits),
            str(told.governed),
            "-" if share is None else f"{share:.1f}",
            str(seen.runs),
            str(seen.corroborated),
            Text(reads, style="bold red" if seen.undeclared else ""),
        )
    return table


def _lines(report: CoverageReport) -> Iterator[Text]:
    for item in report.datasets:
        yield from _of(item)
    if report.whole:
        yield Text("Every commit is in the ledger.", style="green")
    yield _corroborated(report)


def _corroborated(report: CoverageReport) -> Text:
    if not report.corroborated:
        what = "No listener of Spark told anything of a run: reads that no run told are not known."
        return Text(what, style="yellow")
    seen = f"A listener of Spark saw {report.corroborated} of {report.runs} runs"
    if report.undeclared:
        return Text(f"{seen}; reads that they did not tell: {report.undeclared}.", style="red")
    whole = report.corroborated == report.runs
    rest = "" if whole else "; of the others it is not known"
    return Text(
        f"{seen}; these told every read that it saw{rest}.", style="" if whole else "yellow"
    )


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
    for read in item.reads.undeclared or ():
        what = read.label + (f" ({', '.join(read.columns)})" if read.columns else "")
        run = f"run {read.run_id}{'' if read.certain else ', or one beside it,'}"
        yield Text(
            f"{item.label} {run} read {printable(what)} and did not tell; "
            f"seen by {printable(', '.join(read.seen_by))}",
            style="red",
        )
    for claim in told.unknown_to_table:
        what = f"version {claim.version} is told of by run {claim.run_id}"
        yield Text(f"{item.label} {what}; the table has no such commit of it", style="yellow")
