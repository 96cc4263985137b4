"""A run: what it read and wrote, at which versions, and how it differs from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter

from penstock.events.instant import instant
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.nodes import RunNode, UseNode
from penstock.server.own.described import Id, id_of, label_of, moment
from penstock.server.own.run_events import run_events
from penstock.server.problem import Problem
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import JobNode

__all__ = ["router", "run_line"]

router = APIRouter()


def run_line(run: RunNode, job: Any, output: UseNode | None) -> dict[str, Any]:
    """A run in a list."""
    own = run.facets.get("penstock_run", {})
    statistics = output.facets.get("outputStatistics", {}) if output else {}
    version = output.facets.get("version", {}).get("datasetVersion") if output else None
    seconds = (run.ended - run.started).total_seconds() if run.ended else None
    return {
        "run_id": run.run_id,
        "job": id_of(job),
        "kind": job.facets.get("jobType", {}).get("jobType"),
        "state": run.state,
        "started": instant(run.started),
        "ended": moment(run.ended),
        "seconds": seconds,
        "slice": own.get("slice"),
        "rows_in": own.get("rowsIn"),
        "rows_committed": own.get("rowsCommitted", statistics.get("rowCount")),
        "rows_quarantined": own.get("rowsQuarantined"),
        "version": version,
        "bytes": statistics.get("size"),
        "files": statistics.get("fileCount"),
    }


@router.get("/run")
def run(connection: Reading, id: UUID, job: Id | None = None) -> dict[str, Any]:
    """One run. Some producers give one id to runs of many jobs: `job` says which."""
    found = _run(Catalog(connection), str(id), job)
    page = _page(connection, found)
    return page | run_events(connection, found.run_id, _job(connection, found))


@router.get("/run/diff")
def run_diff(connection: Reading, id: UUID, other: UUID | None = None) -> dict[str, Any]:
    """What differs from another run; without one, from the run before of the job and slice."""
    catalog = Catalog(connection)
    one = _page(connection, _run(catalog, str(id), None))
    before = str(other) if other else one["previous"]
    if before is None:
        return {"run": one["run_id"], "other": None, "differences": []}
    two = _page(connection, _run(catalog, before, None))
    return {"run": one["run_id"], "other": two["run_id"], "differences": _differences(two, one)}


def _run(catalog: Catalog, run_id: str, job: str | None) -> RunNode:
    runs = catalog.runs(run_id=run_id, limit=1000)
    if job is not None:
        namespace, _, name = job.partition("|")
        number = catalog.job_id(namespace, name)
        runs = [r for r in runs if r.job == number]
    if not runs:
        raise Problem.unknown("run", run_id)
    return runs[0]


def _job(connection: Connection, run: RunNode) -> JobNode:
    return Catalog(connection).jobs([run.job])[run.job]


def _page(connection: Connection, run: RunNode) -> dict[str, Any]:
    catalog = Catalog(connection)
    job = _job(connection, run)
    uses = catalog.uses(tellers=[run.teller])
    nodes = catalog.datasets({use.dataset for use in uses}, facets=())
    outputs = [use for use in uses if use.role == "OUT"]
    own = run.facets.get("penstock_run", {})
    place = job.facets.get("sourceCodeLocation", {})

    def told(use: UseNode) -> dict[str, Any]:
        node = nodes[use.dataset]
        statistics = use.facets.get("outputStatistics") or use.facets.get("inputStatistics")
        return {
            "dataset": id_of(node),
            "label": label_of(node),
            "version": use.facets.get("version", {}).get("datasetVersion"),
            "statistics": statistics,
            "facets": use.facets,
        }

    return {
        **run_line(run, job, outputs[0] if outputs else None),
        "parent": _parent(run.facets.get("parent", {})),
        "root": _parent(run.facets.get("parent", {}).get("root")),
        "inputs": [told(use) for use in uses if use.role == "IN"],
        "outputs": [told(use) for use in outputs],
        "source": {
            "url": place.get("url") or place.get("repoUrl"),
            "path": place.get("path"),
            "commit": place.get("version"),
            "line": place.get("lineNumber") or place.get("line"),
        }
        if place
        else None,
        "error": run.facets.get("errorMessage", {}).get("message"),
        "code_version": own.get("codeVersion"),
        "contract_version": own.get("contractVersion"),
        "facets": run.facets,
        "job_facets": job.facets,
        "previous": _previous(catalog, run, own.get("slice")),
    }


def _parent(told: Any) -> dict[str, Any] | None:
    run, job = (told.get(part) if isinstance(told, dict) else None for part in ("run", "job"))
    if not (isinstance(run, dict) and isinstance(job, dict)):
        return None
    return {
        "run_id": run.get("runId"),
        "job_name": job.get("name"),
        "job_namespace": job.get("namespace"),
    }


def _previous(catalog: Catalog, run: RunNode, slice_key: str | None) -> str | None:
    def same(other: RunNode) -> bool:
        other_slice = other.facets.get("penstock_run", {}).get("slice")
        return other.started < run.started and other_slice == slice_key

    return next((o.run_id for o in catalog.runs(jobs=[run.job], limit=200) if same(o)), None)


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    found = []

    def compare(what: str, subject: str | None, old: Any, new: Any) -> None:
        if old != new:
            found.append({"what": what, "subject": subject, "before": old, "after": new})

    for what, key in (
        ("state", "state"),
        ("slice", "slice"),
        ("code", "code_version"),
        ("contract", "contract_version"),
        ("rows in", "rows_in"),
        ("rows committed", "rows_committed"),
        ("rows quarantined", "rows_quarantined"),
        ("files", "files"),
        ("bytes", "bytes"),
        ("error", "error"),
    ):
        compare(what, None, before[key], after[key])
    for what, side in (("input version", "inputs"), ("output version", "outputs")):
        old = {item["label"]: item["version"] for item in before[side]}
        new = {item["label"]: item["version"] for item in after[side]}
        for label in sorted(old.keys() | new.keys()):
            if (label in old) != (label in new):
                compare(side[:-1], label, label in old, label in new)
            else:
                compare(what, label, old[label], new[label])
    place = [(page["source"] or {}).get("commit") for page in (before, after)]
    compare("commit", None, *place)
    compare("duration", None, before["seconds"], after["seconds"])
    return found
