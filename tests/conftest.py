"""One small Spark session for the whole suite, and no event that OpenLineage would not know."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from penstock.events.producer import PRODUCER
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from tests.cost import FolderCost, Started, budget_rows, over_budget, slowness, table
from tests.openlineage_schema import openlineage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

# ledgers on both databases, for whoever tests what stands on one
pytest_plugins = ("tests.assets.events", "tests.ledger.fixtures")

# an example that takes long says something of the machine, not of a law
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

_SECONDS_EACH = 2  # of a slow test in a file that says nothing

_started = pytest.StashKey[Started]()
_used = pytest.StashKey[FolderCost]()
_told = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_used] = FolderCost()
    config.stash[_told] = Counter()
    if not _is_worker(config):
        config.stash[_started] = Started()
        config.stash[_started].begin()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.config.stash[_used].begins(item.nodeid.partition("::")[0])
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is None:  # what ends now was every file's: the session, the browser, the database
        item.config.stash[_used].begins("")


def pytest_sessionfinish(session: pytest.Session) -> None:
    used = session.config.stash[_used].end()
    if _is_worker(session.config):
        session.config.workeroutput["used"] = used  # type: ignore[attr-defined]
    elif not session.config.pluginmanager.has_plugin("dsession"):
        session.config.stash[_told].update(used)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of xdist has ended, and says what its tests used."""
    node.config.stash[_told].update(getattr(node, "workeroutput", {}).get("used", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    started = config.stash[_started]
    started.end()
    write = terminalreporter.write_line
    terminalreporter.section("processes started, and what they used")
    for line in table(started.rows()):
        write(line)
    slow = slowness()
    used = config.stash[_told]
    terminalreporter.section(f"CPU by folder; this machine takes {slow:.2f} times the reference")
    for line in table(budget_rows(used, slow)):
        write(line)
    for folder in over_budget(used, slow):
        write(f"over its budget: {folder}", yellow=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, so that all workers end at about the same time.

    How long is told by `slow(seconds=...)` of a file, on two idle cores, or by its slow tests.
    """
    seconds: Counter[Path] = Counter()
    for item in items:
        if told := item.get_closest_marker("slow") or item.get_closest_marker("browser"):
            whole = told.kwargs.get("seconds")
            seconds[item.path] = whole or seconds[item.path] + _SECONDS_EACH
    items.sort(key=lambda item: -seconds[item.path])


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A classic local session with Delta. Ends with the test process."""
    cluster = LocalCluster(profile=Profile.SMALL, cores=2)
    with cluster.session() as session:
        yield session
    cluster.release()


@pytest.fixture(autouse=True)
def _events_are_openlineage(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every event of Penstock's own in any ledger that a test leaves is valid OpenLineage."""
    if "tmp_path" not in request.fixturenames:
        yield
        return
    folder: Path = request.getfixturevalue("tmp_path")
    yield
    wrong = [
        (path.relative_to(folder), error)
        for path in folder.rglob("ledger.db")
        for payload in _own_events(path)
        for error in openlineage_errors(payload)
    ]
    assert wrong == []


def _own_events(ledger: Path) -> list[dict[str, Any]]:
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
            told = connection.execute("SELECT payload FROM event").fetchall()
    except sqlite3.DatabaseError:  # one that its test damaged
        return []
    payloads = [json.loads(text) for (text,) in told if PRODUCER in text]
    return [payload for payload in payloads if payload.get("producer") == PRODUCER]
