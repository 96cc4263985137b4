"""What is made of what, through others too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.assets.inputs.files import Landing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.assets.dataset import Dataset

__all__ = ["landing_of", "made_from", "made_of"]


def made_of(names: Iterable[str], specs: Mapping[str, Dataset]) -> set[str]:
    """The datasets and all that read them, through others too."""
    found = set(names)
    while more := {n for n, s in specs.items() if n not in found and found & set(s.upstream)}:
        found |= more
    return found


def made_from(names: Iterable[str], specs: Mapping[str, Dataset]) -> set[str]:
    """The datasets and all that they read, through others too."""
    found = set(names)
    while more := {up for n in found for up in specs[n].upstream if up in specs} - found:
        found |= more
    return found


def landing_of(specs: Iterable[Dataset]) -> tuple[Landing, ...]:
    """What landing has of them."""
    found = (i for spec in specs for i in spec.inputs.values() if isinstance(i, Landing))
    return tuple(dict.fromkeys(found))
