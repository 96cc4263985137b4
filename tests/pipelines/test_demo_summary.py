"""The demo's last words can be typed as they stand."""

from __future__ import annotations

import io
import os
import sys
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console

from pipelines.demo_summary import DatasetStory, Summary

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SUMMARY = Summary(
    days=(date(2013, 2, 8),),
    stories=(DatasetStory(dataset="bronze.flights"),),
    upkeep={},
    masked={},
    events=0,
    events_in_all=0,
    lake="lake",
    seconds=0.0,
)


def _program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    program = folder / "penstock"
    program.touch(mode=0o755)
    return program


def _shown() -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(SUMMARY)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_commands_are_those_of_the_environment_that_nobody_activated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = _program(tmp_path / ".venv" / "bin")
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.chdir(tmp_path)
    assert " .venv/bin/penstock quarantine show silver.bookings " in _shown()
    monkeypatch.chdir("/")
    assert f" {program.relative_to('/')} history silver.flights " in _shown()


def test_commands_are_short_where_the_environment_is_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(_program(tmp_path / "bin").parent))
    assert " penstock quarantine show silver.bookings " in _shown()
