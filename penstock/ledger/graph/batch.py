"""Some statements brought into the graph, in one transaction whose lock the caller holds."""

from __future__ import annotations

import json
from itertools import chain as joined
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from penstock.ledger.graph.column_edge import schema_columns
from penstock.ledger.graph.datasets import Datasets
from penstock.ledger.graph.last_told import WITHDRAWN, first_and_last, merged
from penstock.ledger.graph.rows import Rows, chunks
from penstock.ledger.graph.run_state import RunState, with_event
from penstock.ledger.graph.tables import graph_document, graph_job, graph_run, graph_use
from penstock.ledger.graph.tellings import TELLS, USED, Teller
from penstock.ledger.graph.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.events.name import Name
    from penstock.ledger.graph.last_told import LastTold, Telling
    from penstock.ledger.graph.rows import Row
    from penstock.ledger.graph.statement import Statement, Use

__all__ = ["Batch"]

_VERSION = "version"  # the facet in which a dataset tells its own version


class Batch:
    """One batch. What it touches is read once, changed in memory, and written at the end.

    `documents` are the bodies of the facets that its statements tell, by digest.
    """

    def __init__(self, connection: Connection, documents: Mapping[str, str]) -> None:
        self._connection, self._documents = connection, documents
        self._datasets = Datasets(connection)
        key = ("namespace", "name")
        self._jobs = Rows(connection, graph_job, key, numbered=True, parsed=("facets",))
        self._runs = Rows(connection, graph_run, ("run_id", "job"), parsed=("states", "facets"))
        self._uses = Rows(
            connection, graph_use, ("teller", "dataset", "role"), parsed=("facets", "history")
        )
        self._touched: dict[str, Teller] = {}
        self._completed: dict[str, datetime | None] = {}
        self._schemas: set[tuple[int, str]] = set()

    def take(self, statements: Sequence[Statement]) -> None:
        """Bring the statements in."""
        self._jobs.load("name", (name for s in statements for _, name in _jobs(s)))
        self._datasets.load(
            joined.from_iterable(
                (use.dataset, *use.other_names, *([use.former_name] if use.former_name else ()))
                for s in statements
                for use in s.uses
            )
        )
        self._datasets.load_columns_of(
            use.dataset for s in statements for use in s.uses if "schema" in use.facets
        )
        self._runs.load("run_id", (s.run_id for s in statements if s.run_id))
        tellers = {
            _teller(s, row["id"]) for s in statements if s.job and (row := self._jobs.get(*s.job))
        }
        known = {key[0] for key in self._uses.load("teller", tellers)}
        for statement in statements:
            self._take(statement)
        for use in self._uses:
            if use["role"] == "OUT" and use["teller"] in self._completed:
                self._uses.change(use, made_at=self._completed[use["teller"]])
        self._write_documents()
        for rows in (self._jobs, self._runs, self._uses):
            rows.flush()
        jobs = {row["id"]: (row["namespace"], row["name"]) for row in self._jobs}
        uses: dict[str, list[Row]] = {teller: [] for teller in self._touched}
        for use in self._uses:
            uses[use["teller"]].append(use)
        told = Told(self._connection, self._datasets, self._documents, jobs)
        told.renew(self._touched, uses, known)
        self._datasets.flush()

    def _take(self, told: Statement) -> None:
        teller, job = "", None
        if told.job:
            job = self._job(told.job, told.at, told.job_facets)
            teller = _teller(told, job)
            if told.run_id:
                state = self._run(told, job)
                # what failed, or was broken off, after it completed has made nothing
                made = state.state == "COMPLETE"
                self._completed[teller] = state.ended if made else None
                self._touched[teller] = Teller(
                    job=job,
                    started=state.started,
                    counts_from=state.counts_from,
                    completed=state.completed,
                    broken_off=state.broken_off,
                )
            else:
                self._touched[teller] = Teller(
                    job=job,
                    started=told.at,
                    counts_from=told.at,
                    completed=told.at,
                    broken_off=None,
                )
        for name in told.parent_jobs:
            self._job(name, told.at, {})
        for use in told.uses:
            dataset = self._datasets.see(use.dataset, told.at, use.facets)
            for name in use.other_names:
                self._datasets.claim(dataset, name, told.at)
            if use.former_name:
                self._datasets.claim(dataset, use.former_name, told.at, renamed=True)
            if use.role == "OUT" and told.writes:
                self._datasets.write(dataset, told.at)
            if use.withdraws("symlinks"):
                self._datasets.withdraw_names(dataset, told.at)
            if schema := use.facets.get("schema", (WITHDRAWN,))[-1]:
                self._name_columns(dataset, schema)
            if use.role:
                self._use(told, teller, dataset, use)

    def _name_columns(self, dataset: int, schema: str) -> None:
        if (dataset, schema) not in self._schemas:
            self._schemas.add((dataset, schema))
            self._datasets.name_columns(
                dataset, schema_columns(json.loads(self._documents[schema]))
            )

    def _job(self, name: Name, at: datetime, facets: LastTold) -> int:
        row = self._jobs.get(*name) or self._jobs.add(
            {
                "namespace": name[0],
                "name": name[1],
                "facets": {},
                "first_seen": at,
                "last_seen": at,
            }
        )
        self._jobs.change(
            row,
            facets=merged(row["facets"], facets),
            first_seen=min(row["first_seen"], at),
            last_seen=max(row["last_seen"], at),
        )
        number: int = row["id"]
        return number

    def _run(self, told: Statement, job: int) -> RunState:
        row = self._runs.get(told.run_id, job)
        known = row["states"] if row else {}
        states = with_event(known, told.event_type, [told.moment, told.hash], told.job_kind)
        state = RunState.of(states)
        facets = merged(row["facets"] if row else {}, told.run_facets)
        parents = (row["parent_run_id"], row["root_run_id"]) if row else (None, None)
        if "parent" in told.run_facets and facets["parent"] == told.run_facets["parent"]:
            parents = told.parents
        values = {
            "states": states,
            "state": state.state,
            "started": state.started,
            "ended": state.ended,
            "parent_run_id": parents[0],
            "root_run_id": parents[1],
            "facets": facets,
        }
        if row:
            self._runs.change(row, **values)
        else:
            self._runs.add({"run_id": told.run_id, "job": job, **values})
        return state

    def _use(self, told: Statement, teller: str, dataset: int, use: Use) -> None:
        facets = {**use.facets, **use.use_facets}
        entry = [told.moment, told.hash]
        history: dict[str, Telling] = {USED: {"": [entry]}}
        history |= {name: {facets[name][-1]: [entry]} for name in TELLS if name in facets}
        row = self._uses.get(teller, dataset, use.role)
        if row is None:
            key = {"teller": teller, "dataset": dataset, "role": use.role}
            version = self._version(facets) if use.role == "OUT" else None
            made = {"made_at": None, "told_version": version}
            self._uses.add({**key, "at": told.at, "facets": facets, "history": history, **made})
            return
        known, last = row["history"], merged(row["facets"], facets)
        version = row["told_version"]
        if use.role == "OUT" and last.get(_VERSION) != row["facets"].get(_VERSION):
            version = self._version(last)
        self._uses.change(
            row,
            at=max(row["at"], told.at),
            facets=last,
            told_version=version,
            history=known
            | {name: first_and_last(known.get(name, {}), each) for name, each in history.items()},
        )

    def _version(self, told: LastTold) -> str | None:
        """What these facets, which this batch tells, call the version of the dataset."""
        digest = told[_VERSION][-1] if _VERSION in told else WITHDRAWN
        if digest == WITHDRAWN:
            return None
        version = json.loads(self._documents[digest]).get("datasetVersion")
        return version if isinstance(version, str) else None

    def _write_documents(self) -> None:
        known = set(_known(self._connection, self._documents))
        new = [
            {"digest": digest, "body": body}
            for digest, body in self._documents.items()
            if digest not in known
        ]
        if new:
            self._connection.execute(insert(graph_document), new)


def _jobs(told: Statement) -> tuple[Name, ...]:
    return (*([told.job] if told.job else ()), *told.parent_jobs)


def _teller(told: Statement, job: int) -> str:
    # some producers give one run id to many jobs
    return f"{told.run_id}:{job}" if told.run_id else told.hash


def _known(connection: Connection, digests: Iterable[str]) -> Iterable[str]:
    for some in chunks(digests):
        query = select(graph_document.c.digest).where(graph_document.c.digest.in_(some))
        yield from connection.execute(query).scalars()
