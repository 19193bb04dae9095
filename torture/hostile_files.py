"""Give hostile files to whatever reads files, each in a process of its own: refused in 2 s and 100 MiB,
or the table says so.

A door hands its file to one of four readers: `labels.decode` (photos of codes), `core.uploads` (pictures and PDFs that
are kept), `reports.packages` (templates), `core.spreadsheets` (imports). Measured is the processor time and the memory
that a reader takes, and the process that it may start, beyond what that takes of a small good file.
"""

import ctypes
import io
import os
import platform
import resource
import struct
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SECONDS, MEBIBYTES = 2.0, 100.0
READERS = ("photo of a code", "picture to keep", "template", "import")
_ZIP_END = b"PK\x05\x06" + bytes(18)


# --- files ---


def picture(form: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    """Return a picture of one colour."""
    from PIL import Image

    made = io.BytesIO()
    Image.new(mode, size, 1).save(made, format=form, **options)
    return made.getvalue()


def png_of(width: int, height: int) -> bytes:
    """Return a few kilobytes that say they are a picture of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = zlib.compress(bytes(20_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def workbook(part: str = "", inner: bytes = b"", before: bytes = b">", after: bytes = b"</") -> bytes:
    """Return a small workbook; with a part that holds something before its last `after`."""
    import xlsxwriter

    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        book.add_worksheet("Data").write_row(0, 0, ["code", "name"])
    made = io.BytesIO()
    with zipfile.ZipFile(packed) as book, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as copy:
        for name in book.namelist():
            data = book.read(name)
            if name == part:
                at = data.rindex(after)
                data = data[:at] + inner + data[at:]
            copy.writestr(name, data)
        if part and part not in book.namelist():
            copy.writestr(part, inner)
    return made.getvalue()


_SHEET = "xl/worksheets/sheet1.xml"
_ENTITIES = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY b%d "%s">' % (n, (b"&b%d;" % (n - 1) if n else b"&a;") * 10) for n in range(12)
)  # fmt: skip
PICTURES: dict[str, Callable[[], bytes]] = {
    "a small good one": lambda: picture("PNG"),
    "PNG of 60,000 × 60,000": lambda: png_of(60_000, 60_000),
    "PNG of 5,000 × 5,000": lambda: picture("PNG", (5000, 5000), "RGBA"),
    "PNG of 3,500 × 3,500": lambda: picture("PNG", (3500, 3500), "RGBA"),
    "WebP of 5,000 × 5,000 in 1 kB": lambda: picture("WEBP", (5000, 5000), "RGBA", lossless=True),
    "progressive JPEG of four colours": lambda: picture("JPEG", (3500, 3500), "CMYK", progressive=True),
    "JPEG of 9,000 × 6,000": lambda: picture("JPEG", (9000, 6000)),
    "SVG": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "GIF": lambda: picture("GIF"),
    "BMP": lambda: picture("BMP"),
    "TIFF": lambda: picture("TIFF"),
    "PNG that is a ZIP too": lambda: picture("PNG") + _ZIP_END,
    "JPEG that is a ZIP too": lambda: picture("JPEG") + _ZIP_END,
    "JPEG that is a PDF too": lambda: picture("JPEG")[:2] + b"\xff\xfe\x00\x0a%PDF-1.7" + picture("JPEG")[2:],
    "WebP with a script behind it": lambda: picture("WEBP") + b"<script>",
    "PDF that is a ZIP too": lambda: b"%PDF-1.7\n%%EOF" + _ZIP_END,
    "PDF without an end": lambda: b"%PDF-1.7\n<html>",
    "program": lambda: b"MZ" + bytes(1000),
    "cut": lambda: picture("JPEG", (400, 300))[:700],
    "empty": lambda: b"",
}
WORKBOOKS: dict[str, Callable[[], bytes]] = {
    "a small good one": workbook,
    "600 MB of blanks": lambda: workbook("xl/worksheets/sheet9.xml", b" " * 600_000_000),
    "entities in entities": lambda: workbook("xl/worksheets/sheet9.xml", _ENTITIES + b"]><x>&b11;</x>"),
    "4 million rows": lambda: workbook(_SHEET, b"<sheetData>" + b"<row/>" * 3_900_000 + b"</sheetData>"),
    "1.6 million cells in a row": lambda: workbook(_SHEET, b"<row>" + b"<c><v>1</v></c>" * 1_600_000 + b"</row>"),
    "3 million tags deep": lambda: workbook(_SHEET, b"<a>" * 3_000_000),
    "a tag of 400,000 attributes": lambda: workbook(
        _SHEET, b"<row " + b" ".join(b'a%d="1"' % n for n in range(400_000)) + b"/>"
    ),
    "1.4 million fonts": lambda: workbook("xl/styles.xml", b"<font/>" * 1_400_000),
    "2 million texts": lambda: workbook("xl/sharedStrings.xml", b"<si/>" * 2_000_000),
    "600,000 types": lambda: workbook("[Content_Types].xml", b'<Override PartName="/x" ContentType="y"/>' * 600_000),
    "400,000 names": lambda: workbook("xl/workbook.xml", b'<definedName name="a">D!$A$1</definedName>' * 400_000),
    "macros": lambda: workbook("xl/vbaProject.bin", b"x"),
    "SVG": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "picture": lambda: picture("PNG"),
    "program": lambda: b"MZ" + bytes(1000),
    "empty": lambda: b"",
}


# --- one reader, one file, in a process of its own ---


def _read(reader: str, content: bytes) -> str:
    """Return why a reader refuses a file; "" when it does not."""
    from core.errors import DomainError
    from core.spreadsheets import UnreadableFile, XlsxFormat
    from core.uploads import read_document
    from labels.decode import decode
    from reports.packages import BadWorkbook, open_book

    readers: dict[str, Callable[[bytes], Any]] = {
        "photo of a code": decode,
        "picture to keep": read_document,
        "template": open_book,
        "import": XlsxFormat().create_dataset,
    }
    try:
        readers[reader](content)
    except DomainError as refusal:
        return refusal.message
    except (BadWorkbook, UnreadableFile) as refusal:
        return str(refusal)
    return ""


def _processor_seconds() -> float:
    told = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in told)


class _Watch(threading.Thread):
    """Looks every few milliseconds how much the processes that were started have taken:
    theirs is not in our own peak.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self.goes_on = True

    def run(self) -> None:
        """Look until told otherwise."""
        while self.goes_on:
            for task in Path("/proc/self/task").iterdir():
                for child in _text(task / "children").split():
                    # Until it has become what it is started for, its memory is shown as ours.
                    if "bounded_process" not in _text(Path(f"/proc/{child}/cmdline")):
                        continue
                    self.peak = max(self.peak, _high_water(_text(Path(f"/proc/{child}/status"))))
            time.sleep(0.003)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _high_water(status: str) -> float:
    """Return the peak of a process in MiB; 0 of one that is gone."""
    told = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(told[0].split()[1]) / 1024 if told else 0.0


def _alone(reader: str, content: bytes) -> str:
    """Read a file; return processor seconds, seconds, MiB that we took, MiB of the process that we started,
    the refusal.
    """
    _read(reader, b"")
    watch = _Watch()
    watch.start()
    Path("/proc/self/clear_refs").write_text("5")
    had = _high_water(_text(Path("/proc/self/status")))
    before, began = _processor_seconds(), time.monotonic()
    said = _read(reader, content)
    spent, took = _processor_seconds() - before, time.monotonic() - began
    watch.goes_on = False
    watch.join()
    own = _high_water(_text(Path("/proc/self/status"))) - had
    return f"{spent:.3f}\t{took:.3f}\t{own:.1f}\t{watch.peak:.1f}\t{said}"


def measured(reader: str, content: bytes) -> tuple[float, float, float, float, str]:
    """Return what `_alone` says of one file, in a process that is there for it alone."""
    # What making the file left free would be used again, and not be seen.
    ctypes.CDLL(None).malloc_trim(0)
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        with os.fdopen(send, "w") as out:
            out.write(_alone(reader, content))
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as told:
        spent, took, own, started, said = told.read().split("\t")
    os.waitpid(pid, 0)
    return float(spent), float(took), float(own), float(started), said


def main() -> None:
    """Measure each file at each reader that could get it, print the table, and fail when a bound was not kept."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes_project.settings")
    django.setup()
    # What all have in common is imported once, and not counted.
    for reader in READERS:
        _read(reader, b"")
    broken = []
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}\n")
    print("| reader | file | kB | processor s | s | + MiB | answer |\n| --- | --- | --- | --- | --- | --- | --- |")
    for reader in READERS:
        plain = 0.0
        for name, make in (PICTURES if reader in READERS[:2] else WORKBOOKS).items():
            content = make()
            spent, took, own, started, said = measured(reader, content)
            # What the process is made of was there before the file.
            plain = plain or started
            more = own + max(0.0, started - plain)
            is_good = name == "a small good one" or (reader == "import" and name == "macros")
            if bool(said) == is_good or spent > SECONDS or more > MEBIBYTES:
                broken.append(f"{reader}, {name}")
            answer = said or "taken"
            print(
                f"| {reader} | {name} | {len(content) / 1000:,.0f} | {spent:.2f} | {took:.2f} | {more:.0f} | {answer} |"
            )
    print(f"\nnot refused, or beyond {SECONDS:.0f} s or {MEBIBYTES:.0f} MiB: {', '.join(broken) or 'none'}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
