"""Files that arrive in landing; `assets/landing` knows how they are looked at and read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from penstock.assets.landing.cell import Dates
from penstock.assets.landing.declared import check_date_format, check_landing
from penstock.assets.landing.envelope import Envelope, check_is_envelope
from penstock.assets.landing.file import refuse_changed
from penstock.assets.landing.file_pattern import DAY, FilePattern
from penstock.assets.landing.formats import (
    Csv,
    FixedWidth,
    Format,
    JsonDocument,
    JsonLines,
    Orc,
)
from penstock.assets.landing.slice_files import check_names_slices, slice_files
from penstock.assets.time_zone import check_time_zone
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Arrived, Asked
    from penstock.assets.landing.copies import Copies
    from penstock.assets.landing.file import TakenFile
    from penstock.schemas.model import ContractModel

__all__ = ["Landing", "PinnedFiles", "landing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Files of landing. `{day}` in the pattern stands for each day of the slice.

    Text is compressed whole when its name ends in .gz, .bz2, .zst or, one file in it, .zip.
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
    envelope: Envelope | None = None
    rest: str | None = None

    @property
    def dataset(self) -> str:
        """The name that lineage and Dagster know the folder by: `landing/flights`."""
        return f"landing/{self.pattern.rpartition('/')[0] or self.pattern}"

    @property
    def added(self) -> frozenset[str]:
        """The contract's columns that no file has a value for."""
        others = (self.envelope.deleted if self.envelope else None, self.rest)
        more = [name for name in others if name is not None]
        return frozenset((*self.derived, *(name for name, _ in self.file_columns), *more))

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

    @property
    def once(self) -> bool:
        """Always."""
        return True

    def check(self, spec: Dataset, name: str, where: str) -> None:
        """Raise DefinitionError where what it says fits not the contract, the format or slices."""
        check_names_slices(spec, name, self.files, where)
        check_landing(spec, name, self, where)

    def pin(self, asked: Asked) -> PinnedFiles:
        """Which files the run takes. Raises InputError for a day, or value, that has none."""
        from penstock.assets.landing.copies import copies
        from penstock.assets.landing.pin import arrived, pin_files

        spec, name, runtime = asked.spec, asked.name, asked.runtime
        wanted = slice_files(self.files, asked.slice, spec.partitions)
        found = arrived(name, self, wanted, runtime.lake, runtime.ledger.inspected)
        pinned = pin_files(spec, name, self, found, asked.past, runtime.clock())
        if not any(file.is_copied for file in pinned.files):
            return pinned
        made = asked.held.one("copies", lambda: copies(runtime.lake, runtime.clock()))
        return replace(pinned, copied=made)


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
    envelope: Envelope | None = None,
    rest: str | None = None,
) -> Landing:
    """Files under the lake's landing, e.g. `flights/flights-{day}*.csv`.

    `format` says how they are written: `Csv()`, which is the default, with what the sender does
    otherwise, `FixedWidth({...})`, `JsonLines()`, `JsonDocument()`, `Xml(row=...)`, `Parquet()`,
    `Orc()` or `Avro()`.

    `Overwrite` and `ReplaceSlice` are made of all files that are there, the others of those not
    taken yet. Under `Append` a file is known by its content, and by its day where the pattern says
    it: a copy under another name is seen and not loaded. Under `Merge` and `Scd2` it is known by
    its name and its last content, for the same bytes may say that a row is again as it was. There
    the newest new file that holds a key (and `valid_from`) counts: by the pattern's day, then by
    the time the file was written, then by its name, also where its row breaks a rule; a row that
    cannot be read hides none. A key twice in one file is set aside: nobody knows.
    `null_value` is the text, or texts, that stand for NULL in cells of text (an empty one always
    does). `extra_columns` says that columns the contract does not name are ignored, `rest` that
    they are kept in this column, as the text of a JSON object; otherwise a file that has some is
    refused, and of JSON lines each object.
    `derived` are the contract's columns that the function adds: no file has them. `optional` are
    those that a file may lack: they are NULL there. `names` says what the sender calls columns
    otherwise: `names={"Buchung": "booking_id"}`. `file_columns` are the contract's columns that say
    where a row came from: the `"name"` of the file below landing (str), when it was `"modified"`
    (datetime), or what a placeholder of the pattern stands for: the `"day"` (date), or another one
    (str, a whole number or date): `landing("orders/country={country}/*.csv",
    file_columns={"land": "country", "source": "name"})`. In a folder like `country={country}/` a
    text is written as in a Hive partition.
    `date_formats` says how date and datetime columns are written, in Spark's datetime patterns,
    where not as in docs/landing.md: `date_formats={"day": "dd.MM.yyyy"}`, or as `"epoch_days"`,
    `"epoch_seconds"`, `"epoch_millis"` or `"epoch_micros"` since 1970; a datetime that says no zone
    is of `time_zone`, such as "Europe/Berlin", else of UTC. One that the clock there skips or shows
    twice, when it is put forward or back, is set aside: nobody knows which is meant.
    `envelope` says that JSON is change events: `debezium()` or `envelope(...)`.
    """
    files = FilePattern(pattern)
    plain = re.sub(r"\{[a-z][a-z0-9_]*\}", "", pattern)
    parts = {*pattern.split("/")}
    unfit = bool(parts & {"", ".", "..", "**"}) or "{" in plain or "}" in plain
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
            expected="Csv(), FixedWidth({...}), JsonLines(), JsonDocument(), Xml(row=...), "
            "Parquet(), Orc() or Avro()",
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
    check_is_envelope(f"landing({pattern!r})", envelope)
    if envelope is not None and not isinstance(written, JsonLines | JsonDocument):
        raise DefinitionError(
            f"envelope= says nothing of {written.title}",
            where=f"landing({pattern!r})",
            expected="format=JsonLines() or JsonDocument()",
            next_step="leave envelope= out, and take the events apart in the function",
        )
    for name, pattern_of_date in (date_formats or {}).items():
        check_date_format(f"landing({pattern!r}), date_formats[{name!r}]", pattern_of_date)
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
        envelope=envelope,
        rest=rest,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFiles:
    """Landing files that are taken; `copies` are those seen and not loaded that the commit names.

    It names those that no commit does which the log keeps for long enough. `apart` are the columns
    that tell rows apart where the newest file counts, else none; `when` are the placeholders that
    say of when a file is. `removes` is the column that has
    rows leave the table, where that does not have it. `copied` makes the copies that Spark reads of
    files which it does not unpack.
    """

    name: str
    landing: Landing
    files: tuple[TakenFile, ...]
    copies: tuple[TakenFile, ...] = ()
    apart: tuple[str, ...] = ()
    when: tuple[str, ...] = (DAY,)
    removes: str | None = None
    copied: Copies | None = field(default=None, compare=False)

    @property
    def dataset(self) -> str:
        """The name lineage knows the folder by."""
        return self.landing.dataset

    @property
    def nothing_new(self) -> bool:
        """Whether no file came that was not taken."""
        return not self.files

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        return {"files": sorted(" ".join(filter(None, file.identity)) for file in self.files)}

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        return {
            "dataset": self.dataset,
            "files": [file.document() for file in self.files],
            "copies": [file.document() for file in self.copies],
        }

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:
        """The files' records as rows."""
        from penstock.assets.landing.frames import read_files

        arrived = read_files(spark, self, contract, strict=strict)
        self.refuse_other()  # Spark has listed them since they were looked at
        return arrived

    def refuse_other(self) -> None:
        """Raise InputError when a file is not what was looked at."""
        refuse_changed(self.files)
