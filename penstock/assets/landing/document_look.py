"""What is looked for in a JSON document: that it is one, and holds a list of objects."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.assets.landing.line_look import LineLook
from penstock.assets.landing.magic import refuse_other_text
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock.assets.landing.formats import JsonDocument

__all__ = ["DocumentLooker"]

_LARGEST = 32 << 20  # bytes: of it Python and a task of Spark hold some ten times as much
# what Spark's parser gives up at, and then gives nothing of the file
_MOST_DIGITS = 1000
_LONGEST_TEXT = 8 << 20
_DEEPEST = 400  # parts within parts
_HEAD = 1 << 16


_ONE_AT_A_TIME = Lock()


class _Twice(dict[str, Any]):
    """An object with a key that is there twice."""


@dataclass(slots=True)
class DocumentLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    written: JsonDocument
    _held: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file. Raises InputError for one that is too large."""
        self._held += chunk
        if len(self._held) > _LARGEST:
            raise self._refused(
                "the JSON document is too large to be read in one piece",
                f"more than {_LARGEST >> 20} MB",
                "have the sender write each record as an object on a line of its own",
            )

    def look(self) -> LineLook:
        """What was found. Raises InputError for what is none, or holds no list of objects.

        One record that is none cannot be set aside: the parser then gives nothing of the others.
        """
        with _ONE_AT_A_TIME:
            return self._look()

    def _look(self) -> LineLook:
        content = bytes(self._held).removeprefix(codecs.BOM_UTF8)
        self._held.clear()
        refuse_other_text(self.name, content[:_HEAD], "a JSON document", expected=self._expected)
        try:
            document = json.loads(
                content.decode(),
                object_pairs_hook=_object,
                parse_constant=_no_number,
                parse_float=_number,
                parse_int=_number,
            )
            if b"\\u" in content:
                # of half a character Spark makes nothing, of none of the records
                json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise self._refused(
                "a text of the document has half of a character",
                r"a \ud800 to \udfff alone",
                "have the sender write whole characters; nothing of it was loaded",
            ) from None
        except (ValueError, RecursionError) as error:
            where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise self._refused(
                "the file is no JSON document, or ends too early",
                f"{type(error).__name__}{where}" if content.strip() else "nothing",
                "have the file sent again; nothing of it was loaded",
            ) from None
        try:
            self._check(document)
        except RecursionError as error:
            mend = "have the sender write it with fewer parts within parts"
            raise self._refused("the document is nested too deep", "", mend) from error
        return LineLook(decodes=True)

    def _check(self, document: object) -> None:
        mend = "correct JsonDocument(records=...), or have the sender mend the file"
        for name in self.written.path:
            if isinstance(document, _Twice):
                raise self._refused("an object of the document has a key twice", name, mend)
            if not isinstance(document, dict) or name not in document:
                raise self._refused("the document has no such list of records", f"no {name}", mend)
            document = document[name]
        if not isinstance(document, list):
            raise self._refused("the document's records are no list", _kind(document), mend)
        for number, record in enumerate(document, 1):
            if not isinstance(record, dict):
                found = f"record {number} is {_kind(record)}"
                raise self._refused("a record of the document is no object", found, mend)
            for part in (part for value in record.values() for part in _parts(value)):
                if isinstance(part, _Twice):
                    found = f"record {number}, in an object within it"
                    raise self._refused("an object of the document has a key twice", found, mend)
                if isinstance(part, str) and len(part) > _LONGEST_TEXT:
                    found = f"record {number}, more than {_LONGEST_TEXT:,} characters"
                    raise self._refused("a text of the document is too long", found, mend)

    @property
    def _expected(self) -> str:
        where = f"in {self.written.records}" if self.written.records else "in brackets"
        return f"a JSON document in UTF-8 with a list of objects {where}"

    def _refused(self, what: str, found: str, mend: str) -> InputError:
        return InputError(
            what, where=self.name, expected=self._expected, found=found or None, next_step=mend
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    json.dumps([part for _, part in pairs], ensure_ascii=False).encode()  # those that are left out
    return _Twice(made)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _number(text: str) -> str:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number of too many digits")
    return text


def _parts(value: object, depth: int = 0) -> Iterator[object]:
    """The value, and all that is within it. Raises RecursionError where that is too deep."""
    if depth > _DEEPEST:
        raise RecursionError
    yield value
    match value:
        case dict():
            within: Iterable[object] = value.values()
        case list():
            within = value
        case _:
            return
    for part in within:
        yield from _parts(part, depth + 1)


def _kind(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "null"
        case bool():
            return "true or false"
        case _:
            return "a text or number"
