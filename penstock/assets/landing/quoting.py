"""Where the records of a CSV file end: what its quotes do, by RFC 4180, seen in one pass.

A cell is quoted when its first character is a quote; a quote elsewhere is text. A quoted cell ends
at the next quote that is not doubled, and may hold line ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Quoting", "record_pattern"]

_OPENS = re.compile(rb'(?<=[,\r\n])"')
# each with its beginning in plain letters, which is looked for much faster
_GO_ON = [re.compile(start + rb'""(?:"")*[^",\r\n]') for start in (b",", b"\r", b"\n")]
_LF, _CR, _QUOTE = b'\n\r"'
_DELIMITER = np.isin(np.arange(256), list(b",\r\n"))
_CELL = r'(?:"[^"]*+(?:""[^"]*+)*+"|[^",][^,]*+|)'
_BOM = b"\xef\xbb\xbf"


def record_pattern(cells: int) -> str:
    """The regular expression, Java's, of a whole record of so many cells."""
    return rf"\A(?:{_CELL},){{{cells - 1}}}{_CELL}\z"


@dataclass(slots=True)
class Quoting:
    """Fed with the content in order and closed, it says how the file must be read."""

    spans_lines: bool = False  # a record holds a line end
    goes_on: bool = False  # a quoted cell has text behind its closing quote
    unclosed: int | None = None  # the line of the quote that is open at the end of the file
    _begun: bool = False
    _rest: bytes = b""  # not judged yet
    _before: bytes = b"\n"  # the last byte that was
    _line: int = 1
    _inside: bool = False
    _opened: int = 0
    _ends: dict[bytes, int] = field(default_factory=dict)

    @property
    def separator(self) -> str | None:
        """What ends the records; a CR before a LF belongs to it. None: not the same everywhere."""
        ends = {end for end, times in self._ends.items() if times}
        if b"\r" not in ends:
            return "\n"
        return "\r" if ends == {b"\r"} else None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        data = self._rest + chunk
        if not self._begun:
            self._rest, self._begun = data, len(data) >= len(_BOM)
            if not self._begun:
                return
            data = data.removeprefix(_BOM)
        # in whole lines nothing is open at the end, unless a quote says so
        end = 0 if self._inside else data.rfind(b"\n") + 1
        end = end or len(data) - data.endswith(b"\r")
        self._rest = self._judge(data[:end]) + data[end:]

    def close(self) -> None:
        """The file has ended."""
        if self._judge(self._rest):  # a quote that nothing follows
            self._inside = False
        self._rest = b""
        self.unclosed = self._opened if self._inside else None

    def _judge(self, data: bytes) -> bytes:
        """Take `data` in; the last quote is given back if what follows it decides."""
        if not data:
            return data
        lines = self._count(data, 1)
        undecided = False
        if self._inside or b'"' in data:
            seen = self._before + data
            # without a line end at the end a cell may go on
            if self._inside or not data.endswith(b"\n") or not _are_records(seen):
                undecided = self._walk(seen)
        self._line += lines
        taken = data[:-1] if undecided else data
        self._before = taken[-1:] or self._before
        return data[-1:] if undecided else b""

    def _walk(self, data: bytes) -> bool:
        """Follow the quotes of `data[1:]`; whether the last is one of which the next decides."""
        place = 1
        opened = self._opened
        while True:
            if not self._inside:
                opening = _OPENS.search(data, place)
                if opening is None:
                    return False
                place = opening.end()
                self._inside, opened = True, -place
            closing = data.find(b'"', place)
            inside = data[place:] if closing < 0 else data[place:closing]
            if b"\n" in inside or b"\r" in inside:
                self.spans_lines = True
                self._count(inside, -1)
            after = data[closing + 1 : closing + 2]
            if closing < 0 or not after:
                if opened < 0:
                    self._opened = self._line + _line_ends(data[1:-opened])
                return closing >= 0
            place = closing + 1
            if after == b'"':
                place += 1
                continue
            self._inside = False
            self.goes_on |= after not in b",\r\n"

    def _count(self, data: bytes, sign: int) -> int:
        """Count the line ends of `data`, with -1 take them off again; how many there are."""
        cr = data.count(b"\r") if b"\r" in data else 0
        both = data.count(b"\r\n") if cr else 0
        counts = {b"\r\n": both, b"\n": data.count(b"\n") - both, b"\r": cr - both}
        for end, times in counts.items():
            self._ends[end] = self._ends.get(end, 0) + sign * times
        return sum(counts.values())


def _are_records(lines: bytes) -> bool:
    """Whether each line is a record, and each quote opens a cell, ends one or is doubled.

    The first byte stands before the lines. True is certain; False is for `_walk` to look into.
    """
    text = np.frombuffer(lines.replace(b'""', b""), dtype=np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes) % 2 or text[0] == _QUOTE:
        return False
    ends = np.flatnonzero((text == _LF) | (text == _CR))
    return bool(
        _DELIMITER[text[quotes[::2] - 1]].all()
        and _DELIMITER[text[quotes[1::2] + 1]].all()
        and not (np.searchsorted(quotes, ends) % 2).any()
        and not any(pattern.search(lines) for pattern in _GO_ON)
    )


def _line_ends(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
