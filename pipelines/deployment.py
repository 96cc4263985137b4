"""The deployment: every dataset, on the resources of the environment it runs in."""

from __future__ import annotations

from assets import bronze, features, gold, shared, silver
from penstock.assets.asset import datasets_of
from penstock.assets.deployment import Deployment
from resources.environments import environment

deployment = Deployment(
    datasets=tuple(datasets_of(bronze, silver, gold, features, shared)),
    resources=environment().resources(),
)
