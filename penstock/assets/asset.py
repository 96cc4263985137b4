"""A dataset as a Dagster asset: the carrier of the executor that people see."""

# no postponed annotations: dagster looks at the type of `context` itself

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import dagster as dg

from penstock.assets.agreement import check_together
from penstock.assets.asset_checks import (
    Verdict,
    check_specs,
    failed_contract,
    freshness_verdict,
    row_verdicts,
)
from penstock.assets.closed import REOPEN
from penstock.assets.dataset import Dataset
from penstock.assets.executor import run
from penstock.assets.fault import place, translated
from penstock.assets.freshness import freshness_of
from penstock.assets.freshness_sensor import freshness_sensor
from penstock.assets.inputs.external import External
from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.topic import Topic
from penstock.assets.metadata import asset_key, definition_metadata, outcome_metadata
from penstock.assets.outcome import Outcome
from penstock.assets.partitions.dagster import mapping_of, partitions_of, slice_of
from penstock.assets.runtime import Invocation, Runtime
from penstock.assets.slice import WHOLE
from penstock.assets.threaded_executor import threaded_executor
from penstock.errors import (
    ClusterError,
    ConflictError,
    LakeError,
    PenstockError,
    SourceError,
    ValidationError,
)
from penstock.events import ParentRun
from penstock.ledger import utc_now

__all__ = ["build_asset", "datasets_of", "definitions", "source_specs"]

_WORTH_RETRYING = (ClusterError, ConflictError, LakeError, SourceError)


def datasets_of(*modules: ModuleType) -> list[Dataset]:
    """The datasets defined in the modules, in the order of names. One imported twice is one.

    Of a package all modules are imported, those of packages in it too.
    """
    found = {
        id(item): item
        for module in modules
        for part in _modules(module)
        for item in vars(part).values()
        if isinstance(item, Dataset)
    }
    return sorted(found.values(), key=lambda spec: spec.name)


def _modules(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    for found in walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
        yield import_module(found.name)


def definitions(
    datasets: Iterable[Dataset],
    *,
    resources: dict[str, Any],
    external: Sequence[str] = (),
    **others: Any,
) -> dg.Definitions:
    """Dagster definitions of the datasets and the landing folders they read.

    `resources` must hold `lake`, `ledger`, the clusters the datasets name, and `secrets` when one
    makes tokens. `external` are names of tables in the lake that others write and these datasets
    read. `others` (jobs, schedules, sensors, further assets) go to `dg.Definitions`; without an
    `executor` among them steps run in threads of one process (`threaded_executor`). Where a
    contract promises freshness, a sensor is added that keeps the check of it true; it is on.

    Raises DefinitionError when a dataset reads what none makes, or two of them do not agree.
    """
    specs = list(datasets)
    check_together(specs, external)
    made = {spec.name: spec for spec in specs}
    own = [build_asset(spec, made) for spec in specs]
    assets = [*own, *source_specs(specs), *others.pop("assets", ())]
    others.setdefault("executor", threaded_executor)
    promised = [spec for spec in specs if spec.model.freshness]
    sensors = [*([freshness_sensor(promised)] if promised else []), *others.pop("sensors", ())]
    return dg.Definitions(assets=assets, resources=resources, sensors=sensors, **others)


def source_specs(datasets: Iterable[Dataset]) -> list[dg.AssetSpec]:
    """An external asset for each source, so that the graph shows where data comes from."""
    found: dict[str, dg.AssetSpec] = {}
    for item in (item for spec in datasets for item in spec.inputs.values()):
        match item:
            case Landing():
                what = f"{item.format.title} files that arrive in landing as {item.pattern}"
                kind, group = item.format.kind, "landing"
            case Query():
                what = f"{item.relation} of the database {item.database}"
                kind, group = "postgresql", "databases"
            case Topic():
                what = f"records of the topic {item.name} of {item.broker}"
                kind, group = "kafka", "topics"
            case External():
                what = f"{item.model.description} Others write it: {item.place}."
                kind, group = "delta", "external"
            case _:
                continue
        found[item.dataset] = dg.AssetSpec(
            asset_key(item.dataset), description=what, kinds={kind}, group_name=group
        )
    return [found[name] for name in sorted(found)]


def build_asset(spec: Dataset, made: Mapping[str, Dataset] = {}) -> dg.AssetsDefinition:
    """The asset of one dataset, with an in-step check that blocks what is downstream.

    `made` are the datasets of the deployment, which tell what the slices of its inputs are.
    """
    key = asset_key(spec.name)
    model, plan = spec.model, spec.schedule
    partitions = partitions_of(spec.partitions)
    checks = check_specs(spec, key, partitions)
    automation = dg.AutomationCondition.eager() if plan.eager else None
    if plan.cron:
        automation = dg.AutomationCondition.on_cron(plan.cron)

    @dg.asset(
        key=key,
        ins=_ins(spec, made),
        description=model.description,
        group_name=spec.group,
        owners=[model.owner],
        tags={**spec.tags, "contract_version": model.version},
        kinds={"spark", "delta"},
        code_version=spec.code_version,
        metadata=definition_metadata(spec),
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run() if spec.partitions else None,
        automation_condition=automation,
        retry_policy=dg.RetryPolicy(
            max_retries=plan.max_retries,
            delay=plan.retry_delay.total_seconds(),
            backoff=dg.Backoff.EXPONENTIAL,
            jitter=dg.Jitter.PLUS_MINUS,
        ),
        pool=spec.cluster,
        check_specs=checks,
        required_resource_keys={"lake", "ledger", spec.cluster, *spec.sources}
        | ({"secrets"} if spec.needs_secrets else set()),
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[Any]:
        try:
            outcome, fresh = _produce(spec, context)
        except Exception as error:  # noqa: BLE001 - whatever it is, Dagster must not store its text
            told = translated(error, spec.name)
            if isinstance(told, ValidationError):
                yield from _reported(context, checks, [failed_contract(told)])
            # from None: the message of a cause can quote rows, and Dagster's log would keep it
            raise _failure(spec, told) from None
        yield dg.MaterializeResult(
            metadata=outcome_metadata(outcome, context.resources.ledger.page(spec.name)),
            data_version=dg.DataVersion(f"{outcome.version}"),
        )
        yield from _reported(context, checks, [*row_verdicts(spec, outcome), *fresh])

    return asset


def _ins(spec: Dataset, made: Mapping[str, Dataset]) -> dict[str, dg.AssetIn]:
    """What it reads. Numbered: `deps` makes one input of two keys that differ in marks alone."""
    mappings: dict[dg.AssetKey, dg.PartitionMapping | None] = {}
    for item in spec.inputs.values():
        mapping = mapping_of(spec, item, made.get(item.dataset))
        if item.dataset != spec.name:
            key = asset_key(item.dataset)
            # a mapping without settings counts as nothing
            mappings[key] = mappings.get(key) if mapping is None else mapping
    for name in spec.upstream:  # those of foreign keys, too
        mappings.setdefault(asset_key(name), mapping_of(spec, None, made.get(name)))
    return {
        f"input_{number}": dg.AssetIn(key, dagster_type=dg.Nothing, partition_mapping=mapping)
        for number, (key, mapping) in enumerate(mappings.items())
    }


def _produce(spec: Dataset, context: dg.AssetExecutionContext) -> tuple[Outcome, list[Verdict]]:
    """What the run did, and whether the dataset is fresh now, where that is promised."""
    resources = context.resources
    runtime = Runtime(
        lake=resources.lake,
        ledger=resources.ledger.open(),
        secrets=resources.secrets.secrets() if spec.needs_secrets else None,
        sources={name: getattr(resources, name) for name in spec.sources},
        namespace=resources.ledger.namespace,
    )
    invocation = Invocation(
        id=context.run.run_id,
        attempt=context.retry_number + 1,
        parent=ParentRun(
            run_id=uuid.UUID(context.run.run_id),
            job_name=context.job_name,
            job_namespace=resources.ledger.namespace,
        ),
        on_step=lambda step: context.log.info("%s %s", spec.name, step),
        reopen=context.run.tags.get(REOPEN) == "true",
    )
    slice_ = WHOLE
    if spec.partitions:
        slice_ = slice_of(spec.partitions, context.partition_keys)
    with getattr(resources, spec.cluster).session() as spark:
        outcome = run(spec, spark, slice_, runtime=runtime, invocation=invocation)
    judged = freshness_of(runtime.lake.table(spec.name), spec.model, utc_now())
    return outcome, [freshness_verdict(judged)] if judged else []


def _failure(spec: Dataset, error: Exception) -> dg.Failure:
    """What Dagster may keep of `error`; of one that is not ours its class and place only."""
    if isinstance(error, PenstockError):
        return dg.Failure(str(error), allow_retries=isinstance(error, _WORTH_RETRYING))
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    line = place(error)
    what = (
        "the function raises an error" if line else "something failed that Penstock does not know"
    )
    return dg.Failure(
        f"{spec.name}: {what}\n"
        f"  found: {name}{f' at {line}' if line else ''}\n"
        "  next: penstock run with --debug shows its message, which may quote rows",
        allow_retries=line is None,
    )


def _reported(
    context: dg.AssetExecutionContext,
    specs: Sequence[dg.AssetCheckSpec],
    verdicts: Iterable[Verdict],
) -> Iterator[Any]:
    """The verdicts as a step yields them: of rows for each slice, of freshness for the dataset.

    Dagster plans every check for each slice of the step, also one that has no slices.
    """
    keys = context.partition_keys if context.assets_def.partitions_def else []
    by_name = {spec.name: spec for spec in specs}
    for verdict in verdicts:
        spec = by_name[verdict.check]
        yield dg.Output(None, output_name=spec.get_python_identifier())
        of_all = [] if spec.partitions_def else [None]
        for key in [*keys, *of_all]:
            yield verdict.evaluation(context.asset_key, key)
