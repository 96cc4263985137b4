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
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.assets.inputs.kind import Asked, Held, PinnedInput
from penstock.assets.inputs.snapshot import PinnedTable, Snapshot, pin_table
from penstock.assets.modes import Overwrite, ReplaceSlice
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.assets.past import Past
from penstock.assets.slice import WHOLE, Slice
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.runtime import Runtime
    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog

__all__ = ["Resolved", "own_columns", "resolve"]

_FEW_BYTES = 32 * 1024**2  # of data files: their rows are one task's to sort


class Transaction(NamedTuple):
    """What Delta is told of a commit: it takes a version above those that it has seen alone."""

    id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a run is going to do, decided before anything is read.

    `previous` is the newest commit of the slice, `last` that of any slice. `standing` is the
    content without what is taken once, `rules` without all that is read.
    """

    spec: Dataset
    slice: Slice
    inputs: tuple[PinnedInput, ...]
    references: tuple[PinnedTable, ...]
    table: Table
    quarantine: Table
    state: TableLog | None = field(repr=False)
    previous: Commit | None
    last: Commit | None
    content: str
    standing: str
    rules: str
    token: str
    transaction: Transaction
    unchanged: bool

    @property
    def in_slice(self) -> str:
        """SQL, true for the table's rows that are of the slice."""
        partitions = self.spec.partitions
        return partitions.predicate(self.slice, self.spec.model) if partitions else "true"

    @property
    def expects_bad_rows(self) -> bool:
        """Whether rows were set aside the last time: a source seldom mends overnight."""
        return bool(self._facts.get("rows_quarantined"))

    @property
    def found_something(self) -> bool:
        """Whether a check found a row the last time, if only to count it."""
        return self.expects_bad_rows or any(self._facts.get("warned", {}).values())

    @property
    def wrote_little(self) -> bool:
        """Whether the last commit was small; of a table that is new nothing is known."""
        written = self.last.written_bytes if self.last else None
        return written is not None and written <= _FEW_BYTES

    @property
    def _facts(self) -> Mapping[str, Any]:
        newest = self.previous or self.last
        return (newest and newest.facts) or {}


def resolve(
    spec: Dataset,
    slice_: Slice,
    runtime: Runtime,
    held: Held,
    spark: SparkSession,
    *,
    key_id: str | None = None,
) -> Resolved:
    """Pin the inputs of `spec` for `slice_`. Reads table logs and looks at sources.

    Of Spark no more is asked than where its catalog has a table. What must stay open for what is
    pinned to be read, a database's transaction, is `held`. `key_id` names the key that tokens are
    made with: another key is another content.

    Raises InputError for an input that is not there, LakeError for a damaged log.
    """
    if slice_.whole is not (spec.partitions is None):
        raise DefinitionError(
            "the dataset is partitioned and the run has no slice"
            if spec.partitions
            else "the dataset has no partitions and the run has a slice",
            where=spec.name,
            found=slice_.key,
            next_step=f"pass a slice like {spec.partitions.example}"
            if spec.partitions
            else "run it whole",
        )
    if spec.partitions:
        spec.partitions.refuse_other(slice_, spec.name)
    lake, logs = runtime.lake, runtime.ledger.logs
    table, quarantine = lake.table(spec.name), lake.quarantine(spec.name)
    past = Past.of(table, logs)
    previous = past.newest(slice_, *own_columns(spec)) if past else None
    inputs = tuple(
        item.pin(
            Asked(
                spec=spec,
                name=name,
                slice=slice_,
                runtime=runtime,
                past=past,
                held=held,
                spark=spark,
            )
        )
        for name, item in spec.inputs.items()
    )
    names = {key.references for key in spec.model.foreign_keys}
    references = tuple(
        pin_table(name, Snapshot(dataset=name), WHOLE, lake, logs) for name in sorted(names)
    )
    rules = {
        "contract": spec.model.fingerprint(),
        "code": spec.code_version,
        "definition": spec.definition,
        "masking": spec.masking.document() if spec.masking else None,
        "key": key_id,
    }
    said = {
        "dataset": spec.name,
        "slice": slice_.document(),
        **rules,
        "references": {item.name: item.content() for item in references},
    }
    content = _digest({**said, "inputs": {item.name: item.content() for item in inputs}})
    # what is taken once is another thing at each run; of it only whether something is new counts
    adds = not isinstance(spec.write, Overwrite | ReplaceSlice)
    once = {name for name, item in spec.inputs.items() if adds and item.once}
    read = {item.name: item.content() for item in inputs if item.name not in once}
    standing = _digest({**said, "inputs": read})
    facts = previous.facts if previous else None
    unchanged = facts is not None and (
        # what is made of nothing is made anew when its code is another
        (bool(inputs) and all(item.nothing_new for item in inputs))
        or (
            facts["slice"] == slice_.document()
            and _says(facts, content, standing, inputs, once)
            and _go_on(facts, (*inputs, *references))
        )
    )
    # who has nothing to do does not read another commit
    last = previous if past is None or slice_.whole or unchanged else past.newest()
    return Resolved(
        spec=spec,
        slice=slice_,
        inputs=inputs,
        references=references,
        table=table,
        quarantine=quarantine,
        state=past.log if past else None,
        previous=previous,
        last=last,
        content=content,
        standing=standing,
        rules=_digest(rules),
        token=_digest({"content": content, "follows": previous.version if previous else None}),
        transaction=_transaction(spec, slice_, previous, last, past.log if past else None),
        unchanged=unchanged,
    )


def _says(
    facts: Mapping[str, Any],
    content: str,
    standing: str,
    inputs: Iterable[PinnedInput],
    once: Collection[str],
) -> bool:
    """Whether a commit says that it is of this content, or all but what was taken by then."""
    if facts["content"] == content:
        return True
    taken = [item for item in inputs if item.name in once]
    new = not taken or any(not item.nothing_new for item in taken)
    return not new and facts.get("standing") == standing


def _go_on(facts: Mapping[str, Any], items: Iterable[PinnedInput]) -> bool:
    """Whether the tables' versions are the commits that they were when the commit was made."""
    said = {**facts["inputs"], **facts["references"]}
    return all(item.goes_on(said[item.name]) for item in items if isinstance(item, PinnedTable))


def own_columns(spec: Dataset) -> tuple[str | None, str | None]:
    """The columns that it is cut by, where a commit by others may have replaced its rows."""
    if not isinstance(spec.write, ReplaceSlice):
        return None, None
    windows, values = windows_of(spec.partitions), values_of(spec.partitions)
    return windows.column if windows else None, values.column if values else None


def _transaction(
    spec: Dataset, slice_: Slice, previous: Commit | None, last: Commit | None, log: TableLog | None
) -> Transaction:
    """What runs have in common of which only one may commit, as of the commit they follow.

    Runs of other slices do not disturb one that replaces its slice. Where what was taken before
    counts, any newer commit does; and a table is created once. Of a commit that has left the log no
    more is known than that it is older than all that is there.
    """
    if log is None:
        return Transaction(_digest({"dataset": spec.name, "creates": True}), 0)
    if isinstance(spec.write, ReplaceSlice):
        part, followed = slice_.document(), previous
    else:
        part, followed = None, last
    version = followed.version + 1 if followed else log.oldest()
    return Transaction(_digest({"dataset": spec.name, "slice": part}), version)


def _digest(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
