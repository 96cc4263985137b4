"""Slices that are closed: what was reported of them is not to change by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from penstock.assets.inputs.snapshot import PinnedTable
from penstock.assets.partitions.grain import after
from penstock.assets.partitions.grid import windows_of
from penstock.errors import DefinitionError, GateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from penstock.assets.dataset import Dataset
    from penstock.assets.resolve import Resolved

__all__ = ["REOPEN", "check_closes", "refuse_closed"]

#: Tag of a Dagster run that may change closed slices.
REOPEN = "penstock/reopen"


def refuse_closed(resolved: Resolved, now: datetime) -> None:
    """Raise GateError where the run would change a slice that is closed.

    A slice closes `closes_after` its end, once it was made; of a range the first one tells.
    """
    spec, slice_, previous = resolved.spec, resolved.slice, resolved.previous
    if spec.closes_after is None or previous is None or slice_.start is None:
        return
    closed = after(slice_.grain, slice_.start, slice_.zone) + spec.closes_after
    if now < closed:
        return
    raise GateError(
        "the slice is closed, and the run would change it",
        where=f"{spec.name} {slice_.key}",
        expected=f"no change after {closed:%Y-%m-%d %H:%M} UTC",
        found=f"other {', '.join(_changed(resolved, previous.facts or {})) or 'writers'}",
        next_step=f"leave it as it was reported; or penstock run {spec.name} --slice "
        f"'{slice_.key}' --reopen, in Dagster with the tag {REOPEN}=true, which its commit says",
    )


def _changed(resolved: Resolved, said: Mapping[str, Any]) -> Iterator[str]:
    """What of the run is not as the commit says of the one before."""
    spec = resolved.spec
    if not said:
        return
    if said["contract"]["fingerprint"] != spec.model.fingerprint():
        yield "contract"
    if said["code_version"] != spec.code_version:
        yield "code"
    known = {**said["inputs"], **said["references"]}
    for item in (*resolved.inputs, *resolved.references):
        was = known.get(item.name)
        if isinstance(item, PinnedTable) and was and was.get("table_id") == item.table_id:
            # a version in which nothing of the slice is another is the same
            if item.data_version > was["version"]:
                yield item.name
        elif was != item.document():
            yield item.name


def check_closes(spec: Dataset, where: str) -> None:
    """Raise DefinitionError for what is no time after which a slice could close."""
    closes: object = spec.closes_after
    if closes is None:
        return
    if not isinstance(closes, timedelta) or closes < timedelta():
        raise DefinitionError(
            "closes_after is no duration",
            where=where,
            expected="a datetime.timedelta, not below 0",
            found=repr(closes),
            next_step="write closes_after=timedelta(days=30)",
        )
    if windows_of(spec.partitions) is None:
        raise DefinitionError(
            "closes_after is of slices that end, and the dataset has none",
            where=where,
            expected="partitions of time, such as Daily(...)",
            found=spec.partitions.words if spec.partitions else "no partitions",
            next_step="leave closes_after= out, or cut the dataset by time",
        )
