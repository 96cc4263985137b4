"""A deployment: datasets and the resources they run on. Dagster and the command line share it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.assets.agreement import check_together
from penstock.assets.asset import definitions
from penstock.assets.automation.automation import Automation, automated
from penstock.assets.dataset import Dataset
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.topic import Topic
from penstock.assets.runtime import Runtime
from penstock.errors import DefinitionError
from penstock.resources.kafka import Kafka
from penstock.resources.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dagster as dg

    from penstock.resources.cluster import Cluster

__all__ = ["Deployment"]

_AUTOMATION = Automation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Datasets by name, and resources by key: `lake`, `ledger`, clusters, sources, `secrets`.

    `external` names the tables of the lake that others write and these datasets read.
    """

    datasets: Sequence[Dataset]
    resources: Mapping[str, Any]
    external: Sequence[str] = ()

    def __post_init__(self) -> None:
        given: tuple[object, ...] = tuple(self.datasets)
        object.__setattr__(self, "datasets", given)
        object.__setattr__(self, "external", tuple(self.external))
        strangers = [item for item in given if not isinstance(item, Dataset)]
        if strangers:
            raise DefinitionError(
                "the deployment holds something that is no dataset",
                where="Deployment",
                expected="what @dataset(...) made of a function",
                found=getattr(strangers[0], "__name__", type(strangers[0]).__name__),
                next_step="name the function below @dataset(...), not its contract",
            )
        names = [spec.name for spec in self.datasets]
        needed = {"lake", "ledger", *(spec.cluster for spec in self.datasets)}
        needed |= {"secrets" for spec in self.datasets if spec.needs_secrets}
        sources = {
            (item.source, Postgres if isinstance(item, Query) else Kafka)
            for spec in self.datasets
            for item in spec.inputs.values()
            if isinstance(item, Query | Topic)
        }
        needed |= {name for name, _ in sources}
        problems = [f"two datasets are called {n}" for n in set(names) if names.count(n) > 1]
        problems += [f"no resource {key}" for key in sorted(needed - set(self.resources))]
        problems += [
            f"{name}, which is read from, is no {kind.__name__}"
            for name, kind in sorted(sources, key=str)
            if name in self.resources and not isinstance(self.resources[name], kind)
        ]
        if problems:
            raise DefinitionError(
                "the deployment is not whole",
                where="Deployment",
                found="; ".join(problems),
                next_step="rename the dataset, or add the resource",
            )
        check_together(self.datasets, self.external)
        self.in_order()  # which there is not where they read each other in a circle

    def dataset(self, name: str) -> Dataset:
        """The dataset called `name`. Raises DefinitionError with the nearest names."""
        for spec in self.datasets:
            if spec.name == name:
                return spec
        names = [spec.name for spec in self.datasets]
        near = difflib.get_close_matches(name, names, 1)
        raise DefinitionError(
            "there is no such dataset",
            where=name,
            expected=", ".join(sorted(names)),
            next_step=f"did you mean {near[0]}?" if near else "see them with: penstock list",
        )

    def in_order(self) -> tuple[Dataset, ...]:
        """The datasets, each after those it reads."""
        ordered: list[Dataset] = []
        left = {spec.name: spec for spec in self.datasets}
        while left:
            ready = [s for s in left.values() if not set(s.upstream) & set(left) - {s.name}]
            if not ready:
                raise DefinitionError(
                    "datasets read each other in a circle",
                    where=", ".join(sorted(left)),
                    next_step="break the circle: one of them must not read the other",
                )
            for spec in ready:
                ordered.append(spec)
                del left[spec.name]
        return tuple(ordered)

    def cluster(self, spec: Dataset) -> Cluster:
        """The cluster the dataset runs on."""
        cluster: Cluster = self.resources[spec.cluster]
        return cluster

    def runtime(self) -> Runtime:
        """The outside world of the executor, from the resources."""
        ledger = self.resources["ledger"]
        return Runtime(
            lake=self.resources["lake"],
            ledger=ledger.open(),
            secrets=secrets.secrets() if (secrets := self.resources.get("secrets")) else None,
            sources={name: self.resources[name] for spec in self.datasets for name in spec.sources},
            namespace=ledger.namespace,
        )

    def definitions(
        self, automation: Automation | None = _AUTOMATION, **others: Any
    ) -> dg.Definitions:
        """Dagster definitions: an asset for each dataset, and what `automation` does with them.

        None leaves jobs, schedules, sensors and upkeep to the caller. `others` are defined as well.
        """
        found = {} if automation is None else automated(automation, self)
        for kind, made in found.items():
            others[kind] = [*made, *others.get(kind, ())]
        return definitions(
            self.datasets, resources=dict(self.resources), external=self.external, **others
        )
