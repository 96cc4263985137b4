"""Whose page made a call: a cookie goes along whichever page of the same machine asks for it.

SameSite keeps other sites out, and knows no ports: what else this host serves is the same site.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PageOrigin", "page_origin"]


class PageOrigin(Enum):
    """Ours, another's, or nobody said: a browser says it of every call that changes something."""

    OWN = auto()
    FOREIGN = auto()
    UNSAID = auto()


def page_origin(headers: Mapping[str, str]) -> PageOrigin:
    """By `Sec-Fetch-Site`, which no page can write, else by `Origin`.

    The host alone is compared: who is behind a proxy does not know with which scheme it is called.
    """
    match headers.get("sec-fetch-site"):
        case "same-origin":
            return PageOrigin.OWN
        case "none":  # typed, or a bookmark: no page asked
            return PageOrigin.UNSAID
        case None:
            pass
        case _:
            return PageOrigin.FOREIGN
    origin = headers.get("origin")
    if origin is None:
        return PageOrigin.UNSAID
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return PageOrigin.FOREIGN
    own = host and host.lower() == headers.get("host", "").lower()
    return PageOrigin.OWN if own else PageOrigin.FOREIGN
