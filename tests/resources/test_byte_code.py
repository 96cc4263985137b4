"""Byte code that an import would not take is seen, and the command that is named makes it."""

from __future__ import annotations

import os
import py_compile
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.resources.byte_code import HEAVY_PACKAGES, byte_code, compiled


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of three files that nobody imported, on the path."""
    folder = tmp_path / "lately_written"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "one.py", "inner/two.py"):
        (folder / name).write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_what_the_command_compiles_is_not_missing_any_more(package: Path) -> None:
    before = byte_code([package.name])
    assert (before.files, before.missing, before.folders) == (3, 3, (package,))
    subprocess.run(shlex.split(before.command), check=True)
    after = byte_code([package.name])
    assert (after.files, after.missing, after.folders) == (3, 0, ())


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
    assert byte_code([package.name]).kept is not forbidden


def test_a_package_that_is_not_there_has_no_files() -> None:
    assert byte_code(["no_such_package_at_all"]).files == 0


def test_set_up_compiles_what_every_process_loads() -> None:
    found = byte_code()
    assert found.files > 1000 * (len(HEAVY_PACKAGES) // 2)
    assert found.missing <= found.files * 0.02, found
