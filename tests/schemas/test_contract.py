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
    "a pattern that Java has no words for": (
        one(str, str_matches="(a)?(?(1)b|c)"),
        FARE,
        UNCOMPILABLE + "Java knows no (?(1)...|...); write both cases as alternatives",
    ),
    "NaN as a bound": (
        one(float, le=float("nan")),
        FARE,
        UNCOMPILABLE + "NaN is no bound: nothing is above or below it",
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
    "a type of what may be None": (one(str | None), FARE, "not a column type"),
    "Python's decimal": (one(Exact), FARE, "not a column type"),
    "an array of nothing": (one(T.ArrayType), FARE, "not a column type"),
    "a list of types": (one([str]), FARE, "not a column type"),
    "an interval": (one(T.DayTimeIntervalType()), FARE, "a table cannot hold this type"),
    "an interval in a struct": (
        one(T.StructType([T.StructField("a", T.YearMonthIntervalType())])),
        FARE,
        "a table cannot hold this type",
    ),
    "text of some length": (one(T.VarcharType(3)), FARE, "a table cannot hold this type"),
    "nothing": (one(T.NullType()), FARE, "a table cannot hold this type"),
    "a switch that is a word": (
        one(int, key="yes"),
        FARE,
        "the column's checks are not right",
    ),
    "a unit that is a number": (one(int, unit=1), FARE, "the column's checks are not right"),
    "a name that pandera leaves out": (
        {"_email": (str, column(pii=Pii.EMAIL))},
        "contract Fares._email",
        "a column's name begins with an underscore",
    ),
    "a name that Delta does not take": (
        {"a b": (str, column())},
        "contract Fares.a b",
        "a column's name holds a character that Delta does not take",
    ),
    "a key that cannot be compared": (
        one(T.MapType(T.StringType(), T.LongType()), key=True),
        FARE,
        "key= names a column whose values cannot be compared",
    ),
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
    "rules in a list": ({"rules": ["fare > 0"]}, CLASS, "rules= is no mapping of a name to SQL"),
    "a rule that does not parse": (
        {"rules": {"positive": "fare > ("}},
        f"{CLASS}, rule positive",
        "the rule is no SQL",
    ),
    "a rule that ends in a comment": (
        {"rules": {"positive": "fare > 0 -- of course"}},
        f"{CLASS}, rule positive",
        "the rule is no SQL",
    ),
    "a rule with an alias": (
        {"rules": {"positive": "fare positive"}},
        f"{CLASS}, rule positive",
        "the rule is no predicate over one row",
    ),
    "a rule over other rows": (
        {"rules": {"positive": "fare > avg(fare)"}},
        f"{CLASS}, rule positive",
        "the rule is no predicate over one row",
    ),
    "a rule with a query": (
        {"rules": {"known": "fare IN (SELECT 1)"}},
        f"{CLASS}, rule known",
        "the rule is no predicate over one row",
    ),
    **{
        f"a rule that asks: {rule}": (
            {"rules": {"asks": rule}},
            f"{CLASS}, rule asks",
            "the rule asks the clock or chance, and a row is looked at more than once",
        )
        for rule in (
            "day >= DATE'2013-01-01' AND day <= current_date() AND code <> 'x'",
            "day <= current_date",
            "day < DATE'2020-01-01' OR day < now() OR day = DATE'2021-01-01'",
            "day < DATE  'today'",
            "code = \"it's\" AND day < now() AND code = 'x'",
            'at < TIMESTAMP "now"',
            "rand() < 0.5",
            "fare < unix_timestamp( )",
            "day <= 'today'",
            "day BETWEEN '2013-01-01' AND ' Today '",
            "CAST('tomorrow' AS DATE) > day",
            "at < to_timestamp('now CET')",
            "day IN ('2013-01-01', 'today')",
        )
    },
    "a rule of a column that is not there": (
        {"rules": {"positive": "fair > 0"}},
        f"{CLASS}, rule positive",
        "the rule names a column that is not there",
    ),
    "a foreign key outside a list": (
        {"foreign_keys": ForeignKey("fare", "silver.carriers")},
        CLASS,
        "foreign_keys= holds something that is no foreign key",
    ),
    "two foreign keys in one": (
        {"foreign_keys": [ForeignKey("fare", "a.b"), ForeignKey("fare", "a.c")]},
        FARE,
        "two foreign keys have the same columns, and would be counted as one",
    ),
    "a freshness before now": (
        {"freshness": timedelta(days=-1)},
        CLASS,
        "freshness is no duration",
    ),
    "an owner that Dagster does not take": (
        {"owner": "team:müller"},
        CLASS,
        "owner is missing or malformed",
    ),
    "empty rule": ({"rules": {"positive": " "}}, CLASS, "rule 'positive' is malformed"),
}


@pytest.mark.parametrize("case", WRONG_FACTS, ids=str)
def test_a_wrong_fact_is_named(case: str) -> None:
    facts, where, what = WRONG_FACTS[case]
    with pytest.raises(DefinitionError) as caught:
        define(**facts)
    assert (caught.value.where, caught.value.what) == (where, what)
    assert caught.value.next_step


def test_two_rules_that_would_be_counted_as_one() -> None:
    with pytest.raises(DefinitionError, match="two rules have one name") as caught:

        class Ruled(
            Contract,
            name="silver.ruled",
            version="1.0.0",
            owner="team:shop",
            rules={"ge": "rule > 1"},
        ):
            """One."""

            rule: int = column(ge=0)

    assert (caught.value.where, caught.value.found) == ("contract Ruled", "rule:ge")


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


WHOLE = (T.ByteType(), T.ShortType(), T.IntegerType(), int)


@pytest.mark.parametrize(
    "kind", [*WHOLE, float, Decimal(10, 2), str, date, datetime, bool], ids=str
)
def test_a_foreign_key_has_the_type_of_what_it_refers_to(kind: Any) -> None:
    target = define({"code": (kind, column(key=True))}, name="silver.codes")
    for other in (int, str, date, Decimal(4, 0)):
        same = kind == other or (kind in WHOLE and other is int)
        same |= isinstance(kind, T.DecimalType) and isinstance(other, T.DecimalType)
        key = [ForeignKey("code", target)]
        if same:
            define({"code": (other, column())}, foreign_keys=key)
            continue
        with pytest.raises(
            DefinitionError, match="of another type than what it refers to"
        ) as caught:
            define({"code": (other, column())}, foreign_keys=key)
        assert caught.value.where == "contract Fares.code"


MENDS: dict[str, tuple[Any, str]] = {
    "str | None": (str | None, "write fare: str = column(nullable=True)"),
    "decimal.Decimal": (Exact, "write fare: Decimal(10, 2) = column(), with Decimal from penstock"),
    "list[str]": (
        list[str],
        "write fare: T.ArrayType(T.StringType()), with pyspark.sql.types as T",
    ),
}


@pytest.mark.parametrize("case", MENDS, ids=str)
def test_a_type_of_python_gets_the_hint_that_helps(case: str) -> None:
    kind, mend = MENDS[case]
    with pytest.raises(DefinitionError) as caught:
        define(one(kind))
    assert caught.value.next_step == mend


def test_a_dash_in_a_name_gets_the_name_without() -> None:
    with pytest.raises(DefinitionError) as caught:
        define(name="silver.my-Fares")
    assert caught.value.next_step == 'write class Fares(Contract, name="silver.my_fares", ...)'


def test_a_column_without_a_type_is_not_left_out() -> None:
    body = {"__doc__": "One.", "__annotations__": {"a": int}, "a": column(), "email": column()}
    with pytest.raises(DefinitionError, match="a column has no type") as caught:
        types.new_class("Fares", (Contract,), FACTS, lambda space: space.update(body))
    assert caught.value.where == "contract Fares.email"


@pytest.mark.parametrize(
    "sql",
    [
        "Fare > 0 AND `fare` <= 9.5BD",
        "exists(parts, x -> x > fare)",
        "place['town'] = 'fair'",
        "fare::int % 2 = 0 OR parts[0] <=> fare",
        "day BETWEEN DATE'2013-01-01' AND DATE'2099-01-01' + INTERVAL 1 DAY",
        "unix_timestamp(code) > 0",
        "lower(code) = 'today' OR trim(code) IN ('now', 'later')",
        "code <> 'now() is' OR code = 'today' OR code IN ('now', 'later')",
        "CASE WHEN fare IS NULL THEN day IS NOT NULL ELSE extract(year FROM day) > 2000 END",
    ],
)
def test_what_spark_reads_as_a_predicate_is_a_rule(sql: str) -> None:
    columns = {
        "fare": (int, column()),
        "day": (date, column()),
        "code": (str, column()),
        "parts": (T.ArrayType(T.LongType()), column()),
        "place": (T.MapType(T.StringType(), T.StringType()), column()),
    }
    assert model_of(define(columns, rules={"kept": sql})).checks[0].sql == f"({sql})"


@pytest.mark.parametrize(
    "thing",
    [None, "silver.fares", Contract, define, 7],
    ids=["none", "name", "base", "function", "number"],
)
def test_what_is_no_contract_is_told_as_that(thing: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        model_of(thing)
    assert "Contract, name=" in caught.value.next_step


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


def test_a_subclass_keeps_what_its_parent_promises() -> None:
    parent = define(
        {"fare": (int, column(key=True)), "code": (str, column()), "day": (date, column())},
        rules={"positive": "fare > 0", "cheap": "fare < 100"},
        foreign_keys=[ForeignKey("code", "silver.codes"), ForeignKey("day", "silver.days")],
    )
    body = {"__doc__": "One.", "__annotations__": {"tax": int}, "tax": column()}
    child = types.new_class(
        "Taxed",
        (parent,),
        {
            **FACTS,
            "name": "silver.taxed",
            "rules": {"cheap": "fare + tax < 100", "taxed": "tax > 0"},
            "foreign_keys": [ForeignKey("day", "silver.working_days")],
        },
        lambda space: space.update(body),
    )
    grandchild = types.new_class(
        "Own",
        (child,),
        {**FACTS, "name": "silver.own"},
        lambda space: space.update({"__doc__": "One.", "__annotations__": {}}),
    )
    for model in (model_of(child), model_of(grandchild)):
        assert {c.id: c.sql for c in model.checks} == {
            "rule:positive": "(fare > 0)",
            "rule:cheap": "(fare + tax < 100)",
            "rule:taxed": "(tax > 0)",
        }
        assert [(fk.columns, fk.references) for fk in model.foreign_keys] == [
            (("code",), "silver.codes"),
            (("day",), "silver.working_days"),
        ]
    assert len(model_of(parent).checks) == 2


@pytest.mark.parametrize(
    "kind",
    [
        T.ArrayType(T.StringType(), containsNull=False),
        T.MapType(T.StringType(), T.LongType(), valueContainsNull=False),
        T.StructType([T.StructField("town", T.StringType(), nullable=False)]),
        T.ArrayType(T.StructType([T.StructField("town", T.StringType(), nullable=False)])),
    ],
    ids=str,
)
def test_a_part_that_may_not_be_null_is_refused_as_nothing_looks_at_it(kind: T.DataType) -> None:
    with pytest.raises(DefinitionError, match="type may not be NULL, which no check looks at"):
        define({"id": (int, column(key=True)), "parts": (kind, column())})


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
