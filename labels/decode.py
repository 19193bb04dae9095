"""Read the codes in a photo, in a process of its own whose time and memory are bounded."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from core.errors import Conflict, Invalid

MAX_BYTES = 8 * 2**20
SECONDS = 1.8
AT_ONCE = 2
_HERE = Path(__file__).resolve().parent / "decode_process.py"
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Found:
    """A code in a photo: its text (FNC1 as GS, 0x1D), what it is, how a scanner would announce it, its corners in pixels."""

    text: str
    symbology: str
    identifier: str
    is_gs1: bool
    position: tuple[tuple[int, int], ...]


def decode(content: bytes, *, field: str = "file") -> list[Found]:
    """Return the codes in a JPEG, PNG or WebP photo. Raises Invalid for anything else, or too much of it.

    The photo is read in a process of its own; it has 1.8 s and 80 MiB, then the photo is refused. It is kept nowhere.
    """
    if not content:
        raise Invalid("The file is empty.", field=field)
    if len(content) > MAX_BYTES:
        raise Invalid(f"The photo is larger than {MAX_BYTES // 2**20} MB.", field=field)
    if kind_of(content) is None:
        raise Invalid("Choose a photo: JPEG, PNG or WebP.", field=field)
    # More at once would take the processors from everybody else.
    if not _turns.acquire(timeout=SECONDS):
        raise Conflict("Other photos are being read; try again.")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_HERE)], input=content, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Invalid("The photo takes too long to read; take a smaller one.", field=field) from None
    finally:
        _turns.release()
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise Invalid("The photo takes too much to read; take a smaller one.", field=field) from None
    if "refused" in answer:
        raise Invalid(answer["refused"], field=field)
    return [
        Found(
            text=found["text"],
            symbology=found["symbology"],
            identifier=found["identifier"],
            is_gs1=found["is_gs1"],
            position=tuple((int(x), int(y)) for x, y in found["position"]),
        )
        for found in answer["found"]
    ]


def kind_of(content: bytes) -> str | None:
    """Return what a picture is by its first and last bytes; None for what is no picture, or something else as well."""
    if content.startswith(b"\xff\xd8\xff"):
        kind = "JPEG"
    elif content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82"):
        kind = "PNG"
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind = "WEBP"
        # A chunk of odd length is filled up by a byte.
        if int.from_bytes(content[4:8], "little") + 8 not in (len(content), len(content) + 1):
            return None
    else:
        return None
    # Programs find a ZIP by its last bytes, a PDF by its first thousand: a photo is neither.
    is_other_too = b"PK\x05\x06" in content[-66_000:] or b"%PDF-" in content[:1024]
    return None if is_other_too else kind
