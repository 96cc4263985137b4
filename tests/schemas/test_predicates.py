"""Compiled checks against pandera itself: the same rows are good."""

from __future__ import annotations

import math
import types
from datetime import UTC, date, datetime
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any

import pandera.pyspark as pandera
import pyspark.sql.types as T
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from penstock import Contract, Decimal, Pii, column
from penstock.schemas import predicates
from penstock.schemas.contract import model_of
from penstock.schemas.model import ContractModel, Severity
from penstock.schemas.predicates import (
    UncompilableCheckError,
    bad_reasons_sql,
    good_sql,
    literal,
    quoted,
)
from penstock.schemas.rule import cannot_fail
from penstock.testing import rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "é",
    "日本",
    "🙂",
    "'",
    "\\",
    '"',
    "a'b",
    "\\'",
    "a\nb",
    "%",
    "a.b",
    " ",
    "\\n",
    "$x",
]
PATTERNS = [
    "a",
    "^a",
    "b$",
    "[a-z]+",
    ".",
    "\\.",
    "\\\\",
    "'",
    "^$",
    "(?i)A",
    "\\d",
    "é",
    "a.b",
]
NUMBERS: dict[Any, list[Any]] = {
    int: [0, 1, -1, 7, 2**31, -(2**31), 2**63 - 1, -(2**63)],
    float: [0.0, -0.0, 0.1, -1.5, math.nan, math.inf, -math.inf, 1e308, 5e-324, 2.0**53],
    Decimal(38, 10): [
        Exact(x) for x in ("0", "0.1", "-0.1", "1", "9" * 28, "-1e-10", "0.0000000001")
    ],
    Decimal(4, 2): [Exact(x) for x in ("0", "0.10", "-0.10", "99.99", "-99.99")],
    "int": [0, 1, -1, 2**31 - 1, -(2**31)],
    "smallint": [0, 1, -1, 2**15 - 1],
    date: [
        # no earlier: PySpark hands a year of three digits on as three, which Java refuses, and
        # pandera takes that for a row that breaks the check
        date(1000, 1, 1),
        date(1582, 10, 15),
        date(1969, 12, 31),
        date(2013, 1, 5),
        date(9999, 12, 31),
    ],
    datetime: [
        datetime(2013, 1, 5, tzinfo=UTC),
        datetime(2013, 1, 5, 0, 0, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
}
ORDER = ("eq", "ne", "gt", "ge", "lt", "le")
BOUNDS = ("gt", "ge", "lt", "le", "in_range")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, Any, dict[str, Any], bool]:
    """(type, the row's value, the check, whether NULL is allowed)."""
    nullable = draw(st.booleans())
    if draw(st.booleans()):
        kind = draw(st.sampled_from(list(NUMBERS)))
        values = st.sampled_from(NUMBERS[kind])
        check: dict[str, Any] = draw(
            st.one_of(
                st.builds(_against, st.sampled_from(ORDER), values),
                st.builds(
                    lambda name, some: {name: some},
                    st.sampled_from(["isin", "notin"]),
                    st.lists(values, min_size=1, max_size=3),
                ),
                st.builds(_interval, values, values, st.booleans(), st.booleans()),
            )
        )
    else:
        kind, values = str, st.sampled_from(TEXTS)
        check = draw(
            st.one_of(
                st.builds(
                    lambda name, value: {name: value},
                    st.sampled_from(["eq", "ne", "str_startswith", "str_endswith"]),
                    values,
                ),
                st.builds(
                    lambda name, some: {name: some},
                    st.sampled_from(["isin", "notin"]),
                    st.lists(values, min_size=1, max_size=3),
                ),
                st.builds(
                    lambda name, value: {name: value},
                    st.sampled_from(["str_matches", "str_contains"]),
                    st.sampled_from(PATTERNS),
                ),
                st.builds(
                    lambda low, more: {"str_length": {"min_value": low, "max_value": low + more}},
                    st.integers(0, 2),
                    st.integers(0, 2),
                ),
                st.builds(lambda n: {"str_length": {"exact_value": n}}, st.integers(0, 2)),
            )
        )
    return kind, draw(st.one_of(st.none(), values)), check, nullable


def _interval(one: Any, other: Any, low: bool, high: bool) -> dict[str, Any]:  # noqa: FBT001 - drawn
    first, last = (other, one) if other < one else (one, other)
    if first == last or first != first or last != last:  # noqa: PLR0124 - NaN
        return _against("ge", first)
    return {
        "in_range": {
            "min_value": first,
            "max_value": last,
            "include_min": low,
            "include_max": high,
        }
    }


def _against(name: str, value: Any) -> dict[str, Any]:
    """The check of one value; NaN is no bound."""
    return {"eq" if name in BOUNDS and value != value else name: value}  # noqa: PLR0124 - NaN


def _contract(made: list[tuple[Any, Any, dict[str, Any], bool]]) -> type[Contract]:
    kinds = {f"c{n}": _kind(kind) for n, (kind, *_) in enumerate(made)}
    body = {
        "__doc__": "One.",
        "__module__": __name__,
        "__annotations__": kinds,
        **{
            f"c{n}": column(nullable=nullable, **check)
            for n, (*_, check, nullable) in enumerate(made)
        },
    }
    facts = {"name": "a.b", "version": "1.0.0", "owner": "team:x"}
    return types.new_class("Drawn", (Contract,), facts, lambda space: space.update(body))


def _kind(kind: Any) -> Any:
    import pyspark.sql.types as T

    return T.DataType.fromDDL(kind) if isinstance(kind, str) else kind


@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(made=st.lists(cases(), min_size=30, max_size=30))
def test_pandera_and_the_compiled_checks_agree_on_every_row(
    spark: SparkSession, made: list[tuple[Any, Any, dict[str, Any], bool]]
) -> None:
    contract = _contract(made)
    model = model_of(contract)
    frame = rows(spark, contract, [tuple(value for _, value, *_ in made)])
    validated: Any = contract.validate(frame)  # type: ignore[arg-type]
    errors = validated.pandera.errors
    assert "CHECK_ERROR" not in errors.get("DATA", {}), "the oracle itself failed"
    names = {c.id: (c.column, c.name) for c in model.checks}
    told = {
        (error["column"], error["check"].split("(")[0])
        for kind in ("DATA", "SCHEMA")
        for found in errors.get(kind, {}).values()
        for error in found
    }
    reasons = frame.selectExpr(
        bad_reasons_sql(model) or "array()", good_sql(model) or "true"
    ).first()
    assert reasons
    # to pandera NaN is the highest number, to a check here it keeps no bound
    told |= {
        (f"c{n}", names[f"c{n}:{short}"][1])
        for n, (_, value, check, _) in enumerate(made)
        for short in check
        if short in BOUNDS and isinstance(value, float) and math.isnan(value)
    }
    ours = {names.get(rule, (rule.partition(":")[0], "not_nullable")) for rule in reasons[0]}
    assert ours == told
    assert bool(reasons[1]) is (not ours)


LITERALS = [
    *TEXTS,
    *(value for values in NUMBERS.values() for value in values),
    date(1, 1, 1),
    True,
    False,
    b"",
    b"\x00\xff'",
    datetime(2013, 1, 5, 1, 2, 3, 4),  # noqa: DTZ001 - a time without zone has its own literal
]


def test_every_literal_comes_back_as_it_was(spark: SparkSession) -> None:
    row = spark.sql("SELECT " + ", ".join(map(literal, LITERALS))).first()
    assert row
    for found, value in zip(row, LITERALS, strict=True):
        if isinstance(value, float) and math.isnan(value):
            assert math.isnan(found)
        elif isinstance(value, datetime) and value.tzinfo:
            assert found.astimezone(UTC) == value
        else:
            assert found == value
            assert str(found) == str(value) or isinstance(value, bytes | Exact)


@pytest.mark.parametrize("value", [None, object(), 2**63, Exact("NaN"), Exact("1e40")])
def test_what_has_no_literal_is_refused(value: object) -> None:
    with pytest.raises(UncompilableCheckError):
        literal(value)


def test_a_name_is_quoted(spark: SparkSession) -> None:
    name = "a`b c.d"
    frame = spark.sql(f"SELECT 1 AS {quoted(name)}")
    assert frame.columns == [name]
    assert frame.selectExpr(quoted(name)).columns == [name]


def test_rules_over_the_row_count_null_as_good(spark: SparkSession) -> None:
    class Ruled(
        Contract, name="a.b", version="1.0.0", owner="team:x", rules={"ordered": "low <= high"}
    ):
        """One."""

        low: int = column(nullable=True)
        high: int = column(nullable=True, ge=0, warn=True)

    model: ContractModel = model_of(Ruled)
    frame = rows(spark, Ruled, [(1, 2), (2, 1), (None, 1), (1, None), (None, -1)])
    found = frame.selectExpr(bad_reasons_sql(model) or "", good_sql(model) or "").collect()
    assert [tuple(row) for row in found] == [
        ([], True),
        (["rule:ordered"], False),
        ([], True),
        ([], True),
        ([], True),
    ]
    warned = frame.selectExpr(bad_reasons_sql(model, Severity.WARN) or "").collect()
    assert [row[0] for row in warned] == [[], [], [], [], ["high:ge"]]


NAN: dict[str, tuple[dict[str, Any], bool]] = {
    **{name: ({name: 0.0}, False) for name in ("eq", "gt", "ge", "lt", "le")},
    "le the highest": ({"le": math.inf}, False),
    "in_range": ({"in_range": {"min_value": -math.inf, "max_value": math.inf}}, False),
    "isin": ({"isin": [0.0]}, False),
    "isin NaN": ({"isin": [0.0, math.nan]}, True),
    "eq NaN": ({"eq": math.nan}, True),
    "ne NaN": ({"ne": math.nan}, False),
    "ne": ({"ne": 0.0}, True),
    "notin": ({"notin": [0.0]}, True),
    "no check": ({}, True),
}


def test_nan_keeps_no_bound_and_equals_itself(spark: SparkSession) -> None:
    made = [(float, math.nan, check, n % 2 == 0) for n, (check, _) in enumerate(NAN.values())]
    model = model_of(_contract(made))
    frame = rows(spark, _contract(made), [tuple(value for _, value, *_ in made)])
    found = frame.selectExpr(bad_reasons_sql(model) or "array()").first()
    assert found
    broken = {reason.partition(":")[0] for reason in found[0]}
    assert {case: f"c{n}" not in broken for n, case in enumerate(NAN)} == {
        case: kept for case, (_, kept) in NAN.items()
    }


FAILING = {
    "divided": "a / b > 1",
    "divided_too": "a / b < 9 AND a > 0",
    "overflows": "a * 4 > 0",
    "cast_of_text": "cast(s AS int) > 0",
    "out_of_the_array": "element_at(array(1, 2), cast(b AS int) + 1) > 0",
    "parsed": "to_date(s, 'yyyy') > DATE'0001-01-01'",
}


@pytest.mark.parametrize(
    ("kind", "value", "check", "good"),
    [
        ("float", "0.1", {"le": 0.1}, True),
        ("float", "0.1", {"ge": 0.1}, True),
        ("float", "0.1", {"gt": 0.1}, False),
        ("float", "0.1", {"isin": [0.1, 0.7]}, True),
        ("float", "0.1", {"eq": Exact("0.1")}, True),
        ("float", "0.7", {"in_range": {"min_value": 0.5, "max_value": 0.7}}, True),
        ("float", "1e38", {"lt": 1e39}, True),
        ("double", "0.1", {"le": 0.1}, True),
        ("decimal(38,18)", "0.100000000000000001", {"gt": 0.1}, True),
        ("decimal(38,18)", "0.1", {"gt": 0.1}, False),
        ("decimal(38,18)", "0.1", {"lt": 1e300}, True),
        ("bigint", "9007199254740993", {"gt": 9007199254740992.0}, True),
    ],
)
def test_a_bound_is_a_number_as_the_column_has_them(
    spark: SparkSession, kind: str, value: str, check: dict[str, Any], *, good: bool
) -> None:
    types_of = {
        "float": T.FloatType(),
        "double": float,
        "decimal(38,18)": Decimal(38, 18),
        "bigint": int,
    }
    body = {"__doc__": "N.", "__annotations__": {"n": types_of[kind]}, "n": column(**check)}
    facts = {"name": "silver.n", "version": "1.0.0", "owner": "team:n"}
    contract = types.new_class("N", (Contract,), facts, lambda space: space.update(body))
    frame = spark.sql(f"SELECT CAST('{value}' AS {kind}) AS n")
    assert frame.where(good_sql(model_of(contract)) or "true").count() == int(good)


def test_a_rule_that_fails_on_a_row_is_broken_by_it(spark: SparkSession) -> None:
    class Ruled(Contract, name="a.b", version="1.0.0", owner="team:x", rules=FAILING):
        """One."""

        a: int = column(nullable=True)
        b: int = column()
        s: str = column()

    model = model_of(Ruled)
    frame = rows(spark, Ruled, [(4, 0, "2013"), (4, 1, "x"), (2**62, 1, "2013"), (None, 9, "2013")])
    expected = [
        ["rule:divided", "rule:divided_too"],
        ["rule:cast_of_text", "rule:parsed"],
        ["rule:divided_too", "rule:overflows"],
        ["rule:out_of_the_array"],
    ]
    reasons = bad_reasons_sql(model) or ""
    assert [sorted(row[0]) for row in frame.selectExpr(reasons).collect()] == expected
    assert frame.where(good_sql(model) or "").count() == 0
    ids = dict(predicates.rules(model, Severity.ERROR))
    total = frame.agg(*(F.count_if(F.expr(f"NOT ({sql})")) for sql in ids.values())).first()
    assert total
    told = [rule for row in expected for rule in row]
    assert dict(zip(ids, total, strict=True)) == {rule: told.count(rule) for rule in ids}


TYPES = (("a", "bigint"), ("b", "int"), ("x", "double"), ("s", "string"), ("yes", "boolean"))
NEVER_FAIL = ("a >= b", "A > 3.5", "a > x AND (NOT yes OR s IS NOT NULL)", "s != s", "yes")
MAY_FAIL = ("a + b > 3", "s = a", "s > 1", "a / b > 1", "s RLIKE 'x'", "CAST(s AS int) > 1", "s.a")


@pytest.mark.parametrize("sql", [*NEVER_FAIL, *MAY_FAIL])
def test_a_rule_is_tried_unless_no_row_makes_it_fail(sql: str) -> None:
    assert cannot_fail(f"({sql})", TYPES) is (sql in NEVER_FAIL)


def test_a_contract_without_rules_has_no_predicate() -> None:
    class Free(Contract, name="a.b", version="1.0.0", owner="team:x", cleared=[Pii.NAME]):
        """One."""

        name: str = column(nullable=True, pii=Pii.NAME)

    assert good_sql(model_of(Free)) is None
    assert bad_reasons_sql(model_of(Free)) is None


def test_a_custom_check_cannot_be_compiled() -> None:
    from penstock.errors import DefinitionError

    with pytest.raises(DefinitionError, match="cannot be compiled") as caught:

        class Custom(Contract, name="a.b", version="1.0.0", owner="team:x"):
            """One."""

            a: int = column()

            @pandera.check("a")
            @classmethod
            def small(cls, _: Any) -> bool:
                return True

    assert caught.value.where == "contract Custom.a"
