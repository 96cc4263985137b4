"""Files below the lake's root that are wanted for a while, which every executor can read."""

from __future__ import annotations

import logging
import re
import shutil
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.errors import LakeError, PenstockError
from penstock.resources.refusals import reason, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

__all__ = [
    "UNPACKED",
    "LocalScratch",
    "S3Scratch",
    "Scratch",
    "folder_of",
    "remove",
    "remove_left",
]

#: Where copies of landing files are that Spark does not unpack.
UNPACKED = "_unpacked"
_CHUNK = 1 << 20
_TIME = "%Y%m%dT%H%M%SZ"
_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{32}")
_KEPT = timedelta(days=2)  # longer than any run lasts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalScratch:
    """In a folder below a local root."""

    root: Path

    def folders(self) -> list[str]:
        """The names of the folders that are there."""
        with _told(str(self.root)):
            return sorted(path.name for path in self.root.iterdir()) if self.root.is_dir() else []

    def put(self, name: str, content: BinaryIO) -> str:
        """Write the file; the path that Spark reads. Raises LakeError."""
        path = self.root / name
        with _told(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("wb")
        with file:
            # what cannot be read raises its own error
            while chunk := content.read(_CHUNK):
                with _told(str(path)):
                    file.write(chunk)
            with _told(str(path)):
                file.flush()
        return str(path.absolute())

    def remove(self, folder: str) -> None:
        """Remove the folder with all that is in it, if it is there. Raises LakeError."""
        # another process may be at it, too
        with _told(str(self.root / folder)), suppress(FileNotFoundError):
            shutil.rmtree(self.root / folder)


@dataclass(frozen=True, slots=True)
class S3Scratch:
    """Below a prefix, which ends in a slash, of a bucket."""

    bucket: str
    prefix: str
    client: Callable[[], Any]

    def folders(self) -> list[str]:
        """The names of the folders that are there."""
        with _told(self._place(""), s3=True):
            pages = self.client().get_paginator("list_objects_v2")
            found = pages.paginate(Bucket=self.bucket, Prefix=self.prefix, Delimiter="/")
            return sorted(
                entry["Prefix"].removeprefix(self.prefix).rstrip("/")
                for page in found
                for entry in page.get("CommonPrefixes", ())
            )

    def put(self, name: str, content: BinaryIO) -> str:
        """Write the object; the path that Spark reads. Raises LakeError."""
        with _told(self._place(name), s3=True):
            self.client().upload_fileobj(content, self.bucket, self.prefix + name)
        return f"s3a://{self.bucket}/{self.prefix}{name}"

    def remove(self, folder: str) -> None:
        """Remove all objects of the folder. Raises LakeError."""
        with _told(self._place(folder), s3=True):
            client = self.client()
            pages = client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self.prefix}{folder}/"):
                found = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
                if found:
                    wanted = {"Objects": found, "Quiet": True}
                    done = client.delete_objects(Bucket=self.bucket, Delete=wanted)
                    if refused := done.get("Errors"):
                        raise PermissionError(0, refused[0].get("Code"))

    def _place(self, name: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{name}"


Scratch = LocalScratch | S3Scratch


def folder_of(now: datetime) -> str:
    """A name for the folder of a run that begins now."""
    return f"{now.strftime(_TIME)}-{uuid.uuid4().hex}"


def remove(place: Scratch, folder: str) -> None:
    """Remove the folder. Where that fails it is logged: whatever came of the run stands."""
    try:
        place.remove(folder)
    except LakeError as error:
        logger.warning("what a run kept for a while is left, and removed later: %s", error)


def remove_left(place: Scratch, now: datetime) -> None:
    """Remove the folders of runs that were killed: those older than two days."""
    oldest = (now - _KEPT).strftime(_TIME)
    for folder in place.folders():
        if _RUN.fullmatch(folder) and folder < oldest:
            remove(place, folder)


@contextmanager
def _told(where: str, *, s3: bool = False) -> Iterator[None]:
    """What the storage refuses, as LakeError."""
    try:
        yield
    except PenstockError:
        raise  # of what is read meanwhile
    except refusals(s3=s3) as error:
        raise LakeError(
            "a file for the time of a run cannot be kept in the lake",
            where=where,
            found=reason(error),
            next_step="make room, or give this process write access there, and run again",
        ) from error
