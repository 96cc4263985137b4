"""OpenLineage facets of a run and its job. Pure: the same facts give the same facets.

A facet is left out when nothing is known of it, so that a later event of the run never replaces
knowledge by emptiness.
"""

# ruff: noqa: N815  # the custom facet spells its fields as OpenLineage does

from __future__ import annotations

from typing import TYPE_CHECKING

import attr
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    documentation_job,
    error_message_run,
    job_type_job,
    nominal_time_run,
    ownership_job,
    parent_run,
    processing_engine_run,
    source_code_location_job,
    tags_job,
    tags_run,
)

from penstock.events.column_lineage_facet import lineage_unknown
from penstock.events.instant import instant
from penstock.events.producer import PRODUCER, TAG_SOURCE
from penstock.events.upkeep_facet import upkeep_facet

if TYPE_CHECKING:
    from penstock.events.run_facts import ParentRun, RunFacts

__all__ = ["PenstockRunFacet", "job_facets", "run_facets"]


@attr.define(kw_only=True)
class PenstockRunFacet(RunFacet):
    """The custom run facet; its schema is `schemas/PenstockRunFacet.json` of this package."""

    dataset: str
    attempt: int
    slice: str | None = None
    dagsterRunId: str | None = None
    token: str | None = None
    committed: bool | None = None
    contractName: str | None = None
    contractVersion: str | None = None
    contractFingerprint: str | None = None
    codeVersion: str | None = None
    outputVersion: str | None = None
    inputVersions: dict[str, str] | None = None
    alsoReads: list[dict[str, str]] | None = None
    began: str | None = None
    sparkApplication: str | None = None
    rowsIn: int | None = None
    rowsCommitted: int | None = None
    rowsQuarantined: int | None = None
    quarantinedByRule: dict[str, int] | None = None
    quarantine: str | None = None
    lineageUnknown: list[dict[str, str]] | None = None

    @staticmethod
    def _get_schema() -> str:
        return "urn:penstock:openlineage:1-0-0:PenstockRunFacet#/$defs/PenstockRunFacet"


def run_facets(facts: RunFacts) -> dict[str, RunFacet]:
    """Facets of the run: parent, nominal time, engine, tags, error, and Penstock's own."""
    identity = facts.identity
    facets: dict[str, RunFacet] = {"penstock_run": _penstock_run(facts)}
    if facts.upkeep:
        facets["penstock_upkeep"] = upkeep_facet(facts.upkeep)
    if identity.parent:
        facets["parent"] = _parent(identity.parent)
    if identity.nominal_start:
        end = identity.nominal_end
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=instant(identity.nominal_start),
            nominalEndTime=instant(end) if end else None,
            producer=PRODUCER,
        )
    if facts.engine:
        facets["processing_engine"] = processing_engine_run.ProcessingEngineRunFacet(
            version=facts.engine.version,
            name=facts.engine.name,
            openlineageAdapterVersion=facts.engine.adapter_version,
            producer=PRODUCER,
        )
    if facts.error:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=facts.error.message,
            programmingLanguage=facts.error.language,
            stackTrace=facts.error.stack_trace,
            producer=PRODUCER,
        )
    tags = {"attempt": str(identity.attempt), **facts.tags}
    if identity.slice_key is not None:
        tags["slice"] = identity.slice_key
    facets["tags"] = tags_run.TagsRunFacet(
        tags=[
            tags_run.TagsRunFacetFields(key=key, value=value, source=TAG_SOURCE)
            for key, value in sorted(tags.items())
        ],
        producer=PRODUCER,
    )
    return facets


def job_facets(facts: RunFacts) -> dict[str, JobFacet]:
    """Facets of the job: type, documentation, ownership, tags and source-code location."""
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH",
            integration="PENSTOCK",
            jobType=facts.kind.value,
            producer=PRODUCER,
        )
    }
    contract = facts.output.contract
    if contract and contract.description:
        facets["documentation"] = documentation_job.DocumentationJobFacet(
            description=contract.description, contentType="text/markdown", producer=PRODUCER
        )
    if facts.output.owner:
        facets["ownership"] = ownership_job.OwnershipJobFacet(
            owners=[ownership_job.Owner(name=facts.output.owner, type="OWNER")], producer=PRODUCER
        )
    tags = {"kind": facts.kind.value.lower()}
    if contract:
        tags["contract"] = f"{contract.name}@{contract.version}"
    facets["tags"] = tags_job.TagsJobFacet(
        tags=[
            tags_job.TagsJobFacetFields(key=key, value=value, source=TAG_SOURCE)
            for key, value in sorted(tags.items())
        ],
        producer=PRODUCER,
    )
    if facts.source:
        source = facts.source
        web = source.repository_url.removesuffix(".git")
        line = f"#L{source.line}" if source.line else ""
        facets["sourceCodeLocation"] = source_code_location_job.SourceCodeLocationJobFacet(
            type="git",
            url=f"{web}/blob/{source.commit}/{source.path}{line}",
            repoUrl=source.repository_url,
            path=source.path,
            version=source.commit,
            branch=source.branch,
            producer=PRODUCER,
        )
    return facets


def _parent(parent: ParentRun) -> parent_run.ParentRunFacet:
    return parent_run.ParentRunFacet(
        run=parent_run.Run(runId=str(parent.run_id), facets=None),
        job=parent_run.Job(namespace=parent.job_namespace, name=parent.job_name, facets=None),
        root=parent_run.Root(
            run=parent_run.RootRun(runId=str(parent.root_run_id or parent.run_id), facets=None),
            job=parent_run.RootJob(
                namespace=parent.root_job_namespace or parent.job_namespace,
                name=parent.root_job_name or parent.job_name,
                facets=None,
            ),
        ),
        producer=PRODUCER,
    )


def _penstock_run(facts: RunFacts) -> PenstockRunFacet:
    contract = facts.output.contract
    parent = facts.identity.parent
    versions = {item.asset_key: item.version for item in facts.inputs if item.version is not None}
    return PenstockRunFacet(
        dataset=facts.output.asset_key,
        attempt=facts.identity.attempt,
        slice=facts.identity.slice_key,
        dagsterRunId=str(parent.run_id) if parent else None,
        token=facts.token,
        committed=facts.committed,
        contractName=contract.name if contract else None,
        contractVersion=contract.version if contract else None,
        contractFingerprint=contract.fingerprint() if contract else None,
        codeVersion=facts.code_version,
        outputVersion=facts.output.version,
        inputVersions=versions or None,
        began=instant(facts.began) if facts.began else None,
        sparkApplication=facts.spark_application,
        alsoReads=[{"namespace": space, "name": name} for space, name in facts.also_reads] or None,
        rowsIn=facts.rows_in,
        rowsCommitted=facts.rows_committed,
        rowsQuarantined=facts.rows_quarantined,
        quarantinedByRule=dict(facts.quarantined_by_rule) or None,
        quarantine=facts.quarantine,
        lineageUnknown=lineage_unknown(facts) or None,
        producer=PRODUCER,
    )
