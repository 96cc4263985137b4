"""What is looked for in a file of columns, Parquet or ORC: its footer, which says its schema."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.landing.formats import Orc, Parquet
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

__all__ = ["ColumnarLook", "ColumnarLooker"]

_LONGEST_FOOTER = 64 << 20
_NOT_SPARKS = ("BROTLI", "LZO", "BYTE_STREAM_SPLIT")
_MOST_DIGITS = 38
_BEGINS: Mapping[type, bytes] = {Parquet: b"PAR1", Orc: b"ORC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnarLook:
    """What a file of columns is like. Files of the same `schema`, a text, are read as one."""

    schema: str
    nanos: tuple[str, ...]  # the paths, a.element.b, of times in nanoseconds
    local: tuple[str, ...]  # those of them that say no zone
    empty: tuple[str, ...]  # and of columns without a type, which hold nothing but NULL

    def findings(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {
            "schema": self.schema,
            "nanos": list(self.nanos),
            "local": list(self.local),
            "empty": list(self.empty),
        }

    @classmethod
    def of_findings(cls, findings: Mapping[str, Any]) -> Self:
        """The look of which these are the `findings`."""
        return cls(
            schema=findings["schema"],
            nanos=tuple(findings["nanos"]),
            local=tuple(findings["local"]),
            empty=tuple(findings["empty"]),
        )


@dataclass(slots=True)
class ColumnarLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    written: Parquet | Orc
    _head: bytes = b""
    _tail: deque[bytes] = field(default_factory=deque)
    _kept: int = 0  # bytes of the tail

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self._head = self._head or chunk[:4]
        self._tail.append(chunk)
        self._kept += len(chunk)
        while self._kept - len(self._tail[0]) >= _LONGEST_FOOTER:
            self._kept -= len(self._tail.popleft())

    def look(self) -> ColumnarLook:
        """What was found. Raises InputError for a file that is another, damaged or cut off."""
        begins, title = _BEGINS[type(self.written)], self.written.title
        if not self._head.startswith(begins):
            raise InputError(
                f"the file is not {title}" if self._head else "the file is empty",
                where=self.name,
                expected=f"a file that begins with {begins.decode()}",
                found="other bytes" if self._head else "nothing",
                next_step="have the file sent again, or say what it is: landing(format=...)",
            )
        from pyarrow import ArrowException

        try:
            schema = self._schema()
            self._refuse_unread({f"{p}: {kind}" for p, kind in _wide_decimals(schema)})
        except (ArrowException, OSError) as error:
            raise InputError(
                f"the {title} file is damaged or ends too early",
                where=self.name,
                expected="a footer at its end that can be read",
                found=type(error).__name__,
                next_step="have the file sent again; nothing of it was loaded",
            ) from error
        return ColumnarLook(
            schema=schema.remove_metadata().to_string(),
            nanos=_all_paths(schema, lambda kind: str(kind).startswith("timestamp[ns")),
            local=_all_paths(schema, lambda kind: str(kind) == "timestamp[ns]"),
            empty=_all_paths(schema, lambda kind: str(kind) == "null"),
        )

    def _schema(self) -> pa.Schema:
        from pyarrow import BufferReader, orc, parquet

        source = BufferReader(b"".join(self._tail))
        if isinstance(self.written, Orc):
            return orc.ORCFile(source).schema
        footer = parquet.read_metadata(source)
        self._refuse_unread({*_unread(footer)})
        return footer.schema.to_arrow_schema()

    def _refuse_unread(self, found: set[str]) -> None:
        """Raise InputError for what Spark would stumble over."""
        if found:
            raise InputError(
                "the file is written in a way that Spark does not read",
                where=self.name,
                expected="columns in Snappy, gzip, Zstandard or LZ4, in encodings of Parquet 1 and "
                "2.0, and decimals of up to 38 digits",
                found=", ".join(sorted(found)),
                next_step="have the sender write it otherwise; nothing of the file was loaded",
            )


def _unread(footer: Any) -> Iterator[str]:
    """What is compressed or encoded as Spark does not read it, `column: how`."""
    for group in range(footer.num_row_groups):
        for number in range(footer.num_columns):
            column = footer.row_group(group).column(number)
            for how in (column.compression, *column.encodings):
                if how in _NOT_SPARKS:
                    yield f"{column.path_in_schema}: {how}"


def _wide_decimals(schema: pa.Schema) -> Iterator[tuple[str, str]]:
    """(Path, type) of decimals of more digits than Spark has."""
    from pyarrow import types

    for column in schema:
        for path, kind in _kinds(column.name, column.type):
            if types.is_decimal(kind) and kind.precision > _MOST_DIGITS:
                yield path, str(kind)


def _all_paths(schema: pa.Schema, sought: Callable[[pa.DataType], bool]) -> tuple[str, ...]:
    return tuple(path for field in schema for path in _paths(field.name, field.type, sought))


def _paths(path: str, kind: pa.DataType, sought: Callable[[pa.DataType], bool]) -> Iterator[str]:
    """The paths within `path` of types that are sought, named as Spark names them."""
    yield from (part for part, found in _kinds(path, kind) if sought(found))


def _kinds(path: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    """The type at the path, and those within it, each with its path."""
    from pyarrow import types

    yield path, kind
    if types.is_map(kind):
        yield from _kinds(f"{path}.value", kind.item_type)
    elif types.is_nested(kind):
        listed = not types.is_struct(kind)
        for number in range(kind.num_fields):
            field = kind.field(number)
            yield from _kinds(f"{path}.{'element' if listed else field.name}", field.type)
