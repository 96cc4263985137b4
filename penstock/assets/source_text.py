"""The text a function's result depends on: its own, and that of what it uses in its project."""

from __future__ import annotations

import inspect
import textwrap
from datetime import date, timedelta
from decimal import Decimal
from types import CodeType, FunctionType
from typing import Any

__all__ = ["sources_of"]

_PLAIN = (str, bytes, int, float, bool, Decimal, date, timedelta, type(None))


def sources_of(function: FunctionType) -> list[str]:
    """The function's source, then that of the functions and constants of its package it names.

    Followed through calls; installed libraries are left out, a version of theirs is another
    matter. A name reached through a module attribute is followed, a computed one is not.
    """
    found: dict[str, str] = {}
    _follow(function, function.__module__.partition(".")[0], found)
    return [f"{name}={text}" for name, text in found.items()]


def _follow(function: FunctionType, package: str, found: dict[str, str]) -> None:
    name = f"{function.__module__}.{function.__qualname__}"
    if name in found:
        return
    found[name] = _text(function)
    spaces = [function.__globals__, dict(inspect.getclosurevars(function).nonlocals)]
    for word in sorted(_names(function.__code__)):
        for value in (space[word] for space in spaces if word in space):
            target = inspect.unwrap(value) if callable(value) else value
            if isinstance(target, FunctionType):
                if target.__module__.partition(".")[0] == package:
                    _follow(target, package, found)
            elif _is_plain(value):
                found[f"{function.__module__}.{word}"] = repr(value)


def _names(code: CodeType) -> set[str]:
    names = {*code.co_names, *code.co_freevars}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(_is_plain(item) for pair in value.items() for item in pair)
    return isinstance(value, _PLAIN)


def _text(function: FunctionType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # typed into a prompt: the bytecode stands for the source
        return function.__code__.co_code.hex() + repr(function.__code__.co_consts)
