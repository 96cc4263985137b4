"""What one event says of the graph: its job, its run, what was read and written. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from penstock.lineage.graph.explicit_lineage import job_reads, job_writes
from penstock.lineage.instant import told_moment
from penstock.lineage.name import Name, is_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

__all__ = ["Role", "Statement", "Use"]

Role = Literal["IN", "OUT", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A dataset that an event names. `role` is empty when the event is about the dataset alone.

    `facets` are the dataset's own, `use_facets` those of this reading or writing.
    """

    dataset: Name
    role: Role
    facets: Mapping[str, Any]
    use_facets: Mapping[str, Any]

    @property
    def other_names(self) -> tuple[Name, ...]:
        """The other names that it says it has."""
        found = []
        for item in _dicts(self.facets.get("symlinks", {}).get("identifiers")):
            namespace, name = item.get("namespace"), item.get("name")
            if is_name(namespace) and is_name(name) and (namespace, name) != self.dataset:
                found.append((namespace, name))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One event. `job` is None for a dataset event, `run_id` also for a job event."""

    at: datetime
    hash: str
    job: Name | None
    run_id: str | None
    event_type: str
    job_facets: Mapping[str, Any]
    run_facets: Mapping[str, Any]
    uses: tuple[Use, ...]

    @classmethod
    def of(cls, payload: Mapping[str, Any], payload_hash: str) -> Self:
        """What an event says that the ledger took; a part of it that makes no sense is passed."""
        job, run = payload.get("job"), payload.get("run")
        job_facets = _facets((job or {}).get("facets"))
        uses = [
            *_uses(payload.get("inputs") if job else None, "IN"),
            *_uses(payload.get("outputs") if job else None, "OUT"),
            *_uses(None if job else [payload.get("dataset")], ""),
            *_told_by_the_job(job_facets.get("lineage", {})),
        ]
        return cls(
            at=told_moment(payload["eventTime"]),
            hash=payload_hash,
            job=(job["namespace"], job["name"]) if job else None,
            run_id=str(UUID(run["runId"])) if run else None,
            event_type=payload.get("eventType") or "OTHER",
            job_facets=job_facets,
            run_facets=_facets((run or {}).get("facets")),
            uses=tuple(uses),
        )

    @property
    def parents(self) -> tuple[str | None, str | None]:
        """The ids of the parent run and of the root run."""
        parent = self.run_facets.get("parent", {})
        root = parent.get("root")
        return _run_id(parent), _run_id(root if isinstance(root, dict) else {})


def _uses(datasets: Any, role: Role) -> Iterator[Use]:
    for item in _dicts(datasets):
        facets = _facets(item.get("facets"))
        own = _facets(item.get("inputFacets" if role == "IN" else "outputFacets"))
        yield Use(
            dataset=(item["namespace"], item["name"]), role=role, facets=facets, use_facets=own
        )


def _told_by_the_job(facet: Mapping[str, Any]) -> Iterator[Use]:
    for name in job_reads(facet):
        yield Use(dataset=name, role="IN", facets={}, use_facets={})
    for name, told in job_writes(facet):
        yield Use(dataset=name, role="OUT", facets={}, use_facets={"lineage": told})


def _facets(facets: Any) -> dict[str, Any]:
    """Those that are told; one marked as deleted is told no more."""
    return {
        name: body
        for name, body in (facets or {}).items()
        if isinstance(body, dict) and not body.get("_deleted")
    }


def _run_id(holder: Mapping[str, Any]) -> str | None:
    run = holder.get("run")
    found = run.get("runId") if isinstance(run, dict) else None
    try:
        return str(UUID(found))
    except (ValueError, AttributeError, TypeError):  # whatever it is, it is nobody's id
        return None


def _dicts(values: Any) -> Iterator[Mapping[str, Any]]:
    told = values if isinstance(values, list) else ()
    return (value for value in told if isinstance(value, dict))
