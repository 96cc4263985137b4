"""`penstock run` and `penstock backfill`: produce datasets here and now. Dagster is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from penstock.cli.command import Call, command
from penstock.cli.dagster_instance import DagsterInstance
from penstock.cli.progress import outcome_words, run_progress
from penstock.cli.slices import slices_wanted
from penstock.errors import DefinitionError, ValidationError

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset
    from penstock.assets.deployment import Deployment
    from penstock.assets.outcome import Outcome
    from penstock.assets.slice import Slice

__all__ = ["register"]

_Dataset = Annotated[str, typer.Argument(help="Name of the dataset.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    example = "penstock run silver.flights --slice 2013-02-08 --upstream"
    command(app, "run", example=example)(run_dataset)
    example = "penstock backfill silver.flights --from 2013-02-07 --to 2013-02-11"
    command(app, "backfill", example=example)(backfill_dataset)


def run_dataset(
    call: Call,
    dataset: _Dataset,
    *,
    slice_key: Annotated[
        str | None,
        typer.Option("--slice", metavar="SLICE", help="Like 2013-02-08, 2013-02 or 2013-02-08|DE."),
    ] = None,
    upstream: Annotated[
        bool, typer.Option("--upstream", help="First run all it needs, in order.")
    ] = False,
    reopen: Annotated[
        bool,
        typer.Option("--reopen", help="Also where the slice is closed, which its commit says."),
    ] = False,
) -> None:
    """Produce a dataset. Run again with nothing changed, it writes nothing and says so."""
    deployment = call.deployment()
    spec = deployment.dataset(dataset)
    specs = _needed(deployment, spec) if upstream else (spec,)
    jobs = slices_wanted(specs, spec, slice_key)
    # what it is made of stays closed
    _answer(call, _produce(call, deployment, jobs, reopened=spec if reopen else None))


def backfill_dataset(
    call: Call,
    dataset: _Dataset,
    first: Annotated[str, typer.Option("--from", metavar="SLICE", help="First slice.")],
    last: Annotated[str, typer.Option("--to", metavar="SLICE", help="Last slice, included.")],
    *,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Also closed slices, which the commit says.")
    ] = False,
) -> None:
    """Produce a range of slices of a dataset, such as days, in one run."""
    deployment = call.deployment()
    spec = deployment.dataset(dataset)
    if spec.partitions is None:
        raise DefinitionError(
            "the dataset has no slices to backfill",
            where=spec.name,
            next_step=f"run it whole: penstock run {spec.name}",
        )
    slice_ = spec.partitions.slice(first, last)
    reopened = spec if reopen else None
    _answer(call, _produce(call, deployment, [(spec, slice_)], reopened=reopened))


def _produce(
    call: Call,
    deployment: Deployment,
    jobs: list[tuple[Dataset, Slice]],
    *,
    reopened: Dataset | None = None,
) -> list[Outcome]:
    from penstock.assets.executor import run
    from penstock.assets.recovery import settle_dead_runs
    from penstock.assets.runtime import Invocation

    runtime = deployment.runtime()
    settled = settle_dead_runs(runtime)
    if settled.completed:
        call.say(f"{len(settled.completed)} earlier run(s) had committed and then died: completed")
    if settled.aborted:
        call.say(f"{len(settled.aborted)} earlier run(s) had died and are now recorded as aborted")
    dagster = DagsterInstance(call, deployment)
    outcomes = []
    for spec, slice_ in jobs:
        cluster = deployment.cluster(spec)
        with call.busy(f"Starting cluster {cluster.cluster_name}"):
            cluster.ensure()
        with (
            cluster.session() as spark,
            run_progress(call.err, f"{spec.name} {slice_.key}", spark) as step,
        ):
            invocation = Invocation(on_step=step, reopen=spec is reopened)
            try:
                outcome = run(spec, spark, slice_, runtime=runtime, invocation=invocation)
            except ValidationError as error:
                dagster.told(spec, slice_, error)
                raise
        call.say(outcome_words(outcome), style="green" if outcome.committed else "dim")
        dagster.told(spec, slice_, outcome)
        outcomes.append(outcome)
    return outcomes


def _answer(call: Call, outcomes: list[Outcome]) -> None:
    # a person has read each line on stderr as it happened
    if call.as_json:
        call.answer([outcome.document() for outcome in outcomes])
        return
    hints = []
    for outcome in outcomes:
        if outcome.rows_quarantined:
            rules = ", ".join(f"{rule} {n}" for rule, n in outcome.quarantined_by_rule.items())
            hints.append(f"{outcome.dataset}: set aside for {rules}")
            hints.append(f"  see them: penstock quarantine show {outcome.dataset}")
        hints += [
            f"{outcome.dataset}: {rows:,} rows break {rule}, which only warns"
            for rule, rows in outcome.warned.items()
            if rows
        ]
    call.answer(None, *map(Text, hints))


def _needed(deployment: Deployment, spec: Dataset) -> tuple[Dataset, ...]:
    """The dataset and all it reads, directly or not, in order."""
    wanted = {spec.name}
    for other in reversed(deployment.in_order()):
        if other.name in wanted:
            wanted.update(other.upstream)
    return tuple(other for other in deployment.in_order() if other.name in wanted)
