"""The deployment up as `penstock up` brings it up, on a small lake of its own, and a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from penstock import Slice, run
from penstock.assets.deployment import Deployment
from penstock.resources.child import Child, session_members, stop_all, wait_ready
from penstock.resources.home import home
from pipelines.data import unpack_flights, write_bookings
from tests.patience import PAGE_MILLISECONDS, PATIENCE_MILLISECONDS, PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[2]
DAY = date(2013, 2, 8)
# the shell draws as chromium does, without the windows around: half the work
CHROMIA = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = Path(
    os.environ.get("CHROMIUM") or next((path for path in CHROMIA if path.exists()), CHROMIA[0])
)
FLAGS = (
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=PAGE_MILLISECONDS)


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """What the browser saw: kept after the test, never committed."""
    folder = home(cwd=ROOT) / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def penstock_home(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """A home with one day in landing, bronze and silver; the jars are those of the project."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "jars").symlink_to(home(cwd=ROOT) / "jars")
    unpack_flights(folder / "landing", [DAY])
    write_bookings(folder / "landing", [DAY], 13)
    deployment = _deployment(folder)
    runtime = deployment.runtime()
    for spec in deployment.in_order():
        if spec.group in ("bronze", "silver") and not spec.name.endswith(".bookings"):
            slice_ = Slice.day(DAY) if spec.partitions else Slice()
            run(spec, spark, slice_, runtime=runtime)
    return folder


@pytest.fixture(scope="module")
def up(penstock_home: Path) -> Iterator[dict[str, str]]:
    """What `penstock up` told. It is stopped as Ctrl-C does it, and must leave nothing."""
    log, answer = penstock_home / "up.log", penstock_home / "up.json"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    with log.open("wb") as errors, answer.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "penstock.cli",
                "up",
                "--port",
                "0",
                "--lineage-port",
                "0",
                "--json",
            ],
            cwd=ROOT,
            env=kept | {"PENSTOCK_HOME": str(penstock_home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    child = Child(name="penstock up", process=process, log=log)
    try:
        wait_ready(
            child, lambda: answer.read_text().endswith("}\n"), timeout_seconds=PATIENCE_SECONDS
        )
        told = json.loads(answer.read_text())
        assert "web_url" in told, log.read_text()
        started = {one.pid for one in psutil.Process(process.pid).children()}
        yield told
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0, log.read_text()
        left = [pid for pid in started if session_members(pid)]
        assert not left, f"still running after Ctrl-C: {left}"
    finally:
        stop_all([child])


@pytest.fixture(scope="module")
def web_url(up: dict[str, str]) -> str:
    """Where Dagster's UI is."""
    return up["web_url"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists() and shutil.which(str(CHROMIUM)) is None:
        pytest.fail(
            f"there is no browser at {CHROMIUM}: apt-get install -y chromium-headless-shell"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS), timeout=PATIENCE_MILLISECONDS
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, screenshots: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page; how it looked when the test ended is kept."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.context.set_default_timeout(PAGE_MILLISECONDS)
    yield page
    try:
        page.screenshot(path=screenshots / f"{request.node.name}.png")
    except Error as error:
        pytest.fail(f"the page could not be photographed: {error.name}")
    finally:
        page.close()


def _deployment(folder: Path) -> Deployment:
    """The reference deployment's datasets on the resources of another home."""
    from pipelines.deployment import deployment
    from resources.environments import environment

    resources = environment({"PENSTOCK_HOME": str(folder)}).resources()
    return Deployment(datasets=deployment.datasets, resources=resources)
