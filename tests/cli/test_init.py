"""A newcomer makes a project, runs it as it stands, looks at what was set aside, and tests it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.errors import DefinitionError
from penstock.resources.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping


def _environment() -> Mapping[str, str]:
    """A newcomer's, with the jars that set-up has brought: nothing is fetched."""
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PENSTOCK_HOME": str(home()),
    }


def _done(folder: Path, *words: str) -> str:
    done = subprocess.run(
        words, cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow(seconds=60)
def test_a_new_project_works_as_it_stands(tmp_path: Path) -> None:
    began = time.monotonic()
    _done(tmp_path, "penstock", "init", "my-shop_2")
    folder = tmp_path / "my-shop_2"
    readme = (folder / "README.md").read_text().splitlines()
    assert len(readme) <= 12
    run = next(line.split("#")[0].split() for line in readme if "penstock run" in line)
    outcomes = json.loads(_done(folder, *run, "--json"))
    ran = time.monotonic()
    assert [(o["dataset"], o["rows_in"], o["rows_quarantined"]) for o in outcomes] == [
        ("bronze.orders", 3, 1),
        ("gold.daily_sales", 1, 0),
    ]
    aside = json.loads(_done(folder, "penstock", "quarantine", "show", "bronze.orders", "--json"))
    assert [(row["reasons"], row["row"]["email"]) for row in aside["entries"]] == [
        (["price:ge"], "(hidden)")
    ]
    assert aside["expected"] == {"price:ge": "price >= 0"}
    assert "1 passed" in _done(folder, "make", "test")
    (tmp_path / "people.csv").write_text("Nr;Name;Born\n7;Ada;10.12.1815\n9;;23.06.1912\n")
    _done(folder, "penstock", "new", "dataset", "bronze.people", "../people.csv")
    (folder / "landing" / "people").mkdir()
    (tmp_path / "people.csv").rename(folder / "landing" / "people" / "1.csv")
    [people] = json.loads(_done(folder, "penstock", "run", "bronze.people", "--json"))
    assert (people["rows_in"], people["rows_quarantined"]) == (2, 0)
    code = "from pipelines.definitions import defs; print(len([*defs.resolve_all_asset_specs()]))"
    assert _done(folder, sys.executable, "-c", code).strip() == "6"
    print(f"from nothing to a table {ran - began:.0f} s, its test {time.monotonic() - ran:.0f} s")  # noqa: T201


@pytest.mark.parametrize("name", ["Shop", "1shop", "a/b", "..", "", "a b", "x" * 41])
def test_what_is_no_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["init", "--", name])
    assert result.exit_code == DefinitionError.exit_code
    assert "this is no name for a project" in result.output
    assert not [*tmp_path.iterdir()]


def test_nothing_that_is_there_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "README.md").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("shop", "file"):
        result = CliRunner().invoke(app, ["init", name])
        assert "something is there already" in result.output
    assert (tmp_path / "shop" / "README.md").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert CliRunner().invoke(app, ["init", "empty", "--json"]).exit_code == 0
    assert (tmp_path / "empty" / ".gitignore").exists()
