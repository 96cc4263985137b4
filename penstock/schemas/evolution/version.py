"""Which version a contract's changes deserve (https://semver.org)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.schemas.evolution.operation import Bump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.schemas.evolution.operation import Operation

__all__ = ["deserved", "problem_of", "raised"]


def deserved(operations: Iterable[Operation]) -> Bump:
    """The number of the version that the operations ask to be raised."""
    return max((operation.meaning.bump for operation in operations), default=Bump.NONE)


def raised(version: str, bump: Bump) -> str:
    """The least version above `version` with this number raised."""
    major, minor, patch = _numbers(version)
    match bump:
        case Bump.NONE:
            return version
        case Bump.PATCH:
            return f"{major}.{minor}.{patch + 1}"
        case Bump.MINOR:
            return f"{major}.{minor + 1}.0"
        case Bump.MAJOR:
            return f"{major + 1}.0.0"


def problem_of(old: str, new: str, bump: Bump) -> str | None:
    """What is wrong with version `new` after `old`, in a sentence; None: nothing.

    It must be as high as the change deserves, and never lower than before; higher it may be.
    """
    least = raised(old, bump)
    if _numbers(new) >= _numbers(least):
        return None
    if bump is Bump.NONE:
        return f"version {new} is below {old}, which was registered, and nothing changed"
    kind = bump.name.lower()
    return f"this is a {kind} change: version {least} after {old} at least, not {new}"


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch
