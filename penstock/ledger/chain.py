"""The hash chain of a namespace's events: each link is the hash of the event and the link before.

Whoever changes, drops or reorders an event must change every later link, and a link that was
written down elsewhere (an evidence bundle, a ticket) then no longer fits.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from penstock.events.instant import instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["FIRST_LINK", "canonical", "digest_of", "link_after"]

FIRST_LINK = ""


def canonical(value: Mapping[str, Any]) -> str:
    """The value as the one JSON text of its kind: keys sorted, no spaces.

    Raises ValueError for what JSON cannot say (NaN).
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest_of(text: str) -> str:
    """SHA-256 of the text's UTF-8, in hex. Raises ValueError for a lone surrogate."""
    return hashlib.sha256(text.encode()).hexdigest()


def link_after(
    before: str,
    *,
    namespace: str,
    position: int,
    sequence: int,
    recorded_at: datetime,
    payload_hash: str,
) -> str:
    """The link of the event at `position` (from 1) in its namespace's chain."""
    fields = [before, namespace, position, sequence, instant(recorded_at), payload_hash]
    return digest_of(json.dumps(fields, separators=(",", ":"), ensure_ascii=False))
