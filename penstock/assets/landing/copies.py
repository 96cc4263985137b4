"""Unpacked copies of files that are compressed as Spark does not unpack them, for Spark to read.

They lie in the lake, for each executor can read there, as long as a run lasts. What a run that was
killed left behind is removed by a later one.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from penstock.assets.landing.file import refuse_changed
from penstock.assets.landing.packing import unpacked
from penstock.errors import InputError
from penstock.resources.scratch import UNPACKED, folder_of, remove, remove_left
from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from penstock.assets.landing.file import TakenFile
    from penstock.resources.lake import Lake
    from penstock.resources.scratch import Scratch

__all__ = ["Copies", "copies"]

_END = "~"  # Spark goes by the end of a name, and is to unpack nothing


@dataclass(slots=True, kw_only=True)
class Copies:
    """The copies that a run made, each below a folder of the run's own in `place`."""

    lake: Lake
    place: Scratch
    run: str
    _made: dict[str, str] = field(default_factory=dict)

    def of(self, file: TakenFile) -> str:
        """What Spark reads of the file: its copy, which is made when there is none.

        Raises InputError when the file cannot be read, or is not the one that was looked at,
        LakeError when the lake has no room.
        """
        if file.name not in self._made:
            if {"", ".", ".."} & {*file.name.split("/")}:
                raise InputError(
                    "an object whose name is no path has no copy",
                    where=file.name,
                    expected="a name of parts that are not empty, . or ..",
                    next_step="have the sender name it otherwise",
                )
            digest = hashlib.sha256()
            with (
                self.lake.open(file.name) as stream,
                unpacked(file.name, stream, digest.update) as content,
            ):
                copy = self.place.put(f"{self.run}/{file.name}{_END}", content)
            refuse_changed([file])  # it was read twice
            if digest.hexdigest() != file.sha256:
                raise InputError(
                    "the file changed while it was being read",
                    where=file.name,
                    next_step="run again when the file is whole; nothing of it was loaded",
                )
            self._made[file.name] = copy
        return self._made[file.name]

    def as_landed(self, path: str, root: str) -> str:
        """SQL, a path of Spark's as that of the file in landing at `root`, where it is a copy's."""
        below = f"substring_index({path}, {literal(f'/{self.run}/')}, -1)"
        name = f"left({below}, length({below}) - {len(_END)})"
        whole = f"concat({literal(quote(root, safe='/:'))}, {name})"
        return f"CASE WHEN contains({path}, {literal(self.run)}) THEN {whole} ELSE {path} END"


@contextmanager
def copies(lake: Lake, now: datetime) -> Iterator[Copies]:
    """Where a run's copies are; they are gone when the block ends."""
    place = lake.scratch(UNPACKED)
    remove_left(place, now)
    run = folder_of(now)
    try:
        yield Copies(lake=lake, place=place, run=run)
    finally:
        remove(place, run)
