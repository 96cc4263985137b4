"""Versions of jobs: which datasets a run read and wrote makes the version of its job. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from penstock.ledger.graph.flow import JobEnds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.events.name import Name
    from penstock.ledger.graph.nodes import JobNode, UseNode

__all__ = ["ends_of", "job_version"]


def ends_of(uses: Iterable[UseNode]) -> JobEnds:
    """What the uses of a run read and write."""
    told = list(uses)
    return JobEnds(
        inputs=frozenset(use.dataset for use in told if use.role == "IN"),
        outputs=frozenset(use.dataset for use in told if use.role == "OUT"),
    )


def job_version(job: JobNode, ends: JobEnds, names: Mapping[int, Name]) -> UUID:
    """The version's id, the same wherever the same job reads and writes the same."""
    used = [sorted(names[number] for number in numbers) for numbers in (ends.inputs, ends.outputs)]
    return uuid5(NAMESPACE_URL, json.dumps([job.namespace, job.name, *used]))
