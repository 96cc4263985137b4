"""How a run stands by the events that were told of it, in whatever order they came. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from penstock.lineage.graph.last_told import Entry, LastTold

__all__ = ["RunState"]

_SAID_BY_THE_RUN = ("COMPLETE", "FAIL")
_AT_WORK = ("RUNNING", "OTHER")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """`counts_from`: since when what it tells of columns is taken for done; None: it is not.

    What a run said itself stands above an ABORT that others said of it. A run that began or failed
    has moved nothing; one that completed has, whatever was said of it later, and one that tells
    what it does while it runs (a stream) is believed.
    """

    state: str
    started: datetime
    ended: datetime | None
    counts_from: datetime | None

    @classmethod
    def of(cls, states: LastTold) -> Self:
        """`states` holds the last event of each type."""
        said = max(_those(states, _SAID_BY_THE_RUN), default=None)
        live = _those(states, _AT_WORK)
        state = said[1] if said else "ABORT" if "ABORT" in states else _newest(states)
        ended = _moment(states[state][0]) if state in {*_SAID_BY_THE_RUN, "ABORT"} else None
        counted = states.get("COMPLETE") or (
            max(live)[0] if live and not (said or "ABORT" in states) else None
        )
        begun = states.get("START") or min(states.values())
        return cls(
            state=state,
            started=_moment(begun[0]),
            ended=ended,
            counts_from=_moment(counted[0]) if counted else None,
        )


def _those(states: LastTold, kinds: tuple[str, ...]) -> list[tuple[Entry, str]]:
    return [(entry, kind) for kind, entry in states.items() if kind in kinds]


def _newest(states: LastTold) -> str:
    # what says nothing of how the run stands changes nothing in it
    told = {kind: entry for kind, entry in states.items() if kind != "OTHER"} or states
    return max((entry, kind) for kind, entry in told.items())[1]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
