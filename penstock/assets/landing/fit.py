"""What a value of one type is as one of another: the same value or none, never one like it.

Spark's casts cut, round and guess. Here a value is taken where the contract's type holds exactly
it; which values of a column do is told apart row by row, and types of which no value could are a
misfit. A datetime without a zone is UTC, text is a value where a cell of a CSV file would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyspark.sql.types as T

from penstock.assets.landing.cell import (
    EPOCHS,
    ISO,
    Dates,
    instant_sql,
    no_instant_sql,
    value_sql,
    wrong_sql,
)
from penstock.assets.landing.json_value import cell_sql, is_text_sql, wrong_kind_sql
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fit", "Misfit", "Readings", "extra_keys", "fit"]

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_WHOLE = (*_DIGITS,)
_REAL = ("float", "double")
_MOMENT = ("timestamp", "timestamp_ntz")
# the first double that no bigint is; a cast makes the largest bigint of it
_BEYOND = "9.223372036854775807E18D"
# from here on numbers of the type are whole
_ALL_WHOLE = {"float": "16777216D", "double": "9007199254740992D"}


class Misfit(Exception):  # noqa: N818 - said to whoever asked, not to the user
    """No value of the one type is one of the other, or a part is not there."""

    def __init__(self, path: str, sent: str, wanted: str) -> None:
        super().__init__(path, sent, wanted)
        self.path, self.sent, self.wanted = path, sent, wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """SQL, the value, and whether it is exactly what was sent; None: it always is."""

    value: str
    exact: str | None = None

    @property
    def test(self) -> str:
        """SQL, true where the value is exactly what was sent."""
        return self.exact or "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """How values are read. `extra`: fields of a struct that nobody asked for are left out."""

    extra: bool = False
    dates: Dates = ISO
    nanos: tuple[str, ...] = ()  # the paths of whole numbers that are nanoseconds since 1970
    local: tuple[str, ...] = ()  # those of them that say no zone
    empty: tuple[str, ...] = ()  # the paths of what holds nothing but NULL, whatever its type
    one_calendar: bool = True  # False: of days before 1582-10-15 nobody knows which they are


def fit(
    value: str,
    sent: T.DataType,
    wanted: T.DataType,
    path: str,
    readings: Readings,
    depth: int = 1,
) -> Fit:
    """The SQL `value` of type `sent` as one of type `wanted`. `path` names it, a.b.element.c.

    Raises Misfit for the first part that cannot be.
    """
    if path in readings.empty:
        return Fit(value=f"CAST(NULL AS {_words(wanted)})")
    match sent, wanted:
        case (T.VariantType(), T.VariantType()):
            return Fit(value=value)
        case (T.VariantType(), _):
            return _of_variant(value, wanted, path, readings, depth)
        case (T.StructType(), T.StructType()):
            return _of_struct(value, sent, wanted, path, readings, depth)
        case (T.ArrayType(), T.ArrayType()):
            element = _element(depth)
            inner = fit(
                element,
                sent.elementType,
                wanted.elementType,
                f"{path}.element",
                readings,
                depth + 1,
            )
            return _of_elements(value, inner, element)
        case (T.MapType(), T.MapType()):
            if sent.keyType != wanted.keyType:
                raise Misfit(f"{path}.key", _words(sent.keyType), _words(wanted.keyType))
            element = _element(depth)
            inner = fit(
                element, sent.valueType, wanted.valueType, f"{path}.value", readings, depth + 1
            )
            return _of_values(value, inner, element, depth)
        case (T.LongType(), _) if path in readings.nanos:
            dates = readings.dates if path in readings.local else ISO
            found = _of_nanos(value, _words(wanted), dates)
            if found is None:
                raise Misfit(path, "timestamp in nanoseconds", _words(wanted))
            return found
        case _:
            found = _of_scalar(value, _words(sent), _words(wanted), readings.dates)
            if found is None:
                raise Misfit(path, _words(sent), _words(wanted))
            if not readings.one_calendar and _words(sent) in ("date", *_MOMENT):
                known = _unless_null(value, f"{value} >= DATE '1582-10-15'")
                return Fit(value=found.value, exact=f"({known} AND {found.test})")
            return found


def _element(depth: int) -> str:
    return f"_x{depth}"


def _words(kind: T.DataType) -> str:
    return kind.simpleString()


def _of_struct(
    value: str, sent: T.StructType, wanted: T.StructType, path: str, readings: Readings, depth: int
) -> Fit:
    there = {field.name: field.dataType for field in sent.fields}
    for name in wanted.names:
        if name not in there:
            raise Misfit(f"{path}.{name}", "no such field", _words(wanted[name].dataType))
    for name, kind in there.items():
        if name not in wanted.names and not readings.extra:
            raise Misfit(f"{path}.{name}", _words(kind), "no such field")
    parts = {
        field.name: fit(
            f"{value}.{quoted(field.name)}",
            there[field.name],
            field.dataType,
            f"{path}.{field.name}",
            readings,
            depth,
        )
        for field in wanted.fields
    }
    same = sent.names == wanted.names and all(
        part.value == f"{value}.{quoted(name)}" for name, part in parts.items()
    )
    tests = [part.exact for part in parts.values() if part.exact]
    named = ", ".join(f"{literal(name)}, {part.value}" for name, part in parts.items())
    return Fit(
        value=value if same else f"CASE WHEN {value} IS NOT NULL THEN named_struct({named}) END",
        exact=" AND ".join(tests) or None,
    )


def _of_elements(value: str, inner: Fit, element: str) -> Fit:
    same = inner.value == element
    return Fit(
        value=value if same else f"transform({value}, {element} -> {inner.value})",
        exact=inner.exact and f"coalesce(forall({value}, {element} -> {inner.exact}), true)",
    )


def _of_values(value: str, inner: Fit, element: str, depth: int) -> Fit:
    same = inner.value == element
    values = f"transform_values({value}, (_k{depth}, {element}) -> {inner.value})"
    return Fit(
        value=value if same else values,
        exact=inner.exact
        and f"coalesce(forall(map_values({value}), {element} -> {inner.exact}), true)",
    )


def _of_scalar(value: str, sent: str, wanted: str, dates: Dates) -> Fit | None:
    """None where no value of the one is one of the other."""
    if sent == wanted:
        return Fit(value=value)
    if sent == "void":
        return Fit(value=f"CAST({value} AS {wanted})")
    if sent == "string":
        return _of_text(value, wanted, dates)
    if dates.zone is not None and (sent, wanted) == ("timestamp_ntz", "timestamp"):
        return _of_local(value, f"CAST({value} AS timestamp)", dates.zone)
    if sent in _MOMENT and wanted in _MOMENT:
        return Fit(value=f"CAST({value} AS {wanted})")
    if sent in _WHOLE and dates.pattern in EPOCHS and wanted in ("date", *_MOMENT):
        return _of_text(f"CAST({value} AS string)", wanted, dates)
    if sent in _MOMENT and wanted == "date":
        day = f"CAST({value} AS date)"
        return Fit(value=day, exact=_unless_null(value, f"CAST({day} AS {sent}) = {value}"))
    if _is_number(sent) and _is_number(wanted):
        return _of_number(value, sent, wanted)
    return None


def _of_local(value: str, local: str, zone: str) -> Fit:
    """`local` is what the clock of the zone shows, as if it were UTC."""
    instant = instant_sql(local, zone)
    none = no_instant_sql(local, instant, zone)
    return Fit(value=instant, exact=_unless_null(value, f"NOT {none}"))


def _of_nanos(value: str, wanted: str, dates: Dates) -> Fit | None:
    if wanted not in ("date", *_MOMENT):
        return None
    moment = f"timestamp_micros({value} DIV 1000)"
    if dates.zone is not None and wanted == "timestamp":
        found = _of_local(value, moment, dates.zone)
    else:
        made = _of_scalar(moment, "timestamp", wanted, ISO)
        assert made is not None
        found = made
    whole = f"({value} IS NULL OR {value} % 1000 = 0)"
    return Fit(value=found.value, exact=f"({whole} AND {found.test})")


def _of_text(value: str, wanted: str, dates: Dates) -> Fit | None:
    if not (_is_number(wanted) or wanted in ("boolean", "date", *_MOMENT)):
        return None
    dates = dates if wanted in ("date", *_MOMENT) else ISO
    read = value_sql(value, wanted, dates)
    wrong = wrong_sql(value, wanted, read, dates)
    return Fit(value=read, exact=_unless_null(value, f"NOT ({wrong})"))


def _of_number(value: str, sent: str, wanted: str) -> Fit:
    if _always_holds(sent, wanted):
        return Fit(value=f"CAST({value} AS {wanted})")
    made = f"try_cast({value} AS {wanted})"
    if sent in _REAL and wanted.startswith("decimal"):
        # a float that becomes a double first is a longer number than it was written as
        small = f"CAST({value} AS string)" if sent == "float" else value
        exact = _whole_sql(f"CAST({value} AS double)")
        made = (
            f"CASE WHEN abs({value}) >= {_ALL_WHOLE[sent]} THEN try_cast({exact} AS {wanted}) "
            f"ELSE try_cast({small} AS {wanted}) END"
        )
        back = f"try_cast({made} AS {sent}) = {value}"
    elif wanted in _REAL and sent.startswith("decimal"):
        exact = _whole_sql(f"CAST({made} AS double)")
        back = (
            f"CASE WHEN abs({value}) >= {_ALL_WHOLE[wanted]} THEN {exact} = {value} "
            f"ELSE try_cast({made} AS {sent}) = {value} END"
        )
    elif wanted in _REAL and sent in _WHOLE:
        # compared as doubles they would be equal however much is lost, and of the first double
        # that no bigint is a cast makes the largest bigint
        read = f"CAST({made} AS double)"
        back = f"{read} < {_BEYOND} AND try_cast({read} AS bigint) = try_cast({value} AS bigint)"
    elif sent in _WHOLE:
        back = f"{made} IS NOT NULL"
    elif sent in _REAL and wanted in _WHOLE:
        inside = f"{value} >= -{_BEYOND} AND {value} < {_BEYOND}"
        back = f"CAST({made} AS double) = {value} AND {inside}"
    elif wanted in _WHOLE or (wanted.startswith("decimal") and sent.startswith("decimal")):
        back = f"{made} = {value}"
    else:
        back = f"try_cast({made} AS {sent}) = {value}"
    return Fit(value=made, exact=_unless_null(value, back))


def _whole_sql(double: str) -> str:
    """SQL, the decimal that a whole double is, to the digit; NULL from 2^129 on, and for NaN.

    Spark's cast takes the shortest text that is read as the same double. From 2^63 on a double is a
    multiple of 2^11, from 2^74 on of 2^22, and so on.
    """
    cases = ""
    for step in range(7):
        power = 2 ** (11 * step)
        part = f"CAST(try_cast({double} / {float(power)!r}D AS bigint) AS decimal(19,0))"
        times = f"try_multiply({part}, CAST('{power}' AS decimal(20,0)))" if step else part
        cases += f" WHEN abs({double}) < {float(2**63 * power)!r}D THEN {times}"
    return f"CASE{cases} END"


def _always_holds(sent: str, wanted: str) -> bool:
    """Whether every number of the one type is one of the other."""
    if wanted == "double":
        return sent in ("float", "tinyint", "smallint", "int")
    if wanted == "float":
        return sent in ("tinyint", "smallint")
    if sent in _REAL:
        return False
    whole, decimals = _places(sent)
    most, digits = _places(wanted)
    if wanted in _WHOLE:
        return sent in _WHOLE and whole <= most
    return whole <= most and decimals <= digits


def _places(kind: str) -> tuple[int, int]:
    """(Digits before the point, digits after it) of a whole number's or decimal's type."""
    if kind in _DIGITS:
        return _DIGITS[kind], 0
    precision, scale = map(int, kind.removeprefix("decimal(").removesuffix(")").split(","))
    return precision - scale, scale


def _is_number(kind: str) -> bool:
    return kind in _WHOLE or kind in _REAL or kind.startswith("decimal")


def _unless_null(value: str, test: str) -> str:
    return f"({value} IS NULL OR coalesce({test}, false))"


def _of_variant(value: str, wanted: T.DataType, path: str, readings: Readings, depth: int) -> Fit:
    """JSON's value, whose type each record says for itself."""
    absent = f"({value} IS NULL OR is_variant_null({value}))"
    element = _element(depth)
    match wanted:
        case T.StructType():
            fields = f"try_cast({value} AS map<string,variant>)"
            parts = {
                field.name: fit(
                    f"{element}[{literal(field.name)}]",
                    T.VariantType(),
                    field.dataType,
                    f"{path}.{field.name}",
                    readings,
                    depth + 1,
                )
                for field in wanted.fields
            }
            named = ", ".join(f"{literal(name)}, {part.value}" for name, part in parts.items())
            made = f"CASE WHEN {element} IS NOT NULL THEN named_struct({named}) END"
            tests = [f"{element} IS NOT NULL", *(p.exact for p in parts.values() if p.exact)]
            if not readings.extra:
                tests.append(f"cardinality({extra_keys(element, wanted.names)}) = 0")
            # each object is taken apart once
            one = f"transform(array({fields}), {element} -> {{}})[0]"
            return Fit(
                value=one.format(made),
                exact=f"({absent} OR coalesce({one.format(' AND '.join(tests))}, false))",
            )
        case T.ArrayType():
            elements = f"try_cast({value} AS array<variant>)"
            inner = fit(
                element,
                T.VariantType(),
                wanted.elementType,
                f"{path}.element",
                readings,
                depth + 1,
            )
            found = _of_elements(elements, inner, element)
        case T.MapType(keyType=T.StringType()):
            elements = f"try_cast({value} AS map<string,variant>)"
            inner = fit(
                element, T.VariantType(), wanted.valueType, f"{path}.value", readings, depth + 1
            )
            found = _of_values(elements, inner, element, depth)
        case _:
            return _of_json_scalar(value, _words(wanted), path, readings.dates)
    return Fit(
        value=found.value,
        exact=f"({absent} OR ({elements} IS NOT NULL AND {found.test}))",
    )


def extra_keys(fields: str, names: Sequence[str]) -> str:
    """SQL, the keys of the map `fields` that are none of the names."""
    return f"array_except(map_keys({fields}), array({', '.join(map(literal, names))}))"


def _of_json_scalar(value: str, wanted: str, path: str, dates: Dates) -> Fit:
    text = f"to_json({value})"
    absent = f"({value} IS NULL OR is_variant_null({value}))"
    right = f"NOT ({wrong_kind_sql(value, text, wanted)})"
    if wanted == "string":
        return Fit(
            value=f"CASE WHEN {is_text_sql(value, text)} THEN CAST({value} AS string) END",
            exact=f"({absent} OR {right})",
        )
    found = _of_text(f"({cell_sql(text)})", wanted, dates)
    if found is None:
        raise Misfit(path, "JSON", wanted)
    return Fit(value=found.value, exact=f"({absent} OR ({found.test} AND {right}))")
