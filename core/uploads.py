"""Take pictures and documents from people: what is kept is made anew, or known by its first and last bytes,
and bounded.

A picture's size in pixels is read from its header before anything is decoded; then it is decoded, shrunk and encoded
again, so that what is served is a plain picture whatever was sent. That happens in a process of its own
(`core.bounded`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.http import HttpResponse

from core.bounded import read_bounded
from core.errors import Invalid

MAX_BYTES = 8 * 2**20
PDF = "application/pdf"
_PROCESS = Path(__file__).resolve().parent / "picture_process.py"


@dataclass(frozen=True, slots=True)
class Upload:
    """What is kept of a file."""

    content: bytes
    content_type: str


class Kept(Protocol):
    """A row that keeps a picture."""

    content: Any
    content_type: str


def picture_response(kept: Kept) -> HttpResponse:
    """Return a picture as what it is and nothing else."""
    return HttpResponse(
        bytes(kept.content),
        content_type=kept.content_type,
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"},
    )


def read_document(content: bytes, *, field: str = "file") -> Upload:
    """Return what to keep of an uploaded JPEG, PNG, WebP or PDF.

    Raises Invalid for anything else, or too much of it.
    """
    if not content:
        raise Invalid("The file is empty.", field=field)
    if len(content) > MAX_BYTES:
        raise Invalid(f"The file is larger than {MAX_BYTES // 2**20} MB.", field=field)
    if content.startswith(b"%PDF-"):
        # A ZIP is found by its end, a PDF ends with its own mark: a PDF that is something else too lacks it, or has
        # both.
        if b"%%EOF" not in content[-1024:] or b"PK\x05\x06" in content[-66_000:]:
            raise Invalid("The PDF is damaged, or something else too; print it into a new PDF.", field=field)
        return Upload(content, PDF)
    if kind_of(content) is None:
        raise Invalid("Choose a picture (JPEG, PNG or WebP) or a PDF.", field=field)
    said, _, rest = read_bounded(_PROCESS, content, field=field).partition(b"\n")
    if said == b"refused":
        raise Invalid(rest.decode(), field=field)
    return Upload(rest, said.decode())


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
    # Programs find a ZIP by its last bytes, a PDF by its first thousand: a picture is neither.
    is_other_too = b"PK\x05\x06" in content[-66_000:] or b"%PDF-" in content[:1024]
    return None if is_other_too else kind
