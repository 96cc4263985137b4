"""Personal data: where each class is, where it came from, where it is in clear, who is cleared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select

from penstock.ledger.contract_register import registered
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.labels import PII
from penstock.ledger.graph.tables import graph_label
from penstock.ledger.graph.walk import Walk
from penstock.ledger.tables import contract
from penstock.server.own.described import At, Describer, columns_of, id_of, label_of
from penstock.server.reading import Reading

__all__ = ["router"]

router = APIRouter()
_TELLING = ("schema", "tags")  # facets, of what columns hold


@router.get("/pii")
def pii(connection: Reading, at: At = None) -> dict[str, Any]:
    """Every column tagged with a class of personal data, and every column it reaches in clear.

    `in_clear`: the column holds the data as it is. A column that no tag names and that is made of
    a tagged one without masking, or that a tagged one is a copy of (a landing file), is listed
    with `tagged` false: nobody may know what it holds.
    `contradicted`: it is tagged as masked, and lineage shows a way to it on which nothing masks.
    """
    describer = Describer(connection)
    catalog = describer.catalog
    tagged = select(graph_label.c.dataset).where(
        graph_label.c.key == PII, graph_label.c.field != ""
    )
    nodes = catalog.datasets(connection.execute(tagged.distinct()).scalars().all(), facets=_TELLING)
    numbers = catalog.columns_by_name(nodes)
    cleared = _cleared(connection)
    walk = Walk(connection, at=at)
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for number, node in nodes.items():
        for column in columns_of(node):
            if column["pii"]:
                told = _entry(node, column["name"], column["pii"], cleared)
                told |= {"masked": column["masked"], "in_clear": not column["masked"]}
                entry = {**told, "tagged": True}
                found.setdefault(column["pii"], {})[numbers[number, column["name"]]] = entry

    def named(datasets: Iterable[int]) -> None:
        nodes.update(catalog.datasets(set(datasets) - nodes.keys(), facets=()))

    for kind, entries in found.items():
        clear = [number for number, told in entries.items() if told["in_clear"]]
        reached = walk.reached(clear, "downstream")
        places = catalog.columns({item.column for item in reached if item.clear})
        named(dataset for dataset, _ in places.values())
        for item in reached:
            dataset, name = places.get(item.column, (0, ""))
            if not name:
                continue
            if item.column in entries:
                # its contract says masked, and what it is made of came in unmasked
                told = entries[item.column]
                told["contradicted"] = told["contradicted"] or not told["in_clear"]
                told["in_clear"] = True
            else:
                told = _entry(nodes[dataset], name, kind, cleared)
                entries[item.column] = told | {"masked": False, "in_clear": True, "tagged": False}
        copied = list(_copied_from(walk, catalog, list(entries)))
        named(dataset for _, dataset, _ in copied)
        for number, dataset, name in copied:
            if number not in entries:
                told = _entry(nodes[dataset], name, kind, cleared)
                entries[number] = told | {"masked": False, "in_clear": True, "tagged": False}
        origins = walk.step(list(entries), "upstream")
        ends = catalog.columns({edge.source for edge in origins})
        named(dataset for dataset, _ in ends.values())
        for edge in origins:
            if edge.carries_values and edge.target in entries:
                dataset, name = ends[edge.source]
                entries[edge.target]["from"].append(
                    {
                        "dataset": id_of(nodes[dataset]),
                        "label": label_of(nodes[dataset]),
                        "column": name,
                        "masking": edge.masking,
                    }
                )
    return {
        "classes": [
            {
                "pii": kind,
                "columns": sorted(entries.values(), key=lambda e: (e["label"], e["column"])),
            }
            for kind, entries in sorted(found.items())
        ]
    }


def _copied_from(
    walk: Walk, catalog: Catalog, columns: list[int]
) -> Iterator[tuple[int, int, str]]:
    """(column, dataset, name) of what these are copies of, or masked from, step by step."""
    known, frontier = set(columns), set(columns)
    while frontier:
        edges = [e for e in walk.step(frontier, "upstream") if e.carries_values]
        # a column that is computed of several may hold a part of each; a copy holds all of it
        same = {e.source for e in edges if e.subtype == "IDENTITY" or e.masking}
        frontier = same - known
        known |= frontier
        for number, (dataset, name) in catalog.columns(frontier).items():
            yield number, dataset, name


def _entry(node: Any, column: str, kind: str, cleared: dict[str, set[str]]) -> dict[str, Any]:
    label = label_of(node)
    return {
        "dataset": id_of(node),
        "label": label,
        "column": column,
        "cleared": kind in cleared[label] if label in cleared else None,
        "contradicted": False,
        "from": [],
    }


def _cleared(connection: Any) -> dict[str, set[str]]:
    """The classes that the latest contract of each dataset is cleared for."""
    found = {}
    for row in connection.execute(select(contract).order_by(contract.c.id)):
        document = registered(row)
        found[row.name] = {str(item).upper() for item in document.get("cleared", ())}
    return found
