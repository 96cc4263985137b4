"""`penstock ledger`: whether the ledger is whole, its graph made anew, its old events archived."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.errors import SetupError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from penstock.ledger import Ledger
    from penstock.ledger.graph.passed import PassedEvent
    from penstock.ledger.verification import ChainEnd

__all__ = ["open_ledger", "register"]

_FAULTS = 3
_MOST_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    ledger = typer.Typer(help="The ledger: its chain, graph and archive.", no_args_is_help=True)
    command(ledger, "verify", example="penstock ledger verify")(verify_ledger)
    command(ledger, "rebuild", example="penstock ledger rebuild")(rebuild_graph)
    command(ledger, "archive", example="penstock ledger archive --before 2026-01-01 --to /archive")(
        archive_ledger
    )
    app.add_typer(ledger, name="ledger")


def verify_ledger(
    call: Call,
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="NAMESPACE=POSITION:LINK that was written down before."),
    ] = None,
) -> int:
    """Whether any event was changed, lost or moved, or a contract changed. Ends with 3 if so."""
    from penstock.ledger.verification import verify

    with open_ledger(call, ledger_url) as ledger, call.busy("Reading every event"):
        found = verify(ledger.database, expected=_expected(expect or []))
        with ledger.database.read() as connection:
            passed = _passed(connection)
    told, not_understood = _not_understood(passed)
    document = {
        "intact": found.intact,
        "events": found.events,
        "contracts": found.contracts,
        "archived": found.archived,
        "archives": found.files,
        "chains": {name: asdict(end) for name, end in found.chains.items()},
        "faults": [asdict(fault) for fault in found.faults],
        "not_understood": told,
    }
    table = Table("namespace", "events", "last link", box=None)
    for name, end in sorted(found.chains.items()):
        table.add_row(Text(name), str(end.position), end.link)
    among = f", those in {found.files} archives among them" if found.files else ""
    verdict = Text(
        f"{found.events} events{among}, and {found.contracts} contracts: "
        + ("as they were taken" if found.intact else f"{len(found.faults)} faults"),
        style="green" if found.intact else "bold red",
    )
    faults = [
        Text(f"{f.namespace or 'ledger'} sequence {f.sequence or '-'}: {f.what}", style="red")
        for f in found.faults
    ]
    call.answer(document, table, verdict, *faults, *not_understood)
    return 0 if found.intact else _FAULTS


def rebuild_graph(
    call: Call,
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> None:
    """Make the graph anew from the events. Until it is done, readers see a part of it."""
    from penstock.ledger.graph.fingerprint import fingerprint
    from penstock.ledger.graph.projector import catch_up, rebuild

    with open_ledger(call, ledger_url) as ledger, call.busy("Making the graph anew"):
        catch_up(ledger.database)
        with ledger.database.read() as connection:
            before = fingerprint(connection)
        events = rebuild(ledger.database)
        with ledger.database.read() as connection:
            after = fingerprint(connection)
            ledger_passed = _passed(connection)
    same = before == after
    said = "the graph is the same as before" if same else "the graph was another: now it is right"
    told, shown = _not_understood(ledger_passed)
    document = {"events": events, "same": same, "fingerprint": after, "not_understood": told}
    verdict = Text(f"{events} events: {said}", style="green" if same else "yellow")
    call.answer(document, verdict, *shown)


def archive_ledger(
    call: Call,
    before: Annotated[
        str, typer.Option(help="Day or moment of arrival (UTC unless it says), or a sequence.")
    ],
    to: Annotated[Path, typer.Option(help="Folder for the files; they stay there.")],
    ledger_url: Annotated[str | None, typer.Option("--ledger", help="SQLAlchemy URL.")] = None,
) -> None:
    """Move the oldest events to Parquet files. Verifying and rebuilding read them there."""
    from penstock.ledger.archive import archive_events

    bound = _before(before)
    with open_ledger(call, ledger_url) as ledger, call.busy("Moving events"):
        report = archive_events(ledger, to, before=bound)
    files = [
        {"first": f.first, "last": f.last, "file": str(f.path), "sha256": f.sha256}
        for f in report.files
    ]
    document = {"events": report.events, "files": files, "held_by": report.held_by}
    shown = [Text(f"{f.first} to {f.last}  {f.path}") for f in report.files]
    verdict = Text(f"{report.events} events were moved", style="green" if files else "yellow")
    held = [Text(f"No more: {report.held_by}", style="yellow")] if report.held_by else []
    call.answer(document, *shown, verdict, *held)


def open_ledger(call: Call, url: str | None) -> Ledger:
    """The ledger at the URL, or the deployment's."""
    from penstock.ledger import Ledger as Opened

    if url is not None:
        return Opened.open(url)
    found: Ledger = call.deployment().resources["ledger"].open()
    return found


def _passed(connection: Connection) -> tuple[int, tuple[PassedEvent, ...]]:
    from penstock.ledger.graph.passed import count_passed, passed

    return count_passed(connection), passed(connection, limit=_MOST_SHOWN)


def _not_understood(
    found: tuple[int, tuple[PassedEvent, ...]],
) -> tuple[dict[str, Any], list[Text]]:
    """Events that are kept and not in the graph, as JSON and as lines."""
    total, events = found
    document = {"total": total, "events": [asdict(event) for event in events]}
    if not total:
        return document, []
    lines = [Text(f"{total} events are kept, and the graph could not take them:", style="yellow")]
    lines += [Text(f"  {e.namespace} sequence {e.sequence}: {e.reason}") for e in events]
    if total > len(events):
        lines.append(Text(f"  and {total - len(events)} older ones"))
    return document, lines


def _before(given: str) -> datetime | int:
    if given.isdigit():
        return int(given)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise SetupError(
            "neither a moment nor a sequence",
            where=f"--before {given}",
            expected="a day (2026-01-01), a moment (2026-01-01T06:00+01:00) or a sequence (1200)",
            next_step="give one of these",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _expected(given: list[str]) -> dict[str, ChainEnd]:
    from penstock.ledger.verification import ChainEnd as End

    found = {}
    for text in given:
        namespace, _, end = text.rpartition("=")
        position, _, link = end.partition(":")
        if not (namespace and position.isdigit() and link):
            raise SetupError(
                "a link that was written down reads otherwise",
                where=f"--expect {text}",
                expected="NAMESPACE=POSITION:LINK",
                next_step="take it from `penstock ledger verify --json`",
            )
        found[namespace] = End(position=int(position), link=link)
    return found
