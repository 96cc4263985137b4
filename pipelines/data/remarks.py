"""What agents type into a booking: free text, some of it about the passenger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from pipelines.data.passengers import Passenger

__all__ = ["remark"]

SHARE_EMPTY = 0.45
SHARE_PERSONAL = 0.25

PLAIN = (
    "vegetarian meal",
    "wheelchair to the gate, please",
    'asked for a "quiet seat", away from the galley',
    "travels with a cello, second seat paid",
    "gluten-free meal, no nuts",
    "unaccompanied bag, checked at counter 12",
    "wants an upgrade if available",
    'said "never again" about the last delay; offered 2,000 miles',
)

PERSONAL = (
    "call {name} on {phone} if the flight is late",
    "receipt to {email}",
    '{first} said: "write to {email}, not to the office"',
    "Mr/Ms {last} is met at the gate, sign says {name}",
    "phone {digits}, ask for {first}",
    "duplicate profile of {name} <{email}>, merge",
    "passport {passport} seen at the desk, {last} confirmed",
)

# holds name, e-mail and phone at once, so that a search for any of them has something to miss
CANARY_REMARK = 'VIP: {name}, "{email}", {phone}, passport {passport}'


def remark(passenger: Passenger, draw: random.Random, *, personal: bool | None = None) -> str:
    """A remark, often empty. `personal=True` makes it name every detail of the passenger."""
    share = draw.random()
    if personal:
        return _filled(CANARY_REMARK, passenger)
    if share < SHARE_EMPTY:
        return ""
    if share < SHARE_EMPTY + SHARE_PERSONAL:
        return _filled(draw.choice(PERSONAL), passenger)
    return draw.choice(PLAIN)


def _filled(template: str, passenger: Passenger) -> str:
    return template.format(
        name=passenger.name,
        first=passenger.first_name,
        last=passenger.last_name,
        email=passenger.email,
        phone=passenger.phone,
        digits="".join(letter for letter in passenger.phone if letter.isdigit()),
        passport=passenger.passport_number,
    )
