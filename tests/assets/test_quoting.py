"""What the quotes of a CSV file do, against a reader that takes one character after the other."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import Csv
from penstock.assets.landing.quoting import Quoting


class Told(NamedTuple):
    spans_lines: bool
    goes_on: bool
    unclosed: int | None
    separator: str | None


def _told(content: bytes, cuts: list[int], written: Csv) -> Told:
    quoting = Quoting(written)
    bounds = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    for start, end in itertools.pairwise(bounds):
        quoting.feed(content[start:end])
    quoting.close()
    return Told(quoting.spans_lines, quoting.goes_on, quoting.unclosed, quoting.separator)


def _plainly(content: bytes, written: Csv) -> Told:
    text = content.decode().removeprefix("\ufeff")
    ends, line, opened, place = set(), 1, None, 0
    spans_lines = goes_on = comment = False
    at_start = at_line = True
    while place < len(text):
        letter, rest = text[place], text[place:]
        end = next((e for e in ("\r\n", "\n", "\r") if rest.startswith(e)), None)
        step = len(end or letter)
        if written.escapes and letter == written.escapes and opened is not None:
            step = 2 if text[place + 1 : place + 2] in (written.escapes, written.quote) else 1
        elif written.escapes and letter == written.escapes:
            # before a quote that begins no cell it stands for itself
            step = 2 if text[place + 1 : place + 2] in (written.escapes, written.quote) else 1
            at_start = at_line = False
        elif opened is None:
            if at_line and written.comment and letter == written.comment:
                comment = True
            if letter == written.quote and at_start and not comment:
                opened = line
            elif end:
                ends.add(end)
                comment = False
            at_start = letter == written.delimiter or end is not None
            at_line = end is not None
        elif letter == written.quote:
            after = text[place + 1 : place + 2]
            if after == written.quote and not written.escapes:
                step = 2
            else:
                goes_on |= after not in ("", written.delimiter, "\n", "\r")
                opened, at_start, at_line = None, False, False
        elif end:
            spans_lines = True
        line += end is not None
        place += step
    separator = "\n" if "\r" not in ends else "\r" if ends == {"\r"} else None
    return Told(spans_lines, goes_on, opened, separator)


_DIALECTS = st.sampled_from(
    [
        Csv(),
        Csv(delimiter=";", quote="'"),
        Csv(delimiter="\t", escape="\\"),
        Csv(comment="#"),
        Csv(escape="\\", comment="#"),
    ]
)
_PIECES = st.sampled_from(
    ["q", "qq", "d", "dq", "qd", "\n", "\r\n", "\r", "a", "7db", "q\n", "\\", "\\q", "#", "\n#q"]
)


@settings(max_examples=2000)
@given(st.lists(_PIECES, max_size=30), _DIALECTS, st.lists(st.integers(0, 99), max_size=6))
def test_quotes_are_told_as_one_who_reads_letter_by_letter_does(
    pieces: list[str], written: Csv, cuts: list[int]
) -> None:
    text = "".join(pieces).replace("q", written.quote or "").replace("d", written.delimiter)
    assert _told(text.encode(), cuts, written) == _plainly(text.encode(), written)


def test_a_mark_of_the_byte_order_is_no_text_before_the_quote() -> None:
    told = Told(True, False, None, "\n")
    assert _told(b'\xef\xbb\xbf"a\nb",c\n', [1, 2], Csv()) == told
