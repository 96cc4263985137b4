"""`penstock lineage`: where a dataset's columns come from, and where they go."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from penstock.cli.command import Call, command
from penstock.cli.edges import ROWS, Edge, Lineage, latest_lineage
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock.assets.dataset import Dataset

__all__ = ["register"]

_STYLES = {"DIRECT": "cyan", "INDIRECT": "dim"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    example = "penstock lineage shared.bookings --column email"
    command(app, "lineage", example=example)(lineage)


def lineage(
    call: Call,
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    *,
    column: Annotated[
        str | None, typer.Option(help="One column; all of them if not given.")
    ] = None,
    downstream: Annotated[
        bool, typer.Option("--downstream/--upstream", help="Where it goes, or comes from.")
    ] = False,
) -> None:
    """Column lineage as the newest run of each dataset told it: direct, indirect, masked."""
    deployment = call.deployment()
    spec = deployment.dataset(dataset)
    if column is not None:
        _check_column(spec, column)
    ledger = deployment.resources["ledger"].open()
    known = latest_lineage(ledger, [s.name for s in deployment.datasets])
    edges = known.reached(spec.name, column, downstream=downstream)
    document = {
        "dataset": spec.name,
        "column": column,
        "direction": "downstream" if downstream else "upstream",
        "edges": [edge.document() for edge in edges],
        "unknown": {name: list(known.unknown[name]) for name in sorted(known.unknown)},
    }
    if spec.name not in known.columns and not edges:
        call.answer(
            document,
            Text(f"no run of {spec.name} has told its lineage: penstock run {spec.name}", "dim"),
        )
        return
    shown = [column] if column else [*known.columns.get(spec.name, ()), ROWS]
    if downstream and not column:
        shown = sorted({edge.from_column for edge in edges if edge.from_dataset == spec.name})
    tree = Tree(Text(spec.name, style="bold"))
    for name in shown:
        branch = tree.add(Text(_name(name), style="bold cyan"))
        _grow(branch, known, (spec.name, name), downstream=downstream, deep=column is not None)
    passed = dict.fromkeys([(spec.name, column), *((e.dataset, e.column) for e in edges)])
    notes = [Text(line, style="yellow") for line in _unknown(known, list(passed))]
    call.answer(document, tree, *notes)


def _grow(
    branch: Tree,
    known: Lineage,
    node: tuple[str, str],
    *,
    downstream: bool,
    deep: bool,
    seen: frozenset[tuple[str, str]] = frozenset(),
) -> None:
    """Adds the edges of `node`, and theirs if it goes deep. A circle is followed once."""
    edges = known.next(*node, downstream=downstream)
    for other, steps in _grouped(edges, downstream=downstream).items():
        direct = any(step.type == "DIRECT" for step in steps)
        words = ", ".join(sorted({f"{s.subtype}{' masked' if s.masking else ''}" for s in steps}))
        label = Text.assemble(
            (f"{other[0]}.{_name(other[1])}", _STYLES["DIRECT" if direct else "INDIRECT"]),
            (f"  {words}", "magenta" if all(s.masking for s in steps) else "dim"),
        )
        twig = branch.add(label)
        # an influence on rows is told, not followed: nearly everything is behind it
        if deep and direct and other not in seen:
            _grow(twig, known, other, downstream=downstream, deep=deep, seen=seen | {node})


def _grouped(edges: Iterable[Edge], *, downstream: bool) -> dict[tuple[str, str], list[Edge]]:
    groups: dict[tuple[str, str], list[Edge]] = {}
    for edge in sorted(edges, key=lambda e: (e.type, e)):
        far = (edge.dataset, edge.column) if downstream else (edge.from_dataset, edge.from_column)
        groups.setdefault(far, []).append(edge)
    return groups


def _name(column: str) -> str:
    return "(which rows)" if column == ROWS else column


def _unknown(known: Lineage, passed: list[tuple[str, str | None]]) -> Iterator[str]:
    """What could not be known of the columns that were passed (None: all of a dataset's)."""
    for dataset in dict.fromkeys(name for name, _ in passed):
        columns = {column for name, column in passed if name == dataset}
        by_reason: dict[str, list[str]] = {}
        for entry in known.unknown.get(dataset, ()):
            field = entry.get("field")
            if field is None or None in columns or field in columns:
                by_reason.setdefault(entry["reason"], []).append(field or "which rows")
        for reason, fields in by_reason.items():
            yield f"not known of {dataset}: {', '.join(fields)}: {reason}"


def _check_column(spec: Dataset, column: str) -> None:
    names = [item.name for item in spec.model.columns]
    if column.partition(".")[0] in names:
        return
    near = difflib.get_close_matches(column, names, 1)
    raise DefinitionError(
        "the dataset has no such column",
        where=f"{spec.name}.{column}",
        expected=", ".join(names),
        next_step=f"did you mean {near[0]}?" if near else f"penstock show {spec.name}",
    )
