"""The text a function's result depends on: its own, and that of what it uses in its project."""

from __future__ import annotations

import inspect
import textwrap
from datetime import date, timedelta
from decimal import Decimal
from types import CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["sources_of"]

_PLAIN = (str, bytes, int, float, bool, Decimal, date, timedelta, type(None))


def sources_of(function: FunctionType) -> list[str]:
    """The function's source, then that of the functions and constants of its package it names.

    Followed through calls and through modules of the package; installed libraries are left out, a
    version of theirs is another matter. A name that is computed is not followed.
    """
    found: dict[str, str] = {}
    _follow(function, function.__module__.partition(".")[0], found)
    return [f"{name}={text}" for name, text in found.items()]


def _follow(function: FunctionType, package: str, found: dict[str, str]) -> None:
    name = f"{function.__module__}.{function.__qualname__}"
    if name in found:
        return
    found[name] = _text(function)
    words = sorted(_names(function.__code__))
    spaces = [function.__globals__, dict(inspect.getclosurevars(function).nonlocals)]
    for word in words:
        for value in (space[word] for space in spaces if word in space):
            _take(f"{function.__module__}.{word}", value, words, package, found)


def _take(name: str, value: Any, words: list[str], package: str, found: dict[str, str]) -> None:
    """Take a value that a function of the package names; `words` are all the names it has."""
    if isinstance(value, ModuleType):
        # which of the names are its attributes the code does not say: any that it has
        if _of(value.__name__, package) and name not in found:
            for word in (word for word in words if word in vars(value)):
                _take(f"{value.__name__}.{word}", vars(value)[word], words, package, found)
        return
    target = inspect.unwrap(value) if callable(value) else value
    if isinstance(target, FunctionType):
        if _of(target.__module__, package):
            _follow(target, package, found)
    elif isinstance(target, type):
        if _of(target.__module__, package) and name not in found:
            found[name] = _text(target)
    elif _is_plain(value):
        found[name] = _words(value)


def _of(module: str, package: str) -> bool:
    return module.partition(".")[0] == package


def _names(code: CodeType) -> set[str]:
    names = {*code.co_names, *code.co_freevars}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(_is_plain(item) for pair in value.items() for item in pair)
    return isinstance(value, _PLAIN)


def _words(value: Any) -> str:
    """A plain value as text, the same in every process: the order of a set is not."""
    if isinstance(value, set | frozenset):
        return repr(sorted(map(_words, value)))
    if isinstance(value, tuple | list):
        return repr([_words(item) for item in value])
    if isinstance(value, dict):
        return repr([(_words(key), _words(item)) for key, item in value.items()])
    return repr(value)


def _text(function: FunctionType | type) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # typed into a prompt: the bytecode stands for the source
        if isinstance(function, type):
            return function.__qualname__
        return function.__code__.co_code.hex() + repr(function.__code__.co_consts)
