"""How a graph of 3,000 datasets moves under the hand: measured, and kept beside the screenshots."""

from __future__ import annotations

import json
import statistics
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import many
from tests.browser.lineage.views import canvas
from tests.server.live_server import live_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.lineage.watch import Watch
    from tests.server.live_server import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DATASETS, STEPS, AT_ONCE = 3000, 30, 1000
FRAME = "() => new Promise((done) => requestAnimationFrame(done))"
COUNT = """canvas => {
  window.changes = 0;
  const count = (all) => all.forEach((one) => {
    window.changes += one.addedNodes.length + one.removedNodes.length + (one.type === "attributes");
  });
  new MutationObserver(count).observe(canvas, {subtree: true, childList: true, attributes: true});
}"""
DRAWN = "canvas => canvas.querySelectorAll('*').length"
PLACE = "one => new DOMMatrix(getComputedStyle(one).transform).e"


@pytest.fixture
def large(tmp_path: Path) -> Iterator[LiveServer]:
    with live_server(tmp_path) as server:
        events = many(DATASETS)
        for first in range(0, len(events), AT_ONCE):
            told = server.send(events[first : first + AT_ONCE])
            assert told.json()["summary"]["failed"] == 0, told.text
        yield server


def test_a_graph_of_3000_datasets_can_be_dragged(
    page: Page, watch: Watch, large: LiveServer, screenshots: Path
) -> None:
    watch.origins.add(large.url)
    began = time.monotonic()
    page.goto(f"{large.url}/graph")
    first = canvas(page).get_by_role("article").first
    expect(first).to_be_visible()
    ready_seconds = time.monotonic() - began
    expect(page.get_by_text("3,000 datasets").first).to_be_visible()
    area = canvas(page).bounding_box()
    assert area
    x, y = area["x"] + area["width"] / 2, area["y"] + 8
    before = canvas(page).locator(".react-flow__viewport").evaluate(PLACE)

    drawn = canvas(page).evaluate(DRAWN)
    canvas(page).evaluate(COUNT)
    page.mouse.move(x, y)
    page.mouse.down()
    frames = [page.evaluate(FRAME)]
    for step in range(1, STEPS + 1):
        page.mouse.move(x - 10 * step, y + 2 * step)
        frames.append(page.evaluate(FRAME))
    page.mouse.up()

    moved = canvas(page).locator(".react-flow__viewport").evaluate(PLACE) - before
    assert moved == pytest.approx(-10 * STEPS, abs=1), "the canvas went with the hand"
    # seconds are not as long on every machine: what is drawn is counted, and what a drag changes
    changes = page.evaluate("window.changes")
    assert 0 < changes < drawn, "the graph is not drawn anew with each step"
    assert canvas(page).get_by_role("article").count() < DATASETS / 5, (
        "what is not seen is not drawn"
    )
    took = [after - earlier for earlier, after in pairwise(frames)]
    figures = {
        "datasets": DATASETS,
        "steps": STEPS,
        "elements": drawn,
        "changes": changes,
        "ready_seconds": round(ready_seconds, 1),
        "median_milliseconds": round(statistics.median(took), 1),
        "p95_milliseconds": round(statistics.quantiles(took, n=20)[-1], 1),
        "longest_milliseconds": round(max(took), 1),
    }
    print(json.dumps(figures))  # noqa: T201 - the figure is what this test is for
    (screenshots / "lineage-3000-datasets.json").write_text(json.dumps(figures, indent=2) + "\n")
