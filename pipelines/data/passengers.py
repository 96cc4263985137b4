"""Synthetic people. Nobody real: domains and telephone numbers are those reserved for examples."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from penstock.errors import SetupError

if TYPE_CHECKING:
    from faker import Faker

__all__ = ["CANARY", "REGULARS", "Passenger", "Passengers"]

REGULARS = 500
"""Numbers below this are people who fly often and turn up on several days."""

# share of each locale, and the numbers its regulator keeps for drama and examples
LOCALES = {"en_US": 60, "en_GB": 15, "de_DE": 12, "fr_FR": 13}
AREA_CODES = ("201", "212", "305", "312", "404", "415", "617", "646", "713", "718", "908", "917")
EMAIL_DOMAINS = ("example.com", "example.net", "example.org")

OLDEST = date(1935, 1, 1)
BIRTH_DAYS = (date(2004, 12, 31) - OLDEST).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Passenger:
    """One person, the same on every booking."""

    passenger_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    passport_number: str
    birth_date: date

    @property
    def name(self) -> str:
        """First and last name as printed on the ticket."""
        return f"{self.first_name} {self.last_name}"


CANARY = Passenger(
    passenger_id="P-CANARY",
    first_name="Canaria",
    last_name="Quillfeather",
    email="canaria.quillfeather@example.org",
    phone="+1-212-555-0199",
    passport_number="Q04057193",
    birth_date=date(1971, 4, 5),
)
"""Books twice a day, once with a defect: her details must turn up in no log, event or error."""


class Passengers:
    """The population made from a seed; a number always gives the same person.

    Raises:
        SetupError: Faker is not installed.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._fakers = {locale: _faker(locale) for locale in LOCALES}

    def passenger(self, number: int) -> Passenger:
        """The person with this number, whoever was asked for before."""
        key = f"{self._seed}/passenger/{number}"
        draw = random.Random(key)  # noqa: S311 - reproducible data
        [locale] = draw.choices(list(LOCALES), weights=list(LOCALES.values()))
        # an instance's own seed leaves Faker's shared generator, and other users of it, alone
        fake = self._fakers[locale]
        fake.seed_instance(key)
        first, last = fake.first_name(), fake.last_name()
        return Passenger(
            passenger_id=f"P{number:08d}",
            first_name=first,
            last_name=last,
            email=f"{_ascii(first)}.{_ascii(last)}{number}@{draw.choice(EMAIL_DOMAINS)}",
            phone=_phone(locale, draw),
            passport_number=fake.passport_number(),
            birth_date=OLDEST + timedelta(days=draw.randrange(BIRTH_DAYS)),
        )


def _faker(locale: str) -> Faker:
    try:
        from faker import Faker
    except ImportError as error:
        raise SetupError(
            "Faker, which makes the synthetic bookings, is not installed",
            next_step="make clean setup",
        ) from error
    return Faker(locale)


def _ascii(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in letters if letter.isalpha())


def _phone(locale: str, draw: random.Random) -> str:
    match locale:
        case "en_GB":
            return f"+44 7700 900{draw.randrange(1000):03d}"
        case "de_DE":
            return f"+49 30 23125 {draw.randrange(1000):03d}"
        case "fr_FR":
            return f"+33 6 39 98 {draw.randrange(100):02d} {draw.randrange(100):02d}"
        case _:
            return f"+1-{draw.choice(AREA_CODES)}-555-01{draw.randrange(99):02d}"
