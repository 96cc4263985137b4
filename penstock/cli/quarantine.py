"""`penstock quarantine show`: rows set aside, and why."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.entries import (
    Entry,
    Fate,
    Fates,
    hidden,
    may_be_of,
    read_entries,
    slice_named,
)
from penstock.cli.entry_lines import entry_lines
from penstock.cli.failure import printable
from penstock.errors import DefinitionError, InputError

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset
    from penstock.assets.slice import Slice
    from penstock.resources.table_log import TableLog

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        help="Rows that broke their contract and were set aside.",
        epilog="Example: penstock quarantine show silver.bookings",
        no_args_is_help=True,
    )
    example = "penstock quarantine show silver.bookings --rule fare:ge"
    command(group, "show", example=example)(show)
    app.add_typer(group, name="quarantine")


def show(
    call: Call,
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    *,
    slice_key: Annotated[
        str | None, typer.Option("--slice", metavar="SLICE", help="Of this slice only.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="That broke this rule only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Those of runs that were made anew, too.")
    ] = False,
    lines: Annotated[
        bool,
        typer.Option(
            "--lines/--no-lines", help="Look in the landing files on which lines they stand."
        ),
    ] = True,
    reveal: Annotated[
        bool,
        typer.Option("--reveal-personal-data", help="Show the values of personal data, too."),
    ] = False,
) -> None:
    """Rows that were set aside, with the rules each broke. Personal data is hidden unless asked."""
    from penstock.assets.rule_words import rule_words

    deployment = call.deployment()
    spec = deployment.dataset(dataset)
    lake = deployment.resources["lake"]
    log = lake.table(spec.name).read()
    ledger = deployment.resources["ledger"].open()
    fates = Fates(spec, log.commits() if log else (), ledger)
    where = _Wanted(spec, slice_key, rule, superseded=superseded)
    aside = lake.quarantine(spec.name)
    if log is None and aside.read() is None:
        raise InputError(
            "the dataset has never run here: nothing is known of its rows",
            where=spec.name,
            expected=f"a table in {lake.table(spec.name).path}",
            next_step=f"make it: penstock run {spec.name}",
        )
    with call.busy("Reading the quarantine"):
        found = [e for e in read_entries(aside, fates, spec.model) if where.has(e)]
    where.check_rule()
    where.check_slice(log)
    found.sort(key=lambda entry: (entry.fate is not Fate.SET_ASIDE, entry.slice))
    if reveal:
        call.say("Values of personal data are shown in clear.", style="bold yellow")
    picked = found[:limit]
    where_from: list[tuple[int, ...]] = [()] * len(picked)
    if lines:
        with call.busy("Looking for their lines"):
            where_from = entry_lines(picked, spec, lake, ledger)
    entries = [
        entry.document()
        | {"row": dict(entry.row) if reveal else hidden(entry.row, spec.model), "lines": [*numbers]}
        for entry, numbers in zip(picked, where_from, strict=True)
    ]
    by_rule = Counter(reason for entry in found for reason in entry.reasons)
    words = rule_words(spec)
    expected = {rule: words[rule] for rule, _ in by_rule.most_common() if rule in words}
    document = {
        "dataset": spec.name,
        "rows": len(found),
        "shown": len(entries),
        "by_rule": dict(by_rule.most_common()),
        "expected": expected,
        "personal_data": "shown" if reveal else "hidden",
        "entries": entries,
    }
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("slice", "broke", "row", "file", "status"):
        table.add_column(heading, overflow="fold")
    for shown in entries:
        table.add_row(
            shown["slice"],
            Text("\n".join(shown["reasons"]), style="red"),
            Text(printable(", ".join(f"{k}={_value(v)}" for k, v in shown["row"].items()))),
            Text(printable(shown["file"] or "") + _lines(shown["lines"])),
            Text(shown["fate"], style="dim"),
        )
    rules = ", ".join(f"{reason} {count:,}" for reason, count in by_rule.most_common())
    total = Text(f"{len(entries):,} of {len(found):,} rows; by rule: {rules}", style="bold")
    said = [
        Text(printable(f"{rule} expects {what}"), style="dim") for rule, what in expected.items()
    ]
    nothing = Text("no row is set aside", style="dim")
    call.answer(document, *([table, total, *said] if found else [nothing]))


class _Wanted:
    """Which entries were asked for."""

    def __init__(
        self, spec: Dataset, slice_key: str | None, rule: str | None, *, superseded: bool
    ) -> None:
        self._spec = spec
        self._slice = _asked(spec, slice_key)
        self._rule = rule
        self._superseded = superseded
        self._reasons: set[str] = set()
        self._ran = self._slice.whole

    def has(self, entry: Entry) -> bool:
        """Whether the entry is one of them."""
        self._reasons.update(entry.reasons)
        self._ran = self._ran or self._slice.overlaps(slice_named(self._spec, entry.slice))
        if entry.fate is Fate.SUPERSEDED and not self._superseded:
            return False
        if self._rule is not None and self._rule not in entry.reasons:
            return False
        return self._slice.whole or self._of_slice(entry)

    def check_rule(self) -> None:
        """Raise DefinitionError for a rule that is none of the dataset's, nor of any entry."""
        if self._rule is None or self._rule in self._reasons:
            return
        from penstock.assets.row_rules import rule_ids

        known = sorted({*rule_ids(self._spec), *self._reasons})
        if self._rule in known:
            return
        near = difflib.get_close_matches(self._rule, known, 1)
        raise DefinitionError(
            "no rule of this name sets rows of the dataset aside",
            where="--rule",
            expected=", ".join(known),
            found=repr(self._rule),
            next_step=f"did you mean {near[0]}?" if near else f"penstock show {self._spec.name}",
        )

    def check_slice(self, log: TableLog | None) -> None:
        """Raise InputError for a slice that no run on record was about."""
        from penstock.assets.slice import Slice

        for commit in log.commits() if log and not self._ran else ():
            if commit.facts and commit.by_run:
                slice_ = Slice.from_document(commit.facts["slice"])
                self._ran = self._ran or self._slice.overlaps(slice_)
        if not self._ran:
            raise InputError(
                "no run of this slice is on record: nothing is known of its rows",
                where=f"{self._spec.name} {self._slice.key}",
                next_step=f"see the slices with: penstock history {self._spec.name}",
            )

    def _of_slice(self, entry: Entry) -> bool:
        slice_ = slice_named(self._spec, entry.slice)
        if not self._slice.overlaps(slice_):
            return False
        return self._slice.covers(slice_) or may_be_of(entry, self._spec, self._slice)


def _asked(spec: Dataset, name: str | None) -> Slice:
    """The slice of that name, the whole dataset without one. Raises DefinitionError."""
    from penstock.assets.slice import WHOLE, Slice

    if name in (None, "whole"):
        return WHOLE
    try:
        return spec.partitions.read(name) if spec.partitions else Slice.parse(name)
    except ValueError as error:
        example = spec.partitions.example if spec.partitions else "whole"
        raise DefinitionError(
            "this is not a slice",
            where="--slice",
            expected=f"a slice like {example}, a range with ... between two, or whole",
            found=repr(name),
            next_step="see the slices with: penstock history DATASET",
        ) from error


def _lines(numbers: list[int]) -> str:
    """Behind the name of a file, as editors and grep have it."""
    return f":{' or '.join(map(str, numbers))}" if numbers else ""


def _value(value: object) -> str:
    return "NULL" if value is None else str(value)
