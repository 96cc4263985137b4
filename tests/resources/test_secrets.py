"""Keys are made once, kept private, and never shown."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest

from penstock.errors import SecretError
from penstock.resources.secrets import FileSecrets, Key, SecretsResource

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def secrets(tmp_path: Path) -> FileSecrets:
    return FileSecrets(tmp_path / "secrets")


def reveal(folder: Path) -> bytes:
    return FileSecrets(folder).key("masking").reveal()


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def test_a_key_is_made_on_first_use_and_stays(secrets: FileSecrets) -> None:
    first = secrets.key("masking")
    assert first == secrets.key("masking")
    assert first != secrets.key("ledger")
    assert first.id == "k1"
    assert mode(secrets.folder) == "700"
    assert {mode(path) for path in secrets.folder.iterdir()} == {"600"}


def test_processes_that_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        for attempt in range(8):
            folder = tmp_path / str(attempt)
            assert len(set(pool.map(reveal, [folder] * 4))) == 1
            assert [path.name for path in folder.iterdir()] == ["masking.k1.key"]


def test_rotation_begins_an_epoch_and_keeps_the_old_one(secrets: FileSecrets) -> None:
    old = secrets.key("masking")
    new = secrets.rotate("masking")
    assert (new.id, secrets.key("masking")) == ("k2", new)
    assert secrets.key("masking", epoch=1) == old
    assert new.reveal() != old.reveal()
    with pytest.raises(SecretError, match="no such epoch"):
        secrets.key("masking", epoch=3)


@pytest.mark.parametrize("name", ["masking.k1.key", "."])
def test_what_others_may_read_is_refused(secrets: FileSecrets, name: str) -> None:
    secrets.key("masking")
    path = secrets.folder / name
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(SecretError, match="open to other users") as caught:
        secrets.key("masking")
    assert "chmod" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"abcd\n", b"g" * 64, b"\xff" * 64, b"a" * 128])
def test_a_malformed_key_is_refused_and_not_shown(secrets: FileSecrets, content: bytes) -> None:
    secrets.key("masking")
    (secrets.folder / "masking.k1.key").write_bytes(content)
    with pytest.raises(SecretError, match="malformed") as caught:
        secrets.key("masking")
    assert not content or content.decode("latin-1") not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretError, match="cannot be read or written"):
        FileSecrets(tmp_path / "file" / "secrets").key("masking")


@pytest.mark.parametrize("name", ["", "../masking", "a/b", "Masking", "a.k1.key"])
def test_a_name_cannot_leave_the_folder(secrets: FileSecrets, name: str) -> None:
    with pytest.raises(SecretError, match="not a name for a key"):
        secrets.key(name)


def test_a_key_shows_neither_in_text_nor_pickled(secrets: FileSecrets) -> None:
    key = secrets.key("masking")
    for shown in (repr(key), str(key), f"{key}", repr([key]), repr(secrets)):
        assert key.reveal().hex() not in shown
        assert repr(key.reveal()) not in shown
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(SecretError, match="pickled or copied"):
            leak(key)
    assert not hasattr(key, "__dict__")


def test_secrets_travel_without_their_keys(secrets: FileSecrets) -> None:
    key = secrets.key("masking")
    travelled = pickle.dumps(secrets)
    assert key.reveal() not in travelled
    assert pickle.loads(travelled).key("masking") == key  # noqa: S301 - made two lines above


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(SecretError, match="malformed"):
        Key("masking", 1, b"short")


def test_a_sealed_file_is_private_and_follows_its_content(secrets: FileSecrets) -> None:
    path = secrets.sealed("masking.k1.pads", b"one")
    assert secrets.sealed("masking.k1.pads", b"two") == path
    assert path.read_bytes() == b"two"
    assert mode(path) == "600"
    assert [found.name for found in secrets.folder.iterdir()] == [path.name]


def test_the_resource_gives_the_secrets_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert SecretsResource(folder=str(folder)).secrets().key("a") == FileSecrets(folder).key("a")


def test_a_password_is_the_line_in_its_file_and_shows_nowhere(secrets: FileSecrets) -> None:
    secrets.key("masking")
    file = secrets.folder / "shop.password"
    with pytest.raises(SecretError, match="no such password"):
        secrets.password("shop")
    file.touch(mode=0o600)
    for malformed in (b"", b"\n", b"two\nlines\n", b"\xff", b"a\0b"):
        file.write_bytes(malformed)
        with pytest.raises(SecretError, match="malformed"):
            secrets.password("shop")
    for written in (b" open 'sesame' ", b" open 'sesame' \n", b" open 'sesame' \r\n"):
        file.write_bytes(written)
        assert secrets.password("shop").reveal() == " open 'sesame' "
    assert "sesame" not in repr(secrets.password("shop"))
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(SecretError, match="pickled or copied"):
            leak(secrets.password("shop"))
    file.chmod(0o640)
    with pytest.raises(SecretError, match="open to other users"):
        secrets.password("shop")
    with pytest.raises(SecretError, match="not a name for a key"):
        secrets.password("../shop")
