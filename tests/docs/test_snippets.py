"""What README and docs show is run: Python in order, page by page; commands must exist.

The tutorial is followed as a whole, in test_tutorial.py.
"""

from __future__ import annotations

import linecache
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import typer

from penstock.cli.app import app
from penstock.resources.home import home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:penstock|make) [^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
SHELL = {"bash", "console", "sh"}


def fences(page: Path, *languages: str) -> Iterator[tuple[int, str]]:
    """(line of its first line, text) of each fenced block in one of the languages."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        if found[1] in languages:
            yield text.count("\n", 0, found.start(2)) + 1, found[2]


def commands(page: Path) -> Iterator[str]:
    """Every `penstock` and `make` command of the page, in blocks and in running text."""
    for _, block in fences(page, *SHELL):
        for line in block.replace("\\\n", " ").splitlines():
            bare = line.split("#", 1)[0].removeprefix("$ ").strip()
            if bare.split(" ")[0] in ("penstock", "make"):
                yield bare
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    yield from (found[1].replace("\n", " ") for found in INLINE.finditer(prose))


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


WITH_PYTHON = [page for page in PAGES if page.name != "tutorial.md" and any(fences(page, "python"))]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=named)
def test_the_python_of_a_page_runs(
    page: Path, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spark  # a snippet's LocalCluster gives the session that this process has
    monkeypatch.setenv("PENSTOCK_HOME", str(home(cwd=ROOT)))
    monkeypatch.chdir(tmp_path)
    module = ModuleType(f"page_{page.stem.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for line, source in fences(page, "python"):
        # line numbers of the page, and sources that inspect finds
        padded = "\n" * (line - 1) + source
        name = f"<{named(page)}:{line}>"
        linecache.cache[name] = (len(padded), None, padded.splitlines(keepends=True), name)
        exec(compile(padded, name, "exec"), vars(module))  # noqa: S102 - it is our own page


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    wrong = [f"{line}: {problem}" for line in commands(page) if (problem := problem_of(line))]

    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    local = [link for link in LINK.findall(text) if "://" not in link]

    assert [link for link in local if not (page.parent / link).exists()] == []


def problem_of(line: str) -> str | None:
    """What is wrong with a command line, None when it could be typed."""
    program, *words = shlex.split(line)
    return problem_of_make(words) if program == "make" else problem_of_penstock(words)


def problem_of_make(words: list[str]) -> str | None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    missing = [word for word in words if "=" not in word and word not in targets]
    return f"no target {missing}" if missing else None


def problem_of_penstock(words: list[str]) -> str | None:
    command: Any = typer.main.get_command(app)
    for number, word in enumerate(words):
        inner = getattr(command, "commands", {})
        if not inner:
            return problem_of_options(command, words[number:])
        if word not in inner:
            return None if word.startswith("--") else f"no command {word}"
        command = inner[word]
    return None


def problem_of_options(command: Any, words: list[str]) -> str | None:
    known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    unknown = [w for w in words if w.startswith("-") and w.partition("=")[0] not in known]
    return f"no option {unknown}" if unknown else None


def test_a_command_that_does_not_exist_is_found() -> None:
    assert problem_of("penstock fly") == "no command fly"
    assert problem_of("penstock run silver.flights --sideways") == "no option ['--sideways']"
    assert problem_of("make coffee") == "no target ['coffee']"
    assert problem_of("penstock run silver.flights --slice 2013-02-08") is None
