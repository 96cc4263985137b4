"""How far a source was taken by earlier runs, and what must not be taken again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.assets.modes import Append
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.inputs.kind import Asked
    from penstock.assets.modes import WriteMode

__all__ = ["is_idempotent", "taken"]


def taken(asked: Asked, place: str, **known_by: str) -> Mapping[str, Any] | None:
    """What the newest commit says that took the input; None where none did.

    Raises InputError where its rows are in the table, and no commit says up to which. `known_by` is
    what else than its name a commit says of it.
    """
    if asked.past is None:
        return None
    past, dataset = asked.past, asked.spec.inputs[asked.name].dataset
    before = past.taken(asked.name, dataset)
    if before is not None or is_idempotent(asked.spec.write):
        return before
    if past.was_made_of(dataset=dataset) or (known_by and past.was_made_of(**known_by)):
        raise InputError(
            "rows of it were taken as another input, or under another name of its resource, or "
            "without a watermark, and would be added again",
            where=place,
            expected=f"a commit that says how far input {asked.name} was taken",
            next_step="give the input and the resource their old names; or move the dataset's "
            "table away and run it again: it begins anew with all rows",
        )
    return None


def is_idempotent(write: WriteMode) -> bool:
    """Whether rows that were taken may be taken again."""
    return not isinstance(write, Append) or write.known == "skip"
