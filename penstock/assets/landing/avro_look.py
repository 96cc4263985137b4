"""What is looked for in an Avro file: its schema, and that its blocks go on to the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.assets.landing.columnar_look import ColumnarLook
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AvroLooker"]

_MAGIC = b"Obj\x01"
_MARK = 16  # bytes behind the header and each block, the same in all of a file
_LONGEST_HEADER = 8 << 20
_LONGEST_NUMBER = 10  # bytes of a long
_MORE = 0x80  # the bit of a byte that says that the number goes on


class _Short(Exception):  # noqa: N818 - more is to come, or the file is cut off
    """What was fed ends within what is read."""


@dataclass(slots=True)
class AvroLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    _held: bytearray = field(default_factory=bytearray)
    _skip: int = 0  # bytes of a block that are still to come
    _schema: str | None = None
    _mark: bytes = b""
    _head: bytes = b""
    _tail: bytearray = field(default_factory=bytearray)
    _empty: bool = False  # whether the last block had no record

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file. Raises InputError for what is none."""
        self._head += chunk[: len(_MAGIC) - len(self._head)]
        if not _MAGIC.startswith(self._head):
            raise self._refused("the file is not Avro", "other bytes")
        self._held += chunk
        if self._schema is None and not self._read_header():
            if len(self._held) > _LONGEST_HEADER:
                raise self._damaged("a header without an end")
            return
        while self._skip_block():
            pass

    def look(self) -> ColumnarLook:
        """What was found. Raises InputError for a file that is another, damaged or cut off."""
        if not self._head:
            raise self._refused("the file is empty", "nothing")
        if self._schema is None or self._held or self._skip:
            raise self._damaged("an end in the middle")
        return ColumnarLook(schema=self._schema, nanos=(), local=(), empty=())

    def _read_header(self) -> bool:
        """Whether all of the header has been fed; what it says is kept then."""
        try:
            said, at = _map(self._held, len(_MAGIC))
            self._mark, at = _bytes(self._held, at, _MARK)
        except _Short:
            return False
        except ValueError as error:
            raise self._damaged("a header that is none") from error
        try:
            schema = json.loads(said.get("avro.schema", b""))
        except (ValueError, RecursionError) as error:
            raise self._damaged("no schema in its header that can be read") from error
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise self._refused("the file's values are no records", "another schema")
        try:
            name = _within_itself(schema, ())
        except RecursionError as error:
            raise self._damaged("no schema in its header that can be read") from error
        if name:
            raise self._refused(
                "a record of the file holds itself, which Spark does not read", name
            )
        self._schema = json.dumps(schema, sort_keys=True)
        del self._held[:at]
        return True

    def _skip_block(self) -> bool:
        """Whether a block, or what was fed of one, was passed over."""
        if self._skip:
            passed = min(self._skip, len(self._held))
            # the last of what is skipped is the mark
            self._tail = (self._tail + self._held[:passed])[-_MARK:]
            del self._held[:passed]
            self._skip -= passed
            if self._skip:
                return False
            if bytes(self._tail) != self._mark:
                raise self._damaged("a block that ends otherwise")
        elif self._held:
            try:
                count, at = _long(self._held, 0)
                size, at = _long(self._held, at)
            except _Short:
                return False
            except ValueError as error:
                raise self._damaged("a block that is none") from error
            if count < 0 or size < 0:
                raise self._damaged("a block that is none")
            if count == 0 and self._empty:
                # Spark reads nothing of what is behind them, and does not say so
                raise self._refused("two blocks without a record follow each other", "0 records")
            self._empty = count == 0
            del self._held[:at]
            self._skip = size + _MARK
        else:
            return False
        return True

    def _damaged(self, found: str) -> InputError:
        return InputError(
            "the Avro file is damaged or ends too early",
            where=self.name,
            expected="a header with a schema, and whole blocks",
            found=found,
            next_step="have the file sent again; nothing of it was loaded",
        )

    def _refused(self, what: str, found: str) -> InputError:
        return InputError(
            what,
            where=self.name,
            expected="an Avro object container file of records",
            found=found,
            next_step="have the file sent again, or say what it is: landing(format=...)",
        )


def _within_itself(schema: object, around: tuple[str, ...]) -> str | None:
    """The name of a type that is used within its own definition; None where none is."""
    match schema:
        case str():
            return schema if schema in around else None
        case list():
            parts: list[object] = schema
        case {"type": "record", "fields": list(fields), **more}:
            around = (*around, str(more.get("name")))
            parts = [field.get("type") for field in fields if isinstance(field, dict)]
        case {"items": part} | {"values": part} | {"type": (dict() | list()) as part}:
            parts = [part]
        case _:
            return None
    return next(filter(None, (_within_itself(part, around) for part in parts)), None)


def _long(held: bytearray, at: int) -> tuple[int, int]:
    """(The number at a place, the place behind it). Raises ValueError for what is none."""
    value = 0
    for n in range(_LONGEST_NUMBER):
        if at + n >= len(held):
            raise _Short
        byte = held[at + n]
        value |= (byte % _MORE) << (7 * n)
        if byte < _MORE:
            return (value >> 1) ^ -(value & 1), at + n + 1
    raise ValueError("a number without an end")


def _bytes(held: bytearray, at: int, size: int) -> tuple[bytes, int]:
    if size < 0:
        raise ValueError("a negative size")
    if at + size > len(held):
        raise _Short
    return bytes(held[at : at + size]), at + size


def _map(held: bytearray, at: int) -> tuple[Mapping[str, bytes], int]:
    """A map of bytes, written in blocks of which the last has no entry."""
    said: dict[str, bytes] = {}
    while True:
        count, at = _long(held, at)
        if count < 0:  # its size in bytes follows
            _, at = _long(held, at)
        if count == 0:
            return said, at
        for _ in range(abs(count)):
            size, at = _long(held, at)
            key, at = _bytes(held, at, size)
            size, at = _long(held, at)
            said[key.decode()], at = _bytes(held, at, size)
