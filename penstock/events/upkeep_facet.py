"""The run facet of upkeep: what it did to the table's files, and why."""

# ruff: noqa: N815  # the facet spells its fields as OpenLineage does

from __future__ import annotations

from typing import TYPE_CHECKING

import attr
from openlineage.client.facet_v2 import RunFacet

from penstock.events.producer import PRODUCER

if TYPE_CHECKING:
    from penstock.events.run_facts import TableFiles, Upkeep

__all__ = ["PenstockUpkeepRunFacet", "UpkeepFiles", "upkeep_facet"]


@attr.define(kw_only=True)
class UpkeepFiles:
    """The table's files at one moment."""

    files: int
    bytes: int
    expiredFiles: int


@attr.define(kw_only=True)
class PenstockUpkeepRunFacet(RunFacet):
    """Its schema is `schemas/PenstockUpkeepRunFacet.json` of this package."""

    status: str
    operations: list[str]
    reasons: list[str]
    before: UpkeepFiles
    after: UpkeepFiles

    @staticmethod
    def _get_schema() -> str:
        return "urn:penstock:openlineage:1-0-0:PenstockUpkeepRunFacet#/$defs/PenstockUpkeepRunFacet"


def upkeep_facet(upkeep: Upkeep) -> PenstockUpkeepRunFacet:
    """The same facts as a facet."""
    return PenstockUpkeepRunFacet(
        status=upkeep.status,
        operations=list(upkeep.operations),
        reasons=list(upkeep.reasons),
        before=_files(upkeep.before),
        after=_files(upkeep.after),
        producer=PRODUCER,
    )


def _files(told: TableFiles) -> UpkeepFiles:
    return UpkeepFiles(files=told.files, bytes=told.bytes, expiredFiles=told.expired_files)
