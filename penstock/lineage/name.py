"""A name as both databases keep it, also in an index."""

from __future__ import annotations

from typing import TypeGuard

__all__ = ["LONGEST_NAME_BYTES", "Name", "is_name"]

#: (namespace, name), as OpenLineage calls a dataset or a job.
Name = tuple[str, str]

#: Of UTF-8. PostgreSQL's indexes take rows of at most 2,704 bytes, and some hold two names.
LONGEST_NAME_BYTES = 1280


def is_name(value: object) -> TypeGuard[str]:
    """Whether it is text, not empty, without NUL (PostgreSQL keeps none) and not too long."""
    return (
        isinstance(value, str)
        and len(value) > 0
        and "\0" not in value
        and len(value.encode(errors="replace")) <= LONGEST_NAME_BYTES
    )
