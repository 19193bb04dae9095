"""What people upload is made anew, bounded before it is decoded, and nothing else is taken."""

import os
import resource
import zlib
from io import BytesIO
from struct import pack

import pytest
from PIL import Image

from core.errors import Invalid
from core.picture_process import MAX_SIDE
from core.uploads import MAX_BYTES, read_document


def picture(kind, size=(40, 30), mode="RGB", **options):
    made = BytesIO()
    Image.new(mode, size, 1).save(made, format=kind, **options)
    return made.getvalue()


ZIP_END = b"PK\x05\x06" + bytes(18)


def png_bomb(width, height):
    """A few kilobytes that say they are a picture of any size."""

    def chunk(name, data):
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    header = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_picture_is_encoded_anew(kind):
    kept = read_document(picture(kind))
    assert kept.content_type == f"image/{kind.lower()}"
    assert Image.open(BytesIO(kept.content)).size == (40, 30)


def test_what_a_camera_puts_behind_its_photo_stays_behind():
    tail = b"a clip of two seconds"
    kept = read_document(picture("JPEG") + tail)
    assert tail not in kept.content


def test_metadata_stays_behind():
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    sent = picture("JPEG", exif=exif)
    assert b"secret place" in sent
    assert b"secret place" not in read_document(sent).content


def test_large_picture_is_shrunk():
    kept = read_document(picture("JPEG", (4000, 3000)))
    assert max(Image.open(BytesIO(kept.content)).size) == MAX_SIDE


@pytest.mark.parametrize("size", [(4032, 3024), (8160, 6120)])
def test_photos_of_phones_are_taken_and_turned_as_they_were_held(size):
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = Image.open(BytesIO(read_document(picture("JPEG", size, exif=exif)).content))
    assert kept.size == (MAX_SIDE * 3 // 4, MAX_SIDE)


def test_photo_that_has_to_be_decoded_whole_has_fewer_pixels():
    assert read_document(picture("JPEG", (4032, 3024), progressive=True)).content_type == "image/jpeg"
    assert read_document(picture("WEBP", (2000, 1500))).content_type == "image/webp"
    assert read_document(picture("PNG", (3840, 2160), "RGBA")).content_type == "image/png"
    with pytest.raises(Invalid, match="at most 12 million"):
        read_document(picture("JPEG", (4033, 3100), progressive=True))
    with pytest.raises(Invalid, match="at most 50 million"):
        read_document(picture("JPEG", (10_001, 5000)))


@pytest.mark.parametrize("mode", ["P", "L", "RGBA", "1"])
def test_any_kind_of_png_is_taken(mode):
    assert read_document(picture("PNG", mode=mode)).content_type == "image/png"


@pytest.mark.parametrize("size", [(30_000, 30_000), (12_501, 1_000), (2**31 - 1, 2**31 - 1)])
def test_bomb_is_refused_before_it_is_decoded(size):
    bomb = png_bomb(*size)
    assert len(bomb) < 20_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid):
        read_document(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(100),
        b"MZ" + bytes(100),
        picture("BMP"),
        picture("PNG")[:60],
        picture("JPEG")[:300],
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"%PDF-" + bytes(MAX_BYTES),
        b"%PDF-1.7 without an end",
        b"%PDF-1.7 %%EOF" + ZIP_END,
        picture("PNG") + b"<script>",
        picture("JPEG") + ZIP_END,
        picture("WEBP") + b"<script>",
        picture("JPEG")[:2] + b"\xff\xfe\x00\x0a%PDF-1.7" + picture("JPEG")[2:],
    ],
)
def test_anything_else_is_refused(content):
    with pytest.raises(Invalid) as refused:
        read_document(content)
    assert refused.value.field == "file"


def test_pdf_is_kept_as_it_is():
    kept = read_document(b"%PDF-1.7 rest %%EOF")
    assert (kept.content_type, kept.content) == ("application/pdf", b"%PDF-1.7 rest %%EOF")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_picture_that_swells_takes_its_own_process_and_at_most_a_second_or_two(mode):
    swelling = picture("WEBP", (5000, 5000), mode, lossless=True)
    assert len(swelling) < 2000
    began, before = sum(os.times()[:4]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid):
        read_document(swelling)
    assert sum(os.times()[:4]) - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10 * 1024
