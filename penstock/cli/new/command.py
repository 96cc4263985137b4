"""`penstock new dataset`: a contract and a dataset, guessed from a file."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.errors import DefinitionError

__all__ = ["new_dataset", "register"]

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    new = typer.Typer(help="Write what is then gone on with by hand.", no_args_is_help=True)
    example = "penstock new dataset bronze.customers customers.csv"
    command(new, "dataset", example=example)(new_dataset)
    app.add_typer(new, name="new")


def new_dataset(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the dataset, bronze.customers.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One as its sender sends it.")],
    landing: Annotated[
        str | None, typer.Option(help="The pattern of such files in landing.", metavar="PATTERN")
    ] = None,
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "team:data",
) -> None:
    """A contract in schemas/ and a dataset in assets/, guessed from a file that was sent.

    Types, NULLs and the key are guessed from its first rows, each with the reason in a comment.
    The file is only read, and nothing that is there is overwritten.
    """
    short = name.rpartition(".")[2]
    if not _NAME.fullmatch(name) or keyword.iskeyword(short):
        raise DefinitionError(
            "this is no name for a dataset",
            where=f"penstock new dataset {name}",
            expected="small letters, digits and _, with a point: bronze.customers",
            next_step="penstock new dataset bronze.customers customers.csv",
        )
    from penstock.assets.inputs.files import landing as taken
    from penstock.assets.landing.packing import plain_name
    from penstock.cli.new.sample import sampled
    from penstock.cli.new.written import contract_text, dataset_text

    packed = plain_name(file.name) != file.name
    pattern = landing or f"{short}/*{''.join(file.suffixes[-2:] if packed else file.suffixes[-1:])}"
    if taken(pattern).files.by_day:
        raise DefinitionError(
            "a dataset by day is more than a sample can say",
            where=f"--landing {pattern}",
            expected="a pattern without {day}",
            next_step="write a * in its place, then partitions=Daily(...) and {day} by hand",
        )
    written = {
        Path("schemas") / f"{short}.py": "",
        Path("assets") / f"{short}.py": "",
    }
    for path in written:
        if not path.parent.is_dir() or path.exists():
            raise DefinitionError(
                "something is there already" if path.exists() else "this is no project's folder",
                where=str(Path.cwd() / path),
                expected="the folders schemas and assets, and no such file in them",
                next_step="choose another name, or move it away"
                if path.exists()
                else "go to the folder of the project, or make one: penstock init shop",
            )
    sample = sampled(file)
    contract, body = written
    contract.write_text(contract_text(sample, name, owner), encoding="utf-8")
    body.write_text(dataset_text(sample, name, pattern), encoding="utf-8")
    steps = [
        f"look at {contract} and {body}, and correct what was guessed wrong",
        f"put files into landing as {pattern}, in a folder that is there",
        f"penstock run {name}",
    ]
    call.answer(
        {
            "dataset": name,
            "files": [str(contract), str(body)],
            "rows": sample.rows,
            "columns": {c.name: c.kind.simpleString() for c in sample.columns},
            "key": [column.name for column in sample.columns if column.key],
            "remarks": list(sample.remarks),
            "next": steps,
        },
        Text(f"{contract} and {body}, guessed from {sample.rows:,} rows. Next:"),
        *(Text(f"  {step}") for step in steps),
    )
