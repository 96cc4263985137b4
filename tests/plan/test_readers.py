"""Who reads a column, directly and through others, by the lineage of all datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import ColumnLineage, Origin, Subtype
from penstock.plan.readers import Readers
from penstock.plan.words import read_by
from penstock.schemas.evolution.columns import Relaxed
from penstock.schemas.evolution.promises import Fresh
from penstock.schemas.evolution.rules import CheckChanged, Direction

if TYPE_CHECKING:
    from penstock.schemas.evolution import Operation


def origin(dataset: str, column: str, subtype: Subtype = Subtype.IDENTITY) -> Origin:
    return Origin(dataset=dataset, column=column, subtype=subtype)


LINEAGES = {
    "silver.a": ColumnLineage(
        fields={
            "fare": (origin("bronze.a", "fare"),),
            "city": (origin("bronze.a", "place.city"),),
            "one": (origin("bronze.a", "unit", Subtype.CONDITIONAL),),
        },
        dataset=(origin("bronze.a", "day", Subtype.FILTER),),
    ),
    "gold.a": ColumnLineage(
        fields={
            "turnover": (origin("silver.a", "fare", Subtype.AGGREGATION),),
            "flag": (origin("silver.a", "one"),),
        },
        dataset=(origin("silver.a", "city", Subtype.GROUP_BY),),
    ),
    "platinum.a": ColumnLineage(fields={"sum": (origin("gold.a", "turnover"),)}),
    # reads itself: what came before
    "bronze.a": ColumnLineage(fields={"fare": (origin("bronze.a", "fare"),)}),
}
KNOWN = Readers(LINEAGES, unknown={"bronze.a": ["audit.b", "audit.a"]})
SURE = Readers(LINEAGES, {"counted": ["bronze.a"]})


def found(operation: Operation, dataset: str = "bronze.a") -> list[tuple[int, str, str]]:
    return [(r.depth, r.dataset, r.column) for r in SURE.of(dataset, operation)]


def test_a_column_is_followed_as_long_as_its_values_are_carried() -> None:
    assert found(Relaxed(path="fare")) == [
        (1, "silver.a", "fare"),
        (2, "gold.a", "turnover"),
        (3, "platinum.a", "sum"),
    ]
    # what decides a value or which rows there are is told, and not followed
    assert found(Relaxed(path="unit")) == [(1, "silver.a", "one")]
    assert found(Relaxed(path="day")) == [(1, "silver.a", "which rows")]
    assert found(Relaxed(path="nobody")) == []


def test_a_part_of_a_column_is_read_by_who_reads_it_or_what_it_is_part_of() -> None:
    city = [(1, "silver.a", "city"), (2, "gold.a", "which rows")]
    assert found(Relaxed(path="place.city")) == city
    assert found(Relaxed(path="place")) == city
    assert found(Relaxed(path="place.city.letters")) == city
    assert found(Relaxed(path="place.street")) == []
    # lineage tells no parts of a list's elements apart
    assert found(Relaxed(path="place.element.street")) == city
    assert found(Relaxed(path="placebo")) == []


def test_a_change_of_all_of_it_concerns_all_readers() -> None:
    looser = Fresh(old="1 day", new=None, looser=True)
    # who reads no column of it, as a count of rows does, is given them all the same
    assert {r.dataset for r in SURE.of("bronze.a", looser)} == {
        "silver.a",
        "gold.a",
        "platinum.a",
        "counted",
    }
    assert SURE.of("bronze.a", Fresh(old=None, new="1 day", looser=False)) == ()
    rule = CheckChanged(
        id="rule:r", path="", direction=Direction.LOOSER, old="(a > 0)", new="(a > -1)"
    )
    assert len(SURE.of("bronze.a", rule)) == len(SURE.of("bronze.a", looser))
    tighter = CheckChanged(
        id="rule:r", path="", direction=Direction.TIGHTER, old="(a > 0)", new="(a > 1)"
    )
    assert SURE.of("bronze.a", tighter) == ()


def test_of_whom_nothing_is_known_may_read_any_column() -> None:
    readers = KNOWN.of("bronze.a", Relaxed(path="nobody"))
    assert [(r.dataset, r.unknown) for r in readers] == [("audit.a", True), ("audit.b", True)]
    assert read_by(KNOWN.of("bronze.a", Relaxed(path="fare"))) == (
        "silver.a (fare); through them gold.a (turnover), platinum.a (sum); "
        "perhaps audit.a, audit.b, of whom nobody knows what they read"
    )


def test_a_circle_ends() -> None:
    circle = Readers(
        {
            "b": ColumnLineage(fields={"x": (origin("a", "x"), origin("c", "x"))}),
            "c": ColumnLineage(fields={"x": (origin("b", "x"),)}),
        },
    )
    readers = circle.of("a", Relaxed(path="x"))
    assert [(r.depth, r.dataset) for r in readers] == [(1, "b"), (2, "c")]


def test_a_value_that_is_decided_and_carried_is_followed() -> None:
    both = (origin("a", "x", Subtype.CONDITIONAL), origin("a", "x"))
    readers = Readers(
        {
            "b": ColumnLineage(fields={"y": both}),
            "c": ColumnLineage(fields={"z": (origin("b", "y"),)}),
        }
    )
    found = readers.of("a", Relaxed(path="x"))
    assert [(r.depth, r.dataset) for r in found] == [(1, "b"), (2, "c")]


def test_who_may_read_what_is_made_of_it_is_named() -> None:
    readers = Readers(
        {"b": ColumnLineage(fields={"y": (origin("a", "x"),)})},
        unknown={"b": ["c"], "a": ["a"]},
    )
    found = readers.of("a", Relaxed(path="x"))
    assert [(r.depth, r.dataset, r.unknown) for r in found] == [(1, "b", False), (2, "c", True)]


def test_letter_case_is_no_difference() -> None:
    readers = Readers({"b": ColumnLineage(fields={"y": (origin("a", "Fare"),)})})
    assert [r.dataset for r in readers.of("a", Relaxed(path="fare"))] == ["b"]
