"""What a dataset reads: tables, their changes, and files that arrive in landing."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from penstock.assets.landing.cell import Dates
from penstock.assets.landing.file_pattern import FilePattern
from penstock.assets.landing.formats import Csv, FixedWidth, Format, Orc
from penstock.errors import DefinitionError
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.schemas.contract import Contract
    from penstock.schemas.model import ContractModel

__all__ = [
    "Changes",
    "Input",
    "Landing",
    "Snapshot",
    "changes",
    "check_slice_by",
    "check_time_zone",
    "landing",
    "table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A table at one version; with `slice_by`, only the rows of the slice."""

    dataset: str
    slice_by: str | None = None
    lookback: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The rows that became part of a table since this dataset last took them.

    With `key`, only the newest version of each row; under `Scd2`, of each `valid_from` of it. With
    `deletes`, rows that were taken out too, with true in that column.
    """

    dataset: str
    key: tuple[str, ...] = ()
    valid_from: str | None = None
    deletes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Files of landing. `{day}` in the pattern stands for each day of the slice.

    Text is compressed with gzip when its name ends in .gz, with bzip2 when it ends in .bz2.
    """

    pattern: str
    format: Format = field(default_factory=Csv)
    null_values: tuple[str, ...] = ("",)
    extra_columns: bool = False
    derived: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    file_columns: tuple[tuple[str, str], ...] = ()
    date_formats: tuple[tuple[str, str], ...] = ()
    time_zone: str | None = None

    @property
    def dataset(self) -> str:
        """The name that lineage and Dagster know the folder by: `landing/flights`."""
        return f"landing/{self.pattern.rpartition('/')[0] or self.pattern}"

    @property
    def added(self) -> frozenset[str]:
        """The contract's columns that no file has a value for."""
        return frozenset((*self.derived, *(name for name, _ in self.file_columns)))

    def dates(self, column: str) -> Dates:
        """How dates and datetimes of the contract's column are written."""
        return Dates(pattern=dict(self.date_formats).get(column), zone=self.time_zone)

    def column_of(self, sent: str) -> str:
        """The contract's name of what the sender calls `sent`."""
        return dict(self.names).get(sent, sent)

    def sent_as(self, column: str) -> str:
        """What the sender calls the contract's column."""
        return next((sent for sent, name in self.names if name == column), column)

    @property
    def files(self) -> FilePattern:
        """The pattern, to be asked of names."""
        return FilePattern(self.pattern)

    def patterns(self, days: tuple[date, ...]) -> tuple[tuple[str, date | None], ...]:
        """(glob, the day it is for) of each day; one for all when it is not by day."""
        files = self.files
        return tuple((files.glob(day), day) for day in (days if files.by_day else (None,)))


Input = Snapshot | Changes | Landing


def table(
    dataset: str | type[Contract], *, slice_by: str | None = None, lookback: timedelta | None = None
) -> Snapshot:
    """The whole table, or the rows whose `slice_by` column lies in the slice.

    `lookback` moves the start of the slice back, for windows that look into the past.
    """
    if lookback is not None and slice_by is None:
        raise DefinitionError(
            "lookback without slice_by",
            where=f"input {_dataset(dataset)}",
            next_step="name the column that says which slice a row is of: slice_by=...",
        )
    if lookback is not None and not _is_duration(lookback):
        raise DefinitionError(
            "lookback is no duration",
            where=f"input {_dataset(dataset)}",
            expected="a datetime.timedelta",
            found=repr(lookback),
            next_step="write lookback=timedelta(days=7)",
        )
    if slice_by is not None and not isinstance(dataset, str):
        check_slice_by(f"input {_dataset(dataset)}", slice_by, model_of(dataset))
    return Snapshot(dataset=_dataset(dataset), slice_by=slice_by, lookback=lookback or timedelta())


def check_slice_by(where: str, name: str, model: ContractModel) -> None:
    """Raise DefinitionError when `name` is no column of the contract that says a row's day."""
    column = model.column(name)
    if column is None:
        names = [column.name for column in model.columns]
        near = difflib.get_close_matches(str(name), names, 1)
        raise DefinitionError(
            "slice_by names a column that is not there",
            where=where,
            expected=f"columns of {model.name}: {', '.join(names)}",
            found=str(name),
            next_step=f"did you mean {near[0]}?" if near else "name a date or timestamp column",
        )
    if column.type not in ("date", "timestamp"):
        raise DefinitionError(
            "slice_by names a column that has no day",
            where=where,
            expected="a date or timestamp column",
            found=f"{name} {column.type}",
            next_step="name the column that says which day a row is of",
        )


def changes(
    dataset: str | type[Contract], *, valid_from: str | None = None, deletes: str | None = None
) -> Changes:
    """Rows inserted or updated in the table since this dataset's last commit.

    The table must keep a change feed; every table Penstock creates does. Of a row that changed
    several times the newest version is given, if `dataset` is a contract and has a key; a row that
    was taken out again is not given.

    With `deletes`, a row that was taken out is given as it was, with true in a boolean column of
    that name, which all other rows have too, as false. It is for `Merge(deletes=...)`, and for a
    `dataset` that is a contract with a key.

    A dataset that keeps versions (`Scd2`) is given each: the newest of those with the same key and
    `valid_from`, a column of `dataset`; by default the one of the name that `Scd2` uses. Where
    there is no such column each distinct row is given, and a corrected one is set aside with what
    it corrects. Raises DefinitionError when `dataset` is a contract without the column named.
    """
    model = None if isinstance(dataset, str) else model_of(dataset)
    if model and valid_from is not None and model.column(valid_from) is None:
        raise DefinitionError(
            "valid_from is no column of the input",
            where=f"changes({model.name}, valid_from={valid_from!r})",
            expected=f"one of {', '.join(c.name for c in model.columns)}",
            next_step="name the column that says from when on a version of a row holds",
        )
    key = model.key if model else ()
    taken = {column.name.lower() for column in model.columns} if model else set()
    named = deletes is None or re.fullmatch(r"[A-Za-z]\w*", deletes, re.ASCII)
    if deletes is not None and (not key or not named or deletes.lower() in taken):
        raise DefinitionError(
            "deletes is no name that the input has no column of"
            if key
            else "of rows without a key nobody can say which was taken out",
            where=f"changes({_dataset(dataset)}, deletes={deletes!r})",
            expected="a name that the input has no column of"
            if key
            else "a contract that has a key",
            next_step="write deletes='is_deleted', and Merge(deletes='is_deleted')"
            if key
            else "name the input by its contract, and mark its key with column(key=True)",
        )
    return Changes(dataset=_dataset(dataset), key=key, valid_from=valid_from, deletes=deletes)


def landing(  # noqa: PLR0913 - each is what some sender does otherwise
    pattern: str,
    *,
    format: Format | None = None,  # noqa: A002 - what it is
    null_value: str | Sequence[str] = "",
    extra_columns: bool = False,
    derived: Sequence[str] = (),
    optional: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    file_columns: Mapping[str, str] | None = None,
    date_formats: Mapping[str, str] | None = None,
    time_zone: str | None = None,
) -> Landing:
    """Files under the lake's landing, e.g. `flights/flights-{day}*.csv`.

    `format` says how they are written: `Csv()`, which is the default, with what the sender does
    otherwise, `JsonLines()`, `Parquet()` or `Orc()`.

    `Overwrite` and `ReplaceSlice` are made of all files that are there, the others of those not
    taken yet. Under `Append` a file is known by its content, and by its day where the pattern says
    it: a copy under another name is seen and not loaded. Under `Merge` and `Scd2` it is known by
    its name and its last content, for the same bytes may say that a row is again as it was. There
    the newest new file that holds a key (and `valid_from`) counts: by the pattern's day, then by
    the time the file was written, then by its name, also where its row is set aside. A key twice
    in one file is set aside: nobody knows.
    `null_value` is the text, or texts, that stand for NULL in cells of text (an empty one always
    does). `extra_columns` says that columns the contract does not name are ignored; otherwise a
    file that has some is refused, and of JSON lines each object.
    `derived` are the contract's columns that the function adds: no file has them. `optional` are
    those that a file may lack: they are NULL there. `names` says what the sender calls columns
    otherwise: `names={"Buchung": "booking_id"}`. `file_columns` are the contract's columns that say
    where a row came from: the `"name"` of the file below landing (str), when it was `"modified"`
    (datetime), or what a placeholder of the pattern stands for: the `"day"` (date), or another one
    (str, a whole number or date): `landing("orders/country={country}/*.csv",
    file_columns={"land": "country", "source": "name"})`. In a folder like `country={country}/` a
    text is written as in a Hive partition.
    `date_formats` says how date and datetime columns are written, in Spark's datetime patterns,
    where not as in docs/landing.md: `date_formats={"day": "dd.MM.yyyy"}`; a datetime that says
    no zone is of `time_zone`, such as "Europe/Berlin", else of UTC. One that the clock there skips
    or shows twice, when it is put forward or back, is set aside: nobody knows which is meant.
    """
    files = FilePattern(pattern)
    rest = re.sub(r"\{[a-z][a-z0-9_]*\}", "", pattern)
    parts = {*pattern.split("/")}
    unfit = bool(parts & {"", ".", "..", "**"}) or "{" in rest or "}" in rest
    if unfit or {"name", "modified"} & {*files.placeholders}:
        raise DefinitionError(
            "the landing pattern is malformed",
            where=f"landing({pattern!r})",
            expected="a path relative to landing; a placeholder is {day} or another word in small "
            "letters, but not {name} or {modified}",
            next_step="write it like flights/flights-{day}*.csv",
        )
    written = Csv() if format is None else format
    if not isinstance(written, Format):
        raise DefinitionError(
            "format= is of another kind",
            where=f"landing({pattern!r})",
            expected="Csv(), FixedWidth({...}), JsonLines(), Parquet() or Orc()",
            found=repr(format),
            next_step="write format=JsonLines()",
        )
    if null_value and not isinstance(written, Csv | FixedWidth):
        raise DefinitionError(
            f"null_value= says nothing of {written.title}, which has a NULL of its own",
            where=f"landing({pattern!r})",
            expected="Csv or FixedWidth where a text stands for NULL",
            next_step="leave null_value= out",
        )
    if time_zone is not None:
        check_time_zone(f"landing({pattern!r})", time_zone)
    if time_zone is not None and isinstance(written, Orc):
        raise DefinitionError(
            "time_zone= says nothing of ORC: Spark reads every time in it as one that has a zone",
            where=f"landing({pattern!r})",
            expected="text, JSON lines or Parquet",
            next_step="leave time_zone= out, and convert the column in the function",
        )
    for name, pattern_of_date in (date_formats or {}).items():
        _check_format(f"landing({pattern!r}), date_formats[{name!r}]", pattern_of_date)
    return Landing(
        pattern=pattern,
        format=written,
        null_values=(null_value,) if isinstance(null_value, str) else tuple(null_value) or ("",),
        extra_columns=extra_columns,
        derived=tuple(derived),
        optional=tuple(optional),
        names=tuple(sorted((names or {}).items())),
        file_columns=tuple(sorted((file_columns or {}).items())),
        date_formats=tuple(sorted((date_formats or {}).items())),
        time_zone=time_zone,
    )


def check_time_zone(where: str, zone: str) -> None:
    """Raise DefinitionError for what is no time zone."""
    known = available_timezones()
    if zone not in known:
        near = difflib.get_close_matches(str(zone), known, 1)
        raise DefinitionError(
            "there is no such time zone",
            where=where,
            expected="a name of the IANA time zone database, such as Europe/Berlin",
            found=repr(zone),
            next_step=f"did you mean {near[0]}?" if near else "name the zone as that does",
        )


def _check_format(where: str, written: object) -> None:
    """Raise DefinitionError for a pattern that cannot say a day, or that Spark cannot read by."""
    letters = set(re.sub(r"'[^']*'", "", written)) if isinstance(written, str) else set()
    unknown = sorted(c for c in letters if c.isalpha() and c not in "GyMLdDaHhKkmsSVzOXxZ")
    lacks = [
        part
        for part, of in {"year": "y", "month": "MLD", "day": "dD"}.items()
        if not letters & {*of}
    ]
    if unknown or lacks or letters & {*"#{}[]"}:
        raise DefinitionError(
            "this is no way to write a date",
            where=where,
            expected="one of Spark's datetime patterns with year, month and day, like dd.MM.yyyy",
            found=f"{written!r}, without {', '.join(lacks)}" if lacks else repr(written),
            next_step="see Spark's documentation of datetime patterns",
        )


def _is_duration(value: object) -> bool:
    return isinstance(value, timedelta) and value >= timedelta()


def _dataset(dataset: str | type[Contract]) -> str:
    if not isinstance(dataset, str):
        return model_of(dataset).name
    if not re.fullmatch(r"\w+(\.\w+)+", dataset):
        raise DefinitionError(
            "this is not the name of a dataset",
            where=f"input {dataset!r}",
            expected="a contract, or a name like silver.bookings",
            next_step="write its contract, or landing(...) for files",
        )
    return dataset
