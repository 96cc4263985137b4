"""Keys: where they come from, and that they are never shown."""

from __future__ import annotations

import hmac
import os
import re
import secrets as randomness
import stat
from pathlib import Path
from typing import NoReturn, Protocol

from dagster import ConfigurableResource

from penstock.errors import SecretError

__all__ = ["FileSecrets", "Key", "Password", "Secrets", "SecretsResource"]

KEY_BYTES = 32
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_TEXT = re.compile(rb"[0-9a-f]{64}\n?")


class Key:
    """A secret of 32 bytes. `id` names its epoch (`k1`) and may be shown; the bytes may not.

    Neither `repr`, `str`, `pickle` nor `copy` gives the bytes away: only `reveal()` does.
    """

    __slots__ = ("_secret", "epoch", "name")

    def __init__(self, name: str, epoch: int, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise SecretError(
                "the key is malformed",
                where=name,
                expected=f"{KEY_BYTES} bytes",
                found=f"{len(secret)} bytes",
                next_step="let Penstock make the key, or give one of os.urandom(32)",
            )
        self.name = name
        self.epoch = epoch
        self._secret = secret

    @property
    def id(self) -> str:
        """The epoch as tokens carry it, e.g. `k1`."""
        return f"k{self.epoch}"

    def reveal(self) -> bytes:
        """The bytes. Whoever calls this must keep them out of plans, events, logs and errors."""
        return self._secret

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        same = hmac.compare_digest(self._secret, other._secret)
        return same and (self.name, self.epoch) == (other.name, other.epoch)

    def __hash__(self) -> int:
        return hash((self.name, self.epoch))

    def __repr__(self) -> str:
        return f"Key(name={self.name!r}, id={self.id!r})"

    def __reduce__(self) -> NoReturn:
        raise SecretError(
            "a key cannot be pickled or copied",
            where=self.name,
            next_step="pass the Secrets that gave the key; it is read anew on the other side",
        )


class Password:
    """A password, called `name`. Nothing gives it away but `reveal()`."""

    __slots__ = ("_secret", "name")

    def __init__(self, name: str, secret: str) -> None:
        self.name = name
        self._secret = secret

    def reveal(self) -> str:
        """The text. Whoever calls this must keep it out of plans, events, logs and errors."""
        return self._secret

    def __repr__(self) -> str:
        return f"Password(name={self.name!r})"

    def __reduce__(self) -> NoReturn:
        raise SecretError(
            "a password cannot be pickled or copied",
            where=self.name,
            next_step="pass the Secrets that gave it; it is read anew on the other side",
        )


class Secrets(Protocol):
    """Where keys and passwords come from."""

    def key(self, name: str, *, epoch: int | None = None) -> Key:
        """The key called `name`: its newest epoch unless told. Raises SecretError."""
        ...

    def sealed(self, name: str, content: bytes) -> Path:
        """A private file holding `content`, derived from a key, for a reader that takes files."""
        ...

    def password(self, name: str) -> Password:
        """The password called `name`, which somebody put there. Raises SecretError."""
        ...


class FileSecrets:
    """Keys and passwords in a folder (mode 700), each a file of its own (mode 600).

    A key is made on first use, from os.urandom. The file appears whole or not at all, and two
    processes that ask at once get the same key. A key or folder that others may read is refused.
    """

    __slots__ = ("folder",)

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"FileSecrets({str(self.folder)!r})"

    def key(self, name: str, *, epoch: int | None = None) -> Key:
        """The key called `name`, made when there is none yet. An epoch asked for must exist."""
        self._prepare(name)
        wanted = epoch or max(self._epochs(name), default=1)
        path = self._path(name, wanted)
        if not path.exists():
            if epoch is not None:
                raise SecretError(
                    "there is no such epoch of the key",
                    where=str(path),
                    next_step="restore the key file from its backup, or ask for the newest epoch",
                )
            self._create(path, os.urandom(KEY_BYTES).hex().encode() + b"\n")
        text = _read_private(path)
        if not _TEXT.fullmatch(text):
            raise SecretError(
                "the key is malformed",
                where=str(path),
                expected=f"{2 * KEY_BYTES} hexadecimal digits",
                found=f"{len(text)} bytes of something else",
                next_step="restore the key file from its backup; deleting it starts new tokens "
                "that do not join with the old ones",
            )
        return Key(name, wanted, bytes.fromhex(text.decode()))

    def rotate(self, name: str) -> Key:
        """The next epoch of the key. Old epochs stay, so that old tokens can still be made."""
        current = self.key(name)
        self._create(
            self._path(name, current.epoch + 1), os.urandom(KEY_BYTES).hex().encode() + b"\n"
        )
        return self.key(name, epoch=current.epoch + 1)

    def sealed(self, name: str, content: bytes) -> Path:
        """`<folder>/<name>` with mode 600 and this content, replaced whole when it differs."""
        self._prepare(name.partition(".")[0])
        path = self.folder / name
        if not path.exists() or _read_private(path) != content:
            unfinished = self._write(content)
            unfinished.replace(path)
        return path

    def password(self, name: str) -> Password:
        """What is in `<folder>/<name>.password`, without the end of the line."""
        self._prepare(name)
        path = self.folder / f"{name}.password"
        if not path.exists():
            raise SecretError(
                "there is no such password",
                where=str(path),
                next_step="put the password into this file, for its owner alone (mode 600)",
            )
        try:
            text = _read_private(path).decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            text = ""
        if not text or "\n" in text or "\0" in text:
            raise SecretError(
                "the password is malformed",
                where=str(path),
                expected="one line of UTF-8",
                next_step="put the password alone into the file",
            )
        return Password(name, text)

    def _epochs(self, name: str) -> list[int]:
        pattern = re.compile(rf"{re.escape(name)}\.k([1-9][0-9]*)\.key")
        found = (pattern.fullmatch(path.name) for path in self.folder.iterdir())
        return [int(match[1]) for match in found if match]

    def _path(self, name: str, epoch: int) -> Path:
        return self.folder / f"{name}.k{epoch}.key"

    def _prepare(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise SecretError(
                "this is not a name for a key",
                where=repr(name),
                expected="a-z, 0-9, '-' and '_', beginning with a letter",
                next_step="rename the key",
            )
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_shared(self.folder, self.folder.stat())
        except OSError as error:
            if isinstance(error, SecretError):
                raise
            raise _unreadable(self.folder, error) from error

    def _create(self, path: Path, content: bytes) -> None:
        unfinished = self._write(content)
        try:
            os.link(unfinished, path)  # atomic, and fails when another process was first
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()

    def _write(self, content: bytes) -> Path:
        path = self.folder / f".{randomness.token_hex(8)}.new"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _unreadable(path, error) from error
        return path


class SecretsResource(ConfigurableResource[FileSecrets]):
    """The Dagster resource: `folder` is configuration, keys never are."""

    folder: str

    def secrets(self) -> FileSecrets:
        """The secrets in the folder."""
        return FileSecrets(self.folder)


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            _refuse_shared(path, os.fstat(file.fileno()))
            return file.read()
    except OSError as error:
        if isinstance(error, SecretError):
            raise
        raise _unreadable(path, error) from error


def _refuse_shared(path: Path, facts: os.stat_result) -> None:
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o077:
        private = "700" if stat.S_ISDIR(facts.st_mode) else "600"
        raise SecretError(
            "secrets are open to other users of this machine",
            where=str(path),
            expected=f"mode {private}",
            found=f"mode {mode:o}",
            next_step=f"chmod {private} '{path}', and rotate the key if others may have read it",
        )


def _unreadable(path: Path, error: OSError) -> SecretError:
    return SecretError(
        "secrets cannot be read or written here",
        where=str(path),
        found=error.strerror or type(error).__name__,
        next_step="give the user that runs Penstock the folder, and space on its disk",
    )
