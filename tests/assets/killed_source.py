"""Datasets of one kind of source each, and a process that runs one and kills itself."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock import Contract, Merge, Quarantine, column, dataset, external, landing, query, topic
from penstock.resources.secrets import FileSecrets
from tests.assets.shop import Shop
from tests.forked import attached

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset
    from tests.forked import Jvm

    Sources = Mapping[str, Callable[[], Any]]

__all__ = ["PASSWORD", "Sent", "Taken", "dataset_of", "die_after", "shop_of"]

PASSWORD = "open 'sesame' \\ 42"


class Taken(Contract, name="bronze.taken", version="1.0.0", owner="team:shop"):
    """One order."""

    id: int = column(key=True)
    price: int = column(ge=0)


class Sent(Contract, name="crm.sent", version="1.0.0", owner="team:crm"):
    """One order, as others have it in a table."""

    id: int = column()
    price: int = column(nullable=True)


def dataset_of(kind: str, place: str) -> Dataset:
    """What reads that kind of source, which is at the place."""
    match kind:
        case "query":
            made: Any = query(place, database="source", watermark="seq")
        case "topic":
            made = topic(place, broker="source")
        case "external":
            made = external(Sent, place)
        case _:
            made = landing(place)
    all_of_it = Quarantine(max_fraction=None)
    return dataset(Taken, inputs={"raw": made}, write=Merge(), bad_rows=all_of_it)(_same)


def _same(raw: DataFrame) -> DataFrame:
    return raw


def shop_of(spark: SparkSession, folder: Path, sources: Sources) -> Shop:
    """A shop that reads from them with PASSWORD."""
    shop = Shop.at(spark, folder)
    secrets = FileSecrets(folder / "secrets")
    secrets.sealed("source.password", f"{PASSWORD}\n".encode())
    made = {name: source() for name, source in sources.items()}
    return replace(shop, runtime=replace(shop.runtime, secrets=secrets, sources=made))


def die_after(step: str, kind: str, place: str, folder: Path, jvm: Jvm, sources: Sources) -> None:
    """Run the dataset, in a JVM that lives on, and die after the step."""

    def reached(now: str) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)

    shop_of(attached(jvm), folder, sources).run(dataset_of(kind, place), on_step=reached)
