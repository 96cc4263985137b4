"""Delta tables inside one another: VACUUM of the outer one takes the inner one's files for orphans.

Delta deletes whatever no commit of a table names, in its folder and in every folder below. So one
table never lies inside another, whoever made it.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileType, PyFileSystem

from penstock.errors import DefinitionError, LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["named", "refuse_nested", "table_around", "tables_inside"]

logger = logging.getLogger(__name__)

_LOG = "_delta_log"


def table_around(uri: str, options: Mapping[str, str]) -> str | None:
    """The nearest folder above `uri`, a local path or `s3://…`, that is a Delta table; else None.

    A folder that this process may not look into is passed over with a warning: a lake is often
    somebody's only right in a bucket.
    """
    for place in _above(uri):
        try:
            if _is_table(place, options):
                return place
        except (DeltaError, OSError) as error:
            logger.warning(
                "whether a table lies around another cannot be told place=%s reason=%r",
                place,
                " ".join(str(error).split())[:200],
            )
    return None


def tables_inside(uri: str, options: Mapping[str, str]) -> tuple[str, ...]:
    """The folders below `uri` that have a Delta log, relative to it, sorted. `uri` is none of them.

    Lists every folder below, and nothing inside what it finds. Raises LakeError when the storage
    does not say.
    """
    if "://" not in uri and not Path(uri).is_dir():  # delta-rs would make it
        return ()
    found, folders = [], [""]
    try:
        files = PyFileSystem(DeltaStorageHandler(uri, dict(options) or None))
        while folders:
            folder = folders.pop()
            below = [
                entry.path
                for entry in files.get_file_info(FileSelector(folder, allow_not_found=True))
                if entry.type is FileType.Directory
            ]
            logs = [path for path in below if PurePosixPath(path).name == _LOG]
            if folder and logs:
                found.append(folder)
            else:
                folders += [path for path in below if path not in logs]
    except (DeltaError, OSError) as error:
        raise _unlisted(uri, error) from error
    return tuple(sorted(found))


def refuse_nested(uri: str, options: Mapping[str, str], where: str) -> None:
    """Raise DefinitionError when a table made at `uri` would lie inside another, or around it."""
    around = table_around(uri, options)
    inside = () if around else tables_inside(uri, options)
    if around or inside:
        raise DefinitionError(
            "the table would lie inside another one"
            if around
            else "another table lies where the table would be made",
            where=where,
            expected=f"no Delta table above {uri} or below it",
            found=around or ", ".join(f"{uri}/{named(folder)}" for folder in inside),
            next_step="rename the dataset or move the lake's root: VACUUM of the outer table would "
            "delete the files of the inner one",
        )


def named(folder: str) -> str:
    """The folder for a message: what partitions are called, not the values they are of."""
    return re.sub(r"=[^/]*", "=...", folder)


def _above(uri: str) -> Iterator[str]:
    if "://" not in uri:
        yield from (str(parent) for parent in Path(uri).parents if parent.is_dir())
        return
    scheme, _, rest = uri.partition("://")
    for parent in PurePosixPath(rest).parents:
        if str(parent) != ".":
            yield f"{scheme}://{parent}"


def _is_table(place: str, options: Mapping[str, str]) -> bool:
    # asked first because it costs nothing, and a folder of others may refuse more than this
    if "://" not in place and not (Path(place) / _LOG).is_dir():
        return False
    return DeltaTable.is_deltatable(place, storage_options=dict(options) or None)


def _unlisted(uri: str, error: Exception) -> LakeError:
    return LakeError(
        "whether another table lies inside the folder cannot be told",
        where=uri,
        found=" ".join(str(error).split())[:400],
        next_step="let this process list the folder and those below it",
    )
