"""How a source arrives: as CSV files, or where `PENSTOCK_SOURCES=all` asks for it otherwise."""

from __future__ import annotations

from typing import TypeVar

from resources.environments import Sources, sources

__all__ = ["arriving"]

_Files = TypeVar("_Files")
_Other = TypeVar("_Other")


def arriving(*, files: _Files, otherwise: _Other) -> _Files | _Other:
    """What is declared for files, or what is for the other kinds of sources."""
    return files if sources() is Sources.FILES else otherwise
