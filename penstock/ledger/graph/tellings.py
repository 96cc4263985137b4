"""What the uses of a run say of what is made of what, whenever that may change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from penstock.events.instant import instant
from penstock.ledger.graph.last_told import WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from penstock.ledger.graph.last_told import Telling as History
    from penstock.ledger.graph.rows import Row

__all__ = ["NOTHING", "TELLS", "UNTOLD", "USED", "Documents", "Teller", "Telling", "tellings"]

#: In the history of a use: that there was one.
USED = ""
#: What tells what a dataset is made of.
TELLS = ("columnLineage", "lineage")
#: In place of the dataset's id where a job writes none.
NOTHING = 0
#: What is told of how a dataset is made of its sources when nobody says a word of it.
UNTOLD = (None,)
_INSTANT = timedelta(microseconds=1)  # the shortest that both databases keep

Documents = tuple[str | None, ...]
# since when, until when, what is made of what: (dataset, documents) each, sources
Telling = tuple[datetime, datetime | None, list[tuple[int, Documents]], list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """A run of the job, or an event about it; when what it tells counts is as of a RunState."""

    job: int
    started: datetime
    counts_from: datetime | None
    completed: datetime | None
    broken_off: datetime | None


def tellings(teller: Teller, uses: Iterable[Row]) -> Iterator[Telling]:
    """What the teller's uses say, each time that they say something new."""
    if teller.counts_from is None:
        yield from _read_in_vain(teller, uses)
        return
    moments = sorted(_moments(teller, uses))
    for number, at in enumerate(moments):
        all_of_it = at == teller.completed
        bound = instant(at)
        so = [
            (row, _documents(row["history"], None if all_of_it else bound))
            for row in uses
            if all_of_it or row["history"][USED][""][0][0] <= bound
        ]
        sources = [row["dataset"] for row, _ in so if row["role"] == "IN"]
        targets = [(row["dataset"], documents) for row, documents in so if row["role"] == "OUT"]
        until = teller.broken_off
        if not targets and sources:
            targets = [(NOTHING, UNTOLD)]
            if any(row["role"] == "OUT" for row in uses) and number + 1 < len(moments):
                until = moments[number + 1]
        yield at, until, targets, sources


def _read_in_vain(teller: Teller, uses: Iterable[Row]) -> Iterator[Telling]:
    """What a run read that has moved nothing: it did read it, until it failed."""
    assert teller.broken_off
    sources = [row["dataset"] for row in uses if row["role"] == "IN"]
    if sources:
        begun = min(teller.started, teller.broken_off)
        ended = max(teller.broken_off, begun + _INSTANT)
        yield begun, ended, [(NOTHING, UNTOLD)], sources


def _moments(teller: Teller, uses: Iterable[Row]) -> set[datetime]:
    """At which what the uses say counts, and may change."""
    assert teller.counts_from
    told = {
        entry[0]
        for row in uses
        for telling in row["history"].values()
        for entries in telling.values()
        for entry in entries
    }
    found = set()
    for moment in map(datetime.fromisoformat, told):
        at = max(moment, teller.counts_from)
        if teller.completed:
            at = min(at, teller.completed)
        if teller.broken_off is None or at < teller.broken_off:
            found.add(at)
    return found


def _documents(history: Mapping[str, History], until: str | None) -> Documents:
    """The digests of what tells what a dataset is made of: columnLineage or None, then lineage.

    As told last until a moment, that included; None: until now. What was only withdrawn is told
    too, as "" in place of columnLineage.
    """
    columns = _last(history.get("columnLineage", {}), until)
    lineage = _last(history.get("lineage", {}), until)
    if lineage:
        return columns or None, lineage
    return (columns if lineage is None else columns or WITHDRAWN,)


def _last(told: History, until: str | None) -> str | None:
    found = [
        (entry, digest)
        for digest, entries in told.items()
        for entry in entries
        if until is None or entry[0] <= until
    ]
    return max(found)[1] if found else None
