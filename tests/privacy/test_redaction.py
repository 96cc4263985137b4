"""Free text keeps its sense and loses what looks personal."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.privacy import MaskingPolicy, Redact, mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow(seconds=8)

CASES = {
    "plain words, seat 12A, flight UA1545, tail N14228, ref ABC123": None,
    "paid 129.90 for gate 7 at 10:45": None,
    "write to maria.silva+news@mail.example.co.uk today": "write to [email] today",
    "<MARIA@EXAMPLE.COM>": "<[email]>",
    "josé@exämple.de": "[email]",
    "joe (at) example (dot) com": "[email]",
    "call +49 (151) 234-5678 now": "call [phone] now",
    "call 555-0123 x12 or 001-202-555-0175x4411": "call [phone] or [phone]",
    "call (202) 555-0175": "call [phone]",
    "tel. 202.555.0175.": "tel. [phone].",
    "born 1980-05-01, or 1.5.1980, or 05/01/80": "born [date], or [date], or [date]",
    "IBAN DE89 3704 0044 0532 0130 00 please": "IBAN [iban] please",
    "iban gb29nwbk60161331926819": "iban [iban]",
    "card 4111 1111 1111 1111 exp 12/28": "card [card] exp 12/28",
    "passport C01X00T47, AB1234567, x12345678": "passport [passport], [passport], [passport]",
    "number 123456": "number [number]",
    "\u0661\u0662\u0663\u0664\u0665\u0666": "[number]",
    "\u751f\u4e8e1980-05-01\u3002": "\u751f\u4e8e[date]\u3002",
    "\u5361\u53f74111 1111 1111 1111\u7684": "\u5361\u53f7[card]\u7684",
    "\u62a4\u7167AB1234567\u53f7": "\u62a4\u7167[passport]\u53f7",
    "": None,
}


def redact(spark: SparkSession, rows: Sequence[tuple[str | None, ...]]) -> list[str | None]:
    frame = spark.createDataFrame(
        [(n, *row) for n, row in enumerate(rows)], "n int, remark string, name string, mail string"
    )
    policy = MaskingPolicy.of({"remark": Redact(known=("name", "mail"))})
    return [row.remark for row in mask(frame, policy).orderBy("n").collect()]


def test_shapes_are_found_and_other_text_is_left(spark: SparkSession) -> None:
    found = redact(spark, [(text, None, None) for text in CASES])
    changed = dict(zip(CASES, found, strict=True))
    assert changed == {text: text if e is None else e for text, e in CASES.items()}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Mrs Silva, MARIA SILVA, maria", "Maria Silva", "Mrs [name], [name], [name]"),
        ("Silvan stays, Silvas and MARIAS go", "Maria Silva", "Silvan stays, [name] and [name] go"),
        ("M\u00fcllers Koffer, M\u00fcllerin", "M\u00fcller", "[name] Koffer, M\u00fcllerin"),
        ("Frau Schmidt", "Anna-Maria Schmidt-Berg", "Frau [name]"),
        ("Anna Berg, Anna-Maria", "Anna-Maria Schmidt\u2010Berg", "[name] [name], [name]"),
        ("gate 151, 05 of 12", "+49-151-1980-05", "gate 151, 05 of 12"),
        (
            "\u738b\u5c0f\u660e\u5148\u751f\u6765\u4e86",
            "\u738b\u5c0f\u660e",
            "[name]\u5148\u751f\u6765\u4e86",
        ),
        (
            "\u7530\u4e2d\u30de\u30ea\u30fc\u3055\u3093\u306b",
            "\u30de\u30ea\u30fc \u7530\u4e2d",
            "[name][name]\u3055\u3093\u306b",
        ),
        (
            "\u0e04\u0e38\u0e13\u0e2a\u0e21\u0e0a\u0e32\u0e22\u0e21\u0e32",
            "\u0e2a\u0e21\u0e0a\u0e32\u0e22",
            "\u0e04\u0e38\u0e13[name]\u0e21\u0e32",
        ),
        (
            "\uae40\ucca0\uc218\ub294 \uc654\ub2e4",
            "\uae40\ucca0\uc218",
            "[name]\ub294 \uc654\ub2e4",
        ),
        ("\u4e0eMaria\u8054\u7cfb, Mariano", "Maria", "\u4e0e[name]\u8054\u7cfb, Mariano"),
        ("ÉMILE zola", "Émile Zola", "[name]"),
        ("a (b+ c", "(b+", "a [name] c"),
        ("a.c abc", "a.c", "[name] abc"),
        (r"x \E.* y", r"\E.*", "x [name] y"),
        (r"keep $1 \Q all", "$1", r"keep [name] \Q all"),
        ("J is a letter", "J Doe", "J is a letter"),
        ("unknown", "", "unknown"),
        ("unknown", "  ", "unknown"),
        ("unknown", None, "unknown"),
        (None, "Maria", None),
        ("ask silva@silva.com", "Maria Silva", "ask [email]"),
        ("Maria@x.com", "Maria", "[email]"),
        ("ask Jose\u0301 L\u00f3pez", "Jos\u00e9 Lo\u0301pez", "ask [name]"),
        ("ask Lo\u0301pez", "Jos\u00e9 L\u00f3pez", "ask [name]"),
        ("ask Jose and Josep", "Jos\u00e9", "ask Jose and Josep"),
        ("\u0419\u043e\u0437\u0435\u0444", "\u0418\u0306\u043e\u0437\u0435\u0444", "[name]"),
        ("Nguye\u0302\u0303n", "Nguy\u1ec5n", "[name]"),
        ("O\u2019Brien, o\u02bcbrien", "Pat O'Brien", "[name], [name]"),
        ("O'Brien", "O\u2019Brien", "[name]"),
        ("a \U00011c920 b", "\U00011c920", "a [name] b"),  # begins with a mark
        ("a o\u0301\u0301\\Q\u0301 b", "o\u0301\u0301\\Q\u0301", "a [name] b"),
        ("Sil\u00adva and Ma\u200bria", "Maria Sil\u00adva", "[name] and [name]"),
    ],
)
def test_known_values_are_taken_literally(
    spark: SparkSession, text: str | None, name: str | None, expected: str | None
) -> None:
    assert redact(spark, [(text, name, None)]) == [expected]


@given(name=st.text(st.sampled_from("ae\u00e9\u00f1\u1ec5\u0419\u03aeo'"), min_size=2, max_size=9))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_name_is_found_however_it_is_composed(spark: SparkSession, name: str) -> None:
    forms = [normalize(form, name) for form in ("NFC", "NFD")]
    pairs = [(f"~ {a} ~", b, None) for a in (*forms, "\u00ad".join(forms[0])) for b in forms]
    assert set(redact(spark, pairs)) == {"~ [name] ~"}


@given(
    names=st.lists(
        st.text(
            st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=2, max_size=9
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_name_reads_as_a_pattern(spark: SparkSession, names: list[str]) -> None:
    found = redact(spark, [(f"~ {name} ~", name, None) for name in names])
    assert set(found) == {"~ [name] ~"}


def test_long_text_is_redacted_in_linear_time(spark: SparkSession) -> None:
    long = ["a" * 200_000, "1 " * 100_000, "a@" * 100_000, "A1" * 100_000, "(" * 200_000]
    found = redact(spark, [(text, "Maria Silva", None) for text in long])
    assert found[0] == long[0]
    assert found[3] == long[3]


def test_several_known_columns_do_not_swell_the_plan(spark: SparkSession) -> None:
    def length(known: int) -> int:
        columns = [f"c{n}" for n in range(known)]
        frame = spark.createDataFrame([], ", ".join(f"{name} string" for name in ["t", *columns]))
        plan = mask(frame, MaskingPolicy.of({"t": Redact(known=tuple(columns))}))
        return len(plan._jdf.queryExecution().analyzed().toString())

    # each adds its own; one that named the text twice would double the plan
    assert length(8) < 2 * length(4)
