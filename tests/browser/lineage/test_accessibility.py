"""What axe-core finds on each view, in light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.lineage.views import VIEWS, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}
FINDINGS = """() => axe.run(document, { resultTypes: ["violations"] }).then((answer) =>
  answer.violations.map(({ id, impact, nodes }) =>
    [impact, id, nodes.length, nodes[0].html.slice(0, 200), nodes[0].failureSummary]))"""


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_no_serious_finding(page: Page, lineage: LiveServer, view: str, colours: str) -> None:
    page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    show(page, lineage.url + VIEWS[view])
    assert not serious_findings(page)


def serious_findings(page: Page) -> list[list[str]]:
    """What axe-core finds on the page as it is."""
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: make web")
    # evaluated by the browser's debugger, which the page's policy does not bind
    page.evaluate(AXE.read_text())
    found: list[list[str]] = page.evaluate(FINDINGS)
    return [finding for finding in found if finding[0] in GRAVE]
