"""A Spark type's simple string, taken apart one level for the OpenLineage schema facet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["field_parts"]


def field_parts(spark_type: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The type's own name and the parts inside it as (name, type).

    An array's part is `_element`, a map's `key` and `value`: the names OpenLineage's Spark
    integration gives them.

    >>> field_parts("struct<a:int,b:array<string>>")
    ('struct', (('a', 'int'), ('b', 'array<string>')))
    >>> field_parts("decimal(10,2)")
    ('decimal(10,2)', ())
    """
    label, bracket, inner = spark_type.partition("<")
    if not bracket:
        return spark_type, ()
    inside = inner.removesuffix(">")
    parts = tuple(_split(inside, ",")) if inside else ()
    match label:
        case "struct":
            named = (tuple(_split(part, ":", most=1)) for part in parts)
            return label, tuple((name.strip("`"), kind) for name, kind in named)
        case "array":
            return label, (("_element", parts[0]),)
        case "map":
            return label, (("key", parts[0]), ("value", parts[1]))
        case _:
            return spark_type, ()


def _split(text: str, separator: str, *, most: int = -1) -> Iterator[str]:
    depth, start, quoted = 0, 0, False
    for position, letter in enumerate(text):
        if letter == "`":
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "<(":
            depth += 1
        elif letter in ">)":
            depth -= 1
        elif letter == separator and depth == 0 and most != 0:
            yield text[start:position].strip()
            start, most = position + 1, most - 1
    yield text[start:].strip()
