"""`penstock up`: Dagster, the lineage browser and a warm Spark, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.panel import Panel
from rich.text import Text

from penstock.cli.command import Call, command

if TYPE_CHECKING:
    from penstock.operations.up import Up

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    command(app, "up", example="penstock up --port 3001")(up)


def up(
    call: Call,
    port: Annotated[int, typer.Option(help="Port of the web server; 0 for any.")] = 3000,
    connect_port: Annotated[
        int, typer.Option(help="Port of the Spark Connect server; 0 for any.")
    ] = 0,
    lineage_port: Annotated[
        int, typer.Option(help="Port of the lineage browser; 0 for any.")
    ] = 3100,
    workspace: Annotated[
        Path, typer.Option(help="Dagster's workspace file.", dir_okay=False)
    ] = Path("workspace.yaml"),
) -> None:
    """Dagster's UI and daemon, the lineage browser and a warm Spark. Ctrl-C ends all of it."""
    from penstock.operations.up import Deployment, run_up
    from penstock.resources.local import LocalCluster
    from penstock.resources.machine import SparkMachine

    def announce(what: Up) -> None:
        waiting.stop()
        document = {
            "web_url": what.web_url,
            "lineage_url": what.lineage_url,
            "connect_url": what.connect_url,
            "dagster_home": what.dagster_home,
            "logs": what.logs,
        }
        lines = Text.assemble(
            ("Dagster  ", "dim"), (what.web_url, "bold cyan"), "\n",
            ("Lineage  ", "dim"), (what.lineage_url, "bold cyan"), "\n",
            ("Spark    ", "dim"), what.connect_url, "\n",
            ("logs     ", "dim"), str(what.logs), "\n",
            ("Ctrl-C ends all of it.", "dim"),
        )  # fmt: skip
        call.answer(document, Panel(lines, title="up", title_align="left", border_style="green"))

    waiting = call.busy("Starting")

    def progress(name: str) -> None:
        waiting.update(Text(f"Waiting for {name}"))
        if not call.err.is_terminal:
            call.say(f"waiting for {name}")

    # of the size, and with the S3 settings, of the deployment that it serves
    resources = call.deployment().resources
    clusters = (c for c in resources.values() if isinstance(c, SparkMachine))
    deployment = Deployment(
        workspace=workspace,
        web_port=port or None,
        connect_port=connect_port or None,
        lineage_port=lineage_port or None,
        ledger_url=resources["ledger"].url,
        cluster=next(clusters, LocalCluster()),
    )
    with waiting:
        run_up(deployment, announce, progress)
    call.say("Everything is down.")
