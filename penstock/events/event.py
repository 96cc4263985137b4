"""OpenLineage run events from a run's facts. Pure: no clock, no ids, no Spark, no Dagster.

A run has one START and ends with one of COMPLETE, FAIL and ABORT. Every builder takes the moment
of the event as an aware datetime and gives an openlineage-python `RunEvent`.

    event = start_event(facts, at=clock())
    ledger.append(event)
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openlineage.client.event_v2 import (
    InputDataset,
    Job,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
)
from openlineage.client.facet_v2 import error_message_run
from openlineage.client.serde import Serde

from penstock.errors import InputError
from penstock.events.dataset_facets import dataset_facets, input_facets, output_facets
from penstock.events.instant import instant
from penstock.events.producer import PRODUCER
from penstock.events.run_facets import job_facets, run_facets
from penstock.events.run_facts import RunError, RunFacts

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "abort_event",
    "abort_payload",
    "complete_event",
    "event_payload",
    "fail_event",
    "start_event",
]


def start_event(facts: RunFacts, *, at: datetime) -> RunEvent:
    """The run has begun: inputs at their pinned versions, the output as its contract says."""
    return _event(RunState.START, facts, at)


def complete_event(facts: RunFacts, *, at: datetime) -> RunEvent:
    """The run has committed, or found its token committed already (`facts.committed` is False)."""
    return _event(RunState.COMPLETE, facts, at)


def fail_event(facts: RunFacts, error: RunError | BaseException, *, at: datetime) -> RunEvent:
    """The run has ended with an error and committed nothing."""
    told = error if isinstance(error, RunError) else RunError.of(error)
    return _event(RunState.FAIL, replace(facts, error=told), at)


def abort_event(facts: RunFacts, reason: str, *, at: datetime) -> RunEvent:
    """The run was stopped from outside: cancelled, superseded, or its process went away."""
    return _event(RunState.ABORT, replace(facts, error=RunError(message=reason)), at)


def abort_payload(last: Mapping[str, Any], reason: str, *, at: datetime) -> dict[str, Any]:
    """The ABORT of a run of which only the last event's payload is left: its process died."""
    payload = copy.deepcopy(dict(last))
    payload["eventType"] = RunState.ABORT.value
    payload["eventTime"] = instant(at)
    facet = error_message_run.ErrorMessageRunFacet(
        message=reason, programmingLanguage="PYTHON", producer=PRODUCER
    )
    facets = payload["run"].get("facets") or {}
    payload["run"]["facets"] = {**facets, "errorMessage": Serde.to_dict(facet)}
    return payload


def event_payload(event: RunEvent | Mapping[str, Any], where: str = "event") -> dict[str, Any]:
    """The event as JSON-ready data, as it is stored and sent; what is data already stays as it is.

    Raises InputError for what is neither.
    """
    if isinstance(event, RunEvent):
        return Serde.to_dict(event)
    if not isinstance(event, Mapping):
        raise InputError(
            "this is not an OpenLineage event",
            where=f"{where} $",
            expected="a JSON object",
            found=type(event).__name__,
            next_step="send an event, or a list of events",
        )
    return dict(event)


def _event(state: RunState, facts: RunFacts, at: datetime) -> RunEvent:
    identity = facts.identity
    facets, output_statistics = output_facets(facts)
    return RunEvent(
        eventType=state,
        eventTime=instant(at),
        producer=PRODUCER,
        run=Run(runId=str(identity.run_id), facets=run_facets(facts)),
        job=Job(
            namespace=identity.job_namespace,
            name=identity.job_name,
            facets=job_facets(facts),
        ),
        inputs=[
            InputDataset(
                namespace=dataset.namespace,
                name=dataset.name,
                facets=dataset_facets(dataset, identity.job_namespace),
                inputFacets=input_facets(dataset),
            )
            for dataset in facts.inputs
        ],
        outputs=[
            OutputDataset(
                namespace=facts.output.namespace,
                name=facts.output.name,
                facets=facets,
                outputFacets=output_statistics,
            )
        ],
    )
