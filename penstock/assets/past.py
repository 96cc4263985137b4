"""What a run must know of a table's past, found without reading the past.

The log is the truth. An index in the ledger remembers what runs ask of it, up to one commit, and is
held against the log before it is believed: that commit must be there, byte for byte, and what came
after it is taken in first. Where it is lost, belongs to another table, or a RESTORE undid commits,
it is made anew of the log (ADR 16).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.slice import WHOLE, Slice
from penstock.errors import ConflictError, LakeError
from penstock.ledger.past.log_index import Indexed, IndexedCommit, IndexedFile, LogIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog

__all__ = ["Past", "may_write"]

_TRIES = 20  # each lost one is another process's gain
_RETENTION = "delta.logRetentionDuration"
_DELTA_KEEPS = timedelta(days=30)  # where the table does not say
_INTERVAL = re.compile(r"interval (\d+) (day|week|month|year)s?", re.IGNORECASE)
_DAYS = {"day": 1, "week": 7, "month": 28, "year": 365}


@dataclass(frozen=True, slots=True)
class Past:
    """A table at its newest version, and what its commits up to there say."""

    log: TableLog
    _known: Indexed
    _index: LogIndex

    @classmethod
    def of(cls, table: Table, index: LogIndex) -> Self | None:
        """The past of `table`, None when it does not exist.

        Raises LakeError for a log that cannot be read, LedgerError, and ConflictError when others
        commit faster than this can be taken in.
        """
        for _ in range(_TRIES):
            known = index.known(table.uri)
            log = _held(table, known) if known else None
            if known and log and log.version > known.version:
                undone = any(commit.operation == "RESTORE" for commit in log.commits(known.version))
                known = None if undone else _taken_in(table, index, known, log)
            if known is None or log is None:
                log = table.read()
                if log is None:
                    return None
                known = _taken_in(table, index, None, log)
            if known:
                return cls(log, known, index)
        raise ConflictError(
            "the table gets commits faster than they can be read",
            where=table.dataset,
            next_step="run again when fewer writers are at work",
        )

    @property
    def table_id(self) -> str:
        """Delta's id of the table."""
        return self._known.table_id

    @property
    def digest(self) -> str:
        """SHA-256 of the newest commit's file, by which this very state is known again."""
        return self._known.digest

    def newest(
        self,
        slice_: Slice = WHOLE,
        column: str | None = None,
        values_column: str | None = None,
        *,
        ours: bool = False,
    ) -> Commit | None:
        """The newest commit that wrote rows of the slice; one of another writer counts as such.

        Unless `ours`: then runs alone do.

        With `column` or `values_column`, the slice is cut by these: a commit that is cut by another
        may hold any row of it.
        """
        return self._commit(
            self._index.newest(
                self._known,
                slice_.start,
                slice_.end,
                slice_.values,
                column=column,
                values_column=values_column,
                ours=ours,
            )
        )

    def gaps(
        self, slice_: Slice, column: str | None, values_column: str | None
    ) -> tuple[Slice, ...]:
        """The parts of the slice, cut by these columns, of which no run was.

        There are none where others wrote to the table, or a run that was not of such a slice: these
        may have made any row. Nothing is missing before the first slice that the table is to have,
        nor behind the last.
        """
        made = self._index.windows(
            self._known, slice_.start, slice_.end, column=column, values_column=values_column
        )
        newest = self.newest_of_ours() if made is not None else None
        said = (newest and newest.facts) or {}
        if made is None or "slices_from" not in said:
            return ()
        of, known = said["slice_values_column"], said["slices_of"]
        values = (slice_.values if of and of == values_column else ()) or known or ()
        if known is not None:  # a value that the table is not to have is not missing
            values = [value for value in values if value in known]
            if not values:
                return ()
        each = (*((value,) for value in values),) or ((),)
        if slice_.start is None or slice_.end is None:
            has = {value for _, _, of in made for value in of}
            return tuple(Slice(values=of) for of in each if of and not set(of) <= has)
        begins = max((slice_.start, *_moments(said["slices_from"])))
        ends = min((slice_.end, *_moments(said["slices_to"])))
        return tuple(
            Slice(start=start, end=end, zone=slice_.zone, grain=slice_.grain, values=of)
            for of in each
            for start, end in _not_in(
                begins,
                ends,
                [
                    (low, high)
                    for low, high, has in made
                    if low and high and _is_made(of, has, cut=said["slice_values_column"])
                ],
            )
        )

    def newest_of_ours(self) -> Commit | None:
        """The newest commit of a run that changed rows."""
        return self._commit(self._index.newest(self._known, ours=True))

    def was_made_of(self, **said: str) -> bool:
        """Whether a commit in force says all this of an input, whatever its name. Reads all."""
        inputs = (c.facts.get("inputs", {}) for c in self.log.commits_in_force() if c.facts)
        return any(
            all(item.get(name) == value for name, value in said.items())
            for each in inputs
            for item in each.values()
        )

    def refuse_cloned(self) -> None:
        """Raise LakeError where no run wrote since the table was made by CLONE.

        Which files and changes its rows were made of is in the log of another table.
        """
        clone = self._index.newest_clone(self._known)
        ours = self._index.newest(self._known, ours=True)
        if clone is None or (ours is not None and ours > clone):
            return
        raise LakeError(
            "what the table's rows were taken from is not in its log: it was made by CLONE",
            where=self.log.where,
            expected="commits of runs that name the files or the versions they took",
            found=f"version {clone} is of the operation CLONE",
            next_step="copy the whole folder of the table, with its _delta_log, in place of the "
            "clone; or move the clone away and run again: the dataset is made anew of all that is "
            "there. Taking it all into the clone would take rows twice",
        )

    def newest_take(self, name: str, dataset: str) -> Commit | None:
        """The newest commit in force that says how far input `name`, `dataset`, was taken."""
        return self._commit(self._index.newest_take(self._known, name, dataset))

    def taken(self, name: str, dataset: str) -> Mapping[str, Any] | None:
        """What the newest commit says that took `dataset` as its input `name`; None: none did.

        Raises LakeError where that commit may have left the log.
        """
        self.refuse_cloned()
        if commit := self.newest_take(name, dataset):
            said: Mapping[str, Any] = (commit.facts or {})["inputs"][name]
            return said
        if self.log.commit(0) is None:
            raise LakeError(
                f"how far {name} was taken is no longer in the table's log",
                where=self.log.where,
                expected="a commit in _delta_log that names the version of its input",
                next_step="rebuild the dataset from the whole input in a new table; "
                "appending now could take rows twice",
            )
        return None

    def files(self, *, names: Iterable[str] = (), digests: Iterable[str] = ()) -> list[IndexedFile]:
        """Landing files that commits in force name, by these names or contents; oldest first.

        Those a commit saw and did not load count too: the commit that loaded them may have left
        the log.
        """
        return self._index.files(self._known, names, digests)

    def log_kept(self) -> timedelta:
        """For how long a commit stays in the log at least, as far as the table says."""
        said = self._known.properties.get(_RETENTION)
        if said is None:
            return _DELTA_KEEPS
        found = _INTERVAL.fullmatch(said.strip())
        return timedelta(days=int(found[1]) * _DAYS[found[2].lower()]) if found else timedelta()

    def rows(self) -> int | None:
        """Rows in the table, counted once for each version; None when its log does not say."""
        if self._known.rows is not None:
            return self._known.rows
        rows = self.log.rows()
        if rows is not None:
            self._index.count(self._known, rows)
        return rows

    def _commit(self, version: int | None) -> Commit | None:
        # what has left the log is no longer known, with the index as without it
        return None if version is None else self.log.commit(version)


def may_write(commit: Commit, slice_: Slice, column: str | None, values_column: str | None) -> bool:
    """Whether the commit may have written rows of the slice, cut by these: what `newest` asks."""
    said = _indexed(commit)
    if not said.changes_rows or not said.ours:
        return said.changes_rows
    of = Slice.from_document((commit.facts or {})["slice"])
    if column is not None and said.column != column:
        of = of.of_values()
    if values_column is not None and said.values_column != values_column:
        of = of.of_times()
    return of.overlaps(slice_)


def _is_made(of: tuple[str, ...], has: tuple[str, ...], *, cut: str | None) -> bool:
    """Whether a run of the values `has`, or of all, made the value, or all of a table `cut` so.

    Which values there are to be is not known of those that are not told beforehand.
    """
    if not has:
        return True
    return set(of) <= set(has) if of else cut is not None


def _moments(said: str | None) -> tuple[datetime, ...]:
    return (datetime.fromisoformat(said),) if said else ()


def _not_in(
    start: datetime, end: datetime, made: Iterable[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    """The windows from `start` to `end` that none of `made` has."""
    for low, high in sorted(made):
        if low >= end:
            break
        if low > start:
            yield start, low
        start = max(start, high)
    if start < end:
        yield start, end


def _held(table: Table, known: Indexed) -> TableLog | None:
    """The newest state of the log that is `known`; None where another one lies there."""
    log = table.at(known.version, known.table_id)
    return log.newest() if log.digest(known.version) == known.digest else None


def _taken_in(
    table: Table, index: LogIndex, before: Indexed | None, log: TableLog
) -> Indexed | None:
    """The index brought to the state of `log`; None where another process was first."""
    listed = list(log.commits(before.version) if before else log.commits_in_force())
    if before is None or any(commit.alters for commit in listed):
        table_id, properties = log.table_id, log.properties()
    else:
        table_id, properties = before.table_id, before.properties
    now = Indexed(
        version=log.version,
        # where only a checkpoint is left of it, it is not known again
        digest=log.digest(log.version) or "",
        table_id=table_id,
        properties=properties,
    )
    index.take_in(table.uri, before, now, [_indexed(commit) for commit in reversed(listed)])
    known = index.known(table.uri)
    same = known and (known.version, known.digest) == (now.version, now.digest)
    return known if same else None


def _indexed(commit: Commit) -> IndexedCommit:
    facts = commit.facts
    if facts is None or "slice" not in facts:
        return IndexedCommit(
            version=commit.version,
            changes_rows=commit.changes_rows,
            clone=commit.operation == "CLONE",
        )
    slice_ = Slice.from_document(facts["slice"])
    replaces = facts.get("write", "ReplaceSlice") == "ReplaceSlice"
    inputs: dict[str, Any] = facts.get("inputs", {})
    return IndexedCommit(
        version=commit.version,
        changes_rows=commit.changes_rows,
        ours=True,
        start=slice_.start,
        end=slice_.end,
        # what is added or merged may change rows of other slices
        column=facts.get("slice_column") if replaces else None,
        values=slice_.values,
        values_column=facts.get("slice_values_column") if replaces else None,
        takes=frozenset(
            (name, item["dataset"])
            for name, item in inputs.items()
            # what is read by slice says nothing of the rows of the others
            if "after" in item or "up_to" in item or ("version" in item and slice_.whole)
        ),
        files=tuple(_files(commit, inputs)),
    )


def _files(commit: Commit, inputs: dict[str, Any]) -> Iterator[IndexedFile]:
    for name, item in inputs.items():
        # what was loaded is the last word of a commit
        named = {f["name"]: f for f in (*item.get("copies", ()), *item.get("files", ()))}
        for file in named.values():
            yield IndexedFile(
                input=name,
                name=file["name"],
                day=file.get("day"),
                sha256=file["sha256"],
                said_at=commit.at,
            )
