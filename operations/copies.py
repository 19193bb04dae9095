"""Put encrypted copies of backups where this machine's end does not reach, and bring one back.

A copy is a tar of the backup's files under AES-256-GCM, in chunks, so that it can be as large as it likes. Its key is
derived (HKDF-SHA256) from the plant's copy key and a salt of its own; each chunk's nonce is its number and whether it
is the last, so that chunks that are swapped, left out or cut off are noticed.
"""

import base64
import io
import os
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Invalid
from operations.store import DUMP, MANIFEST, SUMS, Backup, Store, is_name, problems_of_files

ENDING = ".mes-backup"
_MAGIC = b"MES backup 1\n"
_CHUNK = 2**20
_TAG = 16


def new_key() -> str:
    """Return a fresh copy key: 32 random bytes in base64."""
    return base64.b64encode(os.urandom(32)).decode()


def _cipher(key: str, salt: bytes) -> AESGCM:
    try:
        secret = base64.b64decode(key, validate=True)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise Invalid("BACKUP_COPY_KEY must be 32 bytes in base64; `manage.py backup_key` makes one.", field="key")
    return AESGCM(HKDF(SHA256(), 32, salt, b"mes backup copy").derive(secret))


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">QxxxB", number, last)


def encrypt(source: BinaryIO, target: BinaryIO, key: str) -> None:
    """Write what is read, encrypted."""
    salt = os.urandom(32)
    cipher = _cipher(key, salt)
    target.write(_MAGIC + salt)
    number, piece = 0, source.read(_CHUNK)
    while True:
        following = source.read(_CHUNK)
        target.write(cipher.encrypt(_nonce(number, not following), piece, _MAGIC))
        if not following:
            return
        number, piece = number + 1, following


def decrypt(source: BinaryIO, key: str) -> Iterator[bytes]:
    """Yield what was encrypted, piece by piece.

    Raises Invalid for another key, or where a single bit is another one.
    """
    if source.read(len(_MAGIC)) != _MAGIC:
        raise Invalid("This is no copy of a backup.", field="file")
    cipher = _cipher(key, source.read(32))
    number, piece = 0, source.read(_CHUNK + _TAG)
    while True:
        following = source.read(_CHUNK + _TAG)
        try:
            yield cipher.decrypt(_nonce(number, not following), piece, _MAGIC)
        except InvalidTag:
            raise Invalid("The copy is damaged, cut off, or was made with another key.", field="file") from None
        if not following:
            return
        number, piece = number + 1, following


def send(backup: Backup, folder: Path, key: str, *, keep: int) -> Path:
    """Put an encrypted copy into a folder, read it back and compare; delete the oldest beyond `keep`. Returns its path.

    Raises OSError where the folder cannot be written, Invalid where what is read back is not what was sent.
    """
    target = folder / (backup.name + ENDING)
    draft = target.with_suffix(".partial")
    # The tar lies beside the backup for a moment, never in the clear in the other folder.
    plain = backup.folder.parent / f".{backup.name}.tar"
    try:
        with tarfile.open(plain, "w") as tar:
            for name in (DUMP, MANIFEST, SUMS):
                tar.add(backup.folder / name, name)
        plain.chmod(0o600)
        with plain.open("rb") as source, draft.open("wb") as encrypted:
            encrypt(source, encrypted, key)
            encrypted.flush()
            os.fsync(encrypted.fileno())
        with plain.open("rb") as source, draft.open("rb") as encrypted:
            for piece in decrypt(encrypted, key):
                if source.read(len(piece)) != piece:
                    raise Invalid("The copy is not what was sent.", field="file")
        draft.replace(target)
    finally:
        plain.unlink(missing_ok=True)
        draft.unlink(missing_ok=True)
    label = backup.name.partition("-")[0]
    for old in sorted(folder.glob(f"{label}-*{ENDING}"), reverse=True)[max(keep, 1) :]:
        old.unlink()
    return target


class _Pieces(io.RawIOBase):
    """Read from an iterator as from a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def fetch(path: Path, store: Store, key: str) -> Backup:
    """Bring a copy back into the store. Raises Invalid for what is damaged, is there already or is no copy."""
    name = path.name.removesuffix(ENDING)
    if not is_name(name):
        raise Invalid("Give the copy the name back that it was sent with.", field="file")
    with store.alone(f"bringing back {name}"):
        final, draft = store.folder / name, store.folder / f"{name}.partial"
        if final.exists():
            raise Invalid(f"{name} is there already.", field="file")
        draft.mkdir(mode=0o700)
        try:
            with (
                path.open("rb") as source,
                tarfile.open(fileobj=io.BufferedReader(_Pieces(decrypt(source, key))), mode="r|") as tar,
            ):
                for member in tar:
                    if member.name not in (DUMP, MANIFEST, SUMS) or not member.isfile():
                        raise Invalid("The copy holds something else than a backup.", field="file")
                    tar.extract(member, draft, filter="data")
            draft.rename(final)
        except tarfile.TarError as error:
            raise Invalid(f"The copy is damaged: {error}", field="file") from error
        finally:
            for left in draft.iterdir() if draft.exists() else ():
                left.unlink()
            if draft.exists():
                draft.rmdir()
        backup = store.get(name)
        problems = problems_of_files(backup)
        if problems:
            raise Invalid(f"The copy is damaged: {'; '.join(problems)}.", field="file")
    return backup
