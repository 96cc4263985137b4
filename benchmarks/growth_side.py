"""One build's part of growth.py: `python growth_side.py MEASURE FOLDER ...` prints JSON.

It uses what older builds of Penstock have as well, so that two of them can be compared.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpu import tree_cpu_seconds

from penstock import (
    Append,
    Contract,
    Daily,
    ReplaceSlice,
    Runtime,
    Slice,
    changes,
    column,
    dataset,
    landing,
    run,
    table,
)
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from penstock.testing import temporary_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset

_FIRST = date(2000, 1, 1)
_BY_DAY = Daily(column="day", start=_FIRST)
_FIRST_NIGHTS = 3
_REAL = 10  # the last commits of each table are Spark's own, so that it has made a checkpoint
_WARM_UP = 8


class Arrived(Contract, name="bronze.arrived", version="1.0.0", owner="team:benchmark"):
    """A row as it arrived."""

    id: int = column()
    day: date = column()


class Copied(Contract, name="silver.copied", version="1.0.0", owner="team:benchmark"):
    """A row that ever entered bronze."""

    id: int = column()
    day: date = column()


class Shown(Contract, name="gold.shown", version="1.0.0", owner="team:benchmark"):
    """A row of silver, by day."""

    id: int = column()
    day: date = column()


class Kept(Contract, name="bronze.kept", version="1.0.0", owner="team:benchmark"):
    """A row of any file that ever arrived."""

    id: int = column()
    day: date = column()


@dataset(Arrived, inputs={"raw": landing("a/{day}.csv")}, partitions=_BY_DAY, write=ReplaceSlice())
def arrived(raw: DataFrame) -> DataFrame:
    """The file of a day."""
    return raw


@dataset(Copied, inputs={"rows": changes(Arrived)}, write=Append())
def copied(rows: DataFrame) -> DataFrame:
    """What is new in bronze."""
    return rows.select("id", "day")


@dataset(
    Shown, inputs={"rows": table(Copied, slice_by="day")}, partitions=_BY_DAY, write=ReplaceSlice()
)
def shown(rows: DataFrame) -> DataFrame:
    """The rows of a day."""
    return rows


@dataset(Kept, inputs={"raw": landing("b/*.csv")}, write=Append())
def kept(raw: DataFrame) -> DataFrame:
    """Every file once."""
    return raw


CHAIN = (arrived, copied, shown)


@dataclass(slots=True)
class Grown:
    """A lake whose tables have had so many commits, a day each."""

    spark: SparkSession
    runtime: Runtime
    folder: Path
    days: int = 0

    @classmethod
    def of(cls, spark: SparkSession, folder: Path, commits: int) -> Grown:
        """A lake of `commits` days: some made by runs, the rest written after the first's log."""
        grown = cls(spark, temporary_lake(folder), folder)
        (folder / "landing" / "a").mkdir()
        for _ in range(_FIRST_NIGHTS):
            grown.night()
        copies = max(0, commits - _FIRST_NIGHTS - _REAL)
        for spec in CHAIN:
            grown._repeat(spec, copies)
        grown.days += copies
        while grown.days < commits:
            grown.night()
        return grown

    def night(self) -> None:
        """A file arrives, and each dataset takes it."""
        self.arrives()
        for spec in CHAIN:
            assert self.run(spec), spec.name

    def arrives(self) -> None:
        """The file of another day."""
        self.days += 1
        day = self.day()
        (self.folder / "landing" / "a" / f"{day}.csv").write_text(f"id,day\n{self.days},{day}\n")

    def day(self) -> date:
        """The newest day."""
        return _FIRST + timedelta(days=self.days - 1)

    def run(self, spec: Dataset) -> bool:
        """A run of the newest day; whether it committed."""
        slice_ = Slice.day(self.day()) if spec.partitions else Slice()
        return run(spec, self.spark, slice_, runtime=self.runtime).committed

    def path(self, spec: Dataset) -> Path:
        """The table's folder."""
        return Path(self.runtime.lake.table(spec.name).path)

    def bare(self, spec: Dataset) -> None:
        """The same row written by Spark alone to a table with the same log."""
        path = self.folder / "bare" / spec.name
        if not path.exists():
            shutil.copytree(self.path(spec), path)
        frame = self.spark.createDataFrame([(self.days, self.day())], "id bigint, day date")
        writer = frame.coalesce(1).write.format("delta")
        if spec.partitions:
            writer = writer.mode("overwrite").option("replaceWhere", f"day = '{self.day()}'")
        else:
            writer = writer.mode("append")
        writer.option("txnAppId", str(uuid.uuid4())).option("txnVersion", "1").save(str(path))

    def _repeat(self, spec: Dataset, copies: int) -> None:
        """Commits like the first, each with a file, a slice and an input version of its own."""
        path = self.path(spec)
        log = path / "_delta_log"
        first, *later = (_actions(log, version) for version in range(_FIRST_NIGHTS))
        transactions = {a["txn"]["appId"] for commit in later for a in commit if "txn" in a}
        # those of the later ones are one and the same where the build has one for all runs
        shared = transactions.pop() if len(transactions) == 1 else None
        for version in range(_FIRST_NIGHTS, _FIRST_NIGHTS + copies):
            day = (_FIRST + timedelta(days=version)).isoformat()
            lines = [_again(action, version, day, path, shared) for action in first]
            text = "".join(json.dumps(line) + "\n" for line in lines if line)
            arriving = log / "arriving"
            arriving.write_text(text)
            arriving.rename(log / f"{version:020}.json")


def _actions(log: Path, version: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (log / f"{version:020}.json").read_text().splitlines()]


def _again(
    action: dict[str, Any], version: int, day: str, table: Path, transaction: str | None
) -> dict[str, Any] | None:
    ((kind, told),) = action.items()
    match kind:
        case "add":
            source = table / told["path"]
            old = _FIRST.isoformat()
            name = told["path"].replace(old, day).replace("part-00000", f"part-{version:05}")
            (table / name).parent.mkdir(exist_ok=True)
            (table / name).hardlink_to(source)
            values = dict.fromkeys(told["partitionValues"], day)
            return {kind: {**told, "path": name, "partitionValues": values}}
        case "commitInfo":
            facts = json.loads(told["userMetadata"])
            begin = date.fromisoformat(day)
            if facts["slice"] != Slice().document():
                facts["slice"] = Slice.day(begin).document()
            for item in facts["inputs"].values():
                if "version" in item:
                    item["version"] = version
                for file in item.get("files", ()):
                    file["name"] = file["name"].replace(_FIRST.isoformat(), day)
                    file["sha256"] = f"{version:064x}"
            facts |= {"token": uuid.uuid4().hex, "content": uuid.uuid4().hex}
            facts["run_id"] = str(uuid.uuid4())
            stamp = told["timestamp"] + version
            return {kind: {**told, "timestamp": stamp, "userMetadata": json.dumps(facts)}}
        case "txn":
            if transaction:
                return {kind: {**told, "appId": transaction, "version": version}}
            return {kind: {**told, "appId": uuid.uuid4().hex}}
        case _:  # protocol and metadata are of the first alone
            return None


def commits(folder: Path, sizes: list[int], rounds: int) -> dict[str, dict[str, list[float]]]:
    """CPU-seconds by what was done and number of commits."""
    found: dict[str, dict[str, list[float]]] = {}
    with LocalCluster(profile=Profile.SMALL).session() as spark:
        lakes = {size: Grown.of(spark, folder / str(size), size) for size in sizes}
        for number in range(-_WARM_UP, rounds):
            for size, lake in lakes.items():
                for what, do in _day(lake):
                    before = tree_cpu_seconds()
                    do()
                    used = tree_cpu_seconds() - before
                    if number >= 0:
                        found.setdefault(what, {}).setdefault(str(size), []).append(used)
    return found


def _day(lake: Grown) -> Iterator[tuple[str, Callable[[], object]]]:
    lake.arrives()
    for spec in CHAIN:
        yield f"run {spec.name}", lambda spec=spec: _did(lake.run(spec))
    for spec in CHAIN:
        # ten at once: the system counts CPU by hundredths of a second
        yield f"nothing to do {spec.name}", lambda spec=spec: _idle(lake, spec, 10)
    for spec in CHAIN:
        yield f"bare {spec.name}", lambda spec=spec: lake.bare(spec)


def _did(committed: bool) -> None:  # noqa: FBT001
    assert committed


def _idle(lake: Grown, spec: Dataset, times: int) -> None:
    for _ in range(times):
        assert not lake.run(spec)


def memory(folder: Path, days: int) -> dict[str, Any]:
    """What an Append of files costs after so many days of ten files each."""
    runtime = temporary_lake(folder)
    place = folder / "landing" / "b"
    place.mkdir()
    with LocalCluster(profile=Profile.SMALL).session() as spark:
        for number in range(days):
            for file in range(10):
                text = f"id,day\n{number * 10 + file},{_FIRST}\n"
                (place / f"{number:05}-{file}.csv").write_text(text)
            assert run(kept, spark, Slice(), runtime=runtime).committed
        log = Path(runtime.lake.table(kept.name).path) / "_delta_log"
        files = [file for file in log.rglob("*") if file.is_file()]
        time.sleep(2.5)  # what was written just now is looked at again
        used = []
        listing = []
        for _ in range(12):
            before = time.process_time()
            found = list(runtime.lake.landing_files("b/*.csv"))
            listing.append(time.process_time() - before)
            assert len(found) == days * 10
            before = tree_cpu_seconds()
            assert not run(kept, spark, Slice(), runtime=runtime).committed
            used.append(tree_cpu_seconds() - before)
    return {
        "days": days,
        "log_bytes": sum(file.stat().st_size for file in files),
        "commit_bytes": sum(file.stat().st_size for file in files if file.suffix == ".json"),
        "nothing_new": used[2:],
        "listing": listing[2:],
    }


def main() -> None:
    """Do one measure in the folder, and print what it found."""
    measure, folder, *numbers = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        # what a build logs is not the result
        out = sys.stdout
        stack.callback(setattr, sys, "stdout", out)
        sys.stdout = sys.stderr
        if measure == "commits":
            rounds, *sizes = map(int, numbers)
            found: Any = commits(Path(folder), sizes, rounds)
        else:
            found = memory(Path(folder), int(numbers[0]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
