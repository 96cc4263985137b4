"""Changes of a source that were cleaned up before they were taken: no damage, a short promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.assets.fault import file_gone
from penstock.assets.pinned import PinnedChanges
from penstock.errors import InputError, PenstockError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.assets.pinned import PinnedInput
    from penstock.resources.table_log import TableLog

__all__ = ["changes_gone"]

_FILES, _LOG = "delta.deletedFileRetentionDuration", "delta.logRetentionDuration"
_DEFAULT = {_FILES: "interval 7 days", _LOG: "interval 30 days"}


def changes_gone(error: BaseException, inputs: Iterable[PinnedInput]) -> InputError | None:
    """What to raise for `error` when a source's changes are no longer there, else None.

    VACUUM deletes the files of versions that a reader of changes has not taken yet, and the log
    drops their commits. Raises LakeError when the source's log cannot be read.
    """
    if isinstance(error, PenstockError):  # told already
        return None
    for item in inputs:
        if not isinstance(item, PinnedChanges) or not item.after < item.version:
            continue
        log = item.table.read()
        if log is None:
            continue
        oldest = min((commit.version for commit in log.commits()), default=0)
        dropped = 0 <= item.after < oldest - 1
        deleted = item.after >= 0 and file_gone(error, item.table.path) and _vacuumed(item, log)
        if not (dropped or deleted):
            continue
        kept, by = (_LOG, "the log dropped") if dropped else (_FILES, "VACUUM deleted")
        promised = log.properties().get(kept, f"{_DEFAULT[kept]}, Delta's own")
        return InputError(
            f"{by} changes of the source of input {item.name} before they were taken",
            where=item.table.dataset,
            expected=f"the changes of versions {item.after + 1} to {item.version}",
            found=f"{kept} = {promised}",
            next_step="take the source whole for once: move this dataset's table away and run it "
            "again, or read it with table(...); and promise more: set that property, and "
            "promised_hours and retain_hours of the source's CompactionPolicy, above the longest "
            "time between two runs of this dataset",
        )
    return None


def _vacuumed(item: PinnedChanges, log: TableLog) -> bool:
    """Whether VACUUM may have run since the changes were made; else a missing file is damage."""
    if "://" in item.table.uri:  # Delta need not note it in a log on an object store
        return True
    return any(c.operation.startswith("VACUUM") for c in log.commits() if c.version > item.after)
