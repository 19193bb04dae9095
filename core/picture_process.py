"""What the process does that makes a picture anew: see `core.bounded_process`.

Bytes in; type, a line's end, bytes out.
"""

import warnings
from io import BytesIO

from PIL import Image, ImageOps

MEMORY = 96 * 2**20
MAX_SIDE = 2048
MAX_PIXELS = {"JPEG": 50_000_000, "PNG": 12_500_000, "WEBP": 4_000_000}
"""A JPEG is decoded at a half, a quarter or an eighth; of a WebP the library holds several copies,
and of a picture with transparency two: what takes more than `MEMORY` is refused whatever its size."""
MAX_PROGRESSIVE = 12_500_000
"""A progressive JPEG is held whole until its last pass is read."""
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def read(content: bytes) -> bytes:
    """Return the picture as a plain one, at most 2,048 pixels a side; or `refused` and why."""
    try:
        return _anew(content)
    except MemoryError:
        return b"refused\nThe picture takes too much memory; make it smaller, and choose it then."
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return b"refused\nThe picture is damaged, or too large; save it again, smaller, and choose it then."


def _anew(content: bytes) -> bytes:
    # The library warns of big pictures; here they are refused.
    warnings.simplefilter("ignore")
    picture: Image.Image = Image.open(BytesIO(content), formats=tuple(TYPES))
    kind = str(picture.format)
    is_progressive = kind == "JPEG" and "progressive" in picture.info
    most = MAX_PROGRESSIVE if is_progressive else MAX_PIXELS[kind]
    width, height = picture.size
    if width * height > most:
        said = f"The picture has {width} × {height} pixels; at most {most // 10**6} million."
        return b"refused\n" + said.encode()
    if getattr(picture, "n_frames", 1) > 1 and kind != "JPEG":
        return b"refused\nThe file is an animation; choose a picture."
    if kind == "JPEG":
        # Decoded smaller where that is still large enough.
        picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
    # Shrunk before it is turned: turning makes a copy.
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    turned = ImageOps.exif_transpose(picture)
    del picture
    has_alpha = kind != "JPEG" and ("A" in turned.getbands() or "transparency" in turned.info)
    plain = turned.convert("RGBA" if has_alpha else "RGB")
    del turned
    kept = BytesIO()
    # Metadata (place, device, comments) stays behind.
    plain.info.clear()
    plain.save(kept, format=kind, **({"quality": 85} if kind != "PNG" else {"compress_level": 4}))
    return TYPES[kind].encode() + b"\n" + kept.getvalue()
