"""The columnLineage facet, and what it cannot say.

Every output column stands in the facet. One whose origin is not known stands there with no input
fields, and the reason is in the run's `penstock_run` facet: absence of an edge is then never
mistaken for knowledge that there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlineage.client.facet_v2 import column_lineage_dataset

from penstock.events.producer import PRODUCER
from penstock.events.run_facts import DatasetRef, RunFacts, physical_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.lineage.column_lineage import Origin

__all__ = ["column_lineage_facet", "lineage_unknown"]


def column_lineage_facet(
    facts: RunFacts,
) -> column_lineage_dataset.ColumnLineageDatasetFacet | None:
    """Column lineage as OpenLineage tells it, or None when none was computed."""
    lineage = facts.column_lineage
    if lineage is None:
        return None
    datasets = _datasets(facts)
    fields = {
        column: column_lineage_dataset.Fields(inputFields=_input_fields(origins, datasets))
        for column, origins in lineage.fields.items()
    }
    for entry in lineage_unknown(facts):
        if "field" in entry and entry["field"] not in fields:
            fields[entry["field"]] = column_lineage_dataset.Fields(inputFields=[])
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields=fields,
        dataset=_input_fields(lineage.dataset, datasets),
        producer=PRODUCER,
    )


def lineage_unknown(facts: RunFacts) -> list[dict[str, str]]:
    """Where the column lineage cannot know: `reason`, and `field` unless the whole is meant."""
    lineage = facts.column_lineage
    if lineage is None:
        return []
    entries = [
        {"field": unknown.column, "reason": unknown.reason}
        if unknown.column is not None
        else {"reason": unknown.reason}
        for unknown in lineage.unknown
    ]
    datasets = _datasets(facts)
    for column, origins in lineage.fields.items():
        entries.extend(
            {"field": column, "reason": f"reads {name}, which is not a declared input"}
            for name in _undeclared(origins, datasets)
        )
    entries.extend(
        {"reason": f"depends on {name}, which is not a declared input"}
        for name in _undeclared(lineage.dataset, datasets)
    )
    return entries


def _datasets(facts: RunFacts) -> dict[str, DatasetRef]:
    # a merge reads its own target, so the output can be an origin too
    known = {}
    for dataset in (facts.output, *facts.inputs):
        known[dataset.name] = known[dataset.asset_key] = dataset
    return known


def _dataset(name: str, datasets: dict[str, DatasetRef]) -> DatasetRef | None:
    # a plan may name a table by its location where the run names it by its asset key
    return datasets.get(name) or datasets.get(physical_name(name)[1])


def _undeclared(origins: Iterable[Origin], datasets: dict[str, DatasetRef]) -> list[str]:
    names = {origin.dataset for origin in origins}
    return sorted(name for name in names if _dataset(name, datasets) is None)


def _input_fields(
    origins: Iterable[Origin], datasets: dict[str, DatasetRef]
) -> list[column_lineage_dataset.InputField]:
    fields: dict[tuple[str, str, str], list[column_lineage_dataset.Transformation]] = {}
    for origin in origins:
        dataset = _dataset(origin.dataset, datasets)
        if dataset is None:
            continue
        transformations = fields.setdefault((dataset.namespace, dataset.name, origin.column), [])
        transformation = column_lineage_dataset.Transformation(
            type=origin.type.value,
            subtype=origin.subtype.value,
            description=origin.description or None,
            masking=origin.masking,
        )
        if transformation not in transformations:
            transformations.append(transformation)
    return [
        column_lineage_dataset.InputField(
            namespace=namespace, name=name, field=column, transformations=transformations
        )
        for (namespace, name, column), transformations in sorted(fields.items())
    ]
