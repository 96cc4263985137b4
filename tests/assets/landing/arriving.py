"""Files that arrive, read without a run: what became of them."""

from __future__ import annotations

import glob
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from penstock.assets.frames import input_frames
from penstock.assets.inputs.files import PinnedFiles
from penstock.assets.landing.copies import copies
from penstock.assets.landing.file import inspect_file
from penstock.resources.lake import Lake
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from penstock import Contract
    from penstock.assets.inputs.files import Landing


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The rows that were taken, and (reasons, what was sent, file) of each that was not."""

    rows: list[tuple[Any, ...]]
    rejected: list[tuple[tuple[str, ...], dict[str, Any], str]]

    @property
    def reasons(self) -> list[tuple[str, ...]]:
        """Why records were not taken."""
        return [reasons for reasons, _, _ in self.rejected]


def arrive(
    spark: SparkSession,
    folder: Path,
    contract: type[Contract],
    landed: Landing,
    **files: bytes | str,
) -> Read:
    """What becomes of the files, name (a double underscore for the point) -> content."""
    place = folder / "landing"
    place.mkdir(exist_ok=True)
    lake = Lake(root=str(folder / "lake"), landing=str(place))
    taken = []
    for name, content in files.items():
        file = name.replace("__", ".")
        (place / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        (found,) = lake.landing_files(glob.escape(file))
        taken.append(inspect_file(lake, found, None, landed.format))
    with copies(lake, datetime.now(UTC)) as made:
        item = PinnedFiles(name="raw", landing=landed, files=tuple(taken), copied=made)
        frames, (rejected,) = input_frames(spark, [item], model_of(contract), strict=False)
        return Read(
            rows=sorted((tuple(row) for row in frames["raw"].collect()), key=repr),
            rejected=sorted(
                ((tuple(row.reasons), json.loads(row.row), row.file) for row in rejected.collect()),
                key=repr,
            ),
        )
