"""Change events: JSON objects that hold a row and say what became of it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from penstock.assets.modes import Append, Merge, Scd2
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.assets.dataset import Dataset

__all__ = ["Envelope", "check_envelope", "check_is_envelope", "debezium", "envelope"]

_PATH = re.compile(r"[^.\[\]'\"\\]+(\.[^.\[\]'\"\\]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """How an event is written: where it says the operation, the row after it and the one before.

    `deleted` is the column that is true of a row that was deleted. `columns` are the contract's
    that the event has beside the row, each with its path. With `wrapped` all of it may lie in
    another object, beside a schema. `unavailable` are the texts that stand for a value which the
    sender did not know.
    """

    operation: str
    after: str
    before: str
    writes: tuple[str, ...]
    deletes: tuple[str, ...]
    deleted: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    wrapped: str | None = None
    unavailable: tuple[str, ...] = ()

    @property
    def paths(self) -> dict[str, str]:
        """By the contract's column, where the event has what it says beside the row."""
        return dict(self.columns)


def envelope(
    *,
    operation: str = "op",
    after: str = "after",
    before: str = "before",
    writes: Sequence[str] = ("I", "U"),
    deletes: Sequence[str] = ("D",),
    deleted: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Envelope:
    """Events that say an `operation`, one of `writes` or `deletes`, and hold a row.

    That is the object `after`, and of a deletion the object `before`, which has its key at least.
    All three are paths, like `change.op`. `deleted` is the column that is true of a deleted row:
    the one that `Merge(deletes=...)` or `Scd2(deletes=...)` names. `columns` are the contract's
    that the event has beside the row: `columns={"changed_at": "ts_ms"}`.
    """
    where = "envelope(...)"
    for name, path in {
        "operation": operation,
        "after": after,
        "before": before,
        **{f"columns[{column!r}]": path for column, path in (columns or {}).items()},
    }.items():
        if not _is_path(path):
            raise DefinitionError(
                f"{name} is no path in an event",
                where=where,
                expected="names with points between, like source.lsn",
                found=repr(path),
                next_step="write it like columns={'lsn': 'source.lsn'}",
            )
    said = [*writes, *deletes]
    words = (
        not isinstance(writes, str) and not isinstance(deletes, str) and all(map(_is_word, said))
    )
    if not words or len({*said}) < len(said) or not writes:
        raise DefinitionError(
            "the operations are no words, none writes, or one is named twice",
            where=where,
            expected="lists of the words that the event says",
            found=f"writes={writes!r}, deletes={deletes!r}",
            next_step="write envelope(writes=['I', 'U'], deletes=['D'])",
        )
    return Envelope(
        operation=operation,
        after=after,
        before=before,
        writes=tuple(writes),
        deletes=tuple(deletes),
        deleted=deleted,
        columns=tuple(sorted((columns or {}).items())),
    )


def debezium(
    *,
    deleted: str | None = None,
    columns: Mapping[str, str] | None = None,
    unavailable: str = "__debezium_unavailable_value",
) -> Envelope:
    """Debezium's events: operations c, u, r and d, with the row in `after` and `before`.

    With and without the schema that its JSON converter puts beside. A truncation (`t`) has no row
    and is set aside, and so is a row with a value that the database did not log (a large one that
    did not change, without REPLICA IDENTITY FULL): `unavailable` is what the connector writes then.
    What `deleted` and `columns` are is said by `envelope`: the moment of the change is
    `columns={"changed_at": "source.ts_ms"}`, with `date_formats={"changed_at": "epoch_millis"}`.
    """
    made = envelope(writes=("c", "u", "r"), deletes=("d",), deleted=deleted, columns=columns)
    # as text, and as bytes are written
    signs = (
        unavailable,
        base64.b64encode(unavailable.encode()).decode(),
        unavailable.encode().hex(),
    )
    return replace(made, wrapped="payload", unavailable=signs)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and _PATH.fullmatch(value) is not None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value != ""


def check_is_envelope(where: str, given: object) -> None:
    """Raise DefinitionError for what is none."""
    if not isinstance(given, Envelope | None):
        raise DefinitionError(
            "envelope= is of another kind",
            where=where,
            expected="debezium() or envelope(...)",
            found=repr(given),
            next_step="write envelope=debezium(deleted='gone')",
        )


def check_envelope(
    spec: Dataset, name: str, events: Envelope, taken: frozenset[str], where: str
) -> None:
    """Raise DefinitionError where events cannot be read so, or would lose what they delete.

    `taken` are the columns that something else gives.
    """
    if spec.whole_list:
        raise DefinitionError(
            f"input {name} gives changes, and says nothing of what is missing",
            where=where,
            expected="missing='keep'",
            next_step="leave missing= out: what is gone is deleted by an event",
        )
    known = {column.name: column.type for column in spec.arriving.columns}
    beside = [*filter(None, [events.deleted]), *dict(events.columns)]
    wrong = [c for c in beside if c not in known or c in taken or beside.count(c) > 1]
    if events.deleted is not None and known.get(events.deleted) != "boolean":
        wrong.append(events.deleted)
    if wrong:
        raise DefinitionError(
            f"the events of input {name} cannot give the column",
            where=where,
            expected="columns of the contract, each said once, and a bool for deleted=",
            found=", ".join(dict.fromkeys(wrong)),
            next_step="name the columns as the contract does, and in deleted= the one of "
            "Merge(deletes=...) or Scd2(deletes=...)",
        )
    if not events.deletes:
        return
    if not isinstance(spec.write, Merge | Scd2):
        kept = events.deleted is not None or events.operation in events.paths.values()
        if isinstance(spec.write, Append) and kept:
            return
        raise DefinitionError(
            f"nothing would tell the rows that the events of input {name} delete from others",
            where=where,
            expected="Merge(deletes=...) or Scd2(deletes=...); or Append() and a column of the "
            "contract for deleted= or the operation",
            found=type(spec.write).__name__,
            next_step=f"write columns={{'op': {events.operation!r}}} to keep events as they were "
            "said",
        )
    asked = spec.write.deletes
    if asked is None or asked != events.deleted:
        raise DefinitionError(
            f"the events of input {name} delete rows, and the dataset does not",
            where=where,
            expected="one column for both, such as Merge(deletes='gone') and "
            "debezium(deleted='gone')",
            found=f"deletes={asked!r}, deleted={events.deleted!r}",
            next_step="name it in both; a column of the contract marks rows, any other name has "
            "them taken out",
        )
