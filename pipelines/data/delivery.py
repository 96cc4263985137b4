"""Files put into a landing folder: each appears once, whole, under its final name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from penstock.errors import LakeError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Delivery", "Progress"]

Progress = Callable[[str, int, int], None]
"""Called with what is being delivered, how many files of it are done, and how many there are."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Which files a call put into `landing`, and which it found there and left alone."""

    landing: Path
    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def lacks(self, name: str) -> bool:
        """Whether the landing folder has no file `name`; one that is there is noted as kept."""
        path = self.landing / name
        if path.exists():
            self.kept.append(path)
            return False
        return True

    def put(self, name: str, content: bytes) -> None:
        """Deliver `content` as `name`: a reader sees the whole file or none.

        The unfinished file has a name with a leading dot, which Spark and the landing reader pass
        over; a process killed while writing leaves at most such a file.

        Raises:
            LakeError: the folder refuses the file. Nothing is left under the final name.
        """
        path = self.landing / name
        unfinished = path.with_name(f".{path.name}.{uuid4().hex}.unfinished")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(content)
            unfinished.replace(path)
        except OSError as error:
            _discard(unfinished)
            raise LakeError(
                "the landing folder refused a file",
                where=str(path),
                found=error.strerror or type(error).__name__,
                next_step="free space or grant write permission on the landing folder, run again",
            ) from error
        self.written.append(path)


def _discard(path: Path) -> None:
    # the first failure is the one to report, and a folder that refused the file may refuse this too
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
