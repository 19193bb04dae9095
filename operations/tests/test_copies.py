"""Copies elsewhere are unreadable without the key, and a single bit more or less is noticed."""

import io

import pytest

from core.errors import Invalid
from operations.copies import _CHUNK, decrypt, encrypt, fetch, new_key, send
from operations.store import DUMP, Store, write_manifest

KEY = new_key()


def encrypted(content, key=KEY):
    target = io.BytesIO()
    encrypt(io.BytesIO(content), target, key)
    return target.getvalue()


def decrypted(content, key=KEY):
    return b"".join(decrypt(io.BytesIO(content), key))


@pytest.mark.parametrize("size", [0, 1, _CHUNK - 1, _CHUNK, _CHUNK + 1, 2 * _CHUNK])
def test_what_was_encrypted_comes_back(size):
    content = bytes(range(256)) * (size // 256 + 1)
    assert decrypted(encrypted(content[:size])) == content[:size]


def test_same_content_never_looks_the_same_twice():
    assert encrypted(b"secret") != encrypted(b"secret")


@pytest.mark.parametrize(
    "harm",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) - 5 - 16],  # without its last chunk
        lambda whole: whole + b"\0",
        lambda whole: whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        lambda whole: bytes([whole[0] ^ 1]) + whole[1:],
        lambda whole: whole[:20] + bytes([whole[20] ^ 1]) + whole[21:],
        lambda whole: whole[:45] + whole[45 + _CHUNK + 16 : 45 + 2 * (_CHUNK + 16)] + whole[45 : 45 + _CHUNK + 16],
        lambda whole: b"",
    ],
)
def test_harm_is_noticed(harm):
    whole = encrypted(b"x" * _CHUNK + b"y" * _CHUNK + b"z" * 5)
    with pytest.raises(Invalid):
        decrypted(harm(whole))


def test_another_key_opens_nothing():
    with pytest.raises(Invalid, match="another key"):
        decrypted(encrypted(b"x"), new_key())
    with pytest.raises(Invalid, match="32 bytes"):
        decrypted(encrypted(b"x"), "c2hvcnQ=")


def test_copy_comes_back_as_it_was_and_the_oldest_go(tmp_path, now):
    store, elsewhere = Store(tmp_path / "here"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    for _ in range(3):
        with store.new("plant", now) as folder:
            (folder / DUMP).write_bytes(b"dump")
            write_manifest(folder, {"why": "asked for", "fingerprint": {"tables": {}}})
    for backup in reversed(store.backups()):
        sent = send(backup, elsewhere, KEY, keep=2)
    assert len(list(elsewhere.iterdir())) == 2
    assert b"dump" not in sent.read_bytes()
    other = Store(tmp_path / "other")
    back = fetch(sent, other, KEY)
    assert back.dump.read_bytes() == b"dump"
    assert back.why == "asked for"
    with pytest.raises(Invalid, match="already"):
        fetch(sent, other, KEY)
    assert [path.name for path in other.folder.iterdir() if path.is_dir()] == [back.name]


@pytest.fixture
def now():
    from datetime import UTC, datetime

    return datetime(2026, 3, 2, 8, tzinfo=UTC)
