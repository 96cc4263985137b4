"""The lake: the one place that turns (dataset) into a path, on a local disk or on S3."""

from __future__ import annotations

import errno
import fnmatch
import io
import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

from dagster import ConfigurableResource

from penstock.errors import DefinitionError, InputError, LakeError, PenstockError
from penstock.resources.neighbours import refuse_nested
from penstock.resources.refusals import reason, refusals
from penstock.resources.scratch import LocalScratch, S3Scratch
from penstock.resources.table_log import TableLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from penstock.resources.scratch import Scratch

__all__ = ["Lake", "LandingFile", "Table"]

# delta-rs 1.6 takes %20 for a blank and # for an end, here or there: it reads another folder than
# Spark writes, or a log without a commit. No way of writing the address helps.
_MISREAD = re.compile(r"%[0-9A-Fa-f]{2}|[#?\\]")
_MISREAD_ON_S3 = re.compile(rf"{_MISREAD.pattern}|:")
_MAKING_A_CLIENT = Lock()  # boto3's default session is no business of two threads
#: The age from which the times of a local file tell each of its states apart.
SETTLED_SECONDS = 2.0
_VARIES = re.compile(r"[*?\[]|\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingFile:
    """A file in landing. `name` is relative to it, `uri` is what Spark reads.

    `state` is another one whenever the content may be; None while it may change without that.
    """

    name: str
    uri: str
    bytes: int
    modified: datetime
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where one Delta table is. `path` is what Spark reads and writes."""

    dataset: str
    path: str
    uri: str
    options: Mapping[str, str]

    def read(self) -> TableLog | None:
        """The newest state of the log, None when the table does not exist yet."""
        return TableLog.open(self.uri, self.options, self.dataset)

    def at(self, version: int, table_id: str = "") -> TableLog:
        """The log at a version that is there, with Delta's id of the table; nothing is read yet."""
        return TableLog(self.uri, self.options, self.dataset, version=version, table_id=table_id)

    def refuse_nested(self) -> None:
        """Raise DefinitionError when it would be made inside another Delta table, or around one."""
        refuse_nested(self.uri, self.options, self.dataset)

    @property
    def physical_name(self) -> tuple[str, str]:
        """(namespace, name) by OpenLineage's naming: `file` and the path, or bucket and key."""
        if self.uri.startswith("s3://"):
            bucket, _, key = self.uri.removeprefix("s3://").partition("/")
            return f"s3://{bucket}", key
        return "file", self.path


class Lake(ConfigurableResource["Lake"]):
    """Tables under `root`, arriving files under `landing`; each a local folder or `s3://…`.

    Credentials come from where boto3 finds them. `s3_endpoint` is for an S3 that is not AWS's.
    """

    root: str
    landing: str
    s3_endpoint: str | None = None
    s3_region: str = "us-east-1"

    def table(self, dataset: str) -> Table:
        """Where `dataset` is, e.g. `silver.bookings` in `<root>/silver/bookings`.

        Raises DefinitionError for a root that the two engines would take for different folders.
        """
        return self._table(dataset, dataset.replace(".", "/"))

    def quarantine(self, dataset: str) -> Table:
        """Where the rows set aside from `dataset` are."""
        return self._table(f"{dataset} (quarantine)", f"_quarantine/{dataset.replace('.', '/')}")

    def elsewhere(self, dataset: str, location: str) -> Table:
        """A table of others at `location`, an absolute path or `s3://…`, read as the lake is.

        Raises InputError for one that lies in the lake, or where this lake's session cannot read,
        DefinitionError for a location that the two engines would take for different folders.
        """
        if self._holds(location):
            raise InputError(
                "the table lies in the lake",
                where=f"{dataset} at {location}",
                expected=f"a table outside {self.root}",
                next_step="read it by its name: table('silver.bookings'); one that others write is "
                "named in Deployment(external=(...))",
            )
        if not (location.startswith("/") or self._on_s3(location)):
            raise InputError(
                "the table lies on a storage that is not read",
                where=f"{dataset} at {location}",
                expected="a local path, or s3://",
                next_step="have it copied to one",
            )
        if self._on_s3(location) and not self._uses_s3:
            raise InputError(
                "the table lies on S3, and the lake's Spark session has no client for it",
                where=f"{dataset} at {location}",
                expected="a lake of which root or landing is on S3",
                found=f"{self.root}, {self.landing}",
                next_step="have it copied to a local folder, or move landing to S3",
            )
        return self._at(dataset, location, location)

    def spark_conf(self) -> dict[str, str]:
        """What a Spark session needs to reach the lake; empty for a local folder."""
        if not self._uses_s3:
            return {}
        conf = {
            "spark.hadoop.fs.s3a.endpoint.region": self.s3_region,
            "spark.hadoop.fs.s3a.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        }
        if self.s3_endpoint:
            conf["spark.hadoop.fs.s3a.endpoint"] = self.s3_endpoint
            conf["spark.hadoop.fs.s3a.path.style.access"] = "true"
            secure = self.s3_endpoint.startswith("https://")
            conf["spark.hadoop.fs.s3a.connection.ssl.enabled"] = str(secure).lower()
        return conf

    def landing_files(self, pattern: str, *, if_there: bool = False) -> list[LandingFile]:
        """The files of landing whose relative name matches the glob, sorted by name.

        `*` does not cross a folder. Raises InputError when landing is not there, or locally the
        folder of the pattern before its first wildcard or day; `if_there`: no such folder, no file.
        """
        if self._on_s3(self.landing):
            found = self._list_s3(pattern)
        else:
            found = self._list_local(pattern, if_there=if_there)
        return sorted(found, key=lambda file: file.name)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """The bytes of the landing file `name`. Raises InputError when it cannot be read."""
        try:
            if self._on_s3(self.landing):
                bucket, prefix = _bucket(self.landing)
                body = self._s3().get_object(Bucket=bucket, Key=prefix + name)["Body"]
                yield io.BufferedReader(_Raw(body), 1 << 20)
            else:
                with (Path(self.landing) / name).open("rb") as stream:
                    yield stream
        except PenstockError:
            raise  # what was made of the bytes; LakeError is an OSError
        except refusals(s3=self._on_s3(self.landing)) as error:
            raise InputError(
                "the file cannot be read",
                where=name,
                found=reason(error),
                next_step="check that the file is still there and that this process may read it",
            ) from error

    def scratch(self, folder: str) -> Scratch:
        """A place below the root for files that are wanted for a while."""
        if self._on_s3(self.root):
            bucket, prefix = _bucket(self.root)
            return S3Scratch(bucket, f"{prefix}{folder}/", self._s3)
        return LocalScratch(Path(self.root) / folder)

    def check_writable(self) -> None:
        """Raise LakeError when a local root cannot be written to."""
        if self._on_s3(self.root):
            return
        root = Path(self.root)
        try:
            root.mkdir(parents=True, exist_ok=True)
            writable = os.access(root, os.W_OK | os.X_OK)
        except OSError:
            writable = False
        if not writable:
            raise LakeError(
                "no permission to write",
                where=str(root),
                next_step=f"give this user write access to {root}, or set another lake root",
            )

    def _table(self, dataset: str, relative: str) -> Table:
        if self._on_s3(self.root):
            return self._at(dataset, f"{self.root.rstrip('/')}/{relative}", self.root)
        return self._at(dataset, str(Path(self.root).absolute() / relative), self.root)

    def _at(self, dataset: str, uri: str, said: str) -> Table:
        """The table at `uri`, which whoever configured it `said` so."""
        if not self._on_s3(uri):
            _refuse_misread(_MISREAD, uri, said)
            return Table(dataset=dataset, path=uri, uri=uri, options={})
        _refuse_misread(_MISREAD_ON_S3, uri.removeprefix("s3://"), said)
        options = {"AWS_REGION": self.s3_region}
        if self.s3_endpoint:
            options["AWS_ENDPOINT_URL"] = self.s3_endpoint
            if self.s3_endpoint.startswith("http://"):
                options["AWS_ALLOW_HTTP"] = "true"
        path = "s3a://" + uri.removeprefix("s3://")
        return Table(dataset=dataset, path=path, uri=uri, options=options)

    def _holds(self, location: str) -> bool:
        """Whether the location lies in the lake."""
        if self._on_s3(location) or self._on_s3(self.root):
            return f"{location}/".startswith(f"{self.root.rstrip('/')}/")
        return Path(location).resolve().is_relative_to(Path(self.root).resolve())

    @property
    def _uses_s3(self) -> bool:
        return self._on_s3(self.root) or self._on_s3(self.landing)

    def _list_local(self, pattern: str, *, if_there: bool) -> Iterator[LandingFile]:
        root = Path(self.landing)
        # only what does not depend on the files or the day: a day's folder comes with its file
        folder = root / _VARIES.split(pattern, maxsplit=1)[0].rpartition("/")[0]
        if not folder.is_dir():
            if if_there and root.is_dir():
                return
            raise _no_landing(str(folder))
        root = root.absolute()
        above = f"{str(root).rstrip('/')}/"
        for path in root.glob(pattern):  # at each run thousands: no more is asked than is told
            stat = None if _is_hidden(path.name) else _stat(path)
            if stat is not None and S_ISREG(stat.st_mode):
                uri = str(path)
                yield LandingFile(
                    name=uri.removeprefix(above),
                    uri=uri,
                    bytes=stat.st_size,
                    modified=datetime.fromtimestamp(stat.st_mtime, tz=UTC),
                    state=_state(stat),
                )

    def _list_s3(self, pattern: str) -> Iterator[LandingFile]:
        bucket, prefix = _bucket(self.landing)
        fixed = pattern.split("*", 1)[0].split("?", 1)[0].split("[", 1)[0]
        pages = self._s3().get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=bucket, Prefix=prefix + fixed):
                for entry in page.get("Contents", ()):
                    name = entry["Key"].removeprefix(prefix)
                    if _is_hidden(name.rpartition("/")[2]) or name.count("/") != pattern.count("/"):
                        continue
                    if fnmatch.fnmatchcase(name, pattern):
                        yield LandingFile(
                            name=name,
                            uri=f"s3a://{bucket}/{entry['Key']}",
                            bytes=entry["Size"],
                            modified=entry["LastModified"],
                            state=f"{entry['Size']} {entry['ETag']} {entry['LastModified']}",
                        )
        except refusals(s3=self._on_s3(self.landing)) as error:
            if reason(error) == "NoSuchBucket":
                raise _no_landing(self.landing) from error
            raise InputError(
                "landing cannot be listed",
                where=self.landing,
                found=reason(error),
                next_step="check the credentials of this process and that they may list the bucket",
            ) from error

    def _s3(self) -> Any:
        import boto3

        with _MAKING_A_CLIENT:
            return boto3.client("s3", endpoint_url=self.s3_endpoint, region_name=self.s3_region)

    @staticmethod
    def _on_s3(place: str) -> bool:
        return place.startswith("s3://")


class _Raw(io.RawIOBase):
    """A boto3 body as a raw stream, so that `io.BufferedReader` can read lines of it."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _refuse_misread(signs: re.Pattern[str], path: str, said: str) -> None:
    if found := signs.search(path):
        raise DefinitionError(
            "the location has a sign that Spark and delta-rs read differently",
            where=said,
            expected="a path without #, ?, backslash and % before two hexadecimal digits, "
            "on S3 also without a colon",
            found=found[0],
            next_step="rename the folder, or choose another one",
        )


def _is_hidden(name: str) -> bool:
    """Whether Spark leaves the file out: those not meant to be seen, and one that hdfs copies."""
    return name.startswith((".", "_")) or name.endswith("._COPYING_")


def _stat(path: Path) -> os.stat_result | None:
    """What the file system says of the file; None: it is gone, or a link to nothing."""
    try:
        return path.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


def _state(stat: os.stat_result) -> str | None:
    # a file system's clock moves in steps: what is written within one leaves no trace
    if time.time() - max(stat.st_mtime, stat.st_ctime) < SETTLED_SECONDS:
        return None
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"


def _bucket(place: str) -> tuple[str, str]:
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    return bucket, f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""


def _no_landing(place: str) -> InputError:
    return InputError(
        "the landing folder does not exist",
        where=place,
        next_step="create it, or set `landing` of the lake to where the files arrive",
    )
