"""The versions of the tables themselves, as their logs tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.events.instant import instant
from penstock.evidence.told_versions import names_of
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.naming import id_of, label_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from penstock.evidence.table_histories import Histories
    from penstock.ledger.graph.walk import Period
    from penstock.resources.stored_commit import StoredCommit
    from penstock.resources.table_commit import Commit

__all__ = ["table_versions"]


def table_versions(
    connection: Connection, datasets: Collection[int], period: Period, histories: Histories
) -> list[dict[str, Any]]:
    """Each commit of the period, oldest first, with what its file in the log is and adds.

    No partition value and no statistics: they are values of rows. Raises LakeError.
    """
    found = []
    for number, node in sorted(Catalog(connection).datasets(datasets).items()):
        for namespace, name in sorted(names_of(connection, number)):
            commits = histories(namespace, name)
            if commits is None:
                continue
            within = sorted(
                (c for c in commits if _within(c, period)), key=lambda commit: commit.version
            )
            stored = histories.stored(namespace, name, [c.version for c in within])
            found.append(
                {
                    "id": id_of(node),
                    "label": label_of(node),
                    "versions": [_version(c, stored.get(c.version)) for c in within],
                }
            )
            break
    return sorted(found, key=lambda item: str(item["id"]))


def _version(commit: Commit, stored: StoredCommit | None) -> dict[str, Any]:
    return {
        "version": commit.version,
        "at": instant(commit.at),
        "operation": commit.operation,
        "who": commit.who,
        "run_id": (commit.facts or {}).get("run_id"),
        "commit_sha256": stored.sha256 if stored else None,
        "added": [{"name": file.name, "bytes": file.bytes} for file in stored.added]
        if stored
        else None,
        "removed_files": stored.removed if stored else None,
    }


def _within(commit: Commit, period: Period) -> bool:
    return (period.since is None or commit.at >= period.since) and (
        period.until is None or commit.at <= period.until
    )
