"""A dataset that is cut somehow and reads this and that, to be asked and not to be run."""

from __future__ import annotations

import inspect
from datetime import date, datetime
from typing import Any

from penstock import Contract, Dataset, column, dataset

__all__ = ["cut_dataset"]


def cut_dataset(name: str, partitions: Any, *reads: Any, **more: Any) -> Dataset:
    """The dataset `shop.NAME`, with columns that say when and which."""

    class Row(Contract, name=f"shop.{name}", version="1.0.0", owner="team:shop"):
        """One row."""

        id: int = column(key=True)
        at: datetime = column()
        day: date = column()
        country: str = column()

    def body(**frames: Any) -> Any:
        return frames["a0"]

    inputs = {f"a{n}": item for n, item in enumerate(reads)}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    body.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in inputs]
    )
    return dataset(Row, inputs=inputs, partitions=partitions, **more)(body)
