"""Names of datasets, columns and jobs: what every database can keep as one."""

from __future__ import annotations

from typing import Any, TypeGuard

__all__ = ["LONGEST_NAME", "is_name"]

LONGEST_NAME = 4096  # characters


def is_name(value: Any) -> TypeGuard[str]:
    """Whether it is text of 1 to LONGEST_NAME characters without NUL, which PostgreSQL refuses."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and "\0" not in value
