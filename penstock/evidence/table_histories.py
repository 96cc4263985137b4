"""The commits of a deployment's tables, by the names that events give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from penstock.events.run_facts import physical_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from penstock.events.name import Name
    from penstock.resources.lake import Table
    from penstock.resources.stored_commit import StoredCommit
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog

__all__ = ["Histories", "TableHistories"]


class Histories(Protocol):
    """Tables that can be looked at, whatever keeps them."""

    def __call__(self, namespace: str, name: str) -> Iterable[Commit] | None:
        """The commits of a table; None for what is none of these tables. Raises LakeError."""
        ...

    @property
    def tables(self) -> Mapping[Name, str]:
        """What each table is called, also those that no event has named."""
        ...

    def stored(
        self, namespace: str, name: str, versions: Collection[int]
    ) -> dict[int, StoredCommit]:
        """These commits as they lie in the log, as far as they are there. Raises LakeError."""
        ...


class TableHistories:
    """Reads the logs of these tables and of no other, whatever an event may name."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = {physical_name(table.uri): table for table in tables}

    def __call__(self, namespace: str, name: str) -> Iterable[Commit] | None:
        """The commits; none of a table that was never written."""
        if (namespace, name) not in self._tables:
            return None
        log = self._log(namespace, name)
        return log.commits() if log else ()

    @property
    def tables(self) -> Mapping[Name, str]:
        """What each table is called."""
        return {place: table.dataset for place, table in self._tables.items()}

    def stored(
        self, namespace: str, name: str, versions: Collection[int]
    ) -> dict[int, StoredCommit]:
        """These commits, but for those whose file was cleaned up."""
        log = self._log(namespace, name)
        found = (log.stored(version) for version in versions) if log else ()
        return {commit.version: commit for commit in found if commit}

    def _log(self, namespace: str, name: str) -> TableLog | None:
        table = self._tables.get((namespace, name))
        return table.read() if table else None
