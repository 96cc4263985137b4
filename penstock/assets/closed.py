"""Slices that are closed: what was reported of them is not to change by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from penstock.assets.frames import table_rows
from penstock.assets.inputs.files import PinnedFiles
from penstock.assets.inputs.snapshot import PinnedTable
from penstock.assets.landing.slice_files import slice_files
from penstock.assets.modes import ReplaceSlice
from penstock.assets.partitions.grain import after
from penstock.assets.partitions.grid import windows_of
from penstock.assets.past import Past
from penstock.assets.resolve import own_columns
from penstock.assets.slice import Slice
from penstock.errors import DefinitionError, GateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import PinnedInput
    from penstock.assets.resolve import Resolved
    from penstock.assets.runtime import Runtime

__all__ = ["REOPEN", "check_closes", "stays_closed"]

#: Tag of a Dagster run that may change closed slices.
REOPEN = "penstock/reopen"


def stays_closed(resolved: Resolved, spark: SparkSession, runtime: Runtime) -> bool:
    """Whether the slice is closed, and nothing that it was made of is another.

    A slice closes `closes_after` its end, once it was made; of a range the first one tells. Raises
    GateError where the run would change it.
    """
    spec, slice_, previous = resolved.spec, resolved.slice, resolved.previous
    if spec.closes_after is None or previous is None or slice_.start is None:
        return False
    closed = after(slice_.grain, slice_.start, slice_.zone) + spec.closes_after
    if runtime.clock() < closed:
        return False
    if previous.facts is None and not _was_made(resolved, spark, runtime):
        return False
    changed = [*_changed(resolved, previous.facts)]
    if not changed:
        return True
    raise GateError(
        "the slice is closed, and the run would change it",
        where=f"{spec.name} {slice_.key}",
        expected=f"no change after {closed:%Y-%m-%d %H:%M} UTC",
        found=f"other {', '.join(changed)}",
        next_step=f"leave it as it was reported; or penstock run {spec.name} --slice "
        f"'{slice_.key}' --reopen, in Dagster with the tag {REOPEN}=true, which its commit says",
    )


def _was_made(resolved: Resolved, spark: SparkSession, runtime: Runtime) -> bool:
    """Whether a run made a part of the slice, or, as another writer came last, rows are in it."""
    past = Past.of(resolved.table, runtime.ledger.logs)
    if past and past.newest(resolved.slice, *own_columns(resolved.spec), ours=True):
        return True
    return bool(table_rows(resolved, spark).where(resolved.in_slice).take(1))


def _changed(resolved: Resolved, said: Mapping[str, Any] | None) -> Iterator[str]:
    """What of the run is not as the commit says of the one before, as far as it is of the slice."""
    spec = resolved.spec
    if not said:
        yield "writers"
        return
    if not Slice.from_document(said["slice"]).covers(resolved.slice):
        yield "slices"
    rules = [
        *(["contract"] if said["contract"]["fingerprint"] != spec.model.fingerprint() else []),
        *(["code"] if said["code_version"] != spec.code_version else []),
    ]
    # commits made before the rules were noted say the contract and the code alone
    yield from rules or ([] if said.get("rules") == resolved.rules else ["definition or masking"])
    known = {**said["inputs"], **said["references"]}
    for item in (*resolved.inputs, *resolved.references):
        was = known.get(item.name)
        if was is None or not _took_the_same(resolved, item, was):
            yield item.name


def _took_the_same(resolved: Resolved, item: PinnedInput, was: Mapping[str, Any]) -> bool:
    """Whether what the commit of this slice, or of a range around it, says is what is there now."""
    match item:
        case PinnedTable():
            # a version in which nothing of the slice is another is the same
            same = was.get("table_id") == item.table_id and item.data_version <= was["version"]
            return same and item.goes_on(was)
        case PinnedFiles():
            parts = slice_files(item.landing.files, resolved.slice, resolved.spec.partitions)
            took = {
                (file["name"], file["sha256"])
                for file in (*was.get("files", ()), *was.get("copies", ()))
                if any(part.has(item.landing.files, file["name"]) for part in parts)
            }
            return took == {(file.name, file.sha256) for file in (*item.files, *item.copies)}
        case _:
            return was == item.document()


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
    if not isinstance(spec.write, ReplaceSlice):
        raise DefinitionError(
            "closes_after is of slices that are replaced: added or merged rows may be of any other",
            where=where,
            expected="write=ReplaceSlice()",
            found=type(spec.write).__name__,
            next_step="leave closes_after= out, or write ReplaceSlice()",
        )
