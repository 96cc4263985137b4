"""Neither the key nor a masked value is in anything that Spark or Delta writes down."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock.privacy import token
from penstock.resources.secrets import FileSecrets
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JOB = Path(__file__).with_name("masking_job.py")
EMAIL = "canary.7f3a@leak.example"
PASSPORT = "XC7319508"
ROW = (EMAIL, PASSPORT, f"wrote from {EMAIL.upper()}, passport {PASSPORT}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one masking job left behind."""

    folder: Path
    output: bytes

    def files(self, name: str) -> dict[str, bytes]:
        """Every file under the folder `name`, hidden ones too."""
        return {str(p): p.read_bytes() for p in (self.folder / name).rglob("*") if p.is_file()}

    def everything(self) -> dict[str, bytes]:
        """Output, event log, and the masked table with its log."""
        return {"output": self.output} | self.files("events") | self.files("target")


def forms(secret: bytes) -> list[bytes]:
    """The ways in which bytes get into text: raw, hex, base64, lists of numbers."""
    signed = [byte - 256 if byte > 127 else byte for byte in secret]
    lists = [sep.join(map(str, n[:8])) for n in (list(secret), signed) for sep in (",", ", ", " ")]
    # two bytes short, so that what follows the secret cannot change the last digits
    encoded = [base64.b64encode(secret[:30]), base64.urlsafe_b64encode(secret[:30])]
    return [
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        repr(secret)[2:-1].encode(),
        *encoded,
        *(text.encode() for text in lists),
    ]


def found(trace: Trace) -> set[str]:
    """Names of the files that hold the key or a pad, in any form."""
    key = FileSecrets(trace.folder / "secrets").key("masking").reveal()
    secrets = (key, bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key))
    needles = [form for secret in secrets for form in forms(secret)]
    return {
        name
        for name, content in trace.everything().items()
        if any(needle in content for needle in needles)
    }


def run(spark: SparkSession, carrier: str, folder: Path) -> Trace:
    frame = spark.createDataFrame([ROW], "email string, passport string, remark string")
    frame.write.format("delta").save(f"{folder}/source")
    # the job starts a driver of its own, whatever this process's driver left in the environment
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("SPARK_", "PYSPARK_"))}
    checkout = str(Path(penstock.__file__).parents[1])
    environment = inherited | {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": checkout}
    job = subprocess.run(
        [sys.executable, str(JOB), carrier, str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert job.returncode == 0, job.stdout[-4000:].decode(errors="replace")
    return Trace(folder=folder, output=job.stdout)


@pytest.fixture(scope="module")
def classic(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return run(spark, "classic", tmp_path_factory.mktemp("classic"))


@pytest.fixture(scope="module")
def connect(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return run(spark, "connect", tmp_path_factory.mktemp("connect"))


@pytest.fixture(scope="module", params=["classic", "connect"])
def trace(request: pytest.FixtureRequest) -> Trace:
    made: Trace = request.getfixturevalue(request.param)
    return made


def test_the_trace_is_not_empty(trace: Trace) -> None:
    assert b"sha2" in trace.output
    assert b"Generated code" in trace.output
    assert any(b"SparkListenerSQLExecutionStart" in text for text in trace.files("events").values())
    assert any(name.endswith("1.json") for name in trace.files("target/_delta_log"))


def test_the_key_is_nowhere(trace: Trace) -> None:
    assert not found(trace)


def test_no_masked_value_is_in_the_table_its_log_or_the_events(trace: Trace) -> None:
    written = trace.everything()
    for canary in (EMAIL, EMAIL.upper(), PASSPORT):
        assert not [name for name, content in written.items() if canary.encode() in content]


def test_both_carriers_give_the_same_masked_row(spark: SparkSession, trace: Trace) -> None:
    key = FileSecrets(trace.folder / "secrets").key("masking")
    rows = spark.read.format("delta").load(f"{trace.folder}/target").collect()
    assert [tuple(row) for row in rows] == [
        (
            token(key, "email", EMAIL),
            token(key, "passport", PASSPORT),
            "wrote from [email], passport [passport]",
        )
    ]


def test_the_search_finds_a_key_that_is_there(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    leaked = found(run(spark, "literal", tmp_path_factory.mktemp("literal")))
    assert "output" in leaked
    assert any("events" in name for name in leaked)
