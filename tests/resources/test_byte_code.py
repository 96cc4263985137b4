"""Byte code that an import would not take is seen, and the command that is named makes it."""

from __future__ import annotations

import json
import os
import py_compile
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

import penstock
from penstock.resources.byte_code import byte_code, compiled, loaded_sources


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of three files that nobody imported."""
    folder = tmp_path / "lately_written"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "one.py", "inner/two.py"):
        (folder / name).write_text("x = 1\n")
    return folder


def test_what_the_command_compiles_is_not_missing_any_more(package: Path) -> None:
    sources = [package / "one.py", package / "__init__.py"]
    before = byte_code(sources)
    assert (before.files, before.missing, before.folders) == (2, 2, (package,))
    subprocess.run(shlex.split(before.command), check=True)
    after = byte_code(sources)
    assert (after.files, after.missing, after.folders) == (2, 0, ())


def test_byte_code_of_another_source_or_python_counts_for_nothing(package: Path) -> None:
    source = package / "one.py"
    made = Path(py_compile.compile(str(source), doraise=True) or "")
    assert compiled(source)
    content = made.read_bytes()
    made.write_bytes(b"\0\0\0\0" + content[4:])
    assert not compiled(source)
    made.write_bytes(content[:8])
    assert not compiled(source)
    made.write_bytes(content)
    os.utime(source, (1, 1))
    assert not compiled(source)


def test_byte_code_that_goes_by_the_hash_is_taken(package: Path) -> None:
    source = package / "one.py"
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), doraise=True, invalidation_mode=mode)
    os.utime(source, (1, 1))
    assert compiled(source)


@pytest.mark.parametrize("forbidden", [True, False])
def test_whether_the_next_process_would_keep_it(
    package: Path,
    monkeypatch: pytest.MonkeyPatch,
    forbidden: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", forbidden)
    assert byte_code([package / "one.py"]).kept is not forbidden


def test_only_installed_sources_and_penstocks_own_are_looked_at(tmp_path: Path) -> None:
    mine, built_in = ModuleType("mine"), ModuleType("built_in")
    mine.__file__ = str(tmp_path / "mine.py")
    library = ModuleType("library")
    library.__file__ = str(Path(sysconfig.get_path("purelib"), "library.so"))
    modules = {"mine": mine, "built_in": built_in, "library": library}
    modules |= {"penstock": penstock, "pytest": pytest}
    assert set(loaded_sources(modules)) == {Path(str(m.__file__)) for m in (penstock, pytest)}


@pytest.mark.slow
def test_set_up_compiles_what_every_process_loads() -> None:
    """Looked at by a process that may not write any itself."""
    code = """
import json, sys
import dagster._daemon, dagster_webserver.cli, delta, pipelines.definitions
from penstock.resources.byte_code import byte_code, loaded_sources
found = byte_code(loaded_sources())
print(json.dumps([found.kept, found.files, found.missing]))
"""
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, check=True)
    kept, files, missing = json.loads(done.stdout.splitlines()[-1])
    assert not kept
    assert files > 2000
    assert missing <= files * 0.02
