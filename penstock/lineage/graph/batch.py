"""Some statements brought into the graph, in one transaction whose lock the caller holds."""

from __future__ import annotations

import json
from itertools import chain as joined
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from penstock.lineage.chain import canonical, digest_of
from penstock.lineage.graph.column_edge import schema_columns
from penstock.lineage.graph.datasets import Datasets
from penstock.lineage.graph.last_told import LastTold, merged
from penstock.lineage.graph.rows import Rows, chunks
from penstock.lineage.graph.run_state import RunState
from penstock.lineage.graph.told import Told
from penstock.lineage.instant import instant
from penstock.lineage.tables import graph_document, graph_job, graph_run, graph_use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.lineage.graph.statement import Statement, Use

__all__ = ["Batch"]


class Batch:
    """One batch. What it touches is read once, changed in memory, and written at the end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._documents: dict[str, str] = {}
        self._datasets = Datasets(connection)
        self._jobs = Rows(connection, graph_job, ("namespace", "name"), numbered=True)
        self._runs = Rows(connection, graph_run, ("run_id", "job"))
        self._uses = Rows(connection, graph_use, ("teller", "dataset", "role"))
        self._touched: dict[str, tuple[int, datetime | None]] = {}

    def take(self, statements: Sequence[Statement]) -> None:
        """Bring the statements in."""
        self._jobs.load("name", (s.job[1] for s in statements if s.job))
        self._datasets.load(
            joined.from_iterable(
                (use.dataset, *use.other_names) for s in statements for use in s.uses
            )
        )
        self._runs.load("run_id", (s.run_id for s in statements if s.run_id))
        tellers = {
            _teller(s, row["id"]) for s in statements if s.job and (row := self._jobs.get(*s.job))
        }
        self._uses.load("teller", tellers)
        for statement in statements:
            self._take(statement)
        self._write_documents()
        for rows in (self._jobs, self._runs, self._uses):
            rows.flush()
        Told(self._connection, self._datasets, self._documents).renew(self._touched)
        self._datasets.flush()

    def _take(self, told: Statement) -> None:
        teller, job = "", None
        if told.job:
            job = self._job(told)
            teller = _teller(told, job)
            if told.run_id:
                state = self._run(told, job)
                self._touched[teller] = (job, state.counts_from)
            else:
                self._touched[teller] = (job, told.at)
        for use in told.uses:
            facets = self._entries(told, use.facets)
            dataset = self._datasets.see(use.dataset, told.at, facets)
            for name in use.other_names:
                self._datasets.claim(dataset, name, told.at)
            if "schema" in use.facets:
                self._datasets.name_columns(dataset, schema_columns(use.facets["schema"]))
            if use.role:
                self._use(told, teller, dataset, use)

    def _job(self, told: Statement) -> int:
        assert told.job
        facets, at = self._entries(told, told.job_facets), told.at
        row = self._jobs.get(*told.job) or self._jobs.add(
            {
                "namespace": told.job[0],
                "name": told.job[1],
                "facets": "{}",
                "first_seen": at,
                "last_seen": at,
            }
        )
        self._jobs.change(
            row,
            facets=_with(row["facets"], facets),
            first_seen=min(row["first_seen"], at),
            last_seen=max(row["last_seen"], at),
        )
        number: int = row["id"]
        return number

    def _run(self, told: Statement, job: int) -> RunState:
        event = {told.event_type: [instant(told.at), told.hash]}
        row = self._runs.get(told.run_id, job)
        states = merged(json.loads(row["states"]) if row else {}, event)
        state = RunState.of(states)
        told_facets = self._entries(told, told.run_facets)
        facets = merged(json.loads(row["facets"]) if row else {}, told_facets)
        parents = (row["parent_run_id"], row["root_run_id"]) if row else (None, None)
        if "parent" in told_facets and facets["parent"] == told_facets["parent"]:
            parents = told.parents
        values = {
            "states": json.dumps(states, sort_keys=True),
            "state": state.state,
            "started": state.started,
            "ended": state.ended,
            "parent_run_id": parents[0],
            "root_run_id": parents[1],
            "facets": json.dumps(facets, sort_keys=True),
        }
        if row:
            self._runs.change(row, **values)
        else:
            self._runs.add({"run_id": told.run_id, "job": job, **values})
        return state

    def _use(self, told: Statement, teller: str, dataset: int, use: Use) -> None:
        facets = self._entries(told, {**use.facets, **use.use_facets})
        row = self._uses.get(teller, dataset, use.role)
        if row is None:
            self._uses.add(
                {
                    "teller": teller,
                    "dataset": dataset,
                    "role": use.role,
                    "at": told.at,
                    "facets": _with("{}", facets),
                }
            )
            return
        self._uses.change(row, at=max(row["at"], told.at), facets=_with(row["facets"], facets))

    def _entries(self, told: Statement, facets: Mapping[str, Any]) -> LastTold:
        at = instant(told.at)
        return {name: [at, told.hash, self._document(body)] for name, body in facets.items()}

    def _document(self, body: Mapping[str, Any]) -> str:
        text = canonical(body)
        digest = digest_of(text)
        self._documents[digest] = text
        return digest

    def _write_documents(self) -> None:
        known = set(_known(self._connection, self._documents))
        new = [
            {"digest": digest, "body": body}
            for digest, body in self._documents.items()
            if digest not in known
        ]
        if new:
            self._connection.execute(insert(graph_document), new)


def _teller(told: Statement, job: int) -> str:
    # some producers give one run id to many jobs
    return f"{told.run_id}:{job}" if told.run_id else told.hash


def _with(known: str, told: LastTold) -> str:
    return json.dumps(merged(json.loads(known), told), sort_keys=True)


def _known(connection: Connection, digests: Iterable[str]) -> Iterable[str]:
    for some in chunks(digests):
        query = select(graph_document.c.digest).where(graph_document.c.digest.in_(some))
        yield from connection.execute(query).scalars()
