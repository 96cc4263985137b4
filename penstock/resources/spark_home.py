"""Where the installed pyspark is, found without importing it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from penstock.errors import SetupError

__all__ = ["spark_home", "spark_jars"]


def spark_home() -> Path:
    """The folder of the pyspark package, which is a whole Spark. SetupError if it is absent."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SetupError("pyspark is not installed", next_step="make clean setup")
    return Path(spec.origin).parent


def spark_jars() -> Path:
    """The folder of the jars that Spark ships."""
    return spark_home() / "jars"
