"""Every error condition of Spark and Delta: what it quotes never decides what it is told as."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.errors.exceptions import connect

from penstock.assets.fault import translated
from penstock.errors import PenstockError
from penstock.resources.home import home

# what the storage, a lost cluster and other writers say, quoted where a path, a plan or a row is
QUOTED = (
    "/lake/_delta_log/0.json No space left on device Permission denied status code: 403 "
    "ConcurrentAppendException FileNotFoundException Connection refused NoSuchKey "
    "org.apache.kafka.common.errors.TopicAuthorizationException KAFKA_DATA_LOSS "
    "TimeoutException: Cannot fetch record PSQLException "
    "SQLSTATE: 22003 DELTA_MISSING_CHANGE_DATA DELTA_LOG_FILE_NOT_FOUND PythonException"
)


def conditions() -> dict[str, str | None]:
    """Every condition, those below another included, and its SQLSTATE."""
    jars = Path(pyspark.__file__).parent / "jars"
    files = [
        (next(jars.glob("spark-common-utils_2*.jar")), "error/error-conditions.json"),
        (
            next((home() / "jars").glob("io.delta_delta-spark_*.jar")),
            "error/delta-error-classes.json",
        ),
    ]
    found: dict[str, str | None] = {}
    for jar, name in files:
        with zipfile.ZipFile(jar) as archive:
            for condition, facts in json.loads(archive.read(name)).items():
                found[condition] = facts.get("sqlState")
                for below in facts.get("subClass", {}):
                    found[f"{condition}.{below}"] = facts.get("sqlState")
    return found


def raised(kind: type[Any], condition: str, state: str | None, words: str) -> Exception:
    """As a Connect client raises it."""
    error: Exception = kind(
        message=f"[{condition}] {words} SQLSTATE: {state}",
        errorClass=condition,
        messageParameters={"path": words, "expr": words},
        sql_state=state,
    )
    return error


def told(error: Exception) -> tuple[type[Exception], str, str | None]:
    found = translated(error, "silver.orders")
    assert isinstance(found, PenstockError)
    return type(found), found.what, found.found


@pytest.mark.parametrize(
    "kind", [connect.AnalysisException, connect.SparkException], ids=["analysis", "at work"]
)
def test_what_a_condition_quotes_does_not_decide(kind: type[Any]) -> None:
    known = conditions()
    assert len(known) > 2000
    wrong = [
        condition
        for condition, state in known.items()
        if told(raised(kind, condition, state, "x")) != told(raised(kind, condition, state, QUOTED))
    ]
    assert wrong == []


def test_a_condition_is_told_as_what_it_is() -> None:
    known = conditions()
    kinds: dict[str, set[str]] = {}
    for condition, state in known.items():
        _, what, _ = told(raised(connect.SparkException, condition, state, "x"))
        kinds.setdefault(what, set()).add(condition)
    damaged = kinds["the table's log cannot be read"]
    assert {"DELTA_LOG_FILE_NOT_FOUND", "DELTA_TRUNCATED_TRANSACTION_LOG"} <= damaged
    assert not [name for name in damaged if re.search(r"COLUMN|MERGE|FEED", name)]
    conflicts = kinds["another writer changed the table at the same time"]
    assert {"DELTA_CONCURRENT_APPEND", "DELTA_METADATA_CHANGED"} <= conflicts
    without = kinds["the session has no client for Avro or Kafka"]
    assert without == {"_LEGACY_ERROR_TEMP_1139", "_LEGACY_ERROR_TEMP_1140"}
    assert {"CAST_INVALID_INPUT", "DIVIDE_BY_ZERO"} <= kinds["the function fails on a row"]


@pytest.mark.parametrize(
    ("cause", "what"),
    [
        ("java.io.IOException: No space left on device", "the disk is full"),
        ("java.nio.file.AccessDeniedException: /x: Permission denied", "permission denied by the"),
        ("java.io.FileNotFoundException: /lake/a.parquet", "a file that the table's log or"),
        (
            "org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized",
            "the Kafka cluster refuses to give records of a topic to the user",
        ),
        (
            "java.util.concurrent.TimeoutException: Cannot fetch record for offset 7 in 120000 ms",
            "records of a topic that is read could not be fetched",
        ),
        (
            "org.apache.kafka.common.errors.DisconnectException",
            "records of a topic that is read could not be fetched",
        ),
    ],
)
def test_what_lies_below_a_condition_is_found_over_connect(cause: str, what: str) -> None:
    error = connect.SparkException(
        message="[TASK_WRITE_FAILED] Task failed while writing rows to x.",
        errorClass="TASK_WRITE_FAILED",
        messageParameters={"path": "x"},
        sql_state="58030",
        server_stacktrace=f"org.apache.spark.SparkException: x\n\tat a.b(C.scala:1)\n"
        f"Caused by: {cause}\n\tat a.b(C.scala:1)",
    )
    assert told(error)[1].startswith(what)
