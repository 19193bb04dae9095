"""Take pictures and documents from people: what is kept is made anew, or known by its first bytes, and bounded.

A picture's size in pixels is read from its header before anything is decoded; then it is decoded, shrunk and encoded again,
so that what is served is a plain picture whatever was sent.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

from django.http import HttpResponse
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import Invalid

MAX_BYTES = 8 * 2**20
MAX_SIDE = 2048
MAX_PIXELS, MAX_PIXELS_SMALLER = 25_000_000, 50_000_000
"""Pixels that are decoded whole take up to 100 MB; a JPEG as cameras make it is decoded at a half, a quarter or an eighth."""
PDF = "application/pdf"
_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


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
    """Return what to keep of an uploaded JPEG, PNG, WebP or PDF. Raises Invalid for anything else, or too much of it."""
    if not content:
        raise Invalid("The file is empty.", field=field)
    if len(content) > MAX_BYTES:
        raise Invalid(f"The file is larger than {MAX_BYTES // 2**20} MB.", field=field)
    if content.startswith(b"%PDF-"):
        return Upload(content, PDF)
    return _picture(content, field)


def _picture(content: bytes, field: str) -> Upload:
    not_ours = Invalid("Choose a picture (JPEG, PNG or WebP) or a PDF.", field=field)
    try:
        # The library warns of big pictures; here they are refused, below.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(BytesIO(content), formats=tuple(_FORMATS))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise not_ours from None
    kind = str(picture.format)
    # A progressive one is held whole until its last pass is read.
    decodes_smaller = kind == "JPEG" and "progressive" not in picture.info
    most = MAX_PIXELS_SMALLER if decodes_smaller else MAX_PIXELS
    width, height = picture.size
    if width * height > most:
        raise Invalid(f"The picture has {width} × {height} pixels; at most {most // 10**6} million.", field=field)
    try:
        if kind == "JPEG":
            # Decoded smaller where that is still large enough.
            picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
        # Shrunk before it is turned: turning makes a copy.
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
        turned = ImageOps.exif_transpose(picture)
        has_alpha = kind != "JPEG" and ("A" in turned.getbands() or "transparency" in turned.info)
        plain = turned.convert("RGBA" if has_alpha else "RGB")
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        raise Invalid("The picture is damaged; save it again and choose it then.", field=field) from None
    kept = BytesIO()
    # Metadata (place, device, comments) stays behind.
    plain.info.clear()
    plain.save(kept, format=kind, **({"quality": 85} if kind != "PNG" else {"optimize": False}))
    return Upload(kept.getvalue(), _FORMATS[kind])
