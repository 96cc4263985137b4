"""The lineage browser as the server brings it, over a ledger that tells a deployment's story."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.server.browser import STATIC
from tests.browser.lineage import reference_story
from tests.browser.lineage.guarded import Guarded, guarded_server
from tests.browser.lineage.watch import Watch
from tests.server.live_server import LiveServer, live_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page


@pytest.fixture(scope="session")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that has been told the reference story. By its clock no time passes."""
    if not (STATIC / "index.html").is_file():
        pytest.fail("the lineage browser is not built: make web")
    folder = tmp_path_factory.mktemp("ledger")
    with live_server(folder, clock=lambda: reference_story.NOW) as server:
        told = server.send(reference_story.story())
        assert told.json()["summary"]["failed"] == 0, told.text
        for contract in reference_story.contracts():
            assert server.ledger.register_contract(contract)
        yield server


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that asks for tokens."""
    with guarded_server(tmp_path_factory.mktemp("guarded")) as guarded:
        yield guarded


@pytest.fixture
def watch(lineage: LiveServer) -> Iterator[Watch]:
    """What must never happen; the test fails when it did."""
    watch = Watch(origins={lineage.url})
    yield watch
    assert watch.requests > 0, "nothing was watched"
    assert not watch.faults


@pytest.fixture
def page(page: Page, watch: Watch) -> Page:
    """A page that is watched."""
    watch.over(page)
    return page
