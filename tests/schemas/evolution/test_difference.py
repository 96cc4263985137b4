"""The matrix: each change of a contract, the version it asks for, and the verdict."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from penstock.schemas.evolution import (
    Bump,
    Reach,
    Reader,
    Verdict,
    deserved,
    difference,
    judge,
    problem_of,
    raised,
)
from penstock.schemas.model import (
    CheckModel,
    ColumnModel,
    ContractModel,
    ForeignKeyModel,
    Pii,
    Severity,
)

NESTED = "struct<x:int,y:struct<z:string>>"
COLUMNS = (
    ColumnModel(name="id", type="bigint", key=True),
    ColumnModel(name="fare", type="decimal(10,2)", unit="euro"),
    ColumnModel(name="note", type="string", nullable=True),
    ColumnModel(name="email", type="string", pii=Pii.EMAIL),
    ColumnModel(name="token", type="string", pii=Pii.PASSPORT, masked=True),
    ColumnModel(name="place", type=NESTED),
    ColumnModel(name="legs", type="array<struct<a:int>>"),
    ColumnModel(name="tags", type="map<string,int>"),
)


def check(column: str, name: str, **arguments: Any) -> CheckModel:
    shown = ", ".join(f"{k}={v}" for k, v in arguments.items())
    return CheckModel(
        id=f"{column}:{name}", column=column, name=name, arguments=arguments, sql=f"{name}({shown})"
    )


CHECKS = (
    check("fare", "greater_than_or_equal_to", min_value=0),
    check("fare", "less_than", max_value="100.5"),
    check("note", "isin", allowed_values=["a", "b"]),
    check("note", "str_length", max_value=9),
    check("note", "str_matches", pattern="a"),
    CheckModel(id="rule:r", column="", name="rule", arguments={}, sql="(a > b)"),
)
KEY = ForeignKeyModel(
    id="note:foreign_key", columns=("note",), references="a.notes", references_columns=("note",)
)
OLD = ContractModel(
    name="silver.fares",
    version="1.2.3",
    owner="team:shop",
    description="One fare.",
    columns=COLUMNS,
    checks=CHECKS,
    foreign_keys=(KEY,),
    freshness=timedelta(days=1),
    retention=timedelta(days=90),
    clustering=("id",),
    cleared=frozenset({Pii.EMAIL, Pii.PASSPORT}),
)


def with_column(column: str, **facts: Any) -> ContractModel:
    columns = tuple(replace(c, **facts) if c.name == column else c for c in COLUMNS)
    return replace(OLD, columns=columns)


def without(name: str) -> ContractModel:
    return replace(
        OLD,
        columns=tuple(c for c in COLUMNS if c.name != name),
        checks=tuple(c for c in CHECKS if c.column != name),
        foreign_keys=tuple(k for k in OLD.foreign_keys if name not in k.columns),
    )


def with_check(id_: str, made: CheckModel | None) -> ContractModel:
    found = [made if c.id == id_ else c for c in CHECKS]
    return replace(OLD, checks=tuple(c for c in found if c is not None))


def plus(column: ColumnModel) -> ContractModel:
    return replace(OLD, columns=(*COLUMNS, column))


def bound(column: str, name: str, **arguments: Any) -> ContractModel:
    return with_check(f"{column}:{name}", check(column, name, **arguments))


F, A, B = Verdict.FINE, Verdict.AGREED, Verdict.BLOCKED
WARNS = replace(CHECKS[0], severity=Severity.WARN)
# what changes; the contract; what it is called; the bump; the verdict unread, and read
CASES: dict[str, tuple[ContractModel, str, Bump, Verdict, Verdict]] = {
    "a column that may be NULL": (
        plus(ColumnModel(name="more", type="int", nullable=True)),
        "more: new column int",
        Bump.MINOR,
        F,
        F,
    ),
    "a column that may not": (
        plus(ColumnModel(name="more", type="int")),
        "more: new column int that may not be NULL; ",
        Bump.MINOR,
        B,
        B,
    ),
    "a column is gone": (without("note"), "note: string is gone. ", Bump.MAJOR, B, B),
    "another letter case": (
        with_column("fare", name="Fare"),
        "fare: spelled Fare now. ",
        Bump.MAJOR,
        B,
        B,
    ),
    "wider": (
        with_column("fare", type="decimal(12,2)"),
        "fare: old decimal(10,2), new decimal(12,2). ",
        Bump.MINOR,
        B,
        B,
    ),
    "narrower": (
        with_column("fare", type="decimal(8,2)"),
        "fare: old decimal(10,2), new decimal(8,2). ",
        Bump.MAJOR,
        B,
        B,
    ),
    "another type": (
        with_column("fare", type="double"),
        "fare: old decimal(10,2), new double. ",
        Bump.MAJOR,
        B,
        B,
    ),
    "a list of what was one": (
        with_column("note", type="array<string>"),
        "note: old string, new array<string>. ",
        Bump.MAJOR,
        B,
        B,
    ),
    "a field more": (
        with_column("place", type="struct<x:int,y:struct<z:string,w:date>>"),
        "place.y.w: new field date",
        Bump.MINOR,
        B,
        B,
    ),
    "a field less": (
        with_column("place", type="struct<x:int>"),
        "place.y: struct<z:string> is gone. ",
        Bump.MAJOR,
        B,
        B,
    ),
    "a field wider": (
        with_column("place", type="struct<x:bigint,y:struct<z:string>>"),
        "place.x: old int, new bigint. ",
        Bump.MINOR,
        B,
        B,
    ),
    "fields in another order": (
        with_column("place", type="struct<y:struct<z:string>,x:int>"),
        "place: fields in another order: y, x. ",
        Bump.PATCH,
        B,
        B,
    ),
    "in the elements of a list": (
        with_column("legs", type="array<struct<a:string>>"),
        "legs.element.a: old int, new string. ",
        Bump.MAJOR,
        B,
        B,
    ),
    "the values of a map": (
        with_column("tags", type="map<string,bigint>"),
        "tags.value: old int, new bigint. ",
        Bump.MINOR,
        B,
        B,
    ),
    "the keys of a map": (
        with_column("tags", type="map<int,int>"),
        "tags: old map<string,int>, new map<int,int>. ",
        Bump.MAJOR,
        B,
        B,
    ),
    "required": (
        with_column("note", nullable=False),
        "note: may not be NULL any more",
        Bump.MINOR,
        F,
        F,
    ),
    "not required": (
        with_column("fare", nullable=True),
        "fare: may be NULL now",
        Bump.MAJOR,
        F,
        A,
    ),
    "another order": (
        replace(OLD, columns=COLUMNS[::-1]),
        "columns in another order: tags, legs, ",
        Bump.PATCH,
        F,
        F,
    ),
    "another key": (
        replace(OLD, columns=tuple(replace(c, key=c.name in ("id", "note")) for c in COLUMNS)),
        "key: was id, is id, note",
        Bump.MAJOR,
        A,
        A,
    ),
    "no key": (with_column("id", key=False), "key: was id, is none", Bump.MAJOR, A, A),
    "a new check": (
        replace(OLD, checks=(*CHECKS, check("id", "greater_than", min_value=0))),
        "id:greater_than: new check greater_than(min_value=0)",
        Bump.MINOR,
        F,
        F,
    ),
    "a check is gone": (
        with_check("note:isin", None),
        "note:isin: the check isin(allowed_values=['a', 'b']) is gone",
        Bump.MAJOR,
        F,
        A,
    ),
    "a higher least": (
        bound("fare", "greater_than_or_equal_to", min_value=1),
        "fare:greater_than_or_equal_to: was greater_than_or_equal_to(min_value=0), is ",
        Bump.MINOR,
        F,
        F,
    ),
    "a lower least": (
        bound("fare", "greater_than_or_equal_to", min_value=-1),
        "fare:greater_than_or_equal_to: was greater_than_or_equal_to(min_value=0), is ",
        Bump.MAJOR,
        F,
        A,
    ),
    "a higher most, as a text": (
        bound("fare", "less_than", max_value="1000"),
        "fare:less_than: was less_than(max_value=100.5), is less_than(max_value=1000) (looser)",
        Bump.MAJOR,
        F,
        A,
    ),
    "a value more": (
        bound("note", "isin", allowed_values=["a", "b", "c"]),
        "note:isin: was ",
        Bump.MAJOR,
        F,
        A,
    ),
    "a value less": (
        bound("note", "isin", allowed_values=["a"]),
        "note:isin: was ",
        Bump.MINOR,
        F,
        F,
    ),
    "another value": (
        bound("note", "isin", allowed_values=["a", "c"]),
        "note:isin: was ",
        Bump.MAJOR,
        F,
        A,
    ),
    "a shorter text": (
        bound("note", "str_length", max_value=8),
        "note:str_length: was ",
        Bump.MINOR,
        F,
        F,
    ),
    "a bound more": (
        bound("note", "str_length", min_value=1, max_value=9),
        "note:str_length: was ",
        Bump.MINOR,
        F,
        F,
    ),
    "a bound up and one down": (
        bound("note", "str_length", min_value=1, max_value=10),
        "note:str_length: was ",
        Bump.MAJOR,
        F,
        A,
    ),
    "another pattern": (
        bound("note", "str_matches", pattern="b"),
        "note:str_matches: was str_matches(pattern=a), is str_matches(pattern=b)",
        Bump.MAJOR,
        F,
        A,
    ),
    "a check that only warns": (
        with_check(WARNS.id, WARNS),
        "fare:greater_than_or_equal_to: was ",
        Bump.MAJOR,
        F,
        A,
    ),
    "another row rule": (
        with_check("rule:r", replace(CHECKS[-1], sql="(a > c)")),
        "rule:r: was (a > b), is (a > c)",
        Bump.MAJOR,
        F,
        A,
    ),
    "a foreign key is gone": (
        replace(OLD, foreign_keys=()),
        "note:foreign_key: need not be in a.notes (note) any more",
        Bump.MAJOR,
        F,
        A,
    ),
    "a foreign key elsewhere": (
        replace(OLD, foreign_keys=(replace(KEY, references="b.notes"),)),
        "note:foreign_key: had to be in a.notes (note), must be in b.notes (note)",
        Bump.MAJOR,
        F,
        A,
    ),
    "a foreign key that only warns": (
        replace(OLD, foreign_keys=(replace(KEY, severity=Severity.WARN),)),
        "note:foreign_key: had to be in a.notes (note), must be in a.notes (note) (only warns)",
        Bump.MAJOR,
        F,
        A,
    ),
    "a class": (
        with_column("note", pii=Pii.FREE_TEXT),
        "note: personal data none before, free_text now",
        Bump.MAJOR,
        F,
        A,
    ),
    "no class": (
        with_column("email", pii=None),
        "email: personal data email before, none now",
        Bump.MAJOR,
        A,
        A,
    ),
    "another class": (
        with_column("email", pii=Pii.NAME),
        "email: personal data email before, name now",
        Bump.MAJOR,
        A,
        A,
    ),
    "said to be masked": (
        with_column("email", masked=True),
        "email: said to be masked now",
        Bump.MAJOR,
        A,
        A,
    ),
    "said to be in clear": (
        with_column("token", masked=False),
        "token: said to be in clear now",
        Bump.MAJOR,
        A,
        A,
    ),
    "cleared for more": (
        replace(OLD, cleared=frozenset({*OLD.cleared, Pii.NAME})),
        "cleared for also name",
        Bump.MAJOR,
        A,
        A,
    ),
    "cleared for less": (
        replace(OLD, cleared=frozenset({Pii.PASSPORT})),
        "cleared for no longer email",
        Bump.MINOR,
        F,
        F,
    ),
    "another unit": (
        with_column("fare", unit="cent"),
        "fare: unit euro before, cent now",
        Bump.MAJOR,
        F,
        B,
    ),
    "no unit": (
        with_column("fare", unit=None),
        "fare: unit euro before, not said now",
        Bump.MAJOR,
        F,
        A,
    ),
    "a unit": (
        with_column("id", unit="row"),
        "id: unit not said before, row now",
        Bump.PATCH,
        F,
        F,
    ),
    "older data": (
        replace(OLD, freshness=timedelta(days=2)),
        "freshness: 1 day, 0:00:00 before, 2 days, 0:00:00 now",
        Bump.MAJOR,
        F,
        A,
    ),
    "no freshness": (
        replace(OLD, freshness=None),
        "freshness: 1 day, 0:00:00 before, not promised now",
        Bump.MAJOR,
        F,
        A,
    ),
    "fresher data": (
        replace(OLD, freshness=timedelta(hours=1)),
        "freshness: 1 day, 0:00:00 before, 1:00:00 now",
        Bump.MINOR,
        F,
        F,
    ),
    "kept for less": (
        replace(OLD, retention=timedelta(days=30)),
        "retention: 90 days, 0:00:00 before, 30 days, 0:00:00 now",
        Bump.MAJOR,
        F,
        A,
    ),
    "kept for good": (
        replace(OLD, retention=None),
        "retention: 90 days, 0:00:00 before, for good now",
        Bump.MINOR,
        A,
        A,
    ),
    "another owner": (
        replace(OLD, owner="team:ledger"),
        "owner: team:shop before, team:ledger now",
        Bump.PATCH,
        F,
        F,
    ),
    "other words": (replace(OLD, description="A fare."), "described otherwise", Bump.PATCH, F, F),
    "other words for a column": (
        with_column("fare", description="What was paid."),
        "fare: described otherwise",
        Bump.PATCH,
        F,
        F,
    ),
    "sorted otherwise": (
        replace(OLD, clustering=("note", "id")),
        "sorted by note, id, not id",
        Bump.PATCH,
        F,
        F,
    ),
}
SOMEBODY = [Reader(depth=1, dataset="gold.day", column="turnover")]


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_named_and_judged(case: str) -> None:
    new, words, bump, unread, read = CASES[case]
    (operation,) = difference(OLD, new)
    assert str(operation).startswith(words)
    assert operation.meaning.bump is bump
    assert judge(operation, ()).verdict is unread
    judged = judge(operation, SOMEBODY)
    assert judged.verdict is read
    # whoever is named is told why, and what is held up says why
    assert judged.why or judged.verdict is F
    assert judge(operation, ()).why or unread is F
    # without a table nothing is refused
    assert judge(operation, (), has_table=False).verdict < B


@pytest.mark.parametrize("case", CASES)
def test_what_is_registered_as_a_document_is_the_same(case: str) -> None:
    new = CASES[case][0]
    read = ContractModel.from_document(new.document())
    assert difference(new, read) == difference(read, new) == ()
    assert difference(OLD, read) == difference(OLD, new)


def test_the_same_has_no_difference() -> None:
    assert difference(OLD, OLD) == ()
    assert difference(OLD, replace(OLD, version="2.0.0")) == ()


FACTS: list[tuple[str, dict[str, Any]]] = [
    ("fare", {"nullable": True, "type": "double"}),
    ("note", {"nullable": False, "description": "Words."}),
    ("email", {"pii": None}),
    ("place", {"type": "struct<x:bigint>"}),
    ("legs", {"type": "array<struct<a:int,b:date>>"}),
    ("id", {"unit": "row"}),
]


def test_changes_of_several_columns_are_those_of_each() -> None:
    for some in itertools.combinations(FACTS, 3):
        columns = [replace(c, **dict(some).get(c.name, {})) for c in COLUMNS]
        found = difference(OLD, replace(OLD, columns=tuple(columns)))
        each = [difference(OLD, with_column(name, **facts)) for name, facts in some]
        assert {*found} == {operation for operations in each for operation in operations}
        assert deserved(found) is max(map(deserved, each))


def test_a_name_that_is_near_is_named_and_not_guessed() -> None:
    new = with_column("note", name="notes")
    new = replace(new, checks=tuple(c for c in CHECKS if c.column != "note"), foreign_keys=())
    said = [str(operation) for operation in difference(OLD, new)]
    assert said[0] == "notes: new column string"
    assert said[1].startswith("note: string is gone (renamed to notes?). ")


@pytest.mark.parametrize(
    ("bump", "least"),
    [
        (Bump.NONE, "1.2.3"),
        (Bump.PATCH, "1.2.4"),
        (Bump.MINOR, "1.3.0"),
        (Bump.MAJOR, "2.0.0"),
    ],
)
def test_a_version_says_what_changed(bump: Bump, least: str) -> None:
    assert raised("1.2.3", bump) == least
    assert problem_of("1.2.3", least, bump) is None
    assert problem_of("1.2.3", "10.0.0", bump) is None
    below = problem_of("1.2.3", "1.2.2", bump)
    assert below
    if bump is not Bump.NONE:
        assert problem_of("1.2.3", "1.2.3", bump) == (
            f"this is a {bump.name.lower()} change: version {least} after 1.2.3 at least, not 1.2.3"
        )


def test_the_bump_is_that_of_the_greatest_change() -> None:
    several = replace(with_column("fare", nullable=True), owner="team:ledger")
    assert deserved(difference(OLD, several)) is Bump.MAJOR
    assert deserved(()) is Bump.NONE


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2020-01-01", "2021-01-01", "(tighter)"),
        ("2020-01-01T00:00:00+02:00", "2020-01-01T00:00:00+00:00", "(tighter)"),
        ("2020-01-01T00:00:00", "2020-01-01T00:00:00+00:00", ""),
        (9, "10", "(tighter)"),
        (0.5, "0.25", "(looser)"),
        ("a", "b", ""),
        ("NaN", 1, ""),
    ],
)
def test_a_bound_is_compared_as_what_it_is(old: Any, new: Any, words: str) -> None:
    before = replace(OLD, checks=(check("fare", "greater_than", min_value=old),))
    after = replace(OLD, checks=(check("fare", "greater_than", min_value=new),))
    (operation,) = difference(before, after)
    assert str(operation).endswith(words or f"is greater_than(min_value={new})")


def test_the_same_bound_written_otherwise_is_no_change() -> None:
    for old, new in (("2020-01-01T00:00:00+02:00", "2019-12-31T22:00:00+00:00"), (1, "1.0")):
        before = replace(OLD, checks=(check("fare", "greater_than", min_value=old),))
        after = replace(OLD, checks=(check("fare", "greater_than", min_value=new),))
        assert difference(before, after) == ()


def test_what_only_warns_keeps_no_row_out() -> None:
    warns = replace(WARNS, sql="other(min_value=1)", arguments={"min_value": 1})
    only = replace(OLD, checks=(WARNS,), foreign_keys=(replace(KEY, severity=Severity.WARN),))
    none = replace(OLD, checks=(), foreign_keys=())
    held = replace(OLD, checks=(CHECKS[0],), foreign_keys=(KEY,))
    for old, new, bump in (
        (only, none, Bump.PATCH),
        (none, only, Bump.PATCH),
        (only, held, Bump.MINOR),
        (held, only, Bump.MAJOR),
        (only, replace(only, checks=(warns,)), Bump.PATCH),
        # whatever its bound, it sets rows aside that it did not
        (only, replace(held, checks=(replace(warns, severity=Severity.ERROR),)), Bump.MINOR),
        (replace(held, checks=(replace(warns, severity=Severity.ERROR),)), only, Bump.MAJOR),
    ):
        operations = difference(old, new)
        assert operations
        assert {operation.meaning.bump for operation in operations} == {bump}


def test_the_order_of_a_key_is_that_of_the_columns() -> None:
    both = replace(OLD, columns=tuple(replace(c, key=c.name in ("id", "fare")) for c in COLUMNS))
    (operation,) = difference(both, replace(both, columns=both.columns[::-1]))
    assert operation.meaning.bump is Bump.PATCH


def test_a_column_with_personal_data_is_said_to_have_some() -> None:
    more = ColumnModel(name="more", type="string", nullable=True, pii=Pii.NAME)
    (operation,) = difference(OLD, plus(more))
    assert str(operation) == "more: new column string, personal data name"
    (operation,) = difference(OLD, plus(replace(more, masked=True)))
    assert str(operation) == "more: new column string"


def test_rows_that_stay_longer_are_nobodys_matter_without_personal_data() -> None:
    plain = replace(OLD, columns=tuple(replace(c, pii=None) for c in COLUMNS))
    (operation,) = difference(plain, replace(plain, retention=None))
    assert judge(operation, SOMEBODY).verdict is F


def test_a_foreign_key_of_several_columns_concerns_who_reads_any_of_them() -> None:
    both = replace(KEY, id="note,fare:foreign_key", columns=("note", "fare"))
    (gone,) = difference(replace(OLD, foreign_keys=(both,)), replace(OLD, foreign_keys=()))
    assert (gone.path, gone.meaning.reach) == ("", Reach.DATASET)
    (one,) = difference(OLD, replace(OLD, foreign_keys=()))
    assert (one.path, one.meaning.reach) == ("note", Reach.COLUMN)
