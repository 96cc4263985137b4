"""What is looked for in lines of fixed width: that they are text, in the encoding agreed on."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.landing.magic import refuse_other_text
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.landing.formats import FixedWidth

__all__ = ["FixedLook", "FixedLooker"]

_LONGEST = 1 << 16  # of the beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedLook:
    """What a file of fixed width is like."""

    decodes: bool  # False: some bytes are not of the encoding, the lines with them are set aside

    def findings(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {"decodes": self.decodes}

    @classmethod
    def of_findings(cls, findings: Mapping[str, Any]) -> Self:
        """The look of which these are the `findings`."""
        return cls(**findings)


@dataclass(slots=True)
class FixedLooker:
    """Fed with the content in order, it says what the file is like."""

    name: str
    written: FixedWidth
    _decoder: codecs.IncrementalDecoder = field(init=False)
    _head: bytes = b""
    _decodes: bool = True
    _blank: bool = True

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self.written.encoding)()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self._head += chunk[: _LONGEST - len(self._head)]
        self._blank = self._blank and not chunk.strip()
        self._decode(chunk)

    def look(self) -> FixedLook:
        """What was found. Raises InputError for what is no text or holds nothing."""
        self._decode(b"", final=True)
        refuse_other_text(
            self.name,
            self._head,
            self.written.title,
            expected=f"text in {self.written.encoding}, or the same with gzip as .gz",
        )
        if self._blank:
            raise InputError(
                "the file is empty",
                where=self.name,
                expected=f"lines of {self.written.width} characters",
                found="nothing",
                next_step="have the file sent again, or remove it from landing",
            )
        return FixedLook(decodes=self._decodes)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            if self._decodes:
                self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self._decodes = False
