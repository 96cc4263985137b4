"""Where the records of a CSV file end: what its quotes do, by RFC 4180, seen in one pass.

A cell is quoted when its first character is a quote; a quote elsewhere is text. A quoted cell ends
at the next quote that is not doubled, and may hold line ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Self

import numpy as np

from penstock.assets.landing.formats import Csv

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Quoting", "record_pattern"]

_LF, _CR = b"\n\r"
_BOM = b"\xef\xbb\xbf"


def record_pattern(cells: int, written: Csv) -> str:
    """The regular expression, Java's, of a whole record of so many cells."""
    delimiter, quote, escape = map(_hex, (written.delimiter, written.quote, written.escapes))
    if written.quote is None:
        cell = rf"[^{delimiter}]*+"
    else:
        inside = rf"[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+"
        if written.escapes:
            inside = rf"[^{quote}{escape}]*+(?:{escape}[\s\S][^{quote}{escape}]*+)*+"
        plain = rf"[^{delimiter}]"
        if written.escapes:
            # outside of quotes some programs write it twice, or before a quote, and some do not
            plain = rf"(?:[^{delimiter}{escape}]|{escape}(?![{escape}{quote}]))"
        cell = rf"(?:{quote}{inside}{quote}|(?!{quote}){plain}*+)"
    return rf"\A(?:{cell}{delimiter}){{{cells - 1}}}{cell}\z"


def _hex(sign: str | None) -> str:
    return f"\\x{ord(sign):02x}" if sign else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """What the characters of a dialect do, as bytes and ready to be looked for."""

    quote: bytes  # empty: none
    doubled: bytes  # a quote within a quoted cell; empty where another character stands before it
    escape: bytes  # that character; empty: none
    comment: bytes  # empty: none
    ends: bytes  # what ends a cell
    ending: np.ndarray  # the same, by the byte's number
    opens: re.Pattern[bytes]  # a quoted cell, or a comment
    go_on: Sequence[re.Pattern[bytes]]

    @classmethod
    def of(cls, written: Csv) -> Self:
        delimiter = written.delimiter.encode()
        quote, escape = (
            sign.encode() if sign else b"" for sign in (written.quote, written.escapes)
        )
        comment = (written.comment or "").encode()
        ends = delimiter + b"\r\n"
        q, e, among = re.escape(quote), re.escape(comment), re.escape(ends)
        opens = rb"(?<=[%b])%b" % (among, q)
        if comment:
            opens = rb"(?:%b|(?<=[\r\n])%b)" % (opens, e)
        # each with its beginning in plain letters, which is looked for much faster
        starts = (re.escape(delimiter), b"\r", b"\n")
        return cls(
            quote=quote,
            doubled=b"" if escape else quote * 2,
            escape=escape,
            comment=comment,
            ends=ends,
            ending=np.isin(np.arange(256), list(ends)),
            opens=re.compile(opens),
            go_on=[
                re.compile(start + rb"%b%b(?:%b%b)*[^%b%b]" % (q, q, q, q, q, among))
                for start in starts
            ],
        )


@cache
def _signs(written: Csv) -> _Signs:
    return _Signs.of(written)


@dataclass(slots=True)
class Quoting:
    """Fed with the content in order and closed, it says how the file must be read."""

    written: Csv = field(default_factory=Csv)
    spans_lines: bool = False  # a record holds a line end
    goes_on: bool = False  # a quoted cell has text behind its closing quote
    escapes: bool = False  # the character that stands before quotes is there
    unclosed: int | None = None  # the line of the quote that is open at the end of the file
    _signs: _Signs = field(init=False)
    _begun: bool = False
    _rest: bytes = b""  # not judged yet
    _before: bytes = b"\n"  # the last byte that was
    _line: int = 1
    _inside: bool = False
    _opened: int = 0
    _ends: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._signs = _signs(self.written)

    @property
    def separator(self) -> str | None:
        """What ends the records; a CR before a LF belongs to it. None: not the same everywhere."""
        ends = {end for end, times in self._ends.items() if times}
        if b"\r" not in ends:
            return "\n"
        return "\r" if ends == {b"\r"} else None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        self.escapes |= bool(self._signs.escape) and self._signs.escape in chunk
        data = self._rest + chunk
        if not self._begun:
            self._rest, self._begun = data, len(data) >= len(_BOM)
            if not self._begun:
                return
            data = data.removeprefix(_BOM)
        # what stands behind an escape is judged together with it
        kept = len(data) - len(data.rstrip(self._signs.escape)) if self._signs.escape else 0
        data, escapes = data[: len(data) - kept], data[len(data) - kept :]
        # in whole lines nothing is open at the end, unless a quote says so
        end = 0 if self._inside else data.rfind(b"\n") + 1
        if self._signs.comment and (end == 0 or self._inside):
            # what follows within a line may be a comment, which only its beginning tells
            end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        if end == 0 and (self._inside or not self._signs.comment):
            end = len(data) - data.endswith(b"\r")
        self._rest = self._judge(data[:end]) + data[end:] + escapes

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
        undecided, signs = False, self._signs
        plain = data
        if signs.escape:
            # of the same length, so that places stay what they are
            plain = data.replace(signs.escape * 2, b"__").replace(signs.escape + signs.quote, b"__")
        if signs.quote and (self._inside or signs.quote in plain):
            seen = self._before + plain
            # without a line end at the end a cell may go on
            if self._inside or not plain.endswith(b"\n") or not _are_records(seen, signs):
                undecided = self._walk(seen)
        self._line += lines
        taken = data[:-1] if undecided else data
        self._before = taken[-1:] or self._before
        return data[-1:] if undecided else b""

    def _walk(self, data: bytes) -> bool:
        """Follow the quotes of `data[1:]`; whether the last is one of which the next decides."""
        signs = self._signs
        place = 1
        opened = self._opened
        while True:
            if not self._inside:
                opening = signs.opens.search(data, place)
                if opening is None:
                    return False
                place = opening.end()
                if opening[0] == signs.comment:
                    place = _line_end(data, place)
                    continue
                self._inside, opened = True, -place
            closing = data.find(signs.quote, place)
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
            if signs.doubled and after == signs.quote:
                place += 1
                continue
            self._inside = False
            self.goes_on |= after not in signs.ends

    def _count(self, data: bytes, sign: int) -> int:
        """Count the line ends of `data`, with -1 take them off again; how many there are."""
        cr = data.count(b"\r") if b"\r" in data else 0
        both = data.count(b"\r\n") if cr else 0
        counts = {b"\r\n": both, b"\n": data.count(b"\n") - both, b"\r": cr - both}
        for end, times in counts.items():
            self._ends[end] = self._ends.get(end, 0) + sign * times
        return sum(counts.values())


def _are_records(lines: bytes, signs: _Signs) -> bool:
    """Whether each line is a record, and each quote opens a cell, ends one or is doubled.

    The first byte stands before the lines. True is certain; False is for `_walk` to look into.
    """
    if signs.comment and (b"\n" + signs.comment in lines or b"\r" + signs.comment in lines):
        return False
    single = lines.replace(signs.doubled, b"") if signs.doubled else lines
    text = np.frombuffer(single, dtype=np.uint8)
    quote = signs.quote[0]
    quotes = np.flatnonzero(text == quote)
    if len(quotes) % 2 or text[0] == quote:
        return False
    ends = np.flatnonzero((text == _LF) | (text == _CR))
    return bool(
        signs.ending[text[quotes[::2] - 1]].all()
        and signs.ending[text[quotes[1::2] + 1]].all()
        and not (np.searchsorted(quotes, ends) % 2).any()
        and not (signs.doubled and any(pattern.search(lines) for pattern in signs.go_on))
    )


def _line_end(data: bytes, place: int) -> int:
    """Where the line ends that `place` is in: before what ends it."""
    found = [at for at in (data.find(b"\n", place), data.find(b"\r", place)) if at >= 0]
    return min(found, default=len(data))


def _line_ends(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
