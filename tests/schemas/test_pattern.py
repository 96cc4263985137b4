"""A pattern means in Spark what Python's re says of it under re.ASCII."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock import Contract, column
from penstock.schemas.contract import model_of
from penstock.schemas.pattern import UnportablePatternError, java_pattern
from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEXTS = [
    *("", "a", "b", "A", "ab", "ba", "aab", "cat", "hotdog", "dog", "dogma", "catch", "a b", "a-b"),
    *(
        "a\n",
        "\na",
        "a\nb",
        "a\r\nb",
        "a\u0085",
        "\u2028a",
        "é",
        "É",
        "1",
        "٣",
        "a_1",
        "日本",
        "🙂",
    ),
    *("{,5}", "]", "^", "-", "\\", "&&", "\t", "aaaaaa", "abab", "[a]", "a.b", "$"),
]
KNOWN = [
    *("cat|dog", "^cat|dog$", "[a-z]{,2}", "[a-z]{,5}$", r"\d+$", r"\w+$", ".$", "a.b", "^$", "a$"),
    *(r"\bb\b", "(?i)é", "(?i:A)b", "(?P<x>a|b)(?P=x)", r"(a)b\1", "a*+b", "(?>a|ab)b", "(?<!a)b"),
    *(
        "(?m)^b$",
        "(?s)a.b",
        "(?x) a b # two",
        "[]^-]",
        r"[\]&]{2}",
        "{",
        "a{,",
        r"\Z",
        "é",
        "日|🙂",
    ),
    # in the middle of a letter that is two halves in Java
    *("(?!^|$)", "(?!^)[^x]", "(?<=.)[^a]", "(?:(?!^)|x)", "[^a]$", "(?m)^.", "🙂$", "(?<=🙂)"),
    *("[^a]", r"[^\W\d]", r"[\s\S]{3}", "(a|b|)+$", "a{2,3}?$", "((a)|b)*$", r"\x61\u0062", "\\$"),
]
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "A",
        "é",
        ".",
        "^",
        "$",
        r"\d",
        r"\W",
        r"\s",
        "[a-c]",
        "[^a]",
        "[-b]",
        r"\b",
        r"\.",
        "1",
    ]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = inner.map(lambda p: f"(?:{p})")
    repeat = st.sampled_from(["*", "+", "?", "{2}", "{,2}", "{1,}", "*?", "+?"])
    around = st.sampled_from(["({})", "(?={})", "(?!{})", "(?i:{})", "(?s:{})", "(?m:{})"])
    return st.one_of(
        st.builds(lambda p, q: p + q, inner, inner),
        st.builds(lambda p, q: f"{p}|{q}", inner, inner),
        st.builds(lambda p, n: p + n, group, repeat),
        st.builds(lambda p, shape: shape.format(p), inner, around),
    )


PATTERNS = st.recursive(ATOMS, _grown, max_leaves=6)


@pytest.mark.slow
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(PATTERNS, min_size=60, max_size=60))
def test_a_pattern_finds_the_same_texts(spark: SparkSession, drawn: list[str]) -> None:
    patterns = [*KNOWN, *drawn]
    hits = [f"t RLIKE {literal(java_pattern(p))}" for p in patterns]
    texts = ", ".join(f"({n}, {literal(text)})" for n, text in enumerate(TEXTS))
    found = spark.sql(f"SELECT array({', '.join(hits)}) FROM VALUES {texts} AS v(n, t) ORDER BY n")
    expected = [[bool(re.search(p, text, re.ASCII)) for p in patterns] for text in TEXTS]
    wrong = [
        (p, text)
        for text, row, right in zip(TEXTS, found.collect(), expected, strict=True)
        for p, one, other in zip(patterns, row[0], right, strict=True)
        if one != other
    ]
    assert wrong == []


@pytest.mark.slow
def test_a_text_begins_with_the_pattern_in_each_alternative(spark: SparkSession) -> None:
    class Pets(Contract, name="a.b", version="1.0.0", owner="team:x"):
        """One."""

        pet: str = column(str_matches="cat|dog")

    (check,) = model_of(Pets).checks
    frame = spark.createDataFrame(
        [("cat",), ("dog",), ("dogma",), ("hotdog",), ("",)], "pet string"
    )
    kept = [row.pet for row in frame.where(check.sql).collect()]
    assert kept == ["cat", "dog", "dogma"]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "not a regular expression"),
        ("(a)?(?(1)b|c)", "write both cases as alternatives"),
        (r"(a)(?<=\1)b", "does not look behind"),
        (r"\Ba", "in an empty text"),
        ("[[:alpha:]]", "nested set"),
        ("[a&&[b]]", "set"),
        ("(?u)é", "incompatible"),
        ("(?u:é)", "letters and digits are ASCII"),
        ("a{4294967290}", "at most"),
        ("\ud800", "surrogate"),
        (b"a", "a pattern is text"),
    ],
)
def test_what_java_says_otherwise_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(UnportablePatternError, match=re.escape(why)):
        java_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "anywhere"),
    [
        *(("a.b", False), ("[a-z0-9_]+", False), (r"\Aa", False), (r"(?:\d\d)+x", False)),
        *(
            ("[^a]", True),
            ("a*b", True),
            ("a|^", True),
            (r"\W", True),
            ("[a-\U0010ffff]", True),
            ("(?=a)", True),
            ("", True),
        ),
    ],
)
def test_only_what_could_be_found_within_a_letter_is_kept_from_it(
    pattern: str,
    anywhere: bool,  # noqa: FBT001
) -> None:
    assert java_pattern(pattern).startswith("(?![") is anywhere


def test_the_flags_of_a_compiled_pattern_hold() -> None:
    assert java_pattern(re.compile("a.b", re.IGNORECASE | re.DOTALL)) == r"(?i:a[\s\S]b)"
