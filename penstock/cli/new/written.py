"""A contract and a dataset as Python, made of a sample."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from penstock.schemas.column_type import comparable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyspark.sql.types as T

    from penstock.cli.new.sample import Sample

__all__ = ["class_name", "contract_text", "dataset_text"]

_WIDE = 96
_WORDS = {
    "string": "str",
    "bigint": "int",
    "double": "float",
    "boolean": "bool",
    "binary": "bytes",
    "date": "dt.date",
    "timestamp": "dt.datetime",
}


def class_name(name: str) -> str:
    """`daily_sales` as the name of a class: `DailySales`."""
    return "".join(part.capitalize() for part in name.split("_"))


def contract_text(sample: Sample, dataset: str, owner: str) -> str:
    """The module of the contract `dataset`; each guess has its reason above it."""
    words = [_annotation(column.kind) for column in sample.columns]
    # by another name: a column may be called date
    dates = ["import datetime as dt", ""] if any(word.startswith("dt.") for word in words) else []
    decimals = ["Decimal"] if any(word.startswith("Decimal(") for word in words) else []
    lines = [
        f'"""{sample.file} as it arrives: guessed from {sample.rows:,} rows, to be looked at."""',
        "",
        *dates,
        *(["import pyspark.sql.types as T", ""] if any("T." in word for word in words) else []),
        f"from penstock import {', '.join(['Contract', *decimals, 'column'])}",
        "",
        "",
        f"class {class_name(dataset.rpartition('.')[2])}(",
        f'    Contract, name="{dataset}", version="0.1.0", owner="{owner}"',
        "):",
        f'    """One row of {sample.file}."""',
        "",
    ]
    for remark in sample.remarks:
        lines += _comment(remark)
    for column, word in zip(sample.columns, words, strict=True):
        lines += _comment("; ".join(column.reasons))
        said = [
            *(["key=True"] if column.key else []),
            *(["nullable=True"] if column.nullable else []),
        ]
        lines.append(f"    {column.name}: {word} = column({', '.join(said)})")
    return "\n".join(lines) + "\n"


def dataset_text(sample: Sample, dataset: str, pattern: str) -> str:
    """The module of the dataset that takes such files from landing as `pattern`."""
    name = dataset.rpartition(".")[2]
    contract = class_name(name)
    options = [f'"{pattern}"']
    formats = []
    if sample.written:
        options.append(f"format={sample.written}")
        formats = [sample.written.partition("(")[0]]
    if sample.nulls:
        options.append(f"null_value={[*sample.nulls]!r}")
    renamed = {c.sent: c.name for c in sample.columns if c.sent != c.name}
    options += [f"names={renamed!r}"] if renamed else []
    patterns = {c.name: c.pattern for c in sample.columns if c.pattern}
    options += [f"date_formats={patterns!r}"] if patterns else []
    keyed = any(column.key for column in sample.columns)
    # what cannot be compared cannot be said to have changed
    mode = "Merge" if keyed and all(comparable(c.kind) for c in sample.columns) else "Append"
    return "\n".join(
        [
            f'"""Files like {sample.file}, from landing."""',
            "",
            "from pyspark.sql import DataFrame",
            "",
            f"from penstock import {', '.join(sorted({*formats, mode, 'dataset', 'landing'}))}",
            f"from schemas.{name} import {contract}",
            "",
            "ARRIVED = landing(",
            *(f"    {option}," for option in options),
            ")",
            "",
            "",
            *_comment(_why(mode), ""),
            f'@dataset({contract}, inputs={{"arrived": ARRIVED}}, write={mode}())',
            f"def {name}(arrived: DataFrame) -> DataFrame:",
            "    return arrived",
            "",
        ]
    )


def _why(mode: str) -> str:
    if mode == "Merge":
        return (
            "the newest file that has a key says what its row is; Overwrite() has all files count"
        )
    return "each file is added once"


def _comment(text: str, indent: str = "    ") -> Iterator[str]:
    yield from (f"{indent}# {line}" for line in wrap(text, _WIDE - len(indent)))


def _annotation(kind: T.DataType) -> str:
    """The type as a contract has it."""
    plain = kind.simpleString()
    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", plain):
        return f"Decimal({found[1]}, {found[2]})"
    return _WORDS.get(plain) or re.sub(r"\b([A-Z]\w+)\(", r"T.\1(", repr(kind))
