"""The key as Spark reads it: one row in a private file, so that no plan ever holds it.

HMAC (RFC 2104) needs the key only as two pads, key xor 0x36.. and key xor 0x5c... As literals or
session variables they would be printed in every plan, and the pads *are* the key; read from a
file they are data, and a plan shows only the file's path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock.resources.secrets import Key, Secrets

__all__ = ["PADS_SUFFIX", "empty_pads", "pads_file", "read_pads"]

PADS_SUFFIX = ".pads"
_BLOCK_BYTES = 64  # SHA-256's


def pads_file(secrets: Secrets, name: str, *, epoch: int | None = None) -> Path:
    """The path of the pads of the key `name`, written (mode 600) when they are not there yet.

    The file must be readable by the Spark server too: same machine or shared disk, same user.
    Raises SecretError.
    """
    key = secrets.key(name, epoch=epoch)
    return secrets.sealed(f"{name}.{key.id}{PADS_SUFFIX}", _content(key))


def read_pads(spark: SparkSession, path: Path | str) -> DataFrame:
    """One row `key_id string, ipad binary, opad binary`, read by Spark when the plan runs."""
    where = str(path) if "://" in str(path) else f"file://{path}"
    field = F.split(F.trim(F.col("value")), " ")
    return (
        # wholetext gives one row for a file whatever is in it, so masking cannot multiply rows
        spark.read.text(where, wholetext=True).select(
            # get() gives NULL where the file is cut short, which masking refuses
            F.get(field, F.lit(0)).alias("key_id"),
            F.unhex(F.get(field, F.lit(1))).alias("ipad"),
            F.unhex(F.get(field, F.lit(2))).alias("opad"),
        )
    )


def empty_pads(spark: SparkSession) -> DataFrame:
    """The same columns and no key: enough for a plan that is looked at and never run."""
    return spark.createDataFrame([], "key_id string, ipad binary, opad binary")


def _content(key: Key) -> bytes:
    block = key.reveal().ljust(_BLOCK_BYTES, b"\0")
    inner = bytes(byte ^ 0x36 for byte in block)
    outer = bytes(byte ^ 0x5C for byte in block)
    return f"{key.id} {inner.hex()} {outer.hex()}".encode()
