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
        return parquet.read_schema(source)


def _all_paths(schema: pa.Schema, sought: Callable[[pa.DataType], bool]) -> tuple[str, ...]:
    return tuple(path for field in schema for path in _paths(field.name, field.type, sought))


def _paths(path: str, kind: pa.DataType, sought: Callable[[pa.DataType], bool]) -> Iterator[str]:
    """The paths within `path` of types that are sought, named as Spark names them."""
    from pyarrow import types

    if sought(kind):
        yield path
    elif types.is_map(kind):
        yield from _paths(f"{path}.value", kind.item_type, sought)
    elif types.is_nested(kind):
        listed = not types.is_struct(kind)
        for number in range(kind.num_fields):
            field = kind.field(number)
            yield from _paths(f"{path}.{'element' if listed else field.name}", field.type, sought)
