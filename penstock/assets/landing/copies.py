"""Unpacked copies of files that are compressed as Spark does not unpack them, for Spark to read.

They lie in the lake, for each executor can read there, as long as a run lasts. What a run that was
killed left behind is removed by a later one.
"""

from __future__ import annotations

import logging
import re
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote

from penstock.assets.landing.packing import unpacked
from penstock.errors import LakeError
from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from penstock.assets.landing.file import TakenFile
    from penstock.resources.lake import Lake
    from penstock.resources.scratch import Scratch

__all__ = ["Copies", "copies"]

logger = logging.getLogger(__name__)

_TIME = "%Y%m%dT%H%M%SZ"
_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{32}")
_KEPT = timedelta(days=7)  # longer than any run lasts
_END = ".unpacked"  # Spark goes by the end of a name, and is to unpack nothing


@dataclass(slots=True, kw_only=True)
class Copies:
    """The copies that a run made, each below a folder of the run's own in `place`."""

    lake: Lake
    place: Scratch
    run: str
    _made: dict[str, str] = field(default_factory=dict)
    _making: Lock = field(default_factory=Lock)

    def of(self, file: TakenFile) -> str:
        """What Spark reads of the file: its copy, which is made when there is none.

        Raises InputError when the file cannot be read, LakeError when the lake has no room.
        """
        with self._making:
            if file.name not in self._made:
                with self.lake.open(file.name) as stream, unpacked(file.name, stream) as content:
                    copy = self.place.put(f"{self.run}/{file.name}{_END}", content)
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
    place = lake.scratch("_unpacked")
    oldest = (now - _KEPT).strftime(_TIME)
    for run in place.folders():
        if _RUN.fullmatch(run) and run < oldest:
            place.remove(run)
    run = f"{now.strftime(_TIME)}-{uuid.uuid4().hex}"
    try:
        yield Copies(lake=lake, place=place, run=run)
    finally:
        try:
            place.remove(run)
        except LakeError as error:
            # whatever came of the run stands; a later one removes them
            logger.warning("unpacked copies of landing files are left: %s", error)
