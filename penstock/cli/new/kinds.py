"""Which type the values of a column of a sample may have, and why; the names of columns."""

from __future__ import annotations

import keyword
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from penstock.assets.landing.cell import grammar
from penstock.schemas.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyspark.sql.types as T

__all__ = ["column_names", "kind_of_json", "kind_of_texts"]

_NULLS = ("NA", "N/A", "n/a", "NULL", "null", "None", "\\N", "-", "?")
# Spark's pattern -> Python's
_DATES = {
    "dd.MM.yyyy": "%d.%m.%Y",
    "dd/MM/yyyy": "%d/%m/%Y",
    "MM/dd/yyyy": "%m/%d/%Y",
    "dd-MM-yyyy": "%d-%m-%Y",
    "yyyy/MM/dd": "%Y/%m/%d",
}
_WORDS = ("dt", "T", "Contract", "Decimal", "column", "int", "str", "float", "bool", "bytes")
_MOST_DIGITS, _SPARE_DIGITS, _FEW_DIGITS = 38, 3, 10


def kind_of_texts(
    cells: Sequence[str | None],
) -> tuple[T.DataType, str | None, str, set[str]]:
    """(type, pattern of dates, reason, texts that stand for NULL) of cells of text."""
    import pyspark.sql.types as T

    found = {cell for cell in cells if cell is not None}
    kind, pattern, reason = _kind(found)
    marks = found & {*_NULLS}
    if isinstance(kind, T.StringType) and marks and found - marks:
        kind, pattern, reason = _kind(found - marks)
        if not isinstance(kind, T.StringType):
            return kind, pattern, f"{reason}, but for {', '.join(sorted(marks))}", marks
    return kind, pattern, reason, set()


def _kind(texts: set[str]) -> tuple[T.DataType, str | None, str]:
    """(type, pattern of dates, reason) of these texts, by the grammar that cells are read by."""
    import pyspark.sql.types as T

    def all_are(kind: str) -> bool:
        return all(re.fullmatch(grammar(kind) or "", text) for text in texts)

    if not texts:
        return T.StringType(), None, "empty in all rows: any type"
    if any(re.fullmatch(r"[-+]?0\d+", text) for text in texts):
        return T.StringType(), None, "leading zeros, which a number would lose"
    if all_are("bigint"):
        if all(-(2**63) <= int(text) < 2**63 for text in texts):
            return T.LongType(), None, "whole numbers"
        return T.StringType(), None, "digits that fit no number"
    if all_are(f"decimal({_MOST_DIGITS},{_MOST_DIGITS})"):
        return _decimal(map(Decimal, texts))
    if all_are("double"):
        return T.DoubleType(), None, "numbers with an exponent, or NaN"
    if {text.lower() for text in texts} <= {"true", "false", "yes", "no", "t", "f", "y", "n"}:
        return T.BooleanType(), None, f"only {', '.join(sorted(texts)[:4])}"
    if all_are("date"):
        return T.DateType(), None, "dates"
    if all_are("timestamp"):
        return T.TimestampType(), None, "datetimes; without a zone they are UTC"
    fits = [p for p, way in _DATES.items() if all(_is_written(text, way) for text in texts)]
    if len(fits) > 1:
        return T.StringType(), None, f"{' or '.join(fits)}: no day of the sample tells which"
    if fits:
        return T.DateType(), fits[0], f"dates as {fits[0]}"
    return T.StringType(), None, f"text, at most {max(map(len, texts))} letters"


def _decimal(numbers: Any) -> tuple[T.DataType, None, str]:
    import pyspark.sql.types as T

    before = behind = 0
    for number in numbers:
        _, digits, exponent = number.as_tuple()
        behind = max(behind, -int(exponent))
        before = max(before, len(digits) + int(exponent))
    precision = max(_FEW_DIGITS, before + behind + _SPARE_DIGITS)
    reason = f"at most {before} digits before the point and {behind} behind it"
    if before + behind > _MOST_DIGITS:
        return T.StringType(), None, f"{reason}: more than a number has"
    return T.DecimalType(min(_MOST_DIGITS, precision), behind), None, reason


def _is_written(text: str, way: str) -> bool:
    try:
        return datetime.strptime(text, way).strftime(way) == text  # noqa: DTZ007 - a date
    except ValueError:
        return False


def kind_of_json(
    values: Sequence[Any], *, part: bool = False
) -> tuple[T.DataType, str, str | None]:
    """(type, reason, pattern of dates) of values of JSON; a `part` of others has no pattern."""
    import pyspark.sql.types as T

    there = [value for value in values if value is not None]
    kinds = {type(value) for value in there}
    if kinds <= {str}:
        if not there:
            return T.StringType(), "empty in all rows: any type", None
        kind, pattern, reason = _kind({*there})
        if isinstance(kind, T.DateType | T.TimestampType) and not (part and pattern):
            return kind, reason, pattern
        return T.StringType(), "text", None
    if kinds == {bool}:
        return T.BooleanType(), "true and false", None
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in there):
        return T.LongType(), "whole numbers", None
    if kinds <= {int, Decimal}:
        kind, _, reason = _decimal(map(Decimal, there))
        if isinstance(kind, T.DecimalType):
            return kind, reason, None
    if kinds == {dict}:
        keys = list(dict.fromkeys(key for value in there for key in value))
        plain = all(re.fullmatch(r"[A-Za-z_]\w*", key) for key in keys)
        if not plain or len({key.lower() for key in keys}) < len(keys):
            return T.VariantType(), "objects with keys that are no names of fields", None
        parts = [
            T.StructField(k, kind_of_json([v.get(k) for v in there], part=True)[0]) for k in keys
        ]
        return T.StructType(parts), "objects", None
    if kinds == {list}:
        inner, _, _ = kind_of_json([one for value in there for one in value], part=True)
        return T.ArrayType(inner), "lists", None
    return T.VariantType(), "values of several types", None


def column_names(sent: Sequence[str]) -> list[str]:
    """Names for columns, each once whatever its letter case, that Python and Spark take."""
    names: list[str] = []
    for n, text in enumerate(sent):
        plain = re.sub(r"\W+", "_", text.strip(), flags=re.ASCII).strip("_")
        name = text if plain == text and not text[0].isdigit() else plain.lower()
        name = name if name and not name[0].isdigit() else f"column_{n + 1}"
        taken = name.lower() in {other.lower() for other in names}
        names.append(f"{name}_{n + 1}" if taken else f"{name}_" if _is_ours(name) else name)
    return names


def _is_ours(name: str) -> bool:
    """Whether a class of a contract has the name for something else."""
    return keyword.iskeyword(name) or name in _WORDS or hasattr(Contract, name)
