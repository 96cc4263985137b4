"""Neither the key nor a masked value is in anything that Spark or Delta writes down."""

from __future__ import annotations

import base64
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from penstock.privacy import token
from penstock.resources.secrets import FileSecrets
from tests.forked import forked
from tests.privacy.masking_job import WRONGLY, work

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

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


def run(
    spark: SparkSession, carrier: str, folder: Path, wrongly: Path | None = None
) -> list[Trace]:
    """The traces of the job in these folders, one after the other in one JVM."""
    folders = [each for each in (folder, wrongly) if each]
    frame = spark.createDataFrame([ROW], "email string, passport string, remark string")
    for each in folders:
        frame.write.format("delta").save(f"{each}/source")
    # the job starts a driver of its own, whatever this process's driver left in the environment
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("SPARK_", "PYSPARK_"))}
    environment = inherited | {"PYSPARK_PYTHON": sys.executable}
    output = folder / "output"
    with forked(output, work, carrier, folder, wrongly, env=environment) as job:
        assert job.wait() == 0, output.read_text(errors="replace")[-4000:]
    parts = output.read_bytes().split(f"\n{WRONGLY}\n".encode())
    return [Trace(folder=f, output=told) for f, told in zip(folders, parts, strict=True)]


@pytest.fixture(scope="module")
def both_ways(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> list[Trace]:
    """A classic job that masks as it should, and then as it must not."""
    folders = (tmp_path_factory.mktemp(name) for name in ("classic", "literal"))
    return run(spark, "classic", *folders)


@pytest.fixture(scope="module")
def classic(both_ways: list[Trace]) -> Trace:
    return both_ways[0]


@pytest.fixture(scope="module")
def connect(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    (trace,) = run(spark, "connect", tmp_path_factory.mktemp("connect"))
    return trace


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


def test_the_search_finds_a_key_that_is_there(both_ways: list[Trace]) -> None:
    leaked = found(both_ways[1])
    assert "output" in leaked
    assert any("events" in name for name in leaked)
