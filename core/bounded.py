"""Read somebody's file in a process of its own whose time and memory are bounded."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

from core.errors import Conflict, Invalid

AT_ONCE = 2
WAIT_SECONDS = 5.0
SECONDS = 10.0
"""By the clock: for a process that waits, whatever for; one that works is ended after 1.5 s of processor time."""
_LAUNCHER = Path(__file__).resolve().parent / "bounded_process.py"
_turns = threading.BoundedSemaphore(AT_ONCE)


def read_bounded(script: Path, content: bytes, *, field: str) -> bytes:
    """Return what a script (see `core.bounded_process`) makes of a file.

    Raises Invalid, naming the field, for a file that takes too long or too much; Conflict when others are being read.
    """
    # More at once would take the processors from everybody else.
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise Conflict("Other files are being read; try again.")
    too_long = Invalid("The file takes too long to read; choose a smaller one.", field=field)
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_LAUNCHER), str(script)],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise too_long from None
    finally:
        _turns.release()
    if done.returncode == -signal.SIGPROF:
        raise too_long
    if done.returncode:
        raise Invalid("The file takes too much to read; choose a smaller one.", field=field)
    return done.stdout
