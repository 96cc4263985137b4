"""What the COMPLETE events say of a dataset: which runs wrote it, and which versions they made."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from penstock.lineage.archived import archived_where
from penstock.lineage.coverage import Told
from penstock.lineage.graph.rows import chunks
from penstock.lineage.producer import PRODUCER
from penstock.lineage.tables import event, graph_dataset, graph_use

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from penstock.lineage.name import Name

__all__ = ["names_of", "told_versions"]


def names_of(connection: Connection, dataset: int) -> set[Name]:
    """Every name under which the dataset was told of."""
    query = select(graph_dataset.c.namespace, graph_dataset.c.name)
    rows = connection.execute(query.where(graph_dataset.c.same_as == dataset))
    return {(row.namespace, row.name) for row in rows}


def told_versions(connection: Connection, dataset: int) -> list[Told]:
    """One for each COMPLETE that has the dataset as an output, archived ones too.

    Raises LedgerError when the file of archived events is missing or was changed.
    """
    names = names_of(connection, dataset)
    same = select(graph_dataset.c.id).where(graph_dataset.c.same_as == dataset)
    query = select(graph_use.c.teller).distinct()
    query = query.where(graph_use.c.dataset.in_(same), graph_use.c.role == "OUT")
    runs = {teller.partition(":")[0] for teller in connection.execute(query).scalars()}
    archived = pc.field("run_id").isin(pa.array(sorted(runs), pa.string()))
    found: list[Told] = []
    for old in archived_where(connection, archived & (pc.field("event_type") == "COMPLETE")):
        found.extend(_told(old["run_id"], json.loads(old["payload"]), names))
    for some in chunks(sorted(runs)):
        events = select(event.c.run_id, event.c.payload).where(
            event.c.run_id.in_(some), event.c.event_type == "COMPLETE"
        )
        for row in connection.execute(events.order_by(event.c.sequence)):
            found.extend(_told(row.run_id, json.loads(row.payload), names))
    return found


def _told(run_id: str, payload: Mapping[str, Any], names: set[Name]) -> Iterator[Told]:
    for output in payload.get("outputs") or ():
        if (output["namespace"], output["name"]) in names:
            yield Told(
                run_id=run_id,
                at=datetime.fromisoformat(payload["eventTime"]).astimezone(UTC),
                version=_version((output.get("facets") or {}).get("version")),
                signs=payload.get("producer") == PRODUCER,
            )


def _version(facet: Any) -> int | None:
    told = facet.get("datasetVersion") if isinstance(facet, dict) else None
    text = str(told)
    # a version of Delta; what other formats call a version is none of this table's
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004
