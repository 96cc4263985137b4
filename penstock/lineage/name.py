"""Names of datasets, columns and jobs: what every database can keep as one, and find by it."""

from __future__ import annotations

from typing import Any, TypeGuard

__all__ = ["LONGEST_NAME", "is_name"]

# bytes: PostgreSQL's index holds 2704 of a row, and a row is found by namespace and name
LONGEST_NAME = 1300


def is_name(value: Any) -> TypeGuard[str]:
    """Whether it is text of 1 to LONGEST_NAME bytes in UTF-8 without NUL."""
    return isinstance(value, str) and 0 < len(value.encode()) <= LONGEST_NAME and "\0" not in value
