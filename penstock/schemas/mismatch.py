"""How the columns of a function's result differ from what its contract says."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["mismatches"]


def mismatches(expected: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """How a frame's columns differ from the contract's, one sentence for each column."""
    sentences = []
    spelled = {name.lower(): name for name in found}
    for name, kind in expected.items():
        actual = spelled.get(name.lower())
        if actual is None:
            near = difflib.get_close_matches(name, [n for n in found if n not in expected], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            sentences.append(f"{name}: expected {kind}, the function does not return it{hint}")
        elif actual != name:
            sentences.append(f"{name}: the function spells it {actual}")
        elif found[actual] != kind:
            sentences.append(f"{name}: expected {kind}, found {found[actual]}")
    lowered = {name.lower() for name in expected}
    sentences += [
        f"{name}: not in the contract (found {kind})"
        for name, kind in found.items()
        if name.lower() not in lowered
    ]
    return tuple(sentences)
