"""How a run stands by the events that were told of it, in whatever order they came. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from penstock.ledger.graph.last_told import first_told, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.ledger.graph.last_told import Entry, LastTold

__all__ = ["RunState", "States", "with_event"]

_SAID_BY_THE_RUN = ("COMPLETE", "FAIL")
_AT_WORK = ("RUNNING", "OTHER")
_BATCH = "BATCH"

#: `first` and `last`: [event time, event hash] of the first and last event of each type; `job`:
#: what the run told of its job, of which the last told counts.
States = dict[str, "LastTold"]


def with_event(states: Mapping[str, LastTold], kind: str, entry: Entry, job: LastTold) -> States:
    """The states after one more event. Commutative, associative and idempotent."""
    return {
        "first": first_told(states.get("first", {}), {kind: entry}),
        "last": merged(states.get("last", {}), {kind: entry}),
        "job": merged(states.get("job", {}), job),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What a run tells of datasets counts from `counts_from`; None: not, so far or at all.

    What it told before counts from then. What it tells later counts from when it is told, what it
    tells after `completed` from then. At `broken_off` nothing of it counts any longer.

    What a run said itself stands above an ABORT that others said of it. A run that began or failed
    has moved nothing; one that completed has, whatever was said of it later. One that tells what it
    does while it runs (a stream) is believed from the first such event until it ends, unless it
    says that it is a batch, which is done when it completes.
    """

    state: str
    started: datetime
    ended: datetime | None
    counts_from: datetime | None
    completed: datetime | None
    broken_off: datetime | None

    @classmethod
    def of(cls, states: Mapping[str, LastTold]) -> Self:
        """The run of which these events were told."""
        last = states["last"]
        said = max(_those(last, _SAID_BY_THE_RUN), default=None)
        state = said[1] if said else "ABORT" if "ABORT" in last else _newest(last)
        ended = _moment(last[state]) if state in {*_SAID_BY_THE_RUN, "ABORT"} else None
        completed = _moment(last["COMPLETE"]) if "COMPLETE" in last else None
        begun = _moment(last.get("START") or min(states["first"].values()))
        stops = None if completed else ended
        counts_from = completed
        at_work = _at_work(states, begun)
        if at_work is not None and (completed or stops or at_work) >= at_work:
            counts_from = at_work
        return cls(
            state=state,
            started=begun,
            ended=ended,
            counts_from=None if counts_from == stops else counts_from,
            completed=completed,
            broken_off=stops,
        )


def _at_work(states: Mapping[str, LastTold], begun: datetime) -> datetime | None:
    told: Any = states.get("job", {}).get("processingType", ("",))[-1]
    if told == _BATCH:
        return None
    first = states["first"]
    # what says nothing of how the run stands may be told before it begins
    moments = [
        max(_moment(first[kind]), begun) if kind == "OTHER" else _moment(first[kind])
        for kind in _AT_WORK
        if kind in first
    ]
    return min(moments, default=None)


def _those(states: LastTold, kinds: tuple[str, ...]) -> list[tuple[Entry, str]]:
    return [(entry, kind) for kind, entry in states.items() if kind in kinds]


def _newest(states: LastTold) -> str:
    # what says nothing of how the run stands changes nothing in it
    told = {kind: entry for kind, entry in states.items() if kind != "OTHER"} or states
    return max((entry, kind) for kind, entry in told.items())[1]


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry[0])
