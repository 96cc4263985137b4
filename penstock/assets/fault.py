"""Spark's and Delta's exceptions, told apart: the function's, a row's, storage, a lost cluster."""

from __future__ import annotations

import re
import traceback
from itertools import pairwise
from urllib.parse import unquote

from py4j.protocol import Py4JError
from pyspark.errors import (
    AnalysisException,
    IllegalArgumentException,
    PySparkException,
    UnsupportedOperationException,
)

from penstock.assets.raised import NO_CLIENT, call_site, conditions, java_class, signs, words
from penstock.assets.row_filters import BAD_ROW
from penstock.errors import (
    ClusterError,
    ConflictError,
    DefinitionError,
    GateError,
    InputError,
    LakeError,
    PenstockError,
    SetupError,
    SourceError,
    ValidationError,
)

__all__ = ["file_gone", "found_bad_row", "place", "translated"]

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
    r"DELTA_(LOG_FILE|STATE_RECOVER|TXN_LOG|UNRECOGNIZED_LOGFILE|VERSIONS_NOT_CONTIGUOUS|TRUNCATED_"
    r"|CHECKPOINT_|MISSING_(DELTA_TABLE|FILES_|PART_FILES|COMMIT_)|INVALID_COMMITTED_VERSION)"
    r"|_delta_log"
)
_NO_DRIVER = re.compile(r"ClassNotFoundException[\s\S]*org\.postgresql\.Driver")
_DATABASE = re.compile(r"org\.postgresql\.util\.PSQLException")
_NO_READER = re.compile("|".join(sorted(NO_CLIENT)))
_KAFKA = re.compile(r"org\.apache\.kafka\.|KAFKA_DATA_LOSS|TimeoutException: Cannot fetch ")
_NOT_MINE = re.compile(r"org\.apache\.kafka\.\S*(Authorization|Authentication)Exception")
_NO_FOLDER = re.compile(r"DELTA_CANNOT_CREATE_LOG_PATH")
_FILE_GONE = re.compile(
    r"FileNotFoundException|FAILED_READ_FILE\.FILE_NOT_EXIST|NoSuchKey|\[PATH_NOT_FOUND\]"
)
# SQLSTATE 22 (data exception), raise_error, and what a Python function says
_DATA = re.compile(r"SQLSTATE: (22\w{3}|P0001)|PythonException|PYTHON_EXCEPTION")
# SQLSTATE 23 (a constraint), which Delta does not always have
_CONSTRAINT = re.compile(
    r"SQLSTATE: 23\w{3}|\[(DELTA_VIOLATE_CONSTRAINT\w*|DELTA_NOT_NULL_CONSTRAINT_VIOLATED"
    r"|DELTA_EXCEED_CHAR_VARCHAR_LIMIT|EXCEED_LIMIT_LENGTH|NOT_NULL_ASSERT_VIOLATION)\]"
)
_NO_FEED = re.compile(r"DELTA_MISSING_CHANGE_DATA|DELTA_CHANGE_TABLE_FEED_DISABLED")
_NO_NAME = re.compile(r"UNRESOLVED_|CANNOT_RESOLVE_|ATTRIBUTE_NOT_SUPPORTED")
_NO_COLUMN = re.compile(r"COLUMN|FIELD|ATTRIBUTE")
# what Spark calls the name it could not find
_NAMES = ("objectName", "fieldName", "routineName", "columnName", "name", "attr_name")
_CALLER = "penstock.assets.body"
_NOT_THE_USERS = frozenset({"penstock", "pyspark", "py4j"})
_LOST = re.compile(r"StatusCode\.UNAVAILABLE|Connection refused|SparkContext was shut down")


def found_bad_row(error: BaseException) -> bool:
    """Whether a strict frame stopped the job because a row breaks the contract."""
    return BAD_ROW in words(error)


def file_gone(error: BaseException, folder: str) -> bool:
    """Whether a file is missing and the error speaks of one in `folder`, a path as Spark has it."""
    return bool(_FILE_GONE.search(signs(error))) and f"{folder}/" in unquote(words(error))


def place(error: BaseException) -> str | None:
    """`file:line` in the user's function that was running, None when it was not."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    for (caller, _), (frame, line) in pairwise(frames):
        called_by, module = (f.f_globals.get("__name__", "") for f in (caller, frame))
        if called_by == _CALLER and module.partition(".")[0] not in _NOT_THE_USERS:
            return f"{frame.f_code.co_filename}:{line}"
    return None


def translated(error: Exception, where: str) -> Exception:
    """What to raise for `error`: a PenstockError for whatever Spark or the storage says.

    Only an error that is neither Spark's nor the storage's comes back as it is. Messages of Spark
    can quote values of rows, so none of their text is taken over, only names: of Spark's error
    conditions and of columns.
    """
    if isinstance(error, PenstockError):
        return error
    text = signs(error)
    told = _definition(error, where) or _source(text, where)
    told = told or _row(error, text, where) or _storage(text, where)
    if told is None and isinstance(error, (PySparkException, Py4JError)):
        told = _unforeseen(error, where)
    return told or error


def _definition(error: Exception, where: str) -> PenstockError | None:
    """The user's function asks Spark for what it does not have."""
    names = conditions(error)
    unresolved = names and _NO_NAME.match(names[-1])
    line = place(error) or call_site(error)
    if not unresolved and not (line and _early(error)):
        return None
    facts = (
        unresolved and isinstance(error, PySparkException) and error.getMessageParameters()
    ) or {}
    name = next((facts[key] for key in _NAMES if key in facts), None)
    condition = names[-1] if names else type(error).__name__
    near = facts.get("proposal")
    if near:
        next_step = f"did you mean one of {near}?"
    elif unresolved:
        next_step = "correct the name in the function"
    else:
        next_step = (
            "correct the function; called on a few rows in a test (penstock.testing.run_body) it "
            "gives Spark's whole message"
        )
    what = "the function asks for something that Spark refuses"
    if unresolved:
        thing = "a column" if _NO_COLUMN.search(condition) else "something"
        what = f"the function names {thing} that is not there"
    return DefinitionError(
        what,
        where=f"{where}, {line}" if line else where,
        found=f"{name} ({condition})" if name else condition,
        next_step=next_step,
    )


def _early(error: Exception) -> bool:
    """Whether it is said of the function before any row is read."""
    if isinstance(error, (AnalysisException, IllegalArgumentException)):
        return not any(name.startswith("DELTA_") for name in conditions(error))
    own = type(error).__module__ == PySparkException.__module__  # PySpark's, not the JVM's
    # Py4J's plain error is a call with arguments that no Java method has
    return own or type(error) is Py4JError or isinstance(error, UnsupportedOperationException)


def _row(error: Exception, text: str, where: str) -> PenstockError | None:
    """A row that the function or the table's own constraints cannot take."""
    condition = next(iter(conditions(error)[-1:]), None)
    if _CONSTRAINT.search(text):
        return ValidationError(
            "a row breaks a constraint of the table itself",
            where=where,
            expected="rows that keep the constraints in the table's properties",
            found=condition,
            next_step="put the same rule into the contract: a row that breaks it is then set "
            "aside; or drop the constraint (ALTER TABLE ... DROP CONSTRAINT)",
        )
    if _DATA.search(text):
        in_python = "an error in a Python function"
        return ValidationError(
            "the function fails on a row",
            where=where,
            expected="a function that turns every row into one, or into NULL",
            found=in_python if condition in (None, "PYTHON_EXCEPTION") else condition,
            next_step="make it keep the row and say NULL (try_cast, try_divide, ...): a check then "
            "sets the row aside",
        )
    return None


def _unforeseen(error: Exception, where: str) -> PenstockError:
    """Spark's error of no kind that is known here."""
    found = ", ".join(conditions(error)) or java_class(error) or type(error).__name__
    if isinstance(error, AnalysisException):
        return GateError(
            "Spark refuses a statement on the tables",
            where=where,
            found=found,
            next_step="look up the condition in Spark's or Delta's list of error conditions; the "
            "table is as before",
        )
    return ClusterError(
        "Spark failed at the work",
        where=where,
        found=found,
        next_step="read the log of the Spark driver or server (its words may quote rows), then "
        "run again",
    )


def _source(text: str, where: str) -> PenstockError | None:
    """A database or a Kafka cluster that is read from is gone, or the session cannot ask it."""
    for sought, what in ((_NO_DRIVER, "a database"), (_NO_READER, "Avro or Kafka")):
        if sought.search(text):
            return SetupError(
                f"the session has no client for {what}",
                where=where,
                expected="its jars on the class path when the session starts",
                next_step="penstock jars --resolve, then start the session anew",
            )
    if _DATABASE.search(text):
        return SourceError(
            "a database that is read from went away, or refused to be read",
            where=where,
            next_step="see the database's own log; then run again: nothing was committed",
        )
    if _NOT_MINE.search(text):
        return InputError(
            "the Kafka cluster refuses to give records of a topic to the user",
            where=where,
            expected="READ and DESCRIBE on the topic",
            next_step="have it granted; nothing was committed",
        )
    if _KAFKA.search(text):
        return SourceError(
            "records of a topic that is read could not be fetched",
            where=where,
            found="deleted while they were read"
            if "DATA_LOSS" in text
            else "no answer of the broker",
            next_step="see that the cluster is up, and that the topic keeps its records for longer "
            "than a run takes; then run again: nothing was committed",
        )
    return None


def _storage(text: str, where: str) -> PenstockError | None:
    """The storage refuses, another writer was first, or the cluster is gone."""
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
    if _NO_FOLDER.search(text):
        return LakeError(
            "the table's folder cannot be made",
            where=where,
            next_step="see whether a file lies where a folder of its path should be, and whether "
            "this process may write there; then run again",
        )
    if _FILE_GONE.search(text):
        return LakeError(
            "a file that the table's log or the landing list names is gone",
            where=where,
            next_step="restore the file from a backup, or rebuild the dataset in a new table",
        )
    if _NO_FEED.search(text):
        return InputError(
            "an input taken as changes(...) keeps no change feed",
            where=where,
            expected="delta.enableChangeDataFeed = true since before the commits to be taken",
            next_step="switch it on: ALTER TABLE ... SET TBLPROPERTIES "
            "(delta.enableChangeDataFeed = true); earlier commits stay without, so take them by "
            "rebuilding this dataset in a new table",
        )
    if _LOG.search(text):
        return LakeError(
            "the table's log cannot be read",
            where=where,
            next_step="restore the damaged file of _delta_log from a backup, or rebuild the "
            "dataset in a new table",
        )
    if _LOST.search(text):
        return ClusterError(
            "the Spark cluster was lost",
            where=where,
            next_step="start it again and run again: what was committed is recognised",
        )
    return None
