"""Errors as people and scripts see them: what, where, expected, found, next. No stack trace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from penstock.errors import PenstockError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Failure", "exit_codes", "printable"]

_USUAL = {
    0: "done",
    1: "an error that Penstock does not know; --debug shows it",
    2: "the command, the deployment, or a dataset's definition is wrong",
    20: "a plan that somebody must agree to",
    21: "a plan that is blocked",
    130: "ended by Ctrl-C",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One error, ready to be shown."""

    kind: str
    what: str
    where: str | None
    expected: str | None
    found: str | None
    next_step: str
    exit_code: int

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What may be told of `error`; another's message may quote rows, so only its type is."""
        if isinstance(error, PenstockError):
            return cls(
                kind=type(error).__name__,
                what=error.what,
                where=error.where,
                expected=error.expected,
                found=error.found,
                next_step=error.next_step,
                exit_code=error.exit_code,
            )
        from penstock.events.run_facts import RunError

        return cls(
            kind=type(error).__name__,
            what="something went wrong that Penstock does not know",
            where=None,
            expected=None,
            found=RunError.of(error).message,
            next_step="run the same command with --debug to see the whole message and where it "
            "came from; it may quote rows",
            exit_code=1,
        )

    def document(self) -> dict[str, Any]:
        """The failure as JSON-ready data."""
        return {
            "error": {
                "kind": self.kind,
                "what": self.what,
                "where": self.where,
                "expected": self.expected,
                "found": self.found,
                "next": self.next_step,
                "exit_code": self.exit_code,
            }
        }

    def show(self, console: Console) -> None:
        """A panel on a terminal, plain lines elsewhere."""
        facts = {
            "where": self.where,
            "expected": self.expected,
            "found": self.found,
            "next": self.next_step,
        }
        told = {name: printable(text) for name, text in facts.items() if text}
        if not console.is_terminal:
            lines = [f"error: {printable(self.what)}"]
            lines += [f"  {name}: {text}" for name, text in told.items()]
            console.print(Text("\n".join(lines)), soft_wrap=True)
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_column(overflow="fold")
        grid.add_row("", Text(printable(self.what), style="bold"))
        for name, text in told.items():
            grid.add_row(name, Text(text, style="green" if name == "next" else ""))
        console.print(Panel(grid, title=self.kind, title_align="left", border_style="red"))


def printable(text: str) -> str:
    """The text with characters that would steer a terminal written out."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def exit_codes() -> dict[int, str]:
    """Every exit code of the command and what it means."""
    codes = dict(_USUAL)
    for kind in PenstockError.__subclasses__():
        if kind.exit_code not in _USUAL:
            first = re.split(r"[.;]\s", kind.__doc__ or "")[0].rstrip(".")
            also = codes.get(kind.exit_code)
            codes[kind.exit_code] = f"{also}; or {first[0].lower()}{first[1:]}" if also else first
    return dict(sorted(codes.items()))
