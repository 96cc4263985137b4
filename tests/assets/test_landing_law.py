"""A CSV file becomes the rows that were sent, or entries of quarantine, by the csv module."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from penstock import Contract, Csv, column, landing
from penstock.assets.frames import input_frames
from penstock.assets.inputs.files import PinnedFiles
from penstock.assets.landing.csv_look import CsvLook
from penstock.assets.landing.file import inspect_file
from penstock.errors import InputError
from penstock.resources.lake import Lake
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow(seconds=20)


class One(Contract, owner="team:law", version="1.0.0", name="law.one"):
    """A row of text."""

    a: str = column(nullable=True)


class Two(Contract, owner="team:law", version="1.0.0", name="law.two"):
    """A row of text."""

    a: str = column(nullable=True)
    b: str = column(nullable=True)


class Three(Contract, owner="team:law", version="1.0.0", name="law.three"):
    """A row of text."""

    a: str = column(nullable=True)
    b: str = column(nullable=True)
    c: str = column(nullable=True)


CONTRACTS = {1: One, 2: Two, 3: Three}
CELLS = [
    "",
    "1",
    "x y",
    '5" pipe',
    '""',
    '"a,b"',
    '"say ""hi"""',
    '" "',
    '"a{}b"',
    '"{}"',
    '"{}z{}7,8"',
]
BROKEN = ['"a" b', r'"a\"b"', '""x', '"a"b"c{}d"', '"open']


def _file(chance: random.Random, columns: int) -> str:
    end = chance.choice(["\n", "\n", "\r\n", "\r\n", "\r"])
    lines = [",".join("abc"[:columns])]
    for _ in range(chance.randint(1, 8)):
        odd = chance.random()
        count = columns + (odd > 0.9) - (odd < 0.1)
        cells = [
            chance.choice(BROKEN if chance.random() < 0.04 else CELLS).replace(
                "{}", chance.choice(["\n", "\r\n", "\r", "\n\n"])
            )
            for _ in range(count)
        ]
        lines.append(",".join(cells))
    if chance.random() < 0.1 and end != "\r":
        return "".join(line + chance.choice(["\n", "\r\n"]) for line in lines)
    return end.join(lines) + chance.choice(["", end])


def _sent(text: str, columns: int) -> tuple[Counter[tuple[str | None, ...]], int]:
    """(Rows that the text holds beyond doubt, number of its other records)."""
    good: Counter[tuple[str | None, ...]] = Counter()
    others = 0
    source = io.StringIO(text, newline="")
    taken: list[str] = []

    def lines() -> object:
        for line in source:
            taken.append(line)
            yield line

    reader = csv.reader(lines())  # type: ignore[arg-type]
    next(reader)
    taken.clear()
    for row in reader:
        record = "".join(taken)
        taken.clear()
        if not row:  # an empty line
            continue
        try:
            (strict,) = csv.reader(io.StringIO(record, newline=""), strict=True)
        except csv.Error:
            others += 1
            continue
        if len(strict) == columns:
            good[tuple(cell or None for cell in strict)] += 1
        else:
            others += 1
    return good, others


def test_every_row_is_one_that_was_sent_and_none_is_missing(
    spark: SparkSession, tmp_path: Path
) -> None:
    chance = random.Random(4180)
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path / "landing"))
    (tmp_path / "landing").mkdir()
    refused = spanning = 0
    for columns, contract in CONTRACTS.items():
        taken, sent, others = [], Counter[tuple[str | None, ...]](), 0
        for number in range(300):
            text = _file(chance, columns)
            name = f"law-{columns}-{number}.csv"
            (tmp_path / "landing" / name).write_text(text, newline="")
            (found,) = lake.landing_files(name)
            try:
                taken.append(inspect_file(lake, found, None, Csv()))
            except InputError as error:
                refused += any(cause in str(error) for cause in ("not end", "different ways"))
                continue
            look = taken[-1].look
            assert isinstance(look, CsvLook)
            spanning += look.separator is not None
            rows, bad = _sent(text, columns)
            sent.update(rows)
            others += bad
        item = PinnedFiles(name="raw", landing=landing("*.csv"), files=tuple(taken))
        frames, (rejected,) = input_frames(spark, [item], model_of(contract), strict=False)
        assert Counter(tuple(row) for row in frames["raw"].collect()) == sent
        assert (frames["raw"].count(), rejected.count()) == (sent.total(), others)
        assert {row.file for row in rejected.select("file").distinct().collect()} <= {
            file.name for file in taken
        }
    assert spanning > 200
    assert 30 < refused < 300
