"""The key that evidence is signed with: Ed25519, kept where the other secrets are."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

if TYPE_CHECKING:
    from penstock.resources.secrets import Secrets

__all__ = ["KEY_NAME", "PublicKey", "SigningKey"]

KEY_NAME = "evidence"
"""What the secret is called. Its epochs are the keys that came one after the other."""


class PublicKey:
    """What a signature is checked with."""

    __slots__ = ("_key",)

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def read(cls, pem: bytes) -> Self | None:
        """The key of a PEM file as `pem` writes it, to the byte; None for anything else."""
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            return None
        if not isinstance(key, Ed25519PublicKey):
            return None
        found = cls(key)
        return found if found.pem == pem else None

    @property
    def pem(self) -> bytes:
        """As a PEM file."""
        der = self._der
        return b"\n".join(
            (b"-----BEGIN PUBLIC KEY-----", base64.b64encode(der), b"-----END PUBLIC KEY-----", b"")
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key's DER, in hex: what people compare.

        `openssl pkey -pubin -in public_key.pem -outform DER | sha256sum` says the same.
        """
        return hashlib.sha256(self._der).hexdigest()

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Whether the key's owner signed this content."""
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    @property
    def _der(self) -> bytes:
        return self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class SigningKey:
    """Signs. Shows of itself the public half alone."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def of(cls, secrets: Secrets) -> Self:
        """The newest signing key of these secrets, made on first use. Raises SecretError."""
        return cls(Ed25519PrivateKey.from_private_bytes(secrets.key(KEY_NAME).reveal()))

    def sign(self, content: bytes) -> bytes:
        """The signature; the same content has always the same."""
        return self._key.sign(content)

    def __repr__(self) -> str:
        return f"SigningKey({self.public.fingerprint})"
