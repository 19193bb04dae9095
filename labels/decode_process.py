"""What the process does that reads a photo: see `core.bounded_process`. Bytes in, JSON out."""

import json
import warnings
from io import BytesIO
from typing import Any

import zxingcpp
from PIL import Image, ImageOps

MEMORY = 80 * 2**20
"""Bytes that a photo may take, beyond what the process is made of."""
MAX_PIXELS = {"JPEG": 50_000_000, "PNG": 12_500_000, "WEBP": 4_000_000}
"""A JPEG is decoded at a fraction of its size; a progressive one takes its memory first, and is refused by that.

Of a WebP the library holds several copies."""
SIDE, LONGEST = 1600, 2600
"""Pixels: a JPEG is decoded at the least fraction that keeps the first; what is longer than the second is shrunk."""
MAX_CODES = 50
FORMATS = zxingcpp.BarcodeFormats(
    [
        getattr(zxingcpp.BarcodeFormat, name)
        for name in (
            *("QRCode", "MicroQRCode", "DataMatrix", "Aztec", "PDF417", "Code128", "Code39", "Code93"),
            *("EANUPC", "ITF", "DataBar"),
        )
    ]
)


def read(content: bytes) -> bytes:
    """Return what is found, or why the photo is refused."""
    return json.dumps(found_in(content)).encode()


def found_in(content: bytes) -> dict[str, Any]:
    """Return the codes of a photo under `found`, or why it is not read under `refused`."""
    warnings.simplefilter("ignore")
    try:
        photo: Image.Image = Image.open(BytesIO(content), formats=tuple(MAX_PIXELS))
        width, height = photo.size
        most = MAX_PIXELS[str(photo.format)]
        if width * height > most:
            return {"refused": f"The photo has {width} × {height} pixels; at most {most // 10**6} million."}
        if getattr(photo, "n_frames", 1) > 1:
            return {"refused": "The file is an animation; choose a photo."}
        if photo.format == "JPEG":
            photo.draft("L", (SIDE, SIDE))
        # A code on a transparent ground is meant to be seen on white.
        if "A" in photo.getbands() or "transparency" in photo.info:
            photo = photo.convert("RGBA")
            photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo)
        grey = photo.convert("L")
        del photo
        grey.thumbnail((LONGEST, LONGEST))
        scale = width / grey.size[0]
        found = search(grey)
    except MemoryError:
        return {"refused": "The photo takes too much memory to read; take a smaller one."}
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return {"refused": "The photo is damaged, or too large; take it again."}
    return {"found": [described(one, scale, factor) for one, factor in found]}


def search(grey: Image.Image) -> list[tuple[Any, float]]:
    """Return the codes of a grey photo, each with the factor by which the searched picture was enlarged.

    As it is first; then, one after the other until something is found: smaller, with one threshold for all of it, with
    its contrast stretched, enlarged.
    """
    small = grey.copy()
    small.thumbnail((1024, 1024))
    shrunk = small.size[0] / grey.size[0]
    tries: list[tuple[Any, float, Any]] = [
        (lambda: grey, 1.0, zxingcpp.Binarizer.LocalAverage),
        (lambda: small, shrunk, zxingcpp.Binarizer.LocalAverage),
        (lambda: grey, 1.0, zxingcpp.Binarizer.GlobalHistogram),
        (lambda: ImageOps.autocontrast(small, cutoff=5), shrunk, zxingcpp.Binarizer.GlobalHistogram),
        (lambda: small.resize((small.size[0] * 2, small.size[1] * 2)), shrunk * 2, zxingcpp.Binarizer.LocalAverage),
    ]
    for make, factor, binarizer in tries:
        found = zxingcpp.read_barcodes(make(), formats=FORMATS, binarizer=binarizer, text_mode=zxingcpp.TextMode.Plain)
        if found:
            return [(one, factor) for one in found[:MAX_CODES]]
    return []


def described(one: Any, scale: float, factor: float) -> dict[str, Any]:
    """Return a code as it travels, its corners in the photo's own pixels."""
    place = one.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    return {
        "text": one.text,
        "symbology": str(one.format),
        "identifier": one.symbology_identifier,
        "is_gs1": one.content_type == zxingcpp.ContentType.GS1,
        "position": [(round(corner.x * scale / factor), round(corner.y * scale / factor)) for corner in corners],
    }
