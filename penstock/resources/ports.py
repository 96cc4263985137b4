"""TCP ports on this machine: which are free, which answer."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from penstock.errors import SetupError

__all__ = ["LOOPBACK", "answers", "free_port", "host_and_port", "is_free", "take_port"]

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could bind the port now."""
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False


def take_port(wanted: int | None, purpose: str) -> int:
    """`wanted` if it is free, any free port for None. SetupError when it is taken."""
    if wanted is None:
        return free_port()
    if not is_free(wanted):
        raise SetupError(
            f"port {wanted} for {purpose} is taken",
            where=LOOPBACK,
            next_step="end what listens there, or name another port",
        )
    return wanted


def answers(host: str, port: int, timeout_seconds: float = 2.0) -> bool:
    """Whether something accepts a connection."""
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False


def host_and_port(url: str, default_port: int) -> tuple[str, int]:
    """The two parts of an URL that may be shown: user and parameters can hold a token."""
    parts = urlsplit(url)
    return parts.hostname or LOOPBACK, parts.port or default_port
