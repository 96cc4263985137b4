"""`penstock list` and `penstock show`: what the deployment holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.words import ago, number, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.partitions.grid import Partitions
    from penstock.ledger import Ledger, RunRecord
    from penstock.resources.lake import Lake

__all__ = ["last_run", "register", "run_document"]

_RUNS_LOOKED_AT = 50
STATE_STYLES = {"COMPLETE": "green", "FAIL": "red", "ABORT": "red", "START": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    command(app, "list", example="penstock list --json")(list_datasets)
    command(app, "show", example="penstock show silver.bookings")(show_dataset)


def list_datasets(call: Call) -> None:
    """Datasets, each after those it reads, with contract, write mode and last run."""
    deployment = call.deployment()
    ledger = deployment.resources["ledger"].open()
    rows = []
    for spec in deployment.in_order():
        last = last_run(ledger, spec.name)
        rows.append({**_facts(spec), "last_run": run_document(last) if last else None})
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("dataset", "contract", "write", "partitions", "last run", "when"):
        # a name is of no use cut short; on a narrow terminal the other columns give way
        table.add_column(heading, no_wrap=heading == "dataset")
    table.add_column("rows", justify="right")
    for row in rows:
        latest = row["last_run"] or {}
        state = latest.get("state")
        table.add_row(
            row["dataset"],
            row["contract_version"],
            row["write"],
            _partition_words(row["partitions"]),
            Text(state or "never", style=STATE_STYLES.get(state or "", "dim")),
            ago(latest.get("ended") or latest.get("started")),
            number(latest.get("rows_committed")),
        )
    call.answer(rows, table)


def show_dataset(
    call: Call, dataset: Annotated[str, typer.Argument(help="Name of the dataset.")]
) -> None:
    """A dataset's contract, what it reads, where it lies, and how its table is now."""
    deployment = call.deployment()
    spec = deployment.dataset(dataset)
    live = _live(spec, deployment.resources["lake"])
    model = spec.model
    document = {
        **_facts(spec),
        "description": model.description,
        "inputs": {name: _input_words(item) for name, item in spec.inputs.items()},
        "read_by": sorted(s.name for s in deployment.datasets if spec.name in s.upstream),
        "cluster": spec.cluster,
        "code_version": spec.code_version,
        "contract": model.document(),
        "table": live,
    }
    facts = {
        "contract": f"{model.name} {model.version}",
        "owner": model.owner,
        "write": f"{document['write']}, bad rows: {document['bad_rows']}",
        "partitions": (spec.partitions.words if spec.partitions else "none")
        + (f", closed {spec.closes_after} after" if spec.closes_after else ""),
        "inputs": ", ".join(f"{n} = {w}" for n, w in document["inputs"].items()) or "none",
        "read by": ", ".join(document["read_by"]) or "nobody here",
        "key": ", ".join(model.key) or "none",
        "cluster": spec.cluster,
        "path": live["path"],
        "table": f"version {live['version']}, {number(live['files'])} files, {size(live['bytes'])}"
        if live["exists"]
        else "not written yet",
        "folders": _folder_words(spec, live.get("folders")),
    }
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row(name, Text(value))
    parts: list[RenderableType] = [
        Text(model.name, style="bold"),
        Text(model.description),
        grid,
        Text(),
        _columns(spec),
    ]
    call.answer(document, Group(*parts, *_rules(spec)))


def _folder_words(spec: Dataset, there: list[str] | None) -> str:
    """By what the table has folders, and whether a new one would have others."""
    from penstock.assets.layout import folder_column

    column = folder_column(spec)
    said = f"by {column}" if column else "none"
    if there is None or there == ([column] if column else []):
        return said
    has = f"by {', '.join(there)}" if there else "none"
    return f"{has}; a table that is made anew: {said}"


def last_run(ledger: Ledger, dataset: str) -> RunRecord | None:
    """The newest run that made rows of the dataset; upkeep, which reads it alone, made none."""
    runs = ledger.runs(dataset, limit=_RUNS_LOOKED_AT)
    return next((run for run in runs if set(_read(run)) != {dataset}), None)


def _read(run: RunRecord) -> Mapping[str, str]:
    return run.outcome.get("input_versions") or {}


def run_document(run: RunRecord) -> dict[str, Any]:
    """A run as JSON-ready data."""
    return {
        "run_id": str(run.run_id),
        "dataset": run.dataset,
        "slice": run.slice,
        "state": run.state,
        "attempt": run.attempt,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "dagster_run_id": run.dagster_run_id,
        **{
            name: run.outcome.get(name)
            for name in ("rows_in", "rows_committed", "rows_quarantined", "output_version", "error")
        },
    }


def _facts(spec: Dataset) -> dict[str, Any]:
    return {
        "dataset": spec.name,
        "contract_version": spec.model.version,
        "owner": spec.model.owner,
        "write": type(spec.write).__name__,
        "bad_rows": type(spec.bad_rows).__name__,
        "partitions": _partitions(spec.partitions),
    }


def _live(spec: Dataset, lake: Lake) -> dict[str, Any]:
    table = lake.table(spec.name)
    log = table.read()
    if log is None:
        return {"path": table.path, "exists": False, "version": None, "files": None, "bytes": None}
    files, size_bytes = log.files()
    return {
        "path": table.path,
        "exists": True,
        "version": log.version,
        "files": files,
        "bytes": size_bytes,
        "folders": list(log.partition_columns()),
        "columns": [
            {"name": c.name, "type": c.type, "nullable": c.nullable} for c in log.columns()
        ],
    }


def _columns(spec: Dataset) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("column", "type", "", "personal data", "checks"):
        table.add_column(heading, overflow="fold")
    for column in spec.model.columns:
        marks = ["key"] if column.key else []
        marks += [] if column.nullable else ["not null"]
        marks += [column.unit] if column.unit else []
        pii = f"{column.pii}{', masked' if column.masked else ''}" if column.pii else ""
        checks = [check.sql for check in spec.model.checks if check.column == column.name]
        table.add_row(
            Text(column.name),
            column.type,
            Text(", ".join(marks), style="dim"),
            Text(pii, style="magenta"),
            Text("\n".join(checks)),
        )
    return table


def _rules(spec: Dataset) -> list[Text]:
    lines = [
        f"{check.id} ({check.severity}): {check.sql}"
        for check in spec.model.checks
        if not check.column
    ]
    lines += [
        f"{key.id} ({key.severity}): {', '.join(key.columns)} in "
        f"{key.references} ({', '.join(key.references_columns)})"
        for key in spec.model.foreign_keys
    ]
    return (
        [Text(), Text("rules over more than one column", style="bold"), *map(Text, lines)]
        if (lines)
        else []
    )


def _input_words(item: Any) -> str:
    from penstock.assets.inputs.changes import Changes
    from penstock.assets.inputs.external import External
    from penstock.assets.inputs.files import Landing
    from penstock.assets.inputs.query import Query
    from penstock.assets.inputs.topic import Topic

    match item:
        case Landing():
            return f"files {item.pattern}"
        case Changes():
            return f"changes of {item.dataset}"
        case Query():
            by = item.watermark or " and ".join(item.cut_by)
            return f"{item.relation} of {item.database}{f' by {by}' if by else ''}"
        case Topic():
            return f"topic {item.name} of {item.broker}"
        case External():
            by = f" by {' and '.join(item.cut_by)}" if item.cut_by else ""
            return f"{item.dataset} at {item.place}{by}"
        case _:
            back = f", {item.lookback} back" if item.lookback else ""
            by = f" by {' and '.join(item.cut_by)}{back}" if item.cut_by else ""
            return f"{item.dataset}{by}"


def _partitions(partitions: Partitions | None) -> dict[str, Any] | None:
    """What a dataset is cut into, as JSON-ready data."""
    from penstock.assets.partitions.grid import values_of, windows_of
    from penstock.assets.partitions.values import Static

    windows, values = windows_of(partitions), values_of(partitions)
    document: dict[str, Any] = {}
    if windows:
        document = {
            "grain": windows.grain,
            "column": windows.column,
            "start": windows.start.isoformat(),
            "end": windows.end.isoformat() if windows.end else None,
            "time_zone": windows.time_zone,
        }
    if values:
        document["values_column"] = values.column
        document["values"] = list(values.values) if isinstance(values, Static) else None
    return document or None


def _partition_words(document: Mapping[str, Any] | None) -> str:
    """In a column of a table: `daily by day`, `by country`."""
    from penstock.assets.partitions.windows import ADVERBS

    if document is None:
        return "none"
    by = [f"{ADVERBS[document['grain']]} by {document['column']}"] if "grain" in document else []
    by += [f"by {document['values_column']}"] if "values_column" in document else []
    return ", ".join(by)
