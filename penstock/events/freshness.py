"""Whether a dataset is as fresh as its contract promises, by what runs have written. Pure.

A dataset is as old as the newest rows that a run wrote: as the end of their slice, or as that run
where the slice had not ended. A slice that is made late, or anew, is no fresher for that. A run
that failed, one that wrote nothing and upkeep make nothing fresh; one that does not say whether it
wrote is no proof.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from penstock.events.instant import instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from penstock.events.writing import Writing

__all__ = ["freshness"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def freshness(
    written: Iterable[Writing],
    *,
    promise: timedelta | None,
    at: datetime,
    limit: int,
    enough: int = 200,
) -> dict[str, Any]:
    """The verdict and what it is judged from. `written` is newest first, at most `limit` of them.

    `verdict`: `fresh` or `late` by the promise; `unproven`, if the only run that would keep it does
    not say whether it wrote; `no_promise`; `never`, if no run on record wrote rows; `unknown`, if
    none of the `limit` runs that were looked at did. A run that ended after `at` has not yet. Once
    no earlier run can have written newer rows, no more than `enough` are looked at (`complete` is
    false then). `written` is the last run that wrote rows, whatever their slice; `as_of` the
    instant that the newest rows are of.
    """
    last: Writing | None = None
    best: Writing | None = None
    looked: Writing | None = None
    untold: Writing | None = None
    newest: Writing | None = None
    failures: list[datetime] = []
    seen, whole = 0, True
    for one in written:
        seen += 1
        if seen >= limit or (seen >= enough and best is not None and one.moment <= best.as_of):
            whole = False
            break
        if one.upkeep is not None or one.ended is None or one.ended > at:
            continue
        match one.outcome:
            case "rows":
                last = _later(last, one)
                best = _fresher(best, one)
                newest = _further(newest, one)
            case "nothing":
                looked = _later(looked, one)
            case "untold":
                untold = _fresher(untold, one)
            case "none":
                failures.append(one.ended)
    proof = best.as_of if best else None
    since = last.moment if last else None
    looked = looked if looked and (since is None or looked.moment > since) else None
    untold = untold if untold and (proof is None or untold.as_of > proof) else None
    hint = untold.as_of if untold else proof
    verdict = _verdict(proof, hint, promise, at, whole=whole)
    late = at - hint - promise if verdict == "late" and hint and promise is not None else None
    return {
        "verdict": verdict,
        "judged_at": instant(at),
        "promise_seconds": None if promise is None else promise.total_seconds(),
        "as_of": instant(proof) if proof else None,
        "age_seconds": (at - proof).total_seconds() if proof else None,
        "late_by_seconds": None if late is None else late.total_seconds(),
        "written": _told(last),
        "unchanged": _told(looked),
        "untold": _told(untold),
        "failed_since": sum(since is None or moment > since for moment in failures),
        "newest_slice": _covered(newest),
        "runs": seen,
        "complete": whole,
    }


def _verdict(
    proof: datetime | None,
    hint: datetime | None,
    promise: timedelta | None,
    at: datetime,
    *,
    whole: bool,
) -> str:
    if hint is None:
        return "never" if whole else "unknown"
    if promise is None:
        return "no_promise"
    if proof is not None and at - proof <= promise:
        return "fresh"
    return "unproven" if at - hint <= promise else "late"


def _later(known: Writing | None, one: Writing) -> Writing:
    return one if known is None or one.moment > known.moment else known


def _fresher(known: Writing | None, one: Writing) -> Writing | None:
    return one if known is None or one.as_of > known.as_of else known


def _further(known: Writing | None, one: Writing) -> Writing | None:
    """The one whose slice ends last; of slices without an end, the last day by name."""
    if _end(one) is None:
        return known
    return one if known is None or (_end(one) or "") > (_end(known) or "") else known


def _end(one: Writing) -> str | None:
    if one.covers_until is not None:
        return instant(one.covers_until)
    return one.slice if one.slice and _DAY.fullmatch(one.slice) else None


def _covered(one: Writing | None) -> dict[str, Any] | None:
    if one is None:
        return None
    until = instant(one.covers_until) if one.covers_until else None
    return {"slice": one.slice, "until": until, "run_id": one.run_id}


def _told(one: Writing | None) -> dict[str, Any] | None:
    return None if one is None else {**one.line(), "rows": one.rows}
