"""The tutorial followed word by word, from a clone, in a folder of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.resources.home import home
from tests.docs.test_snippets import ROOT, fences

TUTORIAL = ROOT / "docs" / "tutorial.md"
FILES = {"python", "toml", "yaml"}
# What the reader does that a test does not: the environment is there, and Dagster stays up until
# Ctrl-C (tests/operations shows that); here it is to accept the workspace file.
STAND_INS = """\
set -eu
make() { [ "$1" = setup ]; }
penstock() {
    if [ "$1" = up ]; then dagster definitions validate -w workspace.yaml
    else command penstock "$@"; fi
}
"""


def script() -> str:
    """The page as one shell script: files are written and commands typed in the page's order."""
    parts = [STAND_INS]
    blocks = [(line, lang, text) for lang in (*FILES, "console") for line, text in _of(lang)]
    for _, language, text in sorted(blocks):
        if language == "console":
            parts.append(text)
        else:
            parts.append(f"cat > '{_name(text)}' <<'END OF FILE'\n{text}END OF FILE\n")
    return "".join(parts)


def _of(language: str) -> list[tuple[int, str]]:
    return list(fences(TUTORIAL, language))


def _name(text: str) -> str:
    comment, _, name = text.partition("\n")[0].partition(" ")
    assert (comment, Path(name).name) == ("#", name), f"no file name in {text[:40]!r}"
    return name


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the commands of the page print. The clone has what `make setup` makes, no more."""
    clone = tmp_path_factory.mktemp("beside") / "penstock"
    (clone / ".penstock").mkdir(parents=True)
    (clone / ".penstock" / "jars").symlink_to(home(cwd=ROOT) / "jars")
    (clone / ".venv").symlink_to(sys.prefix)
    ours = ("PENSTOCK_", "DAGSTER_")
    done = subprocess.run(
        ["bash", "-c", script()],
        cwd=clone,
        env={name: value for name, value in os.environ.items() if not name.startswith(ours)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow(seconds=200)
def test_every_step_works_and_prints_what_the_page_says(told: str) -> None:
    promised = [line for _, text in _of("text") for line in text.splitlines()]
    assert promised
    assert [line for line in promised if line not in told.splitlines()] == []


@pytest.mark.slow(seconds=200)
def test_the_careless_contract_is_told_and_the_command_line_knows_the_datasets(told: str) -> None:
    assert "Careless" in told
    assert "bronze.bookings" in told
    assert "gold.daily_fares" in told


def test_the_readme_shows_the_dataset_of_the_tutorial() -> None:
    (shown,) = (text for _, text in fences(ROOT / "README.md", "python"))
    files = {_name(text): text for _, text in _of("python")}
    assert files["bookings.py"] == f"# bookings.py\n{shown}"
