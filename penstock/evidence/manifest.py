"""The manifest: what is in a bundle, what was asked, and where the ledger's chains ended."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEY", "MANIFEST", "SIGNATURE", "Chain", "FileEntry", "Manifest", "json_bytes"]

MANIFEST, SIGNATURE, KEY = "manifest.json", "manifest.sig", "public_key.pem"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileEntry(_Part):
    """A file of the bundle."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> FileEntry:
        """What is said of this content."""
        return cls(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


class Chain(_Part):
    """Where a namespace's chain ended: how many events, and the last link.

    `whole`: the bundle holds every link from its first event of the namespace to that end.
    """

    position: int
    link: str
    whole: bool


class Asked(_Part):
    """The question."""

    dataset: str | None
    column: str | None
    pii: str | None
    since: str | None
    until: str | None


class SignedBy(_Part):
    """The key of the signature."""

    algorithm: Literal["Ed25519"]
    fingerprint: str


class Manifest(_Part):
    """All of it. `files` names every file but the manifest, its signature and the key."""

    format: Literal["penstock-evidence/1"]
    made_at: str
    made_by: str
    penstock: str
    asked: Asked
    datasets: list[str]
    events: int
    last_sequence: int
    chains: dict[str, Chain]
    signed_by: SignedBy
    notes: list[str]
    files: dict[str, FileEntry]

    def content(self) -> bytes:
        """The bytes that are signed."""
        return json_bytes(self.model_dump())

    @classmethod
    def read(cls, content: bytes) -> Manifest | None:
        """The manifest of these bytes, None when they are none."""
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            return None

    def misfits(self, files: Mapping[str, bytes]) -> list[str]:
        """What is otherwise in the files than the manifest says, in words."""
        others = files.keys() - {MANIFEST, SIGNATURE, KEY}
        found = [f"{name} is in it and not in the manifest" for name in others - self.files.keys()]
        found += [f"{name} is in the manifest and missing" for name in self.files.keys() - others]
        found += [
            f"{name} is not what the manifest says: {_difference(self.files[name], files[name])}"
            for name in others & self.files.keys()
            if FileEntry.of(files[name]) != self.files[name]
        ]
        return sorted(found)


def _difference(told: FileEntry, content: bytes) -> str:
    if told.size != len(content):
        return f"{len(content)} bytes instead of {told.size}"
    return "its SHA-256 is another"


def json_bytes(value: Any) -> bytes:
    """As JSON for people: sorted, indented, UTF-8, the same for the same value."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()
