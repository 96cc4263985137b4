"""What a person sees and does in Dagster's UI, in a real browser, on what `penstock up` started."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.patience import PATIENCE_MILLISECONDS, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow(seconds=300),
]

DAY = "2013-02-08"
LOCATION = "pipelines.definitions:defs"
TICK = "evaluationResult { error { message } runRequests { runKey } }"
LAYERS = ("landing", "bronze", "silver", "gold", "features", "shared", "upkeep")


def graph(page: Page, web_url: str) -> Locator:
    """The asset graph, groups collapsed. A dialog that covers it is closed first."""
    page.goto(f"{web_url}/asset-groups")
    drawing = page.locator("svg")
    invitation = page.get_by_role("dialog")
    page.add_locator_handler(invitation, lambda _: page.keyboard.press("Escape"))
    expect(drawing.get_by_text("gold", exact=True)).to_be_visible()
    page.remove_locator_handler(invitation)
    return drawing


def test_the_graph_shows_every_layer_and_opens(page: Page, web_url: str) -> None:
    drawing = graph(page, web_url)
    for layer in LAYERS:
        expect(drawing.get_by_text(layer, exact=True)).to_be_visible()

    page.keyboard.press("Alt+e")  # "Expand all groups"

    for name in ("daily_punctuality", "delay_by_weather", "route_delays", "compaction"):
        expect(drawing.get_by_text(name, exact=True)).to_be_attached()


@pytest.fixture(scope="module")
def run_url(browser: Browser, web_url: str, screenshots: Path) -> str:
    """Gold materialized for one day from the graph; the page of the run that did it."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    drawing = graph(page, web_url)
    drawing.get_by_text("gold", exact=True).click(button="right")
    page.get_by_role("menuitem", name="Materialize assets (2)").click()
    # silver was made by the command line, of which Dagster knows nothing
    page.get_by_role("button", name="Confirm").click()
    dialog = page.get_by_role("dialog")
    partition = dialog.get_by_placeholder("ex: 2013-01-01")
    partition.fill(DAY)
    partition.press("Enter")
    page.screenshot(path=screenshots / "materialize.png")
    dialog.get_by_role("button", name="Launch 1 run").click()
    expect(dialog).to_be_hidden()

    page.goto(f"{web_url}/runs")
    page.get_by_text(DAY).first.wait_for()
    page.get_by_role("link", name=re.compile("[0-9a-f]{8}")).first.click()
    page.wait_for_url("**/runs/*-*")
    url = page.url
    page.close()
    return url


def test_gold_is_materialized_from_the_graph(page: Page, run_url: str) -> None:
    page.goto(run_url)
    ended = page.get_by_text("RUN_SUCCESS").or_(page.get_by_text("RUN_FAILURE"))
    expect(ended.first).to_be_visible(timeout=PATIENCE_MILLISECONDS)

    expect(page.get_by_text("Succeeded (2)")).to_be_visible()
    expect(page.get_by_text("Errored (0)")).to_be_visible()


def test_the_run_shows_where_each_column_comes_from(page: Page, run_url: str) -> None:
    # the steps run at once: which of them tells its lineage first is chance
    page.goto(f"{run_url}?logs=step%3Agold__daily_punctuality")
    expect(page.get_by_text("dagster/column_lineage").first).to_be_attached()
    page.get_by_role("button", name="View full message").first.click()
    message = page.get_by_role("dialog")
    message.locator("tr").filter(has_text="dagster/column_lineage").get_by_text("JSON").click()

    lineage = page.get_by_role("dialog").last
    expect(lineage).to_contain_text("delayed_share")
    expect(lineage).to_contain_text("departure_delay_minutes")


def test_the_asset_page_shows_columns_lineage_counts_and_checks(
    page: Page, web_url: str, run_url: str
) -> None:
    assert run_url
    page.goto(f"{web_url}/assets/gold/daily_punctuality")

    share = page.get_by_role("row", name="delayed_share unit: fraction")
    expect(share).to_contain_text("double")
    origins = page.get_by_role("row", name=re.compile(r"^delayed_share silver\.flights"))
    expect(origins).to_contain_text("silver.flights.departure_delay_minutes")
    expect(page.get_by_text("gold.daily_punctuality 1.0.0")).to_be_visible()

    page.get_by_role("tab", name="Checks").click()
    expect(page.get_by_text("Every committed row keeps the contract")).to_be_visible()
    expect(page.get_by_text("0 rows are set aside")).to_be_visible()
    expect(page.get_by_text("Passed", exact=True)).to_be_visible()


def test_the_asset_page_leads_to_its_lineage_and_back(
    page: Page, up: dict[str, str], run_url: str
) -> None:
    page.goto(run_url)
    expect(page.get_by_text("RUN_SUCCESS").first).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    page.goto(f"{up['web_url']}/assets/gold/daily_punctuality")
    told = page.get_by_role("row").filter(has=page.get_by_text("lineage", exact=True))
    link = told.get_by_role("link").first
    expect(link).to_have_attribute(
        "href", re.compile(re.escape(f"{up['lineage_url']}/dataset?id="))
    )
    with page.context.expect_page() as opened:
        link.click()
    lineage = opened.value

    expect(lineage.get_by_role("heading", level=1)).to_have_text("gold.daily_punctuality")
    columns = lineage.get_by_role("table", name="Columns of gold.daily_punctuality")
    share = columns.locator("tbody tr").filter(has_text="delayed_share")
    expect(share).to_contain_text("silver.flights.departure_delay_minutes")
    with page.context.expect_page() as opened:
        lineage.get_by_role("link", name="In Dagster").click()
    expect(opened.value).to_have_url(f"{up['web_url']}/assets/gold/daily_punctuality")
    expect(opened.value.get_by_text("gold.daily_punctuality 1.0.0")).to_be_visible()


def asked(page: Page, web_url: str, query: str, **of: str) -> Any:
    """The answer to what the UI's switches and buttons ask of the server."""
    found = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION, **of}
    body = {"query": query, "variables": {"of": found, "at": time.time()}}
    # the server may close a connection that was kept open at the instant it is used again
    return page.request.post(f"{web_url}/graphql", data=body, max_retries=2).json()["data"]


@pytest.mark.parametrize("schedule", ["nightly", "daily_masking", "weekly_upkeep"])
def test_a_schedule_that_ticks_asks_for_its_run(page: Page, web_url: str, schedule: str) -> None:
    query = "mutation($of: ScheduleSelector!, $at: Float) { scheduleDryRun(selectorData: $of,"
    query += f" timestamp: $at) {{ ... on DryRunInstigationTick {{ {TICK} }} }} }}"
    tick = asked(page, web_url, query, scheduleName=schedule)["scheduleDryRun"]["evaluationResult"]
    assert tick["error"] is None
    assert len(tick["runRequests"]) == 1, "one day has landed"


# the last test: it leaves runs behind
def test_the_sensor_switched_on_takes_the_day_that_has_landed(page: Page, web_url: str) -> None:
    query = "mutation($of: SensorSelector!) { startSensor(sensorSelector: $of)"
    query += " { ... on Sensor { sensorState { status } } } }"
    started = asked(page, web_url, query, sensorName="new_files")
    assert started["startSensor"]["sensorState"]["status"] == "RUNNING"

    page.goto(f"{web_url}/automation")
    expect(page.get_by_text("new_files")).to_be_visible()
    wanted = {("nightly", "SUCCESS"), ("reference", "SUCCESS")}

    def ended() -> bool:
        runs = "{ runsOrError { ... on Runs { results { jobName status } } } }"
        found = asked(page, web_url, runs)["runsOrError"]["results"]
        state = {(run["jobName"], run["status"]) for run in found}
        assert ("nightly", "FAILURE") not in state
        return wanted <= state

    until(ended, f"{wanted}", poll_seconds=2)
