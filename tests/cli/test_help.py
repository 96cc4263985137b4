"""What the command says of itself, and how soon."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.cli.failure import exit_codes
from penstock.errors import PenstockError

COMMANDS = [
    *("list", "show", "run", "backfill", "status", "history", "lineage", "jars", "doctor"),
    *("up", "demo", "init", "version", "quarantine show", "coverage"),
    *("evidence export", "evidence verify", "evidence key"),
    *("ledger archive", "ledger verify", "ledger rebuild"),
    *("serve", "token add", "token list", "token revoke"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_and_the_shared_options(command: str) -> None:
    result = CliRunner(env={"COLUMNS": "120"}).invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    text = " ".join(result.output.split())
    assert f"Example: penstock {command}" in text
    assert all(option in text for option in ("--json", "--debug", "--deployment"))


def test_help_lists_every_command_and_every_exit_code() -> None:
    text = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["--help"]).output
    assert all(re.search(rf"\b{command.split()[0]}\b", text) for command in COMMANDS)
    for code in exit_codes():
        assert re.search(rf"^ *{code}  \w", text, re.MULTILINE), code
    assert {kind.exit_code for kind in PenstockError.__subclasses__()} <= exit_codes().keys()


def test_help_loads_nothing_but_what_draws_it() -> None:
    """It is asked for while one types. Counted, since a second is not as long on every machine."""
    script = "import sys, json, penstock.cli.app; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    heavy = {"pyspark", "dagster", "pandas", "pydantic", "deltalake", "sqlalchemy", "boto3"}
    assert not heavy & set(loaded)
    # some 290, each a few milliseconds; with Dagster they would be a thousand
    assert len(loaded) < 400


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["no-such-thing"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_version_names_what_it_stands_on() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "penstock.cli", "version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"pyspark\s+4\.", done.stdout)
    assert not done.stderr
