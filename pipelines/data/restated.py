"""The same data as other senders would have it: Parquet, JSON lines, rows and records."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.data.delivery import Delivery
from pipelines.data.flights import day_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

__all__ = ["booking_records", "restate"]

_TEXT = {"origin", "time_hour"}
_NUMBERS = {"flight", "fare"}


def restate(delivered: Path, landing: Path, days: Sequence[date]) -> Delivery:
    """Put what `delivered` holds as CSV into `landing`: planes as Parquet, weather as JSON lines.

    Flights and airlines stay what they are. A file that is there already is left alone.

    Raises:
        LakeError: the landing folder refuses a file.
    """
    delivery = Delivery(landing=landing)
    whole = ["airlines/airlines.csv", *(day_file("flights", day) for day in days), "README.txt"]
    for name in whole:
        if delivery.lacks(name):
            delivery.put(name, (delivered / name).read_bytes())
    if delivery.lacks("planes/planes.parquet"):
        delivery.put("planes/planes.parquet", _parquet(delivered / "planes/planes.csv"))
    for day in days:
        source = Path(day_file("weather", day))
        if delivery.lacks(str(source.with_suffix(".jsonl"))):
            lines = [_object(row, set(row) - _TEXT) + b"\n" for row in _rows(delivered / source)]
            delivery.put(str(source.with_suffix(".jsonl")), b"".join(lines))
    return delivery


def booking_records(delivered: Path, day: date) -> Iterator[tuple[str, bytes]]:
    """The bookings of a day as key and JSON object."""
    for row in _rows(delivered / day_file("bookings", day)):
        yield row["booking_id"], _object(row, _NUMBERS)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _object(row: dict[str, str], numbers: set[str]) -> bytes:
    """A row as JSON; numbers to the digit, for their text is a number of JSON's."""
    values = {
        name: None if text in ("", "NA") else json.loads(text) if name in numbers else text
        for name, text in row.items()
    }
    return json.dumps(values, ensure_ascii=False).encode()


def _parquet(path: Path) -> bytes:
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    options: dict[str, Any] = {"null_values": ["NA"], "strings_can_be_null": True}
    table = arrow_csv.read_csv(path, convert_options=arrow_csv.ConvertOptions(**options))
    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()
