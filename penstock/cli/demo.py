"""`penstock demo`: the deployment's own story, told with its own data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.cli.command import Call, command
from penstock.cli.reference import find_demo

if TYPE_CHECKING:
    import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    command(app, "demo", example="penstock demo")(demo)


def demo(call: Call) -> None:
    """The deployment's demo: `[tool.penstock] demo` of pyproject.toml, or `demo:demo` beside it.

    That is a function of the console for progress. What it returns is shown, and with --json its
    `document()`.
    """
    tell = find_demo(call.reference()).load()
    summary = tell(call.err)
    call.answer(summary.document(), summary)
