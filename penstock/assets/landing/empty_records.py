"""Records of nothing but empty cells, where blanks part cells: Spark takes such lines for none."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["EmptyRecords"]

# each begins with a plain letter, which is looked for much faster
_LINES = [re.compile(end + rb"[\x00-\x09\x0b\x0c\x0e-\x20]++(?=[\r\n])") for end in (b"\n", b"\r")]
_UNENDED = re.compile(rb"[\r\n][\x00-\x09\x0b\x0c\x0e-\x20]*+\Z")


@dataclass(slots=True)
class EmptyRecords:
    """Fed with the content in order, it says whether there is one."""

    delimiter: str
    _found: bool = False
    _line: bytes = b"\n"  # the line at the end of what was seen, if it is blank so far

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        if self._found or self.delimiter > " ":
            return
        data, sign = self._line + chunk, self.delimiter.encode()
        self._found = any(sign in line[0] for lines in _LINES for line in lines.finditer(data))
        last = _UNENDED.search(data, max(data.rfind(b"\n"), data.rfind(b"\r"), 0))
        self._line = last[0] if last else b""

    @property
    def found(self) -> bool:
        """Whether there was one, the last line of the file included."""
        return self._found or (self.delimiter <= " " and self.delimiter.encode() in self._line)
