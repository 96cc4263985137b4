"""Which records of a topic a run takes, and whether some are gone that no run took."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from penstock.assets.inputs.taken import taken
from penstock.assets.inputs.topic import PinnedRecords, Topic
from penstock.assets.modes import Append
from penstock.errors import InputError, SecretError
from penstock.resources.kafka import Kafka

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Asked
    from penstock.resources.kafka import TopicState
    from penstock.resources.secrets import Password

__all__ = ["pin_records"]


def pin_records(topic: Topic, asked: Asked) -> PinnedRecords:
    """The records from where the last run ended to the newest that is committed.

    Raises InputError for a topic that is not there, was made anew, or lost records that no run
    took; SecretError, SourceError.
    """
    kafka = asked.runtime.sources[topic.broker]
    assert isinstance(kafka, Kafka)  # the deployment sees to it
    password = _password(topic, asked, kafka)
    where = f"{kafka.namespace}, topic {topic.name}"
    deletes = topic.envelope is not None and bool(topic.envelope.deletes)
    state = kafka.state(password, topic.name, kept=deletes)
    if deletes:
        _refuse_compacted(state, where)
    before = taken(asked, where, topic_id=state.id)
    if before is not None and before["topic_id"] != state.id:
        raise InputError(
            "the topic was made anew since it was last read: its offsets count other records",
            where=where,
            expected=f"the topic {before['topic_id']}, taken up to "
            + _words({int(part): offset for part, offset in before["up_to"].items()}),
            found=f"the topic {state.id}",
            next_step="with Merge() give the input another name: it is then read from its "
            "beginning, and what was taken stays. With Append() move the dataset's table away and "
            "run it again, or write a new dataset for the new topic",
        )
    reached = {int(part): offset for part, offset in before["up_to"].items()} if before else {}
    after = _after(topic, state, None if before is None else reached, where)
    up_to = {part: max(after[part], found.end) for part, found in state.partitions.items()}
    return PinnedRecords(
        name=asked.name,
        topic=topic,
        kafka=kafka,
        password=password,
        topic_id=state.id,
        after=after,
        up_to=up_to,
        apart=_apart(topic, asked.spec),
        removes=asked.spec.removes is not None,
        mark=secrets.token_hex(16),
        nothing_new=before is not None and after == up_to,
    )


def _apart(topic: Topic, spec: Dataset) -> tuple[str, ...]:
    """The columns that tell rows apart of which the newest record counts, where that is so."""
    own_order = isinstance(spec.write, Append) or spec.order_by is not None
    return () if own_order or {*topic.derived} & {*spec.row_key} else spec.row_key


def _after(
    topic: Topic, state: TopicState, before: Mapping[int, int] | None, where: str
) -> dict[int, int]:
    """The first offset to take of each partition: where the last run ended, or the first there is.

    A partition that came since then begins at 0.
    """
    reached = before or {}
    given_up = dict(topic.given_up)
    after, lost, short = {}, {}, {}
    for part, found in state.partitions.items():
        start = reached.get(part, 0)
        # what is given up is not missed; what is there is taken all the same
        if before is not None and found.first > max(start, given_up.get(part, 0)):
            lost[part] = (start, found.first)
        if found.end < reached.get(part, 0):
            short[part] = found.end
        after[part] = max(start, found.first)
    gone = sorted(reached.keys() - state.partitions.keys())
    if short or gone:
        raise InputError(
            "the topic ends before what was taken of it: records of it were lost or replaced",
            where=where,
            expected=f"records up to {_words(reached)}",
            found=_words(short) + (f"; no partition {gone}" if gone else ""),
            next_step="ask who runs the cluster; where it was restored from a backup, give the "
            "input another name and Merge(): it is then read from its beginning",
        )
    if lost:
        ranges = ", ".join(
            f"partition {part}: {low} to {high - 1}" for part, (low, high) in lost.items()
        )
        mend = ", ".join(f"{part}: {high}" for part, (_, high) in lost.items())
        raise InputError(
            "records were deleted from the topic before they were taken",
            where=where,
            expected=f"records from {_words(reached)} on",
            found=f"lost are the offsets of {ranges}",
            next_step="raise the topic's retention above the longest time between two runs. To go "
            f"on without them: topic(..., given_up={{{mend}}})",
        )
    return after


def _refuse_compacted(state: TopicState, where: str) -> None:
    """Raise InputError where Kafka may drop the event of a deletion before it is taken.

    Of a key it keeps the last record, which behind a deletion is one without a value.
    """
    if not state.kept_milliseconds:
        raise InputError(
            "the topic is compacted, and deletions may be gone before they are taken",
            where=where,
            expected="cleanup.policy=delete; or min.compaction.lag.ms above the longest time "
            "between two runs",
            found="min.compaction.lag.ms=0",
            next_step="have the topic's configuration changed; nothing was committed",
        )


def _words(offsets: Mapping[int, int]) -> str:
    return ", ".join(f"{part}: {offset}" for part, offset in sorted(offsets.items())) or "nothing"


def _password(topic: Topic, asked: Asked, kafka: Kafka) -> Password | None:
    if kafka.user is None:
        return None
    if asked.runtime.secrets is None:
        raise SecretError(
            "a topic is read with a user and there is no secrets resource",
            where=f"{asked.spec.name}, input {asked.name}",
            next_step="give the deployment a `secrets` resource, such as SecretsResource",
        )
    return asked.runtime.secrets.password(topic.broker)
