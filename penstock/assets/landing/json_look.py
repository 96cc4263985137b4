"""What is looked for in a file of JSON lines: that it is text, and bytes that are not UTF-8."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.landing.magic import refuse_other_text
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JsonLook", "JsonLooker"]

_LONGEST = 1 << 16  # of the beginning
_OBJECT = re.compile(rb"^[\x00-\x20]*\{", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLook:
    """What a file of JSON lines is like."""

    decodes: bool  # False: some bytes are not UTF-8, the lines with them are set aside

    def findings(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {"decodes": self.decodes}

    @classmethod
    def of_findings(cls, findings: Mapping[str, Any]) -> Self:
        """The look of which these are the `findings`."""
        return cls(**findings)


@dataclass(slots=True)
class JsonLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=codecs.getincrementaldecoder("utf-8")
    )
    _head: bytes = b""
    _decodes: bool = True
    _blank: bool = True

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self._head += chunk[: _LONGEST - len(self._head)]
        self._blank = self._blank and not chunk.removeprefix(codecs.BOM_UTF8).strip()
        self._decode(chunk)

    def look(self) -> JsonLook:
        """What was found. Raises InputError for what is no text or holds nothing."""
        self._decode(b"", final=True)
        refuse_other_text(
            self.name,
            self._head,
            "JSON lines",
            expected="a JSON object on each line, in UTF-8, or the same with gzip as .json.gz",
        )
        if self._blank:
            raise InputError(
                "the file is empty",
                where=self.name,
                expected="a JSON object on each line",
                found="nothing",
                next_step="have the file sent again, or remove it from landing",
            )
        first = self._head.removeprefix(codecs.BOM_UTF8).lstrip()
        # one broken line is set aside; where no line is an object it is another kind of file
        if first.startswith(b"[") or not _OBJECT.search(first):
            raise InputError(
                "the file is no list of JSON objects, one to a line",
                where=self.name,
                expected="a JSON object on each line, which begins with {",
                found="a JSON document in brackets" if first.startswith(b"[") else "other text",
                next_step="have the sender write each record as an object on a line of its own",
            )
        return JsonLook(decodes=self._decodes)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            if self._decodes:
                self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self._decodes = False
