"""What the names of landing files say, by the pattern that they match."""

from __future__ import annotations

import fnmatch
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import landing
from penstock.assets.landing.file_pattern import FilePattern
from penstock.errors import DefinitionError

_TEXT = st.text(st.sampled_from("ab01-_. +&~(){}|^$äß"), max_size=4)
_PARTS = st.sampled_from(
    ["{day}", "{land}", "{hour}", "*", "?", "-", "x.", "/", "(", "=", "[ab]", "[!a]"]
)


@pytest.mark.parametrize(
    ("pattern", "name", "values"),
    [
        ("o/o-{day}*.csv", "o/o-2024-01-05-late.csv", {"day": "2024-01-05"}),
        ("{day}/o-{day}.csv", "2024-01-05/o-2024-01-05.csv", {"day": "2024-01-05"}),
        ("{day}/o-{day}.csv", "2024-01-05/o-2024-01-06.csv", None),
        ("o/{land}-{n}.csv", "o/a-b-1.csv", {"land": "a-b", "n": "1"}),
        ("o/{land}*.csv", "o/de-1.csv", {"land": "de-1"}),
        ("o/{land}/*.csv", "o/de/fr/1.csv", None),
        ("o/{land}/*.csv", "o//1.csv", {"land": ""}),
        ("o/l={land}/[ab]?.csv", "o/l=de/a1.csv", {"land": "de"}),
        ("o/l={land}/[!a].csv", "o/l=de/a.csv", None),
        ("o/a+b.csv", "o/aab.csv", None),
    ],
)
def test_what_a_name_says(pattern: str, name: str, values: dict[str, str] | None) -> None:
    assert FilePattern(pattern).values(name) == values


def test_a_name_may_hold_two_days() -> None:
    pattern = FilePattern("o/{land}*{day}*.csv")
    name = "o/de_2024-01-05_sent_2024-01-06.csv"
    fifth, sixth = date(2024, 1, 5), date(2024, 1, 6)
    assert pattern.values(name, fifth) == {"land": "de_", "day": "2024-01-05"}
    assert (pattern.values(name, sixth) or {})["day"] == "2024-01-06"
    assert pattern.values(name, date(2024, 1, 7)) is None


def test_a_glob_is_of_one_day_or_of_any() -> None:
    pattern = FilePattern("o/{land}/{day}/o-{day}*.csv")
    assert pattern.glob(date(2024, 1, 5)) == "o/*/2024-01-05/o-2024-01-05*.csv"
    assert pattern.glob() == "o/*/????-??-??/o-????-??-??*.csv"
    assert (pattern.placeholders, pattern.by_day) == (("land", "day"), True)
    assert pattern.said("o/de/2024-01-05/o-2024-01-05.csv") == "land=de"
    assert FilePattern("o/{day}.csv").said("o/2024-01-05.csv") is None


def test_a_partition_folder_is_called_after_its_column() -> None:
    pattern = FilePattern("o/land={land}/{town}/x={x}-{day}.csv")
    assert [pattern.is_folder(name) for name in ("land", "town", "x")] == [True, False, False]


@given(st.lists(_PARTS, min_size=1, max_size=6), st.dictionaries(st.just("land"), _TEXT), _TEXT)
def test_what_a_pattern_is_made_of_is_found_again(
    parts: list[str], said: dict[str, str], text: str
) -> None:
    pattern = FilePattern("".join(parts))
    values = {"day": "2024-01-05", "hour": text, "land": said.get("land", "de")}
    fill = {"*": text, "?": "z", "[ab]": "b", "[!a]": "b"}
    name = "".join(values.get(part.strip("{}"), fill.get(part, part)) for part in parts)
    found = pattern.values(name)
    assert found is not None
    # the name is one of those that the pattern stands for
    assert fnmatch.fnmatchcase(name, pattern.glob(date(2024, 1, 5)))
    if parts.count("{land}") + parts.count("{hour}") + parts.count("*") == 1:
        assert found == {key: values[key] for key in pattern.placeholders}


@pytest.mark.parametrize(
    "pattern", ["/a/{day}.csv", "a/../b.csv", "a/{Day}.csv", "a/{}.csv", "a/{day", "{name}.csv"]
)
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(DefinitionError, match="the landing pattern is malformed"):
        landing(pattern)
