"""What a run needs from outside: the lake, the ledger, the secrets, and who asked for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.ledger import Clock, Ledger, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.events import ParentRun
    from penstock.resources.kafka import Kafka
    from penstock.resources.lake import Lake
    from penstock.resources.postgres import Postgres
    from penstock.resources.secrets import Secrets

__all__ = ["Invocation", "Runtime", "Step"]

#: Called with the name of each step of the executor when it has ended.
Step = Callable[[str], None]


def _no_step(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The outside world of the executor. `namespace` is OpenLineage's namespace of the jobs.

    `sources` are the databases and brokers that are read from, by the names that inputs say.
    """

    lake: Lake
    ledger: Ledger
    secrets: Secrets | None = None
    sources: Mapping[str, Postgres | Kafka] = field(default_factory=dict)
    namespace: str = "penstock"
    clock: Clock = utc_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """Who asked for the run: a Dagster run (its id is `id`), or a call of its own.

    `reopen`: it may change slices that are closed.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempt: int = 1
    parent: ParentRun | None = None
    on_step: Step = _no_step
    reopen: bool = False
