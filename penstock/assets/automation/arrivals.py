"""Which days have arrived in landing, judged by the names, sizes and times of their files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from penstock.assets.landing.file_pattern import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from penstock.assets.inputs.files import Landing
    from penstock.resources.lake import Lake, LandingFile

__all__ = ["SETTLED_AFTER", "Arrival", "arrivals", "digest", "landed", "settled"]

#: A file that was written to more recently may still grow.
SETTLED_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What has landed for one day. Another `digest` means other files, or other bytes in them."""

    day: date
    complete: bool  # every folder that is sent by day has a file of it
    digest: str

    @property
    def key(self) -> str:
        """Names this state of this day."""
        return f"{self.day}:{self.digest}"


def landed(inputs: Iterable[Landing], lake: Lake) -> Mapping[Landing, Sequence[LandingFile]]:
    """The files of each landing input, none where its folder is not there yet.

    One listing per pattern; no file is opened. Raises InputError without a landing folder.
    """
    return {item: lake.landing_files(item.files.glob(), if_there=True) for item in inputs}


def _always(_: Landing, __: date) -> bool:
    return True


def arrivals(
    files: Mapping[Landing, Sequence[LandingFile]],
    *,
    now: datetime,
    due: Callable[[Landing, date], bool] = _always,
) -> tuple[Arrival, ...]:
    """The days that have files, oldest first. Files younger than SETTLED_AFTER do not count.

    Folders that are not sent by day have no part in it. `due` says whether a folder is to have a
    file of a day.
    """
    daily = [item for item in files if item.files.by_day]
    by_day: dict[date, dict[Landing, list[LandingFile]]] = defaultdict(lambda: defaultdict(list))
    for item in daily:
        for file in settled(files[item], now=now):
            if (day := _day(item, file)) is not None:
                by_day[day][item].append(file)
    return tuple(
        Arrival(
            day=day,
            complete=all(item in found for item in daily if due(item, day)),
            digest=digest([file for each in found.values() for file in each]),
        )
        for day, found in sorted(by_day.items())
    )


def settled(files: Iterable[LandingFile], *, now: datetime) -> list[LandingFile]:
    """The files that nobody has written to lately."""
    return [file for file in files if file.modified <= now - SETTLED_AFTER]


def digest(files: Iterable[LandingFile]) -> str:
    """Sixteen hex digits that change when a file is added, goes, or changes size or time."""
    states = sorted((file.name, file.bytes, file.modified.isoformat()) for file in files)
    return hashlib.sha256(repr(states).encode()).hexdigest()[:16]


def _day(item: Landing, file: LandingFile) -> date | None:
    """The day that the file's name says; None for a name that says none, or no date."""
    try:
        return date.fromisoformat((item.files.values(file.name) or {}).get(DAY, ""))
    except ValueError:
        return None
