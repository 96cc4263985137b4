"""A name as both databases keep it, also in an index."""

from __future__ import annotations

import re
from typing import Any, TypeGuard

__all__ = ["LONGEST_NAME_BYTES", "Name", "dataset_name", "is_name", "one_s3"]

#: (namespace, name), as OpenLineage calls a dataset or a job.
Name = tuple[str, str]

#: Of UTF-8. PostgreSQL's indexes take rows of at most 2,704 bytes, and some hold two names.
LONGEST_NAME_BYTES = 1280

# where a dataset is a folder or a file, by the OpenLineage naming specification and in practice
_FILES = re.compile(
    r"(?:file|s3|gs|wasbs?|abfss?|adl|hdfs|viewfs|webhdfs|dbfs|oss|cosn?)(?:://.*)?", re.DOTALL
)
_S3 = re.compile(r"s3[an](?=://)")


def is_name(value: object) -> TypeGuard[str]:
    """Whether it is text, not empty, without NUL (PostgreSQL keeps none) and not too long."""
    return (
        isinstance(value, str)
        and len(value) > 0
        and "\0" not in value
        and len(value.encode(errors="replace")) <= LONGEST_NAME_BYTES
    )


def one_s3(namespace: str) -> str:
    """The namespace with s3 for s3a and s3n: those are Hadoop's clients, not places."""
    return _S3.sub("s3", namespace)


def dataset_name(namespace: Any, name: Any) -> Name | None:
    """The name by which a dataset is known that was told under this one. None: this is no name.

    A folder is the same with and without a slash at its end, and a bucket whoever reads it.

    >>> dataset_name("s3a://bucket", "sales/")
    ('s3://bucket', 'sales')
    """
    if not (is_name(namespace) and is_name(name)):
        return None
    place = one_s3(namespace)
    return place, (name.rstrip("/") or "/") if _FILES.fullmatch(place) else name
