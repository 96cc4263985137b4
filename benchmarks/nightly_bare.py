"""What somebody writes who governs nothing: the same bodies, and reads and writes of Spark's."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock import Append, Merge, Overwrite, ReplaceSlice, Scd2, Slice
from penstock.assets.inputs.changes import Changes
from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.snapshot import Snapshot

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset

__all__ = ["BareLake"]


@dataclass(slots=True)
class BareLake:
    """Tables in a folder, written without any check, any token and any record."""

    spark: SparkSession
    landing: Path
    folder: Path

    def run(self, spec: Dataset, day: date | None = None, since: int = 0) -> None:
        """The body on its inputs, written by the dataset's mode; changes from version `since`."""
        frames: dict[str, Any] = {}
        for name, item in spec.inputs.items():
            match item:
                case Landing():
                    frames[name] = self._csv(spec, item, day)
                case Changes():
                    frames[name] = self._changes(item.dataset, since)
                case Snapshot():
                    frames[name] = self._table(item, day)
        if spec.wants_slice:
            assert day is not None
            frames["run"] = Slice.day(day)
        self._write(spec, spec.body(**frames), day)

    def path(self, name: str) -> str:
        """Where the table is."""
        return str(self.folder / name)

    def version(self, name: str) -> int:
        """The newest version of the table, -1 before the first."""
        log = self.folder / name / "_delta_log"
        return max((int(f.stem) for f in log.glob("*.json") if f.stem.isdigit()), default=-1)

    def _csv(self, spec: Dataset, item: Landing, day: date | None) -> DataFrame:
        pattern = item.pattern.replace("{day}", str(day))
        files = sorted(str(file) for file in self.landing.glob(pattern))
        with Path(files[0]).open(newline="") as first:
            header = next(csv.reader(first))
        types = {column.name: column.type for column in spec.model.columns}
        reader = self.spark.read.option("header", "true").option("nullValue", item.null_values[0])
        reader = reader.option("escape", '"')  # as the csv module writes them
        return reader.schema(", ".join(f"`{n}` {types[n]}" for n in header)).csv(files)

    def _table(self, item: Snapshot, day: date | None) -> DataFrame:
        frame = self.spark.read.format("delta").load(self.path(item.dataset))
        if item.slice_by is None:
            return frame
        assert day is not None
        first = day - item.lookback
        return frame.where(f"`{item.slice_by}` BETWEEN DATE'{first}' AND DATE'{day}'")

    def _changes(self, name: str, since: int) -> DataFrame:
        reader = self.spark.read.format("delta").option("readChangeFeed", "true")
        rows = reader.option("startingVersion", since).load(self.path(name))
        added = rows.where("_change_type IN ('insert', 'update_postimage')")
        return added.drop("_change_type", "_commit_version", "_commit_timestamp")

    def _write(self, spec: Dataset, frame: DataFrame, day: date | None) -> None:
        path, new = self.path(spec.name), self.version(spec.name) < 0
        writer = frame.write.format("delta").option("delta.enableChangeDataFeed", "true")
        match spec.write:
            case ReplaceSlice():
                assert spec.partitions is not None
                column = spec.partitions.column
                if new:
                    writer.partitionBy(column).save(path)
                else:
                    writer = writer.mode("overwrite")
                    writer.option("replaceWhere", f"`{column}` = DATE'{day}'").save(path)
            case Overwrite():
                writer.mode("overwrite").save(path)
            case Append():
                writer.mode("append").save(path)
            case Merge():
                if new:
                    writer.save(path)
                else:
                    self._merge(path, frame, spec.model.key)
            case Scd2() as mode:
                if new:
                    ends = "CAST(NULL AS timestamp) AS valid_to", "true AS is_current"
                    frame.selectExpr("*", *ends).write.format("delta").save(path)
                else:
                    self._versions(path, frame, spec, mode)

    def _merge(self, path: str, frame: DataFrame, key: tuple[str, ...]) -> None:
        frame.createOrReplaceTempView("arrived")
        same = " AND ".join(f"t.`{name}` = s.`{name}`" for name in key)
        self.spark.sql(
            f"MERGE INTO delta.`{path}` t USING arrived s ON {same} "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        ).collect()

    def _versions(self, path: str, frame: DataFrame, spec: Dataset, mode: Scd2) -> None:
        """Delta's own example: what changed is staged twice, to end the old and to add the new."""
        (key,) = spec.model.key
        frame.createOrReplaceTempView("arrived")
        added = {mode.valid_from, mode.valid_to, mode.is_current, key}
        others = [c.name for c in spec.model.columns if c.name not in added]
        differ = " OR ".join(f"NOT (s.`{n}` <=> t.`{n}`)" for n in others)
        names = ", ".join(f"`{n}`" for n in (key, mode.valid_from, *others))
        current = f"SELECT * FROM delta.`{path}` WHERE is_current"
        self.spark.sql(
            f"MERGE INTO delta.`{path}` t USING ("
            f"SELECT s.`{key}` AS merge_key, s.* FROM arrived s UNION ALL "
            f"SELECT NULL, s.* FROM arrived s JOIN ({current}) t ON s.`{key}` = t.`{key}` "
            f"WHERE {differ}) s ON t.`{key}` = s.merge_key AND t.is_current "
            f"WHEN MATCHED AND ({differ}) THEN UPDATE SET is_current = false, "
            f"valid_to = s.`{mode.valid_from}` "
            f"WHEN NOT MATCHED THEN INSERT ({names}, valid_to, is_current) "
            f"VALUES ({', '.join(f's.{n}' for n in names.split(', '))}, NULL, true)"
        ).collect()
