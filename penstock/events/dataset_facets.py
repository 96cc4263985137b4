"""OpenLineage facets of the datasets a run reads and writes. Pure, from the run's facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    data_quality_assertions_dataset,
    data_quality_metrics_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    documentation_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
    symlinks_dataset,
    tags_dataset,
)

from penstock.events.column_lineage_facet import column_lineage_facet
from penstock.events.field_type import field_parts
from penstock.events.producer import PRODUCER, TAG_SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.events.run_facts import DatasetRef, RunFacts
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = ["dataset_facets", "input_facets", "output_facets"]


def dataset_facets(dataset: DatasetRef, job_namespace: str) -> dict[str, DatasetFacet]:
    """Facets of a dataset read or written: what it is, apart from what the run did to it."""
    facets: dict[str, DatasetFacet] = {
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(
            identifiers=[
                symlinks_dataset.Identifier(
                    namespace=job_namespace, name=dataset.asset_key, type="TABLE"
                )
            ],
            producer=PRODUCER,
        )
    }
    if dataset.version is not None:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(
            datasetVersion=dataset.version, producer=PRODUCER
        )
        facets["datasetType"] = dataset_type_dataset.DatasetTypeDatasetFacet(
            datasetType="TABLE", subType="DELTA", producer=PRODUCER
        )
    if dataset.owner:
        facets["ownership"] = ownership_dataset.OwnershipDatasetFacet(
            owners=[ownership_dataset.Owner(name=dataset.owner, type="OWNER")], producer=PRODUCER
        )
    if dataset.contract:
        facets |= _contract_facets(dataset.contract)
    if tags := _tags(dataset):
        facets["tags"] = tags_dataset.TagsDatasetFacet(tags=tags, producer=PRODUCER)
    return facets


def output_facets(facts: RunFacts) -> tuple[dict[str, DatasetFacet], dict[str, OutputDatasetFacet]]:
    """Facets of the output: the dataset's own and what this run wrote, checked and derived."""
    facets = dataset_facets(facts.output, facts.identity.job_namespace)
    if lineage := column_lineage_facet(facts):
        facets["columnLineage"] = lineage
    if facts.assertions:
        # the specification files it under inputs; Marquez and DataHub read it on any dataset,
        # and the checks here are about the rows this run wrote
        facets["dataQualityAssertions"] = cast("DatasetFacet", _assertions(facts))
    if facts.column_metrics or facts.rows_committed is not None:
        facets["dataQualityMetrics"] = data_quality_metrics_dataset.DataQualityMetricsDatasetFacet(
            rowCount=facts.rows_committed,
            bytes=facts.bytes,
            fileCount=facts.files,
            columnMetrics={
                column: data_quality_metrics_dataset.ColumnMetrics(
                    nullCount=metric.null_count,
                    distinctCount=metric.distinct_count,
                    count=metric.count,
                    quantiles=None,
                )
                for column, metric in facts.column_metrics.items()
            },
            producer=PRODUCER,
        )
    if facts.rows_committed is None and facts.bytes is None and facts.files is None:
        return facets, {}
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=facts.rows_committed, size=facts.bytes, fileCount=facts.files, producer=PRODUCER
    )
    return facets, {"outputStatistics": statistics}


def input_facets(dataset: DatasetRef) -> dict[str, InputDatasetFacet]:
    """What was read of an input."""
    if dataset.row_count is None and dataset.bytes is None and dataset.files is None:
        return {}
    return {
        "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=dataset.row_count,
            size=dataset.bytes,
            fileCount=dataset.files,
            producer=PRODUCER,
        )
    }


def _contract_facets(contract: ContractModel) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {
        "schema": schema_dataset.SchemaDatasetFacet(
            fields=[
                _schema_field(column.name, column.type, column.description or None, position)
                for position, column in enumerate(contract.columns, start=1)
            ],
            producer=PRODUCER,
        ),
    }
    if contract.description:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(
            description=contract.description, contentType="text/markdown", producer=PRODUCER
        )
    return facets


def _tags(dataset: DatasetRef) -> list[tags_dataset.TagsDatasetFacetFields]:
    contract = dataset.contract
    whole = {
        "contract": f"{contract.name}@{contract.version}" if contract else None,
        "table_id": dataset.table_id,
    }
    return [
        *(
            tags_dataset.TagsDatasetFacetFields(key=key, value=value, source=TAG_SOURCE)
            for key, value in whole.items()
            if value is not None
        ),
        *(tag for column in (contract.columns if contract else ()) for tag in _column_tags(column)),
    ]


def _column_tags(column: ColumnModel) -> Iterator[tags_dataset.TagsDatasetFacetFields]:
    tags = {
        "pii": column.pii.value if column.pii else None,
        "masked": "true" if column.masked else None,
        "key": "true" if column.key else None,
        "unit": column.unit,
    }
    for key, value in tags.items():
        if value is not None:
            yield tags_dataset.TagsDatasetFacetFields(
                key=key, value=value, source=TAG_SOURCE, field=column.name
            )


def _schema_field(
    name: str, spark_type: str, description: str | None = None, position: int | None = None
) -> schema_dataset.SchemaDatasetFacetFields:
    label, parts = field_parts(spark_type)
    return schema_dataset.SchemaDatasetFacetFields(
        name=name,
        type=label,
        description=description,
        ordinal_position=position,
        fields=[_schema_field(part, kind) for part, kind in parts] or None,
    )


def _assertions(
    facts: RunFacts,
) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(
                assertion=check.name,
                name=check.check_id,
                success=check.success,
                column=check.column,
                severity=check.severity.value,
                params=None if check.failed_rows is None else {"failedRows": check.failed_rows},
            )
            for check in facts.assertions
        ],
        producer=PRODUCER,
    )
