from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from penstock.errors import SetupError
from penstock.operations.up import Deployment, run_up, write_dagster_home
from penstock.resources.home import home
from penstock.resources.ports import free_port
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]

SUPERVISOR = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from penstock.errors import PenstockError
from penstock.operations.up import Deployment, run_up
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

folder, jars, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
deployment = Deployment(
    workspace=folder / "workspace.yaml",
    home=folder / "home",
    web_port=port,
    lineage_port=None,
    cluster=LocalCluster(profile=Profile.SMALL, cores=1, jars_folder=jars),
)
try:
    run_up(
        deployment,
        lambda up: print(json.dumps(asdict(up), default=str), flush=True),
        lambda waiting: print(json.dumps({"waiting": waiting}), flush=True),
    )
except PenstockError as error:
    print(json.dumps({"error": str(error)}))
"""

DEFINITIONS = """
import os
import dagster as dg

@dg.asset
def rows() -> dg.MaterializeResult:
    from penstock.resources.connect import ConnectCluster
    with ConnectCluster().session() as spark:
        return dg.MaterializeResult(metadata={"rows": spark.range(3).count()})

defs = dg.Definitions(assets=[rows])
"""


class Supervisor:
    """`run_up` in a process of its own, over a deployment of one asset."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "workspace.yaml").write_text("load_from:\n  - python_file: definitions.py\n")
        (folder / "definitions.py").write_text(DEFINITIONS)
        (folder / "supervisor.py").write_text(SUPERVISOR)
        jars = str(home() / "jars")
        self.process = subprocess.Popen(
            [sys.executable, "supervisor.py", str(folder), jars, str(self.port)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "UP_TEST": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self, key: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            fact: dict[str, Any] = json.loads(line)
            if key in fact:
                return fact
        raise AssertionError(f"it ended without saying {key}")

    def descendants(self) -> list[psutil.Process]:
        """Every living process that inherited our mark, whoever its parent is now."""
        found = []
        for process in psutil.process_iter():
            try:
                marked = process.environ().get("UP_TEST") == str(self.folder)
                if marked and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def ask(url: str, query: str, **variables: Any) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(  # noqa: S310
        f"{url}/graphql", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
        data: dict[str, Any] = json.loads(answer.read())["data"]
        return data


def until(ask_once: Callable[[], str | None], seconds: float = PATIENCE_SECONDS) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := ask_once()) is not None:
            return found
        time.sleep(0.25)  # the server that is asked has a run to look after
    raise AssertionError("it did not happen in time")


LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } } }"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.mark.slow
def test_a_run_from_the_web_uses_the_warm_server_whose_death_takes_everything_down(
    tmp_path: Path,
) -> None:
    supervisor = Supervisor(tmp_path)
    up = supervisor.said("web_url")
    with urllib.request.urlopen(f"{up['lineage_url']}/api/penstock/v1/summary") as answer:  # noqa: S310
        assert json.loads(answer.read())["dagster_url"] == up["web_url"]
    params = {
        "selector": {
            "repositoryLocationName": "definitions.py",
            "repositoryName": "__repository__",
            "pipelineName": "__ASSET_JOB",
        },
        "mode": "default",
        "runConfigData": {},
    }
    launched = ask(up["web_url"], LAUNCH, params=params)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched

    def ended() -> str | None:
        status: str = ask(up["web_url"], STATUS, id=launched["run"]["runId"])["runOrError"][
            "status"
        ]
        return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

    assert until(ended) == "SUCCESS"
    assert len(supervisor.descendants()) > 3
    # then a child dies; that Ctrl-C leaves nothing is seen where a browser looks at all of it
    java = next(process for process in supervisor.descendants() if process.name() == "java")
    java.kill()
    error = supervisor.said("error")["error"]
    assert "the Spark Connect server ended by itself" in error
    assert "exit code -9" in error
    assert supervisor.process.wait(PATIENCE_SECONDS) == 0
    assert supervisor.descendants() == []


@pytest.mark.slow
def test_sigterm_while_starting_leaves_nothing(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.said("waiting")
    assert supervisor.end(signal.SIGTERM) == 0
    assert supervisor.descendants() == []


def test_no_workspace_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no workspace file") as caught:
        run_up(Deployment(workspace=tmp_path / "workspace.yaml"), print)
    assert caught.value.where == str(tmp_path / "workspace.yaml")


def test_dagsters_home_is_quiet_and_then_the_users(tmp_path: Path) -> None:
    settings = write_dagster_home(tmp_path) / "dagster.yaml"
    assert "telemetry:\n  enabled: false\nnux:\n  enabled: false" in settings.read_text()
    settings.write_text("telemetry:\n  enabled: true\n")
    write_dagster_home(tmp_path)
    assert "true" in settings.read_text()
