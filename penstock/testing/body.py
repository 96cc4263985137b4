"""A dataset's function, run on a few literal rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.assets.gate import check_frame
from penstock.assets.inputs.changes import Changes
from penstock.assets.inputs.external import External
from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.topic import Topic
from penstock.assets.slice import WHOLE, Slice
from penstock.schemas.contract import Contract, model_of, struct_of
from penstock.testing.rows import rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructField

    from penstock.assets.dataset import Dataset

__all__ = ["run_body"]


def run_body(
    dataset: Dataset, spark: SparkSession, *, run: Slice = WHOLE, **inputs: Any
) -> DataFrame:
    r"""What the dataset's function makes of the inputs: its columns checked, its rows not.

    An input is a DataFrame, or rows as `rows()` takes them; then its types are the contract's that
    the input is bound to (for landing, databases and topics: the dataset's own). `run` is the
    slice, for a function that asks for it. Masking is not applied.

    Raises GateError when names or types are not the contract's, ValueError for an input that is
    missing or has no known types.

    >>> result = run_body(bookings, spark, raw="booking_id | fare\\n b1 | 3.50")
    >>> assert_frames_equal(result, [("b1", Decimal("3.50"))])
    """
    if inputs.keys() != dataset.inputs.keys():
        raise ValueError(f"inputs are {sorted(dataset.inputs)}, given were {sorted(inputs)}")
    frames: dict[str, Any] = {
        name: _frame(dataset, name, given, spark) for name, given in inputs.items()
    }
    if dataset.wants_slice:
        frames["run"] = run
    result = dataset.body(**frames)
    return result if dataset.masking else check_frame(dataset, result)


def _frame(dataset: Dataset, name: str, given: Any, spark: SparkSession) -> DataFrame:
    if hasattr(given, "schema"):
        frame: DataFrame = given
        return frame
    bound = dataset.inputs[name]
    if isinstance(bound, Landing | Query | Topic):
        struct = struct_of(dataset.contract)
        arriving = [field for field in struct.fields if field.name not in bound.derived]
        if dataset.removes and dataset.removes not in bound.derived:
            arriving.append(_flag(dataset.removes))
        return rows(spark, type(struct)(arriving), given)
    contract = bound.contract if isinstance(bound, External) else _contract(bound.dataset)
    if contract is None:
        raise ValueError(
            f"input {name}: no contract called {bound.dataset} is imported; give a DataFrame, e.g. "
            "rows(spark, {'id': int}, ...)"
        )
    deletes = bound.deletes if isinstance(bound, Changes) else None
    if deletes is None:
        return rows(spark, contract, given)
    struct = struct_of(contract)
    return rows(spark, type(struct)([*struct.fields, _flag(deletes)]), given)


def _flag(name: str) -> StructField:
    from pyspark.sql import types as T

    return T.StructField(name, T.BooleanType(), nullable=False)


def _contract(name: str) -> type[Contract] | None:
    """The contract called `name` that was defined last in this process."""
    known: list[type[Contract]] = []
    left = [*Contract.__subclasses__()]
    while left:
        contract = left.pop(0)
        known.append(contract)
        left += contract.__subclasses__()
    defined = (c for c in reversed(known) if "_model" in vars(c))  # the others were refused
    return next((c for c in defined if model_of(c).name == name), None)
