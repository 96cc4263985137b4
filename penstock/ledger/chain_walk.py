"""A walk over events in order of sequence, that finds what is not as it was appended."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.errors import InputError
from penstock.events.shape import event_shape
from penstock.ledger.chain import FIRST_LINK, digest_of, link_after

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ChainEnd", "ChainWalk", "Fault", "ends_document", "ends_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """Where a namespace's chain ends: how many events, and the last link."""

    position: int
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it was appended; `sequence` is None when no one event is meant."""

    what: str
    namespace: str | None
    sequence: int | None


@dataclass(slots=True)
class ChainWalk:
    """Where the walk stands: the last sequence, and the end of each namespace's chain there."""

    sequence: int = 0
    ends: dict[str, ChainEnd] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    events: int = 0

    def take(self, row: Mapping[str, Any]) -> None:
        """Look at the next event."""
        self.events += 1
        if row["sequence"] != self.sequence + 1:
            self._blame(f"follows sequence {self.sequence}: events are missing between", row)
        self.sequence = row["sequence"]
        if wrong := _misfit(row):
            self._blame(wrong, row)
        before = self.ends.get(row["namespace"], ChainEnd(position=0, link=FIRST_LINK))
        if row["position"] != before.position + 1:
            self._blame(
                f"is number {row['position']} of its namespace after number {before.position}", row
            )
        link = link_after(
            before.link,
            namespace=row["namespace"],
            position=row["position"],
            sequence=row["sequence"],
            recorded_at=row["recorded_at"],
            payload_hash=row["payload_hash"],
        )
        if link != row["link"]:
            self._blame("is not linked to the event before it, or was changed", row)
        # on with the link that stands there: one changed event is one fault, not all that follow
        self.ends[row["namespace"]] = ChainEnd(position=row["position"], link=row["link"])

    def jump(self, sequence: int, ends: Mapping[str, ChainEnd]) -> None:
        """On from there, without having seen what is before."""
        self.sequence, self.ends = sequence, dict(ends)

    def blame(self, what: str) -> None:
        """A fault that is of no one event."""
        self.faults.append(Fault(what=what, namespace=None, sequence=None))

    def _blame(self, what: str, row: Mapping[str, Any]) -> None:
        self.faults.append(Fault(what=what, namespace=row["namespace"], sequence=row["sequence"]))


def ends_document(ends: Mapping[str, ChainEnd]) -> str:
    """The ends as the archive table keeps them."""
    told = {name: {"position": end.position, "link": end.link} for name, end in ends.items()}
    return json.dumps(told, sort_keys=True)


def ends_of(document: str) -> dict[str, ChainEnd]:
    """The ends in an `ends_document`."""
    return {namespace: ChainEnd(**end) for namespace, end in json.loads(document).items()}


def _misfit(row: Mapping[str, Any]) -> str | None:
    """What the row's columns say otherwise than its payload."""
    try:
        payload = json.loads(row["payload"])
        if digest_of(row["payload"]) != row["payload_hash"]:  # the text is what was hashed
            return "its payload is not what its hash is of"
        shape = event_shape(payload, "event")
    except (ValueError, InputError):
        return "its payload is no event"
    told = {
        "namespace": shape.namespace,
        "job": shape.job.name if shape.job else None,
        "run_id": str(shape.run.runId) if shape.run else None,
        "event_type": shape.eventType,
        "event_time": shape.eventTime,
    }
    wrong = [name for name, value in told.items() if row[name] != value]
    return f"its {wrong[0].replace('_', ' ')} is not what its payload says" if wrong else None
