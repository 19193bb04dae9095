"""Photos of codes are read on the server; hostile files are refused in time and memory."""

import os
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from core import bounded_process
from core.errors import Invalid
from labels import decode_process
from labels.decode import decode
from labels.rendering import Content, Design, png
from labels.symbols import Symbology
from tests.factories import make_user

FOLDER = Path(os.environ.get("MES_REAL_DATA") or settings.BASE_DIR.parent / "shared" / "data") / "qr_photos"
PHOTOS = sorted(path for name in ("qrcode-1", "qrcode-5") for path in (FOLDER / name).glob("*.png"))
GS1_CODE = "(01)09506000134352(10)AB-1(21)77"


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the folder of real photos is absent: {FOLDER} (MES_REAL_DATA)")
def test_every_real_photo_is_read():
    assert len(PHOTOS) == 39
    wrong = []
    for path in PHOTOS:
        meant = path.with_suffix(".txt").read_bytes().decode()
        if [found.text for found in decode(path.read_bytes())] != [meant]:
            wrong.append(path.name)
    assert wrong == []


def label(symbology="qr", text="PK-1", **options):
    return png(Design(options.pop("w", 40), options.pop("h", 30), 203, Symbology(symbology)), Content(text))


def photo(picture, form="JPEG", **options):
    out = BytesIO()
    picture.save(out, format=form, **options)
    return out.getvalue()


def bomb(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_turned_and_blurred_photo_of_a_label_is_read_at_its_place(form):
    picture = Image.new("RGB", (1600, 1200), "white")
    picture.paste(Image.open(BytesIO(label())).convert("RGB").resize((640, 480)), (500, 300))
    (found,) = decode(photo(picture.rotate(20, fillcolor="white"), form))
    assert (found.text, found.symbology, found.is_gs1) == ("PK-1", "QR Code", False)
    assert all(400 < x < 1200 and 200 < y < 900 for x, y in found.position)


def test_position_is_in_the_photos_own_pixels():
    picture = Image.new("L", (6000, 4000), 255)
    picture.paste(Image.open(BytesIO(label())).convert("L").resize((1600, 1200)), (4000, 2500))
    (found,) = decode(photo(picture))
    assert all(4000 < x < 5600 and 2500 < y < 3700 for x, y in found.position)


def test_gs1_symbols_are_told_from_others():
    (found,) = decode(label("gs1_datamatrix", GS1_CODE))
    assert (found.is_gs1, found.identifier, found.text) == (True, "]d2", "010950600013435210AB-1\x1d2177")


def test_photo_without_a_code_has_none():
    assert decode(photo(Image.new("L", (800, 600), 128))) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"GIF89a" + b"\0" * 100,
        b"%PDF-1.7\n" + b"\0" * 100,
        b"\x89PNG\r\n\x1a\n<svg/>IEND\xaeB`\x82",
        b"\xff\xd8\xff" + b"\0" * 1000,
        bomb(60_000, 60_000),
        bomb(4_000, 4_000),
        b"x" * (8 * 2**20 + 1),
    ],
    ids=["empty", "svg", "gif", "pdf", "svg in png", "broken jpeg", "image bomb", "bomb within pixels", "too long"],
)
def test_hostile_file_is_refused_quickly(content):
    began = sum(os.times()[:4])
    with pytest.raises(Invalid) as refused:
        decode(content)
    assert refused.value.field == "file"
    assert sum(os.times()[:4]) - began < 2


def test_picture_that_is_something_else_too_is_refused():
    for more in (b"PK\x05\x06" + b"\0" * 18, b"<script>"):
        with pytest.raises(Invalid):
            decode(label() + more)
    with pytest.raises(Invalid):
        decode(photo(Image.new("L", (80, 60), 255)) + b"PK\x05\x06" + b"\0" * 18)


def peak_kib(content):
    """Return what the reading process takes at most, as the kernel counts it."""
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['', {decode_process.__file__!r}]\n"
        f"try:\n    runpy.run_path({bounded_process.__file__!r}, run_name='__main__')\n"
        "finally:\n    told = [line for line in open('/proc/self/status') if line.startswith('VmHWM')]\n"
        "    sys.stderr.write(told[0].split()[1])\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], input=content, capture_output=True, check=False)
    return int(done.stderr.split()[-1])


@pytest.mark.parametrize(
    "picture",
    [
        ("RGB", (8000, 6000), {}),
        ("RGB", (6000, 4000), {"progressive": True}),
        ("RGB", (4032, 3024), {"progressive": True}),
        ("RGBA", (3500, 3500), {"form": "PNG"}),
    ],
    ids=str,
)
def test_photo_takes_at_most_100_mib(picture):
    mode, size, options = picture
    assert peak_kib(photo(Image.new(mode, size, "white"), **options)) < 100 * 1024


@pytest.mark.django_db
def test_rest_door_reads_a_photo_and_refuses_the_rest():
    client = APIClient()
    file = SimpleUploadedFile("a.png", label("gs1_datamatrix", GS1_CODE), "image/png")
    assert client.post("/labels/decode/", {"file": file}, format="multipart").status_code == 401
    client.force_authenticate(make_user("operator"))
    file.seek(0)
    (found,) = client.post("/labels/decode/", {"file": file}, format="multipart").data["codes"]
    assert [(one["ai"], one["value"]) for one in found["elements"]] == [
        ("01", "09506000134352"),
        ("10", "AB-1"),
        ("21", "77"),
    ]
    svg = SimpleUploadedFile("a.png", b"<svg/>", "image/png")
    assert client.post("/labels/decode/", {"file": svg}, format="multipart").status_code == 400
    assert client.post("/labels/decode/", {}, format="multipart").status_code == 400
    client.force_authenticate(make_user())
    assert client.post("/labels/decode/", {"file": svg}, format="multipart").status_code == 403
