"""Rows that runs set aside, counted as the runs told them. Pure; no row's value is known here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.events.writing import Writing

__all__ = ["quarantined"]

_ENDED = ("COMPLETE", "FAIL", "ABORT")


def quarantined(written: Sequence[Writing]) -> dict[str, Any]:
    """Of each run of rows that ended, newest first, and of all together.

    `rows` counts what every run set aside, a slice that was run twice twice; `rows_latest` only the
    latest completed run of each slice, and is null when it does not say, or when a completed run
    tells no slice. `untold` is how many runs do not say: a run that failed may have set rows aside
    too.
    """
    runs = [one for one in written if one.upkeep is None and one.state in _ENDED]
    told = [one for one in runs if one.rows_quarantined is not None]
    by_check: Counter[str] = Counter()
    for one in told:
        by_check.update(one.by_check)
    return {
        "rows": sum(one.rows_quarantined or 0 for one in told) if told else None,
        "rows_latest": _latest(runs),
        "by_check": [
            {"check": check, "rows": rows}
            for check, rows in sorted(by_check.items(), key=lambda item: (-item[1], item[0]))
        ],
        "told": len(told),
        "untold": len(runs) - len(told),
        "where": next((one.quarantine for one in told if one.quarantine), None),
        "runs": [
            {
                **one.line(),
                "rows_quarantined": one.rows_quarantined,
                "by_check": dict(one.by_check),
                "where": one.quarantine,
            }
            for one in runs
        ],
    }


def _latest(runs: Sequence[Writing]) -> int | None:
    """What the latest completed run of each slice set aside; None: not all of that is known."""
    latest: dict[str, int | None] = {}
    for one in runs:
        if one.state != "COMPLETE":
            continue
        if one.slice is None:
            return None
        latest.setdefault(one.slice, one.rows_quarantined)
    known = [rows for rows in latest.values() if rows is not None]
    return sum(known) if known and len(known) == len(latest) else None
