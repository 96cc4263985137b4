"""Whether a bundle is as it was made: by its bytes alone, without ledger, lake or network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from penstock.errors import InputError
from penstock.events.instant import instant
from penstock.events.shape import event_shape
from penstock.evidence.archive_file import MOST_BYTES, RefusedError, packed, unpacked
from penstock.evidence.manifest import KEY, MANIFEST, SIGNATURE, Manifest
from penstock.evidence.signing_key import PublicKey
from penstock.ledger.chain import FIRST_LINK, digest_of, link_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Checked", "check"]

_SPARE = 1 << 24  # names and headers
_MOST_FAULTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found. `fingerprint` is of the key that signed it, None when nothing is signed."""

    faults: tuple[str, ...]
    fingerprint: str | None
    manifest: Manifest | None

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sequence: int
    namespace: str
    position: int
    recorded_at: str
    payload_hash: str
    link: str
    before: str | None = None
    payload: str | None = None


def check(content: bytes, *, key: str | None = None) -> Checked:
    """Every hash, the signature, the links, and that there is nothing else.

    `key` is the fingerprint that the signing key must have; without it whoever changed the bundle
    may have signed it again.
    """
    if len(content) > MOST_BYTES + _SPARE:
        return _refused("is larger than any bundle")
    try:
        files = unpacked(content)
    except RefusedError as error:
        return _refused(str(error))
    missing = [name for name in (MANIFEST, SIGNATURE, KEY) if name not in files]
    if missing:
        return _refused(f"has no {missing[0]}")
    public = PublicKey.read(files[KEY])
    if public is None:
        return _refused(f"{KEY} is no Ed25519 key as Penstock writes it")
    if not public.signed(files[MANIFEST], files[SIGNATURE]):
        return _refused(f"{MANIFEST} is not what was signed")
    manifest = Manifest.read(files[MANIFEST])
    if manifest is None or manifest.content() != files[MANIFEST]:
        return _refused(f"{MANIFEST} is none that this Penstock knows")
    faults = list(_key_faults(public, manifest, key))
    faults += manifest.misfits(files)
    faults += _event_faults(files, manifest)
    if not faults and packed(files) != content:
        faults.append("the zip is not as Penstock writes it: other bytes, order or times")
    return Checked(
        faults=tuple(faults[:_MOST_FAULTS]), fingerprint=public.fingerprint, manifest=manifest
    )


def _refused(what: str) -> Checked:
    return Checked(faults=(what,), fingerprint=None, manifest=None)


def _key_faults(public: PublicKey, manifest: Manifest, key: str | None) -> Iterator[str]:
    if manifest.signed_by.fingerprint != public.fingerprint:
        yield f"{MANIFEST} names another key than {KEY}"
    if key is not None and _plain(key) != public.fingerprint:
        yield f"is signed with {public.fingerprint}, which is not the key that was expected"


def _plain(fingerprint: str) -> str:
    return fingerprint.strip().lower().replace(":", "")


def _event_faults(files: Mapping[str, bytes], manifest: Manifest) -> Iterator[str]:
    try:
        told = _lines(files.get("events.jsonl", b""))
        others = _lines(files.get("links.jsonl", b""))
    except ValidationError:
        yield "events.jsonl or links.jsonl has a line that is no event or link"
        return
    if len(told) != manifest.events:
        yield f"there are {len(told)} events, and the manifest says {manifest.events}"
    if [line.sequence for line in told] != sorted({line.sequence for line in told}):
        yield "the events are not in the order of their sequence"
    for line in told:
        if wrong := _misfit(line):
            yield f"event {line.sequence}: {wrong}"
    places: dict[str, list[_Line]] = {}
    for line in (*told, *others):
        places.setdefault(line.namespace, []).append(line)
    for namespace in sorted(places.keys() | manifest.chains.keys()):
        yield from _chain_faults(namespace, places.get(namespace, []), manifest)


def _lines(content: bytes) -> list[_Line]:
    return [_Line.model_validate_json(line) for line in content.split(b"\n") if line]


def _misfit(line: _Line) -> str | None:
    if line.payload is None or line.before is None:
        return "has no payload, or not the link before it"
    try:
        payload = json.loads(line.payload)
        if digest_of(line.payload) != line.payload_hash:  # the text is what was hashed
            return "its payload is not what its hash is of"
        if event_shape(payload, "event").namespace != line.namespace:
            return "its payload is of another namespace"
    except (ValueError, RecursionError, AttributeError, InputError):
        return "its payload is no event"
    return None


def _chain_faults(namespace: str, lines: Iterable[_Line], manifest: Manifest) -> Iterator[str]:
    end = manifest.chains.get(namespace)
    if end is None:
        yield f"the manifest does not say where the chain of {namespace} ends"
        return
    position, link = None, None
    for line in sorted(lines, key=lambda line: line.position):
        follows = position is not None and line.position == position + 1
        if position is not None and not follows and (end.whole or line.position <= position):
            yield f"{namespace} number {line.position}: follows number {position}"
        before = link if follows else line.before
        if line.before is not None and line.before != before:
            yield f"event {line.sequence}: is not linked to the event before it"
        if (line.position == 1) != (before == FIRST_LINK):
            yield f"event {line.sequence}: is not where its chain begins"
        if before is None or _computed(before, line) != line.link:
            yield f"event {line.sequence}: its link is not of what it says"
        position, link = line.position, line.link
    at_end = (position, link) == (end.position, end.link)
    if end.whole and not at_end:
        yield f"the chain of {namespace} does not end where the manifest says"


def _computed(before: str, line: _Line) -> str | None:
    try:
        recorded_at = datetime.fromisoformat(line.recorded_at)
        if instant(recorded_at) != line.recorded_at:
            return None
        return link_after(
            before,
            namespace=line.namespace,
            position=line.position,
            sequence=line.sequence,
            recorded_at=recorded_at,
            payload_hash=line.payload_hash,
        )
    except (ValueError, OverflowError):
        return None
