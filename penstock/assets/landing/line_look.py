"""What is looked for in a file whose lines are records: that it is text, of the right encoding."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.landing.formats import FixedWidth, JsonLines
from penstock.assets.landing.magic import refuse_other_text
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LineLook", "LineLooker"]

_LONGEST = 1 << 16  # of the beginning
_OBJECT = re.compile(rb"^[\x00-\x20]*\{", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLook:
    """What a file of lines is like."""

    decodes: bool  # False: some bytes are not of the encoding, the lines with them are set aside

    def findings(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {"decodes": self.decodes}

    @classmethod
    def of_findings(cls, findings: Mapping[str, Any]) -> Self:
        """The look of which these are the `findings`."""
        return cls(**findings)


@dataclass(slots=True)
class LineLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    written: FixedWidth | JsonLines
    _decoder: codecs.IncrementalDecoder = field(init=False)
    _head: bytes = b""
    _decodes: bool = True
    _blank: bool = True

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self.written.encoding)()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self._head += chunk[: _LONGEST - len(self._head)]
        self._blank = self._blank and not chunk.removeprefix(codecs.BOM_UTF8).strip()
        self._decode(chunk)

    def look(self) -> LineLook:
        """What was found. Raises InputError for what is no text of the format, or holds nothing."""
        self._decode(b"", final=True)
        expected = (
            f"lines of {self.written.width} characters"
            if isinstance(self.written, FixedWidth)
            else "a JSON object on each line, which begins with {"
        )
        refuse_other_text(
            self.name,
            self._head,
            self.written.title,
            expected=f"{expected}, in {self.written.encoding}, or the same with gzip as .gz",
        )
        if self._blank:
            raise InputError(
                "the file is empty",
                where=self.name,
                expected=expected,
                found="nothing",
                next_step="have the file sent again, or remove it from landing",
            )
        first = self._head.removeprefix(codecs.BOM_UTF8).lstrip()
        # one broken line is set aside; where no line is an object it is another kind of file
        if isinstance(self.written, JsonLines) and (
            first.startswith(b"[") or not _OBJECT.search(first)
        ):
            raise InputError(
                "the file is no list of JSON objects, one to a line",
                where=self.name,
                expected=expected,
                found="a JSON document in brackets" if first.startswith(b"[") else "other text",
                next_step="say landing(format=JsonDocument()), or have the sender write each "
                "record as an object on a line of its own",
            )
        return LineLook(decodes=self._decodes)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            if self._decodes:
                self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self._decodes = False
