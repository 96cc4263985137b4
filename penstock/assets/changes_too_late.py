"""What can no longer be read of a source: no damage, but it was not taken in time.

Changes were cleaned up, or the source got other columns and Delta reads no change across that. Of a
table that others write files may go while they are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.assets.fault import file_gone
from penstock.assets.inputs.changes import PinnedChanges
from penstock.assets.inputs.external import PinnedExternal
from penstock.assets.raised import conditions
from penstock.errors import InputError, PenstockError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.assets.inputs.kind import PinnedInput
    from penstock.resources.table_log import TableLog

__all__ = ["changes_too_late"]

_FILES, _LOG = "delta.deletedFileRetentionDuration", "delta.logRetentionDuration"
_DEFAULT = {_FILES: "interval 7 days", _LOG: "interval 30 days"}
_WHOLE = "take the source whole for once: move this dataset's table away and run it again"
# of a commit that changed the columns and took rows out Delta reads the old files as the new ones
_OTHER_COLUMNS = ("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_", "FAILED_READ_FILE.PARQUET_COLUMN_")


def changes_too_late(error: BaseException, inputs: Iterable[PinnedInput]) -> PenstockError | None:
    """What to raise for `error` when a source can no longer be read as pinned, else None.

    Raises LakeError when the source's log cannot be read.
    """
    if isinstance(error, PenstockError):  # told already
        return None
    for item in inputs:
        if isinstance(item, PinnedExternal) and file_gone(error, item.table.path):
            return SourceError(
                f"files of the table that input {item.name} reads are gone",
                where=f"{item.dataset} at {item.external.place}, version {item.version}",
                next_step="run again: a newer version is read then. Its owner's VACUUM is to keep "
                "files for longer than a run takes; nothing was committed",
            )
        if not isinstance(item, PinnedChanges) or not item.after < item.version:
            continue
        log = item.table.read()
        if log is None:
            continue
        told = _cleaned_up(error, item, log) or _of_other_columns(error, item, log)
        if told:
            return told
    return None


def _cleaned_up(error: BaseException, item: PinnedChanges, log: TableLog) -> InputError | None:
    """VACUUM deletes files that nobody took yet, and the log drops old commits."""
    oldest = min((commit.version for commit in log.commits()), default=0)
    dropped = 0 <= item.after < oldest - 1
    deleted = item.after >= 0 and file_gone(error, item.table.path) and _vacuumed(item, log)
    if not (dropped or deleted):
        return None
    kept, by = (_LOG, "the log dropped") if dropped else (_FILES, "VACUUM deleted")
    promised = log.properties().get(kept, f"{_DEFAULT[kept]}, Delta's own")
    return InputError(
        f"{by} changes of the source of input {item.name} before they were taken",
        where=item.table.dataset,
        expected=f"the changes of versions {item.after + 1} to {item.version}",
        found=f"{kept} = {promised}",
        next_step=f"{_WHOLE}, or read it with table(...); and promise more: set that property, and "
        "promised_hours and retain_hours of the source's CompactionPolicy, above the longest "
        "time between two runs of this dataset",
    )


def _of_other_columns(
    error: BaseException, item: PinnedChanges, log: TableLog
) -> InputError | None:
    if not any(name.startswith(_OTHER_COLUMNS) for name in conditions(error)):
        return None
    now = {column.name: column.type for column in log.columns_at(item.version) or ()}
    for version in range(item.version - 1, max(item.after, 0) - 1, -1):
        before = {column.name: column.type for column in log.columns_at(version) or ()}
        changed = sorted(name for name, type_ in before.items() if now.get(name) != type_)
        if changed:
            break
    else:
        return None
    told = ", ".join(f"{name} {before[name]} -> {now.get(name, 'gone')}" for name in changed)
    return InputError(
        f"the source of input {item.name} got other columns before its changes were taken",
        where=item.table.dataset,
        expected=f"a run that took its changes up to version {version}, before it did",
        found=f"version {version + 1}: {told}; taken up to version {item.after}",
        next_step=f"{_WHOLE}, or read it with table(...); next time run this dataset before the "
        "source's columns change",
    )


def _vacuumed(item: PinnedChanges, log: TableLog) -> bool:
    """Whether VACUUM may have run since the changes were made; else a missing file is damage."""
    if "://" in item.table.uri:  # Delta need not note it in a log on an object store
        return True
    return any(c.operation.startswith("VACUUM") for c in log.commits() if c.version > item.after)
