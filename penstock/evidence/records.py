"""What the ledger keeps beside the events: contracts, runs and checks of the datasets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.events.instant import instant
from penstock.ledger.contract_register import registered
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.naming import id_of, label_of
from penstock.ledger.graph.rows import chunks
from penstock.ledger.tables import contract

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import UseNode
    from penstock.ledger.graph.walk import Period

__all__ = ["check_records", "contract_records", "run_records"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100


def contract_records(connection: Connection, datasets: Collection[int]) -> dict[str, Any]:
    """Every version of the contract of each dataset, by the name of a file. Raises LedgerError."""
    names = {label_of(node) for node in Catalog(connection).datasets(datasets).values()}
    found = {}
    for some in chunks(sorted(names)):
        for row in connection.execute(select(contract).where(contract.c.name.in_(some))):
            name = _UNSAFE.sub("_", row.name).lstrip(".-")[:_LONGEST]
            found[f"contracts/c_{row.id:06}_{name}.json"] = {
                "name": row.name,
                "version": row.version,
                "fingerprint": row.fingerprint,
                "registered_at": instant(row.registered_at),
                "document": registered(row),
            }
    return found


def run_records(
    connection: Connection, datasets: Collection[int], period: Period
) -> list[dict[str, Any]]:
    """Each run that read or wrote one of the datasets in the period, oldest first."""
    catalog = Catalog(connection)
    uses = _uses(catalog, datasets, period)
    runs = catalog.runs_of(use.teller for use in uses)
    jobs = catalog.jobs({run.job for run in runs.values()})
    nodes = catalog.datasets({use.dataset for use in uses})
    used: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for use in sorted(uses, key=lambda use: id_of(nodes[use.dataset])):
        version = use.facets.get("version", {}).get("datasetVersion")
        told = {"dataset": id_of(nodes[use.dataset]), "version": version}
        used.setdefault((use.teller, use.role), []).append(told)
    found = []
    for teller, run in runs.items():
        own = run.facets.get("penstock_run", {})
        found.append(
            {
                "run_id": run.run_id,
                "job": id_of(jobs[run.job]),
                "state": run.state,
                "started": instant(run.started),
                "ended": instant(run.ended) if run.ended else None,
                "parent_run_id": run.parent_run_id,
                "slice": own.get("slice"),
                "code_version": own.get("codeVersion"),
                "contract_version": own.get("contractVersion"),
                "rows_in": own.get("rowsIn"),
                "rows_committed": own.get("rowsCommitted"),
                "rows_quarantined": own.get("rowsQuarantined"),
                "inputs": used.get((teller, "IN"), []),
                "outputs": used.get((teller, "OUT"), []),
            }
        )
    return sorted(found, key=lambda run: (run["started"], run["run_id"], run["job"]))


def check_records(
    connection: Connection, datasets: Collection[int], period: Period
) -> list[dict[str, Any]]:
    """What each check of each write of the period said: counts, no row."""
    catalog = Catalog(connection)
    uses = [use for use in _uses(catalog, datasets, period) if use.role == "OUT"]
    runs = catalog.runs_of(use.teller for use in uses)
    nodes = catalog.datasets({use.dataset for use in uses})
    found = [
        {
            "dataset": id_of(nodes[use.dataset]),
            "at": instant(use.at),
            "run_id": runs[use.teller].run_id if use.teller in runs else None,
            "name": item.get("name") or item.get("assertion"),
            "column": item.get("column"),
            "success": item.get("success"),
            "severity": item.get("severity"),
            "failed_rows": params.get("failedRows") if isinstance(params, dict) else None,
        }
        for use in uses
        for item in _assertions(use)
        for params in (item.get("params"),)
    ]
    names = ("at", "dataset", "run_id", "name", "column")
    return sorted(found, key=lambda check: [str(check[name]) for name in names])


def _assertions(use: UseNode) -> list[dict[str, Any]]:
    told = use.facets.get("dataQualityAssertions", {}).get("assertions")
    return [item for item in told if isinstance(item, dict)] if isinstance(told, list) else []


def _uses(catalog: Catalog, datasets: Collection[int], period: Period) -> list[UseNode]:
    return [
        use
        for some in chunks(sorted(datasets))
        for use in catalog.uses(datasets=some, since=period.since, until=period.until)
    ]
