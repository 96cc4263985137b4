"""Spark's and Delta's exceptions, told apart: ours, a conflict, storage, a lost cluster."""

from __future__ import annotations

import re

from penstock.assets.frames import BAD_ROW
from penstock.errors import (
    ClusterError,
    ConflictError,
    LakeError,
    PenstockError,
    ValidationError,
)

__all__ = ["found_bad_row", "translated"]

_CONFLICT = re.compile(
    r"DELTA_CONCURRENT|Concurrent(Append|DeleteRead|DeleteDelete|Transaction|Write)Exception"
    r"|ProtocolChangedException|MetadataChangedException|DELTA_METADATA_CHANGED"
    r"|DELTA_PROTOCOL_CHANGED|DELTA_PATH_EXISTS|FileAlreadyExistsException"
    r"|DELTA_COMMIT_FILE_EXISTS|RemoteFileChangedException"
)
_FULL = re.compile(r"No space left on device|Disk quota exceeded|QuotaExceeded|EntityTooLarge")
_NO_CREDENTIALS = re.compile(r"NoAuthWithAWSException|Unable to load credentials")
_DENIED = re.compile(
    r"Permission denied|AccessDenied|AccessControlException|Access Denied|Operation not permitted"
    r"|status code: 403|Mkdirs failed to create|\(Forbidden\)"
)
_LOG = re.compile(
    r"DELTA_(LOG|STATE|MISSING|INVALID_LOG|VERSIONS_NOT_CONTIGUOUS|TRUNCATED|CHECKPOINT)"
    r"|_delta_log"
)
_FILE_GONE = re.compile(r"FileNotFoundException|FAILED_READ_FILE\.FILE_NOT_EXIST|NoSuchKey")
# Spark's conditions of class 22 (data exception) and what a Python function says
_DATA = re.compile(r"SQLSTATE: 22\w{3}|PythonException|PYTHON_EXCEPTION")
_CONDITION = re.compile(
    r"\[(CAST_\w+|DIVIDE_BY_ZERO|ARITHMETIC_OVERFLOW|NUMERIC_\w+|INVALID_ARRAY_INDEX\w*"
    r"|CANNOT_PARSE_\w+|DATETIME_OVERFLOW|INVALID_INPUT_SYNTAX\w*|MALFORMED_RECORD\w*)"
)
_DEPTH = 8  # deeper causes repeat the same
_LOST = re.compile(r"StatusCode\.UNAVAILABLE|Connection refused|SparkContext was shut down")


def found_bad_row(error: BaseException) -> bool:
    """Whether a strict frame stopped the job because a row breaks the contract."""
    return BAD_ROW in _text(error)


def translated(error: Exception, where: str) -> Exception:
    """What to raise for `error`: a PenstockError when its kind is known, else `error` itself.

    Messages of Spark can quote values of rows, so none of their text is taken over.
    """
    if isinstance(error, PenstockError):
        return error
    text = _text(error)
    if _FULL.search(text):
        return LakeError(
            "the disk is full",
            where=where,
            next_step="free space (penstock doctor shows how much is left) and run again; "
            "the table is as before",
        )
    if _CONFLICT.search(text):
        return ConflictError(
            "another writer changed the table at the same time",
            where=where,
            next_step="run again: a run that is already committed is recognised",
        )
    if _NO_CREDENTIALS.search(text):
        return LakeError(
            "Spark has no credentials for the storage",
            where=where,
            next_step="export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a "
            "role, before the Spark session or server starts",
        )
    if _DENIED.search(text):
        return LakeError(
            "permission denied by the storage",
            where=where,
            next_step="grant this process read and write access to the table's folder, then run "
            "again; the table is as before",
        )
    if _FILE_GONE.search(text):
        return LakeError(
            "a file that the table's log or the landing list names is gone",
            where=where,
            next_step="restore the file, or RESTORE the table to a version whose files are there",
        )
    if _LOG.search(text):
        return LakeError(
            "the table's log cannot be read",
            where=where,
            next_step="restore the damaged file of _delta_log from a backup",
        )
    if _DATA.search(text):
        condition = _CONDITION.search(text)
        return ValidationError(
            "the function fails on a row",
            where=where,
            expected="a function that turns every row into one, or into NULL",
            found=condition[1] if condition else "an error in a Python function",
            next_step="make it keep the row and say NULL (try_cast, try_divide, ...): a check then "
            "sets the row aside",
        )
    if _LOST.search(text):
        return ClusterError(
            "the Spark cluster was lost",
            where=where,
            next_step="start it again and run again: what was committed is recognised",
        )
    return error


def _text(error: BaseException) -> str:
    """All that is said by an error and its causes, Java's included."""
    parts: list[str] = []
    link: BaseException | None = error
    while link is not None and len(parts) < _DEPTH:
        parts.append(str(link))
        java = getattr(link, "_origin", None) or getattr(link, "java_exception", None)
        while java is not None and len(parts) < 3 * _DEPTH:
            parts.append(str(java.toString()))
            java = java.getCause()
        link = link.__cause__ or link.__context__
    return "\n".join(parts)
