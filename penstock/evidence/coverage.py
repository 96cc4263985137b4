"""How much of what is in a table the ledger knows of: commits against events. Pure.

The table says which commits there are, the ledger which runs told of one. What only the table has
was written past Penstock; what only the ledger has is a lie, or a table that was made anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.events.instant import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from penstock.resources.table_commit import Commit

__all__ = ["Claim", "Coverage", "Day", "Told", "Write", "coverage", "percent", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the COMPLETE of one run says of the table: the version it made, if it names one.

    `signs`: the producer writes the run's id into each commit it makes, as Penstock does. A commit
    without it is then not that run's, whatever version the event names.
    """

    run_id: str | None
    at: datetime
    version: int | None
    signs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A commit that the ledger does not know; `run_id` when it names a run."""

    version: int
    at: datetime
    operation: str
    who: str | None
    run_id: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        told = {"version": self.version, "at": instant(self.at), "operation": self.operation}
        told["who"] = self.who
        return told | ({"run_id": self.run_id} if self.run_id else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A version that an event says a run made, and the table has not from it."""

    version: int
    at: datetime
    run_id: str | None

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"version": self.version, "at": instant(self.at), "run_id": self.run_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The commits of a day in UTC."""

    day: str
    commits: int
    governed: int

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {"day": self.day, "commits": self.commits, "governed": self.governed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Of one table.

    `ungoverned`: no run told of them. `missing_in_ledger`: the commit names a run, and the ledger
    has no COMPLETE of it. `unknown_to_table`: an event claims it, and it is not there.
    """

    commits: int
    governed: int
    ungoverned: tuple[Write, ...]
    missing_in_ledger: tuple[Write, ...]
    unknown_to_table: tuple[Claim, ...]
    by_day: tuple[Day, ...]

    @property
    def whole(self) -> bool:
        """Whether the ledger knows every commit."""
        return self.governed == self.commits

    def document(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "commits": self.commits,
            "governed": self.governed,
            "percent": percent(self.governed, self.commits),
            "ungoverned": [write.document() for write in self.ungoverned],
            "missing_in_ledger": [write.document() for write in self.missing_in_ledger],
            "unknown_to_table": [claim.document() for claim in self.unknown_to_table],
            "by_day": [day.document() for day in self.by_day],
        }


def percent(governed: int, commits: int) -> float | None:
    """How many of a hundred commits are governed, one decimal, rounded down; None of no commit.

    >>> percent(1999, 2000)
    99.9
    """
    return governed * 1000 // commits / 10 if commits else None


@dataclass(slots=True)
class _Ledger:
    """What all events together say of the table."""

    versions_by_run: dict[str, set[int]] = field(default_factory=dict)
    versions: set[int] = field(default_factory=set)  # told by producers that do not sign

    @classmethod
    def of(cls, told: Iterable[Told]) -> _Ledger:
        known = cls()
        for item in told:
            if item.run_id is not None:
                versions = known.versions_by_run.setdefault(item.run_id, set())
                versions |= {item.version} if item.version is not None else set()
            if not item.signs and item.version is not None:
                known.versions.add(item.version)
        return known


def coverage(
    commits: Iterable[Commit],
    told: Iterable[Told],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Coverage:
    """What the table and the ledger say of each other.

    Both come whole: `since` and `until` choose, of what was judged, the commits and claims of that
    time. A version older than the log's oldest commit is not judged; the log has forgotten it.
    """
    history, claims = list(commits), list(told)
    known = _Ledger.of(claims)
    chosen = [c for c in history if within(c.at, since, until)]
    states = {c.version: _state(c, known) for c in chosen}
    missing = [c for c in chosen if states[c.version] == "missing"]
    days: dict[str, list[bool]] = {}
    for commit in chosen:
        day = instant(commit.at)[:10]
        days.setdefault(day, []).append(states[commit.version] == "governed")
    return Coverage(
        commits=len(chosen),
        governed=sum(state == "governed" for state in states.values()),
        ungoverned=_writes(c for c in chosen if states[c.version] == "ungoverned"),
        missing_in_ledger=_writes(missing),
        unknown_to_table=_unknown([c for c in claims if within(c.at, since, until)], history),
        by_day=tuple(
            Day(day=day, commits=len(found), governed=sum(found))
            for day, found in sorted(days.items())
        ),
    )


def _state(commit: Commit, known: _Ledger) -> str:
    run_id = _run_of(commit)
    if run_id is None:
        return "governed" if commit.version in known.versions else "ungoverned"
    versions = known.versions_by_run.get(run_id)
    if versions is None:
        return "missing"
    if not versions or commit.version in versions:
        return "governed"
    # upkeep may take several commits, of which its event names the last; a run of rows takes one,
    # and a commit that merely bears its name is somebody else's
    upkeep = "upkeep" in (commit.facts or {}) and not commit.changes_rows
    return "governed" if upkeep else "ungoverned"


def _unknown(claims: Sequence[Told], history: Sequence[Commit]) -> tuple[Claim, ...]:
    runs: Mapping[int, str | None] = {c.version: _run_of(c) for c in history}
    oldest = min(runs, default=0)
    # a run of rows may have set its table's properties first
    upkeep = {_run_of(c) for c in history if "upkeep" in (c.facts or {})}
    upkeep -= {_run_of(c) for c in history if c.by_run}
    found = {
        (claim.version, claim.at, claim.run_id)
        for claim in claims
        if claim.version is not None
        and claim.version >= oldest
        # the version that upkeep tells is the one it left, which may be another writer's commit
        and not (claim.version in runs and claim.signs and claim.run_id in upkeep)
        and not (claim.version in runs and _made(claim, runs[claim.version]))
    }
    ordered = sorted(found, key=lambda item: (item[0], item[1], item[2] or ""))
    return tuple(Claim(version=v, at=at, run_id=run) for v, at, run in ordered)


def _made(claim: Told, run_id: str | None) -> bool:
    """Whether the commit can be the one that is claimed."""
    return not claim.signs or run_id == claim.run_id


def _run_of(commit: Commit) -> str | None:
    named = (commit.facts or {}).get("run_id")
    return named.lower() if isinstance(named, str) else None


def _writes(commits: Iterable[Commit]) -> tuple[Write, ...]:
    found = [
        Write(
            version=commit.version,
            at=commit.at,
            operation=commit.operation,
            who=commit.who,
            run_id=_run_of(commit),
        )
        for commit in commits
    ]
    return tuple(sorted(found, key=lambda write: write.version))


def within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    """Whether the moment is of the period; both ends belong to it."""
    return (since is None or at >= since) and (until is None or at <= until)
