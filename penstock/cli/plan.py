"""`penstock plan`: what would change, whom it would break, and whether a run would take it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path  # noqa: TC003 - typer looks at it
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.failure import printable
from penstock.errors import InputError, LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.assets.deployment import Deployment
    from penstock.plan import DatasetPlan, Outside, Standing

__all__ = ["AGREED", "BLOCKED", "register"]

#: Exit codes of a plan; none of an error's (docs/errors.md, ADR 23).
AGREED, BLOCKED = 20, 21
_STYLES = {"fine": "green", "to be agreed": "yellow", "blocked": "red"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    command(app, "plan", example="penstock plan --against main --report plan.md")(plan)


def plan(
    call: Call,
    *,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION",
            help="Compare with a revision of git, instead of the ledger and the tables.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Also write it as Markdown."),
    ] = None,
    all_of_it: Annotated[
        bool, typer.Option("--all", help="Also the datasets that stay as they are.")
    ] = False,
) -> int:
    """What would change if this code were deployed, and whom it would break.

    Contracts are held against those that runs have registered and against the tables, functions are
    called on empty frames. No data is read. Ends with 0, 20 where somebody must agree, 21 where it
    is blocked.
    """
    from penstock.plan import build_plan
    from penstock.plan.words import markdown, summary, title
    from penstock.resources.local import LocalCluster
    from penstock.resources.settings import Profile
    from penstock.schemas.evolution import Verdict

    deployment = call.deployment()
    standing = _of_ledger(deployment) if against is None else _of_revision(call, against)
    with (
        # what a function prints is no part of the answer
        contextlib.redirect_stdout(sys.stderr),
        call.busy("Reading what each function does"),
        LocalCluster(name="plan", profile=Profile.SMALL, cores=1).session() as spark,
    ):
        made = build_plan(deployment.in_order(), spark, standing)
    shown = [one for one in made.datasets if all_of_it or one.says_something]
    lines = [line for one in shown for line in _lines(title(one), one)]
    notes = [Text(printable(note), style="yellow") for note in made.unseen]
    call.answer(made.document(), *lines, *notes, Text(summary(made), style="bold"))
    if report is not None:
        _write(report, markdown(made))
    return {Verdict.AGREED: AGREED, Verdict.BLOCKED: BLOCKED}.get(made.verdict, 0)


def _write(report: Path, text: str) -> None:
    try:
        report.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            "the report cannot be written",
            where=str(report),
            found=error.strerror,
            next_step="give --report a file in a folder that is there",
        ) from error


def _lines(heading: str, one: DatasetPlan) -> Iterator[Text]:
    from penstock.plan.words import said_of

    yield Text(printable(heading), style="bold")
    for said in said_of(one):
        yield Text.assemble("  ", (f"{said.label:<14}", _STYLES[said.label]), printable(said.what))
        for line in said.more:
            yield Text(f"{'':<16}{printable(line)}", style="dim")


def _of_revision(call: Call, revision: str) -> Standing:
    """The contracts of the deployment as git has it."""
    from penstock.cli.contracts_at import contracts_at
    from penstock.plan import Standing

    contracts = {c.name: c for c in contracts_at(call.reference(), call.named, revision)}
    made = {spec.name for spec in call.deployment().datasets}
    return Standing(contracts=contracts, gone=tuple(sorted(contracts.keys() - made)))


def _of_ledger(deployment: Deployment) -> Standing:
    """What runs have registered, the tables, and readers that the ledger knows."""
    from penstock.plan import Standing

    read = {name for spec in deployment.datasets for name in spec.upstream}
    names = sorted({*(s.name for s in deployment.datasets), *read, *deployment.external})
    ledger, lake = deployment.resources["ledger"].open(), deployment.resources["lake"]
    registered = {name: ledger.latest_contract(name) for name in names}
    tables: dict[str, dict[str, str] | None] = {}
    unseen = []
    for name in names:
        try:
            state = lake.table(name).read()
        except LakeError as error:
            unseen.append(f"the table of {name} was not looked at: {error.what}")
        else:
            tables[name] = state and {column.name: column.type for column in state.columns()}
    return Standing(
        contracts={name: model for name, model in registered.items() if model is not None},
        tables=tables,
        outside=_outside(deployment),
        unseen=tuple(unseen),
    )


def _outside(deployment: Deployment) -> Outside:
    """Readers of the tables that other producers of lineage told the ledger of."""
    from penstock.ledger.graph.projector import catch_up
    from penstock.plan import read_outside

    database = deployment.resources["ledger"].open().database
    catch_up(database)
    lake = deployment.resources["lake"]
    names = {spec.name: lake.table(spec.name).physical_name for spec in deployment.datasets}
    with database.read() as connection:
        return read_outside(connection, names)
