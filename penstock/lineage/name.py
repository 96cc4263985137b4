"""Names that every database can keep and find again."""

from __future__ import annotations

from typing import Any

__all__ = ["LONGEST_BYTES", "is_name"]

#: In UTF-8, of a name together with its namespace: a row of PostgreSQL's indexes takes 2,704 bytes
#: (https://www.postgresql.org/docs/current/btree.html).
LONGEST_BYTES = 2600


def is_name(*parts: Any) -> bool:
    """Whether these are texts that are not empty, hold no NUL, and together are short enough."""
    if not all(isinstance(part, str) and part and "\0" not in part for part in parts):
        return False
    return sum(len(part.encode()) for part in parts) <= LONGEST_BYTES
