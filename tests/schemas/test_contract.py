"""A contract that is defined wrongly says so at import, naming class, column and mend."""

from __future__ import annotations

import types
from datetime import date, datetime, timedelta
from decimal import Decimal as Exact
from typing import Any

import pandera.pyspark as pandera
import pyspark.sql.types as T
import pytest

from penstock import Contract, Decimal, ForeignKey, Pii, column
from penstock.errors import DefinitionError
from penstock.schemas.contract import model_of, struct_of
from penstock.schemas.model import ContractModel

FACTS: dict[str, Any] = {"name": "silver.fares", "version": "1.0.0", "owner": "team:travel"}


def define(
    columns: dict[str, tuple[Any, Any]] | None = None, *, doc: str = "One fare.", **facts: Any
) -> type[Contract]:
    """A contract `Fares` made at run time: column name to (type, column(...))."""
    columns = {"fare": (int, column())} if columns is None else columns
    body = {
        "__doc__": doc,
        "__module__": __name__,
        "__annotations__": {name: kind for name, (kind, _) in columns.items()},
        **{name: declared for name, (_, declared) in columns.items()},
    }
    made: type[Contract] = types.new_class(
        "Fares", (Contract,), {**FACTS, **facts}, lambda space: space.update(body)
    )
    return made


def one(kind: Any, **how: Any) -> dict[str, tuple[Any, Any]]:
    return {"fare": (kind, column(**how))}


FARE = "contract Fares.fare"
CLASS = "contract Fares"
UNCOMPILABLE = "the check cannot be compiled: "

WRONG_COLUMNS: dict[str, tuple[dict[str, tuple[Any, Any]], str, str]] = {
    "an unknown check": (one(int, foo=1), FARE, "the column's checks are not right"),
    "a pandera setting of no effect": (
        one(int, coerce=True),
        FARE,
        "the column's checks are not right",
    ),
    "an empty interval": (
        one(int, in_range={"min_value": 9, "max_value": 5}),
        FARE,
        "the column's checks are not right",
    ),
    "a broken pattern": (one(str, str_matches="("), FARE, "the column's checks are not right"),
    "a length without bounds": (one(str, str_length={}), FARE, "the column's checks are not right"),
    "a pattern of Python only": (
        one(str, str_matches="(?P<x>a)"),
        FARE,
        UNCOMPILABLE + "Spark's regular expressions know no (?P...); use (?<name>...)",
    ),
    "order of text": (
        one(str, ge="x"),
        FARE,
        UNCOMPILABLE + "greater_than_or_equal_to does not apply to type string",
    ),
    "a pattern on a number": (
        one(int, str_matches="a"),
        FARE,
        UNCOMPILABLE + "str_matches does not apply to type bigint",
    ),
    "text against a number": (
        one(int, ge="x"),
        FARE,
        UNCOMPILABLE + "'x' cannot be compared with type bigint",
    ),
    "a truth against a number": (
        one(int, eq=True),
        FARE,
        UNCOMPILABLE + "True cannot be compared with type bigint",
    ),
    "no date": (
        one(date, ge="soon"),
        FARE,
        UNCOMPILABLE + "'soon' cannot be compared with type date",
    ),
    "a number past bigint": (
        one(int, ge=2**63),
        FARE,
        UNCOMPILABLE + "9223372036854775808 does not fit bigint; give a Decimal",
    ),
    "a decimal that is no number": (
        one(Decimal(10, 2), ge=Exact("NaN")),
        FARE,
        UNCOMPILABLE + "NaN is no decimal of 38 digits",
    ),
    "no values to be in": (one(int, isin=[]), FARE, UNCOMPILABLE + "the list of values is empty"),
    "NULL among the values": (
        one(int, isin=[1, None]),
        FARE,
        UNCOMPILABLE + "None cannot be compared with; use nullable=",
    ),
    "a check of an array": (
        one(T.ArrayType(T.StringType()), isin=["a"]),
        FARE,
        UNCOMPILABLE + "isin does not apply to type array<string>",
    ),
    "pandera's own field": (
        {"fare": (int, pandera.Field())},
        FARE,
        "a column is declared without column(...)",
    ),
    "a type that is none": (one(list), FARE, "not a column type"),
    "no columns": ({}, CLASS, "the contract has no columns"),
    "a key that may be NULL": (
        one(int, key=True, nullable=True),
        FARE,
        "a key column cannot be nullable",
    ),
    "personal data without clearance": (
        one(str, pii=Pii.EMAIL),
        FARE,
        "the column holds email in clear and the dataset is not cleared for it",
    ),
    "an unknown class of personal data": (
        one(str, pii="shoe_size"),
        FARE,
        "no such class of personal data",
    ),
    "names that differ in case": (
        {"fare": (int, column()), "Fare": (int, column())},
        FARE,
        "two columns differ only in case, which Spark takes for the same",
    ),
    "a name that pandera needs": (
        {"validate": (int, column())},
        "contract Fares.validate",
        "pandera keeps this name for itself",
    ),
}


@pytest.mark.parametrize("case", WRONG_COLUMNS, ids=str)
def test_a_wrong_column_is_named(case: str) -> None:
    columns, where, what = WRONG_COLUMNS[case]
    with pytest.raises(DefinitionError) as caught:
        define(columns)
    assert (caught.value.where, caught.value.what) == (where, what)
    assert caught.value.next_step


WRONG_FACTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "name": ({"name": "Fares"}, CLASS, "name is missing or malformed"),
    "version": ({"version": "1"}, CLASS, "version is missing or malformed"),
    "owner": ({"owner": "me"}, CLASS, "owner is missing or malformed"),
    "no docstring": ({"doc": " "}, CLASS, "the contract has no docstring"),
    "a keyword misspelt": ({"freshnes": 1}, CLASS, "there is no class keyword freshnes"),
    "freshness in hours": ({"freshness": 3}, CLASS, "freshness is no duration"),
    "no retention": ({"retention": timedelta()}, CLASS, "retention is no duration"),
    "clustering": (
        {"clustering": ["fair"]},
        "contract Fares.fair",
        "clustering names a column that is not there",
    ),
    "foreign key": (
        {"foreign_keys": [ForeignKey("carrier", "silver.carriers")]},
        "contract Fares.carrier",
        "foreign_keys names a column that is not there",
    ),
    "foreign key of other width": (
        {"foreign_keys": [ForeignKey("fare", "silver.carriers", ["a", "b"])]},
        CLASS,
        "a foreign key has another number of columns than what it refers to",
    ),
    "foreign key to its own dataset": (
        {"foreign_keys": [ForeignKey("fare", "silver.fares")]},
        FARE,
        "a foreign key refers to its own dataset, which is not written yet when it is checked",
    ),
    "cleared for no class": (
        {"cleared": ["emial"]},
        CLASS,
        "cleared= names something that is no class of personal data",
    ),
    "cleared for one word": (
        {"cleared": "everything"},
        CLASS,
        "cleared= names something that is no class of personal data",
    ),
    "rule": ({"rules": {"Not Snake": "fare > 0"}}, CLASS, "rule 'Not Snake' is malformed"),
    "empty rule": ({"rules": {"positive": " "}}, CLASS, "rule 'positive' is malformed"),
}


@pytest.mark.parametrize("case", WRONG_FACTS, ids=str)
def test_a_wrong_fact_is_named(case: str) -> None:
    facts, where, what = WRONG_FACTS[case]
    with pytest.raises(DefinitionError) as caught:
        define(**facts)
    assert (caught.value.where, caught.value.what) == (where, what)
    assert caught.value.next_step


def test_a_foreign_key_to_a_column_that_is_not_there_is_named() -> None:
    target = define({"code": (str, column(key=True))}, name="silver.codes")
    with pytest.raises(DefinitionError) as caught:
        define(foreign_keys=[ForeignKey("fare", target, "cod")])
    assert str(caught.value).splitlines() == [
        f"{FARE}: a foreign key refers to a column that is not there",
        "  expected: columns of silver.codes: code",
        "  found: cod",
        "  next: did you mean code?",
    ]
    with pytest.raises(DefinitionError, match="refers to a column that is not there"):
        define(foreign_keys=[ForeignKey("fare", target)])
    define({"code": (str, column())}, foreign_keys=[ForeignKey("code", target)])


def test_clearance_may_be_written_as_the_class_or_its_value() -> None:
    for cleared in ([Pii.EMAIL], ["email"], "email"):
        assert model_of(define(cleared=cleared)).cleared == {Pii.EMAIL}
    with pytest.raises(DefinitionError) as caught:
        define(cleared=["emial"])
    assert (caught.value.found, caught.value.next_step) == ("'emial'", "did you mean Pii.EMAIL?")


def test_a_message_says_what_where_expected_found_and_next() -> None:
    with pytest.raises(DefinitionError) as caught:
        define(one(str, pii=Pii.EMAIL))
    assert str(caught.value).splitlines() == [
        f"{FARE}: the column holds email in clear and the dataset is not cleared for it",
        "  expected: cleared to include Pii.EMAIL, or a masked column",
        "  found: cleared=[]",
        "  next: add Pii.EMAIL to cleared=, or mask the column (masked=True)",
    ]
    with pytest.raises(DefinitionError) as caught:
        define(freshnes=timedelta(days=1))
    assert str(caught.value).splitlines() == [
        "contract Fares: there is no class keyword freshnes",
        (
            "  expected: name, version, owner, freshness, retention, clustering, cleared, "
            "foreign_keys, rules"
        ),
        "  next: did you mean freshness?",
    ]
    with pytest.raises(DefinitionError) as caught:
        define(clustering=["fares"])
    assert str(caught.value).splitlines() == [
        "contract Fares.fares: clustering names a column that is not there",
        "  found: fares",
        "  next: did you mean fare?",
    ]


@pytest.mark.parametrize(("precision", "scale"), [(39, 2), (2, 3), (0, 0), (5, -1)])
def test_a_decimal_that_spark_does_not_have(precision: int, scale: int) -> None:
    with pytest.raises(DefinitionError, match="no such decimal type"):
        Decimal(precision, scale)


def test_a_subclass_has_the_columns_of_its_parent_and_its_own() -> None:
    parent = define({"fare": (int, column(key=True, ge=0)), "note": (str, column(nullable=True))})
    body = {"__doc__": "One.", "__annotations__": {"tax": float}, "tax": column()}
    child = types.new_class(
        "Taxed", (parent,), {**FACTS, "name": "silver.taxed"}, lambda space: space.update(body)
    )
    model = model_of(child)
    assert [c.name for c in model.columns] == ["fare", "note", "tax"]
    assert model.key == ("fare",)
    assert [check.id for check in model.checks] == ["fare:ge"]
    assert struct_of(child).simpleString() == "struct<fare:bigint,note:string,tax:double>"
    assert [c.name for c in model_of(parent).columns] == ["fare", "note"]


def test_the_model_survives_its_document_and_its_fingerprint_is_its_own() -> None:
    contract = define(
        {
            "fare": (Decimal(10, 2), column(ge=0, le=Exact("9.5"), unit="USD")),
            "code": (str, column(key=True, isin=["b", "a"], str_length={"max_value": 3})),
            "at": (datetime, column(nullable=True, warn=True, gt=datetime(2013, 1, 1))),  # noqa: DTZ001
            "mail": (str, column(pii=Pii.EMAIL, masked=True)),
        },
        freshness=timedelta(hours=26),
        retention=timedelta(days=9),
        clustering="code",
        cleared=[Pii.NAME],
        foreign_keys=[ForeignKey("code", "silver.codes", "id", warn=True)],
        rules={"cheap": "fare < 100 OR code = 'x'"},
    )
    model = model_of(contract)
    assert ContractModel.from_document(model.document()) == model
    assert len({model.fingerprint(), model_of(define()).fingerprint()}) == 2
    assert model_of(define()).fingerprint() == model_of(define()).fingerprint()
