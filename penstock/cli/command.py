"""What all commands share: the options, where output goes, and how they end."""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from penstock.cli.failure import Failure
from penstock.cli.reference import VARIABLE, Reference, find_reference, load_deployment

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.assets.deployment import Deployment

__all__ = ["Call", "command"]

_INTERRUPTED = 130
_PIPED_WIDTH = 160  # a table cut to 80 columns is of no use to grep

_Json = Annotated[bool, typer.Option("--json", help="Machine-readable answer on stdout.")]
_Debug = Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error.")]
_Deployment = Annotated[
    str | None,
    typer.Option(
        "--deployment",
        metavar="MODULE:ATTRIBUTE",
        help=f"The deployment, instead of {VARIABLE}'s or the one in pyproject.toml.",
    ),
]
_SHARED = {"as_json": (_Json, False), "debug": (_Debug, False), "deployment": (_Deployment, None)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a command. The answer goes to stdout, all else to stderr."""

    as_json: bool
    debug: bool
    named: str | None
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def reference(self) -> Reference:
        """Where the deployment is. Raises DefinitionError."""
        return find_reference(self.named, os.environ, Path.cwd())

    def deployment(self) -> Deployment:
        """The deployment. Raises DefinitionError."""
        reference = self.reference()
        with self.busy(f"Loading {reference.module}"):
            return load_deployment(reference)

    def busy(self, what: str) -> Any:
        """A spinner on stderr for the length of a `with`; nothing when it is no terminal."""
        return self.err.status(Text(what), spinner="dots")

    def answer(self, document: Any, *shown: RenderableType) -> None:
        """The answer: `document` as JSON with --json, else `shown`."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
            sys.stdout.flush()
            return
        for item in shown:
            self.out.print(item)

    def say(self, text: str, style: str = "dim") -> None:
        """A line for the person at the terminal, on stderr."""
        self.err.print(Text(text, style=style), soft_wrap=True)


def command(app: typer.Typer, name: str, *, example: str) -> Callable[[Any], Any]:
    """Make a command of a function whose first parameter is the `Call`.

    It gets --json, --debug and --deployment, its docstring and `example` as help, and ends with
    the exit code of the error it raises, or of the number it returns.
    """

    def decorate(body: Callable[..., int | None]) -> Callable[..., int | None]:
        hints = get_type_hints(body, include_extras=True)
        _, *own = inspect.signature(body).parameters.values()
        parameters = [p.replace(annotation=hints[p.name]) for p in own]
        parameters += [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=d, annotation=a)
            for n, (a, d) in _SHARED.items()
        ]

        def called(*, as_json: bool, debug: bool, deployment: str | None, **given: Any) -> None:
            call = Call(as_json=as_json, debug=debug, named=deployment)
            code = _ended(call, functools.partial(body, call, **given))
            raise typer.Exit(code)

        called.__doc__ = inspect.cleandoc(body.__doc__ or "")
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name, epilog=f"Example: {example}", no_args_is_help=False)(called)
        return body

    return decorate


def _ended(call: Call, body: Callable[[], int | None]) -> int:
    try:
        with warnings.catch_warnings():
            if not call.debug:
                # Dagster says at each use which of its parameters are young; we pin its version
                warnings.filterwarnings("ignore", message=r".*is currently in (beta|preview)")
            return body() or 0
    except KeyboardInterrupt:
        call.say("Ended by Ctrl-C. What was not committed is as before.", style="yellow")
        return _INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) has enough; Python must not fail on the flush at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last place where it can be told well
        if call.debug:
            call.err.print_exception(show_locals=False)
        failure = Failure.of(error)
        failure.show(call.err)
        if call.as_json:
            call.answer(failure.document())
        return failure.exit_code


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console
