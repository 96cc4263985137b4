"""The graph: cards, columns, ways, paths, marks and groups, as drawn by a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.lineage.reference_story import id_of
from tests.browser.lineage.views import (
    SHARED,
    SILVER,
    address,
    canvas,
    card,
    column,
    expect_cards,
    row,
    settled,
    show,
)

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.server.live_server import LiveServer

pytestmark = pytest.mark.browser

NEAR = {"bronze.bookings", "silver.bookings", "shared.bookings", "gold.contacts"}
STEPS = "Column lineage of the graph"
PLACES = (
    "all => all.map(one => [one.getAttribute('aria-label'), one.getBoundingClientRect().toJSON()])"
)


def lines(page: Page, kind: str = "") -> Locator:
    """Drawn lines between columns."""
    return canvas(page).locator(f"g.line-column{kind}")


def test_a_dataset_stands_between_what_it_is_made_of_and_what_reads_it(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))

    expect_cards(page, NEAR)
    silver = card(page, "silver.bookings")
    # all at one moment: the canvas may yet move so that all of it is seen
    places = dict(canvas(page).get_by_role("article").evaluate_all(PLACES))
    left, middle, right = (
        places[f"Dataset {label}"]
        for label in ("bronze.bookings", "silver.bookings", "shared.bookings")
    )
    assert left["right"] < middle["left"]
    assert middle["right"] < right["left"]
    for name in ("booking_id", "email", "phone", "amount"):
        expect(column(page, "silver.bookings", name)).to_be_visible()
    expect(silver).to_contain_text("silver")
    expect(column(page, "silver.bookings", "email")).to_contain_text(re.compile("email, in clear"))
    expect(column(page, "shared.bookings", "email")).to_contain_text(re.compile("email, masked"))
    expect(lines(page)).to_have_count(len(row(page, STEPS).all()))
    expect(canvas(page).locator(".line-label").filter(has_text="shared.bookings")).to_be_visible()


def test_one_hop_is_shown_and_more_is_expanded(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    expect(card(page, "landing.bookings")).to_have_count(0)
    more = card(page, "bronze.bookings").get_by_role("button", name="Show 1 more source of")
    expect(more).to_have_text("← +1")

    more.click()

    expect(card(page, "landing.bookings")).to_be_visible()
    expect(more).to_have_count(0)
    expect_cards(page, NEAR | {"landing.bookings"})
    page.get_by_role("button", name="Fold what was expanded").click()
    expect(card(page, "landing.bookings")).to_have_count(0)

    page.get_by_label("Steps").select_option("2")
    settled(page)
    expect(card(page, "landing.bookings")).to_be_visible()
    expect(canvas(page).get_by_role("article")).to_have_count(6)


def test_the_ways_of_a_chosen_column_are_marked_and_the_rest_fades(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))

    column(page, "silver.bookings", "phone").click()

    expect(column(page, "silver.bookings", "phone")).to_have_attribute("aria-pressed", "true")
    # its values come from bronze.bookings.phone; status decides which of them there are
    strong = canvas(page).locator("li.row-strong")
    expect(strong).to_have_count(4)
    bronze = card(page, "bronze.bookings").locator("li.row-strong .row-name")
    expect(bronze).to_contain_text(["phone", "status"])
    expect(lines(page, ".line-strong")).to_have_count(3)
    way, other = lines(page, ".line-strong").first, lines(page, ".faded").first
    opacity = "e => Number(getComputedStyle(e.querySelector('path')).strokeOpacity)"
    assert way.evaluate(opacity) > 2 * other.evaluate(opacity)
    panel = page.get_by_role("complementary", name="Chosen column")
    expect(panel.locator(".reached").filter(has_text="Comes from")).to_contain_text(
        "landing.bookings"
    )
    expect(panel.locator(".reached").filter(has_text="Goes to")).to_contain_text("gold.contacts")

    panel.get_by_role("button", name="Choose no column").click()
    expect(canvas(page).locator("li.row-strong, .faded")).to_have_count(0)


def test_the_path_between_two_columns_is_found_and_shown_alone(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=SHARED, dataset=SHARED, column="email"))
    panel = page.get_by_role("complementary", name="Chosen column")

    panel.get_by_label("Path to another column").select_option("landing.bookings.email")

    expect(panel.get_by_role("heading", name="Path: 3 steps")).to_be_visible()
    steps = panel.locator(".path-steps li")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text("landing.bookings.email → bronze.bookings.email")
    expect(steps.nth(2)).to_contain_text("silver.bookings.email → shared.bookings.email")
    expect(steps.nth(2)).to_contain_text("masked")
    expect(steps.nth(0)).not_to_contain_text("masked")

    panel.get_by_label("Only this path").check()
    way = {"landing.bookings", "bronze.bookings", "silver.bookings", "shared.bookings"}
    expect(canvas(page).get_by_role("article")).to_have_count(4)
    expect_cards(page, way)
    names = canvas(page).locator(".card-columns li")
    expect(names).to_have_count(4)
    for label in way:
        expect(column(page, label, "email")).to_be_visible()
    expect(lines(page)).to_have_count(3)


def test_indirect_influence_is_dashed_and_can_be_switched_off(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    dashed = lines(page, ".line-indirect")
    expect(dashed).to_have_count(2)
    path = dashed.first.locator("path.react-flow__edge-path")
    assert path.evaluate("e => getComputedStyle(e).strokeDasharray") != "none"
    direct = lines(page).and_(page.locator(":not(.line-indirect)"))
    before = direct.count()
    expect(row(page, STEPS, "status", "which rows", "decides by filter")).to_have_count(1)

    page.get_by_label("Indirect influence").uncheck()

    expect(dashed).to_have_count(0)
    expect(direct).to_have_count(before)
    expect(row(page, STEPS, "decides by filter")).to_have_count(0)


def test_masking_stands_as_a_word_on_the_line_that_masks_and_on_no_other(
    page: Page, lineage: LiveServer
) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))

    marks = canvas(page).locator(".mask-mark text")

    expect(marks).to_have_count(1)
    expect(marks).to_have_text("masked")
    expect(marks).to_be_visible()
    masks = lines(page, ".line-masked")
    expect(masks.locator("title").first).to_have_text("email → email: computed, masked")
    expect(row(page, STEPS, "silver.bookings.email", "shared.bookings.email")).to_contain_text(
        "masked"
    )
    expect(row(page, STEPS, "silver.bookings.email", "gold.contacts.mail")).not_to_contain_text(
        "masked"
    )


@pytest.mark.parametrize(
    ("by", "boxes"),
    [
        ("layer", {"landing", "bronze", "silver", "gold", "shared", "kafka://broker:9092"}),
        ("namespace", {"file", "kafka://broker:9092"}),
        ("none", set[str]()),
    ],
)
def test_datasets_are_grouped(page: Page, lineage: LiveServer, by: str, boxes: set[str]) -> None:
    show(page, f"{lineage.url}/graph")
    page.get_by_label("Group by").select_option(by)
    settled(page)

    drawn = canvas(page).locator(".group-box")

    expect(drawn).to_have_count(len(boxes))
    assert set(drawn.all_inner_texts()) == boxes
    expect(canvas(page).get_by_role("article")).to_have_count(10)


def test_a_line_tells_its_job(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/graph", id=id_of("gold.daily_punctuality")))

    canvas(page).locator(".line-label").filter(has_text="gold.daily").click()

    panel = page.get_by_role("complementary", name="Chosen line")
    expect(panel).to_contain_text("Job gold.daily_punctuality")
    expect(panel).to_contain_text("since 2026-01-01 00:31 UTC")


def test_the_canvas_is_dragged_also_where_a_card_is(page: Page, lineage: LiveServer) -> None:
    show(page, lineage.url + address("/graph", id=SILVER))
    name = card(page, "gold.contacts").locator(".card-kind")
    before = name.bounding_box()
    assert before
    page.mouse.move(before["x"] + 5, before["y"] + 5)
    page.mouse.down()
    page.mouse.move(before["x"] - 20, before["y"] + 5)
    page.mouse.move(before["x"] - 95, before["y"] + 35)
    page.mouse.up()

    after = name.bounding_box()

    assert after
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((-100, 30), abs=2)
