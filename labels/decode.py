"""Read the codes in a photo, in a process of its own whose time and memory are bounded."""

import json
from dataclasses import dataclass
from pathlib import Path

from core.bounded import read_bounded
from core.errors import Invalid
from core.uploads import MAX_BYTES, kind_of

_PROCESS = Path(__file__).resolve().parent / "decode_process.py"


@dataclass(frozen=True, slots=True)
class Found:
    """A code in a photo: its text (FNC1 as GS, 0x1D), what it is, how a scanner would announce it,
    its corners in pixels.
    """

    text: str
    symbology: str
    identifier: str
    is_gs1: bool
    position: tuple[tuple[int, int], ...]


def decode(content: bytes, *, field: str = "file") -> list[Found]:
    """Return the codes in a JPEG, PNG or WebP photo. Raises Invalid for anything else, or too much of it.

    The photo is read in a process of its own; it has 1.5 s of processor time and 80 MiB, then the photo is refused. It
    is kept nowhere.
    """
    if not content:
        raise Invalid("The file is empty.", field=field)
    if len(content) > MAX_BYTES:
        raise Invalid(f"The photo is larger than {MAX_BYTES // 2**20} MB.", field=field)
    if kind_of(content) is None:
        raise Invalid("Choose a photo: JPEG, PNG or WebP.", field=field)
    answer = json.loads(read_bounded(_PROCESS, content, field=field))
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
