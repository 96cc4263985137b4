"""What landing(...) says of files, held against the contract when the dataset is defined."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock.assets.landing.cell import EPOCHS
from penstock.assets.landing.envelope import check_envelope
from penstock.assets.landing.file_pattern import DAY
from penstock.assets.landing.formats import Csv, FixedWidth, JsonDocument, JsonLines, Xml
from penstock.assets.modes import Merge
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.files import Landing

__all__ = [
    "check_date_format",
    "check_date_formats",
    "check_json",
    "check_landing",
    "check_renamed",
    "check_rest",
]

_DATES = ("date", "timestamp")
_FILE_FACTS = {"name": ("string",), "modified": ("timestamp",), DAY: ("date",)}
_FINER = "SSSSSSS"
_PLACEHOLDER = ("string", "tinyint", "smallint", "int", "bigint", "date")
_NOT_JSON = re.compile(r"\bbinary\b|map<(?!string,)")
_NESTED = ("array<", "map<", "struct<", "variant")


def check_landing(spec: Dataset, name: str, landed: Landing, where: str) -> None:
    """Raise DefinitionError where what landing(...) says fits not the contract or the format."""
    check_date_formats(spec, landed.date_formats, landed.added, where)
    _check_names(spec, name, landed, where)
    cells: tuple[str, ...] = ()
    if isinstance(landed.format, Csv):
        cells = tuple(landed.format.columns)
    elif isinstance(landed.format, FixedWidth):
        cells = tuple(cell for cell, _, _ in landed.format.columns)
    lacking = [
        c.name
        for c in spec.arriving.columns
        if cells and c.name not in {*landed.added, *landed.optional, *map(landed.column_of, cells)}
    ]
    if lacking:
        raise DefinitionError(
            f"input {name} cannot give the column: no cell of its files is called so",
            where=f"{where}, {type(landed.format).__name__}(columns=...)",
            expected=", ".join(c.name for c in spec.arriving.columns if c.name not in landed.added),
            found=f"without {', '.join(lacking)}",
            next_step="name the cells as the contract does, in the order of the files; or name the "
            "column in landing(derived=...) if the function adds it",
        )
    others = [*landed.derived, *dict(landed.file_columns), *(c for _, c in landed.names)]
    beside = landed.envelope.paths if landed.envelope else {}
    check_rest(spec, landed.rest, {*others, *beside}, where)
    if landed.rest is not None and isinstance(landed.format, FixedWidth):
        raise DefinitionError(
            "rest= says nothing of lines of fixed width, whose cells are all named",
            where=where,
            next_step="leave rest= out",
        )
    if isinstance(landed.format, JsonLines | JsonDocument):
        check_json(spec, name, landed.added, "landing")
    if landed.envelope is not None:
        check_envelope(spec, name, landed.envelope, frozenset(others), where)
        if isinstance(spec.write, Merge) and spec.write.order_by is None:
            raise DefinitionError(
                f"nobody knows which event of a key is the newest: the files of input {name} do "
                "not say their order",
                where=where,
                expected="Merge(order_by=...), a number that grows with each event",
                next_step="name it in envelope(columns={'seq': 'source.lsn'}), and in order_by=",
            )
    if isinstance(landed.format, Xml):
        _check_xml(spec, landed, where)
    if not isinstance(landed.format, Csv | FixedWidth | Xml):
        return
    for column in spec.arriving.columns:
        if column.name not in landed.added and column.type.startswith(_NESTED):
            raise DefinitionError(
                f"input {name} cannot give the column: a cell of text holds one value",
                where=f"contract {spec.contract.__name__}.{column.name}",
                expected="a type without parts",
                found=column.type,
                next_step="load the text into a dataset with a str column and take it apart in the "
                "next one; or name the column in landing(derived=...) if the function adds it",
            )


def _check_xml(spec: Dataset, landed: Landing, where: str) -> None:
    """Of a record only its elements and its own attributes are columns, and there is no rest."""
    inner = [sent for sent, _ in landed.names if "@" in sent[1:] or sent.startswith("#")]
    sent = [landed.sent_as(c.name) for c in spec.arriving.columns if c.name not in landed.added]
    folded = [name.casefold() for name in sent]
    inner += [name for name in sent if folded.count(name.casefold()) > 1]
    if inner or landed.rest is not None or landed.optional:
        raise DefinitionError(
            "landing(...) says of XML what it cannot be",
            where=where,
            expected="names= of elements and of attributes of the record, @id; an element may "
            "always be missing, and those that nobody asked for are left out or refused",
            found=", ".join(inner) or ("rest=" if landed.rest is not None else "optional="),
            next_step="leave it out",
        )


def _check_names(spec: Dataset, name: str, landed: Landing, where: str) -> None:
    """What landing(...) says of columns must be of columns that there are, and of each once."""
    beside = landed.envelope.paths if landed.envelope else {}
    of_files = [c.name for c in spec.arriving.columns if c.name not in {*landed.added, *beside}]
    check_renamed(of_files, landed.names, where)
    said = {
        "optional": [*landed.optional],
        "names": [column for _, column in landed.names],
        "file_columns": [column for column, _ in landed.file_columns],
    }
    kinds = {c.name: c.type for c in spec.arriving.columns}
    for option, columns in said.items():
        for column in columns:
            if column not in kinds or columns.count(column) > 1 or column in landed.derived:
                raise DefinitionError(
                    f"{option}= of input {name} names no column of its files, or one twice",
                    where=where,
                    expected=f"columns of {spec.model.name}, each once: {', '.join(kinds)}",
                    found=column,
                    next_step="name the column as the contract does",
                )
    for column in landed.optional:
        if not next(c.nullable for c in spec.arriving.columns if c.name == column):
            raise DefinitionError(
                f"a file of input {name} may lack a column that must have a value",
                where=f"contract {spec.contract.__name__}.{column}",
                expected="column(nullable=True)",
                next_step="let the column be NULL, or leave it out of optional=",
            )
    for column, fact in landed.file_columns:
        there = fact in ("name", "modified", *landed.files.placeholders)
        if not there or kinds[column] not in _FILE_FACTS.get(fact, _PLACEHOLDER):
            raise DefinitionError(
                f"file_columns= of input {name} cannot give the column",
                where=f"contract {spec.contract.__name__}.{column}",
                expected='"name" for str, "modified" for datetime, "day" for date, any other '
                "placeholder of the pattern for str, a whole number or date",
                found=f"{fact!r} for {kinds[column]}",
                next_step="give the column the type of what it says",
            )


def check_json(spec: Dataset, name: str, added: frozenset[str], kind: str) -> None:
    """Raise DefinitionError for a column that no JSON has a value for; `added` are not of it."""
    for column in spec.arriving.columns:
        if column.name not in added and _NOT_JSON.search(column.type):
            raise DefinitionError(
                f"input {name} cannot give the column: JSON has no values of its type",
                where=f"contract {spec.contract.__name__}.{column.name}",
                expected="a type without bytes, and maps with str keys alone",
                found=column.type,
                next_step="load the text into a str column and decode it in the next dataset; or "
                f"name the column in {kind}(derived=...) if the function adds it",
            )


def check_rest(spec: Dataset, rest: str | None, taken: Collection[str], where: str) -> None:
    """Raise DefinitionError where the rest of a record has no column of text of its own."""
    column = spec.model.column(rest) if rest is not None else None
    personal = any(c.pii and not c.masked for c in spec.model.columns)
    if column is not None and personal and column.pii is None:
        raise DefinitionError(
            "the rest of a record may be personal data, as the record is, and is told to be none",
            where=f"contract {spec.contract.__name__}.{rest}",
            expected="a class of personal data, and its clearance",
            next_step="write column(nullable=True, pii=Pii.FREE_TEXT), and it in cleared=",
        )
    if rest is None or (
        column and column.type == "string" and column.nullable and rest not in taken
    ):
        return
    raise DefinitionError(
        "rest= names no column of its own for what the contract does not name",
        where=where,
        expected="a column of the contract, a str that may be NULL, that nothing else gives",
        found=f"{rest} {column.type}" if column else repr(rest),
        next_step="write more: str = column(nullable=True) in the contract, and rest='more'",
    )


def check_renamed(known: Iterable[str], names: tuple[tuple[str, str], ...], where: str) -> None:
    """Raise DefinitionError where what is sent under one name would be two columns."""
    sent = dict(names)
    both = [name for name in sent if name in known and name not in sent.values()]
    if both:
        raise DefinitionError(
            "names= gives one that the sender uses to two columns",
            where=where,
            expected="names that the contract does not have, or that are renamed too",
            found=", ".join(f"{name}, which is also sent as {sent[name]}" for name in both),
            next_step="say what the sender calls the other column, or name it in derived=",
        )


def check_date_formats(
    spec: Dataset, formats: tuple[tuple[str, str], ...], added: frozenset[str], where: str
) -> None:
    """Raise DefinitionError for a format of a column that no record has, or that is no date."""
    for named, _ in formats:
        column = spec.arriving.column(named)
        if column is None or named in added or column.type not in _DATES:
            dates = [c.name for c in spec.arriving.columns if c.type in _DATES]
            raise DefinitionError(
                "date_formats= names no date or datetime column of what is sent",
                where=where,
                expected=f"one of {', '.join(dates)}" if dates else "a contract with such a column",
                found=named,
                next_step="name the column as the contract does",
            )


def check_date_format(where: str, written: object) -> None:
    """Raise DefinitionError for a pattern that cannot say a day, or that Spark cannot read by."""
    if written in EPOCHS:
        return
    pattern = re.sub(r"'[^']*'", "", written) if isinstance(written, str) else ""
    letters = {*pattern}
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
            expected="one of Spark's datetime patterns with year, month and day, like dd.MM.yyyy; "
            f"or one of {', '.join(EPOCHS)} for whole numbers since 1970",
            found=f"{written!r}, without {', '.join(lacks)}" if lacks else repr(written),
            next_step="see Spark's documentation of datetime patterns",
        )
    if _FINER in pattern:
        raise DefinitionError(
            "a datetime has microseconds, and the pattern more digits, which would be cut",
            where=where,
            expected="at most SSSSSS",
            found=repr(written),
            next_step="have the sender write microseconds; ISO 8601, for which no pattern is "
            "needed, may have more digits where they are 0",
        )
