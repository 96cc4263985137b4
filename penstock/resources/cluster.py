"""A cluster: where a dataset's body runs, behind one small protocol.

Client mode gives a session in this process (local, Connect, standalone). Cluster mode ships the
job. `capabilities` says which before anything is asked, so nothing is found out by failing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn, Protocol, runtime_checkable

from penstock.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from pyspark.sql import SparkSession

__all__ = [
    "Capability",
    "ClientMode",
    "Cluster",
    "ClusterCost",
    "ClusterHandle",
    "Job",
    "JobState",
    "Submission",
]


class Capability(StrEnum):
    """What a cluster can do."""

    SESSION = "session"
    """Gives a session in this process."""
    PLAN_JSON = "plan_json"
    """The session is classic: the analyzed plan can be read as JSON."""
    SHARED = "shared"
    """Other processes work on the same cluster at the same time."""
    SUBMIT = "submit"
    """Takes a job and runs it elsewhere."""


class JobState(StrEnum):
    """A submitted job's life."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterHandle:
    """A cluster that is there. `address` is for people and messages, not for parsing."""

    cluster: str
    address: str
    ready_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work to ship. The same `token` submitted twice is one job."""

    token: str
    entry_point: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A job the cluster has taken, under the cluster's own id."""

    cluster: str
    job_id: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCost:
    """Spent since `ensure`. None where it cannot be known: CPU of a shared server, no bill."""

    cpu_seconds: float | None
    wall_seconds: float
    usd: float | None = None


@runtime_checkable
class Cluster(Protocol):
    """What the executor and the assets know of a cluster."""

    @property
    def cluster_name(self) -> str:
        """The name in messages, events and metrics."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What may be called here."""
        ...

    def ensure(self) -> ClusterHandle:
        """Bring the cluster up, or find it up. Idempotent. SetupError or ClusterError."""
        ...

    def session(self) -> AbstractContextManager[SparkSession]:
        """A session for the length of a `with`. Loss of the cluster becomes ClusterError."""
        ...

    def submit(self, job: Job) -> Submission:
        """Ship a job. Idempotent by its token."""
        ...

    def poll(self, submission: Submission) -> JobState:
        """How the job stands now."""
        ...

    def logs(self, submission: Submission) -> Iterator[str]:
        """The job's log, line by line, as far as it is there."""
        ...

    def cancel(self, submission: Submission) -> None:
        """End the job. Idempotent."""
        ...

    def release(self) -> None:
        """Give the cluster back. Idempotent; nothing of ours is left running."""
        ...

    def cost(self) -> ClusterCost:
        """What was spent since `ensure`."""
        ...


class ClientMode:
    """The half of the protocol that a client-mode cluster refuses."""

    @property
    def cluster_name(self) -> str:
        """The name in messages, events and metrics."""
        raise NotImplementedError

    def submit(self, job: Job) -> Submission:
        """Refused: the work is done through `session`."""
        self._refuse(f"submit job {job.token}")

    def poll(self, submission: Submission) -> JobState:
        """Refused: nothing was submitted."""
        self._refuse(f"poll job {submission.job_id}")

    def logs(self, submission: Submission) -> Iterator[str]:
        """Refused: nothing was submitted."""
        self._refuse(f"read the log of job {submission.job_id}")

    def cancel(self, submission: Submission) -> None:
        """Refused: nothing was submitted."""
        self._refuse(f"cancel job {submission.job_id}")

    def _refuse(self, action: str) -> NoReturn:
        raise ClusterError(
            f"cannot {action}: this cluster runs in client mode",
            where=self.cluster_name,
            expected="a cluster with the capability 'submit'",
            found="a cluster that gives a session in this process",
            next_step="use session(), or name a cluster-mode cluster on the dataset",
        )
