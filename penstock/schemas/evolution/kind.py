"""Spark's types as trees, read from their simple strings, and which hold all values of another.

    parsed("array<struct<id:int,at:timestamp>>")

Nothing of Spark is needed. Parts have paths: `a.element.id` is the field of the structs in the list
`a`, `a.key` and `a.value` are those of a map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Kind", "ListOf", "MapOf", "Plain", "StructOf", "fields_of", "parsed", "widens"]

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_WHOLE = (*_DIGITS,)


@dataclass(frozen=True, slots=True)
class Plain:
    """A type without parts: `int`, `decimal(10,2)`, `variant`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array."""

    element: Kind

    def __str__(self) -> str:
        return f"array<{self.element}>"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map."""

    key: Kind
    value: Kind

    def __str__(self) -> str:
        return f"map<{self.key},{self.value}>"


@dataclass(frozen=True, slots=True)
class StructOf:
    """A struct: its fields in their order."""

    fields: tuple[tuple[str, Kind], ...]

    def __str__(self) -> str:
        return f"struct<{','.join(f'{name}:{kind}' for name, kind in self.fields)}>"


Kind = Plain | ListOf | MapOf | StructOf


def parsed(text: str) -> Kind:
    """The type that Spark writes as `text`. Raises ValueError for what it does not write."""
    kind, rest = _parsed(text)
    if rest:
        raise ValueError(f"no type of Spark's: {text}")
    return kind


def _parsed(text: str) -> tuple[Kind, str]:
    """The type at the beginning of the text, and what follows it."""
    if text.startswith("array<"):
        element, rest = _parsed(text.removeprefix("array<"))
        return ListOf(element), _after(rest, ">")
    if text.startswith("map<"):
        key, rest = _parsed(text.removeprefix("map<"))
        value, rest = _parsed(_after(rest, ","))
        return MapOf(key, value), _after(rest, ">")
    if text.startswith("struct<"):
        rest, fields = text.removeprefix("struct<"), []
        while not rest.startswith(">"):
            name, colon, rest = rest.partition(":")
            if not colon:
                raise ValueError(f"no type of Spark's: {text}")
            kind, rest = _parsed(rest)
            fields.append((name, kind))
            rest = rest if rest.startswith(">") else _after(rest, ",")
        return StructOf(tuple(fields)), rest[1:]
    end = next((n for n, sign in enumerate(text) if sign in ",>(<"), len(text))
    if text[end : end + 1] == "(":
        end = text.index(")", end) + 1
    if not end:
        raise ValueError(f"no type of Spark's: {text}")
    return Plain(text[:end]), text[end:]


def _after(text: str, sign: str) -> str:
    if not text.startswith(sign):
        raise ValueError(f"no type of Spark's: {sign} is missing at {text!r}")
    return text[1:]


def fields_of(kind: Kind) -> Mapping[str, Kind]:
    """The parts of a type by their names in a path: `element`, `key` and `value`, or fields."""
    match kind:
        case ListOf():
            return {"element": kind.element}
        case MapOf():
            return {"key": kind.key, "value": kind.value}
        case StructOf():
            return dict(kind.fields)
        case Plain():
            return {}


def widens(old: Kind, new: Kind) -> bool:
    """Whether Delta widens a column of type `old` to `new`, without writing a file anew.

    https://github.com/delta-io/delta/blob/master/PROTOCOL.md#type-widening: each value of the old
    type is exactly one of the new. A whole number becomes a decimal or a double by hand alone.
    """
    if not (isinstance(old, Plain) and isinstance(new, Plain)):
        return False
    if old.name in _WHOLE and new.name in _WHOLE:
        return _DIGITS[old.name] < _DIGITS[new.name]
    if (old.name, new.name) in {("float", "double"), ("date", "timestamp_ntz")}:
        return True
    if old.name.startswith("decimal") and new.name.startswith("decimal"):
        (digits, places), (more, most) = _digits(old.name), _digits(new.name)
        return old != new and digits - places <= more - most and places <= most
    return False


def _digits(decimal: str) -> tuple[int, int]:
    """(Digits, those after the point)."""
    digits, places = decimal.removeprefix("decimal(").removesuffix(")").split(",")
    return int(digits), int(places)
