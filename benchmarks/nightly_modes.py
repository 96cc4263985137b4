"""A small table of 2,000 rows and 17 checks, written by each mode: the datasets."""

from __future__ import annotations

from datetime import date, datetime
from types import new_class
from typing import TYPE_CHECKING, Any

from trips import CITIES

from penstock import (
    Append,
    Contract,
    Daily,
    Decimal,
    Merge,
    Overwrite,
    ReplaceSlice,
    Scd2,
    changes,
    column,
    dataset,
    table,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock import Dataset

__all__ = ["ALIKE", "BY_MODE", "FIRST_DAY", "GROWING", "SOURCE"]

SOURCE = "bronze.trips"  # whose rows are replaced
GROWING = "bronze.arrivals"  # which only gets more of them
FIRST_DAY = date(2024, 1, 1)
_BY_DAY = Daily(column="day", start=FIRST_DAY)
_FARE = Decimal(10, 2)


def _contract(name: str, *, key: bool = False, versions: bool = False) -> type[Contract]:
    """Eight columns with 17 checks of values and NULL; with versions two more, unchecked."""
    columns = {
        "trip_id": (int, column(ge=0, key=key)),
        "code": (str, column(str_matches="^[A-Z]{2}-[0-9]{6,8}$")),
        "city": (str, column(isin=CITIES)),
        "passengers": (int, column(in_range={"min_value": 1, "max_value": 8})),
        "miles": (float, column(gt=0.0, le=5000.0)),
        "fare": (_FARE, column(ge=0, lt=100000)),
        "day": (date, column()),
        "remark": (str, column(nullable=True, str_length={"max_value": 60}, notin=["N/A"])),
    }
    if versions:
        columns["valid_from"] = (datetime, column())
        columns["valid_to"] = (datetime, column(nullable=True))
        columns["is_current"] = (bool, column())

    def body(space: dict[str, Any]) -> None:
        space |= {field: made for field, (_, made) in columns.items()}
        space["__annotations__"] = {field: kind for field, (kind, _) in columns.items()}
        space["__doc__"] = "One trip."
        space["__module__"] = __name__

    said = {"name": name, "version": "1.0.0", "owner": "team:benchmark"}
    return new_class(name.title().replace(".", "").replace("_", ""), (Contract,), said, body)


@dataset(_contract("silver.replaced"), inputs={"raw": SOURCE}, write=Overwrite())
def replaced(raw: DataFrame) -> DataFrame:
    """The source as it is."""
    return raw


@dataset(_contract("silver.keyed", key=True), inputs={"raw": SOURCE}, write=Overwrite())
def keyed(raw: DataFrame) -> DataFrame:
    """The source as it is, each trip once."""
    return raw


@dataset(
    _contract("silver.by_day"),
    inputs={"raw": table(SOURCE, slice_by="day")},
    partitions=_BY_DAY,
    write=ReplaceSlice(),
)
def by_day(raw: DataFrame) -> DataFrame:
    """The source's rows of a day."""
    return raw


@dataset(_contract("silver.merged", key=True), inputs={"raw": SOURCE}, write=Merge())
def merged(raw: DataFrame) -> DataFrame:
    """Each trip as it was last."""
    return raw


@dataset(
    _contract("silver.versions", key=True, versions=True), inputs={"raw": SOURCE}, write=Scd2()
)
def versions(raw: DataFrame) -> DataFrame:
    """Each trip as it ever was."""
    return raw.withColumn("valid_from", raw["day"].cast("timestamp"))


@dataset(_contract("silver.appended"), inputs={"raw": changes(GROWING)}, write=Append())
def appended(raw: DataFrame) -> DataFrame:
    """What is new in the source."""
    return raw


def _alike(number: int) -> Dataset:
    @dataset(_contract(f"silver.alike_{number}", key=True), inputs={"raw": SOURCE})
    def alike(raw: DataFrame) -> DataFrame:
        """One of several that do not need each other."""
        return raw

    return alike


#: Each mode, and the most that its run may cost of the bare write.
BY_MODE: dict[str, tuple[Dataset, float | None]] = {
    "Overwrite": (replaced, 1.15),
    "Overwrite, with a key": (keyed, None),
    "ReplaceSlice": (by_day, 1.15),
    "Merge": (merged, 1.25),
    "Scd2": (versions, 1.25),
    "Append of changes": (appended, 1.5),
}
#: Datasets of one source that can run at the same time.
ALIKE = tuple(_alike(number) for number in range(6))
