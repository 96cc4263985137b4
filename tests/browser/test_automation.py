"""Schedules and the sensor: each can be switched on in the UI, and works there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    # a JVM, two web servers and a browser come up before the first click
    pytest.mark.timeout(900),
]

DAY = "2013-02-08"
SCHEDULES = ("nightly", "daily_masking", "weekly_upkeep")
RUN_MILLISECONDS = 300_000
_RESULT = "evaluationResult { skipReason error { message } runRequests { runKey } }"
_DRY_RUN = """
mutation($of: ScheduleSelector!, $at: Float) {
  scheduleDryRun(selectorData: $of, timestamp: $at) {
    __typename ... on DryRunInstigationTick { %s }
  }
}
"""


def evaluated(page: Page, web_url: str, schedule: str) -> Any:
    """What the schedule would ask for now, evaluated as the daemon does it."""
    asked = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "pipelines.definitions:defs",
        "scheduleName": schedule,
    }
    variables = {"of": asked, "at": datetime.now(UTC).timestamp()}
    body = {"query": _DRY_RUN % _RESULT, "variables": variables}
    answer = page.request.post(f"{web_url}/graphql", data=body).json()
    return answer["data"]["scheduleDryRun"]["evaluationResult"]


def toggle(page: Page, web_url: str, name: str) -> Locator:
    """The switch of a schedule or sensor on the Automation page."""
    page.goto(f"{web_url}/automation")
    row = page.locator("[data-index]").filter(has=page.get_by_text(name, exact=True))
    # the first one selects the row
    return row.get_by_role("checkbox").last


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_is_switched_on_and_off_and_asks_for_its_run(
    page: Page, web_url: str, schedule: str
) -> None:
    found = evaluated(page, web_url, schedule)
    assert found["error"] is None
    assert len(found["runRequests"]) == 1, "one day has landed"

    switch = toggle(page, web_url, schedule)
    for wanted in (True, False):
        switch.click(force=True)
        expect(switch).to_be_checked(checked=wanted)


def test_the_sensor_switched_on_takes_the_day_that_has_landed(page: Page, web_url: str) -> None:
    switch = toggle(page, web_url, "new_files")
    switch.click(force=True)
    expect(switch).to_be_checked()

    page.goto(f"{web_url}/runs")
    took = page.get_by_role("row").filter(has_text="nightly").filter(has_text=DAY)
    expect(took.get_by_text("Success")).to_be_visible(timeout=RUN_MILLISECONDS)

    switch = toggle(page, web_url, "new_files")
    switch.click(force=True)
    expect(switch).not_to_be_checked()
