"""What one event says of the graph: its job, its run, what was read and written. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from penstock.events.instant import instant, told_moment
from penstock.events.name import Name, dataset_name, is_name
from penstock.ledger.chain import digest_of
from penstock.ledger.graph.explicit_lineage import job_reads, job_writes
from penstock.ledger.graph.last_told import WITHDRAWN
from penstock.ledger.graph.rows import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping
    from datetime import datetime

    from penstock.ledger.graph.last_told import Entry, LastTold

__all__ = ["LIFECYCLE", "Role", "Statement", "Use"]

#: The facet that tells what happened to a dataset.
LIFECYCLE = "lifecycleStateChange"
_RENAME = "RENAME"
#: Events that tell what has been moved.
_MOVING = ("COMPLETE", "RUNNING", "OTHER")

Role = Literal["IN", "OUT", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A dataset that an event names. `role` is empty when the event is about the dataset alone.

    `facets` are the dataset's own, `use_facets` those of this reading or writing. `other_names`
    are those it says it has, `former_name` is what it says it was called until now.
    """

    dataset: Name
    role: Role
    facets: LastTold
    use_facets: LastTold
    other_names: tuple[Name, ...]
    former_name: Name | None

    def withdraws(self, facet: str) -> bool:
        """Whether it says that the dataset has no such facet."""
        return facet in self.facets and self.facets[facet][-1] == WITHDRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One event. `job` is None for a dataset event, `run_id` also for a job event.

    `moment` is `at` as text, `parents` the ids of the parent run and of the root run, `parent_jobs`
    the names of their jobs, `job_kind` what it says of how the job works, as far as that decides
    what a run of it tells.
    """

    at: datetime
    moment: str
    hash: str
    job: Name | None
    run_id: str | None
    event_type: str
    job_facets: LastTold
    run_facets: LastTold
    job_kind: LastTold
    parents: tuple[str | None, str | None]
    parent_jobs: tuple[Name, ...]
    uses: tuple[Use, ...]

    @property
    def writes(self) -> bool:
        """Whether its outputs are said to be written, and not only to be going to be."""
        return self.job is not None and self.event_type in _MOVING

    @classmethod
    def of(
        cls, payload: Mapping[str, Any], payload_hash: str, documents: MutableMapping[str, str]
    ) -> Self:
        """What an event says that the ledger took; a part of it that makes no sense is passed.

        The bodies of its facets are put into `documents` by their digests, so that nothing of
        the payload is held any longer. It is read of canonical text, so its parts are canonical.
        """
        at = told_moment(payload["eventTime"])
        moment = instant(at)

        def kept(facets: Mapping[str, Any]) -> LastTold:
            told: LastTold = {}
            for name, body in facets.items():
                digest = WITHDRAWN
                if not _is_withdrawn(body):
                    text = json_text(body)
                    digest = digest_of(text)
                    documents[digest] = text
                told[name] = [moment, payload_hash, digest]
            return told

        job, run = payload.get("job"), payload.get("run")
        job_facets = _facets((job or {}).get("facets"))
        run_facets = _facets((run or {}).get("facets"))
        uses = [
            *_uses(payload.get("inputs") if job else None, "IN"),
            *_uses(payload.get("outputs") if job else None, "OUT"),
            *_uses(None if job else [payload.get("dataset")], ""),
            *_told_by_the_job(_body(job_facets, "lineage")),
        ]
        return cls(
            at=at,
            moment=moment,
            hash=payload_hash,
            job=(job["namespace"], job["name"]) if job else None,
            run_id=str(UUID(run["runId"])) if run else None,
            event_type=payload.get("eventType") or "OTHER",
            job_facets=kept(job_facets),
            run_facets=kept(run_facets),
            job_kind=_job_kind(job_facets, [moment, payload_hash]),
            parents=_parents(_body(run_facets, "parent")),
            parent_jobs=tuple(_parent_jobs(_body(run_facets, "parent"))),
            uses=tuple(
                Use(
                    dataset=name,
                    role=role,
                    facets=kept(facets),
                    use_facets=kept(own),
                    other_names=_other_names(name, _body(facets, "symlinks")),
                    former_name=_former_name(name, _body(facets, LIFECYCLE)),
                )
                for name, role, facets, own in uses
            ),
        )


_Told = tuple[Name, Role, dict[str, Any], dict[str, Any]]


def _uses(datasets: Any, role: Role) -> Iterator[_Told]:
    """(dataset, role, its facets, those of the use) of each."""
    for item in _dicts(datasets):
        own = _facets(item.get("inputFacets" if role == "IN" else "outputFacets"))
        name = dataset_name(item.get("namespace"), item.get("name"))
        assert name, "the ledger takes no event with a dataset without a name"
        yield name, role, _facets(item.get("facets")), own


def _told_by_the_job(facet: Mapping[str, Any]) -> Iterator[_Told]:
    for name in job_reads(facet):
        yield name, "IN", {}, {}
    for name, told in job_writes(facet):
        yield name, "OUT", {}, {"lineage": told}


def _other_names(dataset: Name, facet: Mapping[str, Any]) -> tuple[Name, ...]:
    found = []
    for item in _dicts(facet.get("identifiers")):
        name = dataset_name(item.get("namespace"), item.get("name"))
        if name and name != dataset:
            found.append(name)
    return tuple(found)


def _former_name(dataset: Name, facet: Mapping[str, Any]) -> Name | None:
    told = facet.get("previousIdentifier")
    if facet.get(LIFECYCLE) != _RENAME or not isinstance(told, dict):
        return None
    name = dataset_name(told.get("namespace"), told.get("name"))
    return name if name != dataset else None


def _job_kind(facets: Mapping[str, Any], entry: Entry) -> LastTold:
    told = _body(facets, "jobType").get("processingType")
    return {"processingType": [*entry, told.upper()]} if isinstance(told, str) else {}


def _parents(parent: Mapping[str, Any]) -> tuple[str | None, str | None]:
    root = parent.get("root")
    return _run_id(parent), _run_id(root if isinstance(root, dict) else {})


def _parent_jobs(parent: Mapping[str, Any]) -> Iterator[Name]:
    for holder in _dicts([parent, parent.get("root")]):
        for job in _dicts([holder.get("job")]):
            namespace, name = job.get("namespace"), job.get("name")
            if is_name(namespace) and is_name(name):
                yield namespace, name


def _facets(facets: Any) -> dict[str, Any]:
    return {name: body for name, body in (facets or {}).items() if isinstance(body, dict)}


def _body(facets: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What the facet tells, which is nothing where there is none."""
    body = facets.get(name, {})
    return {} if _is_withdrawn(body) else body


def _is_withdrawn(facet: Mapping[str, Any]) -> bool:
    """Whether it only says that what was told under its name is so no more."""
    return facet.get("_deleted") is True


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
