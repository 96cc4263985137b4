"""A commit of a Delta table, as its file in the log says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Commit", "commit_of"]

#: Operations that move or drop files, set facts or settings, and leave every row as it was.
UPKEEP_OPERATIONS = frozenset(
    {
        "OPTIMIZE",
        "REORG",
        "VACUUM START",
        "VACUUM END",
        "SET TBLPROPERTIES",
        "UNSET TBLPROPERTIES",
        "CHANGE COLUMN",
        "CLUSTER BY",
        "ADD CONSTRAINT",
        "DROP CONSTRAINT",
        "COMPUTE STATS",
    }
)
_OF_A_FILE = re.compile(rb'\s*\{\s*"(add|remove|cdc)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit. `facts` is what Penstock wrote in its userMetadata; None for other writers.

    `only_adds`: it took no row out and read none (Delta's blind append). `user` and `engine` are
    what the writer said of itself. `alters`: it set the table's columns, properties or protocol.
    `on_top_of`: the version that its writer saw; Delta held it against those that came between.
    """

    version: int
    at: datetime
    operation: str
    metrics: Mapping[str, Any]
    parameters: Mapping[str, Any]
    only_adds: bool
    facts: Mapping[str, Any] | None
    user: str | None = None
    engine: str | None = None
    alters: bool = False
    on_top_of: int | None = None

    @property
    def who(self) -> str | None:
        """Who wrote it, as far as the log says: the user, else the program."""
        return self.user or self.engine

    @property
    def by_run(self) -> bool:
        """Whether a run of the dataset made it. Upkeep says who it is too, and nothing of rows."""
        return "token" in (self.facts or {})

    @property
    def changes_rows(self) -> bool:
        """Whether a reader of rows could see a difference."""
        return self.operation not in UPKEEP_OPERATIONS

    @property
    def good_rows(self) -> int | None:
        """The rows that were given to the commit; a merge leaves some of them alone."""
        return self.metric("numSourceRows") if self.operation == "MERGE" else self._written_rows

    @property
    def changed_rows(self) -> int | None:
        """The rows that the commit inserted or updated."""
        if self.operation != "MERGE":
            return self._written_rows
        inserted = self.metric("numTargetRowsInserted")
        updated = self.metric("numTargetRowsUpdated")
        # delta-rs has other names for them: not known is not zero
        return None if inserted is None or updated is None else inserted + updated

    @property
    def may_remove(self) -> bool:
        """Whether it may have taken rows out, or changed a key; a merge of a run tells."""
        told = self.operation == "MERGE" and self.facts is not None
        return not self.only_adds and not (told and self.metric("numTargetRowsDeleted") == 0)

    @property
    def removed_rows(self) -> int:
        """The rows that a merge took out, as far as the commit says; a rewrite does not count."""
        return self.metric("numTargetRowsDeleted") or 0 if self.operation == "MERGE" else 0

    @property
    def written_bytes(self) -> int | None:
        """Size of the data files it added, in bytes; None when it does not say."""
        merged = self.operation == "MERGE"
        return self.metric("numTargetBytesAdded" if merged else "numOutputBytes")

    @property
    def _written_rows(self) -> int | None:
        # a commit without a file does not say that it wrote no row
        nothing = 0 if self.metric("numFiles") == 0 else None
        rows = self.metric("numOutputRows")
        # rows of another slice in a file that was rewritten, or only marked, are no output
        return nothing if rows is None else rows - (self.metric("numCopiedRows") or 0)

    def metric(self, name: str) -> int | None:
        """The operation metric `name` as a number, None when the commit does not say."""
        value = self.metrics.get(name)
        return None if value is None else int(value)


def commit_of(version: int, content: bytes) -> Commit:
    """What a commit's file says, but for its data files. Raises ValueError for what is no commit.

    Its writer need not have said anything of itself.
    """
    entry: Mapping[str, Any] = {}
    alters = False
    for number, line in enumerate(content.splitlines()):
        if number and _OF_A_FILE.match(line):
            continue  # there can be thousands
        action = json.loads(line)
        entry = action.get("commitInfo") or entry
        alters = alters or "metaData" in action or "protocol" in action
    return Commit(
        version=version,
        at=datetime.fromtimestamp(entry.get("timestamp", 0) / 1000, tz=UTC),
        operation=str(entry.get("operation", "")),
        metrics=entry.get("operationMetrics") or {},
        parameters=entry.get("operationParameters") or {},
        only_adds=bool(entry.get("isBlindAppend")),
        facts=_facts(entry.get("userMetadata")),
        user=_text(entry.get("userName") or entry.get("userId")),
        engine=_text(entry.get("engineInfo") or entry.get("clientVersion")),
        alters=alters,
        on_top_of=entry.get("readVersion"),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _facts(text: object) -> Mapping[str, Any] | None:
    if not isinstance(text, str):
        return None
    try:
        facts = json.loads(text)
    except ValueError:
        return None
    return facts if isinstance(facts, dict) and "penstock" in facts else None
