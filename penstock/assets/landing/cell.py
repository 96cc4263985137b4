"""What the text of a landing cell may be, for each type; Spark's own casts guess."""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock.schemas.predicates import literal

__all__ = [
    "EPOCHS",
    "ISO",
    "Dates",
    "grammar",
    "instant_sql",
    "no_instant_sql",
    "value_sql",
    "wrong_sql",
]

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?"
_NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)"
_WHOLE = r"[+-]?[0-9]+"
_REAL = rf"{_NUMBER}([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity"
_AROUND = r"[\x00-\x20\x7f]*"  # what casts leave out of account
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_BELOW_A_DAY = "aHhKkmSsAnNVzOXxZB"  # in a pattern: a time, or a zone
# the first and the last of each that is one, as SQL
_YEARS = {
    "date": ("DATE'0001-01-01'", "DATE'9999-12-31'"),
    **{
        kind: (f"CAST('0001-01-01' AS {kind})", f"CAST('9999-12-31 23:59:59.999999' AS {kind})")
        for kind in ("timestamp", "timestamp_ntz")
    },
}
_OFFSET = (
    r"(Z|[+-][0-9]{2}(:?[0-9]{2}(:[0-9]{2})?)?)"  # PostgreSQL has +02, and of old days +00:53:28
)
# at the end of a datetime that says its own; of a day alone -07 is none
_ZONE = rf"[T ]{_TIME} ?{_OFFSET}{_AROUND}\z"
_MINUTES = rf"([T ][0-9]{{2}}:[0-9]{{2}}) ?{_OFFSET}"
_GRAMMARS = {
    "tinyint": _WHOLE,
    "smallint": _WHOLE,
    "int": _WHOLE,
    "bigint": _WHOLE,
    "float": _REAL,
    "double": _REAL,
    "boolean": "(?i)(true|false|t|f|yes|no|y|n|1|0)",
    "date": _DATE,
    "timestamp": rf"{_DATE}([T ]{_TIME} ?{_OFFSET}?)?",
    "timestamp_ntz": rf"{_DATE}([T ]{_TIME})?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """How dates and datetimes are written.

    `pattern` is one of Spark's datetime patterns, or one of EPOCHS for numbers since 1970. A
    datetime that says no zone is of the clock of `zone`, UTC where that is None.
    """

    pattern: str | None = None
    zone: str | None = None

    @property
    def says_zone(self) -> bool:
        """Whether texts of the pattern say their zone."""
        return self.pattern in EPOCHS or bool(self.letters & {*"VzOXxZ"})

    @property
    def letters(self) -> frozenset[str]:
        """The letters of the pattern that stand for something."""
        return frozenset(re.sub(r"'[^']*'", "", self.pattern or ""))


#: Whole numbers since 1970-01-01 in UTC, by what they count: how many are a day.
EPOCHS = {
    "epoch_days": 1,
    "epoch_seconds": 86_400,
    "epoch_millis": 86_400_000,
    "epoch_micros": 86_400_000_000,
}
# the years 1 to 9999, in days since 1970
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896

ISO = Dates()


def grammar(kind: str) -> str | None:
    """The regular expression that a whole cell of the type matches; None: any text.

    A decimal has no more digits after the point than its type, trailing zeros aside.
    """
    if found := _DECIMAL.fullmatch(kind):
        scale = found[2]
        return rf"[+-]?([0-9]+([.][0-9]{{0,{scale}}}0*)?|[.](?=[0-9])[0-9]{{0,{scale}}}0*)"
    return _GRAMMARS.get(kind)


def value_sql(cell: str, kind: str, dates: Dates = ISO) -> str:
    """SQL, the value of the cell; NULL where it is not of the type."""
    value, local = _read(cell, kind, dates), _is_local(cell, kind, dates)
    if dates.zone is None or local is None:
        return value
    instant = instant_sql(value, dates.zone)
    return instant if local == "true" else f"CASE WHEN {local} THEN {instant} ELSE {value} END"


def wrong_sql(cell: str, kind: str, value: str, dates: Dates = ISO) -> str:
    """SQL, true for the text of a cell that is not of the type; the cell is not NULL.

    `value` is the column that holds `value_sql` of the same arguments. Where Spark's cast takes
    more than the grammar, a regular expression for each cell would cost as much as reading it:
    what is written in the usual way is told by its length and a few of its characters.
    """
    wrong = f"{value} IS NULL"
    local = _is_local(cell, kind, dates)
    if dates.zone is not None and local is not None:
        none = no_instant_sql(_read(cell, kind, dates), value, dates.zone)
        wrong += f" OR ({local} AND {none})"
    if kind in _YEARS:
        first, last = _YEARS[kind]
        shown = value  # by the clock that it is of
        if dates.zone is not None and local is not None:
            shown = f"CASE WHEN {local} THEN {_read(cell, kind, dates)} ELSE {value} END"
        wrong += f" OR NOT ({shown} BETWEEN {first} AND {last})"
    if dates.pattern is not None:
        return wrong
    if (usual := _usual(cell, kind)) is not None:
        whole = rf"\A{_AROUND}(?:{grammar(kind)}){_AROUND}\z"
        wrong += f" OR NOT ({usual} OR {cell} RLIKE {literal(whole)})"
    if kind in ("float", "double"):
        # a number too large for the type is read as infinity
        wrong += f" OR (abs({value}) = CAST('Infinity' AS {kind}) AND NOT contains({cell}, 'Inf'))"
    return wrong


def instant_sql(local: str, zone: str) -> str:
    """SQL, the instant at which the clock of the zone shows what `local` shows in UTC."""
    return f"to_utc_timestamp({local}, {literal(zone)})"


def no_instant_sql(local: str, instant: str, zone: str) -> str:
    """SQL, true where the clock of the zone never shows `local`, or shows it twice.

    `instant` is `instant_sql` of the others: of two the first.
    """

    def shown(at: str) -> str:
        return f"from_utc_timestamp({at}, {literal(zone)})"

    def offset(at: str) -> str:
        return f"(unix_seconds({shown(at)}) - unix_seconds({at}))"

    # by how much the clock is put back within a day
    back = f"({offset(instant)} - {offset(f'({instant} + INTERVAL 1 DAY)')})"
    again = f"timestampadd(SECOND, {back}, {instant})"
    return f"({shown(instant)} != {local} OR ({back} > 0 AND {shown(again)} = {local}))"


def _read(cell: str, kind: str, dates: Dates) -> str:
    """SQL, the value of the cell; of a datetime without a zone as if it were of UTC."""
    if dates.pattern in EPOCHS:
        return _since_1970(cell, kind, EPOCHS[dates.pattern])
    if dates.pattern is not None:
        moment = f"try_to_timestamp(trim({cell}), {literal(dates.pattern)})"
        day = f"CAST({moment} AS {kind})"
        if kind == "date" and dates.letters & {*_BELOW_A_DAY}:
            # a time of day is no part of a date, nor a zone by which it is another day
            return f"CASE WHEN {day} = {moment} THEN {day} END"
        return day
    if kind == "timestamp":
        # Spark takes minutes for the end of a time alone, and with a zone behind them for nothing
        whole = f"regexp_replace({cell}, {literal(_MINUTES)}, '$1:00$2')"
        return f"coalesce(try_cast({cell} AS timestamp), try_cast({whole} AS timestamp))"
    return cell if kind == "string" else f"try_cast({cell} AS {kind})"


def _since_1970(cell: str, kind: str, a_day: int) -> str:
    """SQL, the day or moment of the number in the cell, `a_day` of which are a day."""
    number = f"try_cast({cell} AS bigint)"
    known = f"{number} BETWEEN {_FIRST_DAY * a_day}L AND {(_LAST_DAY + 1) * a_day - 1}L"
    if kind == "date":
        day = f"date_from_unix_date(CAST({number} DIV {a_day} AS int))"
        return f"CASE WHEN {known} AND {number} % {a_day} = 0 THEN {day} END"
    moment = f"timestamp_micros({number} * {EPOCHS['epoch_micros'] // a_day})"
    return f"CASE WHEN {known} THEN CAST({moment} AS {kind}) END"


def _is_local(cell: str, kind: str, dates: Dates) -> str | None:
    """SQL, true for a datetime that says no zone; None where none can be."""
    if kind != "timestamp" or dates.says_zone:
        return None
    return "true" if dates.pattern is not None else f"NOT ({cell} RLIKE {literal(_ZONE)})"


def _usual(text: str, kind: str) -> str | None:
    """SQL, true only for texts of the grammar, if Spark can cast them; None: for all of those."""
    day = f"locate('-', {text}) = 5 AND locate('-', {text}, 6) = 8"
    if kind == "date":
        return f"(length({text}) = 10 AND {day} AND {_digit(text, 10)})"
    if kind in ("timestamp", "timestamp_ntz"):
        time = f"locate(':', {text}) = 14 AND locate(':', {text}, 15) = 17 AND {_digit(text, 19)}"
        length = f"length({text}) = 19"
        if kind == "timestamp":
            length = f"({length} OR length({text}) = 20 AND endswith({text}, 'Z'))"
        return f"({length} AND {day} AND {time})"
    if kind in ("float", "double"):
        hexadecimal = f"contains({text}, 'x') OR contains({text}, 'X')"
        return f"({_digit(text, -1)} AND NOT ({hexadecimal}))"
    if found := _DECIMAL.fullmatch(kind):
        point = f"locate('.', {text})"
        few = f"({point} = 0 OR length({text}) - {point} <= {found[2]})"
        plain = f"length({text}) = octet_length({text})"
        return f"({plain} AND {few} AND NOT (contains({text}, 'e') OR contains({text}, 'E')))"
    return None


def _digit(text: str, place: int) -> str:
    return f"substring({text}, {place}, 1) BETWEEN '0' AND '9'"
