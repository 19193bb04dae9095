"""Read the codes in folders of photos as `/labels/decode/` does, and say how many are read and how long it takes."""

import statistics
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from labels.decode import decode

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Command(BaseCommand):
    """Print a table: folder, photos, read, read right (of those beside which a .txt says what is meant), time."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder of photos, or of folders of them")

    def handle(self, *args: Any, **options: Any) -> None:
        whole: Path = options["folder"]
        if not whole.is_dir():
            raise CommandError(f"{whole} is no folder.")
        folders = [folder for folder in (whole, *sorted(whole.iterdir())) if folder.is_dir() and _photos_in(folder)]
        if not folders:
            raise CommandError("There is no photo: JPEG, PNG or WebP.")
        self.stdout.write(
            "| folder | photos | read | as meant | median ms | worst ms |\n| --- | --- | --- | --- | --- | --- |"
        )
        left = []
        for folder in folders:
            photos = _photos_in(folder)
            took, read, right, meant_of = [], 0, 0, 0
            for photo in photos:
                began = time.monotonic()
                try:
                    texts = [one.text for one in decode(photo.read_bytes())]
                except DomainError as refusal:
                    texts = []
                    left.append(f"{photo.name}: {refusal.message}")
                took.append((time.monotonic() - began) * 1000)
                read += bool(texts)
                beside = photo.with_suffix(".txt")
                if beside.exists():
                    meant_of += 1
                    right += beside.read_bytes().decode() in texts
                if not texts:
                    left.append(f"{photo.name}: no code was found")
            as_meant = f"{right} of {meant_of}" if meant_of else "–"
            self.stdout.write(
                f"| {folder.name} | {len(photos)} | {read} | {as_meant} | {statistics.median(took):.0f} | {max(took):.0f} |"
            )
        for line in left:
            self.stdout.write(f"  {line}")


def _photos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
