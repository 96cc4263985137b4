"""The commands, put together. Nothing heavy is imported until one of them runs."""

from __future__ import annotations

import typer

from penstock.cli import (
    coverage,
    datasets,
    demo,
    evidence,
    history,
    init,
    ledger,
    lineage,
    machine,
    plan,
    quarantine,
    runs,
    serve,
    status,
    up,
)
from penstock.cli.failure import exit_codes
from penstock.cli.new import command as new

__all__ = ["app"]

_CODES = "\n\n".join(f"{code}  {meaning}" for code, meaning in exit_codes().items())

app = typer.Typer(
    name="penstock",
    help="Governed lakehouse pipelines: look at datasets, run them, see what the runs did.",
    epilog=f"Exit codes:\n\n{_CODES}\n\nExample: penstock run silver.flights --slice 2013-02-08",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
PARTS = (
    *(datasets, plan, runs, status, history, quarantine, lineage, coverage, evidence),
    *(ledger, machine, serve, up, demo, init, new),
)
for part in PARTS:
    part.register(app)
