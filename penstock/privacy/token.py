"""The token of one value, without Spark: to look a person up in masked data, or to erase one."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.resources.secrets import Key

__all__ = ["token"]


def token(key: Key, domain: str, value: str) -> str:
    """What `mask` gives for `value` under `Token(domain)` with this epoch of the key.

    HMAC-SHA256 (RFC 2104) of domain || 0x00 || value in UTF-8. A domain has no 0x00 in it, so no
    two pairs of domain and value share a message.
    """
    message = domain.encode() + b"\0" + value.encode()
    return f"{key.id}.{hmac.new(key.reveal(), message, hashlib.sha256).hexdigest()}"
