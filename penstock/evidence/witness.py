"""Which queries that somebody else told of are whose, and what of them a run did not tell. Pure.

A query that names the run as its job group is the run's. One that names none is laid to the runs
that went on in the same Spark at that moment: a listener that lags tells no group, and a thread of
a function's own has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from penstock.events.name import dataset_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from penstock.events.name import Name

__all__ = ["GovernedRun", "Query", "Read", "Seen", "Witnessed", "is_told", "witnessed"]

_LOG = re.compile(r"/_delta_log(/.*)?$")
_FIELD = re.compile(r"\{[^}]*\}")
_WILD = re.compile(r"[*?{\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernedRun:
    """A run of Penstock.

    `told` are the names of its inputs, its outputs and of what it says that it reads for itself.
    `applications` are what the Spark it ran in is known by; `began` is before its function ran.
    """

    run_id: str
    at: datetime
    told: frozenset[Name]
    applications: frozenset[str]
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A dataset that a query read. `names` are all it goes by; `rows`: not its log alone."""

    id: str
    label: str
    names: frozenset[Name]
    columns: tuple[str, ...] = ()
    rows: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody else told of: `by` is the job that did, `group` is empty where it has none."""

    by: str
    group: str
    application: str | None
    began: datetime
    ended: datetime
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A read that the run did not tell. `certain`: the query names the run."""

    read: Read
    by: str
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A run and what it was seen reading and did not tell; None when nobody told of the run."""

    run_id: str
    at: datetime
    seen: tuple[Seen, ...] | None


def witnessed(runs: Iterable[GovernedRun], queries: Iterable[Query]) -> list[Witnessed]:
    """What was seen of each run.

    All runs that may have gone on beside each other must be among them. A read without a group is
    laid to every run that went on then, unless one of them told it or is known to have done it; to
    have read a table's log alone is laid to none, since Delta does so in threads of its own.
    """
    known = {run.run_id: run for run in runs}
    seen: dict[str, list[Seen]] = {}
    done: dict[str, set[str]] = {}
    others = []
    for query in queries:
        run = known.get(query.group)
        if run is None:
            others.append(query)
            continue
        done.setdefault(run.run_id, set()).update(read.id for read in query.reads)
        seen.setdefault(run.run_id, []).extend(
            Seen(read=read, by=query.by, certain=True)
            for read in query.reads
            if not is_told(read.names, run.told)
        )
    by_application: dict[str, list[GovernedRun]] = {}
    for run in known.values():
        for application in run.applications:
            by_application.setdefault(application, []).append(run)
    for query in others:
        near = by_application.get(query.application or "", ())
        meanwhile = [r for r in near if query.began <= r.ended and query.ended >= r.began]
        if len(meanwhile) == 1:
            seen.setdefault(meanwhile[0].run_id, [])
        for read in query.reads:
            told = any(
                is_told(read.names, run.told) or read.id in done.get(run.run_id, ())
                for run in meanwhile
            )
            if read.rows and not told:
                for run in meanwhile:
                    one = Seen(read=read, by=query.by, certain=False)
                    seen.setdefault(run.run_id, []).append(one)
    return [
        Witnessed(
            run_id=run.run_id,
            at=run.at,
            seen=tuple(seen[run.run_id]) if run.run_id in seen else None,
        )
        for run in known.values()
    ]


def is_told(names: Collection[Name], told: Collection[Name]) -> bool:
    """Whether a dataset of these names is one of those told, or lies within one.

    A file of a table is the table, and so is its log. What a pattern names is every file that it
    matches, and the folder of them all, which stands for several files.
    """
    places = [_place(name) for name in names]
    return any(_within(place, _place(name)) for name in told for place in places)


def _within(seen: Name, told: Name) -> bool:
    if seen[0] != told[0]:
        return False
    place, whole = seen[1], told[1]
    varies = _WILD.search(whole)
    if varies is None:
        return place == whole or place.startswith(whole.rstrip("/") + "/")
    above = whole[: varies.start()].rpartition("/")[0]
    parts, patterns = place.split("/"), _FIELD.sub("*", whole).split("/")
    # a folder that a pattern names is all in it; a file has an extension, and nothing in it
    inside = "." not in patterns[-1]
    fits = len(parts) == len(patterns) or (inside and len(parts) > len(patterns))
    # part by part, since a star ends at a slash
    return place == above or (fits and all(map(fnmatchcase, parts, patterns)))


def _place(name: Name) -> Name:
    return dataset_name(name[0], _LOG.sub("", name[1]) or "/") or name
