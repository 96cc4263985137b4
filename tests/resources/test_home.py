from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.resources.home import home, project

if TYPE_CHECKING:
    from pathlib import Path


def test_home_is_in_the_project_wherever_one_stands(tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").touch()
    deep = tmp_path / "assets" / "silver"
    deep.mkdir(parents=True)
    assert project(deep) == tmp_path
    assert home({}, deep) == tmp_path / ".penstock"


def test_the_variable_wins(tmp_path: Path) -> None:
    assert home({"PENSTOCK_HOME": str(tmp_path / "elsewhere")}) == tmp_path / "elsewhere"
