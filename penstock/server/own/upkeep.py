"""What upkeep did to a dataset's files, as its runs told it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.events.writing import Writing

__all__ = ["upkeep"]

_SIDES = ("before", "after")
_MEASURED = {"files": "files", "bytes": "bytes", "expiredFiles": "expired_files"}


def upkeep(written: Iterable[Writing]) -> list[dict[str, Any]]:
    """Each upkeep run, newest first: what it did and why, and the table's files on both sides.

    What a run does not say is null, or an empty list.
    """
    return [_run(one, one.upkeep) for one in written if one.upkeep is not None]


def _run(one: Writing, told: Mapping[str, Any]) -> dict[str, Any]:
    sides = {side: _measured(told.get(side)) for side in _SIDES}
    status = told.get("status")
    return {
        **one.line(),
        "status": status if isinstance(status, str) else None,
        "operations": _texts(told.get("operations")),
        "reasons": _texts(told.get("reasons")),
        **sides,
        "files_written": one.files,
        "bytes_written": one.bytes,
    }


def _measured(side: Any) -> dict[str, int | None]:
    facts = side if isinstance(side, dict) else {}
    return {
        name: value if isinstance(value := facts.get(key), int) else None
        for key, name in _MEASURED.items()
    }


def _texts(told: Any) -> list[str]:
    return [item for item in told if isinstance(item, str)] if isinstance(told, list) else []
