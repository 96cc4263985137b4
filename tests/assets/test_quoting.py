"""What the quotes of a CSV file do, against a reader that takes one character after the other."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.assets.landing.quoting import Quoting


class Told(NamedTuple):
    spans_lines: bool
    goes_on: bool
    unclosed: int | None
    separator: str | None


def _told(content: bytes, cuts: list[int]) -> Told:
    quoting = Quoting()
    bounds = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    for start, end in itertools.pairwise(bounds):
        quoting.feed(content[start:end])
    quoting.close()
    return Told(quoting.spans_lines, quoting.goes_on, quoting.unclosed, quoting.separator)


def _plainly(content: bytes) -> Told:
    text = content.decode().removeprefix("\ufeff")
    ends, line, opened, place = set(), 1, None, 0
    spans_lines = goes_on = False
    at_start = True
    while place < len(text):
        letter, rest = text[place], text[place:]
        end = next((e for e in ("\r\n", "\n", "\r") if rest.startswith(e)), None)
        step = len(end or letter)
        if opened is None:
            if letter == '"' and at_start:
                opened = line
            elif end:
                ends.add(end)
            at_start = letter == "," or end is not None
        elif letter == '"':
            after = text[place + 1 : place + 2]
            if after == '"':
                step = 2
            else:
                goes_on |= after not in ("", ",", "\n", "\r")
                opened, at_start = None, False
        elif end:
            spans_lines = True
        line += end is not None
        place += step
    separator = "\n" if "\r" not in ends else "\r" if ends == {"\r"} else None
    return Told(spans_lines, goes_on, opened, separator)


_PIECES = st.sampled_from(['"', '""', ",", ',"', '",', "\n", "\r\n", "\r", "a", "7,b", '"\n'])


@settings(max_examples=1000)
@given(st.lists(_PIECES, max_size=30).map("".join), st.lists(st.integers(0, 99), max_size=6))
def test_quotes_are_told_as_one_who_reads_letter_by_letter_does(text: str, cuts: list[int]) -> None:
    assert _told(text.encode(), cuts) == _plainly(text.encode())


def test_a_mark_of_the_byte_order_is_no_text_before_the_quote() -> None:
    assert _told(b'\xef\xbb\xbf"a\nb",c\n', [1, 2]) == Told(True, False, None, "\n")
