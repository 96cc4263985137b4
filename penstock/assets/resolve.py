"""Step 1, resolve: inputs at pinned versions, and the token that makes a run idempotent.

The content of a run is everything its result depends on: inputs, contract, code and slice. When
the newest commit of the slice has the same content there is nothing to do. Otherwise the token is
made of the content and of the commit it follows, so a retry has the same token, and going back to
an earlier content does not. The transaction is made of the commit alone: two runs that follow the
same one and read different inputs are a race, and only one of them may commit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from penstock.assets.inputs import Changes, Landing, Snapshot
from penstock.assets.landing.file import TakenFile, inspect_file
from penstock.assets.modes import Append, Merge, Overwrite, ReplaceSlice, Scd2, WriteMode
from penstock.assets.pinned import Net, PinnedChanges, PinnedFiles, PinnedInput, PinnedTable
from penstock.assets.slice import WHOLE, Slice
from penstock.errors import DefinitionError, InputError, LakeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from penstock.assets.dataset import Dataset
    from penstock.resources.lake import Lake, LandingFile, Table
    from penstock.resources.table_log import Commit, TableLog

__all__ = ["Resolved", "resolve"]

_DAYS_NAMED = 5  # of those that lack a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a run is going to do, decided before anything is read."""

    spec: Dataset
    slice: Slice
    inputs: tuple[PinnedInput, ...]
    references: tuple[PinnedTable, ...]
    table: Table
    quarantine: Table
    state: TableLog | None = field(repr=False)
    previous: Commit | None
    content: str
    token: str
    transaction: str
    unchanged: bool

    @property
    def expects_bad_rows(self) -> bool:
        """Whether the commit this one follows set rows aside."""
        facts = self.previous.facts if self.previous else None
        return bool(facts and facts["rows_quarantined"])


def resolve(spec: Dataset, slice_: Slice, lake: Lake, *, key_id: str | None = None) -> Resolved:
    """Pin the inputs of `spec` for `slice_`. Reads table logs and landing files, no Spark.

    `key_id` names the key that tokens are made with: another key is another content.

    Raises InputError for an input that is not there, LakeError for a damaged log.
    """
    if slice_.whole is not (spec.partitions is None):
        raise DefinitionError(
            "the dataset is partitioned and the run has no slice"
            if spec.partitions
            else "the dataset has no partitions and the run has a slice",
            where=spec.name,
            found=slice_.key,
            next_step="pass a slice like 2013-01-05" if spec.partitions else "run it whole",
        )
    table, quarantine = lake.table(spec.name), lake.quarantine(spec.name)
    state = table.read()
    own = [c for c in state.commits_in_force() if c.facts] if state else []
    previous = _newest_of_slice(state, slice_) if state else None
    inputs = tuple(_pin(spec, name, slice_, lake, state, own) for name in spec.inputs)
    names = {key.references for key in spec.model.foreign_keys}
    references = tuple(
        _pin_table(name, Snapshot(dataset=name), WHOLE, lake) for name in sorted(names)
    )
    content = _digest(
        {
            "dataset": spec.name,
            "slice": slice_.document(),
            "contract": spec.model.fingerprint(),
            "code": spec.code_version,
            "definition": spec.definition,
            "masking": spec.masking.document() if spec.masking else None,
            "key": key_id,
            "inputs": {item.name: item.content() for item in inputs},
            "references": {item.name: item.content() for item in references},
        }
    )
    facts = previous.facts if previous else None
    same = facts is not None and facts["content"] == content and facts["slice"] == slice_.document()
    return Resolved(
        spec=spec,
        slice=slice_,
        inputs=inputs,
        references=references,
        table=table,
        quarantine=quarantine,
        state=state,
        previous=previous,
        content=content,
        token=_digest({"content": content, "follows": previous.version if previous else None}),
        transaction=_transaction(spec, slice_, state, previous),
        unchanged=same or (facts is not None and _nothing_new(inputs)),
    )


def _transaction(
    spec: Dataset, slice_: Slice, state: TableLog | None, previous: Commit | None
) -> str:
    """What runs have in common of which only one may commit: the commit they follow.

    Runs of other slices do not disturb one that replaces its slice. Where what was taken before
    counts, any newer commit does; and a table is created once.
    """
    if state is None:
        return _digest({"dataset": spec.name, "creates": True})
    if isinstance(spec.write, ReplaceSlice):
        part, followed = slice_.document(), previous
    else:
        part, followed = None, _newest_of_slice(state, WHOLE)
    follows = followed.version if followed else None
    return _digest({"dataset": spec.name, "slice": part, "follows": follows})


def _nothing_new(inputs: tuple[PinnedInput, ...]) -> bool:
    """Whether every input is one that is taken once, and all of it was."""
    return all(
        (isinstance(item, PinnedChanges) and item.after == item.version)
        or (isinstance(item, PinnedFiles) and not item.files)
        for item in inputs
    )


def _newest_of_slice(state: TableLog, slice_: Slice, column: str | None = None) -> Commit | None:
    """The newest commit that wrote rows of the slice; one of another writer counts as such.

    With `column`, the slice is cut by that column: a commit that is cut by another may hold any
    row of it.
    """
    for commit in state.commits():
        if not commit.changes_rows:
            continue
        facts = commit.facts
        if facts is None or (column and facts.get("slice_column") != column):
            return commit
        if slice_.overlaps(Slice.from_document(facts["slice"])):
            return commit
    return None


def _pin(
    spec: Dataset, name: str, slice_: Slice, lake: Lake, state: TableLog | None, own: list[Commit]
) -> PinnedInput:
    match spec.inputs[name]:
        case Snapshot() as snapshot:
            return _pin_table(name, snapshot, slice_, lake)
        case Changes() as changed:
            return _pin_changes(name, changed, spec.write, lake, state, own)
        case Landing() as landed:
            return _pin_files(spec, name, landed, _arrived(name, landed, slice_, lake), own)


def _opened(name: str, dataset: str, lake: Lake) -> tuple[Table, TableLog]:
    table = lake.table(dataset)
    log = table.read()
    if log is None:
        raise InputError(
            f"input {name} has never been written",
            where=dataset,
            expected=f"a Delta table at {table.path}",
            next_step=f"materialize {dataset} first: penstock run {dataset}",
        )
    return table, log


def _pin_table(name: str, snapshot: Snapshot, slice_: Slice, lake: Lake) -> PinnedTable:
    table, log = _opened(name, snapshot.dataset, lake)
    part = slice_.widened(snapshot.lookback) if snapshot.slice_by else WHOLE
    newest = _newest_of_slice(log, part, snapshot.slice_by)
    return PinnedTable(
        name=name,
        table=table,
        table_id=log.table_id,
        version=log.version,
        data_version=newest.version if newest else 0,
        slice_by=snapshot.slice_by,
        slice=part,
    )


def _pin_changes(
    name: str,
    changed: Changes,
    write: WriteMode,
    lake: Lake,
    state: TableLog | None,
    own: list[Commit],
) -> PinnedChanges:
    table, log = _opened(name, changed.dataset, lake)
    after = -1
    for commit in own:
        facts = (commit.facts or {}).get("inputs", {}).get(name)
        if facts and facts.get("dataset") == changed.dataset:
            after = facts["version"]
            _refuse_made_anew(name, facts, table, log, state)
            break
    else:
        if state and min((c.version for c in state.commits()), default=0) > 0:
            raise LakeError(
                f"how far {name} was taken is no longer in the table's log",
                where=state.where,
                expected="a commit in _delta_log that names the version of its input",
                next_step="rebuild the dataset from the whole input in a new table; "
                "appending now could take rows twice",
            )
    rewritten = [c for c in log.commits() if c.changes_rows]  # the newest first
    version = max(after, rewritten[0].version if rewritten else 0)
    between = [c for c in rewritten if after < c.version]
    # what another writer did since does not change what a row of the table is
    facts = next((c.facts for c in rewritten if c.facts), None) or {}
    table_key = tuple(facts.get("row_key") or ())
    apart = _apart(write, changed, table_key, {column.name for column in log.columns()})
    net = _net(write, apart, between)
    # the table holds the newest of each row, and no other
    newest = bool(facts) and bool(rewritten[0].facts) and {*table_key} == {*apart}
    return PinnedChanges(
        name=name,
        table=table,
        table_id=log.table_id,
        after=after,
        version=version,
        net=net,
        key=changed.key,
        apart=apart,
        feed=after >= 0 or (net is Net.NEWEST and not newest and _has_all_changes(table, log)),
    )


def _apart(
    write: WriteMode, changed: Changes, table_key: tuple[str, ...], columns: set[str]
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
            return (*key, moment) if moment in columns else ()
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
    name: str, taken: Mapping[str, Any], table: Table, log: TableLog, state: TableLog | None
) -> None:
    """Raise InputError unless what was `taken` before is of the same table.

    A table that was replaced in place has another id and the same log: its changes go on.
    """
    version, before = taken["version"], taken.get("table_id")
    now = log.table_id
    if version <= log.version and (
        before in (None, now)  # commits made before ids were noted say the version alone
        or log.id_at(version) == before
    ):
        return
    raise InputError(
        f"the source of input {name} is not the table whose changes were taken: it was made anew",
        where=table.dataset,
        expected=f"the table{f' {before}' if before else ''}, taken up to version {version}",
        found=f"{'the' if before == now else 'another'} table {now} at version {log.version}",
        next_step=f"put the old table back at {table.path}; or move "
        f"{state.where if state else 'this dataset'} away and run it again: it begins anew with "
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


def _taken(own: list[Commit]) -> frozenset[tuple[str | None, str]]:
    """Identities of the landing files that commits of the table took.

    Those a commit saw and did not load count too: the commit that took them may have left the log.
    """
    return frozenset(
        (file.get("day"), file["sha256"])
        for commit in own
        for item in (commit.facts or {}).get("inputs", {}).values()
        for file in (*item.get("files", ()), *item.get("copies", ()))
    )


def _last_taken(own: list[Commit]) -> dict[str, str]:
    """The SHA-256 of each landing file by its name, as the newest commit that took it saw it."""
    last: dict[str, str] = {}
    for commit in own:
        for item in (commit.facts or {}).get("inputs", {}).values():
            for file in (*item.get("files", ()), *item.get("copies", ())):
                last.setdefault(file["name"], file["sha256"])
    return last


def _pin_files(
    spec: Dataset, name: str, landed: Landing, arrived: list[TakenFile], own: list[Commit]
) -> PinnedFiles:
    """Which files the run takes: all where rows are replaced, else those not taken yet."""
    files: list[TakenFile] = []
    copies: list[TakenFile] = []
    match spec.write:
        case Merge() | Scd2():
            # bytes that came before may say that a row is again as it was
            last = _last_taken(own)
            for file in arrived:
                (copies if last.get(file.name) == file.sha256 else files).append(file)
            apart = spec.row_key if {*spec.row_key}.isdisjoint(landed.derived) else ()
        case Overwrite() | ReplaceSlice() | Append():
            apart = ()
            seen = set(_taken(own)) if isinstance(spec.write, Append) else set()
            for file in arrived:
                # commits made before days were noted say the content alone
                known = not seen.isdisjoint({file.identity, (None, file.sha256)})
                (copies if known else files).append(file)
                seen.add(file.identity)
        case _:
            assert_never(spec.write)
    return PinnedFiles(
        name=name, landing=landed, files=tuple(files), copies=tuple(copies), apart=apart
    )


def _arrived(name: str, landed: Landing, slice_: Slice, lake: Lake) -> list[TakenFile]:
    """The files of the slice that are there. Raises InputError for a day that has none."""
    found: list[tuple[LandingFile, date | None]] = []
    missing = []
    for pattern, day in landed.patterns(slice_.days()):
        arrived = lake.landing_files(pattern)
        found += [(file, day) for file in arrived]
        missing += [] if arrived else [str(day or slice_.key)]
    if missing:
        # a day without a file is not a day without rows: it would be replaced by nothing
        more = f" and {len(missing) - _DAYS_NAMED} more" if missing[_DAYS_NAMED:] else ""
        raise InputError(
            f"no file has arrived for input {name}",
            where=f"{lake.landing}/{landed.pattern}",
            expected=f"at least one file for each day of {slice_.key}"
            if slice_.days()[1:]
            else f"at least one file for {slice_.key}",
            found=f"none for {', '.join(missing[:_DAYS_NAMED])}{more}",
            next_step="wait for the file, run the days that have arrived, or correct the pattern "
            "of landing(...)",
        )
    return [inspect_file(lake, file, day) for file, day in found]


def _digest(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
