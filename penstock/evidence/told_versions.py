"""What the COMPLETE events say of a dataset: which runs wrote it, and which versions they made."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from penstock.events.name import dataset_name
from penstock.events.producer import PRODUCER
from penstock.evidence.coverage import Told
from penstock.ledger.archived import archived_where
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_dataset, graph_use
from penstock.ledger.tables import event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from penstock.events.name import Name

__all__ = ["names_of", "told_versions"]


def names_of(connection: Connection, dataset: int) -> set[Name]:
    """Every name under which the dataset was told of."""
    query = select(graph_dataset.c.namespace, graph_dataset.c.name)
    rows = connection.execute(query.where(graph_dataset.c.same_as == dataset))
    return {(row.namespace, row.name) for row in rows}


def told_versions(connection: Connection, datasets: Mapping[Name, int]) -> dict[int, list[Told]]:
    """By dataset, one for each COMPLETE that has one of its names as an output.

    Archived ones too: each file is read once, however many datasets there are. Raises LedgerError
    when such a file is missing or was changed.
    """
    runs = _writers(connection, set(datasets.values()))
    found: dict[int, list[Told]] = {dataset: [] for dataset in datasets.values()}

    def take(run_id: str, payload: str) -> None:
        for name, told in _told(run_id, json.loads(payload)):
            if name in datasets and name:
                found[datasets[name]].append(told)

    wanted = pc.field("run_id").isin(pa.array(sorted(runs), pa.string()))
    wanted &= pc.field("event_type") == "COMPLETE"
    for old in archived_where(connection, wanted) if runs else ():
        take(old["run_id"], old["payload"])
    for some in chunks(sorted(runs)):
        events = select(event.c.run_id, event.c.payload).where(
            event.c.run_id.in_(some), event.c.event_type == "COMPLETE"
        )
        for row in connection.execute(events.order_by(event.c.sequence)):
            take(row.run_id, row.payload)
    return found


def _writers(connection: Connection, datasets: set[int]) -> set[str]:
    """The ids of all runs that told one of the datasets as an output."""
    query = select(graph_use.c.teller).distinct()
    query = query.join(graph_dataset, graph_dataset.c.id == graph_use.c.dataset)
    query = query.where(graph_use.c.role == "OUT")
    return {
        teller.partition(":")[0]
        for some in chunks(sorted(datasets))
        for teller in connection.execute(query.where(graph_dataset.c.same_as.in_(some))).scalars()
    }


def _told(run_id: str, payload: Mapping[str, Any]) -> Iterator[tuple[Name | None, Told]]:
    for output in payload.get("outputs") or ():
        yield (
            dataset_name(output["namespace"], output["name"]),
            Told(
                run_id=run_id,
                at=datetime.fromisoformat(payload["eventTime"]).astimezone(UTC),
                version=_version((output.get("facets") or {}).get("version")),
                signs=payload.get("producer") == PRODUCER,
            ),
        )


def _version(facet: Any) -> int | None:
    told = facet.get("datasetVersion") if isinstance(facet, dict) else None
    text = str(told)
    # a version of Delta; what other formats call a version is none of this table's
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004
