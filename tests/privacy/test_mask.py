"""Masked frames: tokens equal to HMAC, nothing lost, nothing of the input left."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.errors import PySparkException

from penstock.errors import DefinitionError
from penstock.privacy import (
    Drop,
    Generalise,
    Keep,
    MaskingPolicy,
    Null,
    Redact,
    Token,
    mask,
    pads_file,
    read_pads,
    token,
)
from penstock.resources.secrets import FileSecrets, Key

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.slow(seconds=8)

# Spark's strings are UTF-8: a lone surrogate has no such form and cannot reach it.
TEXT = st.text(st.characters(codec="utf-8"), max_size=200)
EMAIL = MaskingPolicy.of({"email": Token("email")})


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> FileSecrets:
    return FileSecrets(tmp_path_factory.mktemp("masking") / "secrets")


@pytest.fixture(scope="module")
def key(secrets: FileSecrets) -> Key:
    return secrets.key("masking")


@pytest.fixture(scope="module")
def pads(spark: SparkSession, secrets: FileSecrets) -> DataFrame:
    return read_pads(spark, pads_file(secrets, "masking"))


@given(values=st.lists(st.none() | TEXT, min_size=1, max_size=40))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_token_is_the_hmac_of_domain_and_value(
    spark: SparkSession, pads: DataFrame, key: Key, values: list[str | None]
) -> None:
    rows = list(enumerate(values))
    frame = spark.createDataFrame(rows, "n int, email string")
    found = dict(tuple(row) for row in mask(frame, EMAIL, pads).collect())
    assert len(found) == len(values)
    for n, value in rows:
        if value is None:
            assert found[n] is None
        else:
            digest = hmac.new(key.reveal(), b"email\0" + value.encode(), hashlib.sha256)
            assert found[n] == f"k1.{digest.hexdigest()}" == token(key, "email", value)
            assert found[n] != value


def test_the_same_text_gives_other_tokens_in_another_domain(
    spark: SparkSession, pads: DataFrame
) -> None:
    frame = spark.createDataFrame([("x",)], "email string").selectExpr("email", "email passport")
    policy = MaskingPolicy.of({"email": Token("email"), "passport": Token("passport")})
    row = mask(frame, policy, pads).first()
    assert row is not None
    assert row.email != row.passport


def test_an_epoch_shows_in_the_token(spark: SparkSession, tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secrets")
    frame = spark.createDataFrame([("x",)], "email string")
    old = mask(frame, EMAIL, read_pads(spark, pads_file(secrets, "masking"))).first()
    secrets.rotate("masking")
    new = mask(frame, EMAIL, read_pads(spark, pads_file(secrets, "masking"))).first()
    again = mask(frame, EMAIL, read_pads(spark, pads_file(secrets, "masking", epoch=1))).first()
    assert old
    assert new
    assert old == again
    assert old.email.startswith("k1.")
    assert new.email.startswith("k2.")
    assert old.email[3:] != new.email[3:]


def test_every_method_at_once(spark: SparkSession, pads: DataFrame, key: Key) -> None:
    born = dt.date(1987, 1, 1)
    frame = spark.createDataFrame(
        [(1, "Ada Byron", "a@b.c", born, born, "Ada Byron called", "here", None)],
        "id bigint, name string, email string, born date, old date, remark string, `a.b` string,"
        " age int",
    )
    policy = MaskingPolicy.of(
        {
            "id": Token("booking"),
            "name": Drop(),
            "email": Null(),
            "born": Generalise("year"),
            "old": Generalise("decade"),
            "remark": Redact(known=("name",)),
            "a.b": Keep(reason="a place, not a person"),
        }
    )
    masked = mask(frame, policy, pads)
    assert masked.dtypes == [
        ("id", "string"),
        ("email", "string"),
        ("born", "int"),
        ("old", "int"),
        ("remark", "string"),
        ("a.b", "string"),
        ("age", "int"),
    ]
    assert [tuple(row) for row in masked.collect()] == [
        (token(key, "booking", "1"), None, 1987, 1980, "[name] called", "here", None)
    ]


def test_a_join_on_tokens_finds_what_a_join_on_values_finds(
    spark: SparkSession, pads: DataFrame
) -> None:
    left = spark.range(20).selectExpr("cast(id % 7 as string) email")
    right = spark.range(5).selectExpr("cast(id as string) email", "id")
    plain = left.join(right, "email").count()
    assert mask(left, EMAIL, pads).join(mask(right, EMAIL, pads), "email").count() == plain


@pytest.mark.parametrize("content", [b"", b"k1", b"k1 00", b"k1 zz zz"])
def test_a_damaged_pads_file_fails_the_job_instead_of_giving_null(
    spark: SparkSession, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "damaged.pads"
    path.write_bytes(content)
    frame = spark.createDataFrame([("x",)], "email string")
    with pytest.raises(PySparkException, match="pads file of the masking key"):
        mask(frame, EMAIL, read_pads(spark, path)).collect()


def test_masking_reads_its_source_once_and_the_pads_once(
    spark: SparkSession, pads: DataFrame
) -> None:
    frame = spark.range(10).selectExpr("cast(id as string) email", "cast(id as string) passport")
    policy = MaskingPolicy.of({"email": Token("email"), "passport": Token("passport")})
    plan = mask(frame, policy, pads)._jdf.queryExecution().executedPlan().toString()
    assert plan.count("FileScan text") == 1
    assert plan.count("Range (0, 10") == 1


def test_tokens_without_pads_are_refused(spark: SparkSession) -> None:
    with pytest.raises(DefinitionError, match="need the key's pads"):
        mask(spark.createDataFrame([("x",)], "email string"), EMAIL)


@pytest.mark.parametrize(
    ("method", "kind", "expected"),
    [
        (Token("x"), "timestamp", "text, whole number, date or boolean"),
        (Token("x"), "double", "text, whole number, date or boolean"),
        (Token("x"), "array<string>", "text, whole number, date or boolean"),
        (Redact(), "int", "string"),
        (Generalise(), "string", "date or timestamp"),
    ],
)
def test_a_type_the_method_cannot_take_is_refused(
    spark: SparkSession,
    pads: DataFrame,
    method: Token | Redact | Generalise,
    kind: str,
    expected: str,
) -> None:
    frame = spark.createDataFrame([], f"value {kind}")
    with pytest.raises(DefinitionError) as caught:
        mask(frame, MaskingPolicy.of({"value": method}), pads)
    assert (caught.value.where, caught.value.expected) == ("value", expected)


def test_a_column_that_is_not_there_is_refused(spark: SparkSession, pads: DataFrame) -> None:
    frame = spark.createDataFrame([], "a string")
    for policy in ({"email": Null()}, {"a": Redact(known=("name",))}):
        with pytest.raises(DefinitionError, match="names a column that is not there"):
            mask(frame, MaskingPolicy.of(policy), pads)
