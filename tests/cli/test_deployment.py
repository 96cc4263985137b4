"""How the deployment is found, and what is said when it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.reference import find_demo, find_reference
from penstock.errors import DefinitionError


def test_it_is_named_in_the_pyproject_of_a_folder_above(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.penstock]\ndeployment = "a.b:c"\n')
    inner = tmp_path / "x" / "y"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text('[project]\nname = "without"\n')
    found = find_reference(None, {}, inner)
    assert (found.module, found.attribute, found.root) == ("a.b", "c", tmp_path)


def test_the_option_beats_the_variable_and_that_the_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.penstock]\ndeployment = "file:x"\n')
    env = {"PENSTOCK_DEPLOYMENT": "variable:x"}
    assert find_reference("option:x", env, tmp_path).module == "option"
    assert find_reference(None, env, tmp_path).module == "variable"
    assert find_reference(None, {}, tmp_path).module == "file"


def test_the_demo_lies_beside_the_deployment_unless_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.penstock]\ndeployment = "a.b:c"\n')
    demo = find_demo(find_reference(None, {}, tmp_path))
    assert (demo.module, demo.attribute) == ("a.demo", "demo")
    file.write_text('[tool.penstock]\ndeployment = "a.b:c"\ndemo = "d:e"\n')
    assert find_demo(find_reference(None, {}, tmp_path)).module == "d"


@pytest.mark.parametrize(
    "text", ["", "pipelines", "a:b:c", "a b:c", "../a:b", "a;import os:b", ":b", "a:", "a.:b"]
)
def test_a_malformed_name_says_what_is_wanted(text: str, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="deployment"):
        find_reference(text or None, {"PENSTOCK_DEPLOYMENT": text}, tmp_path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "is not there"),
        ("import no_such_module_at_all\n", "no_such_module_at_all"),
        ("deployment = 1 / 0\n", "division by zero"),
        ("def (:\n", "SyntaxError"),
        ("raise SystemExit(7)\n", "SystemExit"),
        ("other = 1\n", "has no attribute deployment"),
        ("deployment = 1\n", "not a deployment"),
    ],
)
def test_one_that_cannot_be_had_is_a_sentence_and_exit_2(
    shop: Any, source: str | None, said: str
) -> None:
    if source is not None:
        (shop.root / "broken_shop.py").write_text(source)
    result = shop("list", "--deployment", "broken_shop:deployment")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "next: " in result.stderr
    assert "Traceback" not in result.output
    if source and "1 / 0" in source:
        assert "broken_shop.py, line 1" in result.stderr


def test_a_damaged_pyproject_is_a_sentence(shop: Any) -> None:
    (shop.root / "pyproject.toml").write_text("[tool.penstock\n")
    result = shop("list")
    assert result.exit_code == 2
    assert "pyproject.toml" in result.stderr


def test_debug_shows_the_stack_trace(shop: Any) -> None:
    (shop.root / "broken_shop.py").write_text("deployment = 1 / 0\n")
    result = shop("list", "--debug", "--deployment", "broken_shop:deployment")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_without_one_a_process_ends_with_2_and_no_trace(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k != "PENSTOCK_DEPLOYMENT"}
    env["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "penstock.cli", "list"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert not done.stdout
    assert done.stderr.startswith("error: there is no deployment here")
    assert "Traceback" not in done.stderr
