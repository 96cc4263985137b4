"""What of a project makes a function another one."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from penstock.assets.source_text import sources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = """
from shop_project import rules
from shop_project.rules import clean

def body(raw):
    return clean(rules.scale(raw)), rules.LIMIT, rules.CODES, rules.Kind.OPEN
"""
RULES = """
import enum

LIMIT = 7
CODES = {"a", "b", "c"}
UNUSED = 1

class Kind(enum.Enum):
    OPEN = "open"

def clean(raw):
    return raw

def scale(raw):
    return _twice(raw)

def _twice(raw):
    return raw * 2
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """The sources of the body in a project whose rules are the given text."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def of(rules: str) -> list[str]:
        folder = tmp_path / "shop_project"
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / "rules.py").write_text(rules)
        (folder / "body.py").write_text(BODY)
        _forget()
        importlib.invalidate_caches()
        return sources_of(importlib.import_module("shop_project.body").body)

    yield of
    _forget()


def _forget() -> None:
    import linecache

    linecache.clearcache()
    for name in [name for name in sys.modules if name.startswith("shop_project")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 7", "LIMIT = 8"),
        ('{"a", "b", "c"}', '{"a", "b"}'),
        ('OPEN = "open"', 'OPEN = "ajar"'),
        ("return raw\n\n", "return -raw\n\n"),
        ("return _twice(raw)", "return raw"),
        ("return raw * 2", "return raw * 3"),
    ],
)
def test_what_a_module_of_the_project_gives_counts(
    sources: Callable[[str], list[str]], old: str, new: str
) -> None:
    assert old in RULES
    assert sources(RULES) != sources(RULES.replace(old, new))


def test_what_the_function_does_not_name_does_not_count(
    sources: Callable[[str], list[str]],
) -> None:
    assert sources(RULES) == sources(RULES.replace("UNUSED = 1", "UNUSED = 2"))


def test_the_order_of_a_set_does_not_count(sources: Callable[[str], list[str]]) -> None:
    assert sources(RULES) == sources(RULES.replace('{"a", "b", "c"}', '{"c", "b", "a"}'))
