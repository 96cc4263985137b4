"""`penstock status`: what is at work, what failed, and what lineage has still to be told."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.datasets import STATE_STYLES, last_run, run_document
from penstock.cli.failure import printable
from penstock.cli.words import ago, number

if TYPE_CHECKING:
    import typer

    from penstock.assets.dataset import Dataset
    from penstock.assets.deployment import Deployment
    from penstock.ledger import RunRecord

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    command(app, "status", example="penstock status --json | jq .failed")(status)


def status(call: Call) -> None:
    """Open, failed and last runs, who is as fresh as promised, and what lineage has to tell."""
    from penstock.outbox import deliveries

    deployment = call.deployment()
    ledger = deployment.resources["ledger"].open()
    last = {spec.name: last_run(ledger, spec.name) for spec in deployment.in_order()}
    open_runs = [{**run_document(run), "process": _process(run)} for run in ledger.open_runs()]
    failed = [run_document(run) for run in last.values() if run and run.state in ("FAIL", "ABORT")]
    judged = {spec.name: _freshness(spec, deployment) for spec in deployment.in_order()}
    promised = {name: one for name, one in judged.items() if one}
    outbox = [asdict(status) for status in deliveries(ledger.database)]
    document = {
        "open": open_runs,
        "failed": failed,
        "last": {name: run_document(run) if run else None for name, run in last.items()},
        "freshness": promised,
        "outbox": outbox,
    }
    call.answer(
        document,
        _runs("at work", open_runs),
        _failures(failed),
        _runs("last runs", [run for run in document["last"].values() if run]),  # type: ignore[attr-defined]
        _promises(promised),
        _outbox(outbox),
    )


def _freshness(spec: Dataset, deployment: Deployment) -> dict[str, Any] | None:
    """The judgement by the table's log; None when the contract promises nothing."""
    from penstock.assets.freshness import freshness_of, freshness_words
    from penstock.errors import LakeError
    from penstock.ledger import utc_now

    try:
        table = deployment.resources["lake"].table(spec.name)
        judged = freshness_of(table, spec.model, utc_now())
    except LakeError as error:
        return {"verdict": "unknown", "said": f"not known: {error.what}"}
    if judged is None:
        return None
    kept = ("verdict", "as_of", "late_by_seconds", "promise_seconds", "newest_slice", "judged_at")
    return {**{name: judged[name] for name in kept}, "said": freshness_words(judged)}


def _promises(fresh: dict[str, dict[str, Any]]) -> Table | Text:
    if not fresh:
        return Text("freshness: no contract promises any", style="dim")
    table = Table(title="freshness", title_justify="left", box=None, pad_edge=False)
    for heading in ("dataset", "verdict"):
        table.add_column(heading, no_wrap=heading == "dataset", overflow="fold")
    for name, judged in fresh.items():
        kept = judged["verdict"] == "fresh"
        table.add_row(Text(name), Text(printable(judged["said"]), style="green" if kept else "red"))
    return table


def _process(run: RunRecord) -> str:
    """Whether the process of an open run is there."""
    if run.runner is None:
        return "unknown"
    return {True: "alive", False: "gone", None: "on another host"}[run.runner.alive()]


def _runs(title: str, runs: list[dict[str, Any]]) -> Table | Text:
    if not runs:
        return Text(f"{title}: none", style="dim")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("dataset", "slice", "state", "when", "process"):
        table.add_column(heading, no_wrap=heading == "dataset")
    for heading in ("rows", "set aside"):
        table.add_column(heading, justify="right")
    for run in runs:
        table.add_row(
            Text(run["dataset"]),
            run["slice"] or "whole",
            Text(run["state"], style=STATE_STYLES.get(run["state"], "")),
            ago(run["ended"] or run["started"]),
            run.get("process", ""),
            number(run["rows_committed"]),
            number(run["rows_quarantined"]),
        )
    return table


def _failures(runs: list[dict[str, Any]]) -> Table | Text:
    if not runs:
        return Text("failed: none", style="dim")
    table = Table(title="failed", title_justify="left", box=None, pad_edge=False)
    for heading in ("dataset", "slice", "state", "when", "why"):
        table.add_column(heading, overflow="fold")
    for run in runs:
        why = Text(printable(run["error"] or "it ended without a word"))
        state = Text(run["state"], style="red")
        table.add_row(
            Text(run["dataset"]),
            run["slice"] or "whole",
            state,
            ago(run["ended"] or run["started"]),
            why,
        )
    return table


def _outbox(statuses: list[dict[str, Any]]) -> Table | Text:
    if not statuses:
        return Text("outbox: events are kept in the ledger; no backend is told", style="dim")
    table = Table(title="outbox", title_justify="left", box=None, pad_edge=False)
    for heading in ("destination", "pending", "refused", "failures", "next attempt", "last error"):
        table.add_column(heading, overflow="fold")
    for item in statuses:
        table.add_row(
            Text(item["destination"]),
            number(item["pending"]),
            number(item["parked"]),
            number(item["attempts"]),
            str(item["next_attempt"] or "-"),
            Text(printable(item["last_error"] or "-")),
        )
    return table
