"""What can be done to a column that holds personal data, and which classes that is enough for."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from penstock.errors import DefinitionError
from penstock.schemas.model import Pii

__all__ = ["Drop", "Generalise", "Keep", "Method", "Null", "Redact", "Token"]

_DOMAIN = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Token:
    """A keyed token in place of the value: equal values of one domain stay equal, so joins work.

    `domain` separates meanings: the same text as e-mail and as passport gives two tokens. The
    result is a string, `k1.` (the key's epoch) and 64 hexadecimal digits; NULL stays NULL. A
    token is a pseudonym: whoever holds the key can test a guess, whoever sees many rows can count.
    """

    domain: str
    adequate: ClassVar[frozenset[Pii]] = frozenset(
        {Pii.NAME, Pii.EMAIL, Pii.PHONE, Pii.PASSPORT, Pii.ADDRESS, Pii.IDENTIFIER}
    )

    def __post_init__(self) -> None:
        if not _DOMAIN.fullmatch(self.domain):
            raise DefinitionError(
                "this is not a token domain",
                where=f"Token({self.domain!r})",
                expected="a-z, 0-9 and '_', beginning with a letter, at most 63 characters",
                next_step="name the domain after what the values are, e.g. Token('email')",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Redact:
    """Free text with what looks personal replaced by `[email]`, `[phone]`, `[card]` and the like.

    Found by shape: e-mail addresses, IBANs, card numbers, passport numbers, phone numbers, dates,
    runs of six or more digits. Names and addresses have no shape: those of the row's own person
    are found by `known`, the columns of the same row whose values (and, for those of several
    words, each word of two letters or more, and each part of a hyphenated one) are replaced without
    regard to case, also with an s behind them, and in scripts without spaces (Han, Kana, Thai and
    others; Hangul too) wherever they stand. Names of third persons stay, and so do names with
    another ending (Müllerin), in another spelling (Mueller) or script, and a part of a name that is
    written without a space. Doubtful cases are replaced.
    """

    known: tuple[str, ...] = ()
    adequate: ClassVar[frozenset[Pii]] = frozenset({Pii.FREE_TEXT})


@dataclass(frozen=True, slots=True)
class Generalise:
    """A date or timestamp as a whole number: its year, or the first year of its decade."""

    to: Literal["year", "decade"] = "year"
    adequate: ClassVar[frozenset[Pii]] = frozenset({Pii.BIRTH_DATE})

    def __post_init__(self) -> None:
        if self.to not in ("year", "decade"):
            raise DefinitionError(
                "a date can be generalised to its year or its decade",
                where=f"Generalise({self.to!r})",
                next_step="write Generalise('year')",
            )


@dataclass(frozen=True, slots=True)
class Null:
    """NULL in place of the value; the column and its type stay."""

    adequate: ClassVar[frozenset[Pii]] = frozenset(Pii)


@dataclass(frozen=True, slots=True)
class Drop:
    """The column is left out."""

    adequate: ClassVar[frozenset[Pii]] = frozenset(Pii)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The value as it is, on purpose. Enough for no class: a reason is needed and is recorded."""

    reason: str
    adequate: ClassVar[frozenset[Pii]] = frozenset()


Method = Token | Redact | Generalise | Null | Drop | Keep


def document(method: Method) -> dict[str, Any]:
    """The method as JSON-ready data, e.g. `{"method": "token", "domain": "email"}`."""
    facts = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(method).items()}
    return {"method": type(method).__name__.lower(), **facts}
