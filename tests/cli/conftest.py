"""A small deployment in a folder of its own, and the command run on it in this process."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from penstock.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

HERE = Path(__file__).parent
MODULE = "small_shop"
DAYS = ("2013-02-07", "2013-02-08")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A project's folder, and the command line in it."""

    root: Path

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), catch_exceptions=False)

    def json(self, *arguments: str, code: int = 0) -> Any:
        result = self(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def deliver(self, day: str, *rows: str) -> None:
        folder = self.root / "landing" / "orders"
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["order_id,day,email,amount", *rows]
        (folder / f"orders-{day}.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A project with nothing delivered yet."""
    make_project(tmp_path)
    with in_project(tmp_path):
        yield Shop(root=tmp_path)


@pytest.fixture(scope="module")
def ran(
    spark: SparkSession,  # noqa: ARG001 - the session that the runs find and share
    tmp_path_factory: pytest.TempPathFactory,
) -> Shop:
    """A project whose two days are in its lake. Made once: its tests only look."""
    root = tmp_path_factory.mktemp("ran")
    make_project(root)
    shop = Shop(root=root)
    with in_project(root):
        for n, day in enumerate(DAYS, start=1):
            shop.deliver(
                day,
                f"{n}1,{day},ada@example.org,10",
                f"{n}2,{day},canary@example.org,-3",
                f"{n}3,{day},torn@example.org,oops",
            )
            result = shop("run", "shop.totals", "--slice", day, "--upstream")
            assert result.exit_code == 0, result.output
    return shop


@pytest.fixture
def filled(ran: Shop) -> Iterator[Shop]:
    """The project with two days in its lake."""
    with in_project(ran.root):
        yield ran


@contextmanager
def in_project(root: Path) -> Iterator[None]:
    """The working directory and the import path are the project's, as for a new process."""
    path, modules = list(sys.path), set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.delenv("PENSTOCK_DEPLOYMENT", raising=False)
        # a project's own: the suite must tell nothing to the instance of the clone
        patch.setenv("DAGSTER_HOME", str(root / "dagster"))
        yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name in (MODULE, "broken_shop"):
            del sys.modules[name]


def make_project(root: Path) -> None:
    shutil.copy(HERE / f"{MODULE}.py", root / f"{MODULE}.py")
    (root / "pyproject.toml").write_text(
        f'[tool.penstock]\ndeployment = "{MODULE}:deployment"\ndemo = "{MODULE}:tell"\n'
    )
