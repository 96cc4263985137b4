"""`penstock init`: a small project that works as it stands."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

__all__ = ["init", "register"]

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_ENDING = ".tmpl"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    command(app, "init", example="penstock init shop")(init)


def init(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the project and its folder.")],
) -> None:
    """A new project in the folder NAME: two contracts, two datasets, a test, two files in landing.

    It works as it stands: `penstock run`, `penstock up` and `make test`. Nothing that is there is
    overwritten.
    """
    if not _NAME.fullmatch(name):
        raise DefinitionError(
            "this is no name for a project",
            where=f"penstock init {name}",
            expected="small letters, digits, - and _, at most 40, a letter first",
            next_step="penstock init shop",
        )
    folder = Path.cwd() / name
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise DefinitionError(
            "something is there already",
            where=str(folder),
            expected="no such folder, or an empty one",
            next_step="choose another name, or move it away",
        )
    written = []
    for path, text in _project(name):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written.append(path)
    steps = [
        f"cd {name}",
        "penstock jars --resolve",
        "penstock run gold.daily_sales --slice 2024-01-05 --upstream",
        "penstock quarantine show bronze.orders",
        "penstock up",
    ]
    call.answer(
        {"project": name, "folder": str(folder), "files": written, "next": steps},
        Text(f"{len(written)} files in {name}. Next:"),
        *(Text(f"  {step}") for step in steps),
    )


def _project(name: str) -> Iterator[tuple[str, str]]:
    """(path, content) of each file of a project that is called so."""
    for path, found in _below(files("penstock.cli") / "template", ""):
        place = path.removesuffix(_ENDING).replace("gitignore", ".gitignore")
        yield place, found.read_text(encoding="utf-8").format(name=name)


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for found in sorted(folder.iterdir(), key=lambda each: each.name):
        if found.is_dir():
            yield from _below(found, f"{path}{found.name}/")
        elif found.name.endswith(_ENDING):
            yield path + found.name, found
