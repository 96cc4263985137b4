"""Whether more rows keep a check than another of the same kind, told by its arguments alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from penstock.schemas.evolution.rules import Direction
from penstock.schemas.model import Severity

if TYPE_CHECKING:
    from penstock.schemas.model import CheckModel

__all__ = ["direction_of"]

# by pandera's name: the argument, and whether a larger one leaves fewer rows
_BOUNDS = {
    "greater_than": {"min_value": True},
    "greater_than_or_equal_to": {"min_value": True},
    "less_than": {"max_value": False},
    "less_than_or_equal_to": {"max_value": False},
    "in_range": {"min_value": True, "max_value": False},
    "str_length": {"min_value": True, "max_value": False},
}
# by pandera's name: the argument, and whether more of them leave fewer rows
_SETS = {"isin": ("allowed_values", False), "notin": ("forbidden_values", True)}
_INCLUDES = ("include_min", "include_max")


def direction_of(old: CheckModel, new: CheckModel) -> Direction | None:
    """Which rows keep `new`, of those that kept `old`; None: the same ones.

    One that only warns keeps all.
    """
    match old.severity, new.severity:
        case Severity.ERROR, Severity.ERROR:
            return _arguments(old, new)
        case Severity.ERROR, _:
            return Direction.LOOSER
        case _, Severity.ERROR:
            return Direction.TIGHTER
        case _:
            return Direction.COUNTED if _arguments(old, new) else None


def _arguments(old: CheckModel, new: CheckModel) -> Direction | None:
    if old.sql == new.sql:
        return None
    if old.name != new.name:
        return Direction.OTHER
    if old.name in _SETS:
        name, more_is_tighter = _SETS[old.name]
        before, after = ({repr(v) for v in check.arguments[name]} for check in (old, new))
        if before < after:
            return _direction(tighter=more_is_tighter)
        return _direction(tighter=not more_is_tighter) if after < before else Direction.OTHER
    bounds = _BOUNDS.get(old.name)
    others = {*old.arguments, *new.arguments} - {*(bounds or ()), *_INCLUDES}
    if bounds is None or any(old.arguments.get(n) != new.arguments.get(n) for n in others):
        return Direction.OTHER
    found: set[Direction] = set()
    for name, larger_is_tighter in bounds.items():
        found |= _bound(old.arguments.get(name), new.arguments.get(name), larger_is_tighter)
    for name in _INCLUDES:
        before, after = (check.arguments.get(name, True) for check in (old, new))
        if before != after:
            found.add(_direction(tighter=bool(before)))
    if not found:
        return None  # the same, written otherwise
    return found.pop() if len(found) == 1 else Direction.OTHER


def _bound(old: Any, new: Any, larger_is_tighter: bool) -> set[Direction]:  # noqa: FBT001
    if old == new:
        return set()
    if old is None or new is None:
        return {_direction(tighter=old is None)}
    before, after = _ordered(old), _ordered(new)
    if before is not None and before == after:
        return set()
    try:
        larger = after > before
    except TypeError:  # of two kinds, or neither a number nor a time
        return {Direction.OTHER}
    return {_direction(tighter=larger is larger_is_tighter)}


def _ordered(value: Any) -> Any:
    """A bound as what can be compared: a number, or a moment; None for what cannot."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            return None
    return None if number.is_nan() else number


def _direction(*, tighter: bool) -> Direction:
    return Direction.TIGHTER if tighter else Direction.LOOSER
