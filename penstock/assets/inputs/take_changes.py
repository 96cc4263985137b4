"""Which commits of a source a run takes the changes of, and how they become rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.assets.inputs.changes import Net, PinnedChanges
from penstock.assets.inputs.tables import opened
from penstock.assets.inputs.taken import taken
from penstock.assets.modes import Merge, Scd2, WriteMode
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.inputs.changes import Changes
    from penstock.assets.inputs.kind import Asked
    from penstock.assets.past import Past
    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog

__all__ = ["pin_changes"]


def pin_changes(asked: Asked, changed: Changes) -> PinnedChanges:
    """The changes that the run's table has not taken yet.

    Raises InputError for a source that is not there, was made anew, or was taken under another name
    where its rows would be added again, and LakeError where it is no longer known how far it was
    taken.
    """
    name, write, own = asked.name, asked.spec.write, asked.past
    table, past = opened(name, changed.dataset, asked.runtime.lake, asked.runtime.ledger.logs)
    after = _taken_up_to(asked, changed, table, past)
    between = [c for c in past.log.commits(after) if c.changes_rows]  # the newest first
    newest, ours = past.newest(), past.newest_of_ours()
    # what another writer did since does not change what a row of the table is
    facts = ours.facts if ours and ours.facts else {}
    table_key = tuple(facts.get("row_key") or ())
    apart = _apart(write, changed, table_key, past.log)
    net = _net(write, apart, between)
    # the table holds the newest of each row, and no other
    only = ours is not None and ours == newest and {*table_key} == {*apart}
    from_the_first = net is Net.NEWEST and not only and _has_all_changes(table, past.log)
    if (
        changed.deletes
        and own is not None
        and after < 0
        and own.was_made_of(dataset=changed.dataset)
    ):
        # what was taken out before is in the table that this one was made of
        from_the_first = True
        if not _has_all_changes(table, past.log):
            raise InputError(
                f"what was taken out of the source of input {name} is not known from the beginning",
                where=table.dataset,
                expected="a table whose changes were taken before with what was taken out, or can "
                "be read from the first",
                found=f"{own.log.where} has rows, and no commit that took such changes as {name}",
                next_step=f"move {own.log.where} away and run again: it begins anew with all rows "
                "that there are",
            )
    version = max(after, newest.version if newest else 0)
    return PinnedChanges(
        name=name,
        table=table,
        table_id=past.table_id,
        log=past.log,
        digest=past.digest,
        after=after,
        version=version,
        data_digest=past.log.digest(version) or "",
        net=net,
        key=changed.key,
        apart=apart,
        feed=after >= 0 or from_the_first,
        deletes=changed.deletes,
        removals=any(commit.may_remove for commit in between),
    )


def _taken_up_to(asked: Asked, changed: Changes, table: Table, past: Past) -> int:
    """The version up to which the changes were taken, -1 when none were.

    Those that were taken without `deletes` do not say what was taken out.
    """
    before = taken(asked, table.dataset)
    if asked.past is None or before is None:
        return -1
    _refuse_made_anew(asked.name, before, table, past.log, asked.past.log)
    # commits of before it was noted do not say: they are taken for what the dataset is now
    lacks = changed.deletes is not None and before.get("deletes") is False
    return -1 if lacks else int(before["version"])


def _apart(
    write: WriteMode, changed: Changes, table_key: tuple[str, ...], log: TableLog
) -> tuple[str, ...]:
    """The columns that tell the rows of an input apart, none where they are not known.

    A table that keeps versions has several rows of a key: each of them is a row of its own, and
    which is the newest is for the function to say.
    """
    key = changed.key
    match write:
        case Merge() if key:
            return table_key if {*key} < {*table_key} else key
        case Scd2() if key:
            moment = changed.valid_from or write.valid_from
            there = any(column.name == moment for column in log.columns())
            return (*key, moment) if there else ()
        case _:
            return ()


def _has_all_changes(table: Table, log: TableLog) -> bool:
    """Whether the changes can be read from the first commit on, as far as the log says.

    Delta need not note a VACUUM in a log on an object store: what was taken out may be gone there.
    """
    first = None
    for commit in log.commits():
        if commit.operation.startswith(("VACUUM", "OPTIMIZE", "REORG")):
            return False
        if "://" in table.uri and commit.changes_rows and not commit.only_adds:
            return False
        first = commit
    # a table that Penstock made keeps a change feed from the beginning
    return first is not None and first.version == 0 and first.facts is not None


def _refuse_made_anew(
    name: str, taken: Mapping[str, Any], table: Table, log: TableLog, state: TableLog
) -> None:
    """Raise InputError unless what was `taken` before is of the same table.

    A table that was replaced in place has another id and the same log: its changes go on.
    """
    version, before = taken["version"], taken.get("table_id")
    now = log.table_id
    # commits of before these were noted say less; a log that was cleaned up does, too
    digest, said = log.digest(version), taken.get("data_digest")
    if version <= log.version and (
        (before in (None, now) or log.id_at(version) == before)
        and (digest is None or said in (None, "", digest))
    ):
        return
    raise InputError(
        f"the source of input {name} is not the table whose changes were taken: it was made anew",
        where=table.dataset,
        expected=f"the table{f' {before}' if before else ''}, taken up to version {version}",
        found=f"{'the' if before == now else 'another'} table {now} at version {log.version}"
        + (", put back and written on" if before == now and version <= log.version else ""),
        next_step=f"put the old table back at {table.path}; or move "
        f"{state.where} away and run it again: it begins anew with "
        "all rows of the new table",
    )


def _net(write: WriteMode, apart: tuple[str, ...], between: list[Commit]) -> Net:
    only_adds = all(commit.only_adds for commit in between)
    match write:
        case Merge() | Scd2() if apart:
            return Net.ADDED if only_adds and len(between) == 1 else Net.NEWEST
        case Scd2():
            return Net.ADDED if only_adds else Net.VERSIONS
        case _:
            return Net.ADDED if only_adds else Net.BALANCE
