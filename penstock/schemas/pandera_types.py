"""Spark types that pandera does not know: structs and variants, told to its engine.

Importing this is enough. Penstock compiles checks itself, so pandera has only to take the types.
"""

from __future__ import annotations

from typing import Self

import pyspark.sql.types as T
from pandera.dtypes import immutable
from pandera.engines import pyspark_engine

__all__: list[str] = []


@pyspark_engine.Engine.register_dtype(equivalents=[T.StructType])
@immutable(init=True)
class _Struct(pyspark_engine.DataType):
    def __init__(self, kind: T.StructType | None = None) -> None:
        object.__setattr__(self, "type", kind or T.StructType())

    @classmethod
    def from_parametrized_dtype(cls, kind: T.StructType) -> Self:
        """The type of these very fields."""
        return cls(kind)


@pyspark_engine.Engine.register_dtype(equivalents=[T.VariantType, T.VariantType()])
@immutable(init=True)
class _Variant(pyspark_engine.DataType):
    def __init__(self) -> None:
        object.__setattr__(self, "type", T.VariantType())
