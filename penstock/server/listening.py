"""Where the server listens, and with which certificate: looked at before anything is said of it."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from penstock.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_tls", "listen", "url_of"]


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any that is free. Raises SetupError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SetupError(
            f"the lineage server cannot listen on port {port}",
            where=host,
            found=error.strerror,
            next_step="end what listens there, or name another port, or an address of this machine",
        ) from None


def url_of(listening: socket.socket, host: str, *, tls: bool) -> str:
    """The server's address as a browser takes it."""
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{name}:{listening.getsockname()[1]}"


def check_tls(certificate: Path | None, key: Path | None) -> bool:
    """Whether there is TLS. Raises SetupError for a certificate and key that do not serve."""
    if certificate is None and key is None:
        return False
    if certificate is None or key is None:
        raise SetupError(
            "TLS needs a certificate and its key",
            where="penstock serve",
            next_step="give both --tls-certificate and --tls-key, or none",
        )
    try:
        # without a password nobody is asked for one at the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=str)
    except OSError as error:
        raise SetupError(
            "the certificate and its key cannot be used",
            where=f"{certificate}, {key}",
            expected="PEM files that belong together, the key without a passphrase",
            found=getattr(error, "reason", None) or error.strerror,
            next_step="give the certificate's chain, and the key it was made with",
        ) from None
    return True
